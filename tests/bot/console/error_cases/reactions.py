"""Errors of reactions.*."""

from typing import Any

from bot.console.emoji import code_points
from tests.bot.console.error_cases import Case, Json, World
from tests.bot.console.error_cases.chat import archived, left, private

ADD, REMOVE, GET, LIST = "reactions.add", "reactions.remove", "reactions.get", "reactions.list"
EMOJI = [name for name in code_points() if name != "eyes"]
SPOT: Json = {"channel": "C0ASK", "timestamp": "1.000001", "name": "eyes"}
TARGET: dict[str, Any] = {
    "no_item_specified": {"name": "eyes"},
    "bad_timestamp": {**SPOT, "timestamp": "now"},
    "channel_not_found": {**SPOT, "channel": "C0NONE"},
    "message_not_found": SPOT,
    "not_in_channel": lambda world: {**SPOT, "channel": left(world)},
}


def on_message(world: World, **more: Any) -> Json:
    """Arguments for a message of its own."""
    return {**SPOT, "timestamp": world.message(), **more}


def twice(world: World) -> Json:
    """A reaction that is there already."""
    spot = on_message(world)
    world.slack.web.reactions_add(**spot)
    return spot


def colourful(world: World) -> Json:
    """A message with as many different reactions as it can have."""
    spot = on_message(world)
    for name in EMOJI[:50]:
        world.slack.space.store.react("C0ASK", spot["timestamp"], name, "U0ADA")
    return spot


def busy(world: World) -> Json:
    """A message to which the app reacted as often as it can."""
    spot = on_message(world)
    for name in EMOJI[:23]:
        world.slack.web.reactions_add(**{**spot, "name": name})
    return spot


def closed(world: World) -> Json:
    """A message of an archived channel."""
    channel = archived(world)
    return {**SPOT, "channel": channel, "timestamp": world.slack.space.store.history(channel)[0].ts}


CASES = [
    *(Case(name, error, given) for name in (ADD, REMOVE, GET) for error, given in TARGET.items()),
    *(
        Case(name, "channel_not_found", lambda world: {**SPOT, "channel": private(world)})
        for name in (ADD, REMOVE, GET)
    ),
    *(Case(name, "invalid_name", lambda world: on_message(world, name="a b")) for name in (ADD, REMOVE)),
    Case(ADD, "invalid_name", lambda world: on_message(world, name="no_such_emoji")),
    Case(ADD, "already_reacted", twice),
    Case(ADD, "too_many_emoji", colourful),
    Case(ADD, "too_many_reactions", busy),
    Case(ADD, "is_archived", closed),
    Case(REMOVE, "no_reaction", on_message),
    Case(LIST, "user_not_found", {"user": "U0NOBODY"}),
    Case(LIST, "invalid_cursor", {"cursor": "x"}),
    Case(LIST, "invalid_limit", {"limit": 1001}),
]
