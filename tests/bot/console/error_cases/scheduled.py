"""Errors of chat.scheduleMessage and its neighbours."""

from typing import Any

from tests.bot.console.error_cases import Case, Json, World
from tests.bot.console.error_cases.chat import BAD_CONTENT, NO_TAB, archived, left

PLAN, TAKE, LIST = "chat.scheduleMessage", "chat.deleteScheduledMessage", "chat.scheduledMessages.list"
DAY = 86_400
SOON: Json = {"channel": "C0ASK", "text": "x", "post_at": 1_790_003_600}


def planned(world: World, **more: Any) -> str:
    """The id of a message that waits."""
    return str(world.slack.web.chat_scheduleMessage(**{**SOON, **more})["scheduled_message_id"])


def crowd(world: World) -> Json:
    """A channel that has its thirty messages for these five minutes."""
    channel = world.channel()
    for _ in range(30):
        planned(world, channel=channel)
    return {**SOON, "channel": channel}


def at(place: Any) -> Any:
    """Arguments for a channel that is made for the case."""
    return lambda world: {**SOON, "channel": place(world)}


def elsewhere(world: World) -> Json:
    """A message that waits in another channel."""
    return {"channel": "C0ASK", "scheduled_message_id": planned(world, channel="C0TUNING")}


def last_minute(world: World) -> Json:
    """A message that posts within the minute."""
    soon = int(world.clock()) + 59
    return {"channel": "C0ASK", "scheduled_message_id": planned(world, post_at=soon)}


CASES = [
    Case(PLAN, "channel_not_found", {**SOON, "channel": "C0NONE"}),
    Case(PLAN, "not_in_channel", at(left)),
    Case(PLAN, "is_archived", at(archived)),
    Case(PLAN, "messages_tab_disabled", {**SOON, "channel": "D0ADA"}, app=NO_TAB),
    Case(PLAN, "thread_not_found", {**SOON, "thread_ts": "1.000001"}),
    *(Case(PLAN, error, {**SOON, **bad}) for error, bad in BAD_CONTENT.items()),
    Case(PLAN, "msg_too_long", {**SOON, "text": "x" * 40_001}),
    Case(PLAN, "invalid_time", {**SOON, "post_at": "tomorrow"}),
    Case(PLAN, "invalid_arguments", {"channel": "C0ASK", "text": "x"}, "missing required field: post_at"),
    Case(PLAN, "time_in_past", lambda world: {**SOON, "post_at": int(world.clock())}),
    Case(PLAN, "time_too_far", lambda world: {**SOON, "post_at": int(world.clock()) + 120 * DAY + 1}),
    Case(PLAN, "restricted_too_many", crowd),
    Case(TAKE, "channel_not_found", {"channel": "C0NONE", "scheduled_message_id": "Q0"}),
    Case(TAKE, "invalid_scheduled_message_id", {"channel": "C0ASK", "scheduled_message_id": "Q0"}),
    Case(TAKE, "invalid_scheduled_message_id", elsewhere),
    Case(TAKE, "invalid_scheduled_message_id", last_minute),
    Case(LIST, "invalid_channel", {"channel": "C0NONE"}),
    Case(LIST, "invalid_cursor", {"cursor": "!"}),
    Case(LIST, "invalid_limit", {"limit": 1001}),
    Case(LIST, "invalid_arguments", {"oldest": "long ago"}, "/oldest"),
]
