"""Knows what to say and count when a run is found that no thread knows of; it neither finds it nor ends it.

Each function is a part of the caller's transaction, which holds the job's row.
"""

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from sqlalchemy import Connection

from trainers import audit, budgets
from trainers.jobs import accounts, outbox
from trainers.jobs.messages import LeftoverCard
from trainers.jobs.submission import CLOSED
from trainers.policy import rules_of
from trainers.states import ENDED
from trainers.tables import Job, Submission

ENDED_RUN: Final = "ended its run"
"""Verb of the audit's entry; with the run's id in it, it is what makes telling happen once."""

LISTED: Final = timedelta(minutes=10)
"""How long after its job's end a run that we cancelled has to be listed before anybody is told: lists lag."""


def tell(connection: Connection, row: Submission, job: Job, provider: str, run: str, now: datetime) -> bool:
    """Tell the thread, the audit and the budgets of a run or deployment that has to be ended; False where it was done.

    Rows that were left cost nothing, so nobody is told of them.
    """
    if row.kind in ("upload", "validation") or _is_expected(row, job, run, now):
        return False
    audit.take_turn(connection, job.workspace_id)
    if audit.said(connection, job.workspace_id, ENDED_RUN, f"job #{job.number}", run):
        return False
    cost = accounts.cost_of(job) if row.kind == "job" else None
    accounts.tell(connection, job, accounts.LUTHIER, ENDED_RUN, now, submission=row.id, run=run)
    if row.provider_id != run and (row.provider_id or row.state in CLOSED):  # else its job's end counts it, or did
        _count(connection, job, run, cost, now)
    outbox.put(connection, job, _card(row, job, provider, run, cost), now, key=f"{LeftoverCard.KIND}-{run}")
    return True


def _is_expected(row: Submission, job: Job, run: str, now: datetime) -> bool:
    """Say whether it is no surprise: a list that lags behind our own cancellation, a deployment whose time is over."""
    if row.expires_at is not None and row.expires_at <= now:
        return True
    ended_long_ago = job.state in ENDED and job.finished_at is not None and job.finished_at <= now - LISTED
    return row.state in CLOSED and row.provider_id == run and not ended_long_ago


def _count(connection: Connection, job: Job, run: str, cost: Decimal | None, now: datetime) -> None:
    if not cost:
        return
    budgets.count_beyond(connection, job, cost, rules_of(connection, job.workspace_id), now)
    told = {"dollars": str(cost), "basis": "a run beside the approved one", "run": run}
    accounts.tell(connection, job, accounts.LUTHIER, "spent", now, **told)


def _card(row: Submission, job: Job, provider: str, run: str, cost: Decimal | None) -> LeftoverCard:
    return LeftoverCard(
        job_id=job.id,
        number=job.number,
        title=job.title,
        requested_by=job.requested_by,
        provider=provider,
        run=run,
        thing="deployment" if row.kind == "deployment" else "run",
        second=row.provider_id is not None and row.provider_id != run,
        dollars=None if cost is None else str(cost),
    )
