"""Errors of bookmarks.*."""

from typing import Any

from tests.bot.console.error_cases import Case, Json, World
from tests.bot.console.error_cases.chat import left, private

ADD, EDIT, LIST, REMOVE = "bookmarks.add", "bookmarks.edit", "bookmarks.list", "bookmarks.remove"
GOOD: Json = {"channel_id": "C0ASK", "title": "t", "type": "link", "link": "https://x.example", "bookmark_id": "Bk0"}


def at(place: Any) -> Any:
    """Arguments for a channel that is made for the case."""
    return lambda world: {**GOOD, "channel_id": place(world)}


def edited(**more: Any) -> Any:
    """Arguments for a bookmark of its own."""

    def given(world: World) -> Json:
        made = world.slack.web.bookmarks_add(channel_id="C0ASK", title="t", type="link", link="https://x.example")
        return {"channel_id": "C0ASK", "bookmark_id": made["bookmark"]["id"], **more}

    return given


def full(world: World) -> Json:
    """A channel with as many bookmarks as it can have."""
    channel = world.channel()
    for number in range(100):
        world.slack.space.store.put("bookmark", f"{channel}/{number}", {"id": str(number), "rank": f"g{number:05d}"})
    return {**GOOD, "channel_id": channel}


CASES = [
    *(Case(name, "channel_not_found", {**GOOD, "channel_id": "C0NONE"}) for name in (ADD, EDIT, LIST, REMOVE)),
    *(Case(name, "channel_not_found", at(private)) for name in (ADD, EDIT, LIST, REMOVE)),
    *(Case(name, "not_in_channel", at(left)) for name in (ADD, EDIT, REMOVE)),
    *(Case(name, "not_found", GOOD) for name in (EDIT, REMOVE)),
    Case(ADD, "invalid_link", {**GOOD, "link": "ftp://x.example"}),
    Case(ADD, "invalid_emoji", {**GOOD, "emoji": "a b"}),
    Case(ADD, "invalid_bookmark_type", {**GOOD, "type": "dream"}),
    Case(ADD, "too_many_bookmarks", full),
    Case(EDIT, "invalid_link", edited(link="x")),
    Case(EDIT, "invalid_emoji", edited(emoji="a b")),
]
