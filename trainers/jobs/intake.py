"""Knows the files and addresses that an index job has to read, and what became of each; gone when the job ends."""

from collections.abc import Sequence
from typing import Any

from sqlalchemy import CheckConstraint, Connection, Engine, delete, insert, select, update
from sqlmodel import Field, SQLModel

INDEX = "index"
"""Kind of the jobs that read documents and make them searchable."""


class IntakeFile(SQLModel, table=True):
    """One file or page of an index job; the only place beside Slack that holds its name before it is a document."""

    __tablename__ = "intake"
    __table_args__ = (CheckConstraint("state in ('waiting', 'kept', 'failed')", name="intake_state"),)

    job_id: str = Field(primary_key=True, foreign_key="job.id")
    place: int = Field(primary_key=True)
    """From 1, in the order given."""
    name: str
    """What the document is called."""
    path: str = ""
    """Where its bytes lie under the data folder; empty for a page that is yet to be fetched."""
    url: str = ""
    """Address of a page; empty for a file."""
    state: str = "waiting"
    """waiting: not read yet. kept: a document holds it. failed: see `what`."""
    document_id: str = ""
    outcome: str = ""
    """added, shared (added, and somebody else was told since that it is there), changed, or already there."""
    passages: int = 0
    notes: str = ""
    """What could not be read, a sentence a line."""
    what: str = ""
    """Why it was not added."""
    next_step: str = ""


_rows = IntakeFile.__table__  # type: ignore[attr-defined]  # SQLModel adds it at class creation


def put(connection: Connection, files: Sequence[IntakeFile]) -> None:
    """Write down what a job has to read."""
    connection.execute(insert(_rows), [file.model_dump() for file in files])


def of_job(engine: Engine, job_id: str) -> list[IntakeFile]:
    """Return what a job has to read, in order; nothing once it has ended."""
    query = select(_rows).where(_rows.c.job_id == job_id).order_by(_rows.c.place)
    with engine.execution_options(reading=True).connect() as connection:
        return [IntakeFile(**row) for row in connection.execute(query).mappings()]


def mark(connection: Connection, file: IntakeFile, **values: Any) -> None:
    """Record what became of one."""
    mine = (_rows.c.job_id == file.job_id) & (_rows.c.place == file.place)
    connection.execute(update(_rows).where(mine).values(**values))


def share(connection: Connection, document_id: str, job_id: str) -> None:
    """Note with whatever other job added a document that somebody was told of it: a stop must not take it back."""
    theirs = (_rows.c.document_id == document_id) & (_rows.c.job_id != job_id) & (_rows.c.outcome == "added")
    connection.execute(update(_rows).where(theirs).values(outcome="shared"))


def is_own(connection: Connection, file: IntakeFile) -> bool:
    """Say whether a document is still only the job's that added it."""
    mine = (_rows.c.job_id == file.job_id) & (_rows.c.place == file.place)
    return connection.execute(select(_rows.c.outcome).where(mine)).scalar_one_or_none() == "added"


def clear(connection: Connection, job_id: str) -> None:
    """Forget the names and addresses of a job that ends."""
    connection.execute(delete(_rows).where(_rows.c.job_id == job_id))
