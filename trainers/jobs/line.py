"""Knows in which order the jobs of a queue run and about how long one waits; it does not know who runs them."""

import heapq
import json
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import Connection, Integer, RowMapping, and_, case, cast, func, or_, select

from trainers.tables import Job

INTERACTIVE, BATCH = "interactive", "batch"
"""Priorities: what a person waits for, and what may run when nobody does."""

STARVED = timedelta(hours=2)
"""A batch job that has waited this long since its approval counts as interactive."""

LOOKED_AT = 100
"""Jobs of a queue whose wait is estimated; whoever is farther back hears only how many are ahead."""

WAITS_ELSEWHERE = frozenset({"io"})
"""Queues whose jobs mostly wait for somebody else, so that their quotes do not say how long a worker is busy."""

_jobs = Job.__table__  # type: ignore[attr-defined]  # SQLModel adds it at class creation


class Ahead(NamedTuple):
    """A job's place in its queue."""

    jobs: int
    """Jobs of the same queue that run now or will run before it."""
    minutes: float | None
    """Until a worker is free for it, from the quotes and the progress of those; None where that cannot be said."""


def due(now: datetime) -> Any:
    """Select jobs that wait for a worker."""
    return and_(_jobs.c.state == "queued", or_(_jobs.c.wake_at.is_(None), _jobs.c.wake_at <= now))


def abandoned(now: datetime) -> Any:
    """Select jobs whose worker has shown no sign of life for a whole lease."""
    return and_(_jobs.c.state == "running", _jobs.c.lease_until < now)


def order(now: datetime) -> tuple[Any, ...]:
    """Sort the jobs of a queue as they are to run: interactive before batch, then by approval."""
    return case((_patient(now), 1), else_=0), _jobs.c.approved_at, _jobs.c.id


def lanes(now: datetime) -> tuple[Any, Any]:
    """Split a queue into those that `order` puts first and those that wait for them."""
    return or_(_jobs.c.priority != BATCH, _jobs.c.approved_at <= now - STARVED), _patient(now)


def _patient(now: datetime) -> Any:
    return and_(_jobs.c.priority == BATCH, _jobs.c.approved_at > now - STARVED)


def ahead(connection: Connection, job: Job, now: datetime) -> Ahead:
    """Say how many jobs of its queue run before this one, and about how long that takes."""
    return standings(connection, job.queue, now).get(job.id) or Ahead(_count_before(connection, job, now), None)


def standings(connection: Connection, queue: str, now: datetime) -> dict[str, Ahead]:
    """Return the place of each waiting job of a queue by its id, for the first hundred that run or wait."""
    columns = (_jobs.c.id, _jobs.c.state, _jobs.c.kind, _jobs.c.phase, _jobs.c.progress, _jobs.c.quote)
    here = and_(_jobs.c.queue == queue, or_(_jobs.c.state == "running", due(now)))
    first = cast(_jobs.c.state != "running", Integer)
    query = select(*columns).where(here).order_by(first, *order(now)).limit(LOOKED_AT)
    rows = connection.execute(query).mappings().all()
    running = [row for row in rows if row["state"] == "running"]
    waits = _waits(running, [row for row in rows if row["state"] == "queued"])
    known = queue not in WAITS_ELSEWHERE
    return {
        job_id: Ahead(place, minutes if known else None)
        for place, (job_id, minutes) in enumerate(waits, start=len(running))
    }


def place_words(place: Ahead) -> str:
    """Write a place for people: `2 ahead, about 14 min`, `next in line`."""
    if place.jobs == 0:
        return "next in line"
    wait = "" if place.minutes is None else f", {_about(place.minutes)}"
    return f"{place.jobs:,} ahead{wait}"


def _count_before(connection: Connection, job: Job, now: datetime) -> int:
    lane, approved_at, name = order(now)
    mine = int(job.priority == BATCH and job.approved_at is not None and job.approved_at > now - STARVED)
    same = and_(lane == mine, approved_at == job.approved_at, name < job.id)
    earlier = or_(lane < mine, and_(lane == mine, approved_at < job.approved_at), same)
    here = and_(_jobs.c.queue == job.queue, _jobs.c.id != job.id)
    before = or_(_jobs.c.state == "running", and_(due(now), earlier))
    return int(connection.execute(select(func.count()).select_from(_jobs).where(here, before)).scalar_one())


def _waits(running: Iterable[RowMapping], waiting: Iterable[RowMapping]) -> Iterable[tuple[str, float]]:
    """Yield (job id, minutes) as if there were as many workers as jobs run now, at least one."""
    free = [_left(row) for row in running] or [0.0]
    heapq.heapify(free)
    for row in waiting:
        yield str(row["id"]), free[0]
        heapq.heapreplace(free, free[0] + sum(_quoted(row)))


def _left(row: RowMapping) -> float:
    """Minutes that a running job still needs."""
    training, evaluation = _quoted(row)
    seconds = json.loads(row["progress"]).get("seconds_left")
    if row["phase"] == "reporting":
        return 0.0
    if row["phase"] == "evaluating":
        return evaluation if seconds is None else float(seconds) / 60
    return evaluation + (training if seconds is None or row["phase"] != "training" else float(seconds) / 60)


def _quoted(row: RowMapping) -> tuple[float, float]:
    """Minutes of training and of evaluation, the middle of what was quoted."""
    offer = json.loads(row["quote"])
    middle = [sum(offer.get(name, (0.0, 0.0))) / 2 for name in ("training_minutes", "evaluation_minutes")]
    return (0.0 if row["kind"] == "evaluate" else middle[0]), middle[1]


def _about(minutes: float) -> str:
    """Round an estimate to what it is worth: 1 min below 20, 5 below 2 h, then quarters of an hour."""
    if minutes < 1:
        return "under 1 min"
    step = 1 if minutes < 20 else 5 if minutes < 120 else 15
    whole = round(minutes / step) * step
    if whole < 120:
        return f"about {whole} min"
    return f"about {whole // 60} h" + (f" {whole % 60} min" if whole % 60 else "")
