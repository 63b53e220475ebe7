"""Every element of Block Kit that people choose, press or type into, for the kitchen sink."""

from typing import Any

Json = dict[str, Any]
NAMES = ("Small", "Medium", "Large", "Extra large")


def plain(text: str) -> Json:
    """A plain_text object."""
    return {"type": "plain_text", "text": text, "emoji": True}


def option(text: str, **rest: Any) -> Json:
    """An option."""
    return {"text": plain(text), "value": text.lower().replace(" ", "-"), **rest}


OPTIONS = [option(name) for name in NAMES]
DESCRIBED = [option(name, description=plain(f"About {name.lower()}")) for name in NAMES[:3]]
GROUPS = [
    {"label": plain("Sizes"), "options": OPTIONS},
    {"label": plain("Colours"), "options": [option("Red"), option("Blue")]},
]
CONFIRM = {
    "title": plain("Start training?"),
    "text": {"type": "mrkdwn", "text": "It takes about *5 minutes* on this machine."},
    "confirm": plain("Start"),
    "deny": plain("Not yet"),
}


def button(action_id: str, text: str, **rest: Any) -> Json:
    """A button element."""
    return {"type": "button", "action_id": action_id, "text": plain(text), "value": "1", **rest}


def _hint(text: str) -> Json:
    return {"placeholder": plain(text)}


SELECTS: list[Json] = [
    {"type": "static_select", "options": OPTIONS, **_hint("Pick a size")},
    {"type": "static_select", "option_groups": GROUPS, "initial_option": OPTIONS[1]},
    {"type": "multi_static_select", "option_groups": GROUPS, "max_selected_items": 2, **_hint("Pick up to two")},
    {"type": "external_select", "min_query_length": 2, **_hint("Search the app")},
    {"type": "multi_external_select", "min_query_length": 0, **_hint("Search many")},
    {"type": "users_select", **_hint("Pick a person")},
    {"type": "multi_users_select", "initial_users": ["U0ADA", "U0BEN"]},
    {"type": "conversations_select", "default_to_current_conversation": True},
    {"type": "multi_conversations_select", **_hint("Pick conversations")},
    {"type": "channels_select", "initial_channel": "C0GENERAL"},
    {"type": "multi_channels_select", **_hint("Pick channels")},
]
PICKERS: list[Json] = [
    {"type": "datepicker", "initial_date": "2026-11-22"},
    {"type": "datepicker", **_hint("Select a date")},
    {"type": "timepicker", "initial_time": "14:30"},
    {"type": "datetimepicker", "initial_date_time": 1_790_000_000},
]
BOXES: list[Json] = [
    {"type": "radio_buttons", "options": DESCRIBED, "initial_option": DESCRIBED[0]},
    {"type": "checkboxes", "options": DESCRIBED, "initial_options": DESCRIBED[1:2]},
]
BUTTONS: list[Json] = [
    button("plain", "Plain"),
    button("primary", "Primary", style="primary"),
    button("danger", "Danger", style="danger"),
    button("asks", "Asks first", confirm=CONFIRM),
    button("asks-hard", "Asks hard", style="danger", confirm={**CONFIRM, "style": "danger"}),
    button("link", "Opens a page", url="https://example.com/page"),
    button("for-ada", "Ada only", visible_to_user_ids=["U0ADA"]),
    button("for-ben", "Ben only", visible_to_user_ids=["U0BEN"]),
    {"type": "overflow", "action_id": "overflow", "options": [option("Rename"), option("Delete")]},
    {
        "type": "workflow_button",
        "text": plain("Run workflow"),
        "action_id": "workflow",
        "workflow": {"trigger": {"url": "https://slack.com/shortcuts/Ft0/1"}},
    },
]
TEXTS: list[tuple[str, Json, Json]] = [
    ("Name", {"type": "plain_text_input", "max_length": 20, "min_length": 3, **_hint("tickets-v2")}, {}),
    ("About", {"type": "plain_text_input", "multiline": True, "max_length": 300}, {"optional": True}),
    ("Mail", {"type": "email_text_input", **_hint("ada@example.com")}, {"optional": True}),
    ("Address", {"type": "url_text_input"}, {"optional": True}),
    ("Epochs", {"type": "number_input", "is_decimal_allowed": False, "min_value": "1", "max_value": "9"}, {}),
    ("Notes", {"type": "rich_text_input", **_hint("Say more")}, {"optional": True}),
]


def _named(parts: list[Json], start: str) -> list[Json]:
    return [{**part, "action_id": part.get("action_id", f"{start}-{place}")} for place, part in enumerate(parts)]


def elements_for(start: str) -> list[Json]:
    """Every element that may stand beside a section."""
    workflow = [part for part in BUTTONS if part["type"] in ("overflow", "workflow_button")]
    return _named([*BUTTONS[:2], *workflow, *SELECTS, *PICKERS[:3], *BOXES], start)


ACTION_ROWS: list[Json] = [
    {"type": "actions", "block_id": "buttons", "elements": _named(BUTTONS, "button")},
    {"type": "actions", "block_id": "selects", "elements": _named(SELECTS, "select")},
    {"type": "actions", "block_id": "pickers", "elements": _named([*PICKERS, *BOXES], "picker")},
]


def inputs(surface: str) -> list[Json]:
    """An input block of every kind; files only in a modal."""
    made = [_input(name, part, **rest) for name, part, rest in TEXTS]
    choices = enumerate([*SELECTS, *PICKERS, *BOXES])
    made += [_input(part["type"], {**part, "action_id": f"in-{place}"}, optional=True) for place, part in choices]
    if surface == "modal":
        files = {"type": "file_input", "filetypes": ["jsonl", "csv"], "max_files": 2, "action_id": "files"}
        made.append(_input("Files", files, optional=True, hint=plain("Rows with a label.")))
    return [{**block, "block_id": f"{surface}-{place}"} for place, block in enumerate(made)]


def _input(name: str, part: Json, **rest: Any) -> Json:
    element = {"action_id": name.lower(), **part}
    return {"type": "input", "label": plain(name), "element": element, **rest}
