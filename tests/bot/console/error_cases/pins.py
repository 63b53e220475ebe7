"""Errors of pins.*."""

from tests.bot.console.error_cases import Case, Json, World
from tests.bot.console.error_cases.chat import private
from tests.bot.console.error_cases.reactions import TARGET, on_message

ADD, REMOVE, LIST = "pins.add", "pins.remove", "pins.list"


def twice(world: World) -> Json:
    """A message that is pinned already."""
    spot = on_message(world)
    world.slack.web.pins_add(channel=spot["channel"], timestamp=spot["timestamp"])
    return spot


def full(world: World) -> Json:
    """A channel with as many pins as it can have."""
    channel = world.channel()
    for number in range(100):
        entry = {"channel": channel, "ts": str(number), "created": number, "created_by": "U0ADA"}
        world.slack.space.store.put("pin", f"{channel}/{number}", entry)
    return {"channel": channel, "timestamp": world.post(channel)}


CASES = [
    *(Case(name, error, given) for name in (ADD, REMOVE) for error, given in TARGET.items()),
    Case(ADD, "already_pinned", twice),
    Case(ADD, "too_many_pins", full),
    Case(REMOVE, "no_pin", on_message),
    Case(LIST, "channel_not_found", {"channel": "C0NONE"}),
    Case(LIST, "channel_not_found", lambda world: {"channel": private(world)}),
]
