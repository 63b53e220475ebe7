"""A real ledger on SQLite and on Postgres, with the shipped example and the rehearsal backend."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine

from knowledge.tenancy import Person
from trainers.backends.rehearsal import RehearsalBackend
from trainers.data.store import Datasets
from trainers.evals.rule import SuccessRule
from trainers.jobs.ledger import Ledger
from trainers.jobs.run import Runner
from trainers.jobs.service import Jobs, Place
from trainers.spec import TrainingSpec
from trainers.tables import Job

ADA = Person(workspace_id="T1", user_id="U0ADA")
BEN = Person(workspace_id="T1", user_id="U0BEN")
THREAD = Place("C1", "100.1")


class Bell:
    """Remembers what was rung."""

    def __init__(self) -> None:
        self.rings: list[tuple[str, str]] = []

    def ring(self, job_id: str, queue: str) -> bool:
        self.rings.append((job_id, queue))
        return True


class Watch:
    """A clock that only moves when it is told to."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 22, 12, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def move(self, **by: float) -> datetime:
        self.now += timedelta(**by)
        return self.now


@pytest.fixture
def watch() -> Watch:
    return Watch()


@pytest.fixture
def bell() -> Bell:
    return Bell()


@pytest.fixture
def jobs(engine: Engine, bell: Bell, tmp_path: Path) -> Jobs:
    datasets = Datasets(engine, tmp_path)
    return Jobs(ledger=Ledger(engine), doorbell=bell, datasets=datasets, tokenizer=lambda _: None, rule=SuccessRule())


@pytest.fixture
def quoted(jobs: Jobs, watch: Watch) -> Job:
    dataset = jobs.datasets.example("tickets", ADA, watch()).dataset
    return jobs.propose(dataset, TrainingSpec(backend="rehearsal"), person=ADA, now=watch(), place=THREAD)


@pytest.fixture
def approved(jobs: Jobs, quoted: Job, watch: Watch) -> Job:
    return jobs.approve(quoted.id, quoted.quote_hash, ADA, watch()).job


@pytest.fixture
def runner(jobs: Jobs, watch: Watch) -> Callable[[str], Runner]:
    def make(owner: str, steps: int = 3, seconds_per_step: float = 0.0) -> Runner:
        return Runner(
            ledger=jobs.ledger,
            datasets=jobs.datasets,
            backend=lambda _: RehearsalBackend(steps=steps, seconds_per_step=seconds_per_step),
            env={},
            threads=1,
            clock=watch,
            owner=owner,
            notify_channel=lambda workspace_id: "C0TUNING",
        )

    return make
