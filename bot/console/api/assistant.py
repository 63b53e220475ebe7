"""assistant.threads.* and agents.sessions.*: arguments and answers. sessions.py keeps the states."""

from bot.console import messages, sessions
from bot.console.api.registry import method
from bot.console.limits import limit
from bot.console.schema import Check, items, record, string
from bot.console.wire import Args, Json, SlackError, missing
from bot.console.workspace import Workspace

SCOPES = ("assistant:write", "chat:write")
PLACE = ("channel_not_found", "invalid_thread_ts")
RESERVED = frozenset({"slackbot", "everyone", "channel", "here", "group"})
PROMPT = record({"title": string(), "message": string()}, {}, is_open=True)
PROMPTS = items(PROMPT, limit("assistant.prompts"), least=0)
LOADING = items(string(least=0), limit("assistant.loading_messages"), least=0)
UNHEARD = "missing_agent_session_stopped_event_subscription"


@method("assistant.threads.setStatus", scopes=SCOPES, errors=(*PLACE, "reserved_username"), tier="special_600")
def set_status(space: Workspace, args: Args) -> Json:
    """Show what the app is doing under a thread; an empty status removes it."""
    channel, thread_ts = _thread(space, args)
    if not args.has("status"):
        raise missing("status")
    loading = args.parsed("loading_messages") or []
    _check(LOADING, loading, "/loading_messages")
    expires = space.clock.now() + limit("assistant.status_seconds")
    status = {"thread_ts": thread_ts, "status": args.text("status"), "loading_messages": loading, "expires": expires}
    sessions.show_status(space, channel["id"], {**status, **(_look(space, args) or {})})
    return {}


@method(
    "assistant.threads.setSuggestedPrompts",
    scopes=("assistant:write",),
    errors=PLACE,
    tier="tier_4",
)
def set_suggested_prompts(space: Workspace, args: Args) -> Json:
    """Offer up to four first messages in a direct message."""
    channel = space.channel(args.need("channel_id"))
    if not channel.get("is_im") or not space.store.is_member(channel["id"], space.who.bot_user):
        raise SlackError("channel_not_found")
    if space.settings.manifest.kind == "assistant":
        args.need("thread_ts")
    if args.text("thread_ts"):
        _root(space, channel, args.text("thread_ts"))
    prompts = args.records("prompts")
    if prompts is None:
        raise missing("prompts")
    _check(PROMPTS, prompts, "/prompts")
    entry = {"title": args.text("title"), "thread_ts": args.text("thread_ts"), "prompts": prompts}
    space.store.put("prompts", channel["id"], entry)
    messages.tell(space, channel["id"], {"type": "prompts", "suggested_prompts": prompts, "title": entry["title"]})
    return {}


@method("assistant.threads.setTitle", scopes=("assistant:write",), errors=PLACE, tier="tier_4")
def set_title(space: Workspace, args: Args) -> Json:
    """Name a thread in the app's history."""
    channel, thread_ts = _thread(space, args)
    sessions.give_title(space, channel["id"], thread_ts, args.need("title"))
    return {}


@method("agents.sessions.setStatus", scopes=("chat:write",), errors=(*PLACE, "user_not_in_channel"))
def session_set_status(space: Workspace, args: Args) -> Json:
    """Say whether an agent session works, waits or is done."""
    channel, thread_ts = _thread(space, args)
    status, initiator = args.need("status"), args.text("initiator_user_id")
    sessions.check_status(status, "/status")
    title = args.text("title")
    if title:
        _check(string(limit("assistant.session_title")), title, "/title")
    if initiator and not space.store.is_member(channel["id"], initiator):
        raise SlackError("user_not_in_channel")
    new = {"title": title, "initiator_user_id": initiator}
    session = sessions.set_session(space, channel["id"], thread_ts, status, new=new, look=_look(space, args))
    answer = {"status": session["status"], "agent_status": session["status"], "title": session["title"]}
    if space.settings.manifest.wants("agent_session_stopped"):
        return answer
    return {**answer, "warning": UNHEARD, "response_metadata": {"warnings": [UNHEARD]}}


@method("agents.sessions.rename", scopes=("chat:write",), errors=(*PLACE, "session_not_found"))
def session_rename(space: Workspace, args: Args) -> Json:
    """Change a session's title."""
    channel, thread_ts = _thread(space, args)
    title = args.need("title")
    _check(string(limit("assistant.session_title")), title, "/title")
    return {"title": sessions.rename(space, channel["id"], thread_ts, title)["title"]}


def _thread(space: Workspace, args: Args) -> tuple[Json, str]:
    channel = space.channel(args.need("channel_id"))
    if not space.store.is_member(channel["id"], space.who.bot_user):
        raise SlackError("channel_not_found")
    return channel, _root(space, channel, args.need("thread_ts"))


def _root(space: Workspace, channel: Json, thread_ts: str) -> str:
    try:
        root = messages.thread_root(space, channel["id"], thread_ts)
    except SlackError:
        root = None
    if root is None:
        raise SlackError("invalid_thread_ts")
    return root


def _look(space: Workspace, args: Args) -> Json | None:
    """The icon and name that replace the app's own, all three at once; None where no one is named."""
    named = {name: args.text(name) for name in sessions.LOOK if name in args.values}
    if not named:
        return None
    granted = space.settings.manifest.scopes
    if any(named.values()) and granted is not None and "chat:write.customize" not in granted:
        raise SlackError("missing_scope", needed="chat:write.customize", provided=",".join(sorted(granted)))
    if named.get("username", "").lower() in RESERVED:
        raise SlackError("reserved_username")
    return {name: value for name, value in named.items() if value}


def _check(rule: Check, value: object, pointer: str) -> None:
    problems = list(rule(value, pointer))
    if problems:
        raise SlackError("invalid_arguments", *problems)
