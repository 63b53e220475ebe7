"""Knows which messages jobs owe and which were sent; it does not know how they look or where Slack is."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine, select, update

from knowledge.rows import add_if_absent
from knowledge.tenancy import LOCAL_WORKSPACE
from trainers.jobs.messages import Message, to_json
from trainers.tables import Job, OutboxMessage

EDIT_INTERVAL = timedelta(seconds=3)
"""Slack asks for at most one edit of a message every three seconds."""

_rows = OutboxMessage.__table__  # type: ignore[attr-defined]  # SQLModel adds it at class creation


def put(connection: Connection, job: Job, message: Message, now: datetime, *, channel: str = "", key: str = "") -> None:
    """Owe `message` inside the caller's transaction; a message with the same key is replaced, so the latest wins.

    A message whose time had been put off (Slack asked for quiet, the last edit was just now) stays put off.
    A job from the shell has no thread and no Home tab, so only its announcement is owed to anybody.
    """
    if job.workspace_id == LOCAL_WORKSPACE and not channel:
        return
    key = key or message.KIND
    payload = json.dumps(to_json(message))
    where = (_rows.c.job_id == job.id) & (_rows.c.key == key)
    place = (channel, "") if channel else (job.channel, job.thread_ts)
    if add_if_absent(
        connection,
        _rows,
        workspace_id=job.workspace_id,
        job_id=job.id,
        key=key,
        kind=message.KIND,
        payload=payload,
        channel=place[0],
        thread_ts=place[1],
        version=1,
        sent_version=0,
        ts="",
        problem="",
        due_at=now,
    ):
        return
    due = max(now, connection.execute(select(_rows.c.due_at).where(where).with_for_update()).scalar_one() or now)
    connection.execute(update(_rows).where(where).values(payload=payload, version=_rows.c.version + 1, due_at=due))


def replace(connection: Connection, job: Job, message: Message, key: str, now: datetime) -> None:
    """Replace a message that is owed or was sent; where there is none, nothing is said."""
    where = (_rows.c.job_id == job.id) & (_rows.c.key == key)
    if connection.execute(select(_rows.c.id).where(where)).one_or_none() is not None:
        put(connection, job, message, now, key=key)


def due(engine: Engine, now: datetime, limit: int = 20) -> Sequence[OutboxMessage]:
    """Return owed messages whose time has come, oldest first."""
    unsent = (_rows.c.due_at <= now) & (_rows.c.version > _rows.c.sent_version)
    with engine.execution_options(reading=True).connect() as connection:
        found = connection.execute(select(_rows).where(unsent).order_by(_rows.c.id).limit(limit)).mappings().all()
    return [OutboxMessage(**row) for row in found]


def trying(engine: Engine, message: OutboxMessage, now: datetime) -> bool:
    """Write down, before the call, that a first post is under way: after a crash its outcome has to be looked up.

    False where the row is no longer as it was read: then another process has it, and this one must not post.
    """
    as_read = (
        _rows.c.trying_since.is_not_distinct_from(message.trying_since)
        & (_rows.c.ts == message.ts)
        & (_rows.c.sent_version == message.sent_version)
    )
    with engine.begin() as connection:
        mine = update(_rows).where(_rows.c.id == message.id, as_read).values(trying_since=now)
        return connection.execute(mine).rowcount == 1


def sent(engine: Engine, message: OutboxMessage, ts: str, now: datetime) -> None:
    """Record that this version is out as message `ts`; a newer version keeps the row due."""
    values = {"sent_version": message.version, "ts": ts, "sent_at": now, "due_at": now + EDIT_INTERVAL, "problem": ""}
    with engine.begin() as connection:
        connection.execute(update(_rows).where(_rows.c.id == message.id).values(trying_since=None, **values))


def later(engine: Engine, message: OutboxMessage, due_at: datetime, problem: str) -> None:
    """Try this message again at `due_at`, remembering why it could not go now."""
    with engine.begin() as connection:
        connection.execute(update(_rows).where(_rows.c.id == message.id).values(due_at=due_at, problem=problem))


def give_up(engine: Engine, message: OutboxMessage, problem: str, now: datetime) -> None:
    """Stop trying a message that Slack will never take (channel gone, blocks refused); the reason stays on the row."""
    values = {"sent_version": message.version, "problem": problem, "sent_at": now, "due_at": now + EDIT_INTERVAL}
    with engine.begin() as connection:
        connection.execute(update(_rows).where(_rows.c.id == message.id).values(trying_since=None, **values))
