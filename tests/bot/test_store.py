"""The database, SQLite and Postgres: the engine serialises writers, the inbox loses nothing, one process leads."""

import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

import psycopg
import pytest
from sqlalchemy import Engine, event, select, text
from sqlalchemy.exc import InternalError

from bot.store.clock import open_clock
from bot.store.engine import open_engine
from bot.store.inbox import MAX_TRIES, MOST_DEATHS, WORK_LIMIT, Inbox
from bot.store.leader import LEASE, hold, release
from knowledge.clock import utc_now
from knowledge.errors import UserError
from trainers.tables import Leader

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def test_sqlite_is_opened_for_a_ledger(tmp_path: Path) -> None:
    """WAL, full synchronisation, foreign keys and secure delete are on."""
    with open_engine(f"sqlite:///{tmp_path / 'luthier.db'}").connect() as connection:
        found = {
            p: connection.exec_driver_sql(f"PRAGMA {p}").scalar_one()
            for p in ("journal_mode", "synchronous", "foreign_keys")
        }
        assert found == {"journal_mode": "wal", "synchronous": 2, "foreign_keys": 1}
        assert connection.exec_driver_sql("PRAGMA secure_delete").scalar_one() == 1


def test_read_then_write_from_many_threads_never_fails(engine: Engine) -> None:
    """Eight threads that read and then write in one transaction count to 160 without a lost update or a lock error."""
    with engine.begin() as connection:
        connection.execute(text("insert into leader(role, owner, lease_until) values ('count', '0', 0)"))

    def count() -> None:
        for _ in range(20):
            with engine.begin() as connection:
                seen = int(connection.execute(select(Leader.owner).with_for_update()).scalar_one())
                connection.execute(text("update leader set owner = :n"), {"n": str(seen + 1)})

    threads = [threading.Thread(target=count) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with engine.connect() as connection:
        assert connection.execute(text("select owner from leader")).scalar_one() == "160"


def test_a_delivery_is_taken_once(engine: Engine) -> None:
    """The same event twice is one row."""
    inbox = Inbox(engine)
    assert inbox.take("event:1", "{}", {}, NOON, state="waiting")
    assert not inbox.take("event:1", "{}", {}, NOON, state="waiting")
    assert [row.key for row in inbox.due(NOON, 10)] == ["event:1"]


def test_work_that_died_comes_back(engine: Engine) -> None:
    """A claimed row is not due while its worker may live, and due again after, or at once when the process restarts."""
    inbox = Inbox(engine)
    inbox.take("event:1", "{}", {}, NOON, state="waiting")
    inbox.due(NOON, 10)
    assert inbox.due(NOON + timedelta(seconds=5), 10) == []
    assert inbox.reopen(NOON + timedelta(seconds=6)) == 1
    assert len(inbox.due(NOON + timedelta(seconds=6), 10)) == 1
    assert len(inbox.due(NOON + timedelta(seconds=7) + WORK_LIMIT, 10)) == 1


def test_done_work_is_forgotten(engine: Engine) -> None:
    """After its work a request's body is gone, while its key still stops a replay."""
    inbox = Inbox(engine)
    inbox.take("event:1", "somebody's words", {"a": "b"}, NOON, state="waiting")
    inbox.done("event:1")
    with engine.connect() as connection:
        assert connection.execute(text("select body, headers from inbox")).one() == ("", "")
    assert not inbox.take("event:1", "somebody's words", {}, NOON, state="waiting")


def test_work_that_keeps_failing_is_put_aside(engine: Engine) -> None:
    """A request that fails every time is tried a few times, later each time, and then given up."""
    inbox, now = Inbox(engine), NOON
    inbox.take("event:1", "{}", {}, now, state="waiting")
    tries = 0
    while rows := inbox.due(now, 10):
        tries += 1
        inbox.failed(rows[0], now)
        now += timedelta(minutes=1)
    assert tries == MAX_TRIES


@pytest.mark.parametrize("state", ["waiting", "running"])
def test_a_request_that_kills_its_process_is_put_aside(engine: Engine, state: Literal["waiting", "running"]) -> None:
    """A request over which the process dies at every start is begun a few times, and then given up and forgotten."""
    inbox, starts = Inbox(engine), int(state == "running")  # whoever takes a running one begins it
    inbox.take("event:1", "a file too large", {}, NOON, state=state)
    for minute in range(10):
        now = NOON + timedelta(minutes=minute)
        inbox.reopen(now)
        for row in inbox.due(now, 10):
            if inbox.spent(row):
                inbox.give_up(row.key)
            else:
                starts += 1
    assert starts == MOST_DEATHS
    with engine.connect() as connection:
        assert connection.execute(text("select state, body from inbox")).one() == ("failed", "")


def test_what_runs_is_nobody_elses_work(engine: Engine) -> None:
    """A running request is due only after its process has died."""
    inbox = Inbox(engine)
    inbox.take("request:1", "{}", {}, NOON, state="running")
    assert inbox.due(NOON + timedelta(minutes=1), 10) == []
    assert inbox.reopen(NOON + timedelta(minutes=2)) == 1
    assert [row.key for row in inbox.due(NOON + timedelta(minutes=2), 10)] == ["request:1"]


def test_one_process_leads(engine: Engine) -> None:
    """A role stays with its holder, passes on when it is released, and when its lease runs out."""
    assert hold(engine, "messenger", "a", NOON)
    assert not hold(engine, "messenger", "b", NOON + LEASE / 2)
    release(engine, "messenger", "a", NOON + LEASE / 2)
    assert hold(engine, "messenger", "b", NOON + LEASE / 2 + timedelta(seconds=1))
    assert hold(engine, "messenger", "a", NOON + 2 * LEASE)


def test_a_role_is_written_only_when_half_its_lease_is_gone(engine: Engine) -> None:
    """Asking for one's own role, or somebody else's, only reads; past half of the lease it is renewed."""
    assert hold(engine, "messenger", "a", NOON)
    written: list[str] = []

    @event.listens_for(engine, "before_cursor_execute")
    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if not statement.startswith(("SELECT", "BEGIN")) or "IMMEDIATE" in statement:
            written.append(statement)

    assert hold(engine, "messenger", "a", NOON + LEASE * 0.4)
    assert not hold(engine, "messenger", "b", NOON + LEASE * 0.4)
    assert written == []
    assert hold(engine, "messenger", "a", NOON + LEASE * 0.6)
    assert [statement for statement in written if statement.startswith("UPDATE")]
    assert not hold(engine, "messenger", "b", NOON + LEASE * 1.5)


def test_a_free_role_goes_to_one_of_many(engine: Engine) -> None:
    """Eight processes ask at the same moment, for a new role and for one whose lease ran out: one gets it."""
    for moment in (NOON, NOON + 2 * LEASE):
        start, got = threading.Barrier(8), []

        def ask(owner: str, now: datetime = moment, start: threading.Barrier = start, got: list[str] = got) -> None:
            start.wait()
            if hold(engine, "messenger", owner, now):
                got.append(owner)

        threads = [threading.Thread(target=ask, args=(str(n),)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(got) == 1


def test_leases_run_by_the_clock_that_machines_share(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    """On Postgres the server tells the time, between its answers and while it is away; SQLite needs no such clock."""
    clock = open_clock(engine)
    if engine.dialect.name == "sqlite":
        assert clock is utc_now
        return
    with engine.connect() as connection:
        server = connection.execute(text("select clock_timestamp()")).scalar_one()
    assert abs(clock() - server) < timedelta(seconds=2)
    monkeypatch.setattr("bot.store.clock.ASK_EVERY", 0.0)
    first = clock()
    with monkeypatch.context() as away:
        away.setattr(engine.dialect, "do_execute", refuse)
        assert first < clock() < first + timedelta(seconds=5)
    assert clock() > first


def refuse(*_: object) -> None:
    raise psycopg.OperationalError("the server is away")


@pytest.mark.parametrize("owner", ["a\x00b", "half \ud800"], ids=["NUL", "half a pair"])
def test_what_cannot_be_kept_is_refused_alike(engine: Engine, owner: str) -> None:
    """NUL and halves of surrogate pairs are refused in words on both databases, and the transaction leaves nothing."""
    with pytest.raises(UserError, match="cannot be kept"):
        hold(engine, "messenger", owner, NOON)
    assert hold(engine, "messenger", "plain \U0001f3bb and \u00e9", NOON)


@pytest.mark.parametrize(
    ("url", "says"),
    [("mysql://u@h/d", "mysql"), ("nonsense", "no database address"), ("", "no database address")],
)
def test_an_address_of_no_use_is_explained(url: str, says: str) -> None:
    """What we cannot open is refused at the start, with an example of what would do."""
    with pytest.raises(UserError, match=says) as refused:
        open_engine(url)
    assert "postgresql://" in refused.value.next_step


def test_a_reader_cannot_write_on_postgres(engine: Engine) -> None:
    """A transaction that said it only reads is held to it where the database can, and the next one writes again."""
    reader = engine.execution_options(reading=True)
    change = text("insert into leader(role, owner, lease_until) values ('r', 'o', 0)")
    if engine.dialect.name == "postgresql":
        with reader.connect() as connection, pytest.raises(InternalError):
            connection.execute(change)
    with engine.begin() as connection:
        connection.execute(change)
