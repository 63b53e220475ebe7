"""Errors of assistant.threads.* and agents.sessions.*."""

from typing import Any

from bot.console.manifest import Manifest
from tests.bot.console.error_cases import Case, Json, World

STATUS = "assistant.threads.setStatus"
PROMPTS = "assistant.threads.setSuggestedPrompts"
SET, RENAME = "agents.sessions.setStatus", "agents.sessions.rename"


def in_a_thread(**more: Any) -> Any:
    """Arguments that name a new thread in Ada's direct message."""
    return lambda world: {"channel_id": "D0ADA", "thread_ts": world.message("D0ADA"), **more}


WHERE = ("assistant.threads.setStatus", PROMPTS, "assistant.threads.setTitle", SET, RENAME)
REST: Json = {"thread_ts": "1.000001", "status": "active", "title": "t", "prompts": []}
NOT_CUSTOM = Manifest(scopes=frozenset({"chat:write", "channels:manage"}))
PROMPT = {"title": "t", "message": "m"}


def left(world: World) -> Json:
    """A thread of a channel that the app left."""
    return {**REST, "channel_id": world.channel(joined=False)}


CASES = [
    *(Case(name, "channel_not_found", {**REST, "channel_id": "C0NONE"}) for name in WHERE),
    *(Case(name, "channel_not_found", left) for name in WHERE),
    *(Case(name, "invalid_thread_ts", {**REST, "channel_id": "D0ADA"}) for name in WHERE),
    Case(STATUS, "invalid_arguments", in_a_thread(), "missing required field: status"),
    Case(STATUS, "invalid_arguments", in_a_thread(status="s", loading_messages=["x"] * 11), "/loading_messages"),
    Case(STATUS, "reserved_username", in_a_thread(status="s", username="Slackbot")),
    Case(STATUS, "missing_scope", in_a_thread(status="s", username="Ann"), app=NOT_CUSTOM),
    Case(PROMPTS, "invalid_arguments", in_a_thread(prompts=[PROMPT] * 5), "no more than 4 items"),
    Case(PROMPTS, "invalid_arguments", in_a_thread(prompts=[{"title": "t"}]), "missing required field: message"),
    Case(
        PROMPTS,
        "invalid_arguments",
        {"channel_id": "D0ADA", "prompts": [PROMPT]},
        "thread_ts",
        Manifest(kind="assistant"),
    ),
    Case(SET, "invalid_arguments", in_a_thread(status="busy"), "processing, active, suspended, closed"),
    Case(SET, "invalid_arguments", in_a_thread(status="active", title="t" * 201), "/title"),
    Case(SET, "user_not_in_channel", in_a_thread(status="active", initiator_user_id="U0BEN")),
    Case(SET, "missing_scope", in_a_thread(status="active", icon_emoji=":owl:"), app=NOT_CUSTOM),
    Case(RENAME, "session_not_found", in_a_thread(title="t")),
    Case(RENAME, "invalid_arguments", in_a_thread(title=""), "/title"),
    Case(RENAME, "invalid_arguments", in_a_thread(title="t" * 201), "/title"),
]
