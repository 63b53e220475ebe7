"""Knows what the kill switch does to jobs: what has not begun is put aside, what has begun goes on; not who turns it.

A job that is put aside stays queued, with a phase of its own and nobody rung for it. The sweeper wakes it within one
sweep after the switch was turned off; workers only ever look whether a job that they took may begin.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Connection, and_, exists, or_, select

from trainers.jobs import outbox
from trainers.jobs.accounts import LUTHIER
from trainers.jobs.cards import progress_card, waiting_card
from trainers.jobs.ledger import Ledger, move, read
from trainers.jobs.line import ahead
from trainers.jobs.messages import ProgressCard
from trainers.policy import paused_workspaces, rules_of
from trainers.tables import Job, Submission

ASIDE: Final = "paused"
"""Phase of a queued job that waits for the end of a pause."""

BEGUN: Final = ("training", "evaluating", "reporting")
"""Phases in which there is something to lose: such a job goes on, also with another worker."""

LOOK_AGAIN: Final = timedelta(hours=1)
"""When a job that was put aside is looked at again although nobody woke it."""

NOTE: Final = "Luthier is paused in this workspace: this starts when an approver lifts the pause"
GOES_ON: Final = "Luthier is paused in this workspace; what runs already goes on to its end."

MOST: Final = 100
"""Jobs that one sweep puts aside or wakes."""

_jobs = Job.__table__  # type: ignore[attr-defined]  # SQLModel adds it at class creation
_calls = Submission.__table__  # type: ignore[attr-defined]  # the same


def put_back(ledger: Ledger, job: Job, owner: str, now: datetime) -> bool:
    """Put aside a job that a worker has just taken, unless it may go on; False where it may.

    What is to be stopped may, and what trains already, here or at a provider.
    """
    with ledger.reading() as connection:
        if job.stop_requested_by or not rules_of(connection, job.workspace_id).paused or _has_begun(connection, job):
            return False
    with ledger.transaction() as connection:
        if move(connection, job, "queued", owner, now, fenced=True, remark=NOTE, started_at=None, **_aside(now)):
            outbox.put(connection, job, _card(job), now)
    return True


def tend(ledger: Ledger, now: datetime) -> int:
    """Put aside what waits in a paused workspace and wake what waits in no longer paused ones; returns how many."""
    with ledger.reading() as connection:
        paused = paused_workspaces(connection)
        waits = and_(_jobs.c.state == "queued", _jobs.c.stop_requested_by == "")
        here = _jobs.c.workspace_id.in_(paused)
        to_stop = and_(waits, here, _jobs.c.phase != ASIDE, ~_begun()) if paused else None
        to_wake = and_(_jobs.c.state == "queued", _jobs.c.wake_at > now, _jobs.c.phase == ASIDE, ~here)
        stops = _ids(connection, to_stop) if paused else []
        wakes = _ids(connection, to_wake)
    return sum(_put_aside(ledger, job_id, now) for job_id in stops) + sum(_wake(ledger, one, now) for one in wakes)


def noted(connection: Connection, job: Job, numbers: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a progress message shows; in a paused workspace with the word that this job goes on."""
    if not rules_of(connection, job.workspace_id).paused:
        return dict(numbers)
    return {**numbers, "note": " · ".join(filter(None, (numbers.get("note", ""), GOES_ON)))}


def _put_aside(ledger: Ledger, job_id: str, now: datetime) -> bool:
    with ledger.transaction() as connection:
        job = read(connection, job_id, lock=True)
        if job.state != "queued" or job.stop_requested_by or job.phase == ASIDE or _has_begun(connection, job):
            return False
        moved = move(connection, job, "queued", LUTHIER, now, remark=NOTE, started_at=None, **_aside(now))
        outbox.put(connection, job, _card(job), now)
        return moved


def _wake(ledger: Ledger, job_id: str, now: datetime) -> bool:
    with ledger.transaction() as connection:
        job = read(connection, job_id, lock=True)
        if job.state != "queued" or job.phase != ASIDE:
            return False
        moved = move(connection, job, "queued", LUTHIER, now, remark="unpaused", phase="", wake_at=None, rung_at=None)
        job = read(connection, job_id)
        outbox.put(connection, job, waiting_card(job, ahead(connection, job, now)), now)
        return moved


def _aside(now: datetime) -> dict[str, Any]:
    return {"phase": ASIDE, "wake_at": now + LOOK_AGAIN, "rung_at": None}


def _card(job: Job) -> ProgressCard:
    return progress_card(job, "", {"note": NOTE}, state="queued")


def _has_begun(connection: Connection, job: Job) -> bool:
    return connection.execute(select(_jobs.c.id).where(_jobs.c.id == job.id, _begun())).first() is not None


def _begun() -> Any:
    """Select jobs that train already: by their phase, or because a provider has their run or may have it."""
    may_run = or_(
        _calls.c.state.in_(("accepted", "asking")), and_(_calls.c.state == "intended", _calls.c.tried_at.is_not(None))
    )
    at_provider = exists().where(_calls.c.job_id == _jobs.c.id, _calls.c.kind == "job", may_run)
    return or_(_jobs.c.phase.in_(BEGUN), at_provider)


def _ids(connection: Connection, which: Any) -> list[str]:
    query = select(_jobs.c.id).where(which).order_by(_jobs.c.approved_at, _jobs.c.id).limit(MOST)
    return list(connection.execute(query).scalars())
