"""What Slack accepts as a modal or a Home view. Knows their limits and words problems; opens nothing."""

import json

from bot.console.block_rules import too_deep
from bot.console.blocks import block_problems
from bot.console.elements import plain
from bot.console.limits import limit
from bot.console.schema import anything, boolean, choice, problem, record, string
from bot.console.wire import Json, SlackError

V = "view."
SHARED = {
    "private_metadata": string(limit(V + "private_metadata"), least=0),
    "callback_id": string(limit(V + "callback_id"), least=0),
    "external_id": string(limit(V + "external_id"), least=0),
}
# `submit_disabled` belongs to views of workflow steps: Slack calls it an invalid additional property in modals.
MODAL = record(
    {"type": choice("modal"), "title": plain(limit(V + "title")), "blocks": anything},
    {
        **SHARED,
        "close": plain(limit(V + "title")),
        "submit": plain(limit(V + "title")),
        "clear_on_close": boolean,
        "notify_on_close": boolean,
    },
)
HOME = record({"type": choice("home"), "blocks": anything}, SHARED)


def check_view(view: Json, kind: str) -> None:
    """Raise invalid_arguments or view_too_large unless Slack would take this view; kind is `modal` or `home`."""
    if not too_deep(view) and len(json.dumps(view)) > limit(V + "bytes"):
        raise SlackError("view_too_large")
    problems = view_problems(view, kind)
    if problems:
        raise SlackError("invalid_arguments", *problems)


def view_problems(view: Json, kind: str) -> list[str]:
    """Everything that Slack would object to, each with its JSON pointer."""
    if too_deep(view):
        return [problem("failed to match all allowed schemas", "/view")]
    if "type" in view and view["type"] not in ("modal", "home"):
        return [problem(f"unsupported type: {view['type']}", "/view/type")]
    if "type" in view and view["type"] != kind:
        return [problem(f"must be of type {kind}", "/view/type")]
    problems = list((MODAL if kind == "modal" else HOME)(view, "/view"))
    if "blocks" in view:
        problems += block_problems(view["blocks"], kind, "/view/blocks")
    if any("[json-pointer:/view" in text for text in problems):
        problems.insert(0, problem("failed to match all allowed schemas", "/view"))
    if not problems and kind == "modal" and "submit" not in view:
        wording = "must define `submit` to use an `input` block in modals"
        inputs = [place for place, block in enumerate(view["blocks"]) if block["type"] == "input"]
        problems += [problem(wording, f"/view/blocks/{place}/input") for place in inputs]
    return problems
