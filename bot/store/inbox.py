"""Knows which requests of Slack have arrived and which are done; it does not know what they mean."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import Engine, delete, select, update

from bot.store.tables import InboxRow
from knowledge.rows import add_if_absent

_rows = InboxRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it at class creation

MAX_TRIES = 4
"""A request whose work failed this often is put aside instead of tried for ever."""

MOST_DEATHS = 6
"""A request over which the process died this often is put aside: perhaps the deaths are its doing."""

WORK_LIMIT = timedelta(minutes=15)
"""Work without an end for this long is begun again: longer than a slow file takes, since `reopen` sees to deaths."""

KEEP = timedelta(hours=48)
"""How long keys are kept to recognise a delivery that comes again."""


class Inbox:
    """The durable inbox of one installation, with one web process: `reopen` takes all that is open for abandoned.

    A request is "waiting" for `due`, "running" with whoever took it, "done" or "failed".
    """

    def __init__(self, engine: Engine) -> None:
        """Take the database."""
        self._engine = engine

    def take(
        self, key: str, body: str, headers: dict[str, str], now: datetime, *, state: Literal["waiting", "running"]
    ) -> bool:
        """Write a request down before it is acknowledged; False where the same one came before.

        A running one is worked on by the caller, and comes to `due` only if this process dies over it.
        """
        row = {
            "key": key,
            "body": body,
            "headers": json.dumps(headers),
            "state": state,
            "tries": 0,
            "received_at": now,
            "due_at": now if state == "waiting" else None,
        }
        with self._engine.begin() as connection:
            return add_if_absent(connection, _rows, **row)

    def remember(self, key: str, now: datetime) -> bool:
        """Write down that something came that needs no work; False where it came before."""
        row = {"key": key, "tries": 0, "received_at": now, **_closed("done")}
        with self._engine.begin() as connection:
            return add_if_absent(connection, _rows, **row)

    def due(self, now: datetime, limit: int) -> Sequence[InboxRow]:
        """Claim requests whose work is to be done now, oldest first, counting the try; some may be `spent`."""
        # What is due far ahead was written by a clock that has been set back since.
        its_time = (_rows.c.due_at <= now) | (_rows.c.due_at > now + 2 * WORK_LIMIT)
        claimed = []
        with self._engine.begin() as connection:
            query = select(_rows).where(_rows.c.state == "waiting", its_time).order_by(_rows.c.received_at).limit(limit)
            query = query.with_for_update(skip_locked=True)
            for row in connection.execute(query).mappings().all():
                values = {"tries": row["tries"] + 1, "due_at": now + WORK_LIMIT}
                connection.execute(update(_rows).where(_rows.c.key == row["key"]).values(**values))
                claimed.append(InboxRow(**row))
        return claimed

    def spent(self, row: InboxRow) -> bool:
        """Say whether a claimed request has taken enough processes with it and is to be given up."""
        return row.tries >= MOST_DEATHS

    def done(self, key: str) -> None:
        """Close a request and forget what it said."""
        self._close(key, "done")

    def give_up(self, key: str) -> None:
        """Put a request aside for good and forget what it said."""
        self._close(key, "failed")

    def failed(self, row: InboxRow, now: datetime) -> bool:
        """Put a failed request back for another try, later each time; False where it has been given up."""
        tries = row.tries + 1
        if tries >= MAX_TRIES:
            self.give_up(row.key)
            return False
        with self._engine.begin() as connection:
            due_at = now + timedelta(seconds=2**tries)
            connection.execute(update(_rows).where(_rows.c.key == row.key).values(due_at=due_at))
        return True

    def reopen(self, now: datetime) -> int:
        """At start: what the last process had begun is due at once. Returns how many requests that were.

        What was running had been acknowledged, so it is done again until it ends: a half-done form may be announced
        twice then, but a click is never lost, and whatever spends knows a second click.
        """
        with self._engine.begin() as connection:
            connection.execute(delete(_rows).where(_rows.c.state != "waiting", _rows.c.received_at < now - KEEP))
            abandoned = update(_rows).where(_rows.c.state == "running")
            connection.execute(abandoned.values(state="waiting", tries=_rows.c.tries + 1))
            return connection.execute(update(_rows).where(_rows.c.state == "waiting").values(due_at=now)).rowcount

    def _close(self, key: str, state: str) -> None:
        with self._engine.begin() as connection:
            connection.execute(update(_rows).where(_rows.c.key == key).values(**_closed(state)))


def _closed(state: str) -> dict[str, str | None]:
    return {"state": state, "body": "", "headers": "", "due_at": None}
