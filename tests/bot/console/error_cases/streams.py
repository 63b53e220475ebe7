"""Errors of chat.startStream, appendStream, stopStream."""

from typing import Any

from bot.console.manifest import Manifest
from tests.bot.console.error_cases import Case, Json, World

NAMED = {"recipient_user_id": "U0ADA", "recipient_team_id": "T0NORTHWIND"}
START, STOP = "chat.startStream", "chat.stopStream"
GROWING = ("chat.appendStream", STOP)


def stream(world: World) -> Json:
    """Channel and ts of a message that grows."""
    started = world.slack.web.chat_startStream(channel="C0ASK", thread_ts=world.message(), **NAMED)
    return {"channel": "C0ASK", "ts": started["ts"], "markdown_text": "x"}


def starting(**more: Any) -> Any:
    """Arguments of chat.startStream in a new thread; None removes one."""

    def stage(world: World) -> Json:
        given = {"channel": "C0ASK", "thread_ts": world.message(), **NAMED, **more}
        return {key: value for key, value in given.items() if value is not None}

    return stage


def over(world: World) -> Json:
    """A stream that is five minutes and a second old."""
    given = stream(world)
    world.clock.seconds += 301
    return given


def of_a_person(world: World) -> Json:
    """A message of somebody else."""
    return {"channel": "C0ASK", "ts": world.message(), "markdown_text": "x"}


def ended(world: World) -> Json:
    """A stream that the app stopped."""
    given = stream(world)
    world.slack.web.chat_stopStream(channel="C0ASK", ts=given["ts"])
    return given


def stopped(world: World) -> Json:
    """A stream in whose thread a person pressed Stop."""
    given = stream(world)
    root = world.slack.web.conversations_replies(channel="C0ASK", ts=given["ts"])["messages"][0]["ts"]
    world.slack.act("stop", user="U0ADA", channel="C0ASK", thread_ts=root)
    return given


def adding(**more: Any) -> Any:
    """Arguments that add this to a growing message."""
    return lambda world: {"channel": "C0ASK", "ts": stream(world)["ts"], **more}


def in_channel(channel: Any) -> Any:
    """Arguments of chat.startStream for another channel."""
    return lambda world: {"channel": channel(world), "thread_ts": "1.000001", **NAMED}


def archived(world: World) -> str:
    """A channel that takes no more messages."""
    channel = world.channel()
    world.slack.space.store.put("channel", channel, {**world.slack.space.channel(channel), "is_archived": True})
    return channel


def full(world: World) -> Json:
    """A stream that has 50 blocks, and one more."""
    given = stream(world)
    many = {"type": "blocks", "blocks": [{"type": "divider"}] * 50}
    world.slack.web.chat_appendStream(channel="C0ASK", ts=given["ts"], chunks=[many])
    return {**given, "chunks": [{"type": "blocks", "blocks": [{"type": "divider"}]}]}


TASK = {"type": "task_update", "id": "t", "title": "T", "status": "pending"}
SECTION = {"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3000}}
WRONG_CHUNKS = (
    ([{"type": "song"}], "unsupported type: song [json-pointer:/chunks/0/type]"),
    ([{**TASK, "status": "late"}], "/chunks/0/status"),
    ([{**TASK, "title": "t" * 257}], "less than 257 characters [json-pointer:/chunks/0/title]"),
    ([{"type": "plan_update"}], "missing required field: title"),
    ("{", "valid JSON"),
)
TOO_LONG = "x" * 12_001
ALL = ((START, starting), *((name, adding) for name in GROWING))

CASES = [
    *(Case(name, "channel_not_found", {"channel": "C0NONE", "ts": "1.000001"}) for name, _ in ALL),
    *(Case(name, "invalid_chunks", made(chunks=wrong), says) for name, made in ALL for wrong, says in WRONG_CHUNKS),
    *(Case(name, "msg_too_long", made(markdown_text=TOO_LONG)) for name, made in ALL),
    *(Case(name, "msg_too_long", made(chunks=[{"type": "markdown_text", "text": TOO_LONG}])) for name, made in ALL),
    *(
        Case(name, "invalid_blocks", made(chunks=[{"type": "blocks", "blocks": [{}]}]), "/chunks/0/")
        for name, made in ALL
    ),
    *(Case(name, "msg_blocks_too_many", full) for name in GROWING),
    Case(START, "msg_blocks_too_many", starting(chunks=[{"type": "blocks", "blocks": [{"type": "divider"}] * 26}] * 2)),
    Case(START, "not_in_channel", in_channel(lambda world: world.channel(joined=False))),
    Case(START, "is_archived", in_channel(archived)),
    Case(START, "messages_tab_disabled", in_channel(lambda world: "D0ADA"), app=Manifest(messages_tab=False)),
    Case(START, "invalid_thread_ts", starting(thread_ts=None)),
    Case(START, "invalid_thread_ts", starting(thread_ts="1.000001")),
    Case(START, "missing_recipient_user_id", starting(recipient_user_id=None)),
    Case(START, "missing_recipient_team_id", starting(recipient_team_id=None)),
    Case(START, "user_not_found", starting(recipient_user_id="U0NONE")),
    Case(START, "user_not_found", starting(recipient_team_id="T0NONE")),
    Case(START, "invalid_arguments", starting(task_display_mode="sparse"), "timeline, plan, dense"),
    *(Case(name, "message_not_found", {"channel": "C0ASK", "ts": "1.000001"}) for name in GROWING),
    *(Case(name, "message_not_in_streaming_state", over) for name in GROWING),
    *(Case(name, "message_not_in_streaming_state", ended) for name in GROWING),
    *(Case(name, "message_not_owned_by_app", of_a_person) for name in GROWING),
    Case("chat.appendStream", "stopped_by_user", stopped),
    Case("chat.appendStream", "no_text", adding()),
    Case(STOP, "invalid_arguments", adding(session_status="busy"), "/session_status"),
    Case(STOP, "invalid_blocks", adding(blocks=[{"type": "divider"}] * 51), "no more than 50 items allowed"),
    Case(STOP, "invalid_blocks_format", adding(blocks="{")),
    Case(STOP, "msg_blocks_too_long", adding(blocks=[SECTION] * 5)),
    Case(STOP, "invalid_metadata_format", adding(metadata={"event_type": 1})),
    Case(STOP, "metadata_too_large", adding(metadata={"event_type": "e", "event_payload": {"a": "x" * 8000}})),
]
