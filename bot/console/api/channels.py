"""conversations.create, rename, archive, setTopic …: what a channel is. Knows who may; rooms.py does it."""

from bot.console import rooms
from bot.console.api import shapes
from bot.console.api.access import WRITE, joined, kind_of, known, need_open, need_scope
from bot.console.api.registry import method
from bot.console.wire import Args, Json, SlackError
from bot.console.workspace import Workspace

NAMES = tuple(rooms.NAME_TROUBLE)
KIND = "method_not_supported_for_channel_type"
CHANNELS = ("public_channel", "private_channel")


@method("conversations.create", scopes=WRITE, errors=NAMES, tier="tier_2")
def conversations_create(space: Workspace, args: Args) -> Json:
    """Make a channel with only the app in it."""
    private = args.flag("is_private")
    need_scope(space, WRITE, ["private_channel" if private else "public_channel"])
    channel = rooms.create(space, args.need("name"), space.who.bot_user, private=private)
    return {"channel": shapes.detailed(space, channel)}


@method(
    "conversations.rename",
    scopes=WRITE,
    errors=("channel_not_found", "not_in_channel", "not_authorized", "is_archived", KIND, *NAMES),
    tier="tier_2",
)
def conversations_rename(space: Workspace, args: Args) -> Json:
    """Give a channel that the app made another name."""
    channel = of_kind(space, joined(space, args, WRITE), *CHANNELS)
    need_open(channel)
    if channel["creator"] != space.who.bot_user:
        raise SlackError("not_authorized")
    return {"channel": shapes.detailed(space, rooms.rename(space, channel, args.need("name"), space.who.bot_user))}


@method(
    "conversations.archive",
    scopes=WRITE,
    errors=("channel_not_found", "not_in_channel", "already_archived", "cant_archive_general", KIND),
    tier="tier_2",
)
def conversations_archive(space: Workspace, args: Args) -> Json:
    """Close a channel for everybody."""
    channel = of_kind(space, joined(space, args, WRITE), *CHANNELS)
    if channel["is_general"]:
        raise SlackError("cant_archive_general")
    if channel["is_archived"]:
        raise SlackError("already_archived")
    rooms.archive(space, channel, space.who.bot_user, closed=True)
    return {}


@method("conversations.unarchive", scopes=WRITE, errors=("channel_not_found", "not_archived", KIND), tier="tier_2")
def conversations_unarchive(space: Workspace, args: Args) -> Json:
    """Open an archived channel again."""
    channel = of_kind(space, known(space, args, WRITE), *CHANNELS)
    if not channel["is_archived"]:
        raise SlackError("not_archived")
    rooms.archive(space, channel, space.who.bot_user, closed=False)
    return {}


NOTE = ("channel_not_found", "not_in_channel", "is_archived", "too_long", KIND)


@method("conversations.setTopic", scopes=WRITE, errors=NOTE, tier="tier_2")
def conversations_set_topic(space: Workspace, args: Args) -> Json:
    """Set what stands beside a channel's name."""
    return _set_note(space, args, "topic")


@method("conversations.setPurpose", scopes=WRITE, errors=NOTE, tier="tier_2")
def conversations_set_purpose(space: Workspace, args: Args) -> Json:
    """Set a channel's description."""
    return _set_note(space, args, "purpose")


@method("conversations.mark", scopes=WRITE, errors=("channel_not_found", "not_in_channel", "invalid_timestamp"))
def conversations_mark(space: Workspace, args: Args) -> Json:
    """Say up to which message the app has read."""
    channel = joined(space, args, WRITE)
    row = space.store.message(channel["id"], args.need("ts"))
    if row is None or row.viewer:
        raise SlackError("invalid_timestamp")
    space.store.mark_read(space.who.bot_user, channel["id"], row.ts)
    return {}


def of_kind(space: Workspace, channel: Json, *kinds: str) -> Json:
    """The channel, if it is of one of these kinds. Raises method_not_supported_for_channel_type."""
    if kind_of(space, channel) not in kinds:
        raise SlackError(KIND)
    return channel


def _set_note(space: Workspace, args: Args, which: str) -> Json:
    channel = of_kind(space, joined(space, args, WRITE), *CHANNELS, "mpim")
    need_open(channel)
    channel = rooms.set_note(space, channel, which, args.need(which), space.who.bot_user)
    return {"channel": shapes.detailed(space, channel)}
