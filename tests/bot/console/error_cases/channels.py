"""Errors of conversations.create, rename, archive, setTopic and their like."""

from typing import Any

from bot.console.manifest import Manifest
from tests.bot.console.error_cases import Case, Json, World
from tests.bot.console.error_cases.chat import archived, left, private

CREATE, RENAME = "conversations.create", "conversations.rename"
ARCHIVE, REOPEN = "conversations.archive", "conversations.unarchive"
TOPIC, PURPOSE, MARK = "conversations.setTopic", "conversations.setPurpose", "conversations.mark"
KIND = "method_not_supported_for_channel_type"
NAMES = {
    "invalid_name_required": "",
    "invalid_name_maxlength": "x" * 81,
    "invalid_name_punctuation": "-_-",
    "invalid_name_specials": "a b",
    "name_taken": "general",
}
REST: Json = {"name": "new-name", "topic": "x", "purpose": "x", "ts": "1.000001"}
MEMBERSHIP = (RENAME, ARCHIVE, TOPIC, PURPOSE, MARK)


def at(place: Any, **more: Any) -> Any:
    """Arguments for a channel that is made for the case."""
    return lambda world: {**REST, "channel": place(world), **more}


CASES = [
    *(Case(CREATE, error, {"name": name}) for error, name in NAMES.items()),
    *(Case(RENAME, error, at(World.channel, name=name)) for error, name in NAMES.items()),
    Case(CREATE, "invalid_name_specials", {"name": "Upper"}),
    Case(
        CREATE, "missing_scope", {"name": "x", "is_private": True}, app=Manifest(scopes=frozenset({"channels:manage"}))
    ),
    *(Case(name, "channel_not_found", at(lambda world: "C0NONE")) for name in (*MEMBERSHIP, REOPEN)),
    *(Case(name, "channel_not_found", at(private)) for name in (*MEMBERSHIP, REOPEN)),
    *(Case(name, "not_in_channel", at(left)) for name in MEMBERSHIP),
    *(Case(name, KIND, at(lambda world: "D0ADA")) for name in (RENAME, ARCHIVE, REOPEN, TOPIC, PURPOSE)),
    *(Case(name, "is_archived", at(archived)) for name in (RENAME, TOPIC, PURPOSE)),
    Case(RENAME, "not_authorized", {**REST, "channel": "C0ASK"}),
    Case(ARCHIVE, "already_archived", at(archived)),
    Case(ARCHIVE, "cant_archive_general", {"channel": "C0GENERAL"}),
    Case(REOPEN, "not_archived", {"channel": "C0ASK"}),
    Case(TOPIC, "too_long", {"channel": "C0ASK", "topic": "x" * 251}),
    Case(PURPOSE, "too_long", {"channel": "C0ASK", "purpose": "x" * 251}),
    Case(TOPIC, "invalid_arguments", {"channel": "C0ASK"}, "missing required field: topic"),
    Case(MARK, "invalid_timestamp", {"channel": "C0ASK", "ts": "1.000001"}),
]
