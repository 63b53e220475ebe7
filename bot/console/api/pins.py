"""pins.*: what is pinned to a channel. Knows what the app may pin; pins.py of the console does it."""

from bot.console import pins
from bot.console.api.access import known
from bot.console.api.reactions import TARGET, message_at
from bot.console.api.registry import method
from bot.console.wire import Args, Json
from bot.console.workspace import Workspace


@method("pins.add", scopes=("pins:write",), errors=("already_pinned", "too_many_pins", *TARGET), tier="tier_2")
def pins_add(space: Workspace, args: Args) -> Json:
    """Pin a message to its channel."""
    pins.pin(space, message_at(space, args), space.who.bot_user)
    return {}


@method("pins.remove", scopes=("pins:write",), errors=("no_pin", *TARGET), tier="tier_2")
def pins_remove(space: Workspace, args: Args) -> Json:
    """Take a pin off, whoever put it there."""
    pins.unpin(space, message_at(space, args), space.who.bot_user)
    return {}


@method("pins.list", scopes=("pins:read",), errors=("channel_not_found",), tier="tier_2")
def pins_list(space: Workspace, args: Args) -> Json:
    """The pinned messages of a channel, the latest pin first."""
    channel = known(space, args)
    entries = pins.pinned(space, channel["id"])
    rows = [(space.store.message(channel["id"], entry["ts"]), entry) for entry in entries]
    return {"items": [pins.item(space, row, entry) for row, entry in rows if row]}
