"""Knows which one-time links for files are open, for whom and until when; it does not know how a file arrives."""

import hashlib
import secrets
from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import Engine, delete, insert, or_, select, update
from sqlmodel import Field, SQLModel

from knowledge.clock import Moment
from knowledge.errors import UserError
from knowledge.tenancy import Person


class UploadLink(SQLModel, table=True):
    """One address under which one person may hand in one file of rows, once; the secret itself is not kept."""

    __tablename__ = "upload_link"

    secret_sha256: str = Field(primary_key=True)
    workspace_id: str
    user_id: str
    dataset_id: str = ""
    """The data set that gets the rows as a new version; "" for a data set of its own."""
    private: bool = False
    """Whether the rows are seen only by this person at first."""
    created_at: datetime | None = Field(default=None, sa_type=Moment, nullable=False)
    expires_at: datetime | None = Field(default=None, sa_type=Moment, nullable=False, index=True)
    taken_at: datetime | None = Field(default=None, sa_type=Moment)
    """When an upload began; emptied where nothing whole arrived."""
    used_at: datetime | None = Field(default=None, sa_type=Moment)
    """When a whole file had arrived: nothing more is taken from then on."""


_links = UploadLink.__table__  # type: ignore[attr-defined]  # SQLModel adds it at class creation

VALID_FOR = timedelta(hours=1)
"""How long a link may wait for its file."""

TAKING = timedelta(minutes=15)
"""After that an upload that neither ended nor failed is taken for dead, and the link may be used again."""


class LinkGone(UserError):
    """This link takes no file, or none any more."""


class Links:
    """The one-time links of one installation; only hashes of their secrets are kept."""

    def __init__(self, engine: Engine, secret: Callable[[], str] = lambda: secrets.token_urlsafe(32)) -> None:
        """Take the database, and what makes secrets."""
        self._engine, self._secret = engine, secret

    def make(self, person: Person, now: datetime, *, dataset_id: str = "", private: bool = False) -> str:
        """Return the secret of a new link under which this person may hand in one file."""
        made = self._secret()
        link = UploadLink(
            secret_sha256=_hash(made),
            workspace_id=person.workspace_id,
            user_id=person.user_id,
            dataset_id=dataset_id,
            private=private,
            created_at=now,
            expires_at=now + VALID_FOR,
        )
        with self._engine.begin() as connection:
            connection.execute(delete(_links).where(_links.c.expires_at < now - VALID_FOR))
            connection.execute(insert(_links).values(**link.model_dump()))
        return made

    def look(self, secret: str, now: datetime) -> UploadLink:
        """Return an open link; raises LinkGone where it is unknown, used or too old."""
        query = select(_links).where(_links.c.secret_sha256 == _hash(secret))
        with self._engine.execution_options(reading=True).connect() as connection:
            row = connection.execute(query).mappings().one_or_none()
        if row is None or row["expires_at"] <= now:
            raise LinkGone("This link does not work, or not any more.", "Ask Luthier for a new one.")
        if row["used_at"] is not None:
            raise LinkGone("This link was used already: it takes one file.", "Ask Luthier for a new one.")
        return UploadLink(**row)

    def take(self, secret: str, now: datetime) -> UploadLink:
        """Begin an upload: nobody else may use the link meanwhile. Raises LinkGone."""
        link = self.look(secret, now)
        free = or_(_links.c.taken_at.is_(None), _links.c.taken_at < now - TAKING)
        mine = (_links.c.secret_sha256 == link.secret_sha256) & _links.c.used_at.is_(None)
        with self._engine.begin() as connection:
            changed = connection.execute(update(_links).where(mine, free).values(taken_at=now)).rowcount
        if not changed:
            raise LinkGone("A file is just arriving under this link: it takes one.", "Wait for it, or ask for another.")
        return link

    def release(self, secret: str) -> None:
        """Open the link again: nothing whole arrived."""
        self._change(secret, taken_at=None)

    def spend(self, secret: str, now: datetime) -> None:
        """Close the link for good: a whole file arrived."""
        self._change(secret, used_at=now)

    def _change(self, secret: str, **values: datetime | None) -> None:
        with self._engine.begin() as connection:
            mine = (_links.c.secret_sha256 == _hash(secret)) & _links.c.used_at.is_(None)
            connection.execute(update(_links).where(mine).values(**values))


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
