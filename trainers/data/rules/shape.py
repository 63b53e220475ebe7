"""Rules about the turns of a row: who speaks, in which order, and whether something is said."""

from collections.abc import Iterator

from trainers.data.findings import Finding, block, lines_are, lines_have, warn
from trainers.data.jsonl import Row
from trainers.data.rules.sheet import Sheet

ROLES = frozenset(("system", "user", "assistant"))


def roles_known(sheet: Sheet) -> Iterator[Finding]:
    """Block roles that the chat template of a local model does not have."""
    lines = [row.line for row in sheet.rows if any(turn.role not in ROLES for turn in row.messages)]
    if lines:
        message = f"{lines_have(lines)} a role other than system, user and assistant."
        yield block(
            "unknown_role", lines, message, "Rename the role; `human` is user, `bot`, `gpt` and `model` are assistant."
        )


def roles_in_order(sheet: Sheet) -> Iterator[Finding]:
    """Block rows whose turns do not alternate: many chat templates refuse them or merge them silently."""
    lines = [row.line for row in sheet.rows if not _alternates(row)]
    if lines:
        message = f"{lines_have(lines)} turns in an order that chat models don't know."
        fix = "At most one system message first, then user and assistant in turn, starting with user."
        yield block("role_order", lines, message, fix)


def _alternates(row: Row) -> bool:
    roles = [turn.role for turn in row.messages if turn.role in ROLES]
    if roles[:1] == ["system"]:
        roles = roles[1:]
    return bool(roles) and all(role == ("user", "assistant")[place % 2] for place, role in enumerate(roles))


def ends_with_assistant(sheet: Sheet) -> Iterator[Finding]:
    """Block rows without an answer to learn."""
    lines = [row.line for row in sheet.rows if row.messages[-1].role in ROLES - {"assistant"}]
    if lines:
        message = f"{lines_have(lines)} no assistant answer at the end, so there is nothing to learn from."
        yield block("last_not_assistant", lines, message, "Add the ideal answer as the last message, role assistant.")


def target_given(sheet: Sheet) -> Iterator[Finding]:
    """Block assistant turns without text: the model would learn to say nothing."""
    lines = [
        row.line
        for row in sheet.rows
        if any(turn.role == "assistant" and not turn.content.strip() for turn in row.messages)
    ]
    if lines:
        message = f"{lines_have(lines)} an empty assistant answer."
        yield block("empty_target", lines, message, "Write the ideal answer, or drop the row.")


def input_given(sheet: Sheet) -> Iterator[Finding]:
    """Warn about user turns without text."""
    lines = [
        row.line for row in sheet.rows if any(turn.role == "user" and not turn.content.strip() for turn in row.messages)
    ]
    if lines:
        message = f"{lines_are(lines)} without a question: the user's message is empty."
        yield warn("empty_input", lines, message, "Fill it in, or drop the row.")
