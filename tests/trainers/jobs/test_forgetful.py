"""A provider that drops its jobs' metadata: runs are found by the file that they train on, and by nothing less."""

from typing import Any

import pytest

from tests.trainers.jobs.conftest import ADA
from tests.trainers.jobs.paid import Bench, Killed, is_legal
from tests.trainers.rehearsal.provider import ENDLESS, ThreadProvider
from trainers.backends.deadline import Deadline
from trainers.jobs.service import Jobs
from trainers.jobs.submission import change
from trainers.jobs.tidy import tidy
from trainers.tables import Job

pytestmark = pytest.mark.parametrize("metadata", ["dropped", "ignored"])


@pytest.fixture
def bench(jobs: Jobs, provider: ThreadProvider) -> Bench:
    return Bench(jobs=jobs, provider=provider)


def running(bench: Bench, metadata: str) -> tuple[Job, str, str]:
    """Start a job that goes on; returns it, its run and the file that the run trains on."""
    bench.provider.now(ENDLESS, metadata=metadata)
    job = bench.finish(bench.approved(), until=lambda job: bool(bench.provider.count("created")))
    bench.turn(job)
    run, file = bench.row(job), bench.row(job, "upload")
    assert run is not None
    assert file is not None
    return job, str(run.provider_id), str(file.provider_id)


def cancelled(bench: Bench) -> list[str]:
    return [line["id"] for line in bench.provider.lines() if line["event"] == "cancelled"]


@pytest.mark.parametrize("fault", ["drop_after", "error_after", "late"])
def test_an_accepted_job_is_found_again_and_not_sent_twice(bench: Bench, metadata: str, fault: str) -> None:
    """The worker never heard the yes: the run is adopted by its file; one run, one bill."""
    bench.provider.now(script={"start": [fault]}, late_seconds=0.5, metadata=metadata)
    job = bench.finish(bench.approved())
    assert job.state == "succeeded"
    assert is_legal(bench.provider)
    assert list(bench.provider.count("created").values()) == [1]


def test_a_worker_that_dies_between_yes_and_record_leaves_one_run(
    bench: Bench, metadata: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed as soon as the provider said yes: the next worker adopts the run that is there."""
    bench.provider.now(metadata=metadata)
    start = bench.api.start

    def dying(*given: Any, **job: Any) -> str:
        start(*given, **job)
        raise Killed

    with monkeypatch.context() as deadly:
        deadly.setattr(bench.api, "start", dying)
        job = bench.finish(bench.approved(), until=lambda job: bool(bench.provider.count("created")))
        row = bench.row(job)
        assert row is not None
        assert (row.state, row.provider_id) == ("intended", None)
    assert bench.finish(job).state == "succeeded"
    assert bench.provider.count("created") == {row.id: 1}
    assert is_legal(bench.provider)


def test_the_sweep_ends_a_run_that_was_given_up(bench: Bench, metadata: str) -> None:
    """Accepted there and given up here: the sweep finds it by its file and cancels it; it costs no more."""
    bench.provider.now(metadata=metadata)
    assert bench.finish(bench.approved()).state == "succeeded"  # tells that this provider drops metadata
    job, run, _ = running(bench, metadata)
    row = bench.row(job)
    assert row is not None
    with bench.jobs.ledger.transaction() as connection:
        assert change(connection, row, state="abandoned", provider_id=None, detail="nobody heard of it")
    assert tidy(bench.jobs.ledger, bench.backend(), bench.clock()) == 1
    assert cancelled(bench) == [run]


def test_the_sweep_ends_a_second_run_and_leaves_the_first(bench: Bench, metadata: str) -> None:
    """Two runs on one file: the one that the ledger knows goes on, the other is cancelled."""
    job, run, file = running(bench, metadata)
    row = bench.row(job)
    assert row is not None
    second = bench.api.start(row.id, Deadline.after(5), model="rehearsal-small", training_file=file)
    assert tidy(bench.jobs.ledger, bench.backend(), bench.clock()) == 1
    assert cancelled(bench) == [second]
    assert bench.api.job(run)["status"] in ("validating_files", "queued", "running")  # as fast as this machine is


def test_runs_of_strangers_are_left_alone(bench: Bench, metadata: str) -> None:
    """A run on a file that this ledger did not send is somebody else's, whatever it lacks."""
    job, run, _ = running(bench, metadata)
    rows = bench.jobs.datasets.folder / "rows.jsonl"
    rows.write_bytes((bench.jobs.datasets.folder / bench.jobs.datasets.get(job.dataset_id).train_path).read_bytes())
    theirs = bench.api.upload("somebody-elses", rows, Deadline.after(5))
    bench.api.start("x", Deadline.after(5), model="rehearsal-small", training_file=theirs)
    assert tidy(bench.jobs.ledger, bench.backend(), bench.clock()) == 0
    bench.jobs.stop(job.id, ADA, bench.clock())
    assert bench.finish(job).state == "cancelled"
    assert cancelled(bench) == [run]


def resumed_on_its_old_file(bench: Bench, metadata: str) -> tuple[Job, str]:
    """A job whose run died while its file could not be deleted, and which a person has resumed; with the dead run."""
    bench.provider.now(script={"start": ["dies"], "delete": ["forbidden"]}, metadata=metadata)
    job = bench.finish(bench.approved())
    dead = bench.row(job)
    assert dead is not None
    bench.provider.now(ENDLESS, metadata=metadata)
    assert bench.jobs.resume(job.id, ADA, bench.clock()).changed
    return job, str(dead.provider_id)


def test_the_sweep_leaves_the_run_of_a_resumed_job(bench: Bench, metadata: str) -> None:
    """The file is of the life before, the run of this one: it is paid for and goes on."""
    job, dead = resumed_on_its_old_file(bench, metadata)
    bench.finish(job, until=lambda job: getattr(bench.row(job), "life", 0) == 1)
    bench.turn(job)
    file, run = bench.row(job, "upload"), bench.row(job)
    assert file is not None
    assert run is not None
    assert (file.life, run.life, run.state) == (0, 1, "accepted")
    tidy(bench.jobs.ledger, bench.backend(), bench.clock())  # may end the first one, which the new pace has woken
    assert set(cancelled(bench)) <= {dead}
    assert bench.api.job(str(run.provider_id))["status"] in ("validating_files", "queued", "running")


def test_a_dead_run_on_the_same_file_is_not_adopted(bench: Bench, metadata: str) -> None:
    """The new run's yes was not heard: what is looked for is that one, not the run that died before."""
    job, dead = resumed_on_its_old_file(bench, metadata)
    bench.provider.now(ENDLESS, script={"start": ["drop_before"]}, metadata=metadata)
    bench.finish(job, until=lambda job: getattr(bench.row(job), "life", 0) == 1)
    bench.finish(job, until=lambda job: getattr(bench.row(job), "state", "") == "accepted")
    run = bench.row(job)
    assert run is not None
    assert run.provider_id != dead
    assert bench.provider.count("created")[run.id] == 1
