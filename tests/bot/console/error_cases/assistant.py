"""Errors of assistant.threads.* and agents.sessions.*."""

from typing import Any

from tests.bot.console.error_cases import Case, Json

STATUS = "assistant.threads.setStatus"
PROMPTS = "assistant.threads.setSuggestedPrompts"


def in_a_thread(**more: Any) -> Any:
    """Arguments that name a new thread in Ada's direct message."""
    return lambda world: {"channel_id": "D0ADA", "thread_ts": world.message("D0ADA"), **more}


NOWHERE: Json = {"channel_id": "C0NONE", "thread_ts": "1.000001", "status": "s", "title": "t", "prompts": []}
NO_THREAD: Json = {**NOWHERE, "channel_id": "D0ADA"}

CASES = [
    Case(STATUS, "channel_not_found", NOWHERE),
    Case(STATUS, "thread_not_found", NO_THREAD),
    Case(STATUS, "invalid_arguments", in_a_thread(), "missing required field: status"),
    Case(STATUS, "invalid_arguments", in_a_thread(status="s", loading_messages=["x"] * 11), "/loading_messages"),
    Case(PROMPTS, "channel_not_found", NOWHERE),
    Case("assistant.threads.setTitle", "channel_not_found", NOWHERE),
    Case("assistant.threads.setTitle", "thread_not_found", NO_THREAD),
    Case("agents.sessions.setStatus", "channel_not_found", NOWHERE),
    Case("agents.sessions.rename", "channel_not_found", NOWHERE),
    Case("agents.sessions.rename", "session_not_found", in_a_thread(title="t")),
]
