"""Knows how a quote becomes a queued job: who said yes, whom to ask next, when it expires; not what a click looks like.

Each function is a part of the caller's transaction, which holds the job's row.
"""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, insert, or_, select, update

from knowledge.tenancy import Person
from trainers import budgets, policy
from trainers.errors import StaleApproval
from trainers.jobs import accounts, outbox
from trainers.jobs.cards import quote_card, waiting_card
from trainers.jobs.kinds import again
from trainers.jobs.ledger import move, read
from trainers.jobs.line import ahead
from trainers.jobs.messages import ApprovalRequest, HomeRefresh
from trainers.policy import Rules
from trainers.tables import Approval, Job

_jobs = Job.__table__  # type: ignore[attr-defined]  # SQLModel adds it at class creation
_approvals = Approval.__table__  # type: ignore[attr-defined]  # the same

OPEN = ("quoted", "awaiting_approval")
"""States in which a quote waits for a yes."""

EXPIRED = "This quote expired before it was approved."


def click(connection: Connection, job: Job, quote_hash: str, person: Person, now: datetime, via: str = "") -> bool:
    """Do what a click on Approve leads to; returns whether it changed anything. `via` is a key that said it for them.

    Raises NotAllowed, StaleApproval or OverBudget; the caller's transaction must then not be kept.
    """
    rules, cost = policy.rules_of(connection, job.workspace_id, lock="share"), accounts.cost_of(job)
    given = given_for(connection, job)
    step = policy.approval_step(job, person, cost, rules, given)
    _check_fresh(job, quote_hash, now)
    if step == "queue":
        return _queue(connection, job, person, rules, now, via)
    if step == "ask":
        return ask(connection, job, person, rules, now)
    if person.user_id in given:
        return False
    ask(connection, job, person, rules, now)
    job = read(connection, job.id)
    _say_yes(connection, job, person, now)
    yes = {"quote": job.quote_hash, "dollars": str(cost), **({"key": via} if via else {})}
    accounts.tell(connection, job, person.user_id, "approved in part", now, **yes)
    show(connection, job, rules, now)
    return True


def ask(connection: Connection, job: Job, person: Person, rules: Rules, now: datetime) -> bool:
    """Put a quote before the approvers; False where that was done. Raises OverBudget where no yes could count."""
    cost = accounts.cost_of(job)
    if job.state == "quoted" and cost is not None:
        budgets.check_left(connection, job, cost, rules, now)
    if not move(connection, job, "awaiting_approval", person.user_id, now, asked_at=now):
        return False
    job = read(connection, job.id)
    asked = list(policy.approvers_for(job, rules))
    accounts.tell(connection, job, person.user_id, "asked approvers", now, approvers=asked, dollars=str(cost))
    show(connection, job, rules, now)
    request(connection, job, asked[: policy.approvals_needed(job, cost or Decimal(0), rules)], now)
    return True


def request(connection: Connection, job: Job, users: Sequence[str], now: datetime, *, again: bool = False) -> None:
    """Owe the line that asks `users`: in the job's thread, or to each alone where that is in direct messages."""
    private = job.channel.startswith("D")
    for heard in [(user,) for user in users] if private else [tuple(users)]:
        card = ApprovalRequest(
            job_id=job.id,
            number=job.number,
            title=job.title,
            requested_by=job.requested_by,
            approvers=heard,
            dollars=str(accounts.cost_of(job)),
            asked_at=(job.asked_at or now).isoformat(),
            expires_at=job.expires_at.isoformat() if job.expires_at else "",
            again=again,
            private=private,
        )
        key = "-".join(("reminder" if again else card.KIND, job.quote_hash[:12], *(heard if private else ())))
        outbox.put(connection, job, card, now, channel=heard[0] if private else "", key=key)


def remind(connection: Connection, job: Job, now: datetime) -> bool:
    """Ask the next approver, once, where nobody has answered in time; False where it is not time, or was done."""
    rules = policy.rules_of(connection, job.workspace_id, lock="share")
    if job.state != "awaiting_approval" or job.asked_at is None or job.reminded_at is not None:
        return False
    if rules.paused or now < policy.reminder_due(job.asked_at, rules):
        return False
    given = given_for(connection, job)
    silent = [user for user in policy.approvers_for(job, rules) if user not in given]
    if not silent:
        return False
    # The first was asked by the card; who stands next is asked now. A single approver is asked again.
    next_one = silent[1] if len(silent) > 1 and not given else silent[0]
    connection.execute(update(_jobs).where(_jobs.c.id == job.id).values(reminded_at=now))
    accounts.tell(connection, job, accounts.LUTHIER, "reminded", now, approver=next_one)
    request(connection, read(connection, job.id), [next_one], now, again=True)
    return True


def expire(connection: Connection, job: Job, now: datetime) -> bool:
    """Close a quote that nobody approved in time; False where it is still good, or decided."""
    if job.state not in OPEN or job.expires_at is None or job.expires_at > now:
        return False
    closing: dict[str, Any] = {
        "finished_at": now,
        "error_what": EXPIRED,
        "error_next": f"Ask for a new one with {again(job.kind)}.",
    }
    if not move(connection, job, "cancelled", accounts.LUTHIER, now, remark="expired", **closing):
        return False
    job = read(connection, job.id)
    accounts.tell(connection, job, accounts.LUTHIER, "expired", now)
    show(connection, job, policy.rules_of(connection, job.workspace_id), now)
    return True


def show(connection: Connection, job: Job, rules: Rules, now: datetime, *, home: bool = True) -> None:
    """Bring the quote's card and, with `home`, the Home tabs of whom it concerns up to date."""
    cost = accounts.cost_of(job)
    needed = 0 if cost is None else policy.approvals_needed(job, cost, rules)
    asked = policy.approvers_for(job, rules) if needed else ()
    card = quote_card(job, approvers=asked, given=given_for(connection, job), needed=needed)
    outbox.put(connection, job, card, now)
    if home:
        outbox.put(connection, job, HomeRefresh(user_id=job.requested_by), now)
    for user in asked if job.asked_at else ():
        outbox.put(connection, job, HomeRefresh(user_id=user), now, key=f"home-{user}")


def waiting_for(connection: Connection, person: Person, now: datetime) -> Sequence[Job]:
    """Return the quotes that wait for this person's yes, the newest first."""
    rules = policy.rules_of(connection, person.workspace_id)
    here = (_jobs.c.workspace_id == person.workspace_id) & (_jobs.c.state == "awaiting_approval")
    query = select(_jobs).where(here, _jobs.c.expires_at > now).order_by(_jobs.c.created_at.desc()).limit(50)
    found = [Job(**row) for row in connection.execute(query).mappings().all()]
    mine = [job for job in found if person.user_id in policy.approvers_for(job, rules)]
    return [job for job in mine if person.user_id not in given_for(connection, job)]


def needs_others(job: Job, rules: Rules) -> bool:
    """Say whether somebody other than its requester has to approve a job."""
    cost = accounts.cost_of(job)
    above = cost is not None and cost > rules.own_click_limit
    return above and job.requested_by not in policy.approvers_for(job, rules)


def given_for(connection: Connection, job: Job) -> Sequence[str]:
    """Return who approved the job's present quote, the first one first."""
    mine = (_approvals.c.job_id == job.id) & (_approvals.c.quote_hash == job.quote_hash)
    return list(connection.execute(select(_approvals.c.person).where(mine).order_by(_approvals.c.id)).scalars())


def due(connection: Connection, now: datetime) -> Sequence[str]:
    """Return the jobs whose quote has expired, or whose next approver is to be asked."""
    expired = _jobs.c.expires_at <= now
    silent = (_jobs.c.state == "awaiting_approval") & _jobs.c.reminded_at.is_(None)
    query = select(_jobs.c.id, _jobs.c.workspace_id, _jobs.c.asked_at, expired.label("expired"))
    some = query.where(_jobs.c.state.in_(OPEN), or_(expired, silent)).order_by(_jobs.c.expires_at).limit(100)
    rows = connection.execute(some).all()
    rules = {workspace: policy.rules_of(connection, workspace) for workspace in {row.workspace_id for row in rows}}
    return [
        row.id
        for row in rows
        if row.expired or (row.asked_at and policy.reminder_due(row.asked_at, rules[row.workspace_id]) <= now)
    ]


def _check_fresh(job: Job, quote_hash: str, now: datetime) -> None:
    if quote_hash != job.quote_hash:
        raise StaleApproval(
            "That quote is no longer the current one.", "Look at the newer quote below and approve that."
        )
    if job.expires_at is not None and job.expires_at <= now:
        raise StaleApproval("That quote is more than 24 hours old.", f"Ask for a new one with {again(job.kind)}.")


def _queue(connection: Connection, job: Job, person: Person, rules: Rules, now: datetime, via: str) -> bool:
    if not move(connection, job, "queued", person.user_id, now, approved_by=person.user_id, approved_at=now):
        return False
    job, cost = read(connection, job.id), accounts.cost_of(job) or Decimal(0)
    held = accounts.begin(connection, job, rules, now)
    _say_yes(connection, job, person, now)
    exception: dict[str, Any] = {"single_approver": True} if policy.exception_used(job, person, cost, rules) else {}
    exception |= {"key": via} if via else {}
    accounts.tell(
        connection, job, person.user_id, "approved", now, quote=job.quote_hash, dollars=str(held), **exception
    )
    show(connection, job, rules, now)
    outbox.put(connection, job, waiting_card(job, ahead(connection, job, now)), now)
    return True


def _say_yes(connection: Connection, job: Job, person: Person, now: datetime) -> None:
    if person.user_id not in given_for(connection, job):
        values = {"job_id": job.id, "quote_hash": job.quote_hash, "person": person.user_id, "at": now}
        connection.execute(insert(_approvals).values(**values))
