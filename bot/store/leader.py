"""Knows who holds a role that only one process may hold at a time; it does not know what the role does."""

from datetime import datetime, timedelta

from sqlalchemy import Engine, select, update

from knowledge.rows import add_if_absent
from trainers.tables import Leader

LEASE = timedelta(seconds=10)
"""How long a role stays with a process after its last sign of life."""

_rows = Leader.__table__  # type: ignore[attr-defined]  # SQLModel adds it at class creation


def hold(engine: Engine, role: str, owner: str, now: datetime, lease: timedelta = LEASE) -> bool:
    """Take a role, or renew it once less than half of its lease is left; False while somebody else holds it.

    Cheap enough to ask before each piece of work: while nothing changes it only reads. A lease far ahead was written by
    a clock that has been set back since, and counts for nothing.
    """
    far = now + 2 * lease
    with engine.execution_options(reading=True).connect() as connection:
        known = connection.execute(select(_rows.c.owner, _rows.c.lease_until).where(_rows.c.role == role)).one_or_none()
    if known and known.owner == owner and now + lease / 2 < known.lease_until <= far:
        return True
    if known and known.owner != owner and now <= known.lease_until <= far:
        return False
    free = (_rows.c.owner == owner) | (_rows.c.lease_until < now) | (_rows.c.lease_until > far)
    with engine.begin() as connection:
        mine = update(_rows).where(_rows.c.role == role, free).values(owner=owner, lease_until=now + lease)
        if connection.execute(mine).rowcount:
            return True
        return add_if_absent(connection, _rows, role=role, owner=owner, lease_until=now + lease)


def release(engine: Engine, role: str, owner: str, now: datetime) -> None:
    """Give a role back at once, so that a successor need not wait for the lease to run out."""
    with engine.begin() as connection:
        connection.execute(update(_rows).where(_rows.c.role == role, _rows.c.owner == owner).values(lease_until=now))
