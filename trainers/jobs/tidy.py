"""Knows what jobs left behind at a provider and has it removed: rows of training data, runs that nobody waits for.

It is a net under `trainers.jobs.submission`, not a part of it: backends cancel and delete by themselves. It touches
only what carries a submission id of this database, because other installations may share the account. That something
is given up is in SQL before the provider hears of it, so that no worker is handed what is about to go.
"""

import logging
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from sqlalchemy import Connection, RowMapping, select

from knowledge.errors import ServiceError
from trainers.backends.base import Housekeeper, Made
from trainers.errors import Refused
from trainers.jobs import accounts, leftovers, outbox
from trainers.jobs.cards import ended_card
from trainers.jobs.ledger import Ledger, read
from trainers.jobs.submission import CLOSED, change, provider_of_run
from trainers.states import ENDED
from trainers.tables import Job, Submission

log = logging.getLogger("luthier.tidy")

KINDS: Final = ("upload", "job", "deployment")

QUIET: Final = timedelta(minutes=1)
"""How long a job has to have ended before anything of it is removed: somebody may just be resuming it."""

KEEP: Final = timedelta(hours=1)
"""How long that is for a job that failed here, because its run goes on and `resume` takes it up again."""

_rows = Submission.__table__  # type: ignore[attr-defined]  # SQLModel adds it at class creation


class Needless(NamedTuple):
    """Something that nobody needs any more, and why."""

    row: Submission
    job: Job
    why: str


def tidy(ledger: Ledger, keeper: Housekeeper, now: datetime, keep: timedelta = KEEP) -> int:
    """Remove what no job needs any more and return how many things that were.

    What the provider does not list or remove now keeps nothing else from being removed; the next sweep tries again.
    """
    removed = 0
    for kind in KINDS:
        try:
            found = list(keeper.listing(kind))
        except (ServiceError, Refused) as problem:
            log.warning("%s does not say what it has of kind %s: %s", keeper.provider, kind, problem.what)
            continue
        removed += sum(_remove(ledger, keeper, kind, made, now, keep) for made in found)
    return removed


def why_removable(row: Submission, job: Job, made: Made, now: datetime, keep: timedelta = KEEP) -> str:
    """Say why nobody needs this any more, or ""."""
    if row.state == "accepted" and row.provider_id != made.provider_id:
        return "a second one under the same submission id"
    if row.state in CLOSED:
        return "it was given up, and is there after all"
    if row.expires_at is not None and row.expires_at <= now:
        return "its time is over"
    quiet = keep if job.state == "failed" else QUIET
    if job.state not in ENDED or (job.finished_at is not None and job.finished_at > now - quiet):
        return ""  # its worker may still be finding it
    if job.state == "succeeded" and (row.kind == "job" or row.expires_at is not None):
        return ""  # a list that lags; a deployment that was made to outlive its job
    return "its job was cancelled" if job.state == "cancelled" else f"its job {job.state}"


def kept_for_now(connection: Connection, job: Job, keep: timedelta) -> str:
    """Say what becomes of a failed job's run, or "" where it has none; the money for it is approved."""
    provider = provider_of_run(connection, job.id)
    return f"What {provider} still runs of it I end in {_about(keep)} unless it is resumed." if provider else ""


def _remove(ledger: Ledger, keeper: Housekeeper, kind: str, made: Made, now: datetime, keep: timedelta) -> int:
    with ledger.reading() as connection:
        needless = _needless(connection, keeper.provider, made, now, keep)
        witness = "" if needless is None else _witness(connection, keeper.provider, made)
    if needless is not None and witness is not None:
        if witness and not _forgets(keeper, witness):
            return 0
        with ledger.transaction() as connection:
            needless = _give_up(connection, keeper.provider, made, now, keep)
    if needless is None or witness is None:
        return 0
    try:
        keeper.remove(kind, made.provider_id)
    except (ServiceError, Refused) as problem:
        log.warning("%s does not remove %s %s: %s", keeper.provider, kind, made.provider_id, problem.what)
        return 0
    log.warning("removed %s %s at %s: %s", kind, made.provider_id, keeper.provider, needless.why)
    return 1


def _needless(
    connection: Connection, provider: str, made: Made, now: datetime, keep: timedelta, *, lock: bool = False
) -> Needless | None:
    found = _minted(connection, provider, made)
    if found is None:
        return None
    job = read(connection, found["job_id"], lock=lock)
    if lock:  # now that nobody can change it
        found = connection.execute(select(_rows).where(_rows.c.id == found["id"])).mappings().one()
    row = Submission(**found)
    why = why_removable(row, job, made, now, keep)
    return Needless(row, job, why) if why else None


def _minted(connection: Connection, provider: str, made: Made) -> RowMapping | None:
    """Return the row that something was made for: by its submission id or its own, else by the file it trains on.

    A file may outlive a run and serve the next one, so that of its job's runs the newest is meant.
    """
    there = _rows.c.provider == provider
    if made.submission_id:
        return connection.execute(select(_rows).where(there, _rows.c.id == made.submission_id)).mappings().first()
    known = select(_rows).where(there, _rows.c.kind == "job", _rows.c.provider_id == made.provider_id)
    found = connection.execute(known).mappings().first()
    if found is not None:
        return found
    sent = select(_rows.c.job_id).where(there, _rows.c.kind == "upload", _rows.c.provider_id == made.file)
    runs = select(_rows).where(there, _rows.c.kind == "job", _rows.c.job_id.in_(sent)).order_by(_rows.c.life.desc())
    return connection.execute(runs.limit(1)).mappings().first()


def _witness(connection: Connection, provider: str, made: Made) -> str | None:
    """Return the newest run of ours that can tell whether a provider drops metadata; None: there is none.

    "" where nobody has to be asked. A run on our file without metadata may be somebody else's where metadata is kept.
    """
    if made.submission_id:
        return ""
    ours = (_rows.c.provider == provider) & (_rows.c.kind == "job") & _rows.c.provider_id.is_not(None)
    if connection.execute(select(_rows.c.id).where(ours, _rows.c.provider_id == made.provider_id)).first():
        return ""
    newest = select(_rows.c.provider_id).where(ours).order_by(_rows.c.settled_at.desc()).limit(1)
    return connection.execute(newest).scalar_one_or_none()


def _forgets(keeper: Housekeeper, run: str) -> bool:
    try:
        return keeper.forgets(run)
    except (ServiceError, Refused) as problem:
        log.warning("%s does not say what it knows of %s: %s", keeper.provider, run, problem.what)
        return False


def _give_up(connection: Connection, provider: str, made: Made, now: datetime, keep: timedelta) -> Needless | None:
    """Write down that it is given up, if that still is so, and tell the thread where a run is ended that way."""
    needless = _needless(connection, provider, made, now, keep, lock=True)
    if needless is None:
        return None
    row, job, why = needless
    given_up = f"The {row.kind} at {provider} was given up: {why}."
    known = row.state not in CLOSED and row.provider_id in (None, made.provider_id)
    if known and not change(connection, row, state="abandoned", settled_at=now, detail=given_up):
        return None
    if known and row.kind == "job" and job.state == "failed":
        what = f"Nobody resumed it for {_about(keep)}, so I end what {provider} still runs of it."
        said = ended_card(job, "failed", what, "`resume` starts it anew there, which may cost as much again.")
        outbox.put(connection, job, said, now, key=f"run-ended-{job.fence}")
        accounts.tell(
            connection, job, accounts.LUTHIER, leftovers.ENDED_RUN, now, submission=row.id, run=made.provider_id
        )
    else:
        leftovers.tell(connection, row, job, provider, made.provider_id, now)
    return needless


def _about(span: timedelta) -> str:
    hours = span.total_seconds() / 3600
    return f"{hours:g} h" if hours >= 1 else f"{max(1, round(hours * 60))} min"
