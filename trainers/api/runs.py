"""Knows the jobs of the fine-tuning API in SQL: taken, listed, failed, paused; not how one is trained, nor HTTP."""

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, RowMapping, and_, insert, or_, select, update

from trainers.api.files import to_train_on
from trainers.api.paging import rows_of
from trainers.api.tables import ApiEvent, ApiJob, ApiJobLabel, ApiKey
from trainers.openai_api.objects import JobRequest, Method, Page, Slice
from trainers.openai_api.refusals import no_job
from trainers.states import ENDED
from trainers.tables import Job

LEASE = timedelta(minutes=15)
"""How long a process may be at work on a job's file before another one takes it over."""

_jobs = ApiJob.__table__  # type: ignore[attr-defined]  # SQLModel adds it at class creation
_labels = ApiJobLabel.__table__  # type: ignore[attr-defined]  # the same
_events = ApiEvent.__table__  # type: ignore[attr-defined]  # the same
_runs = Job.__table__  # type: ignore[attr-defined]  # the same


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

    def as_they_stand(self, jobs: Sequence[ApiJob]) -> list[tuple[ApiJob, Job | None]]:
        """Return jobs as they are now, each with its run where it has one, in the order given.

        Both come of one statement: what changed between two would make a state that never was.
        """
        ids = [job.id for job in jobs]
        named = [column.label(f"run_{column.name}") for column in _runs.c]
        query = select(*_jobs.c, *named).outerjoin(_runs, _runs.c.id == _jobs.c.job_id).where(_jobs.c.id.in_(ids))
        with self.engine.execution_options(reading=True).connect() as connection:
            found = {row["id"]: _pair(row) for row in connection.execute(query).mappings()} if ids else {}
        return [found[each] for each in ids if each in found]

    def run(self, run_id: str) -> Job | None:
        """Return a run by its id, or None."""
        with self.engine.execution_options(reading=True).connect() as connection:
            row = connection.execute(select(_runs).where(_runs.c.id == run_id)).mappings().one_or_none()
        return None if row is None else Job(**row)

    def notes(self, job_id: str) -> list[ApiEvent]:
        """Return what was noted about a job, oldest first."""
        query = select(_events).where(_events.c.api_job_id == job_id).order_by(_events.c.id)
        with self.engine.execution_options(reading=True).connect() as connection:
            return [ApiEvent(**row) for row in connection.execute(query).mappings()]

    def claim(self, now: datetime) -> ApiJob | None:
        """Return the oldest job whose file nobody has looked into, for this process alone until `LEASE` is over."""
        free = or_(_jobs.c.lease_until.is_(None), _jobs.c.lease_until < now)
        waiting = _jobs.c.prepared_at.is_(None) & _jobs.c.cancelled_at.is_(None) & free
        with self.engine.begin() as connection:
            query = select(_jobs).where(waiting).order_by(_jobs.c.created_at, _jobs.c.id).limit(1)
            row = connection.execute(query.with_for_update(skip_locked=True)).mappings().one_or_none()
            if row is None:
                return None
            connection.execute(update(_jobs).where(_jobs.c.id == row["id"]).values(lease_until=now + LEASE))
        return ApiJob(**row)

    def unapproved(self) -> list[ApiJob]:
        """Return jobs whose run was quoted and put before nobody yet."""
        quoted = (_runs.c.id == _jobs.c.job_id) & (_runs.c.state == "quoted")
        query = select(_jobs).where(select(_runs.c.id).where(quoted).exists(), _jobs.c.error_code == "")
        with self.engine.execution_options(reading=True).connect() as connection:
            return [ApiJob(**row) for row in connection.execute(query.limit(50)).mappings()]

    def untold(self) -> list[ApiJob]:
        """Return jobs that have ended in one way or another and whose end was not put down for webhooks."""
        over = (_runs.c.id == _jobs.c.job_id) & _runs.c.state.in_(ENDED)
        unrun = (_jobs.c.job_id == "") & _jobs.c.cancelled_at.is_not(None)
        ended = or_(_jobs.c.error_code != "", unrun, select(_runs.c.id).where(over).exists())
        done = (_runs.c.id == _jobs.c.job_id) & _runs.c.state.in_(("succeeded", "failed"))  # resumed in Slack, say
        not_paused = or_(_jobs.c.paused_at.is_(None), select(_runs.c.id).where(done).exists())
        query = select(_jobs).where(_jobs.c.told_at.is_(None), not_paused, ended)
        with self.engine.execution_options(reading=True).connect() as connection:
            return [ApiJob(**row) for row in connection.execute(query.limit(200)).mappings()]


def _pair(row: RowMapping) -> tuple[ApiJob, Job | None]:
    job = ApiJob(**{column.name: row[column.name] for column in _jobs.c})
    run = {column.name: row[f"run_{column.name}"] for column in _runs.c}
    return job, None if run["id"] is None else Job(**run)


def run_of(connection: Connection, job: ApiJob) -> Job | None:
    """Return a job's run inside the caller's transaction, None where it has none."""
    row = connection.execute(select(_runs).where(_runs.c.id == job.job_id)).mappings().one_or_none()
    return None if row is None else Job(**row)


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


def seen(key: ApiKey) -> ColumnElement[bool]:
    """Select what a key's owner may see of its workspace's jobs."""
    mine: Any = or_(_jobs.c.private.is_(False), _jobs.c.owner == key.owner)
    return and_(_jobs.c.workspace_id == key.workspace_id, mine)


def request_of(job: ApiJob) -> JobRequest:
    """Read what was asked for."""
    data = json.loads(job.request)
    return JobRequest(**{**data, "method": Method(**data["method"])})
