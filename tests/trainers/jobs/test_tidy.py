"""What the sweep ends at a provider and what it leaves alone, judged by the provider's own ledger."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.trainers.jobs.conftest import ADA
from tests.trainers.jobs.paid import Bench, Killed, is_legal
from tests.trainers.rehearsal.provider import ENDLESS, ThreadProvider
from trainers.jobs import outbox
from trainers.jobs.service import Jobs
from trainers.jobs.tidy import KEEP, tidy
from trainers.tables import Job


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[ThreadProvider]:
    made = ThreadProvider(tmp_path)
    yield made
    made.stop()


@pytest.fixture
def bench(jobs: Jobs, provider: ThreadProvider) -> Bench:
    return Bench(jobs=jobs, provider=provider)


def failed_here(bench: Bench) -> Job:
    """A job that failed because its key was taken away for a moment, while its run goes on at the provider."""
    bench.provider.now(ENDLESS)
    job = bench.finish(bench.approved(), until=lambda job: bool(bench.provider.count("created")))
    bench.provider.now(ENDLESS, script={"read": ["unauthorized"]})
    job = bench.turn(job)
    assert job.state == "failed"
    return job


def sweep(bench: Bench) -> int:
    return tidy(bench.jobs.ledger, bench.backend(), bench.clock())


def said(bench: Bench, job: Job, key: str) -> str:
    """What the thread is told under a key."""
    owed = outbox.due(bench.jobs.ledger.engine, bench.clock() + KEEP)
    return next((json.dumps(json.loads(row.payload)) for row in owed if row.job_id == job.id and row.key == key), "")


def test_the_run_of_a_failed_job_is_kept_for_its_resume_and_ended_after_that(bench: Bench) -> None:
    """The thread hears at once what becomes of the run; an hour later it is cancelled, and the thread hears that."""
    job = failed_here(bench)
    assert "What rehearsal provider still runs of it I end in 1 h unless it is resumed." in job.error_next
    assert "unless it is resumed" in said(bench, job, f"ended-{job.fence}")
    bench.clock.skip(KEEP.total_seconds() - 30)
    assert sweep(bench) == 0
    bench.clock.skip(31)
    assert sweep(bench) == 2
    assert bench.provider.count("cancelled") == bench.provider.count("created")
    assert bench.provider.count("deleted") == bench.provider.count("uploaded")
    assert "Nobody resumed it for 1 h" in said(bench, job, f"run-ended-{job.fence}")
    assert sweep(bench) == 0


def test_a_failed_job_without_a_run_promises_nothing(bench: Bench) -> None:
    """Where the provider took no job, or it died there, the thread hears of no run that would go on."""
    bench.provider.now(script={"start": ["forbidden"]})
    assert "unless it is resumed" not in bench.finish(bench.approved()).error_next
    bench.provider.now(script={"start": ["dies"]})
    assert "unless it is resumed" not in bench.finish(bench.approved()).error_next


def test_a_resume_in_time_keeps_the_run(bench: Bench) -> None:
    """Taken up again, the run is nobody's to end however long ago the failure was, and it is paid for once."""
    job = failed_here(bench)
    assert bench.jobs.resume(job.id, ADA, bench.clock()).changed
    bench.clock.skip(2 * KEEP.total_seconds())
    assert sweep(bench) == 0
    bench.turn(job)
    assert bench.provider.count("cancelled") == {}
    assert list(bench.provider.count("created").values()) == [1]


def test_a_resume_after_the_end_of_the_run_starts_anew(bench: Bench) -> None:
    """What was ended is not waited for: the resumed job gets a submission of its own and succeeds."""
    job = failed_here(bench)
    bench.clock.skip(KEEP.total_seconds() + 1)
    sweep(bench)
    assert bench.jobs.resume(job.id, ADA, bench.clock()).changed
    assert json.loads(said(bench, job, f"run-ended-{job.fence}"))["state"] == "queued"
    bench.provider.now()
    assert bench.finish(job).state == "succeeded"
    assert sum(bench.provider.count("created").values()) == 2
    assert is_legal(bench.provider)


def test_a_sweep_that_dies_before_the_provider_heard_of_it_is_finished_by_the_next(bench: Bench) -> None:
    """What was given up in SQL goes at the provider too, also where somebody resumed the job in between."""
    job = failed_here(bench)
    bench.clock.skip(KEEP.total_seconds() + 1)
    keeper = bench.backend()
    keeper.remove = killed  # type: ignore[method-assign]  # dies between the two
    with pytest.raises(Killed):
        tidy(bench.jobs.ledger, keeper, bench.clock())
    assert bench.provider.count("deleted") == {}
    assert bench.jobs.resume(job.id, ADA, bench.clock()).changed
    assert sweep(bench) == 1
    assert bench.provider.count("deleted") == bench.provider.count("uploaded")


def killed(kind: str, provider_id: str) -> None:
    raise Killed


@pytest.mark.parametrize("call", ["delete", "read"])
def test_what_the_provider_refuses_keeps_nothing_else_from_going(bench: Bench, call: str) -> None:
    """A file that cannot be deleted, or a list that cannot be read, hinders neither the rest nor the next sweep."""
    failed_here(bench)
    bench.clock.skip(KEEP.total_seconds() + 1)
    bench.provider.now(ENDLESS, script={call: ["forbidden"]})
    assert sweep(bench) == 1
    assert bench.provider.count("cancelled") == bench.provider.count("created")
    assert sweep(bench) == 1
    assert bench.provider.count("deleted") == bench.provider.count("uploaded")
