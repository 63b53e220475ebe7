"""conversations.*: channels, direct messages, their members and messages, as the app sees them."""

import re

from bot.console import seed
from bot.console.api.paging import page
from bot.console.api.registry import method
from bot.console.messages import show
from bot.console.store import Row
from bot.console.wire import Args, Json, SlackError
from bot.console.workspace import Workspace

READ = ("channels:read", "groups:read", "im:read", "mpim:read")
HISTORY = ("channels:history", "groups:history", "im:history", "mpim:history")
KINDS = frozenset({"public_channel", "private_channel", "mpim", "im"})


@method("conversations.list", scopes=READ, errors=("invalid_types", "invalid_cursor", "invalid_limit"))
def conversations_list(space: Workspace, args: Args) -> Json:
    """Channels that the app may see."""
    wanted = set((args.text("types") or "public_channel").replace(" ", "").split(","))
    if not wanted <= KINDS:
        raise SlackError("invalid_types")
    rows = [_seen(space, channel) for channel in space.store.all("channel") if _kind(channel) in wanted]
    channels, metadata = page(rows, args, default=100)
    return {"channels": channels, **metadata}


@method("conversations.info", scopes=READ, errors=("channel_not_found",))
def conversations_info(space: Workspace, args: Args) -> Json:
    """One channel."""
    channel = _seen(space, space.channel(args.need("channel")))
    if args.flag("include_num_members"):
        channel["num_members"] = len(space.store.members(channel["id"]))
    return {"channel": channel}


@method("conversations.members", scopes=READ, errors=("channel_not_found", "invalid_cursor"))
def conversations_members(space: Workspace, args: Args) -> Json:
    """Ids of a channel's members."""
    rows = [{"id": member} for member in space.store.members(space.channel(args.need("channel"))["id"])]
    members, metadata = page(rows, args, default=100)
    return {"members": [row["id"] for row in members], **metadata}


@method("conversations.history", scopes=HISTORY, errors=("channel_not_found", "not_in_channel", "invalid_cursor"))
def conversations_history(space: Workspace, args: Args) -> Json:
    """Messages of a channel, newest first."""
    channel = _readable(space, args)
    after, before = _range(args)
    rows = space.store.history(channel["id"], after=after, before=before)
    messages, metadata = page([row.body for row in rows], args, default=100, most=999)
    chosen = {body["ts"] for body in messages}
    shown = _told(space, [row for row in rows if row.ts in chosen], args)
    more = bool(metadata["response_metadata"]["next_cursor"])
    return {"messages": shown, "has_more": more, "pin_count": 0, **(metadata if more else {})}


@method("conversations.replies", scopes=HISTORY, errors=("channel_not_found", "thread_not_found", "not_in_channel"))
def conversations_replies(space: Workspace, args: Args) -> Json:
    """A thread, the parent first."""
    channel = _readable(space, args)
    found = space.store.message(channel["id"], args.need("ts"))
    parent = space.store.message(channel["id"], found.root) if found and found.root else found
    if parent is None or parent.viewer:
        raise SlackError("thread_not_found")
    after, before = _range(args)
    replies = [row for row in space.store.replies(channel["id"], parent.ts) if after < row.ts < before]
    bodies, metadata = page([{"ts": row.ts} for row in [parent, *replies]], args, default=1000)
    chosen = {body["ts"] for body in bodies}
    shown = _told(space, [row for row in [parent, *replies] if row.ts in chosen], args)
    more = bool(metadata["response_metadata"]["next_cursor"])
    return {"messages": shown, "has_more": more, **(metadata if more else {})}


@method("conversations.open", scopes=("im:write", "mpim:write"), errors=("user_not_found", "users_list_not_supplied"))
def conversations_open(space: Workspace, args: Args) -> Json:
    """The direct message with one person."""
    if args.text("channel"):
        channel = space.channel(args.text("channel"))
    else:
        users = [user for user in args.text("users").split(",") if user]
        if not users:
            raise SlackError("users_list_not_supplied")
        if len(users) > 1:
            raise SlackError("method_not_supported_for_channel_type", "group messages are not part of this local Slack")
        channel = seed.direct_message(space.store, space.who, space.person(users[0])["id"])
    if args.flag("return_im"):
        return {"channel": channel, "no_op": True, "already_open": True}
    return {"channel": {"id": channel["id"]}, "no_op": True, "already_open": True}


@method("conversations.join", scopes=("channels:join",), errors=("channel_not_found", "is_archived"))
def conversations_join(space: Workspace, args: Args) -> Json:
    """Make the app a member of a channel."""
    channel = space.channel(args.need("channel"))
    if channel.get("is_im"):
        raise SlackError("method_not_supported_for_channel_type")
    joined = space.store.join(channel["id"], space.who.bot_user)
    return {"channel": _seen(space, channel), **({} if joined else {"warning": "already_in_channel"})}


@method("conversations.leave", scopes=("channels:manage", "channels:write"), errors=("channel_not_found",))
def conversations_leave(space: Workspace, args: Args) -> Json:
    """End the app's membership of a channel."""
    left = space.store.leave(space.channel(args.need("channel"))["id"], space.who.bot_user)
    return {} if left else {"not_in_channel": True}


@method("conversations.create", scopes=("channels:manage",), errors=("name_taken", "invalid_name_specials"))
def conversations_create(space: Workspace, args: Args) -> Json:
    """Make a public channel with the app and everyone in it."""
    name = args.need("name")
    if not name:
        raise SlackError("invalid_name_required")
    if len(name) > 80:
        raise SlackError("invalid_name_maxlength")
    if not re.fullmatch(r"[\w-]+", name) or name != name.lower():
        raise SlackError("invalid_name_specials")
    if any(channel.get("name") == name for channel in space.store.all("channel")):
        raise SlackError("name_taken")
    channel = seed.channel(space.who, space.clock.id("C"), name, "", by=space.who.bot_user)
    space.store.put("channel", channel["id"], channel)
    for user in [*space.people(), space.who.bot_user]:
        space.store.join(channel["id"], user)
    return {"channel": _seen(space, channel)}


def _kind(channel: Json) -> str:
    if channel.get("is_im"):
        return "im"
    return "private_channel" if channel.get("is_private") else "public_channel"


def _seen(space: Workspace, channel: Json) -> Json:
    if channel.get("is_im"):
        return dict(channel)
    members = space.store.members(channel["id"])
    return {**channel, "is_member": space.who.bot_user in members, "num_members": len(members)}


def _readable(space: Workspace, args: Args) -> Json:
    channel = space.channel(args.need("channel"))
    if not space.store.is_member(channel["id"], space.who.bot_user):
        raise SlackError("not_in_channel")
    return channel


def _range(args: Args) -> tuple[str, str]:
    """The two exclusive bounds; `inclusive` widens them by a microsecond."""
    step = 1 if args.flag("inclusive") else 0
    return _bound(args, "oldest", -step) or "", _bound(args, "latest", step) or "~"


def _bound(args: Args, name: str, step: int) -> str | None:
    value = args.text(name)
    if not value or not value.strip("0."):
        return None
    if not re.fullmatch(r"\d{1,12}(\.\d{1,6})?", value):
        raise SlackError(f"invalid_ts_{name}")
    seconds, _, micros = value.partition(".")
    moment = int(seconds) * 1_000_000 + int(micros.ljust(6, "0")) + step
    return f"{moment // 1_000_000}.{moment % 1_000_000:06d}"


def _told(space: Workspace, rows: list[Row], args: Args) -> list[Json]:
    messages = show(space, rows)
    if args.flag("include_all_metadata"):
        return messages
    return [{key: value for key, value in message.items() if key != "metadata"} for message in messages]
