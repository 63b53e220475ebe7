"""Agent sessions and status lines of threads: who works, waits or is done, and for how long that is believed."""

from bot.console import events, messages
from bot.console.limits import limit
from bot.console.schema import problem
from bot.console.wire import Json, SlackError
from bot.console.workspace import Workspace

STATES = ("processing", "active", "suspended", "closed")
LINES = {"processing": "is working…", "suspended": "is waiting for you"}
LOOK = ("icon_emoji", "icon_url", "username")


def check_status(status: str, pointer: str) -> None:
    """Raise invalid_arguments unless this is a state of a session."""
    if status not in STATES:
        raise SlackError("invalid_arguments", problem(f"must be one of: {', '.join(STATES)}", pointer))


def session_of(space: Workspace, channel_id: str, thread_ts: str) -> Json | None:
    """A thread's session as it is now: `processing` that nobody renewed for an hour is over."""
    session = space.store.get("session", _key(channel_id, thread_ts))
    if session and session["status"] == "processing" and session.get("expires", 0.0) < space.clock.now():
        return {**session, "status": "active"}
    return session


def set_session(
    space: Workspace, channel_id: str, thread_ts: str, status: str, *, new: Json | None = None, look: Json | None = None
) -> Json:
    """Store a session's state and show it under the thread. `new` (title, initiator) counts only for a first one."""
    expires = space.clock.now() + limit("assistant.session_processing_seconds")
    session = {**(session_of(space, channel_id, thread_ts) or _blank(channel_id, thread_ts, new or {}))}
    session.update({"status": status, "expires": expires}, **({"look": look} if look is not None else {}))
    space.store.put("session", _key(channel_id, thread_ts), session)
    shown = {"thread_ts": thread_ts, "status": LINES.get(status, ""), "session": status, "expires": expires}
    show_status(space, channel_id, {**shown, **session["look"]}, kind="session_status")
    return session


def rename(space: Workspace, channel_id: str, thread_ts: str, title: str) -> Json:
    """Change a session's title. Raises session_not_found."""
    session = session_of(space, channel_id, thread_ts)
    if session is None:
        raise SlackError("session_not_found")
    space.store.put("session", _key(channel_id, thread_ts), {**session, "title": title})
    return {**session, "title": title}


def rename_by_person(space: Workspace, user: str, channel_id: str, thread_ts: str, title: str) -> Json:
    """Change a session's title at the page, and tell the app. Raises session_not_found."""
    before = (session_of(space, channel_id, thread_ts) or {}).get("title", "")
    session = rename(space, channel_id, thread_ts, title)
    place = {"channel": channel_id, "thread_ts": thread_ts, "team_id": space.who.team_id, "user": user}
    event = {"type": "agent_session_title_changed", **place, "title": title, "event_ts": space.clock.ts()}
    events.emit(space, {**event, **({"previous_title": before} if before else {})})
    return session


def give_title(space: Workspace, channel_id: str, thread_ts: str, title: str) -> None:
    """Name a thread by the older method, which makes its session where there is none."""
    session = session_of(space, channel_id, thread_ts) or _blank(channel_id, thread_ts, {})
    space.store.put("session", _key(channel_id, thread_ts), {**session, "title": title})


def show_status(space: Workspace, channel_id: str, status: Json, *, kind: str = "status") -> None:
    """Store a status line and tell pages; an empty one is removed."""
    key = _key(channel_id, status["thread_ts"])
    if status["status"]:
        space.store.put(kind, key, {**status, "channel": channel_id})
    else:
        space.store.drop(kind, key)
    facts = {key: value for key, value in status.items() if key != "expires"}
    messages.tell(space, channel_id, {"type": "status", **facts})


def _blank(channel_id: str, thread_ts: str, new: Json) -> Json:
    place = {"channel_id": channel_id, "thread_ts": thread_ts}
    return {**place, "status": "active", "title": "", "initiator_user_id": "", "look": {}, **new}


def _key(channel_id: str, thread_ts: str) -> str:
    return f"{channel_id}/{thread_ts}"
