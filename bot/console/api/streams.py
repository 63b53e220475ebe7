"""chat.startStream, appendStream, stopStream: messages that grow. Knows who may stream where; chunks.py adds."""

from bot.console import chunks, growing, messages, sessions
from bot.console.api.access import need_open
from bot.console.api.chat import clear_status, own_message
from bot.console.api.registry import method
from bot.console.drafts import checked_blocks, checked_metadata, signature
from bot.console.schema import problem
from bot.console.store import Row
from bot.console.wire import Args, Json, SlackError
from bot.console.workspace import Workspace

WRITE = ("chat:write",)
MODES = ("timeline", "plan", "dense")
CHUNK_ERRORS = ("channel_not_found", "invalid_chunks", "msg_too_long", "invalid_blocks", "msg_blocks_too_many")
GROWING_ERRORS = ("message_not_found", "message_not_in_streaming_state", "message_not_owned_by_app", *CHUNK_ERRORS)
START_ERRORS = (
    "not_in_channel",
    "is_archived",
    "messages_tab_disabled",
    "invalid_thread_ts",
    "missing_recipient_user_id",
    "missing_recipient_team_id",
    "user_not_found",
)
CLOSING_ERRORS = ("invalid_blocks_format", "msg_blocks_too_long", "invalid_metadata_format", "metadata_too_large")


@method("chat.startStream", scopes=WRITE, errors=(*START_ERRORS, *CHUNK_ERRORS), tier="tier_2")
def start_stream(space: Workspace, args: Args) -> Json:
    """Begin a message that grows, in a thread."""
    channel = _place(space, args)
    root = _root(space, channel, args)
    _check_recipient(space, channel, args)
    mode = args.text("task_display_mode") or MODES[0]
    if mode not in MODES:
        raise SlackError("invalid_arguments", problem(f"must be one of: {', '.join(MODES)}", "/task_display_mode"))
    state = {"streaming_state": "in_progress", "_stream_started": space.clock.now()}
    body = {**signature(space, args), **chunks.grown(chunks.empty(mode), _given(args)), **state}
    draft = messages.Draft(channel=channel, author=space.who.bot_user, body=body, thread_ts=root, raw=args.values)
    message = messages.post(space, draft)
    clear_status(space, channel["id"], root)
    sessions.set_session(space, channel["id"], root, "processing")
    return {"channel": channel["id"], "ts": message["ts"]}


@method("chat.appendStream", scopes=WRITE, errors=(*GROWING_ERRORS, "stopped_by_user", "no_text"), tier="tier_4")
def append_stream(space: Workspace, args: Args) -> Json:
    """Add text or chunks to a growing message."""
    row = _own_stream(space, args)
    if row.body.get("_stopped_by_user"):
        raise SlackError("stopped_by_user")
    if not growing.is_growing(row):
        raise SlackError("message_not_in_streaming_state")
    added = _given(args)
    if not added:
        raise SlackError("no_text")
    growing.repaint(space, row, chunks.grown(row.body, added))
    return {"channel": row.channel, "ts": row.ts}


@method("chat.stopStream", scopes=WRITE, errors=(*GROWING_ERRORS, *CLOSING_ERRORS), tier="tier_2")
def stop_stream(space: Workspace, args: Args) -> Json:
    """End a growing message, with closing blocks where given; once more after a person stopped it."""
    row = _own_stream(space, args)
    if not growing.is_growing(row) and not row.body.get("_stopped_by_user"):
        raise SlackError("message_not_in_streaming_state")
    status = args.text("session_status") or "active"
    sessions.check_status(status, "/session_status")
    body = chunks.grown(row.body, _given(args))
    body["blocks"] = [*body["blocks"], *(checked_blocks(space, args) or [])]
    body.update({"metadata": checked_metadata(args)} if args.has("metadata") else {})
    body["streaming_state"] = "completed"
    body.pop("_stopped_by_user", None)
    message = messages.edit(space, row, body)
    if row.root:
        sessions.set_session(space, row.channel, row.root, status)
    return {"channel": row.channel, "ts": row.ts, "message": message}


def _place(space: Workspace, args: Args) -> Json:
    channel = space.channel(args.need("channel"))
    if not space.store.is_member(channel["id"], space.who.bot_user):
        raise SlackError("not_in_channel")
    need_open(channel)
    if channel.get("is_im") and not space.settings.manifest.messages_tab:
        raise SlackError("messages_tab_disabled")
    return channel


def _root(space: Workspace, channel: Json, args: Args) -> str:
    try:
        root = messages.thread_root(space, channel["id"], args.text("thread_ts"))
    except SlackError:
        root = None
    if root is None:
        raise SlackError("invalid_thread_ts")
    return root


def _check_recipient(space: Workspace, channel: Json, args: Args) -> None:
    """In a channel somebody must be named for whom the stream is; in a direct message that is clear."""
    if channel.get("is_im"):
        return
    for name in ("recipient_user_id", "recipient_team_id"):
        if not args.text(name):
            raise SlackError(f"missing_{name}")
    if args.text("recipient_team_id") != space.who.team_id:
        raise SlackError("user_not_found")
    space.user(args.text("recipient_user_id"))


def _own_stream(space: Workspace, args: Args) -> Row:
    channel = space.channel(args.need("channel"))
    row = own_message(space, channel["id"], args.need("ts"), "message_not_owned_by_app")
    return growing.settled(space, row)


def _given(args: Args) -> list[Json]:
    """All chunks of a call; `markdown_text` stands for one of text."""
    given = args.records("chunks", "invalid_chunks") or []
    if args.text("markdown_text"):
        return [{"type": "markdown_text", "text": args.text("markdown_text")}, *given]
    return given
