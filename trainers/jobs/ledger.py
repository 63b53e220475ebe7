"""Knows how a job changes in SQL: guarded updates, fenced leases, events; it does not know what the work is."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, and_, func, insert, literal, or_, select, update

from knowledge.clock import Moment
from knowledge.rows import alone
from trainers.errors import JobNotFound, LeaseLost
from trainers.jobs import line
from trainers.jobs.sight import check_sight, visible_to
from trainers.states import TRANSITIONS
from trainers.tables import Job, JobEvent

LEASE = timedelta(seconds=15)
"""How long a worker owns a job after its last sign of life."""

RING_AGAIN = timedelta(seconds=10)
"""How long the sweeper waits before it rings a second time for the same job."""

_jobs = Job.__table__  # type: ignore[attr-defined]  # SQLModel adds it at class creation
_events = JobEvent.__table__  # type: ignore[attr-defined]  # the same


RESUMED = "resumed"
"""Remark of the event by which a person lets a job continue."""

DIED = "last sign of life at "
"""How the remark of a claim begins whose job was abandoned; the moment in ISO form follows."""

STOP = "stop requested"
"""Remark of the event by which a person asks a job to stop that somebody works on or that runs at a provider."""


class Deaths(NamedTuple):
    """What became of a job's earlier workers."""

    times: int
    just_now: bool
    silent_since: datetime | None = None
    """The last sign of life of the one that died just now."""


class Ledger:
    """The jobs of one database; every method is one short transaction and none calls the network."""

    def __init__(self, engine: Engine, lease: timedelta = LEASE) -> None:
        """Take an engine whose transactions start as `BEGIN IMMEDIATE` on SQLite (`bot.store.engine`)."""
        self.engine = engine
        self.lease = lease
        self._reader = engine.execution_options(reading=True)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """Open a transaction for changes that belong together (a change, its event, its messages)."""
        with self.engine.begin() as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a transaction that only reads and waits for no writer."""
        with self._reader.connect() as connection:
            yield connection

    def get(self, job_id: str) -> Job:
        """Return the job; raises JobNotFound."""
        with self._reader.connect() as connection:
            return read(connection, job_id)

    def find(self, workspace_id: str, name: str, *, seen_by: str | None = None, channel: str = "") -> Job:
        """Return the job that a person calls `name`: its number, with or without #, or its id.

        Raises JobNotFound; with `seen_by` NotAllowed for a job that this person may not see, asked in `channel`.
        """
        number = name.lstrip("#")
        is_it = _jobs.c.number == int(number) if number.isdecimal() and len(number) < 10 else _jobs.c.id == name
        with self._reader.connect() as connection:
            row = (
                connection.execute(select(_jobs).where(_jobs.c.workspace_id == workspace_id, is_it))
                .mappings()
                .one_or_none()
            )
        if row is None:
            raise JobNotFound(f"There is no job {name} here.", "List them with `jobs`.")
        found = Job(**row)
        if seen_by is not None:
            check_sight(found, seen_by, channel)
        return found

    def listing(
        self, workspace_id: str, *, requested_by: str | None = None, seen_by: str | None = None, limit: int = 50
    ) -> Sequence[Job]:
        """Return the newest jobs of a workspace, or of one person in it; with `seen_by` what that person may see."""
        query = select(_jobs).where(_jobs.c.workspace_id == workspace_id)
        if requested_by is not None:
            query = query.where(_jobs.c.requested_by == requested_by)
        if seen_by is not None:
            query = query.where(visible_to(seen_by))
        with self._reader.connect() as connection:
            rows = connection.execute(query.order_by(_jobs.c.number.desc()).limit(limit)).mappings().all()
        return [Job(**row) for row in rows]

    def results(self, workspace_id: str, *, kind: str, limit: int = 50) -> Sequence[tuple[str, str]]:
        """Return (spec, result) of the newest jobs of a kind that succeeded, both as JSON."""
        done = (_jobs.c.workspace_id == workspace_id) & (_jobs.c.state == "succeeded") & (_jobs.c.kind == kind)
        query = select(_jobs.c.spec, _jobs.c.result).where(done).order_by(_jobs.c.number.desc()).limit(limit)
        with self._reader.connect() as connection:
            return [(spec, result) for spec, result in connection.execute(query)]

    def earlier(self, job: Job, limit: int = 5) -> Sequence[str]:
        """Return the ids of the newest jobs before this one that succeeded on the same data set."""
        same = (_jobs.c.dataset_id == job.dataset_id) & (_jobs.c.number < job.number) & (_jobs.c.state == "succeeded")
        query = select(_jobs.c.id).where(_jobs.c.workspace_id == job.workspace_id, same)
        with self._reader.connect() as connection:
            return list(connection.execute(query.order_by(_jobs.c.number.desc()).limit(limit)).scalars())

    def claim(self, job_id: str, owner: str, now: datetime) -> Job | None:
        """Take a job that is due: queued, or running with a lease that ran out. None where there is nothing to do."""
        with self.transaction() as connection:
            return _take(connection, _jobs.c.id == job_id, owner, now, self.lease)

    def claim_next(self, queue: str, owner: str, now: datetime) -> Job | None:
        """Take the job of a queue that is first in line; None where nothing is due."""
        with self.transaction() as connection:
            return _take(connection, _jobs.c.queue == queue, owner, now, self.lease)

    def claim_for(self, job_id: str, owner: str, now: datetime) -> Job | None:
        """Answer a ring for a job: take whichever job is first in line on the same queue."""
        with self._reader.connect() as connection:
            queue = connection.execute(select(_jobs.c.queue).where(_jobs.c.id == job_id)).scalar_one_or_none()
        return None if queue is None else self.claim_next(queue, owner, now)

    def places(self, jobs: Sequence[Job], now: datetime) -> dict[str, line.Ahead]:
        """Return the places of those jobs that wait for a worker, by id."""
        with self._reader.connect() as connection:
            waiting = [job for job in jobs if job.state == "queued" and (job.wake_at is None or job.wake_at <= now)]
            return {job.id: line.ahead(connection, job, now) for job in waiting}

    def others_due(self, job: Job, now: datetime) -> bool:
        """Say whether another job of the same queue waits for a worker."""
        query = select(_jobs.c.id).where(_jobs.c.queue == job.queue, _jobs.c.id != job.id, line.due(now)).limit(1)
        with self._reader.connect() as connection:
            return connection.execute(query).first() is not None

    def keep(self, job: Job, now: datetime) -> str:
        """Renew the lease; returns who asked to stop, or "". Raises LeaseLost where another worker took over."""
        with self.transaction() as connection:
            return renew(connection, job, now, self.lease)

    def due(self, now: datetime) -> Sequence[Job]:
        """Return jobs that somebody should be woken for, first in line first, and not rung for just now."""
        wanted = or_(line.due(now), line.abandoned(now))
        quiet = or_(_jobs.c.rung_at.is_(None), _jobs.c.rung_at <= now - RING_AGAIN * (self.lease / LEASE))
        query = select(_jobs).where(wanted, quiet).order_by(*line.order(now)).limit(100)
        with self._reader.connect() as connection:
            return [Job(**row) for row in connection.execute(query).mappings().all()]

    def rung(self, job_id: str, now: datetime) -> None:
        """Remember that the bell was rung for a job."""
        with self.transaction() as connection:
            connection.execute(update(_jobs).where(_jobs.c.id == job_id).values(rung_at=now))

    def deaths(self, job: Job) -> Deaths:
        """Say how often a worker died on this job since it was queued by a person, and whether the last one did."""
        query = select(_events).where(_events.c.job_id == job.id).order_by(_events.c.id.desc()).limit(200)
        with self._reader.connect() as connection:
            events = connection.execute(query).mappings().all()
        since = list(takewhile(lambda event: event["note"] != RESUMED, events))
        died = [event["old_state"] == "running" and _is_death(event["note"]) for event in since]
        silent = since[0]["note"].removeprefix(DIED) if died and died[0] else ""
        return Deaths(sum(died), bool(died) and died[0], datetime.fromisoformat(silent) if silent else None)

    def history(self, job: Job) -> Sequence[JobEvent]:
        """Return what happened to a job, the first thing first: its newest 200 changes of state."""
        query = select(_events).where(_events.c.job_id == job.id).order_by(_events.c.id.desc()).limit(200)
        with self._reader.connect() as connection:
            return [JobEvent(**row) for row in reversed(connection.execute(query).mappings().all())]

    def progress(self, connection: Connection, job: Job, phase: str, numbers: dict[str, Any]) -> None:
        """Record how far the work is; raises LeaseLost where another worker took over."""
        values = {"phase": phase, "progress": json.dumps(numbers)}
        if connection.execute(update(_jobs).where(_mine(job)).values(**values)).rowcount == 0:
            raise LeaseLost


def read(connection: Connection, job_id: str, *, lock: bool = False) -> Job:
    """Return the job as this transaction sees it; raises JobNotFound. With `lock` it stays as it is until the end."""
    query = select(_jobs).where(_jobs.c.id == job_id)
    row = connection.execute(query.with_for_update() if lock else query).mappings().one_or_none()
    if row is None:
        raise JobNotFound(f"There is no job {job_id}.", "List them with `jobs`.")
    return Job(**row)


def renew(connection: Connection, job: Job, now: datetime, lease: timedelta) -> str:
    """Renew the lease inside the caller's transaction; returns who asked to stop, or "".

    Raises LeaseLost where another worker took over.
    """
    if connection.execute(update(_jobs).where(_mine(job)).values(lease_until=now + lease)).rowcount == 0:
        raise LeaseLost
    return str(connection.execute(select(_jobs.c.stop_requested_by).where(_jobs.c.id == job.id)).scalar_one())


def resumes(connection: Connection, job: Job) -> int:
    """Count how often a person let this job continue."""
    query = select(func.count()).select_from(_events).where(_events.c.job_id == job.id, _events.c.note == RESUMED)
    return int(connection.execute(query).scalar_one())


def _take(connection: Connection, which: Any, owner: str, now: datetime, lease: timedelta) -> Job | None:
    """Take the first job in line among `which`, by one guarded update."""
    seen = _first(connection, which, now)
    if seen is None:
        return None
    values = {"state": "running", "fence": _jobs.c.fence + 1, "owner": owner, "lease_until": now + lease}
    started = func.coalesce(_jobs.c.started_at, literal(now, Moment))
    guarded = update(_jobs).where(_jobs.c.id == seen.id, or_(line.due(now), line.abandoned(now)))
    if connection.execute(guarded.values(**values, wake_at=None, started_at=started)).rowcount == 0:
        return None
    job = read(connection, seen.id)
    died = f"{DIED}{(seen.lease_until - lease).isoformat()}" if seen.state == "running" else ""
    note(connection, job, seen.state, "running", owner, now, died)
    return job


def _first(connection: Connection, which: Any, now: datetime) -> Any:
    """Lock the first in line among `which`: beside other workers what is free, else wait for what they hold.

    One small question for each lane, so that each finds its answer at the beginning of the index `job_line`.
    """
    columns = (_jobs.c.id, _jobs.c.state, _jobs.c.lease_until, _jobs.c.approved_at)
    for skip in (True, False):
        for lane in line.lanes(now):
            first = [
                select(*columns).where(which, free, lane).order_by(_jobs.c.approved_at, _jobs.c.id).limit(1)
                for free in (line.due(now), line.abandoned(now))
            ]
            found = [connection.execute(each.with_for_update(skip_locked=skip)).one_or_none() for each in first]
            seen = min((row for row in found if row), key=lambda row: (row.approved_at, row.id), default=None)
            if seen is not None:
                return seen
        if connection.dialect.name == "sqlite":  # nobody else can hold anything
            return None
    return None


def _is_death(remark: str) -> bool:
    """Say whether the event of a claim says that the worker before died; older versions gave no moment."""
    return remark == "" or remark.startswith(DIED)


def add(connection: Connection, job: Job, now: datetime) -> Job:
    """Insert a job with the next free number of its workspace."""
    alone(connection, f"job numbers of {job.workspace_id}")
    last = select(func.coalesce(func.max(_jobs.c.number), 0)).where(_jobs.c.workspace_id == job.workspace_id)
    values = {**job.model_dump(), "number": int(connection.execute(last).scalar_one()) + 1, "created_at": now}
    connection.execute(insert(_jobs).values(**values))
    added = read(connection, job.id)
    note(connection, added, "draft", job.state, job.requested_by, now)
    return added


def move(
    connection: Connection,
    job: Job,
    new: str,
    who: str,
    now: datetime,
    *,
    fenced: bool = False,
    remark: str = "",
    **changes: Any,
) -> bool:
    """Change the state, guarded by the state (and fence) that the caller saw; False where somebody else was faster."""
    if new not in TRANSITIONS[job.state]:
        return False
    guard = _mine(job) if fenced else and_(_jobs.c.id == job.id, _jobs.c.state == job.state)
    if connection.execute(update(_jobs).where(guard).values(state=new, **changes)).rowcount == 0:
        return False
    note(connection, job, job.state, new, who, now, remark)
    return True


def note(connection: Connection, job: Job, old: str, new: str, who: str, now: datetime, remark: str = "") -> None:
    """Write the event that belongs to a change into the same transaction."""
    values = {"job_id": job.id, "at": now, "old_state": old, "new_state": new, "fence": job.fence, "who": who}
    connection.execute(insert(_events).values(note=remark, **values))


def _mine(job: Job) -> Any:
    return and_(_jobs.c.id == job.id, _jobs.c.state == "running", _jobs.c.fence == job.fence)
