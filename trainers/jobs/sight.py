"""Knows who may see a job that was begun in private; it does not know how conversations are told apart."""

from typing import Any

from sqlalchemy import ColumnElement, or_

from trainers.errors import NotAllowed
from trainers.tables import Job

_jobs = Job.__table__  # type: ignore[attr-defined]  # SQLModel adds it at class creation


def visible_to(user_id: str) -> ColumnElement[bool]:
    """Select the jobs that this person may see in a list."""
    clause: Any = or_(_jobs.c.private.is_(False), _jobs.c.requested_by == user_id)
    return clause  # type: ignore[no-any-return]  # __table__ is Any


def check_sight(job: Job, user_id: str, channel: str = "") -> None:
    """Raise NotAllowed where the job was begun in private by somebody else, unless this is asked where it was begun."""
    if job.private and user_id != job.requested_by and (not channel or channel != job.channel):
        raise NotAllowed(
            f"Job #{job.number} was begun in a private conversation.",
            "Only the person who asked for it can look it up; ask them to show you.",
        )
