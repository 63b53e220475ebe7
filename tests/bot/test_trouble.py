"""The database or the queue refuses: whoever asked hears it in words, and the ledger goes on legally afterwards."""

import json
import logging
import os
import signal
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy import Engine, event, text
from sqlalchemy.exc import OperationalError
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient

from bot.app import bolt
from bot.gate import Gate
from bot.settings import Settings
from bot.store.inbox import Inbox
from bot.store.leader import hold
from bot.wiring import build_deps
from handlers.errors import words_for
from tests.bot.test_gate import FORM, JSON, SECRET, command, signed
from tests.bot.test_gate import event as slack_event
from tests.databases import kept
from tests.trainers.jobs.conftest import ADA, Watch, approved, bell, jobs, quoted, runner, watch
from tests.valkey import running_valkey
from trainers.backends.base import Keeper, Order, Trained, Waiting
from trainers.backends.rehearsal import RehearsalBackend
from trainers.jobs import outbox
from trainers.jobs.ledger import LEASE
from trainers.jobs.queue import RqDoorbell, answer_door
from trainers.jobs.run import Runner, sweep
from trainers.jobs.service import Jobs
from trainers.states import TRANSITIONS
from trainers.tables import Job

__all__ = ["approved", "bell", "jobs", "quoted", "runner", "watch"]  # fixtures

ROOT = Path(__file__).resolve().parents[2]
MakeRunner = Callable[..., Runner]


@contextmanager
def full(engine: Engine) -> Iterator[None]:
    """Let the database have no room for one more row: by SQLite's own limit, by an error of Postgres' own."""
    engine.dispose()
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _limit)
        yield
        event.remove(engine, "connect", _limit)
        engine.dispose()
        return
    with engine.begin() as connection:
        connection.execute(text(FULL))
        for table in ("job", "job_event", "outbox_message", "inbox"):
            connection.execute(
                text(f"create trigger full_{table} before insert or update on {table} execute function full()")
            )
    yield
    with engine.begin() as connection:
        connection.execute(text("drop function full cascade"))


FULL = """create function full() returns trigger language plpgsql as $$
begin raise exception 'could not extend file: No space left on device' using errcode = 'disk_full'; end $$"""


def _limit(connection: sqlite3.Connection, _: object) -> None:
    connection.execute("PRAGMA cache_spill=OFF")
    connection.execute("PRAGMA max_page_count=1")  # SQLite takes the present size where that is more


def history(jobs: Jobs, job: Job) -> list[tuple[str, str]]:
    query = text("select old_state, new_state from job_event where job_id = :id order by id")
    with jobs.ledger.engine.connect() as connection:
        return [tuple(row) for row in connection.execute(query, {"id": job.id})]


def is_legal(jobs: Jobs, job: Job) -> bool:
    """Whether the history is a path of allowed steps from a draft to the present state."""
    steps, at = history(jobs, job), "draft"
    for old, new in steps:
        if old != at or not (old == new or new in TRANSITIONS[old]):
            return False
        at = new
    return at == jobs.ledger.get(job.id).state


def test_a_click_on_a_database_that_is_kept_changes_nothing(
    hasty: Engine, address: str, jobs: Jobs, quoted: Job, watch: Watch
) -> None:
    """Somebody else keeps the database: the click is refused, the person hears why, and the next click counts."""
    with kept(address), pytest.raises(OperationalError) as refused:
        jobs.approve(quoted.id, quoted.quote_hash, ADA, watch())
    assert "busy, full or away" in words_for(refused.value)
    assert jobs.ledger.get(quoted.id).state == "quoted"
    assert jobs.approve(quoted.id, quoted.quote_hash, ADA, watch()).changed
    assert is_legal(jobs, quoted)


def test_a_click_on_a_full_disk_changes_nothing(engine: Engine, jobs: Jobs, quoted: Job, watch: Watch) -> None:
    """Without room for a row nothing of an approval is kept; with room again it goes through as a whole."""
    with full(engine):
        fill(engine, quoted)
        before = len(history(jobs, quoted))
        with pytest.raises(OperationalError) as refused:
            jobs.approve(quoted.id, quoted.quote_hash, ADA, watch())
    assert "busy, full or away" in words_for(refused.value)
    assert (jobs.ledger.get(quoted.id).state, len(history(jobs, quoted))) == ("quoted", before)
    assert jobs.approve(quoted.id, quoted.quote_hash, ADA, watch()).changed
    assert is_legal(jobs, quoted)


def fill(engine: Engine, job: Job) -> None:
    """Use up what room SQLite's pages still have, the free ones and the one of a job's history."""
    if engine.dialect.name != "sqlite":
        return
    row = "insert into inbox values (:n, :text, '', 'done', 0, 0, null)"
    remark = "insert into job_event(job_id, at, old_state, new_state, fence, who, note)"
    remark += " select id, 0, state, state, fence, '', :text from job where id = :id"
    for statement, size in ((row, 2000), (row, 1), (remark, 500), (remark, 1)):
        for number in range(20_000):
            try:
                with engine.begin() as connection:
                    values = {"text": "x" * size, "id": job.id, "n": f"{size}:{number}"}
                    connection.execute(text(statement), values)
            except OperationalError:
                break


@pytest.mark.parametrize("at", ["claimed", "at work"])
def test_work_on_a_full_disk_waits_for_room(
    engine: Engine, jobs: Jobs, approved: Job, runner: MakeRunner, watch: Watch, at: str
) -> None:
    """A worker that cannot write puts the job down; the sweeper rings when there is room, and it ends."""
    worker = runner("w1", steps=3)
    if at == "claimed":
        job = jobs.ledger.claim(approved.id, "w1", watch())
        assert job is not None
        watch.move(seconds=LEASE.total_seconds() + 1)
    with full(engine):
        fill(engine, approved)
        with pytest.raises(OperationalError):
            worker.work(approved.id)
    assert jobs.ledger.get(approved.id).state in ("queued", "running")
    rung: list[str] = []
    sweep(jobs.ledger, lambda job: rung.append(job.id) is None, watch.move(seconds=LEASE.total_seconds() + 1))
    assert rung == [approved.id]
    runner("w2").work(approved.id)
    assert jobs.ledger.get(approved.id).state == "succeeded"
    assert is_legal(jobs, approved)
    keys = [row.key for row in outbox.due(engine, watch.move(minutes=1))]
    assert len(keys) == len(set(keys))


class Crowded(RehearsalBackend):
    """A backend whose checkpoint finds no room, with the system's own error."""

    def advance(self, order: Order, keeper: Keeper) -> Trained | Waiting:
        Path("/dev/full").write_text("a checkpoint")
        return super().advance(order, keeper)


def test_a_full_disk_of_files_ends_the_job_in_words(
    jobs: Jobs, approved: Job, runner: MakeRunner, watch: Watch
) -> None:
    """Where a checkpoint cannot be written the thread says that there is no room, and resume continues."""
    replace(runner("w1"), backend=lambda _: Crowded()).work(approved.id)
    failed = jobs.ledger.get(approved.id)
    assert failed.state == "failed"
    assert "No space left on device" in failed.error_what
    assert "Free what is missing" in failed.error_next
    jobs.resume(approved.id, ADA, watch())
    runner("w2").work(approved.id)
    assert jobs.ledger.get(approved.id).state == "succeeded"


@pytest.fixture
def web(hasty: Engine, tmp_path: Path) -> TestClient:
    """The gate before an App, on a database that does not wait long."""
    settings = Settings.from_env({"DATA_DIR": str(tmp_path / "data"), "SLACK_BOT_TOKEN": "xoxb-1"})
    app = bolt(settings, build_deps(settings, hasty), wait=False)
    gate = Gate(SECRET, app, Inbox(hasty), lambda: None, lambda: datetime.now(UTC))
    return TestClient(Starlette(routes=[Route("/slack/events", gate.receive, methods=["POST"])]))


@pytest.mark.parametrize("kind", [JSON, FORM])
def test_what_cannot_be_written_down_is_not_acknowledged(web: TestClient, address: str, kind: str) -> None:
    """While the database is kept Slack gets 503 in words without a trace, so that it sends the event again."""
    body = slack_event() if kind == JSON else command("/tune", "help")
    headers = {"content-type": kind, **signed(body)}
    with kept(address):
        answer = web.post("/slack/events", content=body, headers=headers)
    assert (answer.status_code, answer.text) == (503, "try again")
    if kind == JSON:
        assert web.post("/slack/events", content=body, headers=headers).status_code == 200


def test_a_request_that_cannot_be_kept_is_refused(web: TestClient) -> None:
    """NUL in a request, which Postgres cannot keep, is refused at the door on both databases."""
    body = b'{"type": "event_callback", "event_id": "Ev\\u0000", "api_app_id": "A", "team_id": "T", "x": "\x7f"}'
    answer = web.post("/slack/events", content=body, headers={"content-type": JSON, **signed(body)})
    assert answer.status_code == 400
    assert "cannot be kept" in answer.text


def test_errors_of_the_database_quote_nothing(hasty: Engine, address: str) -> None:
    """The text of an error, which lands in logs, holds none of the values that were to be stored."""
    with kept(address), pytest.raises(OperationalError) as refused:
        Inbox(hasty).take("event:1", "what a customer wrote", {}, datetime.now(UTC), state="waiting")
    assert "customer" not in str(refused.value)
    with kept(address), pytest.raises(OperationalError):
        hold(hasty, "messenger", "w1", datetime.now(UTC))


def test_the_shell_says_that_the_database_is_away(tmp_path: Path) -> None:
    """A command on a database that does not answer ends with one plain sentence and status 1."""
    env = {"DATA_DIR": str(tmp_path), "DATABASE_URL": f"postgresql://luthier@/none?host={tmp_path}", "PATH": "/usr/bin"}
    ended = subprocess.run(
        [sys.executable, "-m", "bot", "jobs", "--json"], cwd=ROOT, env=env, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 1
    assert "busy, full or away" in json.loads(ended.stdout)["error"]
    assert "Traceback" not in ended.stderr


@pytest.fixture
def queue(tmp_path: Path) -> Iterator[str]:
    """Address of a Valkey that a test may spoil."""
    with running_valkey(tmp_path / "queue") as address:
        yield address


SPOILS = {"full": ("maxmemory", "1", "0"), "too few copies": ("min-replicas-to-write", "1", "0")}
"""Ways in which a queue server refuses writes: setting, value that refuses, value that does not."""


@pytest.mark.parametrize("spoil", SPOILS)
def test_a_queue_that_refuses_is_told_in_the_thread(
    jobs: Jobs, quoted: Job, runner: MakeRunner, watch: Watch, queue: str, spoil: str
) -> None:
    """The approval counts, the card says why nothing starts, and the job runs as soon as the queue takes it."""
    jobs = replace(jobs, doorbell=RqDoorbell(queue))
    setting, bad, good = SPOILS[spoil]
    server = Redis.from_url(queue)
    server.config_set(setting, bad)
    assert jobs.approve(quoted.id, quoted.quote_hash, ADA, watch()).changed
    for _ in range(2):
        sweep(jobs.ledger, jobs.ring, watch.move(seconds=2))
        assert "The queue server takes no jobs at the moment" in note_of(jobs, watch)
    server.config_set(setting, good)
    sweep(jobs.ledger, jobs.ring, watch.move(seconds=2))
    assert note_of(jobs, watch) == "Queued, next in line"
    answer_door(queue, "io", runner("w1").work, burst=True)
    assert jobs.ledger.get(quoted.id).state == "succeeded"
    assert is_legal(jobs, quoted)


def test_a_queue_that_hangs_holds_nobody_up(queue: str) -> None:
    """A server that is stopped and takes no word costs a click two seconds, and is said to be away."""
    pid = int(Redis.from_url(queue).info("server")["process_id"])
    os.kill(pid, signal.SIGSTOP)
    try:
        begun = time.monotonic()
        assert not RqDoorbell(queue).ring("job_1", "io")
        assert time.monotonic() - begun < 6
    finally:
        os.kill(pid, signal.SIGCONT)


def test_a_worker_of_a_queue_that_refuses_ends_and_its_job_lives(
    jobs: Jobs, quoted: Job, runner: MakeRunner, watch: Watch, queue: str
) -> None:
    """A worker that cannot be a worker ends with an error for its supervisor; the next one answers the ring."""
    jobs = replace(jobs, doorbell=RqDoorbell(queue))
    jobs.approve(quoted.id, quoted.quote_hash, ADA, watch())
    server = Redis.from_url(queue)
    server.config_set("maxmemory", "1")
    with pytest.raises(RedisError):
        answer_door(queue, "io", runner("w1").work, burst=True)
    server.config_set("maxmemory", "0")
    answer_door(queue, "io", runner("w2").work, burst=True)
    assert jobs.ledger.get(quoted.id).state == "succeeded"


def note_of(jobs: Jobs, watch: Watch) -> str:
    """What the job's waiting card says."""
    owed = outbox.due(jobs.ledger.engine, watch() + (LEASE * 100))
    return next(str(json.loads(row.payload)["note"]) for row in owed if row.kind == "progress")


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_forty_seconds_without_a_database(
    address: str, jobs: Jobs, quoted: Job, runner: MakeRunner, caplog: pytest.LogCaptureFixture
) -> None:
    """The database is kept for 40 s, longer than anything waits, in the middle of a job: it still ends, once.

    Slow because it takes these forty seconds and a lease in real time.
    """
    caplog.set_level(logging.WARNING)
    clock = lambda: datetime.now(UTC)  # noqa: E731
    assert jobs.approve(quoted.id, quoted.quote_hash, ADA, quoted.created_at or clock()).changed
    over, ended = threading.Event(), threading.Event()

    def worker(name: str) -> None:
        hands = replace(runner(name, steps=100, seconds_per_step=0.05), clock=clock)
        while not over.wait(0.2):
            try:
                hands.work(quoted.id)
                if jobs.ledger.get(quoted.id).state == "succeeded":
                    ended.set()
            except OperationalError:
                caplog.clear()

    hands = [threading.Thread(target=worker, args=(name,)) for name in ("w1", "w2")]
    for each in hands:
        each.start()
    time.sleep(1)
    with kept(address):
        time.sleep(40)
    assert ended.wait(120)
    over.set()
    for each in hands:
        each.join()
    assert is_legal(jobs, quoted)
    assert [new for _, new in history(jobs, quoted)].count("succeeded") == 1
