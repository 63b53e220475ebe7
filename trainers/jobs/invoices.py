"""Knows what a provider billed for a job, and compares it with the quote; it changes no budget."""

import json
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import update

from knowledge.errors import UserError
from knowledge.tenancy import Person
from trainers.costs.reconcile import Compared, reconcile
from trainers.jobs import accounts
from trainers.jobs.ledger import Ledger, read
from trainers.tables import Job

_jobs = Job.__table__  # type: ignore[attr-defined]  # SQLModel adds it at class creation

MOST = Decimal(10) ** 9


def record(ledger: Ledger, job_id: str, dollars: Decimal, person: Person, now: datetime) -> list[Compared]:
    """Keep what was billed for a job that succeeded, in US dollars, and return quote and outcome side by side.

    A second invoice replaces the first; the audit holds both. Raises UserError.
    """
    if not dollars.is_finite() or not 0 <= dollars <= MOST:
        raise UserError(f"{dollars} is no amount of an invoice.", "Give dollars, such as 4.62; 0 for none.")
    with ledger.transaction() as connection:
        job = read(connection, job_id, lock=True)
        if job.state != "succeeded":
            raise UserError(f"Job #{job.number} is {job.state}.", "An invoice is kept once a job has succeeded.")
        result: dict[str, Any] = {**json.loads(job.result), "invoice": str(dollars)}
        found = reconcile(json.loads(job.quote), result)
        result["reconciled"] = [one.to_json() for one in found]
        connection.execute(update(_jobs).where(_jobs.c.id == job.id).values(result=json.dumps(result)))
        accounts.tell(connection, job, person.user_id, "invoiced", now, dollars=str(dollars))
    return found
