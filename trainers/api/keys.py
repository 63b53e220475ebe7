"""Knows the keys of the fine-tuning API: whose they are, what they may do, when they end; it does not know HTTP."""

import hashlib
import secrets
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final, NamedTuple, get_args

from sqlalchemy import Connection, Engine, insert, select, update

from knowledge.errors import UserError
from knowledge.tenancy import LOCAL_WORKSPACE, Person
from trainers import audit
from trainers.api.tables import ApiKey
from trainers.budgets import in_micros
from trainers.errors import NotAllowed
from trainers.openai_api.engine import Scope
from trainers.policy import check_approver, dollars, is_approver, rules_of

PREFIX: Final = "sk-luthier-"
SCOPES: Final[tuple[Scope, ...]] = get_args(Scope)
PER_MINUTE: Final = 600
MOST_PER_MINUTE: Final = 6000
MOST_KEYS: Final = 50
"""Keys of one person that may live at the same time."""

_keys = ApiKey.__table__  # type: ignore[attr-defined]  # SQLModel adds it at class creation


class KeyNotFound(UserError):
    """There is no such key."""


class Wish(NamedTuple):
    """What a new key is to be."""

    name: str
    scopes: tuple[str, ...] = SCOPES
    channel: str = ""
    private: bool = False
    service: bool = False
    limit: Decimal = Decimal(0)
    """Dollars up to which one job needs no further approval."""
    per_minute: int = PER_MINUTE


class Made(NamedTuple):
    """A key and its secret, which nobody can look up again."""

    key: ApiKey
    secret: str


class Keys:
    """The keys of one installation; only hashes of their secrets are kept."""

    def __init__(self, engine: Engine, secret: Callable[[], str] = lambda: PREFIX + secrets.token_urlsafe(32)) -> None:
        """Take the database, and what makes secrets."""
        self._engine, self._secret = engine, secret

    def create(self, wish: Wish, who: Person, now: datetime, owner: Person | None = None) -> Made:
        """Make a key for `who`; an operator may make it for another `owner`. Raises UserError and NotAllowed."""
        owner = owner or who
        if owner != who and who.workspace_id != LOCAL_WORKSPACE:
            raise NotAllowed("A key is made by whoever answers for it.", "Ask them to make it.")
        _check(wish, owner)
        secret = self._secret()
        with self._engine.begin() as connection:
            rules = rules_of(connection, owner.workspace_id, lock="share")
            if wish.limit:
                check_approver(who, rules)
            audit.take_turn(connection, owner.workspace_id)
            self._check_room(connection, owner)
            key = ApiKey(
                id=f"key_{secrets.token_hex(6)}",
                workspace_id=owner.workspace_id,
                owner=owner.user_id,
                name=wish.name.strip(),
                service=wish.service,
                secret_sha256=hashed(secret),
                hint=secret[-4:],
                scopes=" ".join(scope for scope in SCOPES if scope in wish.scopes),
                channel=wish.channel,
                private=wish.private,
                limit_micros=in_micros(wish.limit),
                granted_by=who.user_id if wish.limit else "",
                per_minute=wish.per_minute,
                created_at=now,
            )
            connection.execute(insert(_keys).values(**key.model_dump()))
            told = {"owner": key.owner, "scopes": key.scopes, "limit": str(wish.limit), "service": key.service}
            _tell(connection, key, who, "key made", now, **told)
        return Made(key, secret)

    def listing(self, who: Person, workspace_id: str = "", *, everybody: bool = False) -> Sequence[ApiKey]:
        """Return one's own keys, newest first; with `everybody`, an approver or operator sees those of all."""
        workspace_id = workspace_id or who.workspace_id
        query = (
            select(_keys).where(_keys.c.workspace_id == workspace_id).order_by(_keys.c.created_at.desc(), _keys.c.id)
        )
        with self._engine.execution_options(reading=True).connect() as connection:
            if workspace_id != who.workspace_id or everybody:
                self._check_insight(connection, who, workspace_id)
            else:
                query = query.where(_keys.c.owner == who.user_id)
            return [ApiKey(**row) for row in connection.execute(query).mappings()]

    def rotate(self, key_id: str, who: Person, now: datetime) -> Made:
        """Give a key a new secret; the old one is worth nothing from then on. Only its owner, or an operator, may."""
        secret = self._secret()
        with self._engine.begin() as connection:
            key = self._own(connection, key_id, who)
            if who.workspace_id != LOCAL_WORKSPACE and who.user_id != key.owner:
                raise NotAllowed("Only the owner of a key may rotate it: they see its secret.", "Revoke it instead.")
            if key.revoked_at is not None:
                raise UserError(f"The key {key.name} was revoked.", "Make a new one.")
            changed: dict[str, Any] = {"secret_sha256": hashed(secret), "hint": secret[-4:], "rotated_at": now}
            connection.execute(update(_keys).where(_keys.c.id == key_id).values(**changed))
            _tell(connection, key, who, "key rotated", now)
        return Made(key.model_copy(update=changed), secret)

    def grant(self, key_id: str, limit: Decimal, who: Person, now: datetime) -> ApiKey:
        """Let a key approve its own jobs up to `limit` dollars each, in this approver's name; 0 takes that back.

        The grant counts as this approver's yes, so it is worth what that is: nothing for jobs of their own.
        """
        _check_limit(limit)
        with self._engine.begin() as connection:
            key = self._own(connection, key_id, who)
            rules = rules_of(connection, key.workspace_id)
            if who.workspace_id != key.workspace_id or not is_approver(who, rules):
                raise NotAllowed("Only an approver of that workspace grants a limit.", "Ask one of them.")
            changed = {"limit_micros": in_micros(limit), "granted_by": who.user_id if limit else ""}
            connection.execute(update(_keys).where(_keys.c.id == key_id).values(**changed))
            _tell(connection, key, who, "key granted", now, limit=str(limit))
        return key.model_copy(update=changed)

    def revoke(self, key_id: str, who: Person, now: datetime) -> bool:
        """End a key; False where it was ended before. Its owner, an approver or an operator may."""
        with self._engine.begin() as connection:
            key = self._own(connection, key_id, who)
            if who.user_id != key.owner:
                check_approver(who, rules_of(connection, key.workspace_id))
            ended = update(_keys).where(_keys.c.id == key_id, _keys.c.revoked_at.is_(None))
            if connection.execute(ended.values(revoked_at=now, revoked_by=who.user_id)).rowcount == 0:
                return False
            _tell(connection, key, who, "key revoked", now)
        return True

    def known(self, secret: str, now: datetime) -> ApiKey | None:
        """Return the key of a secret, also one that was revoked; notes to the minute when it was used."""
        if not secret.startswith(PREFIX):
            return None
        query = select(_keys).where(_keys.c.secret_sha256 == hashed(secret))
        with self._engine.execution_options(reading=True).connect() as connection:
            row = connection.execute(query).mappings().one_or_none()
        key = None if row is None else ApiKey(**row)
        if key and key.revoked_at is None and (key.used_at is None or key.used_at < now - timedelta(minutes=1)):
            with self._engine.begin() as connection:
                connection.execute(update(_keys).where(_keys.c.id == key.id).values(used_at=now))
        return key

    def get(self, key_id: str) -> ApiKey:
        """Return a key, also one that was revoked; raises KeyNotFound."""
        with self._engine.execution_options(reading=True).connect() as connection:
            row = connection.execute(select(_keys).where(_keys.c.id == key_id)).mappings().one_or_none()
        if row is None:
            raise KeyNotFound(f"There is no key {key_id}.", "`keys` lists them.")
        return ApiKey(**row)

    def _own(self, connection: Connection, key_id: str, who: Person) -> ApiKey:
        """Return a key of a person's workspace under lock; an operator's reach is every workspace."""
        row = connection.execute(select(_keys).where(_keys.c.id == key_id).with_for_update()).mappings().one_or_none()
        if row is None or who.workspace_id not in (row["workspace_id"], LOCAL_WORKSPACE):
            raise KeyNotFound(f"There is no key {key_id} here.", "`keys` lists them.")
        audit.take_turn(connection, row["workspace_id"])
        return ApiKey(**row)

    def _check_insight(self, connection: Connection, who: Person, workspace_id: str) -> None:
        if who.workspace_id not in (workspace_id, LOCAL_WORKSPACE) or not is_approver(
            who, rules_of(connection, workspace_id)
        ):
            raise NotAllowed("Only an approver sees the keys of others.", "`keys` lists your own.")

    def _check_room(self, connection: Connection, owner: Person) -> None:
        mine = (_keys.c.workspace_id == owner.workspace_id) & (_keys.c.owner == owner.user_id)
        living = connection.execute(select(_keys.c.id).where(mine, _keys.c.revoked_at.is_(None))).all()
        if len(living) >= MOST_KEYS:
            raise UserError(f"There are {len(living)} keys already.", "Revoke those that nobody uses.")


def hashed(secret: str) -> str:
    """Return what is kept of a secret: it has 256 random bits, so that no slower hash makes guessing harder."""
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()


def limit_of(key: ApiKey) -> Decimal:
    """Return the dollars up to which a key's job needs no further approval."""
    return Decimal(key.limit_micros) / 1_000_000


def scopes_in(text: str) -> tuple[str, ...]:
    """Read scopes from what a person typed; nothing is all of them. Raises UserError."""
    named = tuple(text.replace(",", " ").split())
    unknown = [name for name in named if name not in SCOPES]
    if unknown:
        raise UserError(f"There is no scope {', '.join(unknown)}.", f"Choose among {', '.join(SCOPES)}.")
    return named or SCOPES


def described(key: ApiKey) -> str:
    """Say in one line what a key is and may do."""
    whose = "service of" if key.service else "of"
    limit = f", approves jobs up to {dollars(limit_of(key))}" if key.limit_micros else ""
    return f"{key.name} ({key.id}, …{key.hint}), {whose} {key.owner}: {key.scopes}{limit}"


def _check(wish: Wish, owner: Person) -> None:
    if not wish.name.strip() or len(wish.name) > 80 or not wish.name.isprintable():
        raise UserError("A key needs a name of 1 to 80 characters.", "Name what uses it, such as: nightly.")
    scopes_in(" ".join(wish.scopes))
    _check_limit(wish.limit)
    if not 1 <= wish.per_minute <= MOST_PER_MINUTE:
        raise UserError(f"A key may make 1 to {MOST_PER_MINUTE} requests a minute.", "Nothing was made.")
    if owner.workspace_id == LOCAL_WORKSPACE and wish.channel:
        raise UserError("A key of the shell has no channel.", "Name a workspace and a person with it.")


def _check_limit(limit: Decimal) -> None:
    if not limit.is_finite() or limit < 0:
        raise UserError("A key's limit is dollars of 0 or more.", "Nothing was changed.")


def _tell(connection: Connection, key: ApiKey, who: Person, what: str, now: datetime, **detail: Any) -> None:
    signed = who.user_id if who.workspace_id == key.workspace_id else f"operator {who.user_id}"
    audit.write(connection, key.workspace_id, signed, what, f"key {key.name}", now, key=key.id, **detail)
