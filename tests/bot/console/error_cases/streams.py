"""Errors of chat.startStream, appendStream, stopStream."""

from typing import Any

from tests.bot.console.error_cases import Case, Json, World

NAMED = {"recipient_user_id": "U0ADA", "recipient_team_id": "T0NORTHWIND"}
GROWING = ("chat.appendStream", "chat.stopStream")


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


CASES = [
    Case("chat.startStream", "invalid_thread_ts", starting(thread_ts=None)),
    Case("chat.startStream", "missing_recipient_user_id", starting(recipient_user_id=None)),
    *(Case(name, "message_not_in_streaming_state", over) for name in GROWING),
    *(Case(name, "message_not_owned_by_app", of_a_person) for name in GROWING),
]
