"""What a webhook is owed is sent by one process, however many look for it at once, on both databases."""

import socket
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine

from bot.store.engine import open_engine
from knowledge.clock import Clock
from knowledge.tenancy import Person
from trainers.api import delivering
from trainers.api import hooks as owing
from trainers.api.delivering import Sender, deliver
from trainers.api.hooks import CLAIM, MOST_AT_ONCE, WAITS, Hooks
from trainers.api.keys import Keys, Made, Wish
from trainers.api.tables import ApiHook, ApiJob
from trainers.openai_api import signing

ADA = Person(workspace_id="T1", user_id="U0ADA")
NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)
ENDED = "fine_tuning.job.succeeded"


@dataclass(frozen=True, kw_only=True)
class Ear(Sender):
    """Notes what is sent instead of sending it, and answers with a status."""

    heard: list[str] = field(default_factory=list)
    status: int = 204

    def send(self, hook: ApiHook, told: signing.Told, clock: Clock) -> int:
        self.heard.append(told.id)
        return self.status


def owed(engine: Engine, jobs: int) -> None:
    """Make two addresses and let so many jobs end."""
    key: Made = Keys(engine).create(Wish(name="test", per_minute=100), ADA, NOW)
    for name in ("one", "two"):
        Hooks(engine).add(key.key, name, f"https://example.com/{name}", [ENDED], NOW)
    with engine.begin() as connection:
        for number in range(jobs):
            job = ApiJob(id=f"ftjob-{number}", workspace_id="T1", key_id=key.key.id, owner=ADA.user_id, request="{}",
                         training_file="file-1", created_at=NOW)  # fmt: skip
            owing.owe(connection, job, ENDED, NOW)


def test_two_processes_send_each_event_to_each_address_once(engine: Engine, address: str) -> None:
    """Two that look at the same moment share what is due: each event goes to each address once, and none is left."""
    owed(engine, 20)
    ears, begin = [Ear(), Ear()], threading.Barrier(2)

    def process(ear: Ear) -> None:
        mine = open_engine(address)  # as another process has it: connections of its own
        begin.wait(10)
        while deliver(Hooks(mine), ear, lambda: NOW):
            pass
        mine.dispose()

    threads = [threading.Thread(target=process, args=(ear,)) for ear in ears]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    heard = Counter(ears[0].heard + ears[1].heard)
    assert (len(heard), set(heard.values())) == (40, {1})
    assert Hooks(engine).claim(NOW + timedelta(days=9)) == []


def test_a_claim_that_was_left_is_taken_up_after_a_while(engine: Engine) -> None:
    """Nobody else has an attempt while it is claimed; of a process that died with it the next attempt is due later."""
    owed(engine, 1)
    first = Hooks(engine).claim(NOW)
    assert [each.delivery.tries for each in first] == [1, 1]
    assert Hooks(engine).claim(NOW + CLAIM - timedelta(seconds=1)) == []
    again = Hooks(engine).claim(NOW + CLAIM)
    assert {each.delivery.id for each in again} == {each.delivery.id for each in first}
    Hooks(engine).tried(first[0].delivery, 204, NOW + CLAIM)  # it wakes up after all: the claim is another's by now
    assert len(Hooks(engine).claim(NOW + 2 * CLAIM)) == 2


@pytest.mark.parametrize("status", [0, 500])
def test_what_fails_is_tried_until_it_is_given_up(engine: Engine, status: int) -> None:
    """Ten attempts with growing waits, the same event each time, then never again."""
    owed(engine, 1)
    ear, now = Ear(status=status), NOW
    for wait in (*WAITS[1:], 10 * 24 * 3600, 10 * 24 * 3600):
        deliver(Hooks(engine), ear, lambda now=now: now)  # type: ignore[misc]  # a lambda with a default
        now += timedelta(seconds=wait)
    assert set(Counter(ear.heard).values()) == {len(WAITS)}
    assert MOST_AT_ONCE >= 2


@pytest.mark.parametrize(
    ("head", "limit", "status"), [(b"HTTP/1.1 200 OK\r\ncontent-length: 9999\r\n\r\n", 60.0, 200), (b"HTTP", 1.0, 0)]
)
def test_an_answer_a_byte_at_a_time_holds_nobody(
    monkeypatch: pytest.MonkeyPatch, head: bytes, limit: float, status: int
) -> None:
    """The status is taken without the body behind it, and one limit holds for however slow it comes."""
    monkeypatch.setattr(delivering, "SECONDS", limit)
    over = threading.Event()

    def drip(server: socket.socket) -> None:
        with server.accept()[0] as connection, suppress(OSError):
            connection.sendall(head)
            while not over.wait(0.1):
                connection.sendall(b"x")

    with socket.create_server(("127.0.0.1", 0)) as server:
        dripping = threading.Thread(target=drip, args=(server,), daemon=True)
        dripping.start()
        hook = ApiHook(
            id="we_1", workspace_id="T1", key_id="k", owner="U", name="n", event_types="",
            url=f"http://127.0.0.1:{server.getsockname()[1]}/", secret=signing.new_secret(), created_at=NOW,
            changed_at=NOW,
        )  # fmt: skip
        begun = time.monotonic()
        sender = Sender(inside=("127.0.0.1",))
        assert sender.send(hook, signing.event("evt", ENDED, "ftjob", 0), lambda: NOW) == status
        assert time.monotonic() - begun < 50
        over.set()
        dripping.join(5)
