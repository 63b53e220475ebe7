"""Measures the ledger: jobs a second through a whole life beside plain RQ, and how fast processes claim from one table.

A life is: propose, approve, ring, claim, progress, succeed, with the rehearsal as the work and steps that take no time.
Both databases write through to the disk (`synchronous=FULL`, `fsync=on`). Workers of both kinds are RQ's SimpleWorker
on one Valkey. Run as: python -m bench.ledger [--jobs 300] [--seconds 4] [--json]
"""

import argparse
import json
import multiprocessing
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from multiprocessing.synchronize import Barrier
from pathlib import Path
from typing import Any, NamedTuple

from redis import Redis
from rq import Queue, SimpleWorker
from sqlalchemy import Engine, insert, select, text, update

from bot.settings import Settings
from bot.store.engine import open_engine
from bot.store.migrate import migrate
from bot.wiring import build_deps, build_runner
from knowledge.tenancy import Person
from tests.postgres import DURABLE, Postgres
from tests.valkey import running_valkey
from trainers.backends.rehearsal import RehearsalBackend
from trainers.jobs.ledger import Ledger
from trainers.jobs.queue import answer_door
from trainers.jobs.service import Place
from trainers.spec import TrainingSpec
from trainers.tables import Job

WORKERS, CLAIMERS = (1, 2, 4), (1, 4, 8)
ADA = Person(workspace_id="T1", user_id="U0ADA")
WAITING = 20_000
"""Jobs that wait in the table while processes claim."""

_spawn = multiprocessing.get_context("spawn")
_jobs = Job.__table__  # type: ignore[attr-defined]  # SQLModel adds it


class Lives(NamedTuple):
    """Jobs a second, by part of their life."""

    database: str
    workers: int
    proposed: float
    approved: float
    worked: float
    """Claim to report, all workers together: what is comparable with plain RQ."""


class Plain(NamedTuple):
    """Empty jobs a second by RQ alone, in the same run."""

    plain_rq_workers: int
    enqueued: float
    worked: float


class Claims(NamedTuple):
    """What several processes claimed from one table."""

    database: str
    processes: int
    a_second: float
    p50_ms: float
    p99_ms: float
    longest_ms: float
    double: int
    """Jobs that two processes got, or one got twice: has to be 0."""


def lives(url: str, redis_url: str, jobs: int, workers: int) -> Lives:
    """Lead `jobs` jobs through their lives, the last part of it by `workers` processes."""
    with tempfile.TemporaryDirectory() as name:
        # Without a tokenizer in the cache a quote counts characters: counting tokens is 0.14 s and no work of ours.
        env = {"DATA_DIR": name, "LUTHIER_CACHE": name, "DATABASE_URL": url, "REDIS_URL": redis_url}
        engine = open_engine(url)
        migrate(engine, Path(name) / "run")
        deps = build_deps(Settings.from_env(env), engine)
        dataset = deps.datasets.example("tickets", ADA, deps.clock()).dataset
        spec, place = TrainingSpec(backend="rehearsal"), Place("C1", "1.1")
        began = time.time()
        people = [
            Person(workspace_id="T1", user_id=f"U{number}") for number in range(jobs)
        ]  # one may have ten at a time
        made = [deps.jobs.propose(dataset, spec, person=who, now=deps.clock(), place=place) for who in people]
        proposed = time.time()
        for job, who in zip(made, people, strict=True):
            deps.jobs.approve(job.id, job.quote_hash, who, deps.clock())
        approved = time.time()
        seconds = _together(_work, workers, (env,))
        with engine.connect() as connection:
            done = Counter(tuple(row) for row in connection.execute(select(_jobs.c.state, _jobs.c.fence)))
        engine.dispose()
    assert done == {("succeeded", 1): jobs}, done  # noqa: S101  # a figure over anything else would be a lie
    rates = (jobs / (proposed - began), jobs / (approved - proposed), jobs / seconds)
    return Lives(url.partition(":")[0], workers, *(round(rate, 1) for rate in rates))


def plain(redis_url: str, jobs: int, workers: int) -> Plain:
    """Work off as many empty jobs by RQ alone; its queue is its only memory."""
    door = Queue("plain", connection=Redis.from_url(redis_url))
    began = time.time()
    for _ in range(jobs):
        door.enqueue(time.time)
    enqueued = jobs / (time.time() - began)
    worked = jobs / _together(_work_plainly, workers, (redis_url,))
    return Plain(workers, round(enqueued, 1), round(worked, 1))


def claims(url: str, seconds: float, processes: int) -> Claims:
    """Let `processes` processes claim for so many seconds."""
    engine = open_engine(url)
    with tempfile.TemporaryDirectory() as name:
        migrate(engine, Path(name))
        _fill(engine)
    with _spawn.Pool(processes) as pool:
        pool.map(time.sleep, [0.2] * processes)  # all have started
        found = pool.starmap(_claim, [(url, seconds, number) for number in range(processes)], chunksize=1)
    engine.dispose()
    taken = Counter(job_id for ids, _ in found for job_id in ids)
    waits = sorted(wait * 1000 for _, each in found for wait in each)
    cuts = statistics.quantiles(waits, n=100)
    double = sum(times > 1 for times in taken.values())
    rate = round(taken.total() / seconds, 1)
    figures = [round(each, 2) for each in (cuts[49], cuts[98], waits[-1])]
    return Claims(url.partition(":")[0], processes, rate, *figures, double)


def _claim(url: str, seconds: float, number: int) -> tuple[list[str], list[float]]:
    ledger, ids, waits = Ledger(open_engine(url)), [], []
    ledger.due(datetime.now(UTC))
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        began = time.monotonic()
        job = ledger.claim_next("io", f"w{number}", datetime.now(UTC))
        waits.append(time.monotonic() - began)
        if job is None:
            break
        ids.append(job.id)
    return ids, waits


def _fill(engine: Engine) -> None:
    with tempfile.TemporaryDirectory() as name:
        deps = build_deps(Settings.from_env({"DATA_DIR": name}), engine)
        dataset = deps.datasets.example("tickets", ADA, deps.clock()).dataset
        first = deps.jobs.propose(dataset, TrainingSpec(backend="rehearsal"), person=ADA, now=deps.clock())
    now = datetime.now(UTC)
    common = {**first.model_dump(), "approved_by": "U0ADA", "approved_at": now}
    rows = [{**common, "id": f"job_{number}", "number": number} for number in range(2, WAITING + 2)]
    with engine.begin() as connection:
        connection.execute(insert(_jobs), rows)
        connection.execute(update(_jobs).where(_jobs.c.id != first.id).values(state="queued"))
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE"))


def _together(work: Callable[..., None], count: int, arguments: tuple[Any, ...]) -> float:
    """Run processes that begin at the same moment; gives the seconds until the last one is done."""
    start, done = _spawn.Barrier(count + 1), _spawn.SimpleQueue()
    processes = [_spawn.Process(target=_timed, args=(work, start, done, arguments)) for _ in range(count)]
    for process in processes:
        process.start()
    start.wait()
    began = time.time()
    ends = [done.get() for _ in processes]
    for process in processes:
        process.join()
    return float(max(ends) - began)


def _timed(work: Callable[..., Callable[[], None]], start: Barrier, done: Any, arguments: tuple[Any, ...]) -> None:
    ready = work(*arguments)
    start.wait()
    ready()
    done.put(time.time())


def _work(env: dict[str, str]) -> Callable[[], None]:
    settings = Settings.from_env(env)
    runner = build_runner(settings)
    runner.ledger.due(runner.clock())
    runner = replace(runner, backend=lambda _: RehearsalBackend(steps=1, seconds_per_step=0))
    return lambda: answer_door(settings.redis_url, "io", runner.work, burst=True)


def _work_plainly(redis_url: str) -> Callable[[], None]:
    connection = Redis.from_url(redis_url)
    worker = SimpleWorker(["plain"], connection=connection, log_job_description=False)
    return lambda: worker.work(burst=True, logging_level="WARNING") and None


@contextmanager
def _servers() -> Iterator[tuple[Postgres, str]]:
    """A Postgres and a Valkey of our own."""
    postgres = Postgres(DURABLE)
    with tempfile.TemporaryDirectory() as name:
        try:
            with running_valkey(Path(name)) as address:
                yield postgres, address
        finally:
            postgres.stop()


def main() -> None:
    """Measure everything in one run and print it as a table, or as JSON."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--jobs", type=int, default=300)
    options.add_argument("--seconds", type=float, default=4.0)
    options.add_argument("--json", action="store_true")
    asked = options.parse_args()
    found: list[Lives | Plain | Claims] = []
    with _servers() as (postgres, redis_url), tempfile.TemporaryDirectory() as name:
        for number in WORKERS:
            sqlite = f"sqlite:///{Path(name) / f'lives{number}.db'}"
            found.append(plain(redis_url, asked.jobs * 3, number))
            found.extend(lives(url, redis_url, asked.jobs, number) for url in (sqlite, postgres.url(postgres.create())))
        for number in CLAIMERS:
            sqlite = f"sqlite:///{Path(name) / f'claims{number}.db'}"
            found.extend(claims(url, asked.seconds, number) for url in (sqlite, postgres.url(postgres.create())))
    if asked.json:
        print(json.dumps([each._asdict() for each in found]))
        return
    for each in found:
        print(", ".join(f"{what.replace('_', ' ')}: {figure}" for what, figure in each._asdict().items()))


if __name__ == "__main__":
    main()
