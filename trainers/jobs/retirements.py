"""Warns the threads of tuned models that they go dark, 90, 30 and 7 days ahead, once each; it looks up no prices."""

import json
from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import Connection, select

from knowledge.rows import add_if_absent
from trainers.costs.gate import PROVIDER_OF
from trainers.costs.lifecycle import Line, due_warnings, line_of
from trainers.costs.names import PROVIDERS, UnknownName, find_model
from trainers.jobs import outbox
from trainers.jobs.ledger import Ledger, read
from trainers.jobs.messages import RetirementCard
from trainers.jobs.records import RetirementWarning
from trainers.tables import Job, ModelVersion

_jobs = Job.__table__  # type: ignore[attr-defined]  # SQLModel adds it at class creation
_models = ModelVersion.__table__  # type: ignore[attr-defined]  # the same
_warnings = RetirementWarning.__table__  # type: ignore[attr-defined]  # the same


def warn(ledger: Ledger, book: Sequence[Line], now: datetime) -> int:
    """Owe each warning that has come due and was not given; returns how many threads hear one.

    Of several that came due together, as for a model that was registered late, only the nearest is said.
    """
    with ledger.reading() as connection:
        query = select(_models.c.id, _models.c.job_id, _models.c.name, _jobs.c.spec).join(_jobs)
        found = [(row, line) for row in connection.execute(query).all() if (line := _line(row.spec, book)) is not None]
    heard = 0
    for row, line in found:
        if line.dark_on is not None and not line.floor and due_warnings(line.dark_on, now.date()):
            with ledger.transaction() as connection:
                heard += _say(connection, row.id, read(connection, row.job_id), line, line.dark_on, now)
    return heard


def _say(connection: Connection, model_id: str, job: Job, line: Line, dark_on: date, now: datetime) -> bool:
    steps = due_warnings(dark_on, now.date())
    day, source = dark_on.isoformat(), line.dark_source
    fresh = [
        days
        for days in steps
        if add_if_absent(connection, _warnings, model_id=model_id, retires_on=day, days=days, at=now)
    ]
    if min(steps) not in fresh:
        return False
    card = RetirementCard(
        job_id=job.id,
        number=job.number,
        title=job.title,
        requested_by=job.requested_by,
        base=line.model,
        provider=PROVIDERS[line.provider],
        retires_on=day,
        days_left=(dark_on - now.date()).days,
        replacement=line.replacement,
        replacement_note=line.replacement_note,
        unconfirmed=source.name if source is not None and source.unverified else "",
    )
    outbox.put(connection, job, card, now, key=f"{card.KIND}-{day}-{min(steps)}")
    return True


def _line(spec: str, book: Sequence[Line]) -> Line | None:
    """Return what is known of a job's base at its provider; None where it is trained on a machine of one's own."""
    said = json.loads(spec)
    provider = PROVIDER_OF.get(said["backend"])
    try:
        return None if provider is None else line_of(provider, find_model(said["base"]), tuple(book))
    except UnknownName:
        return None
