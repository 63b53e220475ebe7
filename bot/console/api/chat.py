"""chat.*: posting, editing and removing messages. Knows who may do so; messages.py does it."""

from bot.console import growing, messages
from bot.console.api.registry import method
from bot.console.blocks import block_problems
from bot.console.drafts import content, signature
from bot.console.limits import limit
from bot.console.store import Row
from bot.console.view_rules import view_problems
from bot.console.wire import Args, Json, SlackError
from bot.console.workspace import Workspace

WRITE = ("chat:write",)
CONTENT_ERRORS = (
    "no_text",
    "invalid_blocks",
    "invalid_blocks_format",
    "msg_blocks_too_long",
    "invalid_attachments",
    "too_many_attachments",
    "invalid_metadata_format",
    "metadata_too_large",
    "markdown_text_conflict",
    "msg_too_long",
)


@method("chat.postMessage", scopes=WRITE, errors=("channel_not_found", "not_in_channel", *CONTENT_ERRORS))
def chat_post_message(space: Workspace, args: Args) -> Json:
    """Post in a channel, a thread or a person's direct message."""
    channel = _writable(space, space.channel_for(args.need("channel")))
    body = {**signature(space, args), **content(space, args)}
    message = messages.post(
        space,
        messages.Draft(
            channel=channel,
            author=space.who.bot_user,
            body=body,
            thread_ts=args.text("thread_ts") or None,
            broadcast=args.flag("reply_broadcast"),
            raw=args.values,
        ),
    )
    clear_status(space, channel["id"], message.get("thread_ts"))
    return {"channel": channel["id"], "ts": message["ts"], "message": message}


@method("chat.postEphemeral", scopes=WRITE, errors=("user_not_in_channel", "not_in_channel", *CONTENT_ERRORS))
def chat_post_ephemeral(space: Workspace, args: Args) -> Json:
    """Show a message to one person only."""
    channel = _writable(space, space.channel_for(args.need("channel")))
    user = args.need("user")
    if not space.store.is_member(channel["id"], user):
        raise SlackError("user_not_in_channel")
    message = messages.post(
        space,
        messages.Draft(
            channel=channel,
            author=space.who.bot_user,
            body={**signature(space, args), **content(space, args)},
            thread_ts=args.text("thread_ts") or None,
            viewer=user,
            raw=args.values,
        ),
    )
    return {"message_ts": message["ts"]}


@method("chat.update", scopes=WRITE, errors=("message_not_found", "cant_update_message", *CONTENT_ERRORS))
def chat_update(space: Workspace, args: Args) -> Json:
    """Replace what one of the app's messages says; text without blocks removes the blocks."""
    channel = space.channel(args.need("channel"))
    row = own_message(space, channel["id"], args.need("ts"), "cant_update_message")
    row = growing.settled(space, row)
    if growing.is_growing(row):
        raise SlackError("streaming_state_conflict")
    if len(args.text("text")) > limit("message.text_update"):
        raise SlackError("msg_too_long")
    fresh = content(space, args)
    kept = {key: value for key, value in row.body.items() if key not in ("text", "blocks", "attachments")}
    body = {**kept, **fresh}
    if not fresh.get("blocks"):
        body["edited"] = {"user": space.who.bot_user, "ts": space.clock.ts()}
    if body.get("metadata") == {}:
        del body["metadata"]
    message = messages.edit(space, row._replace(body=row.body), body, args.values)
    if args.flag("reply_broadcast") and row.root:
        space.store.set_broadcast(row.channel, row.ts)
    return {"channel": channel["id"], "ts": row.ts, "text": message["text"], "message": message}


@method("chat.delete", scopes=WRITE, errors=("channel_not_found", "message_not_found", "cant_delete_message"))
def chat_delete(space: Workspace, args: Args) -> Json:
    """Remove one of the app's messages."""
    channel = space.channel(args.need("channel"))
    row = own_message(space, channel["id"], args.need("ts"), "cant_delete_message")
    messages.remove(space, row)
    return {"channel": channel["id"], "ts": row.ts}


@method("chat.getPermalink", errors=("channel_not_found", "message_not_found"))
def chat_get_permalink(space: Workspace, args: Args) -> Json:
    """The address of a message on the page."""
    channel = space.channel(args.need("channel"))
    row = space.message(channel["id"], args.need("message_ts"))
    if row.viewer:
        raise SlackError("message_not_found")
    link = f"{space.settings.address}/archives/{channel['id']}/p{row.ts.replace('.', '')}"
    if row.root:
        link += f"?thread_ts={row.root}&cid={channel['id']}"
    return {"channel": channel["id"], "permalink": link}


@method("blocks.validate", errors=("invalid_blocks",))
def blocks_validate(space: Workspace, args: Args) -> Json:
    """Check blocks, a message or a view without showing them."""
    given = [name for name in ("blocks", "message", "view") if args.has(name)]
    if len(given) != 1:
        raise SlackError("invalid_arguments", "must provide exactly one of: blocks, message, view")
    if given == ["view"]:
        view = args.record("view") or {}
        problems = view_problems(view, str(view.get("type")))
    else:
        blocks = args.parsed("blocks", "invalid_blocks_format")
        if given == ["message"]:
            blocks = (args.record("message") or {}).get("blocks", [])
        problems = block_problems(blocks)
    if problems:
        raise SlackError("invalid_blocks", *problems)
    return {}


def own_message(space: Workspace, channel_id: str, ts: str, error: str) -> Row:
    """A message of the app itself. Raises message_not_found, or `error` for somebody else's."""
    row = space.message(channel_id, ts)
    if row.viewer or row.body.get("subtype") == "tombstone":
        raise SlackError("message_not_found")
    if row.body.get("bot_id") != space.who.bot_id:
        raise SlackError(error)
    return row


def clear_status(space: Workspace, channel_id: str, thread_ts: str | None) -> None:
    """A reply of the app ends the thread's status line, but not a session that it declared itself."""
    key = f"{channel_id}/{thread_ts}"
    if thread_ts and space.store.get("status", key):
        space.store.drop("status", key)
        messages.tell(space, channel_id, {"type": "status", "thread_ts": thread_ts, "status": ""})


def _writable(space: Workspace, channel: Json) -> Json:
    if not space.store.is_member(channel["id"], space.who.bot_user):
        raise SlackError("not_in_channel")
    if channel.get("is_archived"):
        raise SlackError("is_archived")
    return channel
