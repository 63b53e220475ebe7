"""The outbox by itself: latest wins, what was put off stays put off, and one process posts."""

from datetime import timedelta

from sqlalchemy import Engine

from tests.trainers.jobs.conftest import Watch
from trainers.jobs import outbox
from trainers.jobs.cards import progress_card
from trainers.jobs.service import Jobs
from trainers.tables import Job, OutboxMessage


def quote_of(engine: Engine, watch: Watch) -> OutboxMessage:
    return next(row for row in outbox.due(engine, watch()) if row.key == "quote")


def owe(jobs: Jobs, job: Job, watch: Watch, note: str = "", state: str = "running") -> None:
    with jobs.ledger.transaction() as connection:
        outbox.put(connection, job, progress_card(job, "training", {"note": note}, state=state), watch())


def progress(engine: Engine, watch: Watch) -> list[OutboxMessage]:
    return [row for row in outbox.due(engine, watch()) if row.kind == "progress"]


def test_the_latest_version_wins(engine: Engine, jobs: Jobs, quoted: Job, watch: Watch) -> None:
    """Two versions before a post are one row that holds the newer one."""
    owe(jobs, quoted, watch, "older")
    owe(jobs, quoted, watch, "newer")
    (row,) = progress(engine, watch)
    assert row.version == 2
    assert "newer" in row.payload


def test_a_new_version_does_not_cut_a_wait_short(engine: Engine, jobs: Jobs, quoted: Job, watch: Watch) -> None:
    """Slack asked for a minute: progress within it is kept, and due when the minute is over."""
    owe(jobs, quoted, watch)
    outbox.later(engine, progress(engine, watch)[0], watch() + timedelta(seconds=60), "ratelimited")
    watch.move(seconds=2)
    owe(jobs, quoted, watch, "newest")
    watch.move(seconds=57)
    assert progress(engine, watch) == []
    watch.move(seconds=1)
    assert "newest" in progress(engine, watch)[0].payload


def test_edits_keep_their_distance(engine: Engine, jobs: Jobs, quoted: Job, watch: Watch) -> None:
    """After a post, and after a message was given up, the next version waits three seconds."""
    owe(jobs, quoted, watch)
    for end in (
        lambda row: outbox.sent(engine, row, "1.1", watch()),
        lambda row: outbox.give_up(engine, row, "is_archived", watch()),
    ):
        end(progress(engine, watch)[0])
        owe(jobs, quoted, watch)
        watch.move(seconds=2)
        assert progress(engine, watch) == []
        watch.move(seconds=1)
        assert len(progress(engine, watch)) == 1


def test_the_end_does_not_wait_for_the_pace_of_progress(engine: Engine, jobs: Jobs, quoted: Job, watch: Watch) -> None:
    """A job ends while a step of it is being shown: its last card follows after Slack's three seconds."""
    owe(jobs, quoted, watch)
    shown = progress(engine, watch)[0]
    for state, wait in (("running", 100), ("succeeded", 3)):
        owe(jobs, quoted, watch, state=state)
        outbox.sent(engine, shown, "1.1", watch(), timedelta(seconds=100))
        watch.move(seconds=wait - 1)
        assert progress(engine, watch) == []
        watch.move(seconds=1)
        (shown,) = progress(engine, watch)


def test_one_of_two_readers_may_post(engine: Engine, quoted: Job, watch: Watch) -> None:
    """Of two processes that read the same unsent row the first one has it, now and when a try is repeated."""
    for _ in range(2):
        mine, theirs = quote_of(engine, watch), quote_of(engine, watch)
        assert outbox.trying(engine, mine, watch.move(seconds=1))
        assert not outbox.trying(engine, theirs, watch.move(seconds=1))


def test_a_row_that_was_sent_or_given_up_since_is_not_tried(engine: Engine, quoted: Job, watch: Watch) -> None:
    """A row read before somebody else finished it is no ground for a post."""
    read = quote_of(engine, watch)
    assert outbox.trying(engine, read, watch())
    outbox.sent(engine, read, "1.1", watch())
    assert not outbox.trying(engine, read, watch())


def test_a_row_that_was_given_up_since_is_not_tried(engine: Engine, quoted: Job, watch: Watch) -> None:
    """A row read before somebody else gave it up is no ground for a post."""
    read = quote_of(engine, watch)
    outbox.give_up(engine, read, "is_archived", watch())
    assert not outbox.trying(engine, read, watch())
