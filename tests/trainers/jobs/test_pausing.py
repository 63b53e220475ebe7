"""The kill switch over jobs in every stage: nothing new begins or is paid for, and what runs already is not lost."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, text

from knowledge.tenancy import LOCAL_WORKSPACE, Person
from tests.trainers.jobs.conftest import ADA, Watch
from tests.trainers.jobs.paid import Bench
from tests.trainers.rehearsal.provider import ENDLESS, QUICK, ThreadProvider
from trainers.errors import NotAllowed
from trainers.jobs.pausing import GOES_ON, NOTE
from trainers.jobs.run import Runner, sweep
from trainers.jobs.service import Jobs
from trainers.spec import TrainingSpec
from trainers.tables import Job
from trainers.workspaces import Workspaces

OPERATOR = Person(workspace_id=LOCAL_WORKSPACE, user_id="root")
EVE = Person(workspace_id="T9", user_id="U0EVE")


@pytest.fixture
def bench(jobs: Jobs, provider: ThreadProvider) -> Bench:
    return Bench(jobs=jobs, provider=provider)


def pause(jobs: Jobs, now: Any, *, on: bool = True) -> None:
    assert Workspaces(engine=jobs.ledger.engine).pause("T1", OPERATOR, now, paused=on)


def rung(jobs: Jobs, now: Any) -> list[str]:
    """Sweep once and return for whom it rang."""
    rings: list[str] = []
    sweep(jobs.ledger, lambda job: not rings.append(job.id), now)
    return rings


def note(engine: Engine, job: Job) -> str:
    """What the one progress message of a job says below its title."""
    with engine.connect() as connection:
        query = "select payload from outbox_message where key = 'progress' and job_id = :job"
        return str(json.loads(connection.execute(text(query), {"job": job.id}).scalar_one())["note"])


def test_what_waits_says_so_and_goes_on_in_the_sweep_after(
    jobs: Jobs, approved: Job, runner: Callable[[str], Runner], watch: Watch
) -> None:
    """A queued job is put aside with its card; after unpause the very next sweep rings for it and the card says so."""
    pause(jobs, watch())
    assert rung(jobs, watch()) == []
    assert note(jobs.ledger.engine, approved) == NOTE
    assert rung(jobs, watch.move(minutes=30)) == []
    runner("w1").work(approved.id)
    assert jobs.ledger.get(approved.id).fence == 0
    pause(jobs, watch(), on=False)
    assert rung(jobs, watch()) == [approved.id]
    assert note(jobs.ledger.engine, approved) == "Queued, next in line"
    runner("w1").work(approved.id)
    assert jobs.ledger.get(approved.id).state == "succeeded"


def test_a_worker_that_is_faster_than_the_sweeper_begins_nothing(
    jobs: Jobs, approved: Job, runner: Callable[[str], Runner], watch: Watch
) -> None:
    """Rung for just before the pause, a job is put back unbegun, and woken by the first sweep after it."""
    pause(jobs, watch())
    runner("w1").work(approved.id)
    aside = jobs.ledger.get(approved.id)
    assert (aside.state, aside.started_at, note(jobs.ledger.engine, approved)) == ("queued", None, NOTE)
    assert not (jobs.datasets.folder / "jobs" / approved.id).exists()
    pause(jobs, watch(), on=False)
    assert rung(jobs, watch()) == [approved.id]


def test_a_paused_workspace_uses_up_nobody_elses_ring(
    jobs: Jobs, approved: Job, runner: Callable[[str], Runner], watch: Watch
) -> None:
    """A ring for one workspace, answered with another's paused job in front, still gets its own job done."""
    dataset = jobs.datasets.example("tickets", EVE, watch()).dataset
    theirs = jobs.propose(dataset, TrainingSpec(backend="rehearsal"), person=EVE, now=watch.move(seconds=1))
    jobs.approve(theirs.id, theirs.quote_hash, EVE, watch())
    pause(jobs, watch())
    runner("w1").work(theirs.id)
    assert [jobs.ledger.get(job.id).state for job in (approved, theirs)] == ["queued", "succeeded"]


@pytest.mark.parametrize("how", ["leaves", "dies"])
def test_what_trains_here_goes_on_with_another_worker_too(
    jobs: Jobs, approved: Job, runner: Callable[[str], Runner], watch: Watch, how: str
) -> None:
    """The pause comes while a job trains; its worker leaves or dies, and the next one takes it to its end."""
    held = jobs.ledger.claim(approved.id, "w1", watch())
    assert held is not None
    with jobs.ledger.transaction() as connection:
        jobs.ledger.progress(connection, held, "training", {"step": 1, "steps": 3})
    pause(jobs, watch())
    if how == "leaves":
        leaving = runner("w1")
        leaving.leave()
        watch.move(seconds=16)
        leaving.work(approved.id)
        assert GOES_ON in note(jobs.ledger.engine, approved)
    watch.move(seconds=16)
    assert rung(jobs, watch()) == [approved.id]
    runner("w2").work(approved.id)
    assert jobs.ledger.get(approved.id).state == "succeeded"


def test_progress_says_that_a_running_job_goes_on(
    jobs: Jobs, approved: Job, runner: Callable[[str], Runner], watch: Watch
) -> None:
    """Paused after its first step, a job says in its progress message that it goes on, and ends normally."""
    heard: list[str] = []

    def clock() -> Any:
        if jobs.ledger.get(approved.id).phase == "training":
            heard.append(note(jobs.ledger.engine, approved))
            if len(heard) == 1:
                pause(jobs, watch())
        return watch()

    replace(runner("w1"), clock=clock).work(approved.id)
    assert jobs.ledger.get(approved.id).state == "succeeded"
    assert GOES_ON not in heard[0]
    assert GOES_ON in heard[-1]


def test_a_resumed_job_has_not_begun(jobs: Jobs, approved: Job, runner: Callable[[str], Runner], watch: Watch) -> None:
    """A job that was stopped in the middle of training and queued again waits for the end of a pause like a new one."""
    held = jobs.ledger.claim(approved.id, "w1", watch())
    assert held is not None
    with jobs.ledger.transaction() as connection:
        jobs.ledger.progress(connection, held, "training", {"step": 1, "steps": 3})
    jobs.stop(approved.id, ADA, watch())
    runner("w2").work(approved.id)
    watch.move(seconds=16)
    runner("w2").work(approved.id)
    assert jobs.ledger.get(approved.id).state == "cancelled"
    jobs.resume(approved.id, ADA, watch())
    pause(jobs, watch())
    assert rung(jobs, watch()) == []
    assert jobs.ledger.get(approved.id).phase == "paused"
    jobs.stop(approved.id, ADA, watch())
    with pytest.raises(NotAllowed, match="paused"):
        jobs.resume(approved.id, ADA, watch())


def test_what_runs_at_a_provider_is_watched_to_its_end(bench: Bench) -> None:
    """Paused while the provider trains: it is asked after as before, the card says so, and the report comes."""
    bench.provider.now(ENDLESS)
    job = bench.finish(bench.approved(), until=lambda job: bool(bench.provider.count("created")))
    pause(bench.jobs, bench.clock())
    sweep(bench.jobs.ledger, lambda _: True, bench.clock())
    asked = len(bench.provider.lines())
    bench.turn(job)
    assert bench.get(job).phase == "training"
    said = note(bench.jobs.ledger.engine, job)
    assert said.startswith("rehearsal provider: ")
    assert said.endswith(GOES_ON)
    assert len(bench.provider.lines()) >= asked
    assert bench.get(job).wake_at - bench.clock() < timedelta(seconds=2)  # type: ignore[operator]  # it waits
    bench.api.cancel(str(bench.row(job).provider_id))  # type: ignore[union-attr]  # it was created
    assert bench.finish(job).state == "failed"
    assert list(bench.provider.count("created").values()) == [1]


def test_a_provider_job_that_ends_in_a_pause_has_its_report(bench: Bench) -> None:
    """A run that was accepted before the pause succeeds in it, rows deleted at the provider."""
    bench.provider.now(QUICK)
    job = bench.finish(bench.approved(), until=lambda job: bool(bench.provider.count("created")))
    pause(bench.jobs, bench.clock())
    assert bench.finish(job).state == "succeeded"
    assert bench.provider.count("deleted") == bench.provider.count("uploaded")


def test_a_run_that_was_not_taken_yet_waits_for_the_end_of_the_pause(bench: Bench) -> None:
    """Its rows are at the provider, which was too busy to start: nothing is started before unpause, then at once."""
    bench.provider.now(script={"start": ["busy"]})
    job = bench.finish(bench.approved(), until=lambda job: bench.row(job) is not None)
    assert bench.provider.count("created") == {}
    pause(bench.jobs, bench.clock())
    for _ in range(3):
        bench.turn(job)
    assert (bench.get(job).phase, bench.provider.count("created")) == ("paused", {})
    pause(bench.jobs, bench.clock(), on=False)
    assert rung(bench.jobs, bench.clock()) == [job.id]
    assert bench.finish(job, turns=20).state == "succeeded"
    assert list(bench.provider.count("created").values()) == [1]


def test_an_unknown_call_is_looked_up_in_a_pause_and_not_repeated(bench: Bench) -> None:
    """Whether the provider took it is found out in the pause too: what is there is adopted, and its end is seen."""
    bench.provider.now(script={"start": ["drop_after"]})
    job = bench.finish(bench.approved(), until=lambda job: bench.row(job) is not None)
    pause(bench.jobs, bench.clock())
    assert bench.finish(job).state == "succeeded"
    assert list(bench.provider.count("created").values()) == [1]


def test_what_was_put_aside_can_be_stopped(jobs: Jobs, approved: Job, watch: Watch) -> None:
    """Stop ends a job that waits for the end of a pause, and unpause does not bring it back."""
    pause(jobs, watch())
    rung(jobs, watch())
    assert jobs.stop(approved.id, ADA, watch()).job.state == "cancelled"
    pause(jobs, watch(), on=False)
    assert rung(jobs, watch()) == []
