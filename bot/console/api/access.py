"""Which conversations the app may see, read and write, and the scope that each kind needs. Changes nothing."""

from collections.abc import Iterable

from bot.console.wire import Args, Json, SlackError
from bot.console.workspace import Workspace

KINDS = {"channel": "public_channel", "group": "private_channel", "im": "im", "mpim": "mpim"}
"""What `types` calls each channel_type of an event."""
FAMILY = {"public_channel": "channels", "private_channel": "groups", "im": "im", "mpim": "mpim"}
READ = tuple(f"{family}:read" for family in FAMILY.values())
HISTORY = tuple(f"{family}:history" for family in FAMILY.values())
WRITE = ("channels:manage", "groups:write", "im:write", "mpim:write")
SINGLE = {"channels:manage": ("channels:manage", "channels:write")}
"""Scopes of which either will do."""


def kind_of(space: Workspace, channel: Json) -> str:
    """`public_channel`, `private_channel`, `im` or `mpim`."""
    return KINDS[space.channel_type(channel)]


def need_scope(space: Workspace, scopes: Iterable[str], kinds: Iterable[str]) -> None:
    """Refuse kinds of conversation that the manifest's scopes leave out. Raises missing_scope.

    `scopes` are a method's own, in the order of FAMILY; a manifest that lists none grants everything.
    """
    granted = space.settings.manifest.scopes
    if granted is None:
        return
    by_kind = dict(zip(FAMILY, scopes, strict=True))
    lacking = [by_kind[kind] for kind in kinds if not granted.intersection(SINGLE.get(by_kind[kind], (by_kind[kind],)))]
    if lacking:
        raise SlackError("missing_scope", needed=",".join(lacking), provided=",".join(sorted(granted)))


def has_scope(space: Workspace, scope: str) -> bool:
    """Whether the app was granted a scope; without a list it has all."""
    granted = space.settings.manifest.scopes
    return granted is None or scope in granted


def seen(space: Workspace, channel: Json) -> Json:
    """The channel, if the app may know of it: public, or the app is in it. Raises channel_not_found."""
    if kind_of(space, channel) != "public_channel" and not is_in(space, channel):
        raise SlackError("channel_not_found")
    return channel


def known(space: Workspace, args: Args, scopes: Iterable[str] = (), name: str = "channel") -> Json:
    """The channel that an argument names by its id. Raises channel_not_found or missing_scope."""
    channel = seen(space, space.channel(args.need(name)))
    if scopes:
        need_scope(space, scopes, [kind_of(space, channel)])
    return channel


def joined(space: Workspace, args: Args, scopes: Iterable[str] = (), name: str = "channel") -> Json:
    """The same of a channel in which the app is. Raises not_in_channel too."""
    channel = known(space, args, scopes, name)
    if not is_in(space, channel):
        raise SlackError("not_in_channel")
    return channel


def writable(space: Workspace, channel: Json) -> Json:
    """The channel, if the app may post there. Raises channel_not_found, not_in_channel or is_archived."""
    granted = space.settings.manifest.scopes or ()
    if not is_in(space, seen(space, channel)) and "chat:write.public" not in granted:
        raise SlackError("not_in_channel")
    need_open(channel)
    return channel


def need_open(channel: Json) -> None:
    """Raises is_archived where nobody may change anything any more."""
    if channel.get("is_archived"):
        raise SlackError("is_archived")


def ids(args: Args, name: str) -> list[str]:
    """What an argument lists, each once, in the order given: Slack's commas, or a JSON list."""
    bare = args.text(name).replace('"', "").strip("[]")
    return list(dict.fromkeys(each.strip() for each in bare.split(",") if each.strip()))


def is_in(space: Workspace, channel: Json) -> bool:
    """Whether the app is a member."""
    return space.store.is_member(channel["id"], space.who.bot_user)
