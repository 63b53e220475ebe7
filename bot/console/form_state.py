"""The values of inputs: their defaults, what people entered, what is missing. Knows elements, not how they travel."""

import re
from collections.abc import Iterable
from typing import Any

from bot.console.blocks import walk
from bot.console.elements import INPUTS
from bot.console.files import find
from bot.console.wire import Json, SlackError
from bot.console.workspace import Workspace

TYPED = ("plain_text_input", "email_text_input", "url_text_input", "number_input", "rich_text_input")
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
EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+")


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
    key, initial = INITIAL[part["type"]]
    if isinstance(entered, dict) and key in entered:
        value: Any = entered[key]
    else:
        value = part.get(initial, [] if key.startswith("selected_") and key.endswith("s") else None)
    if part["type"] == "file_input":
        value = [_file(space, item) for item in value or []]
    if part["type"] in TYPED and value == "":
        value = None
    return {"type": part["type"], key: value}


def _file(space: Workspace, item: object) -> Json:
    file_id = item.get("id") if isinstance(item, dict) else item
    if not isinstance(file_id, str):
        raise SlackError("file_not_found")
    return find(space, file_id)


def _wrong(part: Json, value: Any, optional: bool) -> str:
    if value in (None, "", []):
        return "" if optional else "Please complete this required field."
    check = {
        "plain_text_input": _wrong_text,
        "number_input": _wrong_number,
        "email_text_input": lambda _, text: "" if EMAIL.fullmatch(text) else "Please enter a valid email address.",
        "url_text_input": lambda _, text: "" if re.match(r"https?://\S+$", text) else "Please enter a valid URL.",
        "file_input": _wrong_files,
    }.get(part["type"])
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
