"""Knows the files of the fine-tuning API: on disk before they are in SQL, gone from both; it does not read rows."""

import os
import secrets
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from shutil import copyfileobj, disk_usage
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, and_, func, insert, or_, select, update

from trainers.api.paging import rows_of
from trainers.api.tables import ApiFile, ApiJob, ApiKey
from trainers.openai_api.arrivals import Room
from trainers.openai_api.objects import Page, Sent, Slice, StoredFile
from trainers.openai_api.refusals import bad, file_in_use, no_file

RESULTS = "fine-tune-results"
"""Purpose of what a job leaves."""

MOST_BYTES = 20_000_000_000
"""Bytes that a workspace's files may have together."""

SPARE = 500_000_000
"""Bytes of the disk that uploads leave to the database and to jobs."""

STRAY = timedelta(hours=1)
"""Bytes older than this that no row knows are from a process that died between writing both."""

_files = ApiFile.__table__  # type: ignore[attr-defined]  # SQLModel adds it at class creation
_jobs = ApiJob.__table__  # type: ignore[attr-defined]  # the same


class Files:
    """The files of one installation."""

    def __init__(self, engine: Engine, data: Path) -> None:
        """Take the database and the data folder."""
        self._engine = engine
        self._home = data / "api"
        self.most_bytes = MOST_BYTES

    @property
    def spool(self) -> Path:
        """Where uploads arrive: files without names, on the disk on which they will stay."""
        folder = self._home / "incoming"
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return folder

    def room(self, key: ApiKey) -> Room:
        """Return how many bytes a workspace may still send; they lie on the disk twice for a moment."""
        disk = (disk_usage(self.spool).free - SPARE) // 2
        return Room(key.workspace_id, min(self.most_bytes - self._used(key), disk))

    def keep(self, key: ApiKey, sent: Sent, now: datetime) -> StoredFile:
        """Write a file to disk, then put it down: what has a row has its bytes. Raises ApiError without room."""
        self._check_room(key, sent.size)
        made = ApiFile(
            id=f"file-{secrets.token_hex(12)}",
            workspace_id=key.workspace_id,
            key_id=key.id,
            owner=key.owner,
            private=key.private,
            name=sent.name,
            purpose=sent.purpose,
            size=sent.size,
            created_at=now,
            expires_at=None if sent.lives is None else now + timedelta(seconds=sent.lives),
        )
        path = self.path(made.id)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        try:
            with path.open("wb") as out:
                copyfileobj(sent.file, out, 1 << 20)
                out.flush()
                os.fsync(out.fileno())
            with self._engine.begin() as connection:
                connection.execute(insert(_files).values(**made.model_dump()))
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        return as_stored(made)

    def _check_room(self, key: ApiKey, size: int) -> None:
        if self._used(key) + size > self.most_bytes:
            most = f"{self.most_bytes // 1_000_000_000} GB"
            raise bad(f"The files of this workspace would exceed {most}: delete some first.", "storage_limit_exceeded")

    def _used(self, key: ApiKey) -> int:
        kept = (_files.c.workspace_id == key.workspace_id) & _files.c.deleted_at.is_(None)
        with self._engine.execution_options(reading=True).connect() as connection:
            return int(connection.execute(select(func.coalesce(func.sum(_files.c.size), 0)).where(kept)).scalar_one())

    def put_results(self, connection: Connection, job: ApiJob, content: bytes, now: datetime) -> str:
        """Keep what a job leaves, in the transaction that says so; returns the file's id."""
        made = ApiFile(
            id=f"file-results-{job.id.removeprefix('ftjob-')}",
            workspace_id=job.workspace_id,
            key_id=job.key_id,
            owner=job.owner,
            private=job.private,
            name="step_metrics.csv",
            purpose=RESULTS,
            size=len(content),
            created_at=now,
        )
        path = self.path(made.id)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        path.write_bytes(content)
        connection.execute(insert(_files).values(**made.model_dump()))
        return made.id

    def listing(self, key: ApiKey, page: Page, purpose: str) -> Slice[StoredFile]:
        """Return the files that a key's owner may see."""
        query = select(_files).where(seen(key), *([_files.c.purpose == purpose] if purpose else []))
        with self._engine.execution_options(reading=True).connect() as connection:
            rows, more = rows_of(connection, query, _files, page)
        return Slice([as_stored(ApiFile(**row)) for row in rows], more)

    def get(self, key: ApiKey, file_id: str) -> ApiFile:
        """Return a file; raises ApiError 404 where this key's owner sees none."""
        with self._engine.execution_options(reading=True).connect() as connection:
            return found(connection, key, file_id)

    def content(self, key: ApiKey, file_id: str) -> Path:
        """Return where a file's bytes lie."""
        return self.path(self.get(key, file_id).id)

    def delete(self, key: ApiKey, file_id: str, now: datetime) -> None:
        """Delete a file; refused while a job has yet to read it, as later it works on rows of its own."""
        with self._engine.begin() as connection:
            found(connection, key, file_id, lock=True)
            unread = _jobs.c.prepared_at.is_(None) & _jobs.c.cancelled_at.is_(None)
            reads = or_(_jobs.c.training_file == file_id, _jobs.c.validation_file == file_id)
            reader = connection.execute(select(_jobs.c.id).where(unread, reads).limit(1)).scalar_one_or_none()
            if reader is not None:
                raise file_in_use(file_id, reader)
            connection.execute(update(_files).where(_files.c.id == file_id).values(deleted_at=now))
        self.path(file_id).unlink(missing_ok=True)

    def tidy(self, now: datetime) -> int:
        """Remove what has expired and bytes that no row knows; returns how many."""
        gone = 0
        with self._engine.begin() as connection:
            old = (_files.c.expires_at <= now) & _files.c.deleted_at.is_(None)
            used = select(_jobs.c.id).where(
                _jobs.c.prepared_at.is_(None),
                _jobs.c.cancelled_at.is_(None),
                or_(_jobs.c.training_file == _files.c.id, _jobs.c.validation_file == _files.c.id),
            )
            ended = update(_files).where(old, ~used.exists()).values(deleted_at=now).returning(_files.c.id)
            for file_id in connection.execute(ended).scalars():
                self.path(file_id).unlink(missing_ok=True)
                gone += 1
        return gone + self._tidy_strays(now)

    def path(self, file_id: str) -> Path:
        """Return where a file's bytes lie; its name is our own, never a client's."""
        return self._home / "files" / file_id

    def _tidy_strays(self, now: datetime) -> int:
        folder, gone = self._home / "files", 0
        if not folder.is_dir():
            return 0
        before = (now - STRAY).timestamp()
        with os.scandir(folder) as entries:
            old = [Path(entry.path) for entry in entries if entry.stat().st_mtime < before]
        for start in range(0, len(old), 500):
            some = old[start : start + 500]
            known = self._living([path.name for path in some])
            for path in some:
                if path.name not in known:
                    with suppress(FileNotFoundError):
                        path.unlink()
                        gone += 1
        return gone

    def _living(self, names: Sequence[str]) -> set[str]:
        query = select(_files.c.id).where(_files.c.id.in_(names), _files.c.deleted_at.is_(None))
        with self._engine.execution_options(reading=True).connect() as connection:
            return set(connection.execute(query).scalars())


def found(connection: Connection, key: ApiKey, file_id: str, *, lock: bool = False) -> ApiFile:
    """Return a file inside the caller's transaction; raises ApiError 404."""
    query = select(_files).where(_files.c.id == file_id, seen(key))
    row = connection.execute(query.with_for_update() if lock else query).mappings().one_or_none()
    if row is None:
        raise no_file(file_id)
    return ApiFile(**row)


def to_train_on(connection: Connection, key: ApiKey, file_id: str, param: str) -> ApiFile:
    """Return a file that a new job names, held until the job is put down; raises ApiError 400."""
    query = select(_files).where(_files.c.id == file_id, seen(key)).with_for_update()
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        raise bad(f"invalid {param}: {file_id}", "invalid_file_id", param)
    if row["purpose"] != "fine-tune":
        raise bad(f"{file_id} has purpose '{row['purpose']}'; it must be 'fine-tune'.", "invalid_file_purpose", param)
    return ApiFile(**row)


def as_stored(row: ApiFile) -> StoredFile:
    """Return a file as the router speaks of it."""
    return StoredFile(
        id=row.id,
        name=row.name,
        size=row.size,
        purpose=row.purpose,
        at=row.created_at.timestamp() if row.created_at else 0,
        expires_at=row.expires_at.timestamp() if row.expires_at else None,
    )


def seen(key: ApiKey) -> ColumnElement[bool]:
    """Select what a key's owner may see of its workspace's files."""
    mine: Any = or_(_files.c.private.is_(False), _files.c.owner == key.owner)
    return and_(_files.c.workspace_id == key.workspace_id, _files.c.deleted_at.is_(None), mine)
