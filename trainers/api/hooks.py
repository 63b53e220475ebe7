"""Knows which addresses hear how jobs end and what each is owed, in SQL; it does not send (`delivering` does)."""

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Engine, and_, delete, func, insert, select, update

from trainers.api.paging import rows_of
from trainers.api.tables import ApiDelivery, ApiHook, ApiJob, ApiKey
from trainers.openai_api import signing
from trainers.openai_api.objects import Hook, Page, Slice
from trainers.openai_api.refusals import bad, no_hook

MOST = 20
"""Addresses of one workspace."""

OVERLAP = timedelta(hours=24)
"""How long an old secret may sign beside the new one."""

WAITS = (0, 5, 30, 120, 600, 3600, 4 * 3600, 12 * 3600, 24 * 3600, 24 * 3600)
"""Seconds before each attempt; together they are three days, as long as OpenAI tries."""

CLAIM = timedelta(minutes=2)
"""How long a process may be at an attempt, far more than it takes, before another one may make the next."""

MOST_AT_ONCE = 32
"""Attempts that one process claims together: with eight side by side and ten seconds each they end within `CLAIM`."""

_hooks = ApiHook.__table__  # type: ignore[attr-defined]  # SQLModel adds it at class creation
_owed = ApiDelivery.__table__  # type: ignore[attr-defined]  # the same


class Due(NamedTuple):
    """One attempt that is due."""

    delivery: ApiDelivery
    hook: ApiHook


class Hooks:
    """The addresses of one installation."""

    def __init__(self, engine: Engine) -> None:
        """Take the database."""
        self._engine = engine

    def add(self, key: ApiKey, name: str, url: str, event_types: Sequence[str], now: datetime) -> tuple[Hook, str]:
        """Keep an address; returns it and its secret, which is shown this once."""
        secret = signing.new_secret()
        made = ApiHook(
            id=f"we_{secrets.token_hex(12)}",
            workspace_id=key.workspace_id,
            key_id=key.id,
            owner=key.owner,
            name=name,
            url=url,
            event_types=" ".join(event_types),
            secret=secret,
            created_at=now,
            changed_at=now,
        )
        with self._engine.begin() as connection:
            here = select(func.count()).select_from(_hooks).where(seen(key))
            if int(connection.execute(here).scalar_one()) >= MOST:
                raise bad(f"There are {MOST} webhook endpoints already: delete one first.", "too_many_endpoints")
            connection.execute(insert(_hooks).values(**made.model_dump()))
        return as_hook(made), secret

    def listing(self, key: ApiKey, page: Page) -> Slice[Hook]:
        """Return a workspace's addresses."""
        with self._engine.execution_options(reading=True).connect() as connection:
            rows, more = rows_of(connection, select(_hooks).where(seen(key)), _hooks, page)
        return Slice([as_hook(ApiHook(**row)) for row in rows], more)

    def get(self, key: ApiKey, hook_id: str) -> ApiHook:
        """Return an address; raises ApiError 404."""
        with self._engine.execution_options(reading=True).connect() as connection:
            return _found(connection, key, hook_id)

    def change(self, key: ApiKey, hook_id: str, changes: Mapping[str, Any], now: datetime) -> Hook:
        """Give an address another name, url or event types."""
        values: dict[str, Any] = {**changes, "changed_at": now}
        if "event_types" in values:
            values["event_types"] = " ".join(values["event_types"])
        return as_hook(self._change(key, hook_id, values))

    def rotate(self, key: ApiKey, hook_id: str, keep_old: bool, now: datetime) -> tuple[Hook, str]:
        """Give an address another secret."""
        secret, before = signing.new_secret(), self.get(key, hook_id)
        old = {"old_secret": before.secret, "old_until": now + OVERLAP} if keep_old else _NO_OLD
        return as_hook(self._change(key, hook_id, {"secret": secret, "changed_at": now, **old})), secret

    def drop(self, key: ApiKey, hook_id: str) -> None:
        """Forget an address and what it is owed."""
        with self._engine.begin() as connection:
            _found(connection, key, hook_id)
            connection.execute(delete(_owed).where(_owed.c.hook_id == hook_id))
            connection.execute(delete(_hooks).where(_hooks.c.id == hook_id))

    def claim(self, now: datetime) -> list[Due]:
        """Return what has to be sent now, for this process alone until `CLAIM` is over.

        An attempt is counted as it is claimed: a process that dies with it has used it up, and the next one is due
        then.
        """
        with self._engine.execution_options(reading=True).connect() as connection:
            query = select(_owed).where(_owed.c.due_at <= now).order_by(_owed.c.due_at).limit(MOST_AT_ONCE)
            owed = [ApiDelivery(**row) for row in connection.execute(query).mappings()]
            ids = {delivery.hook_id for delivery in owed}
            rows = connection.execute(select(_hooks).where(_hooks.c.id.in_(ids))).mappings() if ids else ()
            hooks = {row["id"]: ApiHook(**row) for row in rows}
        mine = (delivery for delivery in owed if delivery.hook_id in hooks and self._taken(delivery, now))
        return [Due(delivery, hooks[delivery.hook_id]) for delivery in mine]

    def _taken(self, delivery: ApiDelivery, now: datetime) -> bool:
        """Take an attempt; False where another process was faster: of two that read the same row one changes it."""
        as_read = (_owed.c.id == delivery.id) & (_owed.c.tries == delivery.tries) & (_owed.c.due_at == delivery.due_at)
        with self._engine.begin() as connection:
            values = {"tries": delivery.tries + 1, "due_at": now + CLAIM}
            if connection.execute(update(_owed).where(as_read).values(**values)).rowcount != 1:
                return False
        delivery.tries += 1
        return True

    def tried(self, delivery: ApiDelivery, status: int, now: datetime) -> None:
        """Put down what came of an attempt that was claimed, and when the next one is."""
        tries = delivery.tries
        over = 200 <= status < 300 or tries >= len(WAITS)
        due_at = None if over else now + timedelta(seconds=WAITS[tries])
        with self._engine.begin() as connection:
            mine = (_owed.c.id == delivery.id) & (_owed.c.tries == tries)
            connection.execute(update(_owed).where(mine).values(status=status, due_at=due_at))

    def _change(self, key: ApiKey, hook_id: str, values: Mapping[str, Any]) -> ApiHook:
        with self._engine.begin() as connection:
            _found(connection, key, hook_id)
            connection.execute(update(_hooks).where(_hooks.c.id == hook_id).values(**values))
            return _found(connection, key, hook_id)


_NO_OLD: dict[str, Any] = {"old_secret": "", "old_until": None}


def owe(connection: Connection, job: ApiJob, event_type: str, now: datetime) -> None:
    """Owe every address of a job's workspace that listens for it this event, in the transaction that says it ended."""
    mine = _hooks.c.workspace_id == job.workspace_id
    if job.private:  # others would learn of it
        mine = mine & (_hooks.c.owner == job.owner)
    for hook in connection.execute(select(_hooks.c.id, _hooks.c.event_types).where(mine)):
        if event_type in hook.event_types.split():
            values = {"hook_id": hook.id, "api_job_id": job.id, "event_type": event_type, "at": now, "due_at": now}
            id_ = f"evt_{secrets.token_hex(12)}"
            connection.execute(insert(_owed).values(id=id_, tries=0, status=0, **values))


def secrets_of(hook: ApiHook, now: datetime) -> list[str]:
    """Return the secrets that sign for an address now, the newest first."""
    old = [hook.old_secret] if hook.old_secret and hook.old_until and hook.old_until > now else []
    return [hook.secret, *old]


def as_hook(row: ApiHook) -> Hook:
    """Return an address as the router speaks of it."""
    return Hook(
        id=row.id,
        name=row.name,
        url=row.url,
        event_types=tuple(row.event_types.split()),
        at=row.created_at.timestamp() if row.created_at else 0,
        changed_at=row.changed_at.timestamp() if row.changed_at else 0,
        secret_hint=signing.hint(row.secret),
    )


def seen(key: ApiKey) -> ColumnElement[bool]:
    """Select what a key's owner may see: the addresses that they made."""
    clause: Any = and_(_hooks.c.workspace_id == key.workspace_id, _hooks.c.owner == key.owner)
    return clause  # type: ignore[no-any-return]  # __table__ is Any


def _found(connection: Connection, key: ApiKey, hook_id: str) -> ApiHook:
    row = connection.execute(select(_hooks).where(_hooks.c.id == hook_id, seen(key))).mappings().one_or_none()
    if row is None:
        raise no_hook(hook_id)
    return ApiHook(**row)
