"""Events of an app that people have open beside their work: its tabs, its threads, what they look at meanwhile."""

from bot.console import events, messages, modals
from bot.console.wire import Json
from bot.console.workspace import Workspace

TITLE = "New Assistant Thread"


def opened(space: Workspace, user: str, channel_id: str, tab: str) -> None:
    """A person opened the app's Home or Messages tab; an app of the older kind gets a new thread with that."""
    view = modals.home(space, user)
    event = {"type": "app_home_opened", "user": user, "channel": channel_id, "tab": tab, "event_ts": space.clock.ts()}
    events.emit(space, {**event, **({"view": modals.public(view)} if view and tab == "home" else {})})
    if tab == "messages" and space.settings.manifest.kind == "assistant":
        _start_thread(space, user, channel_id)


def looks_at(space: Workspace, user: str, channel_id: str) -> None:
    """A person went to another channel while the app stands beside it."""
    space.store.put("viewing", user, {"channel": channel_id})
    kind = space.settings.manifest.kind
    direct = f"D0{user[2:]}"
    if kind == "agent":
        entity = {"type": "slack#/types/channel_id", "value": channel_id, "team_id": space.who.team_id}
        event = {"type": "app_context_changed", "user": user, "channel": direct, "context": {"entities": [entity]}}
        events.emit(space, {**event, "event_ts": space.clock.ts()})
    elif kind == "assistant":
        thread = space.store.get("assistant_thread", direct)
        if thread:
            _tell_thread(space, "assistant_thread_context_changed", user, direct, thread["ts"])


def _start_thread(space: Workspace, user: str, channel_id: str) -> None:
    """A thread in which nobody has written yet is used again."""
    last = space.store.get("assistant_thread", channel_id)
    if last and space.store.message(channel_id, last["ts"]) and not space.store.replies(channel_id, last["ts"]):
        return
    thread = {"title": TITLE, "title_blocks": [], "artifacts": []}
    who = space.who
    body = {"subtype": "assistant_app_thread", "text": TITLE, "assistant_app_thread": thread}
    ids = {"user": who.bot_user, "bot_id": who.bot_id, "app_id": who.app_id, "team": who.team_id}
    draft = messages.Draft(channel=space.channel(channel_id), author=who.bot_user, body={**ids, **body})
    ts = messages.post(space, draft)["ts"]
    space.store.put("assistant_thread", channel_id, {"ts": ts})
    _tell_thread(space, "assistant_thread_started", user, channel_id, ts)


def _tell_thread(space: Workspace, kind: str, user: str, channel_id: str, thread_ts: str) -> None:
    seen = space.store.get("viewing", user)
    context: Json = {"enterprise_id": None, "team_id": space.who.team_id, "channel_id": seen["channel"]} if seen else {}
    thread = {"user_id": user, "context": context, "channel_id": channel_id, "thread_ts": thread_ts}
    events.emit(space, {"type": kind, "assistant_thread": thread, "event_ts": space.clock.ts()})
