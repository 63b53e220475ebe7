"""Measures one tick of one worker over many jobs that run at a provider: each is claimed, asked after and put back.

The provider is the rehearsal in a process of its own, whose jobs run for hours. A job takes two requests: its state and
its events. Run as: python -m bench.remote [--jobs 1000] [--json]
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import insert, update

from bot.services import free_port
from bot.store.engine import open_engine
from bot.store.migrate import migrate
from knowledge.tenancy import Person
from trainers.backends.base import Timing
from trainers.backends.hosted import HostedBackend
from trainers.backends.openai_shape import FineTuningApi
from trainers.backends.traits import traits_of
from trainers.data.store import Datasets
from trainers.evals.rule import SuccessRule
from trainers.jobs.ledger import Ledger
from trainers.jobs.queue import SilentDoorbell
from trainers.jobs.run import Runner, sweep
from trainers.jobs.service import Jobs
from trainers.spec import TrainingSpec
from trainers.tables import Job, Submission

ADA = Person(workspace_id="T1", user_id="U0ADA")
_jobs = Job.__table__  # type: ignore[attr-defined]  # SQLModel adds it
NAME = "hosted_rehearsal"
BASE = "rehearsal-small"


@contextmanager
def provider(folder: Path, count: int) -> Iterator[str]:
    """Run a provider that has so many jobs in training; gives its address."""
    ledger, port, now = folder / "provider.jsonl", free_port(), time.time()
    file = {"name": "luthier-u.jsonl", "size": 1, "purpose": "fine-tune", "examples": 60, "tokens": 9000}
    lines = [_line("uploaded", "u", id="file-1", at=now, **file)]
    body = {"model": BASE, "training_file": "file-1"}
    lines += [
        _line("created", f"s{n}", id=f"ftjob-{n}", at=now, body=body, tokens=9000, examples=60, fault="")
        for n in range(count)
    ]
    ledger.write_text("".join(lines))
    command = [sys.executable, "-m", "trainers.rehearsal", "--port", str(port), "--ledger", str(ledger)]
    child = subprocess.Popen([*command, "--pace", "0.1", "0.1", "36000"], stdout=subprocess.DEVNULL)
    try:
        url = f"http://127.0.0.1:{port}/v1"
        for _ in range(200):
            try:
                httpx.get(f"{url}/models", timeout=1, trust_env=False)
                break
            except httpx.HTTPError:
                time.sleep(0.05)
        yield url
    finally:
        child.terminate()
        child.wait()


def prepared(jobs: Jobs, count: int) -> None:
    """Write so many jobs into the ledger that wait for their next question to the provider."""
    now = datetime.now(UTC)
    dataset = jobs.datasets.example("tickets", ADA, now).dataset
    first = jobs.propose(dataset, TrainingSpec(base=BASE, backend=NAME), person=ADA, now=now)
    told = {**first.model_dump(), "created_at": now}
    approved = {"state": "queued", "approved_at": now, "approved_by": "U0BEN", "fence": 1, "phase": "training"}
    waits = {"wake_at": now - timedelta(seconds=1), "started_at": now}
    rows = [{**told, "id": f"job_{n}", "number": n + 2} for n in range(count)]
    given = {"workspace_id": "T1", "kind": "job", "state": "accepted", "fence": 1, "provider": "rehearsal provider"}
    sent = [
        {**given, "id": f"s{n}", "job_id": f"job_{n}", "provider_id": f"ftjob-{n}", "created_at": now, "tried_at": now}
        for n in range(count)
    ]
    with jobs.ledger.transaction() as connection:
        connection.execute(insert(_jobs), rows)
        connection.execute(update(_jobs).where(_jobs.c.id != first.id).values(**approved, **waits))
        connection.execute(insert(Submission.__table__), sent)  # type: ignore[attr-defined]


def measured(count: int) -> dict[str, Any]:
    """Give every job one turn and return what that took."""
    with tempfile.TemporaryDirectory() as name, provider(Path(name), count) as url:
        folder = Path(name)
        engine = open_engine(f"sqlite:///{folder / 'luthier.db'}")
        migrate(engine, folder / "run")
        ledger, datasets = Ledger(engine), Datasets(engine, folder)
        jobs = Jobs(
            ledger=ledger, doorbell=SilentDoorbell(), datasets=datasets, tokenizer=lambda _: None, rule=SuccessRule()
        )
        prepared(jobs, count)
        api = FineTuningApi(name="rehearsal provider", url=url, key="k")
        later = timedelta(hours=1)  # so that each job has one turn, however long all of them take
        backend = HostedBackend(traits=traits_of(NAME), api=api, timing=Timing(20, 60, 90), again_in=later)
        runner = Runner(
            ledger=ledger, datasets=datasets, backend=lambda _: backend, env={}, threads=1,
            clock=lambda: datetime.now(UTC), owner="w1", notify_channel=lambda _: "",
        )  # fmt: skip
        began = time.perf_counter()
        swept = sweep(ledger, lambda _: True, datetime.now(UTC))
        sweeping = time.perf_counter() - began
        turns, busy, began = [], time.process_time(), time.perf_counter()
        for n in range(count):
            started = time.perf_counter()
            runner.work(f"job_{n}")
            turns.append(time.perf_counter() - started)
        whole = time.perf_counter() - began
        with ledger.reading() as connection:
            told = connection.exec_driver_sql("select state, count(*), sum(fence = 2) from job group by state").all()
    return {
        "jobs": count,
        "seconds": round(whole, 2),
        "cpu_seconds": round(time.process_time() - busy, 2),
        "ms_a_job_median": round(statistics.median(turns) * 1000, 2),
        "ms_a_job_p99": round(sorted(turns)[int(count * 0.99)] * 1000, 2),
        "one_sweep_ms": round(sweeping * 1000, 1),
        "rung_a_sweep": swept,
        "states": [list(row) for row in told],
    }


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--jobs", type=int, default=1000)
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    found = measured(given.jobs)
    print(json.dumps(found) if given.json else "\n".join(f"{name:16} {value}" for name, value in found.items()))


def _line(event: str, submission_id: str, **facts: Any) -> str:
    return json.dumps({"event": event, "submission_id": submission_id, **facts}) + "\n"


if __name__ == "__main__":
    main()
