"""The values of inputs: their defaults, what people entered, what is missing. Knows elements, not how they travel."""

import re
from collections.abc import Callable, Iterable
from typing import Any

from bot.console.block_rules import too_deep
from bot.console.blocks import walk
from bot.console.elements import INPUTS, OPTION
from bot.console.files import find
from bot.console.rich_text import ONLY_RICH_TEXT
from bot.console.schema import Check
from bot.console.wire import Json, SlackError
from bot.console.workspace import Workspace

INITIAL = {
    "static_select": ("selected_option", "initial_option"),
    "external_select": ("selected_option", "initial_option"),
    "radio_buttons": ("selected_option", "initial_option"),
    "checkboxes": ("selected_options", "initial_options"),
    "multi_static_select": ("selected_options", "initial_options"),
    "multi_external_select": ("selected_options", "initial_options"),
    "users_select": ("selected_user", "initial_user"),
    "multi_users_select": ("selected_users", "initial_users"),
    "channels_select": ("selected_channel", "initial_channel"),
    "multi_channels_select": ("selected_channels", "initial_channels"),
    "conversations_select": ("selected_conversation", "initial_conversation"),
    "multi_conversations_select": ("selected_conversations", "initial_conversations"),
    "datepicker": ("selected_date", "initial_date"),
    "timepicker": ("selected_time", "initial_time"),
    "datetimepicker": ("selected_date_time", "initial_date_time"),
    "plain_text_input": ("value", "initial_value"),
    "email_text_input": ("value", "initial_value"),
    "url_text_input": ("value", "initial_value"),
    "number_input": ("value", "initial_value"),
    "rich_text_input": ("rich_text_value", "initial_value"),
    "file_input": ("files", ""),
}
"""For each element the key of its value and the key of its default."""


def state_of(space: Workspace, blocks: Iterable[Json], entered: Json | None) -> Json:
    """Slack's `state`: every input's value, what was entered before its default. Unknown ids are dropped."""
    given = (entered or {}).get("values", {})
    values: dict[str, Json] = {}
    for block, part in walk(blocks):
        if part["type"] in INPUTS:
            own = given.get(block["block_id"], {}) if isinstance(given, dict) else {}
            value = own.get(part["action_id"]) if isinstance(own, dict) else None
            values.setdefault(block["block_id"], {})[part["action_id"]] = _value(space, part, value)
    return {"values": values}


def refusals(blocks: Iterable[Json], state: Json) -> dict[str, str]:
    """For each input block that Slack's own client would not submit, what it would say."""
    errors = {}
    for block in blocks:
        if block["type"] == "input":
            part = block["element"]
            value = state["values"][block["block_id"]][part["action_id"]]
            wrong = _wrong(part, value.get(INITIAL[part["type"]][0]), bool(block.get("optional")))
            if wrong:
                errors[block["block_id"]] = wrong
    return errors


def _value(space: Workspace, part: Json, entered: object) -> Json:
    kind = part["type"]
    key, initial = INITIAL[kind]
    value = entered[key] if isinstance(entered, dict) and key in entered else part.get(initial)
    made = {"type": kind, key: _checked(space, part, value)}
    if kind == "timepicker" and "timezone" in part:
        made["timezone"] = part["timezone"]
    return made


def _checked(space: Workspace, part: Json, value: Any) -> Any:
    """A value in the form in which Slack sends it; nothing entered is null, or an empty list of several."""
    kind = part["type"]
    several = kind.startswith("multi_") or kind in ("checkboxes", "file_input")
    if value in (None, "", []):
        return [] if several else None
    read = _file if kind == "file_input" else _reader(part)
    if not several:
        return read(space, part, value)
    if not isinstance(value, list):
        raise SlackError("invalid_arguments", "must provide an array")
    return [item for item in (read(space, part, each) for each in value) if item is not None]


def _reader(part: Json) -> Callable[[Workspace, Json, Any], Any]:
    if "options" in part or "option_groups" in part:
        return _provided
    if part["type"] in ("external_select", "multi_external_select"):
        return _loaded
    return {"rich_text_input": _rich, "datetimepicker": _moment}.get(part["type"], _string)


def _provided(space: Workspace, part: Json, value: Any) -> Json | None:
    """The app's own option object, whatever else was sent with its value; one that is no longer offered is nothing."""
    groups = [group["options"] for group in part.get("option_groups", [])]
    options = [*part.get("options", []), *(option for group in groups for option in group)]
    if not isinstance(value, dict):
        raise SlackError("invalid_arguments", "must provide an object")
    return next((dict(option) for option in options if option["value"] == value.get("value")), None)


def _loaded(space: Workspace, part: Json, value: Any) -> Json:
    return _sound(OPTION, value)


def _rich(space: Workspace, part: Json, value: Any) -> Json | None:
    """Rich text; without a single run it counts as nothing."""
    rich = _sound(ONLY_RICH_TEXT, value)
    return rich if any(line.get("elements") for line in rich["elements"]) else None


def _moment(space: Workspace, part: Json, value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise SlackError("invalid_arguments", "must provide an integer")
    return value


def _string(space: Workspace, part: Json, value: Any) -> str:
    if not isinstance(value, str):
        raise SlackError("invalid_arguments", "must provide a string")
    return value


def _file(space: Workspace, part: Json, item: Any) -> Json:
    file_id = item.get("id") if isinstance(item, dict) else item
    if not isinstance(file_id, str):
        raise SlackError("file_not_found")
    return find(space, file_id)


def _sound(check: Check, value: Any) -> Json:
    problems = ["nested too deeply"] if too_deep(value) else list(check(value, "/state"))
    if problems:
        raise SlackError("invalid_arguments", *problems)
    return dict(value)


def _wrong(part: Json, value: Any, optional: bool) -> str:
    if value in (None, "", []):
        return "" if optional else "Please complete this required field."
    if "max_selected_items" in part and len(value) > part["max_selected_items"]:
        return f"Please select no more than {part['max_selected_items']} items."
    check = CHECKS.get(part["type"])
    return check(part, value) if check else ""


def _wrong_text(part: Json, value: str) -> str:
    if len(value) < part.get("min_length", 0):
        return f"Please enter at least {part['min_length']} characters."
    if len(value) > part.get("max_length", 3000):
        return f"Please enter no more than {part.get('max_length', 3000)} characters."
    return ""


def _wrong_number(part: Json, value: str) -> str:
    if not re.fullmatch(r"-?\d+(\.\d+)?" if part["is_decimal_allowed"] else r"-?\d+", str(value)):
        return "Please enter a number." if part["is_decimal_allowed"] else "Please enter a whole number."
    number = float(value)
    if number < float(part.get("min_value", number)):
        return f"Please enter a number of at least {part['min_value']}."
    if number > float(part.get("max_value", number)):
        return f"Please enter a number of at most {part['max_value']}."
    return ""


def _wrong_files(part: Json, value: list[Json]) -> str:
    kinds = [kind.lower().lstrip(".") for kind in part.get("filetypes", [])]
    if len(value) > part.get("max_files", 10):
        return f"Please upload no more than {part.get('max_files', 10)} files."
    for file in value:
        suffix = file["name"].rpartition(".")[2].lower()
        if kinds and suffix not in kinds and file["filetype"] not in kinds:
            return f"Only files of these types are taken here: {', '.join(kinds)}."
    return ""


def _matches(regex: str, words: str) -> Callable[[Json, Any], str]:
    return lambda _, value: "" if re.fullmatch(regex, value) else words


CHECKS: dict[str, Callable[[Json, Any], str]] = {
    "plain_text_input": _wrong_text,
    "number_input": _wrong_number,
    "email_text_input": _matches(r"[^@\s]+@[^@\s]+\.[^@\s]+", "Please enter a valid email address."),
    "url_text_input": _matches(r"https?://\S+", "Please enter a valid URL."),
    "datepicker": _matches(r"\d{4}-(0[1-9]|1[012])-(0[1-9]|[12]\d|3[01])", "Please enter a valid date."),
    "timepicker": _matches(r"([01]\d|2[0-3]):[0-5]\d", "Please enter a valid time."),
    "file_input": _wrong_files,
}
"""For each element what Slack's own client checks before it submits; the words are ours."""
