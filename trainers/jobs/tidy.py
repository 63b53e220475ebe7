"""Knows what jobs left behind at a provider and has it removed: rows of training data, runs that nobody waits for.

It is a net under `trainers.jobs.submission`, not a part of it: backends cancel and delete by themselves. It touches
only what carries a submission id of this database, because other installations may share the account.
"""

import logging
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select

from trainers.backends.base import Housekeeper, Made
from trainers.jobs.ledger import Ledger, read
from trainers.jobs.submission import CLOSED, change
from trainers.states import ENDED
from trainers.tables import Job, Submission

log = logging.getLogger("luthier.tidy")

KINDS: Final = ("upload", "job", "deployment")

QUIET: Final = timedelta(minutes=1)
"""How long a job has to have ended before anything of it is removed: somebody may just be resuming it."""

_rows = Submission.__table__  # type: ignore[attr-defined]  # SQLModel adds it at class creation


def tidy(ledger: Ledger, keeper: Housekeeper, now: datetime) -> int:
    """Remove what no job needs any more and return how many things that were. Raises ServiceError, Refused."""
    removed = 0
    for kind in KINDS:
        for made in keeper.listing(kind):
            with ledger.reading() as connection:
                found = connection.execute(select(_rows).where(_rows.c.id == made.submission_id)).mappings().first()
                if found is None:
                    continue
                row = Submission(**found)
                job = read(connection, row.job_id)
            why = why_removable(row, job, made, now)
            if not why:
                continue
            keeper.remove(kind, made.provider_id)
            removed += 1
            log.warning("removed %s %s at %s: %s", kind, made.provider_id, keeper.provider, why)
            if row.state not in CLOSED and row.provider_id in (None, made.provider_id):
                with ledger.transaction() as connection:
                    change(connection, row, state="abandoned", settled_at=now, detail=f"Removed: {why}.")
    return removed


def why_removable(row: Submission, job: Job, made: Made, now: datetime) -> str:
    """Say why nobody needs this any more, or ""."""
    if row.state == "accepted" and row.provider_id != made.provider_id:
        return "a second one under the same submission id"
    if row.expires_at is not None and row.expires_at <= now:
        return "its time is over"
    ended = job.state in ENDED and (job.finished_at is None or job.finished_at <= now - QUIET)
    if not ended:
        return ""  # its worker may still be finding it
    if row.state in CLOSED:
        return "it was given up, and is there after all"
    if row.kind == "upload" or job.state == "cancelled":
        return f"its job {job.state}" if job.state != "cancelled" else "its job was cancelled"
    return ""  # a run whose job failed on our side: `resume` takes it up again
