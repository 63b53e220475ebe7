"""Knows how long jobs waited whose worker was killed; it does not know who kills."""

from datetime import UTC, datetime
from typing import NamedTuple

from sqlalchemy import Engine, func, select

from trainers.tables import Job, JobEvent

_jobs = Job.__table__  # type: ignore[attr-defined]  # SQLModel adds it at class creation
_events = JobEvent.__table__  # type: ignore[attr-defined]  # the same


class Interrupted(NamedTuple):
    """A job whose worker died just now."""

    job_id: str
    fence: int
    """Of the dead worker's claim."""
    at: datetime


class Recovered(NamedTuple):
    """Seconds from the deaths of workers until others had their jobs."""

    count: int
    median: float
    longest: float


def interrupted_by(engine: Engine, pid: int) -> list[Interrupted]:
    """Return the jobs that this dead process held."""
    held = select(_jobs.c.id, _jobs.c.fence).where(_jobs.c.state == "running", _jobs.c.owner.endswith(f"-{pid}"))
    with engine.execution_options(reading=True).connect() as connection:
        return [Interrupted(row.id, row.fence, datetime.now(UTC)) for row in connection.execute(held)]


def recovered(engine: Engine, interrupted: list[Interrupted]) -> Recovered:
    """Read from the events when each of these jobs was next claimed.

    A job that was not claimed again had been finished by its worker in the moment before that died of its parent.
    """
    waits = []
    with engine.execution_options(reading=True).connect() as connection:
        for job_id, fence, died in interrupted:
            claimed = select(func.min(_events.c.at)).where(_events.c.job_id == job_id, _events.c.fence > fence)
            at = connection.execute(claimed).scalar_one()
            if at is not None:
                waits.append((at - died).total_seconds())
    waits.sort()
    return Recovered(len(waits), round(waits[len(waits) // 2], 2), round(waits[-1], 2)) if waits else Recovered(0, 0, 0)
