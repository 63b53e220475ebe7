"""chat.startStream, appendStream, stopStream: messages that grow. Knows their five minutes and their chunks."""

from bot.console import messages
from bot.console.api.assistant import set_session
from bot.console.api.chat import clear_status, own_message
from bot.console.api.registry import method
from bot.console.blocks import block_problems, normalised
from bot.console.drafts import checked_blocks, clean, signature
from bot.console.limits import limit
from bot.console.store import Row
from bot.console.wire import Args, Json, SlackError
from bot.console.workspace import Workspace

WRITE = ("chat:write",)
TASK = ("title", "status", "details", "output", "sources")


@method("chat.startStream", scopes=WRITE, errors=("invalid_thread_ts", "missing_recipient_user_id"))
def start_stream(space: Workspace, args: Args) -> Json:
    """Begin a message that grows, in a thread."""
    channel = space.channel(args.need("channel"))
    if not space.store.is_member(channel["id"], space.who.bot_user):
        raise SlackError("not_in_channel")
    if not args.text("thread_ts"):
        raise SlackError("invalid_thread_ts")
    if not channel.get("is_im"):
        for name in ("recipient_user_id", "recipient_team_id"):
            if not args.text(name):
                raise SlackError(f"missing_{name}")
    state = {"streaming_state": "in_progress", "_stream_started": space.clock.now()}
    mode = args.text("task_display_mode") or "timeline"
    body = {**signature(space, args), "text": "", "blocks": [], **state, "_display_mode": mode}
    grown = _grown(body, args)
    draft = messages.Draft(
        channel=channel, author=space.who.bot_user, body=grown, thread_ts=args.text("thread_ts"), raw=args.values
    )
    message = messages.post(space, draft)
    clear_status(space, channel["id"], message.get("thread_ts"))
    set_session(space, channel["id"], message["thread_ts"], "processing")
    return {"channel": channel["id"], "ts": message["ts"]}


@method("chat.appendStream", scopes=WRITE, errors=("message_not_in_streaming_state", "message_not_owned_by_app"))
def append_stream(space: Workspace, args: Args) -> Json:
    """Add text or chunks to a growing message."""
    row = _streaming(space, args)
    if not args.text("markdown_text") and not args.has("chunks"):
        raise SlackError("no_text")
    _repaint(space, row, _grown(row.body, args))
    return {"channel": row.channel, "ts": row.ts}


@method("chat.stopStream", scopes=WRITE, errors=("message_not_in_streaming_state", "message_not_owned_by_app"))
def stop_stream(space: Workspace, args: Args) -> Json:
    """End a growing message, with closing blocks where given."""
    row = _streaming(space, args)
    body = _grown(row.body, args)
    body["blocks"] = [*body["blocks"], *(checked_blocks(space, args) or [])]
    metadata = args.record("metadata", "invalid_metadata_format")
    body.update({"metadata": metadata} if metadata else {})
    body["streaming_state"] = "completed"
    message = messages.edit(space, row, body)
    if row.root:
        set_session(space, row.channel, row.root, args.text("session_status") or "active")
    return {"channel": row.channel, "ts": row.ts, "message": message}


def _streaming(space: Workspace, args: Args) -> Row:
    channel = space.channel(args.need("channel"))
    row = own_message(space, channel["id"], args.need("ts"), "message_not_owned_by_app")
    body = row.body
    if body.get("streaming_state") != "in_progress":
        raise SlackError("message_not_in_streaming_state")
    if body["_stream_started"] + limit("stream.life_seconds") < space.clock.now():
        _repaint(space, row, {**body, "streaming_state": "errored"})
        raise SlackError("message_not_in_streaming_state")
    return row


def _repaint(space: Workspace, row: Row, body: Json) -> None:
    """Appended text reaches pages, but makes no events: Slack sends none while a message grows."""
    space.store.set_body(row.channel, row.ts, body)
    messages.repaint(space, row._replace(body=body))


def _grown(body: Json, args: Args) -> Json:
    """The body with the call's text and chunks added."""
    chunks = args.records("chunks") or []
    if args.text("markdown_text"):
        chunks = [{"type": "markdown_text", "text": args.text("markdown_text")}, *chunks]
    made = {**body, "blocks": list(body["blocks"])}
    for place, chunk in enumerate(chunks):
        add = ADD.get(str(chunk.get("type")))
        if add is None:
            raise SlackError("invalid_chunks", f"unsupported type: {chunk.get('type')} [json-pointer:/chunks/{place}]")
        add(made, chunk)
    return made


def _add_text(body: Json, chunk: Json) -> None:
    text = str(chunk.get("text", ""))
    if len(text) > limit("stream.markdown"):
        raise SlackError("msg_too_long")
    body["text"] += clean(text)
    last = body["blocks"][-1] if body["blocks"] else {}
    if last.get("type") == "markdown":
        body["blocks"][-1] = {**last, "text": last["text"] + text}
    else:
        body["blocks"] += normalised([{"type": "markdown", "text": text}])


def _add_task(body: Json, chunk: Json) -> None:
    """A task with a known id replaces its former state, wherever it stands."""
    facts = {
        name: _rich(chunk[name]) if name in ("details", "output") else chunk[name] for name in TASK if name in chunk
    }
    task = {"type": "task_card", "task_id": str(chunk.get("id", "")), **facts}
    if body["_display_mode"] == "plan":
        plan = _plan(body)
        plan["tasks"] = _merged(plan["tasks"], task)
    else:
        body["blocks"] = _merged(body["blocks"], task)


def _merged(blocks: list[Json], task: Json) -> list[Json]:
    for place, block in enumerate(blocks):
        if block.get("task_id") == task["task_id"]:
            return [*blocks[:place], {**block, **task}, *blocks[place + 1 :]]
    return [*blocks, *normalised([task])]


def _add_plan(body: Json, chunk: Json) -> None:
    _plan(body)["title"] = str(chunk.get("title", ""))


def _plan(body: Json) -> Json:
    """The message's plan, copied so that the stored body stays as it was."""
    for place, block in enumerate(body["blocks"]):
        if block["type"] == "plan":
            body["blocks"][place] = dict(block)
            found: Json = body["blocks"][place]
            return found
    made = normalised([{"type": "plan", "title": "", "tasks": []}])
    body["blocks"] += made
    return made[0]


def _add_blocks(body: Json, chunk: Json) -> None:
    problems = block_problems(chunk.get("blocks"))
    if problems:
        raise SlackError("invalid_blocks", *problems)
    body["blocks"] += normalised(chunk["blocks"])


def _rich(value: object) -> object:
    """Details may be sent as plain text; Slack shows them as rich text."""
    if not isinstance(value, str):
        return value
    line = {"type": "rich_text_section", "elements": [{"type": "text", "text": value}]}
    return {"type": "rich_text", "elements": [line]}


ADD = {"markdown_text": _add_text, "task_update": _add_task, "plan_update": _add_plan, "blocks": _add_blocks}
