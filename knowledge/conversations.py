"""Remembers the threads we take part in, the facts gathered there and who set them; it keeps no word of a message."""

import json
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from sqlalchemy import Engine
from sqlmodel import Field, Session, SQLModel

from knowledge.advice.facts import Changes, Facts, Value, changed, from_mapping, known
from knowledge.clock import Moment
from knowledge.rows import add_if_absent


class Thread(NamedTuple):
    """A thread in Slack: the root message's time stamp within a channel of a workspace."""

    workspace_id: str
    channel: str
    thread_ts: str


class Conversation(SQLModel, table=True):
    """A thread that we answer in without being mentioned again."""

    workspace_id: str = Field(primary_key=True)
    channel: str = Field(primary_key=True)
    thread_ts: str = Field(primary_key=True)
    kind: str
    """What it began with: advice, answer, welcome, training or plan (drafted test rows of an evaluation plan)."""
    facts: str = "{}"
    """JSON of the known facts by name (`knowledge.advice.facts`)."""
    origins: str = "{}"
    """JSON of who set each fact last, by name (`Origin`)."""
    skipped: str = "[]"
    """JSON of the names of facts that are not to be asked."""
    card_ts: str = ""
    """The advice card, which is edited in place; empty while there is none."""
    updated_at: datetime = Field(sa_type=Moment)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)

_rows = Conversation.__table__  # type: ignore[attr-defined]  # SQLModel adds it at class creation


class Origin(NamedTuple):
    """Who set a fact last."""

    user_id: str
    read: bool
    """It was read from this person's message; otherwise they chose it."""
    at: datetime
    beaten: Value | None = None
    """What the same message said of this fact before it said something else."""
    read_by: str = ""
    """Name of the language model that read it, if one did."""


class Told(NamedTuple):
    """A change of facts, as somebody makes it."""

    changes: Changes
    user_id: str
    read: bool
    """The changes were read from this person's message; otherwise they chose them."""
    beaten: Mapping[str, Value] = {}
    """Of facts that the message stated in two ways, the value that does not count."""
    read_by: str = ""
    """Name of the language model that read the message, if one did."""


class Known(NamedTuple):
    """What is remembered of a thread."""

    kind: str
    facts: Facts
    card_ts: str
    origins: Mapping[str, Origin] = {}
    """Who set each fact last; also of facts that were made unknown."""
    skipped: frozenset[str] = frozenset()
    """Facts that are not to be asked here: somebody skipped the question or said that the answer is not known."""

    @property
    def beaten(self) -> dict[str, Value]:
        """What was stated of a fact before the same message said something else."""
        return {name: each.beaten for name, each in self.origins.items() if each.beaten is not None}

    @property
    def read_by(self) -> str:
        """Name of the language model that read what is known here, the latest; empty where none did."""
        read = [each for each in self.origins.values() if each.read_by]
        return max(read, key=lambda each: each.at).read_by if read else ""


class Conversations:
    """The threads of one installation; each method is one short transaction."""

    def __init__(self, engine: Engine) -> None:
        """Take the database."""
        self._engine = engine

    def find(self, thread: Thread) -> Known | None:
        """Return what is remembered, or None where we do not take part."""
        # Reading takes no write lock: on SQLite the engine would otherwise queue it behind every writer.
        with Session(self._engine.execution_options(reading=True)) as session:
            row = session.get(Conversation, thread)
            return None if row is None else _known(row)

    def join(self, thread: Thread, kind: str, now: datetime) -> None:
        """Take part in a thread from now on; a thread that we are in already keeps its kind unless advice begins."""
        with self._locked(thread, kind, now) as row:
            row.kind = kind if kind == "advice" else row.kind

    def tell(self, thread: Thread, told: Told, now: datetime) -> Known:
        """Change facts of a thread, alone among all processes, so that the last word counts; a new thread is joined.

        A fact that is made unknown is not asked again; one that gets a value may be. Raises UnknownFact, and changes
        nothing, for a name or value that does not exist.
        """
        with self._locked(thread, "advice", now) as row:
            row.facts, row.kind = json.dumps(known(changed(_facts(row), told.changes))), "advice"
            row.origins = json.dumps(json.loads(row.origins) | _origins(told, now))
            unknown = {name for name, value in told.changes.items() if value is None}
            row.skipped = _names(set(json.loads(row.skipped)) - set(told.changes) | unknown)
            return _known(row)

    def skip(self, thread: Thread, fact: str, now: datetime) -> Known:
        """Remember that a fact is not to be asked in a thread."""
        with self._locked(thread, "advice", now) as row:
            row.skipped = _names({*json.loads(row.skipped), fact})
            return _known(row)

    def show_card(self, thread: Thread, card_ts: str, now: datetime) -> None:
        """Remember which message is the thread's advice card."""
        with self._locked(thread, "advice", now) as row:
            row.card_ts = card_ts

    @contextmanager
    def _locked(self, thread: Thread, kind: str, now: datetime) -> Iterator[Conversation]:
        """Hand out a thread's row, new ones as `kind`, while nobody else may change it; an error changes nothing."""
        with Session(self._engine) as session:
            new = Conversation(**thread._asdict(), kind=kind, updated_at=now)
            add_if_absent(session.connection(), _rows, **new.model_dump())
            row = session.get_one(Conversation, thread, with_for_update=True)
            row.updated_at = now
            yield row
            session.commit()


def _known(row: Conversation) -> Known:
    origins = {
        name: Origin(by, read, _EPOCH + at * _SECOND, beaten, model)
        for name, (by, read, at, beaten, model) in json.loads(row.origins).items()
    }
    return Known(row.kind, _facts(row), row.card_ts, origins, frozenset(json.loads(row.skipped)))


def _facts(row: Conversation) -> Facts:
    return from_mapping(json.loads(row.facts))


def _origins(told: Told, now: datetime) -> dict[str, list[Value | None]]:
    at = (now - _EPOCH) // _SECOND
    return {name: [told.user_id, told.read, at, told.beaten.get(name), told.read_by] for name in told.changes}


def _names(names: Iterable[str]) -> str:
    return json.dumps(sorted(names))
