"""The entry of `actions` for one use of an element, from the element itself. Trusts the page for the choice alone."""

from bot.console.form_state import state_of
from bot.console.wire import Json, SlackError
from bot.console.workspace import Workspace

ECHOED = ("placeholder", "confirm", "min_query_length", "timezone")
"""What Slack repeats of an element besides its `initial_…` value."""
BUTTON = ("text", "value", "style", "url", "icon", "confirm")


def entry_of(space: Workspace, part: Json, block_id: str, used: Json) -> Json:
    """One entry of `actions`. Raises invalid_arguments for a choice that the element does not offer."""
    kind = part["type"]
    made = {"type": kind, "block_id": block_id, "action_id": part["action_id"], "action_ts": space.clock.ts()}
    if kind in ("button", "icon_button"):
        return {**made, **{name: part[name] for name in BUTTON if name in part}}
    if kind == "feedback_buttons":
        return {**made, **_feedback(part, used)}
    if kind == "overflow":
        return {**made, "selected_option": _chosen(part["options"], used.get("selected_option"))}
    entered = {"values": {block_id: {part["action_id"]: used}}}
    state = state_of(space, [{"type": "actions", "block_id": block_id, "elements": [part]}], entered)
    value = state["values"].get(block_id, {}).get(part["action_id"], {})
    for name, chosen in value.items():
        if name.startswith("selected_option") and _count(chosen) != _count(used.get(name)):
            raise SlackError("invalid_arguments", "must be one of the provided options")
    kept = {name: part[name] for name in part if name in ECHOED or name.startswith("initial_")}
    return {**made, **kept, **value}


def _count(chosen: object) -> int:
    return len(chosen) if isinstance(chosen, list) else int(bool(chosen))


def _feedback(part: Json, used: Json) -> Json:
    for name in ("positive_button", "negative_button"):
        if part[name]["value"] == used.get("value"):
            return {"text": part[name]["text"], "value": part[name]["value"]}
    raise SlackError("invalid_arguments", "must be one of the two buttons")


def _chosen(options: list[Json], chosen: object) -> Json:
    value = chosen.get("value") if isinstance(chosen, dict) else chosen
    for option in options:
        if option.get("value") == value:
            return dict(option)
    raise SlackError("invalid_arguments", "must be one of the provided options")
