"""The machine's clock jumps: nobody's job stands still, nobody works on one job twice, and nothing is said twice."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from sqlalchemy import Engine, text

from bot.store.inbox import Inbox
from bot.store.leader import LEASE as ROLE_LEASE
from bot.store.leader import hold
from tests.trainers.jobs.conftest import ADA, Watch
from trainers.errors import LeaseLost, StaleApproval
from trainers.jobs import outbox
from trainers.jobs.ledger import LEASE
from trainers.jobs.run import Runner, sweep
from trainers.jobs.service import Jobs
from trainers.jobs.set_back import LONGEST_WAIT, bring_near
from trainers.tables import Job

MakeRunner = Callable[..., Runner]


def swept(jobs: Jobs, watch: Watch) -> list[str]:
    """Ids that the sweeper rings for now."""
    rings: list[str] = []
    sweep(jobs.ledger, lambda job: rings.append(job.id) is None, watch())
    return rings


def test_a_dead_workers_job_is_picked_up_after_the_clock_went_back(
    jobs: Jobs, approved: Job, runner: MakeRunner, watch: Watch
) -> None:
    """Its lease seems to hold for five hours more; one lease later somebody else works on it."""
    assert jobs.ledger.claim(approved.id, "dead", watch())
    watch.move(hours=-5)
    assert swept(jobs, watch) == []
    watch.move(seconds=LEASE.total_seconds() + 1)
    assert swept(jobs, watch) == [approved.id]
    runner("next").work(approved.id)
    assert jobs.ledger.get(approved.id).state == "succeeded"


def test_a_living_worker_keeps_its_job_when_the_clock_goes_back(jobs: Jobs, approved: Job, watch: Watch) -> None:
    """Whoever shows a sign of life in time goes on undisturbed."""
    held = jobs.ledger.claim(approved.id, "alive", watch())
    assert held is not None
    watch.move(hours=-5)
    assert swept(jobs, watch) == []
    assert jobs.ledger.claim(approved.id, "other", watch()) is None
    assert jobs.ledger.keep(held, watch.move(seconds=2)) == ""
    watch.move(seconds=LEASE.total_seconds() - 1)
    assert swept(jobs, watch) == []


def test_a_clock_that_goes_forward_costs_a_lease_and_no_more(jobs: Jobs, approved: Job, watch: Watch) -> None:
    """A job may change hands, and the fence shuts out the worker that had it."""
    first = jobs.ledger.claim(approved.id, "first", watch())
    assert first is not None
    second = jobs.ledger.claim(approved.id, "second", watch.move(hours=3))
    assert second is not None
    with pytest.raises(LeaseLost):
        jobs.ledger.keep(first, watch())
    assert jobs.ledger.keep(second, watch()) == ""


def test_what_waits_does_not_wait_for_the_clock(jobs: Jobs, approved: Job, watch: Watch) -> None:
    """A wait and a ring of a time that has not come again are forgotten; waits as long as we mean them are kept."""
    with jobs.ledger.transaction() as connection:
        moments = {"wake": micros(watch() + timedelta(hours=5)), "rung": micros(watch() + timedelta(hours=5))}
        connection.execute(text("update job set wake_at = :wake, rung_at = :rung"), moments)
    assert swept(jobs, watch) == [approved.id]
    with jobs.ledger.transaction() as connection:
        wake = micros(watch() + LONGEST_WAIT - timedelta(seconds=1))
        connection.execute(text("update job set rung_at = null, wake_at = :wake"), {"wake": wake})
    assert swept(jobs, watch) == []


def test_messages_go_out_and_only_once(engine: Engine, jobs: Jobs, quoted: Job, watch: Watch) -> None:
    """A message that was put off, or tried, in a future that went away is looked at again soon."""
    [row] = outbox.due(engine, watch())
    assert outbox.trying(engine, row, watch())
    outbox.later(engine, row, watch() + timedelta(minutes=5), "ratelimited")
    watch.move(hours=-5)
    assert outbox.due(engine, watch()) == []
    assert bring_near(jobs.ledger, watch()) == 2
    [row] = outbox.due(engine, watch())
    assert row.trying_since == watch()
    assert bring_near(jobs.ledger, watch()) == 0


def test_a_role_and_a_request_are_free_again(engine: Engine, watch: Watch) -> None:
    """A dead leader of the future does not lead, and a request of the future is worked on."""
    inbox = Inbox(engine)
    assert hold(engine, "messenger", "dead", watch())
    assert inbox.take("event:1", "{}", {}, watch(), state="waiting")
    watch.move(hours=-5)
    assert hold(engine, "messenger", "alive", watch())
    assert not hold(engine, "messenger", "third", watch() + ROLE_LEASE / 2)
    assert [row.key for row in inbox.due(watch(), 10)] == ["event:1"]
    assert inbox.due(watch(), 10) == []


def test_a_quote_that_seems_expired_can_be_asked_for_again(jobs: Jobs, quoted: Job, watch: Watch) -> None:
    """After a jump of a day the click is refused in words, and when the clock is right again it counts."""
    with pytest.raises(StaleApproval):
        jobs.approve(quoted.id, quoted.quote_hash, ADA, watch.move(hours=25))
    assert jobs.approve(quoted.id, quoted.quote_hash, ADA, watch.move(hours=-25)).changed


def micros(moment: object) -> int:
    """A moment as the database holds it."""
    return int(moment.timestamp() * 1_000_000)  # type: ignore[attr-defined]
