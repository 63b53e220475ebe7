"""Who runs before whom, what people hear about it, what stays private, and what is said when a worker died."""

import json
from collections.abc import Callable

import pytest

from tests.trainers.jobs.conftest import ADA, BEN, THREAD, Watch
from trainers.errors import NotAllowed
from trainers.jobs import outbox
from trainers.jobs.line import Ahead, place_words
from trainers.jobs.run import Runner, sweep
from trainers.jobs.service import Jobs, Place
from trainers.spec import TrainingSpec
from trainers.tables import Job


def queued(jobs: Jobs, watch: Watch, backend: str = "local", place: Place = THREAD, **more: bool) -> Job:
    """Propose and approve a job a second after the one before."""
    dataset = jobs.datasets.example("tickets", ADA, watch()).dataset
    now = watch.move(seconds=1)
    job = jobs.propose(dataset, TrainingSpec(backend=backend), person=ADA, now=now, place=place, **more)
    return jobs.approve(job.id, job.quote_hash, ADA, now).job


def test_only_the_same_queue_counts(jobs: Jobs, watch: Watch) -> None:
    """Two cpu jobs are ahead of a third one, with minutes from their quotes; an io job is next in its own line."""
    for _ in range(3):
        last = queued(jobs, watch)
    other = queued(jobs, watch, "rehearsal")
    places = jobs.ledger.places([last, other], watch())
    offer = json.loads(last.quote)
    one = (sum(offer["training_minutes"]) + sum(offer["evaluation_minutes"])) / 2
    assert places[last.id].jobs == 2
    assert places[last.id].minutes == pytest.approx(2 * one)
    assert places[other.id].jobs == 0


def test_batch_lets_interactive_jobs_pass_for_two_hours(jobs: Jobs, watch: Watch) -> None:
    """A batch job runs after a later interactive one, and before those that come once it has waited two hours."""
    batch = queued(jobs, watch, batch=True)
    soon = queued(jobs, watch)
    assert [job.id for job in jobs.ledger.due(watch())] == [soon.id, batch.id]
    assert jobs.ledger.places([batch], watch())[batch.id].jobs == 1
    watch.move(hours=2)
    late = queued(jobs, watch)
    assert [job.id for job in jobs.ledger.due(watch())] == [batch.id, soon.id, late.id]


def test_a_ring_for_a_later_job_takes_the_first_one(jobs: Jobs, watch: Watch) -> None:
    """Whoever answers a ring takes what is first in line on that queue; a ring for no job takes nothing."""
    first, second = queued(jobs, watch), queued(jobs, watch)
    assert jobs.ledger.claim_for("job_unknown", "w", watch()) is None
    taken = [jobs.ledger.claim_for(second.id, "w", watch()) for _ in range(3)]
    assert [job and job.id for job in taken] == [first.id, second.id, None]


def test_a_waiting_card_moves_up_and_stays_one_message(jobs: Jobs, watch: Watch) -> None:
    """When the job ahead is cancelled, a sweep renews the card of the one behind it, once."""
    first, second = queued(jobs, watch), queued(jobs, watch)

    def cards() -> list[tuple[str, int]]:
        rows = outbox.due(jobs.ledger.engine, watch.move(seconds=5))
        return [
            (json.loads(row.payload)["note"], row.version)
            for row in rows
            if (row.job_id, row.kind) == (second.id, "progress")
        ]

    assert cards()[0][0].startswith("Queued, 1 ahead, about ")
    jobs.stop(first.id, ADA, watch())
    sweep(jobs.ledger, lambda _: True, watch())
    sweep(jobs.ledger, lambda _: True, watch())
    assert cards() == [("Queued, next in line", 2)]


@pytest.mark.parametrize(
    ("place", "words"),
    [
        (Ahead(0, 0), "next in line"),
        (Ahead(2, 13.6), "2 ahead, about 14 min"),
        (Ahead(1, 0.4), "1 ahead, under 1 min"),
        (Ahead(9, 152), "9 ahead, about 2 h 30 min"),
        (Ahead(1200, None), "1,200 ahead"),
    ],
)
def test_a_place_in_words(place: Ahead, words: str) -> None:
    """An estimate is rounded to what it is worth, and left out where there is none."""
    assert place_words(place) == words


def test_a_private_job_is_seen_by_nobody_else(jobs: Jobs, watch: Watch, runner: Callable[..., Runner]) -> None:
    """It is in its person's list only, refused to others by number except where it was begun, and never announced."""
    job = queued(jobs, watch, "rehearsal", place=Place("D0ADA", "1.1", private=True))
    assert [found.id for found in jobs.ledger.listing("T1", seen_by=ADA.user_id)] == [job.id]
    assert jobs.ledger.listing("T1", seen_by=BEN.user_id) == []
    with pytest.raises(NotAllowed, match="private conversation"):
        jobs.ledger.find("T1", "1", seen_by=BEN.user_id, channel="C0ASK")
    assert jobs.ledger.find("T1", "1", seen_by=BEN.user_id, channel="D0ADA").id == job.id
    runner("w").work(job.id)
    kinds = {row.kind for row in outbox.due(jobs.ledger.engine, watch.move(seconds=5))}
    assert "report" in kinds
    assert "announcement" not in kinds


def test_a_death_is_told_with_its_step_and_its_cost(
    jobs: Jobs, approved: Job, watch: Watch, runner: Callable[..., Runner]
) -> None:
    """The progress message says at which step the worker died, where it goes on and what was lost."""
    held = jobs.ledger.claim(approved.id, "w1", watch())
    assert held is not None
    with jobs.ledger.transaction() as connection:
        jobs.ledger.progress(connection, held, "training", {"step": 31, "steps": 45, "seconds_left": 140.0})
    folder = jobs.datasets.folder / "jobs" / approved.id
    folder.mkdir(parents=True)
    (folder / "rehearsed_steps").write_text("30")
    watch.move(seconds=110)
    runner("w2", steps=45).work(approved.id)
    note = json.loads(jobs.ledger.get(approved.id).progress)["note"]
    said = "The worker died at step 31. I've restarted from the checkpoint at step 30; about 2 minutes lost."
    assert note.startswith(said)
