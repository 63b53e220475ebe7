"""Knows how a job that waits for its next question to a provider becomes due at once; it asks nobody and rings none."""

from datetime import datetime

from sqlalchemy import select, update

from trainers.jobs.ledger import Ledger, read
from trainers.tables import Job, Submission

_jobs = Job.__table__  # type: ignore[attr-defined]  # SQLModel adds it at class creation
_submissions = Submission.__table__  # type: ignore[attr-defined]  # the same


def hurry(ledger: Ledger, provider_id: str, now: datetime) -> list[Job]:
    """Make due now the job whose run has this id at its provider, if it waits; returns it, for somebody to ring.

    A job that nobody waits for, or that a worker holds just now, is left alone: it is asked after anyway.
    """
    is_run = (_submissions.c.kind == "job") & (_submissions.c.provider_id == provider_id)
    query = select(_submissions.c.job_id).where(is_run, _submissions.c.state == "accepted")
    with ledger.transaction() as connection:
        found = list(connection.execute(query).scalars())
        waiting = (_jobs.c.state == "queued") & (_jobs.c.wake_at > now)
        hurried = [
            job_id
            for job_id in found
            if connection.execute(
                update(_jobs).where(_jobs.c.id == job_id, waiting).values(wake_at=now, rung_at=None)
            ).rowcount
        ]
        return [read(connection, job_id) for job_id in hurried]
