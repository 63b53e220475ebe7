"""Knows the jobs of the fine-tuning API in SQL: taken, listed, held, failed; not how one is trained, nor HTTP."""

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, RowMapping, and_, func, insert, or_, select, update

from trainers.api import names
from trainers.api.files import to_train_on
from trainers.api.paging import rows_of
from trainers.api.tables import ApiEvent, ApiJob, ApiJobLabel, ApiKey
from trainers.jobs.ledger import RESUMED
from trainers.openai_api.objects import JobRequest, Method, Page, Slice
from trainers.openai_api.refusals import no_job
from trainers.states import ENDED
from trainers.tables import Job, JobEvent

LEASE = timedelta(minutes=1)
"""How long a process may be silent at its work on a job's file before another one takes it over."""

ASK_AGAIN = timedelta(seconds=10)
"""How long a quote waits that may not begin yet, before it is put forward once more."""

Pair = tuple[ApiJob, Job | None]
"""A job and its run, where it has one."""

_jobs = ApiJob.__table__  # type: ignore[attr-defined]  # SQLModel adds it at class creation
_labels = ApiJobLabel.__table__  # type: ignore[attr-defined]  # the same
_events = ApiEvent.__table__  # type: ignore[attr-defined]  # the same
_runs = Job.__table__  # type: ignore[attr-defined]  # the same
_history = JobEvent.__table__  # type: ignore[attr-defined]  # the same

_of_the_run = _history.c.job_id == _jobs.c.job_id
_resumed_at = (
    select(func.max(_history.c.at)).where(_of_the_run, _history.c.note == RESUMED).correlate(_jobs).scalar_subquery()
)
"""When a person last let a job's run go on, here or in Slack."""
_requoted = (
    select(_history.c.id)
    .where(_of_the_run, _history.c.new_state == "quoted", _history.c.old_state != "draft")
    .correlate(_jobs)
    .exists()
)
"""Whether somebody has changed the quote that the API asked for."""


class Runs:
    """The jobs of one installation, as the API took them."""

    def __init__(self, engine: Engine) -> None:
        """Take the database."""
        self.engine = engine

    def take(self, key: ApiKey, request: JobRequest, now: datetime) -> ApiJob:
        """Put a new job down, together with the look at its files; raises ApiError where they will not do."""
        made = ApiJob(
            id=f"ftjob-{secrets.token_hex(6)}",
            workspace_id=key.workspace_id,
            key_id=key.id,
            owner=key.owner,
            channel=key.channel,
            private=key.private,
            request=json.dumps(asdict(request)),
            training_file=request.training_file,
            validation_file=request.validation_file or "",
            created_at=now,
        )
        labels = [{"api_job_id": made.id, "name": n, "value": v} for n, v in (request.metadata or {}).items()]
        with self.engine.begin() as connection:
            to_train_on(connection, key, request.training_file, "training_file")
            if request.validation_file:
                to_train_on(connection, key, request.validation_file, "validation_file")
            connection.execute(insert(_jobs).values(**made.model_dump()))
            if labels:
                connection.execute(insert(_labels), labels)
            note(connection, made.id, f"Created fine-tuning job: {made.id}", now)
            note(connection, made.id, f"Validating training file: {request.training_file}", now)
        return made

    def listing(self, key: ApiKey, page: Page, metadata: Mapping[str, str]) -> Slice[ApiJob]:
        """Return jobs that have all of this metadata."""
        query = select(_jobs).where(seen(key))
        for name, value in metadata.items():
            one = (_labels.c.api_job_id == _jobs.c.id) & (_labels.c.name == name) & (_labels.c.value == value)
            query = query.where(select(_labels.c.name).where(one).exists())
        with self.engine.execution_options(reading=True).connect() as connection:
            rows, more = rows_of(connection, query, _jobs, page)
        return Slice([ApiJob(**row) for row in rows], more)

    def get(self, key: ApiKey, job_id: str) -> ApiJob:
        """Return a job; raises ApiError 404 where this key's owner sees none."""
        with self.engine.execution_options(reading=True).connect() as connection:
            return found(connection, key, job_id)

    def as_they_stand(self, jobs: Sequence[ApiJob]) -> list[Pair]:
        """Return jobs as they are now, each with its run where it has one, in the order given.

        Both come of one statement: what changed between two would make a state that never was.
        """
        ids = [job.id for job in jobs]
        found = {job.id: (job, run) for job, run in self._pairs(_jobs.c.id.in_(ids))} if ids else {}
        return [found[each] for each in ids if each in found]

    def notes(self, job_id: str) -> list[ApiEvent]:
        """Return what was noted about a job, oldest first."""
        query = select(_events).where(_events.c.api_job_id == job_id).order_by(_events.c.id)
        with self.engine.execution_options(reading=True).connect() as connection:
            return [ApiEvent(**row) for row in connection.execute(query).mappings()]

    def claim(self, now: datetime) -> ApiJob | None:
        """Return the oldest job whose file nobody is looking into, for this process alone until its lease is over."""
        free = or_(_jobs.c.lease_until.is_(None), _jobs.c.lease_until < now)
        waiting = _jobs.c.prepared_at.is_(None) & _jobs.c.cancelled_at.is_(None) & free
        with self.engine.begin() as connection:
            query = select(_jobs).where(waiting).order_by(_jobs.c.created_at, _jobs.c.id).limit(1)
            row = connection.execute(query.with_for_update(skip_locked=True)).mappings().one_or_none()
            if row is None:
                return None
            connection.execute(update(_jobs).where(_jobs.c.id == row["id"]).values(lease_until=now + LEASE))
        return ApiJob(**row)

    def lease(self, job_id: str, until: datetime | None) -> None:
        """Keep a job that is being prepared for longer, or give it back (None)."""
        with self.engine.begin() as connection:
            mine = (_jobs.c.id == job_id) & _jobs.c.prepared_at.is_(None)
            connection.execute(update(_jobs).where(mine).values(lease_until=until))

    def unapproved(self, now: datetime) -> list[tuple[ApiJob, Job]]:
        """Return jobs whose run has the quote that the API asked for and was put before nobody yet.

        A quote that somebody changed in Slack is left to a click: the key's grant was for what was asked for.
        """
        due = or_(_jobs.c.lease_until.is_(None), _jobs.c.lease_until < now)
        fresh = (_runs.c.state == "quoted") & ~_requoted
        wanted = (_jobs.c.error_code == "") & _jobs.c.cancelled_at.is_(None)
        found = self._pairs(fresh, wanted, due, limit=50)
        return [(job, run) for job, run in found if run is not None]

    def put_off(self, job_ids: Sequence[str], now: datetime) -> None:
        """Leave quotes that may not begin yet alone for a while."""
        with self.engine.begin() as connection:
            connection.execute(update(_jobs).where(_jobs.c.id.in_(job_ids)).values(lease_until=now + ASK_AGAIN))

    def unstopped(self) -> list[ApiJob]:
        """Return jobs that were cancelled while their run, which nobody has resumed since, knows nothing of it."""
        unheard = _runs.c.state.not_in(ENDED) & (_runs.c.stop_requested_by == "")
        wanted = _jobs.c.cancelled_at.is_not(None) & ~_resumed_since(_jobs.c.cancelled_at)
        return [job for job, _ in self._pairs(wanted, unheard, limit=50)]

    def untold(self) -> list[ApiJob]:
        """Return jobs that have ended in one way or another and whose end was not put down for webhooks."""
        return [job for job, _ in self._pairs(_jobs.c.told_at.is_(None), _ended(), limit=200)]

    def ended_anew(self) -> list[ApiJob]:
        """Return jobs whose run was resumed after its end was told, and has ended again; looks at every job."""
        told_of_another = (_jobs.c.told_at < _runs.c.finished_at) & _resumed_at.is_not(None)
        return [job for job, _ in self._pairs(told_of_another, _ended(), limit=200)]

    def _pairs(self, *which: ColumnElement[bool], limit: int | None = None) -> list[Pair]:
        run = [column.label(f"run_{column.name}") for column in _runs.c]
        query = select(*_jobs.c, *run, _resumed_at.label("resumed_at")).outerjoin(_runs, _runs.c.id == _jobs.c.job_id)
        query = query.where(*which).order_by(_jobs.c.created_at, _jobs.c.id).limit(limit)
        with self.engine.execution_options(reading=True).connect() as connection:
            return [_pair(row) for row in connection.execute(query).mappings()]


def held(connection: Connection, job_id: str) -> Pair:
    """Return a job and its run, also one that was proposed just now, both held until the transaction ends.

    Whatever holds both takes them in this order.
    """
    job = locked(connection, job_id)
    run_id = job.job_id or names.run_of(job.id)
    run = connection.execute(select(_runs).where(_runs.c.id == run_id).with_for_update()).mappings().one_or_none()
    resumed_at = connection.execute(select(_resumed_at).where(_jobs.c.id == job_id)).scalar_one()
    return _as_it_stands(job, None if run is None else Job(**run), resumed_at)


def _pair(row: RowMapping) -> Pair:
    job = ApiJob(**{column.name: row[column.name] for column in _jobs.c})
    run = {column.name: row[f"run_{column.name}"] for column in _runs.c}
    return _as_it_stands(job, None if run["id"] is None else Job(**run), row["resumed_at"])


def _as_it_stands(job: ApiJob, run: Job | None, resumed_at: datetime | None) -> Pair:
    """Believe a pause, a cancel and an end that was told until a person lets the run go on, here or in Slack."""
    if run is None or resumed_at is None:
        return job, run
    over = {name: None for name in ("paused_at", "cancelled_at") if (at := getattr(job, name)) and at < resumed_at}
    if job.told_at and run.finished_at and job.told_at < run.finished_at:
        over["told_at"] = None
    return job.model_copy(update=over), run


def change(connection: Connection, api_job_id: str, **values: Any) -> None:
    """Change a job's row."""
    connection.execute(update(_jobs).where(_jobs.c.id == api_job_id).values(**values))


def fail(connection: Connection, job_id: str, code: str, message: str, param: str, now: datetime) -> None:
    """Let a job fail before it has run; one that was cancelled meanwhile stays cancelled."""
    change(connection, job_id, prepared_at=now)
    if locked(connection, job_id).cancelled_at is None:
        change(connection, job_id, error_code=code, error_message=message, error_param=param)
        note(connection, job_id, f"The job failed: {message}", now, level="error")


def note(connection: Connection, job_id: str, message: str, now: datetime, level: str = "info") -> None:
    """Put down what happened to a job."""
    connection.execute(insert(_events).values(api_job_id=job_id, at=now, level=level, message=message))


def found(connection: Connection, key: ApiKey, job_id: str, *, lock: bool = False) -> ApiJob:
    """Return a job inside the caller's transaction; raises ApiError 404."""
    query = select(_jobs).where(_jobs.c.id == job_id, seen(key))
    row = connection.execute(query.with_for_update() if lock else query).mappings().one_or_none()
    if row is None:
        raise no_job(job_id)
    return ApiJob(**row)


def locked(connection: Connection, job_id: str) -> ApiJob:
    """Return a job's row as it is now, held until the caller's transaction ends."""
    return ApiJob(**connection.execute(select(_jobs).where(_jobs.c.id == job_id).with_for_update()).mappings().one())


def _ended() -> ColumnElement[bool]:
    """Select jobs that are over, before a run or with it; a run that was stopped by a pause is not."""
    over, done = _runs.c.state.in_(ENDED), _runs.c.state.in_(("succeeded", "failed"))
    unrun = (_jobs.c.job_id == "") & _jobs.c.cancelled_at.is_not(None)
    unpaused = or_(_jobs.c.paused_at.is_(None), _jobs.c.cancelled_at.is_not(None), done)
    return or_(_jobs.c.error_code != "", unrun, over & or_(unpaused, _resumed_since(_jobs.c.paused_at)))


def _resumed_since(moment: ColumnElement[Any]) -> ColumnElement[bool]:
    return and_(_resumed_at.is_not(None), _resumed_at > moment)


def seen(key: ApiKey) -> ColumnElement[bool]:
    """Select what a key's owner may see of its workspace's jobs."""
    mine: Any = or_(_jobs.c.private.is_(False), _jobs.c.owner == key.owner)
    return and_(_jobs.c.workspace_id == key.workspace_id, mine)


def request_of(job: ApiJob) -> JobRequest:
    """Read what was asked for."""
    data = json.loads(job.request)
    return JobRequest(**{**data, "method": Method(**data["method"])})
