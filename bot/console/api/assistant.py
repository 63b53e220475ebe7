"""assistant.threads.* and agents.sessions.*: status lines, prompts, titles and session states of threads."""

from bot.console import messages
from bot.console.api.registry import method
from bot.console.limits import limit
from bot.console.wire import Args, Json, SlackError, missing
from bot.console.workspace import Workspace

SCOPES = ("assistant:write", "chat:write")
STATES = ("processing", "active", "suspended", "closed")


@method("assistant.threads.setStatus", scopes=SCOPES, errors=("channel_not_found", "thread_not_found"))
def set_status(space: Workspace, args: Args) -> Json:
    """Show what the app is doing under a thread; an empty status removes it."""
    channel, thread_ts = _thread(space, args)
    if not args.has("status"):
        raise missing("status")
    loading = args.parsed("loading_messages") or []
    if not isinstance(loading, list):
        raise SlackError("invalid_arguments", "must provide an array [json-pointer:/loading_messages]")
    if len(loading) > limit("assistant.loading_messages"):
        most = limit("assistant.loading_messages")
        raise SlackError("invalid_arguments", f"no more than {most} items allowed [json-pointer:/loading_messages]")
    expires = space.clock.now() + limit("assistant.status_seconds")
    status = {"thread_ts": thread_ts, "status": args.text("status"), "loading_messages": loading, "expires": expires}
    show_status(space, channel["id"], status)
    return {}


@method("assistant.threads.setSuggestedPrompts", scopes=("assistant:write",), errors=("channel_not_found",))
def set_suggested_prompts(space: Workspace, args: Args) -> Json:
    """Offer up to four first messages in a direct message."""
    channel = space.channel(args.need("channel_id"))
    prompts = args.records("prompts")
    if prompts is None:
        raise missing("prompts")
    if len(prompts) > limit("assistant.prompts"):
        raise SlackError(
            "invalid_arguments", f"no more than {limit('assistant.prompts')} items [json-pointer:/prompts]"
        )
    for place, prompt in enumerate(prompts):
        for name in ("title", "message"):
            if not prompt.get(name):
                raise SlackError("invalid_arguments", f"missing required field: {name} [json-pointer:/prompts/{place}]")
    entry = {"title": args.text("title"), "thread_ts": args.text("thread_ts"), "prompts": prompts}
    space.store.put("prompts", channel["id"], entry)
    messages.tell(space, channel["id"], {"type": "prompts", "suggested_prompts": prompts, "title": entry["title"]})
    return {}


@method("assistant.threads.setTitle", scopes=("assistant:write",), errors=("channel_not_found", "thread_not_found"))
def set_title(space: Workspace, args: Args) -> Json:
    """Name a thread in the app's history."""
    channel, thread_ts = _thread(space, args)
    _save_session(space, channel["id"], thread_ts, {"title": args.need("title")})
    return {}


@method("agents.sessions.setStatus", scopes=("chat:write",), errors=("channel_not_found",))
def session_set_status(space: Workspace, args: Args) -> Json:
    """Say whether an agent session works, waits or is done."""
    channel, thread_ts = _thread(space, args)
    status = args.need("status")
    if status not in STATES:
        raise SlackError("invalid_arguments", f"must be one of: {', '.join(STATES)} [json-pointer:/status]")
    if len(args.text("title")) > limit("assistant.session_title"):
        raise SlackError("invalid_arguments", "must be less than 201 characters [json-pointer:/title]")
    session = set_session(space, channel["id"], thread_ts, status, args.text("title"))
    if not space.settings.manifest.wants("agent_session_stopped"):
        warning = "missing_agent_session_stopped_event_subscription"
        return {"session": session, "warning": warning, "response_metadata": {"warnings": [warning]}}
    return {"session": session}


@method("agents.sessions.rename", scopes=("chat:write",), errors=("session_not_found", "channel_not_found"))
def session_rename(space: Workspace, args: Args) -> Json:
    """Change a session's title."""
    channel, thread_ts = _thread(space, args)
    title = args.need("title")
    if not 1 <= len(title) <= limit("assistant.session_title"):
        raise SlackError("invalid_arguments", "must be between 1 and 200 characters [json-pointer:/title]")
    if space.store.get("session", f"{channel['id']}/{thread_ts}") is None:
        raise SlackError("session_not_found")
    return {"session": _save_session(space, channel["id"], thread_ts, {"title": title})}


def set_session(space: Workspace, channel_id: str, thread_ts: str, status: str, title: str = "") -> Json:
    """Store a session's state and show it under the thread while it is processing."""
    first = space.store.get("session", f"{channel_id}/{thread_ts}") is None
    session = _save_session(
        space, channel_id, thread_ts, {"status": status, **({"title": title} if first and title else {})}
    )
    line = {"processing": "is working…", "suspended": "is waiting for you"}.get(status, "")
    expires = space.clock.now() + limit("assistant.session_processing_seconds")
    shown = {"thread_ts": thread_ts, "status": line, "session": status, "expires": expires}
    show_status(space, channel_id, shown, kind="session_status")
    return session


def show_status(space: Workspace, channel_id: str, status: Json, *, kind: str = "status") -> None:
    """Store a status line and tell pages; an empty one is removed."""
    key = f"{channel_id}/{status['thread_ts']}"
    if status["status"]:
        space.store.put(kind, key, {**status, "channel": channel_id})
    else:
        space.store.drop(kind, key)
    facts = {key: value for key, value in status.items() if key != "expires"}
    messages.tell(space, channel_id, {"type": "status", **facts})


def _thread(space: Workspace, args: Args) -> tuple[Json, str]:
    channel = space.channel(args.need("channel_id"))
    thread_ts = messages.thread_root(space, channel["id"], args.need("thread_ts"))
    if thread_ts is None:
        raise SlackError("invalid_thread_ts")
    return channel, thread_ts


def _save_session(space: Workspace, channel_id: str, thread_ts: str, change: Json) -> Json:
    key = f"{channel_id}/{thread_ts}"
    blank = {"channel_id": channel_id, "thread_ts": thread_ts, "status": "active", "title": ""}
    session = {**blank, **(space.store.get("session", key) or {}), **change}
    space.store.put("session", key, session)
    return session
