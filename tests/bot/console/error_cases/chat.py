"""Errors of chat.* and blocks.validate."""

from typing import Any

from bot.console.manifest import Manifest
from tests.bot.console.error_cases import Case, Json, World

POST, PRIVATE, ME, UPDATE = "chat.postMessage", "chat.postEphemeral", "chat.meMessage", "chat.update"
ASK: Json = {"channel": "C0ASK", "user": "U0ADA", "text": "x"}
BLOCK = {"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3000}}
BAD_CONTENT: dict[str, Json] = {
    "no_text": {"text": " "},
    "invalid_blocks": {"blocks": [{"type": "section"}]},
    "invalid_blocks_format": {"blocks": "{"},
    "msg_blocks_too_long": {"blocks": [BLOCK] * 5},
    "invalid_attachments": {"attachments": [{"blocks": [{"type": "section"}]}]},
    "too_many_attachments": {"attachments": [{"text": "x"}] * 101},
    "invalid_metadata_format": {"metadata": {"event_type": 1}},
    "metadata_too_large": {"metadata": {"event_type": "a", "event_payload": {"a": "x" * 8000}}},
    "markdown_text_conflict": {"markdown_text": "y"},
    "msg_too_long": {"text": None, "markdown_text": "y" * 12_001},
}


def archived(world: World) -> str:
    """A channel that was closed after something was said in it."""
    channel = world.channel()
    world.post(channel)
    world.slack.web.conversations_archive(channel=channel)
    return channel


def private(world: World) -> str:
    """A private channel in which only Ada is."""
    made = world.slack.act("create_channel", user="U0ADA", name=world.fresh(), private=True)
    return str(made["channel"]["id"])


def left(world: World) -> str:
    """A public channel that the app left."""
    return world.channel(joined=False)


def at(place: Any, **more: Any) -> Any:
    """Arguments for a channel that is made for the case."""
    return lambda world: {**ASK, "channel": place(world), **more}


def of_message(ts: Any, **more: Any) -> Any:
    """Arguments for a message that is made for the case."""
    return lambda world: {**ASK, "ts": ts(world), **more}


def closed_message(world: World) -> Json:
    """The app's own message in an archived channel."""
    channel = archived(world)
    rows = world.slack.space.store.history(channel)
    ts = next(row.ts for row in rows if row.body.get("bot_id"))
    return {**ASK, "channel": channel, "ts": ts}


def streaming(world: World) -> Json:
    """A message that still grows."""
    where = {"channel": "D0ADA", "thread_ts": world.message("D0ADA")}
    return {**ASK, "channel": "D0ADA", "ts": world.slack.web.chat_startStream(**where)["ts"]}


PLACES: dict[str, Any] = {
    "channel_not_found": at(lambda world: "C0NONE"),
    "not_in_channel": at(left),
    "is_archived": at(archived),
}
NO_TAB = Manifest(messages_tab=False)
CASES = [
    *(Case(method, error, given) for method in (POST, PRIVATE, ME) for error, given in PLACES.items()),
    *(Case(method, "channel_not_found", at(private)) for method in (POST, PRIVATE, ME, UPDATE)),
    *(Case(method, "messages_tab_disabled", {**ASK, "channel": "D0ADA"}, app=NO_TAB) for method in (POST, PRIVATE, ME)),
    *(Case(method, error, {**ASK, **bad}) for method in (POST, PRIVATE) for error, bad in BAD_CONTENT.items()),
    *(Case(UPDATE, error, of_message(World.post, **bad)) for error, bad in BAD_CONTENT.items()),
    *(Case(method, "thread_not_found", {**ASK, "thread_ts": "1.000001"}) for method in (POST, PRIVATE)),
    Case(POST, "missing_scope", {**ASK, "username": "Ann"}, app=Manifest(scopes=frozenset({"chat:write"}))),
    Case(PRIVATE, "user_not_in_channel", {**ASK, "user": "U0NOBODY"}),
    Case(PRIVATE, "msg_too_long", {**ASK, "text": "x" * 40_001}),
    Case(ME, "no_text", {**ASK, "text": " "}),
    Case(ME, "msg_too_long", {**ASK, "text": "x" * 40_001}),
    Case(UPDATE, "channel_not_found", {**ASK, "channel": "C0NONE", "ts": "1.000001"}),
    Case(UPDATE, "channel_not_found", {**ASK, "channel": "U0ADA", "ts": "1.000001"}),
    Case(UPDATE, "message_not_found", {**ASK, "ts": "1.000001"}),
    Case(UPDATE, "cant_update_message", of_message(World.message)),
    Case(UPDATE, "is_inactive", closed_message),
    Case(UPDATE, "streaming_state_conflict", streaming),
    Case(UPDATE, "cant_broadcast_message", of_message(World.post, reply_broadcast=True)),
    Case(UPDATE, "file_not_found", of_message(World.post, file_ids=["F0NONE"])),
    Case(UPDATE, "msg_too_long", of_message(World.post, text="x" * 4001)),
    Case("chat.delete", "channel_not_found", {"channel": "C0NONE", "ts": "1.000001"}),
    Case("chat.delete", "message_not_found", {"channel": "C0ASK", "ts": "1.000001"}),
    Case("chat.delete", "cant_delete_message", of_message(World.message)),
    Case("chat.getPermalink", "channel_not_found", {"channel": "C0NONE", "message_ts": "1.000001"}),
    Case("chat.getPermalink", "message_not_found", {"channel": "C0ASK", "message_ts": "1.000001"}),
    Case("blocks.validate", "invalid_blocks", {"blocks": [{"type": "section"}]}),
    Case("blocks.validate", "invalid_blocks_format", {"blocks": "{"}),
    Case("blocks.validate", "invalid_message", {"message": {"blocks": [{"type": "section"}]}}),
    Case("blocks.validate", "invalid_view", {"view": {"type": "modal", "blocks": []}}),
    Case("blocks.validate", "invalid_arguments", {}, "exactly one of"),
]
