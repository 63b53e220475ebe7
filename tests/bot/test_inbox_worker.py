"""The inbox's worker: a busy database, a broken request and a full house do not stop it."""

import json
import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from slack_bolt import App
from slack_bolt.authorization import AuthorizeResult
from sqlalchemy import Engine, text

from bot.inbox_worker import ANSWERING, InboxWorker
from bot.store.inbox import MAX_TRIES, Inbox
from tests.console import wait_for
from tests.databases import kept

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)
Listener = Callable[[dict[str, Any]], None]


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> datetime:
        return self.now


@contextmanager
def working(engine: Engine, listener: Listener, clock: Clock | None = None) -> Iterator[InboxWorker]:
    """Run a worker whose App has one listener."""
    who = AuthorizeResult(enterprise_id=None, team_id="T1", bot_token="xoxb-1", bot_user_id="U1", bot_id="B1")
    app = App(name="luthier", process_before_response=True, request_verification_enabled=False, authorize=lambda: who)
    app.event("app_mention")(lambda event: listener(event))
    worker = InboxWorker(app, Inbox(engine), clock or Clock())
    worker.start()
    try:
        yield worker
    finally:
        worker.stop()


def ask(engine: Engine, number: int, words: str = "hello") -> None:
    """Put a mention into the inbox."""
    inner = {"type": "app_mention", "user": "U2", "text": words, "channel": "C1", "ts": f"{number}.1"}
    outer = {"type": "event_callback", "team_id": "T1", "api_app_id": "A1", "event": inner}
    headers = {"content-type": "application/json"}
    assert Inbox(engine).take(f"event:{number}", json.dumps(outer), headers, NOON, state="waiting")


def states(engine: Engine) -> list[tuple[str, int]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text("select state, tries from inbox order by received_at"))]


def test_a_busy_database_does_not_end_the_work(hasty: Engine, address: str, caplog: pytest.LogCaptureFixture) -> None:
    """While another writer keeps the database the worker says so and lives; what waits is worked on afterwards."""
    heard: list[str] = []
    ask(hasty, 1)
    other = ExitStack()
    other.enter_context(kept(address))
    with other, working(hasty, lambda event: heard.append(event["text"])) as worker:
        wait_for(lambda: "OperationalError" in caplog.text, what="a refusal in the log")
        assert worker.alive
        other.close()
        wait_for(lambda: states(hasty) == [("done", 1)], what="the question is answered")
        assert heard == ["hello"]
    assert not worker.alive


def test_a_request_that_breaks_is_logged_and_tried_again(engine: Engine, caplog: pytest.LogCaptureFixture) -> None:
    """What nobody foresaw is logged by type and place, without content; it is tried later, and given up in the end."""
    clock = Clock()
    ask(engine, 1, "secret words")
    with engine.begin() as connection:
        connection.execute(text("update inbox set headers = 'secret headers'"))
    with caplog.at_level(logging.ERROR), working(engine, lambda _: None, clock) as worker:
        for tries in range(1, MAX_TRIES + 1):
            wait_for(lambda tries=tries: caplog.text.count("JSONDecodeError at") == tries, what=f"try {tries}")
            wait_for(lambda: worker._free._value == ANSWERING, what="its thread is free again")
            clock.now += timedelta(minutes=1)
            worker.wake()
        wait_for(lambda: states(engine) == [("failed", MAX_TRIES)], what="it is given up")
    assert "secret" not in caplog.text
    assert "given up" in caplog.text


def test_only_what_can_be_begun_is_claimed(engine: Engine) -> None:
    """With every thread busy the rest waits unclaimed, so that its time and its tries do not run out in the queue."""
    released, begun = threading.Event(), threading.Semaphore(0)

    def slow(_: dict[str, Any]) -> None:
        begun.release()
        assert released.wait(30)

    for number in range(ANSWERING + 3):
        ask(engine, number)
    with working(engine, slow) as worker:
        for _ in range(ANSWERING):
            assert begun.acquire(timeout=10)
        worker.wake()
        assert not begun.acquire(timeout=0.3)
        assert sorted(tries for _, tries in states(engine)) == [0] * 3 + [1] * ANSWERING
        released.set()
        wait_for(lambda: {state for state, _ in states(engine)} == {"done"}, timeout=10, what="all are answered")
