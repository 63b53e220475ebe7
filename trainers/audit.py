"""Knows who did what that matters: asked, approved, spent, cancelled; each entry seals the one before."""

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Engine, insert, select, update

from knowledge.rows import add_if_absent, alone
from trainers.tables import AuditEntry, AuditHead

_entries = AuditEntry.__table__  # type: ignore[attr-defined]  # SQLModel adds it at class creation
_heads = AuditHead.__table__  # type: ignore[attr-defined]  # the same

START = "0" * 64
"""What the first entry of a workspace seals."""


class Verdict(NamedTuple):
    """What came of checking a workspace's log."""

    entries: int
    """How many were checked."""
    head: str
    """Hash of the last one: keep it elsewhere, and a log that was cut short is found too."""
    broken_at: int | None
    """Place of the first entry that does not fit, from 1; None where all fit."""


def write(
    connection: Connection, workspace_id: str, who: str, what: str, subject: str, now: datetime, **detail: Any
) -> None:
    """Append an entry in the transaction of what it tells; `detail` holds neither content of rows nor secrets."""
    previous = _lock_head(connection, workspace_id)
    entry = {"workspace_id": workspace_id, "who": who, "what": what, "subject": subject, "at": now}
    sealed = {**entry, "detail": json.dumps(detail, sort_keys=True, separators=(",", ":")), "previous": previous.hash}
    place = previous.place + 1
    digest = seal({**sealed, "place": place})
    connection.execute(insert(_entries).values(**sealed, place=place, hash=digest))
    connection.execute(update(_heads).where(_heads.c.workspace_id == workspace_id).values(place=place, hash=digest))


def take_turn(connection: Connection, workspace_id: str) -> None:
    """Let this transaction go first where others of the workspace want to change what is counted together.

    Whoever takes a job's row, the rules, this turn and budgets takes them in this order, so that two never wait for
    each other.
    """
    alone(connection, f"log and budgets of {workspace_id}")


def listing(engine: Engine, workspace_id: str, *, limit: int = 50) -> Sequence[AuditEntry]:
    """Return the newest entries, the newest first."""
    query = select(_entries).where(_entries.c.workspace_id == workspace_id).order_by(_entries.c.place.desc())
    with engine.execution_options(reading=True).connect() as connection:
        return [AuditEntry(**row) for row in connection.execute(query.limit(limit)).mappings()]


def verify(engine: Engine, workspace_id: str, kept: str = "") -> Verdict:
    """Read a workspace's whole log and check every seal, the order, and that the head is the last entry's.

    `kept` is a head that was noted elsewhere: it has to be in the log, so that a tail cut off together with its head
    is found too.
    """
    query = select(_entries).where(_entries.c.workspace_id == workspace_id).order_by(_entries.c.place)
    previous, count, met = START, 0, kept in ("", START)
    with engine.execution_options(reading=True).connect() as connection:
        before = -1
        while before < count:  # entries may be added while we read
            before = count
            for row in connection.execute(query.where(_entries.c.place > count)).mappings():
                if row["place"] != count + 1 or row["previous"] != previous or seal(dict(row)) != row["hash"]:
                    return Verdict(count, previous, count + 1)
                previous, count = row["hash"], count + 1
                met = met or previous == kept
            head = _head(connection, workspace_id)
            if head.place == count:
                break
    whole = met and head == _Head(count, previous)
    return Verdict(count, previous, None if whole else count + 1)


def said(connection: Connection, workspace_id: str, what: str, subject: str, word: str) -> bool:
    """Say whether there is an entry of this kind about `subject` that mentions `word`; ask in one's turn."""
    about = (_entries.c.workspace_id == workspace_id) & (_entries.c.what == what) & (_entries.c.subject == subject)
    query = select(_entries.c.place).where(about, _entries.c.detail.contains(json.dumps(word), autoescape=True))
    return connection.execute(query.limit(1)).first() is not None


def workspaces(engine: Engine) -> Sequence[str]:
    """Return every workspace that has a log."""
    with engine.execution_options(reading=True).connect() as connection:
        return list(connection.execute(select(_heads.c.workspace_id).order_by(_heads.c.workspace_id)).scalars())


def seal(entry: dict[str, Any]) -> str:
    """SHA-256 over everything that an entry says, its place and the seal before it."""
    told = {name: entry[name] for name in ("workspace_id", "place", "who", "what", "subject", "detail", "previous")}
    canonical = json.dumps({**told, "at": entry["at"].astimezone(UTC).isoformat()}, sort_keys=True)
    return hashlib.sha256(canonical.encode()).hexdigest()


class _Head(NamedTuple):
    place: int
    hash: str


def _head(connection: Connection, workspace_id: str) -> _Head:
    query = select(_heads.c.place, _heads.c.hash).where(_heads.c.workspace_id == workspace_id)
    found = connection.execute(query).one_or_none()
    return _Head(0, START) if found is None else _Head(found.place, found.hash)


def _lock_head(connection: Connection, workspace_id: str) -> _Head:
    """Take the workspace's head for this transaction, so that two entries never seal the same one."""
    take_turn(connection, workspace_id)
    add_if_absent(connection, _heads, workspace_id=workspace_id, place=0, hash=START)
    query = select(_heads.c.place, _heads.c.hash).where(_heads.c.workspace_id == workspace_id).with_for_update()
    found = connection.execute(query).one()
    return _Head(found.place, found.hash)
