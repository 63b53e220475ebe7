"""Carries out what an app answers to view_submission: errors, update, push, clear. Knows answers, not how they came."""

from bot.console import modals
from bot.console.view_rules import check_view
from bot.console.wire import Json, SlackError
from bot.console.workspace import Workspace

TROUBLE = "We had some trouble connecting. Try again?"
"""What Slack's client says of every answer that it cannot use."""


def obey(space: Workspace, user: str, view: Json, answer: object) -> Json:
    """Carry out a response_action; an empty answer closes the view. Gives what the page needs to know."""
    try:
        return _obeyed(space, user, view, answer)
    except SlackError as error:
        why = "; ".join([error.code, *error.messages])
        return {"ok": False, "error": error.code, "detail": f"{TROUBLE} (The app's answer: {why})"}


def _obeyed(space: Workspace, user: str, view: Json, answer: object) -> Json:
    if answer is None or answer == {}:
        modals.close_top(space, user, view["id"])
        return {"ok": True}
    if not isinstance(answer, dict):
        raise SlackError("invalid_response", "must be empty or a JSON object")
    action = answer.get("response_action")
    if action == "errors":
        return {"ok": True, "response_action": "errors", "errors": _errors(view, answer.get("errors"))}
    if action == "clear":
        modals.clear(space, user)
        return {"ok": True, "response_action": "clear"}
    if action not in ("update", "push"):
        raise SlackError("invalid_response_action", f"unknown response_action: {action}")
    new = answer.get("view")
    if not isinstance(new, dict):
        raise SlackError("invalid_arguments", "missing required field: view")
    check_view(new, "modal")
    shown = (
        modals.push_for(space, user, new) if action == "push" else modals.update_view(space, view["id"], "", new, "")
    )
    return {"ok": True, "response_action": action, "view": shown}


def _errors(view: Json, errors: object) -> dict[str, str]:
    """Texts by block_id of input blocks; anything else is an answer that Slack's client cannot show."""
    if not isinstance(errors, dict) or not errors:
        raise SlackError("invalid_errors", "errors must be an object with texts by block_id")
    inputs = {block["block_id"] for block in view["blocks"] if block["type"] == "input"}
    unknown = [str(name) for name in errors if name not in inputs]
    if unknown:
        raise SlackError("invalid_errors", f"no input block has the block_id {', '.join(unknown)}")
    if not all(isinstance(text, str) and text for text in errors.values()):
        raise SlackError("invalid_errors", "each error must be a text")
    return dict(errors)
