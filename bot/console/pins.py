"""Pins messages to their channel and takes them off. Knows events and counts, not who may pin."""

from bot.console import events, messages
from bot.console.limits import limit
from bot.console.store import Row
from bot.console.wire import Json, SlackError
from bot.console.workspace import Workspace


def pin(space: Workspace, row: Row, user: str) -> None:
    """Pin a message. Raises already_pinned or too_many_pins."""
    if len(pinned(space, row.channel)) >= limit("pin.in_channel"):
        raise SlackError("too_many_pins")
    entry = {"channel": row.channel, "ts": row.ts, "created": int(space.clock.now()), "created_by": user}
    if not space.store.put_new("pin", f"{row.channel}/{row.ts}", entry):
        raise SlackError("already_pinned")
    _tell(space, "pin_added", row, entry, user)


def unpin(space: Workspace, row: Row, user: str) -> None:
    """Take a pin off. Raises no_pin."""
    entry = space.store.get("pin", f"{row.channel}/{row.ts}")
    if entry is None:
        raise SlackError("no_pin")
    space.store.drop("pin", f"{row.channel}/{row.ts}")
    _tell(space, "pin_removed", row, entry, user)


def pinned(space: Workspace, channel_id: str) -> list[Json]:
    """The pins of a channel, the latest first: `channel`, `ts`, `created`, `created_by`."""
    return sorted(space.store.under("pin", f"{channel_id}/"), key=lambda entry: -entry["created"])


def item(space: Workspace, row: Row, entry: Json) -> Json:
    """A pinned message as pins.list and events show it."""
    message = {**messages.show(space, [row])[0], "permalink": messages.permalink(space, row)}
    made = {"created": entry["created"], "created_by": entry["created_by"]}
    return {"type": "message", "channel": row.channel, "message": message, **made}


def _tell(space: Workspace, kind: str, row: Row, entry: Json, user: str) -> None:
    count = len(pinned(space, row.channel))
    info = {"channel": row.channel, "pinned_by": entry["created_by"], "pinned_ts": entry["created"]}
    where = {"user": user, "channel_id": row.channel, "item_user": row.body.get("user")}
    event = {"type": kind, **where, "item": item(space, row, entry), "pin_count": count, "pinned_info": info}
    gone = {"has_pins": count > 0} if kind == "pin_removed" else {}
    events.emit_within(space, row.channel, {**event, **gone})
    messages.repaint(space, row)
