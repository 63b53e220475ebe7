"""reactions.*: the app's reactions to messages, and everybody's to read."""

import re

from bot.console import messages
from bot.console.api.access import is_in, need_open, seen
from bot.console.api.paging import page
from bot.console.api.registry import method
from bot.console.emoji import is_known
from bot.console.store import Row
from bot.console.wire import Args, Json, SlackError
from bot.console.workspace import Workspace

TARGET = ("no_item_specified", "bad_timestamp", "channel_not_found", "message_not_found", "not_in_channel")
ADD = ("already_reacted", "invalid_name", "too_many_emoji", "too_many_reactions", "is_archived")


@method("reactions.add", scopes=("reactions:write",), errors=(*ADD, *TARGET))
def reactions_add(space: Workspace, args: Args) -> Json:
    """Add a reaction."""
    row = message_at(space, args)
    need_open(space.channel(row.channel))
    messages.react(space, row, reaction_name(args.need("name")), space.who.bot_user, add=True)
    return {}


@method("reactions.remove", scopes=("reactions:write",), errors=("no_reaction", "invalid_name", *TARGET), tier="tier_2")
def reactions_remove(space: Workspace, args: Args) -> Json:
    """Remove the app's reaction."""
    row = message_at(space, args)
    messages.react(space, row, reaction_name(args.need("name")), space.who.bot_user, add=False)
    return {}


@method("reactions.get", scopes=("reactions:read",), errors=TARGET)
def reactions_get(space: Workspace, args: Args) -> Json:
    """A message with its reactions."""
    return _item(space, message_at(space, args))


@method(
    "reactions.list",
    scopes=("reactions:read",),
    errors=("user_not_found", "invalid_cursor", "invalid_limit"),
    tier="tier_2",
)
def reactions_list(space: Workspace, args: Args) -> Json:
    """Messages to which somebody reacted, the latest reaction first, as far as the app may see them."""
    user = space.user(args.text("user") or space.who.bot_user)["id"]
    mine = space.store.channels_of(space.who.bot_user)
    spots = [{"id": f"{channel}/{ts}", "spot": (channel, ts)} for channel, ts in space.store.reacted_by(user)]
    rows, metadata = page([row for row in spots if row["spot"][0] in mine], args, default=100, word="item")
    found = [space.store.message(*row["spot"]) for row in rows]
    return {"items": [_item(space, row) for row in found if row and not row.viewer], **metadata}


def reaction_name(name: str) -> str:
    """An emoji's name without colons around it. Raises invalid_name."""
    bare = name.removeprefix(":").removesuffix(":")
    if not is_known(bare):
        raise SlackError("invalid_name")
    return bare


def message_at(space: Workspace, args: Args) -> Row:
    """The message that `channel` and `timestamp` name, in a channel in which the app is."""
    ts = args.text("timestamp")
    if not args.text("channel") or not ts:
        raise SlackError("no_item_specified")
    channel = seen(space, space.channel(args.text("channel")))
    if not is_in(space, channel):
        raise SlackError("not_in_channel")
    if not re.fullmatch(r"\d{1,12}(\.\d{1,6})?", ts):
        raise SlackError("bad_timestamp")
    row = space.message(channel["id"], ts)
    if row.viewer:
        raise SlackError("message_not_found")
    return row


def _item(space: Workspace, row: Row) -> Json:
    message = {**messages.show(space, [row])[0], "permalink": messages.permalink(space, row)}
    return {"type": "message", "channel": row.channel, "message": message}
