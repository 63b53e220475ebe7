"""conversations.join, leave, invite, kick, open, close: who is in one. Knows who may; rooms.py does it."""

from bot.console import rooms
from bot.console.api import shapes
from bot.console.api.access import WRITE, ids, joined, kind_of, known, need_open, need_scope, seen
from bot.console.api.channels import CHANNELS, KIND, of_kind
from bot.console.api.registry import method
from bot.console.limits import limit
from bot.console.seed import SLACKBOT
from bot.console.wire import Args, Json, SlackError
from bot.console.workspace import Workspace


@method("conversations.join", scopes=("channels:join",), errors=("channel_not_found", "is_archived", KIND))
def conversations_join(space: Workspace, args: Args) -> Json:
    """Make the app a member of a public channel."""
    channel = of_kind(space, known(space, args), "public_channel")
    need_open(channel)
    is_new = rooms.join(space, channel, space.who.bot_user)
    told = "already_in_channel"
    warned = {} if is_new else {"warning": told, "response_metadata": {"warnings": [told]}}
    return {"channel": shapes.detailed(space, channel), **warned}


@method(
    "conversations.leave",
    scopes=WRITE,
    errors=("channel_not_found", "cant_leave_general", "is_archived", "last_member", KIND),
)
def conversations_leave(space: Workspace, args: Args) -> Json:
    """End the app's membership; where there was none, Slack says so without an error."""
    channel = of_kind(space, known(space, args, WRITE), *CHANNELS, "mpim")
    if channel["is_general"]:
        raise SlackError("cant_leave_general")
    need_open(channel)
    members = space.store.members(channel["id"])
    if space.who.bot_user not in members:
        return {"ok": False, "not_in_channel": True}
    if len(members) == 1:
        raise SlackError("last_member")
    rooms.leave(space, channel, space.who.bot_user)
    return {}


@method(
    "conversations.invite",
    scopes=WRITE,
    errors=(
        *("channel_not_found", "not_in_channel", "is_archived", KIND, "no_user", "too_many_users"),
        *("user_not_found", "cant_invite_self", "already_in_channel", "ura_max_channels"),
    ),
)
def conversations_invite(space: Workspace, args: Args) -> Json:
    """Make people members: all of them or, with `force`, those who can be."""
    channel = of_kind(space, joined(space, args, WRITE), *CHANNELS)
    need_open(channel)
    args.need("users")
    users = ids(args, "users")
    if not users:
        raise SlackError("no_user")
    if len(users) > limit("conversation.invited_users"):
        raise SlackError("too_many_users")
    troubles = {user: invitation_trouble(space, channel, user, space.who.bot_user) for user in users}
    errors = [{"user": user, "ok": False, "error": trouble} for user, trouble in troubles.items() if trouble]
    welcome = [user for user, trouble in troubles.items() if not trouble]
    if errors and not (args.flag("force") and welcome):
        raise SlackError(str(errors[0]["error"]), errors=errors)
    for user in welcome:
        rooms.join(space, channel, user, space.who.bot_user)
    return {"channel": shapes.detailed(space, channel), **({"errors": errors} if errors else {})}


@method(
    "conversations.kick",
    scopes=WRITE,
    errors=(
        *("channel_not_found", "not_in_channel", "user_not_found", "cant_kick_self", "cant_kick_from_general"),
        *("is_archived", KIND),
    ),
)
def conversations_kick(space: Workspace, args: Args) -> Json:
    """End somebody else's membership."""
    channel = of_kind(space, joined(space, args, WRITE), *CHANNELS)
    user = space.user(args.need("user"))["id"]
    if user == space.who.bot_user:
        raise SlackError("cant_kick_self")
    if channel["is_general"]:
        raise SlackError("cant_kick_from_general")
    need_open(channel)
    if not rooms.leave(space, channel, user, space.who.bot_user):
        raise SlackError("not_in_channel")
    return {"errors": {}}


@method(
    "conversations.open",
    scopes=("im:write", "mpim:write"),
    errors=(
        *("channel_not_found", "user_not_found", "users_list_not_supplied", "too_many_users", "not_enough_users"),
        KIND,
    ),
)
def conversations_open(space: Workspace, args: Args) -> Json:
    """A direct message with one person or several, made at first need."""
    if args.text("channel"):
        channel, is_new = of_kind(space, seen(space, space.channel(args.text("channel"))), "im", "mpim"), False
        need_scope(space, WRITE, [kind_of(space, channel)])
    else:
        channel, is_new = _with(space, args)
    was_open = not is_new and not shapes.closed(space, channel)
    space.store.drop("closed", channel["id"])
    shown = shapes.detailed(space, channel) if args.flag("return_im") else {"id": channel["id"]}
    return {**({"no_op": True, "already_open": True} if was_open else {}), "channel": shown}


@method("conversations.close", scopes=WRITE, errors=("channel_not_found", KIND), tier="tier_2")
def conversations_close(space: Workspace, args: Args) -> Json:
    """Put a direct message out of sight; what was said in it stays."""
    channel = of_kind(space, known(space, args, WRITE), "im", "mpim")
    if not space.store.put_new("closed", channel["id"], {}):
        return {"no_op": True, "already_closed": True}
    return {}


def invitation_trouble(space: Workspace, channel: Json, user: str, by: str) -> str:
    """Why somebody cannot be invited, as Slack's error; "" if they can."""
    found = space.store.get("user", user)
    if found is None or user == SLACKBOT:
        return "user_not_found"
    if user == by:
        return "cant_invite_self"
    if space.store.is_member(channel["id"], user):
        return "already_in_channel"
    rooms_of = [space.channel(each) for each in space.store.channels_of(user)] if found["is_ultra_restricted"] else []
    return "ura_max_channels" if any(kind_of(space, each) in CHANNELS for each in rooms_of) else ""


def _with(space: Workspace, args: Args) -> tuple[Json, bool]:
    """The conversation with the people of `users`, and whether it is new."""
    users = ids(args, "users")
    if not users:
        raise SlackError("users_list_not_supplied")
    if len(users) > limit("conversation.open_users"):
        raise SlackError("too_many_users")
    people = [space.person(user)["id"] for user in users if user != space.who.bot_user]
    if not people:
        raise SlackError("not_enough_users")
    need_scope(space, WRITE, ["im" if len(people) == 1 else "mpim"])
    if len(people) == 1:
        return rooms.pair(space, space.who.bot_user, people[0])
    return rooms.group(space, people, space.who.bot_user)
