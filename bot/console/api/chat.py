"""chat.*: posting, editing and removing messages. Knows who may do so; messages.py does it."""

from bot.console import growing, messages
from bot.console.api.access import ids, seen, writable
from bot.console.api.registry import method
from bot.console.block_issues import issues
from bot.console.blocks import block_problems
from bot.console.drafts import clean, content, signature
from bot.console.files import find
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
PLACE_ERRORS = ("channel_not_found", "not_in_channel", "is_archived", "messages_tab_disabled")
POST_ERRORS = (*PLACE_ERRORS, "thread_not_found", *CONTENT_ERRORS)


@method("chat.postMessage", scopes=WRITE, errors=POST_ERRORS, tier="posts_in_channel")
def chat_post_message(space: Workspace, args: Args) -> Json:
    """Post in a channel, a thread or a person's direct message."""
    message = post(space, place(space, args), args)
    return {"channel": message.pop("channel"), "ts": message["ts"], "message": message}


@method("chat.postEphemeral", scopes=WRITE, errors=("user_not_in_channel", *POST_ERRORS), tier="tier_4")
def chat_post_ephemeral(space: Workspace, args: Args) -> Json:
    """Show a message to one person only."""
    channel = place(space, args)
    user = args.need("user")
    if not space.store.is_member(channel["id"], user):
        raise SlackError("user_not_in_channel")
    if len(args.text("text")) > limit("message.text_kept"):
        raise SlackError("msg_too_long")
    shown = post(space, channel, args, viewer=user)
    thread = shown.get("thread_ts")
    if thread and not space.store.threads(channel["id"], [thread]):
        # "Ephemeral messages in threads are only shown if there is already an active thread."
        messages.remove(space, space.message(channel["id"], shown["ts"]))
    return {"message_ts": shown["ts"]}


@method("chat.meMessage", scopes=WRITE, errors=(*PLACE_ERRORS, "no_text", "msg_too_long"))
def chat_me_message(space: Workspace, args: Args) -> Json:
    """Say what the app does, as people do with /me."""
    channel = place(space, args)
    text = args.need("text")
    if not text.strip():
        raise SlackError("no_text")
    if len(text) > limit("message.text_kept"):
        raise SlackError("msg_too_long")
    body = {**signature(space, Args({})), "subtype": "me_message", "text": clean(text)}
    draft = messages.Draft(channel=channel, author=space.who.bot_user, body=body, raw=args.values)
    return {"channel": channel["id"], "ts": messages.post(space, draft)["ts"]}


@method(
    "chat.update",
    scopes=WRITE,
    errors=(
        *("channel_not_found", "message_not_found", "cant_update_message", "is_inactive", "streaming_state_conflict"),
        *("cant_broadcast_message", "file_not_found", *CONTENT_ERRORS),
    ),
)
def chat_update(space: Workspace, args: Args) -> Json:
    """Replace what one of the app's messages says; text without blocks removes the blocks."""
    channel = seen(space, space.channel(args.need("channel")))
    row = own_message(space, channel["id"], args.need("ts"), "cant_update_message")
    if channel.get("is_archived"):
        raise SlackError("is_inactive")
    row = growing.settled(space, row)
    if growing.is_growing(row):
        raise SlackError("streaming_state_conflict")
    if args.flag("reply_broadcast"):
        row = _broadcast(space, row)
    message = messages.edit(space, row, _updated(space, args, row), args.values)
    return {"channel": channel["id"], "ts": row.ts, "text": message["text"], "message": message}


@method("chat.delete", scopes=WRITE, errors=("channel_not_found", "message_not_found", "cant_delete_message"))
def chat_delete(space: Workspace, args: Args) -> Json:
    """Remove one of the app's messages."""
    channel = seen(space, space.channel(args.need("channel")))
    row = own_message(space, channel["id"], args.need("ts"), "cant_delete_message")
    messages.remove(space, row)
    return {"channel": channel["id"], "ts": row.ts}


@method("chat.getPermalink", errors=("channel_not_found", "message_not_found"), tier="special_600")
def chat_get_permalink(space: Workspace, args: Args) -> Json:
    """The address of a message on the page."""
    channel = seen(space, space.channel(args.need("channel")))
    row = space.message(channel["id"], args.need("message_ts"))
    if row.viewer:
        raise SlackError("message_not_found")
    return {"channel": channel["id"], "permalink": messages.permalink(space, row)}


@method("blocks.validate", errors=("invalid_blocks", "invalid_blocks_format", "invalid_message", "invalid_view"))
def blocks_validate(space: Workspace, args: Args) -> Json:
    """Check blocks, a message or a view without showing them."""
    given = [name for name in ("blocks", "message", "view") if args.has(name)]
    if len(given) != 1:
        raise SlackError("invalid_arguments", "must provide exactly one of `blocks`, `view`, or `message`")
    if given == ["view"]:
        view = args.record("view") or {}
        problems, root = view_problems(view, str(view.get("type"))), "/view"
    elif given == ["message"]:
        problems, root = block_problems((args.record("message") or {}).get("blocks", [])), ""
    else:
        problems, root = block_problems(args.parsed("blocks", "invalid_blocks_format")), "/blocks"
    if problems:
        raise SlackError(f"invalid_{given[0]}", errors=issues(problems, root))
    return {}


def place(space: Workspace, args: Args) -> Json:
    """Where `channel` says that the app wants to post: an id, a name, or a person whose direct message it is."""
    channel = writable(space, space.channel_for(args.need("channel")))
    if channel.get("is_im") and not space.settings.manifest.messages_tab:
        raise SlackError("messages_tab_disabled")
    return channel


def post(space: Workspace, channel: Json, args: Args, *, viewer: str | None = None) -> Json:
    """Post what the app sends; gives the message with its `channel`. Raises the errors of content and thread."""
    draft = messages.Draft(
        channel=channel,
        author=space.who.bot_user,
        body={**signature(space, args), **content(space, args)},
        thread_ts=args.text("thread_ts") or None,
        broadcast=args.flag("reply_broadcast"),
        viewer=viewer,
        raw=args.values,
    )
    message = messages.post(space, draft)
    if viewer is None:
        space.store.drop("closed", channel["id"])
        clear_status(space, channel["id"], message.get("thread_ts"))
    return {**message, "channel": channel["id"]}


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


def _updated(space: Workspace, args: Args, row: Row) -> Json:
    """The new body: what is said anew, and of the old one who said it and, where not named, the metadata."""
    if len(args.text("text")) > limit("message.text_update"):
        raise SlackError("msg_too_long")
    fresh = content(space, args)
    kept = {key: value for key, value in row.body.items() if key not in ("text", "blocks", "attachments", "mrkdwn")}
    body = {**kept, **fresh}
    if args.has("file_ids"):
        body["file_ids"] = [find(space, file_id)["id"] for file_id in ids(args, "file_ids")]
    if not fresh.get("blocks"):
        body["edited"] = {"user": space.who.bot_user, "ts": space.clock.ts()}
    if body.get("metadata") == {}:
        del body["metadata"]
    return body


def _broadcast(space: Workspace, row: Row) -> Row:
    """Show a reply in the channel too. Raises cant_broadcast_message."""
    if not row.root:
        raise SlackError("cant_broadcast_message")
    space.store.set_broadcast(row.channel, row.ts)
    return row._replace(body={**row.body, "subtype": "thread_broadcast"})
