"""Errors of the conversations.* that read."""

from typing import Any

from bot.console.manifest import Manifest
from tests.bot.console.error_cases import Case, Json
from tests.bot.console.error_cases.chat import left, private

LIST, INFO, MEMBERS = "conversations.list", "conversations.info", "conversations.members"
HISTORY, REPLIES = "conversations.history", "conversations.replies"
PUBLIC_ONLY = Manifest(scopes=frozenset({"channels:read", "channels:history"}))


def at(place: Any) -> Any:
    """Arguments for a channel that is made for the case."""
    return lambda world: {"channel": place(world), "ts": "1.000001"}


def in_thread(**more: Any) -> Any:
    """Arguments for a thread of its own."""
    return lambda world: {"channel": "C0ASK", "ts": world.message(), **more}


WRONG: dict[str, Json] = {
    "invalid_cursor": {"cursor": "bmV4dDox"},
    "invalid_limit": {"limit": -1},
    "invalid_ts_latest": {"latest": "now"},
    "invalid_ts_oldest": {"oldest": "1.2.3"},
}
PAGED = ("invalid_cursor", "invalid_limit")
CASES = [
    Case(LIST, "invalid_types", {"types": "public_channel,secret"}),
    Case(LIST, "missing_scope", {"types": "public_channel,private_channel"}, app=PUBLIC_ONLY),
    *(Case(name, error, {"channel": "C0ASK", **WRONG[error]}) for name in (LIST, MEMBERS) for error in PAGED),
    *(Case(name, "channel_not_found", at(lambda world: "C0NONE")) for name in (INFO, MEMBERS, HISTORY, REPLIES)),
    *(Case(name, "channel_not_found", at(private)) for name in (INFO, MEMBERS, HISTORY, REPLIES)),
    *(Case(name, "not_in_channel", at(left)) for name in (HISTORY, REPLIES)),
    *(Case(name, "missing_scope", {"channel": "D0ADA", "ts": "1.000001"}, app=PUBLIC_ONLY) for name in (INFO, HISTORY)),
    *(Case(HISTORY, error, {"channel": "C0ASK", **wrong}) for error, wrong in WRONG.items()),
    *(Case(REPLIES, error, in_thread(**wrong)) for error, wrong in WRONG.items()),
    Case(REPLIES, "thread_not_found", {"channel": "C0ASK", "ts": "1.000001"}),
]
