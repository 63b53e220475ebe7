"""Keeps what people think of our messages: a thumb, and what was wrong; it keeps a hash of what was asked, no word."""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Engine, update
from sqlmodel import Field, Session, SQLModel, col, select

from knowledge.clock import Moment
from knowledge.conversations import Thread
from knowledge.rows import add_if_absent

VERDICTS: Mapping[str, str] = {
    "not_in_sources": "It is not in the sources",
    "wrong": "It is wrong",
    "unclear": "It is unclear",
    "outdated": "It is outdated",
}
"""What can be wrong with an answer, and how the form says it."""

WORDS = 500
"""Characters that somebody may add."""


class Rating(SQLModel, table=True):
    """A thumb under one of our messages; the latest of a person counts."""

    workspace_id: str = Field(primary_key=True)
    channel: str = Field(primary_key=True)
    message_ts: str = Field(primary_key=True)
    user_id: str = Field(primary_key=True)
    good: bool
    rated_at: datetime = Field(sa_type=Moment)
    question_hash: str = ""
    """Tells apart questions of a workspace without saying them (`hash_of`); empty under what is no answer."""
    passages: str = "[]"
    """JSON of the ids of the passages that the answer cited."""
    verdict: str = ""
    """One of VERDICTS; empty for a good answer, and where nobody said what was wrong."""
    words: str = ""
    """What the person typed into the form, which says that it is kept."""


class Receipt(NamedTuple):
    """What an answer's thumbs carry, so that a rating can be traced to its sources."""

    question_hash: str = ""
    passages: tuple[str, ...] = ()


NO_RECEIPT = Receipt()
"""What messages carry that are no answers."""


class Tally(NamedTuple):
    """How the messages of a workspace were rated."""

    good: int
    bad: int
    verdicts: Mapping[str, int]
    """How often each verdict was given, most frequent first."""


class Feedback:
    """The ratings of one installation; each method is one short transaction."""

    def __init__(self, engine: Engine) -> None:
        """Take the database."""
        self._engine = engine

    def rate(
        self, thread: Thread, message_ts: str, user_id: str, good: bool, now: datetime, receipt: Receipt = NO_RECEIPT
    ) -> None:
        """Keep a person's thumb under a message; a second one replaces the first and what was said with it."""
        whose = _whose(thread, message_ts, user_id)
        said: dict[str, Any] = {"good": good, "rated_at": now, "verdict": "", "words": ""}
        said |= {"question_hash": receipt.question_hash, "passages": json.dumps(receipt.passages)}
        with self._engine.begin() as connection:
            if not add_if_absent(connection, _ratings, **whose, **said):
                connection.execute(update(_ratings).filter_by(**whose).values(**said))

    def explain(self, thread: Thread, message_ts: str, user_id: str, verdict: str, words: str) -> None:
        """Add to a person's thumb what was wrong."""
        said = {"verdict": verdict if verdict in VERDICTS else "", "words": words[:WORDS]}
        with self._engine.begin() as connection:
            found = update(_ratings).filter_by(**_whose(thread, message_ts, user_id), good=False)
            connection.execute(found.values(**said))

    def listing(self, workspace_id: str = "", *, limit: int = 1000) -> Sequence[Rating]:
        """Return the newest ratings first, of one workspace or of all."""
        query = select(Rating).order_by(col(Rating.rated_at).desc()).limit(limit)
        query = query.where(Rating.workspace_id == workspace_id) if workspace_id else query
        with Session(self._engine.execution_options(reading=True), expire_on_commit=False) as session:
            return session.exec(query).all()

    def tally(self, workspace_id: str, since: datetime) -> Tally:
        """Count the ratings of a workspace since a moment."""
        query = select(Rating.good, Rating.verdict).where(
            Rating.workspace_id == workspace_id, col(Rating.rated_at) >= since
        )
        with Session(self._engine.execution_options(reading=True)) as session:
            rows = session.exec(query).all()
        verdicts = Counter(verdict for _, verdict in rows if verdict)
        good = sum(good for good, _ in rows)
        return Tally(good, len(rows) - good, dict(verdicts.most_common()))


def hash_of(workspace_id: str, question: str) -> str:
    """Return what stands for a question: the same for the same words in one workspace, and another in the next."""
    words = " ".join(question.lower().split())
    return hashlib.sha256(f"{workspace_id}\0{words}".encode("utf-8", "replace")).hexdigest()[:16]


_ratings = Rating.__table__  # type: ignore[attr-defined]  # SQLModel adds it at class creation


def _whose(thread: Thread, message_ts: str, user_id: str) -> dict[str, str]:
    place = {"workspace_id": thread.workspace_id, "channel": thread.channel}
    return place | {"message_ts": message_ts, "user_id": user_id}
