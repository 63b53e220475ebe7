"""A worker's way with a job: claim, keep, finish, be killed, be stopped; with the rehearsal as the work."""

import json
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.trainers.jobs.conftest import ADA, Watch
from trainers.backends.base import Keeper, Order, Trained, Waiting
from trainers.errors import LeaseLost
from trainers.jobs import outbox
from trainers.jobs.hold import BEAT
from trainers.jobs.ledger import LEASE
from trainers.jobs.run import MOST_DEATHS, Runner, sweep
from trainers.jobs.service import Jobs
from trainers.tables import Job

MakeRunner = Callable[..., Runner]


def owed(jobs: Jobs, watch: Watch) -> dict[str, dict[str, object]]:
    return {
        message.key: json.loads(message.payload) for message in outbox.due(jobs.ledger.engine, watch.move(seconds=5))
    }


def test_a_rehearsal_runs_to_its_end(jobs: Jobs, approved: Job, runner: MakeRunner, watch: Watch) -> None:
    """A ring takes the job from queued to succeeded; its report says that nothing was trained."""
    runner("w1").work(approved.id)
    done = jobs.ledger.get(approved.id)
    assert (done.state, done.fence) == ("succeeded", 1)
    messages = owed(jobs, watch)
    assert messages["report-1"]["report"] is None
    assert messages["announcement-1"]["state"] == "succeeded"


def test_a_second_ring_does_nothing(jobs: Jobs, approved: Job, runner: MakeRunner) -> None:
    """Ringing again for an ended job leaves it alone."""
    runner("w1").work(approved.id)
    runner("w2").work(approved.id)
    assert jobs.ledger.get(approved.id).fence == 1


def test_a_job_that_was_not_approved_is_not_run(jobs: Jobs, quoted: Job, runner: MakeRunner) -> None:
    """A forged ring for a quoted job does nothing."""
    runner("w1").work(quoted.id)
    assert jobs.ledger.get(quoted.id).state == "quoted"


def test_two_workers_never_hold_one_job(jobs: Jobs, approved: Job, watch: Watch) -> None:
    """While a lease runs, nobody else can claim; after it ran out, the next one can, and the first one notices."""
    first = jobs.ledger.claim(approved.id, "w1", watch())
    assert first is not None
    assert jobs.ledger.claim(approved.id, "w2", watch.move(seconds=14)) is None
    second = jobs.ledger.claim(approved.id, "w2", watch.move(seconds=2))
    assert second is not None
    assert second.fence == first.fence + 1
    with pytest.raises(LeaseLost):
        jobs.ledger.keep(first, watch())


def test_of_sixteen_racing_claims_one_wins(jobs: Jobs, approved: Job, watch: Watch) -> None:
    """Sixteen workers ring at once and exactly one gets the job."""
    got: list[Job | None] = []
    start = threading.Barrier(16)

    def claim(name: str) -> None:
        start.wait()
        got.append(jobs.ledger.claim(approved.id, name, watch()))

    workers = [threading.Thread(target=claim, args=(f"w{n}",)) for n in range(16)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert sum(job is not None for job in got) == 1


def test_an_abandoned_job_is_rung_for_again(jobs: Jobs, approved: Job, watch: Watch) -> None:
    """The sweeper rings for a job whose worker died, but not twice within ten seconds."""
    jobs.ledger.claim(approved.id, "w1", watch())
    rings: list[str] = []

    def ring(job: Job) -> bool:
        rings.append(job.id)
        return True

    sweep(jobs.ledger, ring, watch.move(seconds=10))
    assert rings == []
    sweep(jobs.ledger, ring, watch.move(seconds=6))
    sweep(jobs.ledger, ring, watch.move(seconds=1))
    assert rings == [approved.id]


def test_the_next_worker_continues_where_the_last_was(
    jobs: Jobs, approved: Job, runner: MakeRunner, watch: Watch
) -> None:
    """A job picked up after a crash starts at the step that its folder records."""
    jobs.ledger.claim(approved.id, "w1", watch())
    folder = jobs.datasets.folder / "jobs" / approved.id
    folder.mkdir(parents=True)
    (folder / "rehearsed_steps").write_text("2")
    watch.move(seconds=16)
    runner("w2", steps=3).work(approved.id)
    done = jobs.ledger.get(approved.id)
    assert (done.state, done.fence, json.loads(done.progress)["step"]) == ("succeeded", 2, 3)
    assert (folder / "rehearsed_steps").read_text() == "3"


def test_a_stop_reaches_a_running_job(jobs: Jobs, approved: Job, runner: MakeRunner, watch: Watch) -> None:
    """The wish is in SQL first; the worker sees it at its next sign of life and ends the job as cancelled."""
    worker = runner("w1", steps=500, seconds_per_step=0.02)
    work = threading.Thread(target=worker.work, args=(approved.id,))
    work.start()
    while jobs.ledger.get(approved.id).state != "running":
        pass
    assert jobs.stop(approved.id, ADA, watch()).changed
    assert not jobs.stop(approved.id, ADA, watch()).changed
    work.join(timeout=10)
    ended = jobs.ledger.get(approved.id)
    assert ended.state == "cancelled"
    assert owed(jobs, watch)["ended-1"]["ended_by"] == "U0ADA"


def test_a_leaving_worker_hands_the_job_on(jobs: Jobs, approved: Job, runner: MakeRunner, watch: Watch) -> None:
    """A worker that is told to go puts the job back and another finishes it."""
    worker = runner("w1", steps=500, seconds_per_step=0.02)
    work = threading.Thread(target=worker.work, args=(approved.id,))
    work.start()
    while jobs.ledger.get(approved.id).state != "running":
        pass
    worker.leave()
    work.join(timeout=10)
    assert jobs.ledger.get(approved.id).state == "queued"
    runner("w2", steps=500).work(approved.id)
    assert jobs.ledger.get(approved.id).state == "succeeded"


def test_a_stopped_job_can_be_resumed(jobs: Jobs, approved: Job, runner: MakeRunner, watch: Watch) -> None:
    """Resume queues a cancelled job under its old approval and it runs to its end."""
    jobs.stop(approved.id, ADA, watch())
    assert jobs.resume(approved.id, ADA, watch()).changed
    runner("w1").work(approved.id)
    assert jobs.ledger.get(approved.id).state == "succeeded"


def test_a_quote_that_was_cancelled_cannot_be_resumed(jobs: Jobs, quoted: Job, watch: Watch) -> None:
    """What was never approved is never queued."""
    jobs.stop(quoted.id, ADA, watch())
    with pytest.raises(Exception, match="never approved"):
        jobs.resume(quoted.id, ADA, watch())


def test_progress_is_one_message_and_the_latest_wins(
    jobs: Jobs, approved: Job, runner: MakeRunner, watch: Watch
) -> None:
    """After many steps there is one progress row, at its newest version."""
    runner("w1", steps=40).work(approved.id)
    rows = [message for message in outbox.due(jobs.ledger.engine, watch.move(seconds=5)) if message.kind == "progress"]
    assert len(rows) == 1
    assert rows[0].version > 40


def test_a_worker_may_miss_several_beats() -> None:
    """The lease outlives at least four missed signs of life."""
    assert LEASE.total_seconds() >= 4 * BEAT


ROW = "what a customer wrote"


class Broken:
    """A backend with a bug."""

    name, queue = "broken", "io"

    def advance(self, order: Order, keeper: Keeper) -> Trained | Waiting:
        raise ValueError(ROW)

    def find(self, order: Order, adapter: Path, keeper: Keeper) -> Trained | Waiting:
        raise ValueError(ROW)


def test_an_unforeseen_error_ends_the_job_and_quotes_nothing(
    jobs: Jobs, approved: Job, runner: MakeRunner, watch: Watch, caplog: pytest.LogCaptureFixture
) -> None:
    """A bug fails the job once, in words; neither the thread nor the log repeats what the error held."""
    broken = replace(runner("w1"), backend=lambda _: Broken())
    broken.work(approved.id)
    ended = jobs.ledger.get(approved.id)
    assert ended.state == "failed"
    assert "ValueError" in ended.error_what
    assert ROW not in caplog.text + str(owed(jobs, watch))


def test_a_job_that_kills_its_workers_is_given_up(jobs: Jobs, approved: Job, runner: MakeRunner, watch: Watch) -> None:
    """After ten deaths the next worker fails the job instead of dying too; resume gives it a new start."""
    for death in range(MOST_DEATHS + 1):
        assert jobs.ledger.claim(approved.id, f"w{death}", watch())
        watch.move(seconds=16)
    runner("last").work(approved.id)
    assert jobs.ledger.get(approved.id).state == "failed"
    jobs.resume(approved.id, ADA, watch())
    runner("next").work(approved.id)
    assert jobs.ledger.get(approved.id).state == "succeeded"


def test_a_job_that_was_picked_up_says_so_once(jobs: Jobs, approved: Job, watch: Watch) -> None:
    """The ledger knows that the last worker died, and no longer after a person resumed the job."""
    jobs.ledger.claim(approved.id, "w1", watch())
    again = jobs.ledger.claim(approved.id, "w2", watch.move(seconds=16))
    assert again is not None
    assert jobs.ledger.deaths(again) == (1, True, watch.now - timedelta(seconds=16))
