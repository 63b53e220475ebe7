"""Knows what a provider billed for a job, and compares it with the quote; it changes no budget and no job."""

import json
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, insert, select

from knowledge.errors import UserError
from knowledge.tenancy import Person
from trainers.costs.reconcile import Compared, reconcile
from trainers.jobs import accounts
from trainers.jobs.ledger import Ledger, read
from trainers.jobs.records import Invoice
from trainers.tables import Job

_rows = Invoice.__table__  # type: ignore[attr-defined]  # SQLModel adds it at class creation

MOST = Decimal(10) ** 9


def record(ledger: Ledger, job_id: str, dollars: Decimal, person: Person, now: datetime) -> list[Compared]:
    """Keep what was billed for a job that succeeded, in US dollars, and return quote and outcome side by side.

    The newest invoice counts; earlier ones stay on record. Raises UserError.
    """
    if not dollars.is_finite() or not 0 <= dollars <= MOST:
        raise UserError(f"{dollars} is no amount of an invoice.", "Give dollars, such as 4.62; 0 for none.")
    with ledger.transaction() as connection:
        job = read(connection, job_id, lock=True)
        if job.state != "succeeded":
            raise UserError(f"Job #{job.number} is {job.state}.", "An invoice is kept once a job has succeeded.")
        kept = {"job_id": job.id, "dollars": f"{dollars:f}", "recorded_by": person.user_id, "at": now}
        connection.execute(insert(_rows).values(**kept))
        accounts.tell(connection, job, person.user_id, "invoiced", now, dollars=str(dollars))
        return _compared(connection, job)


def compared(ledger: Ledger, job: Job) -> list[Compared]:
    """Return a job's quote beside what came of it, with the newest invoice if there is one."""
    with ledger.reading() as connection:
        return _compared(connection, job)


def _compared(connection: Connection, job: Job) -> list[Compared]:
    newest = select(_rows.c.dollars).where(_rows.c.job_id == job.id).order_by(_rows.c.id.desc()).limit(1)
    result: dict[str, Any] = json.loads(job.result)
    return reconcile(json.loads(job.quote), {**result, "invoice": connection.execute(newest).scalar()})
