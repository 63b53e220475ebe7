"""Knows when the words that a drafting job was given and wrote are needed no more, and removes them; it drafts none.

What is wanted and the rows so far may hold a brand's texts. What was paid lies in a file of its own, which stays.
"""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from trainers.errors import JobNotFound
from trainers.jobs.draft_files import DOCUMENT
from trainers.jobs.draft_job import ROWS
from trainers.jobs.drafting import KEPT_FOR_RESUME, home_of, wish_path
from trainers.jobs.ledger import Ledger, read
from trainers.states import LIVE
from trainers.tables import Job

QUIET: Final = timedelta(minutes=1)
"""How long a job has to have ended: somebody may just be reading what it left."""

ORPHAN: Final = timedelta(hours=1)
"""How old a wish has to be that never came to a job."""


def sweep_drafts(ledger: Ledger, data: Path, now: datetime) -> int:
    """Remove wishes and rows of jobs that will not go on; returns of how many jobs. `data` is the data folder."""
    homes = {
        found.parent for name in ("wish.*", ROWS, DOCUMENT) for found in (data / "jobs").glob(f"*/drafting/{name}")
    }
    return sum(_swept(ledger, data, home.parent.name, now) for home in sorted(homes))


def _swept(ledger: Ledger, data: Path, job_id: str, now: datetime) -> bool:
    with ledger.transaction() as connection:
        try:
            job = read(connection, job_id, lock=True)  # nobody resumes it meanwhile
        except JobNotFound:
            job = None
        if not (_is_over(job, now) if job else _is_old(wish_path(data, job_id), now)):
            return False
        home = home_of(data, job_id)
        for path in (*home.glob("wish.*"), home / ROWS, home / DOCUMENT):
            path.unlink(missing_ok=True)
        return True


def _is_over(job: Job, now: datetime) -> bool:
    """Say whether a job is done, was never approved in time, or was not resumed for long."""
    if job.state in LIVE:
        return False
    ended = job.finished_at or job.expires_at
    if ended is None:
        return False
    resumable = job.state in ("failed", "cancelled") and job.approved_at is not None
    return ended <= now - (KEPT_FOR_RESUME if resumable else QUIET)


def _is_old(path: Path, now: datetime) -> bool:
    try:
        return path.stat().st_mtime < (now - ORPHAN).timestamp()
    except FileNotFoundError:  # half of it was removed before
        return True
