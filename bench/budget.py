"""Races approvals against budgets and counts by how much any budget was ever over: it has to be nothing.

For each seed a workspace gets random caps and random jobs; all approvals start at one moment on their own threads
while others settle what was reserved. Judged by sums over the reservations, not by the budgets' own counters.
Run as: python -m bench.budget --approvals 64 --seeds 1000 [--database postgres]
"""

import argparse
import json
import random
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from sqlalchemy import Engine, func, insert, select

from bot.store.engine import open_engine
from bot.store.migrate import migrate
from knowledge.tenancy import Person
from trainers import budgets
from trainers.data.store import Datasets
from trainers.errors import OverBudget
from trainers.evals.rule import SuccessRule
from trainers.jobs.ledger import Ledger
from trainers.jobs.queue import SilentDoorbell
from trainers.jobs.service import Jobs
from trainers.policy import Rules, set_rules
from trainers.tables import Budget, Dataset, Job, Reservation

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
THREADS = 16
APPROVER = "U0BEN"
SETTLED = Decimal("0.3")
"""Jobs that draw a lower share than this end at once, and spend that share of their cost."""
_budgets, _held = Budget.__table__, Reservation.__table__  # type: ignore[attr-defined]  # SQLModel adds them


class Seen(NamedTuple):
    """What one seed came to."""

    queued: int
    refused: int
    most_over_micros: int
    """By how much the fullest budget was over its cap; 0 or less is good."""
    counters_off_micros: int
    """By how much the counters differ from the sums of the reservations."""


def race(engine: Engine, seed: int, approvals: int) -> Seen:
    """Let `approvals` jobs of one workspace race for its budgets."""
    dice = random.Random(seed)  # noqa: S311  # a seeded race, no secret
    workspace, rules = f"T{seed}", _rules(dice)
    costs = [Decimal(dice.randrange(1, 20_000_000)) / 1_000_000 for _ in range(approvals)]
    jobs = [racer(workspace, seed, number, cost, dice) for number, cost in enumerate(costs)]
    prepare(engine, workspace, rules, jobs)
    shares = [Decimal(dice.randrange(100)) / 100 for _ in jobs]
    verbs = _verbs(engine)
    outcomes: list[bool] = []
    start = threading.Barrier(min(THREADS, approvals))

    def click(mine: list[Job]) -> None:
        start.wait()
        for job in mine:
            outcomes.append(changed := _approve(verbs, job))
            share = shares[job.number - 1]
            if changed and share < SETTLED:
                _settle(engine, job, costs[job.number - 1] * share)

    count = min(THREADS, approvals)
    with ThreadPoolExecutor(count) as threads:
        list(threads.map(click, (jobs[place::count] for place in range(count))))
    over, off = _judge(engine, workspace, rules)
    return Seen(sum(outcomes), len(outcomes) - sum(outcomes), over, off)


def _verbs(engine: Engine) -> Jobs:
    folder = Path("/nonexistent")  # approvals touch no files
    return Jobs(
        ledger=Ledger(engine),
        doorbell=SilentDoorbell(),
        datasets=Datasets(engine, folder),
        tokenizer=lambda _: None,
        rule=SuccessRule(),
    )


@contextmanager
def database(kind: str) -> Iterator[Engine]:
    """Open an empty database at the newest schema."""
    with tempfile.TemporaryDirectory() as folder:
        server = None
        url = f"sqlite:///{folder}/luthier.db"
        if kind == "postgres":
            from tests.postgres import DURABLE, Postgres

            server = Postgres(DURABLE)
            url = server.url(server.create())
        engine = open_engine(url)
        migrate(engine, Path(folder))
        try:
            yield engine
        finally:
            engine.dispose()
            if server is not None:
                server.stop()


def _rules(dice: random.Random) -> Rules:
    def cap() -> Decimal | None:
        return None if dice.random() < 0.25 else Decimal(dice.randrange(0, 200_000_000)) / 1_000_000

    return Rules(
        workspace_cap=cap(),
        channel_cap=cap(),
        person_cap=cap(),
        approvers=(APPROVER,),
        one_approver_limit=Decimal(1000),
        jobs_per_person=10**6,
    )


def racer(workspace: str, seed: int, number: int, cost: Decimal, dice: random.Random) -> Job:
    """Make a job that costs `cost` dollars."""
    return Job(
        id=f"job_{seed}_{number}",
        workspace_id=workspace,
        number=number + 1,
        kind="train",
        state="quoted",
        title="race",
        dataset_id="ds_race",
        spec='{"backend": "rehearsal"}',
        quote=json.dumps({"training_cost": str(cost), "evaluation_cost": "0"}),
        quote_hash="0",
        requested_by=f"U{dice.randrange(4)}",
        channel=f"C{dice.randrange(3)}",
        created_at=NOW,
    )


def prepare(engine: Engine, workspace: str, rules: Rules, jobs: list[Job]) -> None:
    """Write a workspace's rules and jobs."""
    with engine.begin() as connection:
        data = Dataset.__table__  # type: ignore[attr-defined]  # SQLModel adds it at class creation
        if connection.execute(select(data.c.id).where(data.c.id == "ds_race")).first() is None:
            made = Dataset(
                id="ds_race", workspace_id="T", name="race", version=1, train_path="", test_path="", train_rows=1,
                test_rows=1, sha256="", provenance="", lint="{}", created_by="U", created_at=NOW,
            )  # fmt: skip
            connection.execute(insert(data).values(**made.model_dump()))
        set_rules(connection, workspace, rules, NOW)
        connection.execute(insert(Job.__table__), [job.model_dump() for job in jobs])  # type: ignore[attr-defined]  # the same


def _approve(jobs: Jobs, job: Job) -> bool:
    try:
        return jobs.approve(job.id, "0", Person(workspace_id=job.workspace_id, user_id=APPROVER), NOW).changed
    except OverBudget:
        return False


def _settle(engine: Engine, job: Job, spent: Decimal) -> None:
    with engine.begin() as connection:
        budgets.settle(connection, job, spent, NOW)


def _judge(engine: Engine, workspace: str, rules: Rules) -> tuple[int, int]:
    """Add the reservations up and compare them with caps and counters, in micro-dollars."""
    most, off = -(10**18), 0
    total = func.coalesce(func.sum(_held.c.reserved + _held.c.spent), 0)
    with engine.connect() as connection:
        rows = connection.execute(select(_budgets).where(_budgets.c.workspace_id == workspace)).mappings().all()
        for row in rows:
            kind, _, name = row["scope"].partition(":")
            query = select(total).where(_held.c.workspace_id == workspace)
            if kind != "workspace":
                query = query.where(_held.c[kind] == name)
            held = int(connection.execute(query).scalar_one())
            cap = {"workspace": rules.workspace_cap, "channel": rules.channel_cap, "person": rules.person_cap}[kind]
            most = most if cap is None else max(most, held - budgets.in_micros(cap))
            off = max(off, abs(held - row["reserved"] - row["spent"]))
    return most, off


def main() -> None:
    """Race all seeds and print one JSON line; exit 1 where a budget was over."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--approvals", type=int, default=64)
    parser.add_argument("--seeds", type=int, default=1000)
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    asked = parser.parse_args()
    begun = time.monotonic()
    with database(asked.database) as engine:
        seen = [race(engine, seed, asked.approvals) for seed in range(asked.seeds)]
    over = sum(each.most_over_micros > 0 or each.counters_off_micros != 0 for each in seen)
    told = {
        "database": asked.database, "approvals": asked.approvals, "seeds": asked.seeds,
        "queued": sum(each.queued for each in seen), "refused": sum(each.refused for each in seen), "over": over,
        "closest_micros": max(each.most_over_micros for each in seen), "seconds": round(time.monotonic() - begun, 1),
    }  # fmt: skip
    print(json.dumps(told))
    raise SystemExit(over > 0)


if __name__ == "__main__":
    main()
