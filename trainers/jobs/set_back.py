"""Knows what is wrong in the ledger when a clock was set back: moments that lie farther ahead than anybody meant.

Without this a dead worker's lease, a wait or a message would stay in force for as long as the clock was ahead.
"""

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, and_, select, update

from trainers.jobs.ledger import Ledger
from trainers.tables import Job, OutboxMessage

LONGEST_WAIT = timedelta(hours=1, minutes=1)
"""Nothing of ours waits longer: neither a job for a provider nor a message for Slack's leave."""

_jobs = Job.__table__  # type: ignore[attr-defined]  # SQLModel adds it at class creation
_messages = OutboxMessage.__table__  # type: ignore[attr-defined]  # the same


def bring_near(ledger: Ledger, now: datetime) -> int:
    """Bring moments near that a clock wrote which was ahead; returns how many rows it touched.

    A running job keeps its worker: its lease is cut to its usual length, which a worker that lives renews.
    """
    mends = _mends(now, ledger.lease)
    with ledger.reading() as connection:
        wrong = [mend for mend in mends if connection.execute(_looks(mend)).first() is not None]
    if not wrong:
        return 0
    with ledger.transaction() as connection:
        return sum(_put_right(connection, mend) for mend in wrong)


_Mend = tuple[Any, Any, dict[str, Any]]
"""A table, which of its rows are wrong, and what is right."""


def _mends(now: datetime, lease: timedelta) -> list[_Mend]:
    job, message = _jobs.c, _messages.c
    return [
        (_jobs, and_(job.state == "running", job.lease_until > now + 2 * lease), {"lease_until": now + lease}),
        (_jobs, and_(job.state == "queued", job.wake_at > now + LONGEST_WAIT), {"wake_at": now}),
        (_jobs, and_(job.state.in_(("queued", "running")), job.rung_at > now + lease), {"rung_at": None}),
        (_messages, and_(message.version > message.sent_version, message.due_at > now + LONGEST_WAIT), {"due_at": now}),
        (_messages, and_(message.ts == "", message.trying_since > now + lease), {"trying_since": now}),
    ]


def _looks(mend: _Mend) -> Any:
    table, wrong, _ = mend
    return select(table.c.id).where(wrong).limit(1)


def _put_right(connection: Connection, mend: _Mend) -> int:
    table, wrong, right = mend
    return int(connection.execute(update(table).where(wrong).values(**right)).rowcount)
