"""A job that goes to the rehearsal provider, driven by hand: the clock skips the waits, calls take their real time."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import event

from tests.trainers.jobs.conftest import ADA, THREAD
from tests.trainers.rehearsal.provider import ThreadProvider
from trainers.backends.base import Timing
from trainers.backends.hosted import HostedBackend
from trainers.backends.openai_shape import FineTuningApi
from trainers.backends.traits import traits_of
from trainers.jobs import accounts
from trainers.jobs.accounts import may_spend
from trainers.jobs.ledger import move
from trainers.jobs.run import Runner
from trainers.jobs.service import Jobs
from trainers.jobs.submission import newest
from trainers.policy import Rules, set_rules
from trainers.spec import TrainingSpec
from trainers.states import ENDED
from trainers.tables import Job, Submission

TIMING = Timing(timeout=1.0, lag=0.5, grace=16.0)


class Killed(BaseException):
    """The worker dies here, as with SIGKILL: nothing of ours handles it."""


class Skipping:
    """The real time plus what was skipped."""

    def __init__(self) -> None:
        self.skipped = timedelta(0)

    def __call__(self) -> datetime:
        return datetime.now(UTC) + self.skipped

    def skip(self, seconds: float) -> None:
        self.skipped += timedelta(seconds=seconds)


class DyingApi(FineTuningApi):
    """Real calls to the provider, with a hook before and after each."""

    hook: Callable[[], None] = staticmethod(lambda: None)

    def _answer(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        self.hook()
        answer = super()._answer(method, path, **request)
        self.hook()
        return answer


FREE_HAND = Rules(own_click_limit=Decimal(50), workspace_cap=None)
"""Rules under which the requester's own click may spend."""


@dataclass(kw_only=True)
class Bench:
    """One hosted job, its provider, and workers that can die."""

    jobs: Jobs
    provider: ThreadProvider
    backend_name: str = "hosted_rehearsal"
    clock: Skipping = field(default_factory=Skipping)
    may_spend: Callable[..., str] = may_spend
    workers: int = 0
    api: DyingApi = field(init=False)

    def __post_init__(self) -> None:
        self.api = DyingApi(name="rehearsal provider", url=self.provider.url, key="rehearsal")

    def backend(self, _: str = "") -> HostedBackend:
        traits = traits_of(self.backend_name)
        return HostedBackend(traits=traits, api=self.api, timing=TIMING, again_in=timedelta(seconds=1))

    def runner(self) -> Runner:
        self.workers += 1
        return Runner(
            ledger=self.jobs.ledger,
            datasets=self.jobs.datasets,
            backend=self.backend,
            env={},
            threads=1,
            clock=self.clock,
            owner=f"w{self.workers}",
            notify_channel=lambda _: "",
            may_spend=self.may_spend,
        )

    def approved(self) -> Job:
        """Propose a job and queue it as if somebody with the right to had approved it; policy has its own tests."""
        dataset = self.jobs.datasets.example("tickets", ADA, self.clock()).dataset
        job = self.jobs.propose(dataset, self.wanted(), person=ADA, now=self.clock(), place=THREAD)
        now = self.clock()
        with self.jobs.ledger.transaction() as connection:
            set_rules(connection, "T1", FREE_HAND, now)
            assert move(connection, job, "queued", "U0BEN", now, approved_by="U0BEN", approved_at=now)
            accounts.begin(connection, job, FREE_HAND, now)
        return self.get(job)

    def wanted(self) -> TrainingSpec:
        return TrainingSpec(backend=self.backend_name)

    def get(self, job: Job) -> Job:
        return self.jobs.ledger.get(job.id)

    def row(self, job: Job, kind: str = "job") -> Submission | None:
        with self.jobs.ledger.reading() as connection:
            return newest(connection, job.id, kind)

    def turn(self, job: Job) -> Job:
        """Skip to when the job is due and let one worker have it."""
        job = self.get(job)
        if job.state == "queued" and job.wake_at is not None:
            self.clock.skip(max((job.wake_at - self.clock()).total_seconds(), 0))
        if job.state == "running" and job.lease_until is not None:
            self.clock.skip(max((job.lease_until - self.clock()).total_seconds(), 0) + 0.01)
        self.runner().work(job.id)
        return self.get(job)

    def finish(self, job: Job, turns: int = 60, until: Callable[[Job], bool] = lambda job: job.state in ENDED) -> Job:
        """Give it turns until it ended; workers that die are replaced."""
        for _ in range(turns):
            with suppress(Killed):
                job = self.turn(job)
            if until(self.get(job)):
                return self.get(job)
        raise AssertionError(f"still {self.get(job).state} after {turns} turns")

    def die_at(self, moment: int) -> Callable[[], bool]:
        """Kill the worker at the n-th commit or call from now on; the result says whether that has happened."""
        left, engine = [moment], self.jobs.ledger.engine

        def strike(*_: Any) -> None:
            left[0] -= 1
            if left[0] == 0:
                raise Killed

        event.listen(engine, "commit", strike)
        self.api.hook = strike
        return lambda: left[0] <= 0


def is_legal(provider: ThreadProvider) -> bool:
    """Say whether the provider took each submission at most once, uploads included."""
    return all(number == 1 for event in ("created", "uploaded") for number in provider.count(event).values())
