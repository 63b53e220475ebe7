"""Knows which messages jobs owe and which were sent; it does not know how they look or where Slack is."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection, Engine, and_, case, func, literal, select, update

from knowledge.rows import add_if_absent
from knowledge.tenancy import LOCAL_WORKSPACE
from trainers.jobs.messages import (
    Announcement,
    DraftedCard,
    HomeRefresh,
    LearnedCard,
    Message,
    ProgressCard,
    QuoteCard,
    to_json,
)
from trainers.states import ENDED
from trainers.tables import Job, OutboxMessage

EDIT_INTERVAL = timedelta(seconds=3)
"""Slack asks for at most one edit of a message every three seconds."""

RUNNING = '"state": "running"'
"""What the payload of a progress message says while its job runs."""

_jobs = Job.__table__  # type: ignore[attr-defined]  # SQLModel adds it at class creation
_rows = OutboxMessage.__table__  # type: ignore[attr-defined]  # the same


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
    known = select(_rows.c.due_at, _rows.c.sent_at, _rows.c.problem).where(where).with_for_update()
    before = connection.execute(known).one()
    due = max(now, before.due_at or now)
    if before.sent_at and not before.problem and not _is_running(message):  # what people wait for waits for no pace
        due = max(now, before.sent_at + EDIT_INTERVAL)
    connection.execute(update(_rows).where(where).values(payload=payload, version=_rows.c.version + 1, due_at=due))


def _is_running(message: Message) -> bool:
    return isinstance(message, ProgressCard) and message.state == "running"


def replace(connection: Connection, job: Job, message: Message, key: str, now: datetime) -> None:
    """Replace a message that is owed or was sent; where there is none, nothing is said."""
    where = (_rows.c.job_id == job.id) & (_rows.c.key == key)
    if connection.execute(select(_rows.c.id).where(where)).one_or_none() is not None:
        put(connection, job, message, now, key=key)


def due(engine: Engine, now: datetime, limit: int = 200) -> Sequence[OutboxMessage]:
    """Return owed messages whose time has come: first posts, then edits, then edits of progress; the oldest first.

    Where there are more than `limit`, each channel gets its share of it, so that a busy one does not hide the others.
    """
    unsent = (_rows.c.due_at <= now) & (_rows.c.version > _rows.c.sent_version)
    edit = case((_rows.c.kind == ProgressCard.KIND, 2), else_=1)
    turn = case((and_(_rows.c.ts == "", _rows.c.kind != HomeRefresh.KIND), 0), else_=edit)
    age = (_rows.c.due_at, _rows.c.id)
    place = func.row_number().over(partition_by=(_rows.c.workspace_id, _rows.c.channel, turn), order_by=age)
    columns = (turn.label("turn"), place.label("place"))
    fair = select(_rows, *columns).where(unsent).order_by(place, turn, _rows.c.id).limit(limit).subquery()
    query = select(*(fair.c[column.name] for column in _rows.c)).order_by(
        fair.c.turn, case((fair.c.turn == 0, fair.c.id), else_=fair.c.due_at), fair.c.id
    )
    with engine.execution_options(reading=True).connect() as connection:
        return [OutboxMessage(**row) for row in connection.execute(query).mappings().all()]


def trying(engine: Engine, message: OutboxMessage, now: datetime) -> bool:
    """Write down, before the call, that a first post is under way: after a crash its outcome has to be looked up.

    False where the row is no longer as it was read: then another process has it, and this one must not post.
    """
    as_read = (
        _rows.c.trying_since.is_not_distinct_from(message.trying_since)
        & (_rows.c.ts == message.ts)
        & (_rows.c.sent_version == message.sent_version)
        & (_rows.c.thread_ts == message.thread_ts)  # a thread may have been opened for it meanwhile
    )
    with engine.begin() as connection:
        mine = update(_rows).where(_rows.c.id == message.id, as_read).values(trying_since=now)
        return connection.execute(mine).rowcount == 1


def sent(engine: Engine, message: OutboxMessage, ts: str, now: datetime, again_in: timedelta = EDIT_INTERVAL) -> None:
    """Record that this version is out as message `ts`; a newer version is due `again_in` later at the earliest.

    What came meanwhile and is no progress, such as the end, waits only as long as Slack asks.
    """
    newer = (_rows.c.version > message.version) & ~_rows.c.payload.contains(RUNNING)
    soon, later = (literal(now + wait, _rows.c.due_at.type) for wait in (EDIT_INTERVAL, again_in))
    due_at = case((newer, soon), else_=later)
    values = {
        "sent_version": message.version,
        "ts": ts,
        "sent_at": now,
        "due_at": due_at,
        "problem": "",
        **_kept(message),
    }
    with engine.begin() as connection:
        connection.execute(update(_rows).where(_rows.c.id == message.id).values(trying_since=None, **values))
        if message.kind == QuoteCard.KIND and not message.ts and not message.thread_ts and message.channel[:1] in "CG":
            _open_thread(connection, message, ts)


def _open_thread(connection: Connection, message: OutboxMessage, ts: str) -> None:
    """Let a job that nobody began in a thread, as one through the API, tell all else below its quote.

    What announces its end to a whole channel stays outside of the thread.
    """
    mine = (_rows.c.job_id == message.job_id) & (_rows.c.channel == message.channel) & (_rows.c.thread_ts == "")
    mine &= _rows.c.kind != Announcement.KIND
    connection.execute(update(_rows).where(mine, _rows.c.ts == "").values(thread_ts=ts))
    living = (_jobs.c.id == message.job_id) & (_jobs.c.thread_ts == "") & _jobs.c.state.not_in(ENDED)
    connection.execute(update(_jobs).where(living).values(thread_ts=ts))


def running(engine: Engine, workspace_id: str) -> int:
    """Count the jobs of a workspace whose progress is being shown."""
    query = (
        select(func.count()).select_from(_jobs).where(_jobs.c.workspace_id == workspace_id, _jobs.c.state == "running")
    )
    with engine.execution_options(reading=True).connect() as connection:
        return int(connection.execute(query).scalar_one())


def later(engine: Engine, message: OutboxMessage, due_at: datetime, problem: str) -> None:
    """Try this message again at `due_at`, remembering why it could not go now."""
    with engine.begin() as connection:
        connection.execute(update(_rows).where(_rows.c.id == message.id).values(due_at=due_at, problem=problem))


def give_up(engine: Engine, message: OutboxMessage, problem: str, now: datetime) -> None:
    """Stop trying a message that Slack will never take (channel gone, blocks refused); the reason stays on the row."""
    due_at = now + EDIT_INTERVAL
    values = {"sent_version": message.version, "problem": problem, "sent_at": now, "due_at": due_at, **_kept(message)}
    with engine.begin() as connection:
        connection.execute(update(_rows).where(_rows.c.id == message.id).values(trying_since=None, **values))


def owed_cards(connection: Connection, workspace_id: str, kind: str) -> Sequence[tuple[int, str]]:
    """Return number and payload of those messages of a kind that a workspace's jobs owe still."""
    mine = (_rows.c.workspace_id == workspace_id) & (_rows.c.kind == kind) & (_rows.c.version > _rows.c.sent_version)
    found = connection.execute(select(_rows.c.id, _rows.c.payload).where(mine).with_for_update())
    return [(row.id, row.payload) for row in found]


def reword(connection: Connection, number: int, payload: str) -> None:
    """Replace what an owed message says; its turn stays as it was."""
    connection.execute(update(_rows).where(_rows.c.id == number).values(payload=payload))


def _kept(message: OutboxMessage) -> dict[str, str]:
    """Empty a message that names documents or says what was written, and is never edited: Slack has it now."""
    return {"payload": "{}"} if message.kind in (LearnedCard.KIND, DraftedCard.KIND) else {}
