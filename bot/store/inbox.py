"""Knows which requests of Slack have arrived and which are done; it does not know what they mean."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Engine, delete, insert, select, update
from sqlalchemy.exc import IntegrityError

from bot.store.tables import InboxRow

_rows = InboxRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it at class creation

MAX_TRIES = 4
"""A request whose work failed this often is put aside instead of tried for ever."""

WORK_LIMIT = timedelta(minutes=3)
"""After this long without an end, the process that worked on a request is taken for dead."""

KEEP = timedelta(hours=48)
"""How long keys are kept to recognise a delivery that comes again."""


class Inbox:
    """The durable inbox of one installation."""

    def __init__(self, engine: Engine) -> None:
        """Take the database."""
        self._engine = engine

    def take(self, key: str, body: str, headers: dict[str, str], now: datetime, *, work: bool) -> bool:
        """Write a request down before it is acknowledged; False where the same one came before.

        `work` keeps the body for `due`; without it only the key is kept, against replays.
        """
        state, kept = ("waiting", body) if work else ("done", "")
        row = {
            "key": key,
            "body": kept,
            "headers": json.dumps(headers) if work else "",
            "state": state,
            "tries": 0,
            "received_at": now,
            "due_at": now if work else None,
        }
        try:
            with self._engine.begin() as connection:
                connection.execute(insert(_rows).values(**row))
        except IntegrityError:
            return False
        return True

    def due(self, now: datetime, limit: int) -> Sequence[InboxRow]:
        """Claim requests whose work is to be done now, counting the try."""
        claimed = []
        with self._engine.begin() as connection:
            query = select(_rows).where(_rows.c.state == "waiting", _rows.c.due_at <= now).order_by(_rows.c.received_at)
            for row in connection.execute(query.limit(limit)).mappings().all():
                values = {"tries": row["tries"] + 1, "due_at": now + WORK_LIMIT}
                connection.execute(update(_rows).where(_rows.c.key == row["key"]).values(**values))
                claimed.append(InboxRow(**row))
        return claimed

    def done(self, key: str) -> None:
        """Close a request and forget what it said."""
        self._close(key, "done")

    def failed(self, row: InboxRow, now: datetime) -> bool:
        """Put a failed request back for another try, later each time; False where it has been given up."""
        tries = row.tries + 1
        if tries >= MAX_TRIES:
            self._close(row.key, "failed")
            return False
        with self._engine.begin() as connection:
            due_at = now + timedelta(seconds=2**tries)
            connection.execute(update(_rows).where(_rows.c.key == row.key).values(due_at=due_at))
        return True

    def reopen(self, now: datetime) -> int:
        """At start: what the last process had begun is due at once. Returns how many requests that were."""
        with self._engine.begin() as connection:
            connection.execute(delete(_rows).where(_rows.c.state != "waiting", _rows.c.received_at < now - KEEP))
            return connection.execute(update(_rows).where(_rows.c.state == "waiting").values(due_at=now)).rowcount

    def _close(self, key: str, state: str) -> None:
        with self._engine.begin() as connection:
            connection.execute(
                update(_rows).where(_rows.c.key == key).values(state=state, body="", headers="", due_at=None)
            )
