"""What every backend that works without torch promises, whichever it is."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta

import pytest

from tests.trainers.jobs.conftest import ADA
from tests.trainers.jobs.paid import TIMING, Bench, Killed, is_legal
from tests.trainers.rehearsal.provider import ENDLESS, ThreadProvider
from trainers.backends import BACKENDS, HOSTED
from trainers.backends.base import Backend
from trainers.backends.hosted import HostedBackend
from trainers.backends.rehearsal import RehearsalBackend
from trainers.backends.traits import traits_of
from trainers.jobs.run import Runner
from trainers.jobs.service import Jobs
from trainers.spec import Method, TrainingSpec
from trainers.tables import Job


class Walking(Bench):
    """The same bench, with the backend that only walks through the steps."""

    def backend(self, _: str = "") -> Backend:  # type: ignore[override]  # the bench's own is narrower than it needs
        return RehearsalBackend(steps=3, seconds_per_step=0.0)


class Elsewhere(Bench):
    """The same bench, with a place that trains for money; its models are judged in tests/trainers/hosted."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.provider.rehearsal.shutdowns = {traits_of(self.backend_name).model(self.wanted().base): ""}

    def wanted(self) -> TrainingSpec:
        base = next(iter(traits_of(self.backend_name).models), "a-base-of-ours")
        return TrainingSpec(base=base, backend=self.backend_name, method=Method.SUPERVISED)

    def backend(self, _: str = "") -> HostedBackend:
        # the server that stands in for it is strict: it takes OpenAI's own fields alone
        traits = replace(traits_of(self.backend_name), serves=False, deploys=False, lora=False)
        day = date(2026, 11, 30)
        return HostedBackend(
            traits=traits, api=self.api, timing=TIMING, again_in=timedelta(seconds=1), today=lambda: day
        )


KINDS = {"rehearsal": Walking, "hosted_rehearsal": Bench} | {
    name: Elsewhere for name in HOSTED if name != "hosted_rehearsal"
}


@pytest.fixture(params=sorted(KINDS))
def bench(request: pytest.FixtureRequest, jobs: Jobs, provider: ThreadProvider) -> Bench:
    if KINDS[request.param] is Elsewhere and jobs.ledger.engine.dialect.name != "sqlite":
        pytest.skip("what differs between databases is tested with the two others")
    return KINDS[request.param](jobs=jobs, provider=provider, backend_name=request.param)


def test_every_backend_that_works_without_torch_is_here() -> None:
    """A new line in the table of backends is held to what stands here, or this fails."""
    assert set(KINDS) == set(BACKENDS) - {"local", "endpoint"}


def test_it_gets_to_the_end(bench: Bench) -> None:
    """Advanced as often as it asks for, a job succeeds."""
    assert bench.finish(bench.approved()).state == "succeeded"
    assert is_legal(bench.provider)


def test_a_second_advance_at_the_same_time_changes_nothing(bench: Bench) -> None:
    """Two rings for the same moment are one piece of work."""
    job = bench.approved()
    for _ in range(10):
        bench.turn(job)
        bench.runner().work(job.id)
    assert bench.finish(job).state == "succeeded"
    assert is_legal(bench.provider)


@pytest.mark.parametrize("moment", [2, 5, 9])
def test_a_death_is_survived(bench: Bench, moment: int) -> None:
    """A worker dies in the middle; the next one brings the job to its end."""
    job = bench.approved()
    bench.die_at(moment)
    with suppress(Killed):
        bench.turn(job)
    assert bench.finish(job).state == "succeeded"
    assert is_legal(bench.provider)


def test_a_stop_and_a_resume(bench: Bench) -> None:
    """A stopped job is cancelled and leaves nothing running; resumed, it gets to its end."""
    bench.provider.now(ENDLESS)
    job = bench.approved()
    if bench.backend_name != "rehearsal":
        bench.finish(job, until=lambda job: bool(bench.provider.count("created")))
    bench.jobs.stop(job.id, ADA, bench.clock())
    if bench.get(job).state != "cancelled":
        bench.finish(job)
    assert bench.get(job).state == "cancelled"
    assert bench.provider.count("cancelled") == bench.provider.count("created")
    bench.provider.now()
    assert bench.jobs.resume(job.id, ADA, bench.clock()).changed
    assert bench.finish(job).state == "succeeded"
    assert is_legal(bench.provider)


def test_release_may_be_repeated(bench: Bench, jobs: Jobs) -> None:
    """Letting go of a job that has nothing anywhere does nothing, however often."""
    job = bench.approved()
    claimed = jobs.ledger.claim(job.id, "w", bench.clock())
    assert claimed is not None
    assert released(bench.runner(), bench.backend(), claimed) == [None, None]


def released(runner: Runner, backend: Backend, job: Job) -> list[object]:
    from trainers.jobs.hold import Hold

    hold = Hold(runner=runner, job=job, stopping=True)
    order = runner._order(job, runner.datasets.get(job.dataset_id))
    act: Callable[[], object] = lambda: backend.release(order, hold)  # noqa: E731  # said twice below
    return [act(), act()]


FAULTS = ("drop_before", "drop_after", "error_before", "error_after", "busy", "conflict", "unavailable")


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_at_the_start_pays_once(bench: Bench, fault: str) -> None:
    """Whatever breaks as the run is made: one run, its end, and no rows left behind."""
    if bench.backend_name != "openai":
        pytest.skip("one that calls a provider stands for all: they are one class")
    bench.provider.now(script={"start": [fault]})
    assert bench.finish(bench.approved()).state == "succeeded"
    assert is_legal(bench.provider)
    assert bench.provider.count("created").total() == 1
    assert bench.provider.count("uploaded") == bench.provider.count("deleted")
