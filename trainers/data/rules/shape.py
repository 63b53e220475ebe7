"""Rules about the turns of a row: who speaks, in which order, and whether something is said."""

from typing import Any

from trainers.data.findings import block, lines_are, lines_have, warn
from trainers.data.formats.pictures import pictures
from trainers.data.formats.vertex import only_vertex
from trainers.data.limits import TargetLimits
from trainers.data.rules.prose import is_blank
from trainers.data.rules.view import Check, View

_PROMPTING = frozenset(("system", "developer"))
_TOOLS = frozenset(("tool", "function"))


def _unknown_role(view: View, limits: TargetLimits) -> bool:
    return any(turn.role not in limits.roles for turn in view.row.messages)


def _wrong_order(view: View, limits: TargetLimits) -> bool:
    """Tell turns that do not alternate: many chat templates refuse them or merge them silently."""
    turns = [turn for turn in view.value["messages"] if turn["role"] in limits.roles]
    if turns and turns[0]["role"] in _PROMPTING:
        turns = turns[1:]
    before, calls, showing = "", False, False
    for turn in turns:
        role = turn["role"]
        if role in _TOOLS:
            fits = calls
        elif role == "user":
            # OpenAI's own example puts a picture into a message of its own, behind the question.
            shows, showed = showing, "parts" in turn
            showing = showed
            fits = (before in ("", "assistant") or (before == "user" and (shows or showed))) and not calls
        else:
            fits = role == "assistant" and (before in ("user", *_TOOLS))
            calls = bool(turn.get("tool_calls") or turn.get("function_call"))
        if not fits:
            return True
        before = role
    return not turns


def _unanswered_call(view: View, _: TargetLimits) -> bool:
    """Tell tool answers that belong to no call, and calls before another turn that no tool has answered."""
    called: set[object] = set()
    waiting: set[object] = set()
    for turn in view.value["messages"]:
        if turn["role"] != "tool" and waiting:
            return True
        ids = {call.get("id") for call in turn.get("tool_calls", ())}
        called |= ids
        waiting |= ids - {None}
        if turn["role"] == "tool":
            if turn.get("tool_call_id") not in called:
                return True
            waiting.discard(turn.get("tool_call_id"))
    return False


def _picture_out_of_place(view: View, limits: TargetLimits) -> bool:
    shown = [turn for turn in view.value["messages"] if any(pictures(turn))]
    shown += [turn for turn in view.value.get("rejected", ()) if any(pictures(turn))]
    return any(turn["role"] != "user" or not limits.pictures for turn in shown)


def _picture_in_another_form(view: View, limits: TargetLimits) -> bool:
    """Tell pictures by address where bytes are wanted, or the other way round, and more of them than are taken."""
    urls = [url for turn in view.value["messages"] for url in pictures(turn)]
    kinds = {"inside" if url.startswith("data:") else "address" for url in urls}
    return bool(limits.pictures) and (bool(kinds - limits.pictures) or len(urls) > limits.row_pictures)


def _calls_a_tool(view: View, limits: TargetLimits) -> bool:
    """Tell calls of tools where the target reads texts only: what is called would be lost."""
    calling = any(turn.get("tool_calls") or turn.get("function_call") for turn in view.value["messages"])
    return calling and not limits.tools


def _in_vertex_form(view: View, limits: TargetLimits) -> bool:
    """Tell files and functions in Vertex's own form where rows are read as chats: they are not rewritten."""
    return "chat" in limits.formats and only_vertex(view.value)


def _no_answer_last(view: View, limits: TargetLimits) -> bool:
    last = [view.row.messages[-1].role, *(turn["role"] for turn in view.value.get("rejected", ())[-1:])]
    return any(role in limits.roles and role != "assistant" for role in last)


def _empty_target(view: View, _: TargetLimits) -> bool:
    answers = [turn for turn in view.row.messages if turn.role == "assistant"]
    worse = view.value.get("rejected", ())
    return any(is_blank(turn.content) for turn in answers) or any(
        turn["role"] == "assistant" and is_blank(turn["content"]) and not turn.get("tool_calls") for turn in worse
    )


def _empty_input(view: View, _: TargetLimits) -> bool:
    return any(turn.role == "user" and is_blank(turn.content) for turn in view.row.messages)


def _same_answers(view: View, _: TargetLimits) -> bool:
    rejected: list[dict[str, Any]] = view.value.get("rejected", [])
    return bool(rejected) and rejected[-1]["content"].strip() == view.row.target.strip()


CHECKS = (
    Check(
        code="unknown_role",
        speak=block,
        holds=_unknown_role,
        opening=lines_have,
        what="a role other than {roles}.",
        fix="Rename the role; `human` is user, `bot`, `gpt` and `model` are assistant.",
    ),
    Check(
        code="role_order",
        speak=block,
        holds=_wrong_order,
        opening=lines_have,
        what="turns in an order that chat models don't know.",
        fix="At most one system message first, then user and assistant in turn, starting with user.",
    ),
    Check(
        code="tool_order",
        speak=block,
        holds=_unanswered_call,
        opening=lines_have,
        what="a tool's answer to a call that nobody made, or a call that no tool answers.",
        fix="Answer each call with its `tool_call_id` before the next turn, or drop the row.",
    ),
    Check(
        code="format_mismatch",
        speak=block,
        holds=_calls_a_tool,
        opening=lines_have,
        what="a tool call, which {target} does not read.",
        fix="Write the answer as text, or choose a target that trains on tool calls.",
    ),
    Check(
        code="not_text",
        speak=block,
        holds=_picture_out_of_place,
        opening=lines_have,
        what="a picture where {target} reads texts only.",
        fix="Say in words what it shows, or choose a target that trains on pictures, in the user's messages.",
    ),
    Check(
        code="format_mismatch",
        speak=block,
        holds=_picture_in_another_form,
        opening=lines_have,
        what="pictures in a form that {target} does not take, or too many of them.",
        fix="{pictures}",
    ),
    Check(
        code="format_mismatch",
        speak=block,
        holds=_in_vertex_form,
        opening=lines_have,
        what="a file or functions in Vertex's own form, which is read for Vertex alone.",
        fix="Write calls as `tool_calls` and pictures as `image_url`, as OpenAI does, or lint it for vertex.",
    ),
    Check(
        code="last_not_assistant",
        speak=block,
        holds=_no_answer_last,
        opening=lines_have,
        what="no assistant answer at the end, so there is nothing to learn from.",
        fix="Add the ideal answer as the last message, role assistant.",
    ),
    Check(
        code="empty_target",
        speak=block,
        holds=_empty_target,
        opening=lines_have,
        what="an empty assistant answer.",
        fix="Write the ideal answer, or drop the row.",
    ),
    Check(
        code="empty_input",
        speak=warn,
        holds=_empty_input,
        opening=lines_are,
        what="without a question: the user's message is empty.",
        fix="Fill it in, or drop the row.",
    ),
    Check(
        code="same_preference",
        speak=warn,
        holds=_same_answers,
        opening=lines_have,
        what="the same text as the better and the worse answer, so there is nothing to prefer.",
        fix="Make one of them worse, or drop the row.",
    ),
)
