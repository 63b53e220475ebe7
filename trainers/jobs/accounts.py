"""Knows what a job's start sets aside and what its end cost, and tells the audit; it does not know who approved it."""

import json
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, func, select

from knowledge.tenancy import Person
from trainers import audit, budgets
from trainers.errors import NotAllowed, NotYet
from trainers.jobs.kinds import AS_IT_GOES
from trainers.jobs.ledger import resumes
from trainers.policy import Rules, approval_step, dollars, rules_of
from trainers.states import LIVE
from trainers.tables import Job, Submission

_jobs = Job.__table__  # type: ignore[attr-defined]  # SQLModel adds it at class creation
_submissions = Submission.__table__  # type: ignore[attr-defined]  # the same

LUTHIER = "luthier"
"""Who did it, in the audit, where nobody did: a quote expired, a worker finished."""


def cost_of(job: Job) -> Decimal | None:
    """Return what a job's quote asks for, in dollars; None where a part of it is unknown."""
    offer = json.loads(job.quote)
    costs = (offer["training_cost"], offer["evaluation_cost"])
    return None if None in costs else sum((Decimal(cost) for cost in costs), Decimal(0))


def begin(connection: Connection, job: Job, rules: Rules, now: datetime) -> Decimal:
    """Set aside what a job that is being queued may cost; returns it, in dollars.

    Raises NotYet for one job too many and OverBudget; the caller's transaction must then not be kept.
    """
    audit.take_turn(connection, job.workspace_id)
    check_share(connection, job, rules)
    return budgets.reserve(connection, job, cost_of(job) or Decimal(0), rules, now)


def begin_again(connection: Connection, job: Job, person: Person, rules: Rules, now: datetime) -> Decimal:
    """Set aside what a job that is being resumed may still cost; returns it, in dollars.

    What runs at a provider still, and each answer of an endpoint, is paid for once: only the rest of the approved cost
    is set aside. Else it starts
    anew: what its earlier lives have spent comes on top of what was approved, and this click has to cover the cost.
    """
    audit.take_turn(connection, job.workspace_id)
    check_share(connection, job, rules)
    cost, spent = cost_of(job) or Decimal(0), budgets.spent_by(connection, job.id)
    if spent and (_is_open(connection, job) or pays_as_it_goes(job)):
        return budgets.reserve(connection, job, max(Decimal(0), cost - spent), rules, now)
    if spent and approval_step(job, person, cost, rules, ()) != "queue":
        raise NotAllowed(
            f"{dollars(spent)} of the approved {dollars(cost)} may be spent, and starting anew costs as much again.",
            "Ask for a new quote with `train`, or let an approver resume it.",
        )
    return budgets.reserve(connection, job, cost, rules, now)


def settle(connection: Connection, job: Job, known: Decimal | None, now: datetime) -> None:
    """Count what a job that ended has spent: what is `known`, else nothing if nothing was sent, else all set aside."""
    audit.take_turn(connection, job.workspace_id)
    if known is None and not _may_have_paid(connection, job):
        known = Decimal(0)
    spent = budgets.settle(connection, job, known, now)
    if spent is not None:
        told: dict[str, Any] = {"dollars": str(spent), "basis": "all that was set aside" if known is None else "known"}
        tell(connection, job, LUTHIER, "spent", now, state=job.state, **told)


def tell(connection: Connection, job: Job, who: str, what: str, now: datetime, **detail: Any) -> None:
    """Write an entry about a job into its workspace's log, in the transaction of what it tells."""
    audit.write(connection, job.workspace_id, who, what, f"job #{job.number}", now, job=job.id, **detail)


def may_spend(connection: Connection, job: Job, now: datetime) -> str:
    """Say why a job may not pay for anything now, or ""; asked again before each paid call."""
    if rules_of(connection, job.workspace_id).paused:
        return "Luthier is paused in this workspace"
    return "" if job.approved_at is not None else "this job was not approved"


def may_begin(connection: Connection, job: Job) -> str:
    """Say why a job may not start a run that is paid for, or "": a resumed one may only be watching what it has paid.

    What continues a run that was counted as spent has nothing set aside for a second one.
    """
    held, cost = budgets.reserved_for(connection, job.id), cost_of(job) or Decimal(0)
    if held is not None and held >= cost:
        return ""
    return f"Its approved {dollars(cost)} went to the run that has ended; starting anew costs as much again."


def pays_as_it_goes(job: Job) -> bool:
    """Say whether a job pays for many small calls, each kept in its own folder, and not for one run at a provider."""
    return json.loads(job.spec)["backend"] in AS_IT_GOES


def check_share(connection: Connection, job: Job, rules: Rules) -> None:
    """Raise NotYet where the person who asked for a job has as many queued or running as one person may."""
    live = select(func.count()).where(
        _jobs.c.workspace_id == job.workspace_id,
        _jobs.c.requested_by == job.requested_by,
        _jobs.c.state.in_(LIVE),
        _jobs.c.id != job.id,
    )
    count = int(connection.execute(live).scalar_one())
    if count >= rules.jobs_per_person:
        raise NotYet(
            f"@{job.requested_by} has {count} jobs queued or running; one person may have {rules.jobs_per_person}.",
            "Wait until one ends, or stop one: `jobs` lists them.",
        )


def _may_have_paid(connection: Connection, job: Job) -> bool:
    """Say whether a provider may have taken what costs in this life of a job; a file alone costs nothing."""
    this_life = and_(
        _submissions.c.job_id == job.id,
        _submissions.c.kind.not_in(("upload", "validation")),
        _submissions.c.provider_id.is_not(None),
        _submissions.c.life == resumes(connection, job),
    )
    if pays_as_it_goes(job) and job.fence:
        return True
    was_there = connection.execute(select(_submissions.c.id).where(this_life).limit(1)).first() is not None
    return was_there or _is_open(connection, job)


def _is_open(connection: Connection, job: Job) -> bool:
    """Say whether a provider may have a job of ours that has not ended."""
    live = _is_of(job) & _submissions.c.state.in_(("intended", "accepted", "asking"))
    return connection.execute(select(_submissions.c.id).where(live).limit(1)).first() is not None


def _is_of(job: Job) -> ColumnElement[bool]:
    return and_(_submissions.c.job_id == job.id, _submissions.c.kind == "job")
