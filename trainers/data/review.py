"""Knows the reviews of drafted rows and every change of one; it does not draft rows or know what a card looks like.

A verb names the version of the row that its person saw. Where the row has changed since, nothing is overwritten: the
verb says who was first, and the text of an edit that came too late stays in the row's history with all others.
"""

import json
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple

from sqlalchemy import Connection, Engine, Select, select, update

from knowledge.tenancy import Person
from trainers import audit
from trainers.data.jsonl import Message
from trainers.data.likeness import canonical
from trainers.data.review_rows import TEMPLATE, Draft, asked, check, is_template, read_draft, turns_of, twin, written
from trainers.data.review_writing import WITH_THE_REST, check_room, note, open_review, put
from trainers.data.store import Datasets
from trainers.errors import ReviewNotFound, RowRefused
from trainers.tables import Review, ReviewChange, ReviewRow

_reviews = Review.__table__  # type: ignore[attr-defined]  # SQLModel adds it at class creation
_rows = ReviewRow.__table__  # type: ignore[attr-defined]  # the same
_changes = ReviewChange.__table__  # type: ignore[attr-defined]  # the same

LATE = "too late"
"""What a change is called that was written on an older version: kept, but not the row's text."""

REWRITTEN = "it was written in the review, in place of a template."
"""Why a row helps that was a template."""

REANSWERED = "its answer was edited in the review."
"""Why a row helps whose drafted reason was for another answer: nobody has said it anew."""

Maker = Callable[[Review, ReviewRow, Sequence[ReviewRow]], Mapping[str, Any]]
"""Drafts one more row like a given one, for a review and all its rows; gives what `read_draft` takes."""


class Key(NamedTuple):
    """A row as somebody saw it."""

    review_id: str
    place: int
    version: int


class Look(NamedTuple):
    """A review as it is now."""

    review: Review
    rows: Sequence[ReviewRow]
    """By place, from 1."""

    @property
    def shown(self) -> ReviewRow | None:
        """The row that the card shows; None where there are no rows."""
        return next((row for row in self.rows if row.place == self.review.shown), self.rows[0] if self.rows else None)

    def row(self, place: int) -> ReviewRow:
        """Return a row by place; raises ReviewNotFound where there is none."""
        found = next((row for row in self.rows if row.place == place), None)
        if found is None:
            raise ReviewNotFound("There is no such row in this review.", "Look at the card again.")
        return found

    @property
    def spec(self) -> dict[str, Any]:
        """What the rows are for."""
        return dict(json.loads(self.review.spec))


class Outcome(NamedTuple):
    """What came of a verb."""

    changed: bool
    why: Literal["", "same", "stale", "closed"]
    """Why nothing changed: it was so already, somebody changed the row first, or the review is over."""
    review: Review
    row: ReviewRow | None
    """The row as it is now."""
    changes: int = 0
    """Rows that were changed, for verbs on several."""


@dataclass(frozen=True, kw_only=True)
class Reviews:
    """The reviews of one installation; each verb is one short transaction. All raise ReviewNotFound."""

    engine: Engine
    datasets: Datasets
    """Where rows for training become a version; files of a review lie in the same data folder."""

    def begin(
        self,
        drafts: Sequence[Mapping[str, Any]],
        *,
        purpose: Literal["test", "train"],
        title: str,
        spec: Mapping[str, Any],
        person: Person,
        channel: str,
        thread_ts: str,
        now: datetime,
        kept: int = 0,
        review_id: str = "",
    ) -> Review:
        """Keep drafts for review. Raises RowRefused where one is no row or they are too many.

        The first `kept` were kept in an earlier review. `review_id` is one chosen elsewhere: the database refuses a
        second review of that id.
        """
        where = {"channel": channel, "thread_ts": thread_ts}
        with self.engine.begin() as connection:
            return open_review(
                connection,
                drafts,
                review_id=review_id or f"rev_{uuid.uuid4().hex[:12]}",
                purpose=purpose,
                title=title,
                spec=spec,
                person=person,
                now=now,
                kept=kept,
                **where,
            )

    def at_card(self, review_id: str, card_ts: str) -> None:
        """Remember which message is the review's card."""
        with self.engine.begin() as connection:
            connection.execute(update(_reviews).where(_reviews.c.id == review_id).values(card_ts=card_ts))

    def look(self, person: Person, review_id: str) -> Look:
        """Return a review with its rows."""
        with self.engine.execution_options(reading=True).connect() as connection:
            review = _found(connection, _of(person, review_id))
            return Look(review, rows_of(connection, review_id))

    def newest_in(self, person: Person, channel: str, thread_ts: str) -> Review | None:
        """Return the newest review of training rows in a thread that nobody discarded, or None."""
        here = (_reviews.c.thread_ts == thread_ts) | (_reviews.c.card_ts == thread_ts)
        mine = (_reviews.c.workspace_id == person.workspace_id) & (_reviews.c.channel == channel) & here
        query = select(_reviews).where(mine, _reviews.c.purpose == "train", _reviews.c.state != "discarded")
        with self.engine.execution_options(reading=True).connect() as connection:
            found = connection.execute(query.order_by(_reviews.c.created_at.desc()).limit(1)).mappings().one_or_none()
            return None if found is None else Review(**found)

    def history(self, person: Person, review_id: str, place: int) -> Sequence[ReviewChange]:
        """Return every version of a row and every edit that came too late, the oldest first."""
        query = select(_changes).where(_changes.c.review_id == review_id, _changes.c.place == place)
        with self.engine.execution_options(reading=True).connect() as connection:
            _found(connection, _of(person, review_id))
            return [ReviewChange(**row) for row in connection.execute(query.order_by(_changes.c.id)).mappings()]

    def show(self, person: Person, review_id: str, place: int) -> Outcome:
        """Let the card show another row."""
        with self.turn(person, review_id) as (connection, review):
            there = place in {row.place for row in rows_of(connection, review_id)}
            if review.state != "open" or not there or review.shown == place:
                return Outcome(False, "same" if review.state == "open" else "closed", review, None)
            return Outcome(True, "", touch(connection, review, shown=place), None)

    def keep(self, person: Person, key: Key, now: datetime) -> Outcome:
        """Keep a row. Raises RowRefused where nobody has said what the right answer is."""

        def kept(row: ReviewRow) -> dict[str, Any]:
            if not row.answered:
                raise RowRefused("Say what the right answer is first.", "Use Edit, then the row is kept.")
            return {"status": "kept"}

        return self._change(person, key, "kept", kept, now)

    def drop(self, person: Person, key: Key, now: datetime) -> Outcome:
        """Leave a row out; it can be taken back."""
        return self._change(person, key, "dropped", lambda _: {"status": "dropped"}, now)

    def edit(self, person: Person, key: Key, draft: Draft, now: datetime) -> Outcome:
        """Give a row other words. Whoever edits a row wants it: it is kept, unless its answer is still empty.

        A reason that was written for another answer does not stay. Raises RowRefused where it would be no row, or would
        ask what another row asks.
        """
        check(draft.messages)

        def edited(row: ReviewRow) -> dict[str, Any]:
            told = {**draft.columns(), "provenance": row.provenance, "cell": row.cell}
            told |= {"why": REANSWERED} if _reanswered(row, draft) else {}
            told |= {"why": _reason(row, draft)} if is_template(row) else {}
            return told | {"status": "kept" if draft.answered else "draft"}

        return self._change(person, key, "edited", edited, now, late=draft)

    def undo(self, person: Person, key: Key, now: datetime) -> Outcome:
        """Take the newest change of a row back; doing it again brings the change back."""
        with self.engine.execution_options(reading=True).connect() as connection:
            query = select(_changes).where(
                _changes.c.review_id == key.review_id, _changes.c.place == key.place, _changes.c.what != LATE
            )
            past = connection.execute(query.where(_changes.c.version == key.version - 1)).mappings().one_or_none()

        def before(row: ReviewRow) -> dict[str, Any]:
            if past is None:
                return {"status": row.status}
            told = {name: past[name] for name in ("messages", "kind", "why", "status")}
            return {**told, "answered": bool(json.loads(past["messages"])[-1]["content"].strip())}

        return self._change(person, key, "undid", before, now)

    def keep_rest(self, person: Person, review_id: str, now: datetime) -> Outcome:
        """Keep every row that nobody has decided about and that has an answer."""
        with self.turn(person, review_id) as (connection, review):
            if review.state != "open":
                return Outcome(False, "closed", review, None)
            rest = (_rows.c.review_id == review_id) & (_rows.c.status == "draft") & _rows.c.answered
            new = {"status": "kept", "version": _rows.c.version + 1, "changed_by": person.user_id, "changed_at": now}
            kept = connection.execute(update(_rows).where(rest).values(**new).returning(_rows)).mappings().all()
            for row in kept:
                note(connection, ReviewRow(**row), WITH_THE_REST, person, now)
            if not kept:
                return Outcome(False, "same", review, None)
            return Outcome(True, "", touch(connection, review), None, len(kept))

    def add(self, person: Person, review_id: str, draft: Draft, now: datetime, *, keep: bool = True) -> Outcome:
        """Add a row at the end and show it; with `keep`, one that has an answer is kept at once.

        Raises RowRefused where it is no row or another row asks the same.
        """
        check(draft.messages)
        with self.turn(person, review_id) as (connection, review):
            rows = rows_of(connection, review_id)
            if review.state != "open":
                return Outcome(False, "closed", review, None)
            check_room(len(rows) + 1)
            _check_new(rows, draft.messages)
            place = max((row.place for row in rows), default=0) + 1
            status = "kept" if keep and draft.answered else "draft"
            row = put(connection, review_id, place, draft, "added", person, now, status)
            return Outcome(True, "", touch(connection, review, shown=place), row, 1)

    def extend(self, person: Person, review_id: str, drafts: Sequence[Mapping[str, Any]], now: datetime) -> Outcome:
        """Add drafts that nobody has decided about and show the first; those that another row asks are left out.

        Raises RowRefused where one is no row or they are too many.
        """
        read = [read_draft(draft) for draft in drafts]
        with self.turn(person, review_id) as (connection, review):
            rows = rows_of(connection, review_id)
            if review.state != "open":
                return Outcome(False, "closed", review, None)
            new = [draft for draft in read if twin(rows, draft.messages) is None]
            check_room(len(rows) + len(new))
            first = max((row.place for row in rows), default=0) + 1
            for place, draft in enumerate(new, start=first):
                put(connection, review_id, place, draft, "drafted", person, now)
            if not new:
                return Outcome(False, "same", review, None)
            return Outcome(True, "", touch(connection, review, shown=first), None, len(new))

    def another_like(self, person: Person, key: Key, make: Maker, now: datetime) -> Outcome:
        """Add a draft like a row; raises RowRefused where there is no room or none to be had.

        `make` is called outside of any transaction: it may ask a language model.
        """
        look = self.look(person, key.review_id)
        model = next((row for row in look.rows if row.place == key.place), None)
        if look.review.state != "open" or model is None:
            return Outcome(False, "closed", look.review, model)
        check_room(len(look.rows) + 1)  # before anything is asked
        draft = read_draft(make(look.review, model, look.rows))
        return self.add(person, key.review_id, draft, now, keep=False)

    def discard(self, person: Person, review_id: str, now: datetime) -> Outcome:
        """End a review that nobody wants to finish; its rows stay where they are."""
        with self.turn(person, review_id) as (connection, review):
            if review.state != "open":
                return Outcome(False, "closed", review, None)
            ended = {"state": "discarded", "finished_by": person.user_id, "finished_at": now}
            audit.write(connection, person.workspace_id, person.user_id, "discarded review", review_id, now)
            return Outcome(True, "", touch(connection, review, **ended), None)

    @contextmanager
    def turn(self, person: Person, review_id: str) -> Iterator[tuple[Connection, Review]]:
        """Hand out a review in a transaction in which nobody else changes it or its rows."""
        with self.engine.begin() as connection:
            yield connection, _found(connection, _of(person, review_id).with_for_update())

    def _change(
        self,
        person: Person,
        key: Key,
        what: str,
        change: Callable[[ReviewRow], dict[str, Any]],
        now: datetime,
        late: Draft | None = None,
    ) -> Outcome:
        with self.turn(person, key.review_id) as (connection, review):
            rows = rows_of(connection, key.review_id)
            row = next((each for each in rows if each.place == key.place), None)
            if row is None:
                raise ReviewNotFound("There is no such row in this review.", "Look at the card again.")
            fresh = review.state == "open" and row.version == key.version
            new = change(row) if fresh else {}
            if fresh and all(getattr(row, name) == value for name, value in new.items()):
                return Outcome(False, "same", review, row)
            if fresh and late is not None and asked(late.messages) != asked(turns_of(row)):
                _check_new([each for each in rows if each.place != key.place], late.messages)
            guard = (_rows.c.review_id == key.review_id) & (_rows.c.place == key.place)
            told = {**new, "version": key.version + 1, "changed_by": person.user_id, "changed_at": now}
            done = update(_rows).where(guard, _rows.c.version == key.version).values(**told).returning(_rows)
            made = connection.execute(done).mappings().one_or_none() if fresh else None
            if made is None:
                _keep_late(connection, row, key.version, late, person, now)
                return Outcome(False, "closed" if review.state != "open" else "stale", review, row)
            changed = ReviewRow(**made)
            note(connection, changed, what, person, now)
            shown = _next(rows, key.place) if what in ("kept", "dropped") else key.place
            return Outcome(True, "", touch(connection, review, shown=shown), changed, 1)


def rows_of(connection: Connection, review_id: str) -> list[ReviewRow]:
    """Return a review's rows by place."""
    query = select(_rows).where(_rows.c.review_id == review_id).order_by(_rows.c.place)
    return [ReviewRow(**row) for row in connection.execute(query).mappings()]


def _reason(row: ReviewRow, draft: Draft) -> str:
    """Return why a former template helps: it stays one until somebody gives it other words."""
    if _rewritten(row, draft):
        return REWRITTEN if draft.why.startswith(TEMPLATE) else draft.why
    return draft.why if draft.why.startswith(TEMPLATE) else f"{TEMPLATE}: {draft.why}"


def _rewritten(row: ReviewRow, draft: Draft) -> bool:
    """Say whether somebody gave what a template asks words of their own."""
    before, now = ([canonical(turn.content) for turn in turns[:-1]] for turns in (turns_of(row), draft.messages))
    return before != now


def _reanswered(row: ReviewRow, draft: Draft) -> bool:
    """Say whether an edit gives another answer and leaves the reason of the former one."""
    before, now = turns_of(row)[-1].content, draft.messages[-1].content
    return row.answered and canonical(before) != canonical(now) and bool(row.why) and draft.why == row.why


def _of(person: Person, review_id: str) -> Select[Any]:
    return select(_reviews).where(_reviews.c.id == review_id, _reviews.c.workspace_id == person.workspace_id)


def _found(connection: Connection, query: Select[Any]) -> Review:
    row = connection.execute(query).mappings().one_or_none()
    if row is None:
        raise ReviewNotFound("There is no such review in this workspace.", "Begin a new one.")
    return Review(**row)


def touch(connection: Connection, review: Review, **values: Any) -> Review:
    """Count a change of a review whose turn it is, and change what is given; returns it as it is then."""
    new = {**values, "revision": review.revision + 1}
    connection.execute(update(_reviews).where(_reviews.c.id == review.id).values(**new))
    return review.model_copy(update=new)


def _keep_late(
    connection: Connection, row: ReviewRow, version: int, late: Draft | None, person: Person, now: datetime
) -> None:
    """Keep the text of an edit that came too late, unless the row says the same."""
    if late is not None and written(late.messages) != row.messages:
        text = {"messages": written(late.messages), "kind": late.kind, "why": late.why, "version": version}
        note(connection, row.model_copy(update=text), LATE, person, now)


def _next(rows: Sequence[ReviewRow], place: int) -> int:
    """Return the next row that waits for a decision, from the beginning again after the last; else the next row."""
    after = [row for row in rows if row.place > place] + [row for row in rows if row.place < place]
    waiting = next((row.place for row in after if row.status == "draft"), None)
    return waiting or (after[0].place if after else place)


def _check_new(rows: Sequence[ReviewRow], messages: Sequence[Message]) -> None:
    """Refuse what another row asks already: counted twice, one case would weigh double."""
    other = twin(rows, messages)
    if other is not None:
        raise RowRefused(f"Row {other} asks the same.", "Ask something else, or edit that row.")
