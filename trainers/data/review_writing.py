"""Knows how a review, its rows and their history are written in the caller's transaction; it knows no verbs."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, insert, select

from knowledge.tenancy import Person
from trainers import audit
from trainers.data.review_rows import Draft, read_draft
from trainers.errors import RowRefused
from trainers.tables import Review, ReviewChange, ReviewRow

_reviews = Review.__table__  # type: ignore[attr-defined]  # SQLModel adds it at class creation
_rows = ReviewRow.__table__  # type: ignore[attr-defined]  # the same
_changes = ReviewChange.__table__  # type: ignore[attr-defined]  # the same

WITH_THE_REST = "kept with the rest"
"""How the history names a row that was kept by one click on all that were left."""

MOST_ROWS = 500
"""Rows of one review: more than people look through one by one."""


def open_review(
    connection: Connection,
    drafts: Sequence[Mapping[str, Any]],
    *,
    review_id: str,
    purpose: Literal["test", "train"],
    title: str,
    spec: Mapping[str, Any],
    person: Person,
    channel: str,
    thread_ts: str,
    now: datetime,
    kept: int = 0,
) -> Review:
    """Keep drafts for review in the caller's transaction, the first `kept` as kept; raises as `Reviews.begin`."""
    read = [read_draft(draft) for draft in drafts]
    check_room(len(read))
    review = Review(
        id=review_id,
        workspace_id=person.workspace_id,
        purpose=purpose,
        title=title,
        spec=json.dumps(dict(spec), ensure_ascii=False),
        channel=channel,
        thread_ts=thread_ts,
        created_by=person.user_id,
        created_at=now,
        shown=min(kept, len(read) - 1) + 1,
    )
    connection.execute(insert(_reviews).values(**review.model_dump()))
    for place, draft in enumerate(read, start=1):
        status = "kept" if place <= kept and draft.answered else "draft"
        put(connection, review.id, place, draft, "drafted", person, now, status)
    told = {"rows": len(read), "purpose": purpose}
    audit.write(connection, person.workspace_id, person.user_id, "began review", review.id, now, **told)
    return review


def put(
    connection: Connection,
    review_id: str,
    place: int,
    draft: Draft,
    what: str,
    person: Person,
    now: datetime,
    status: str = "draft",
) -> ReviewRow:
    """Write a row and the first entry of its history."""
    who: dict[str, Any] = {"changed_by": person.user_id, "changed_at": now}
    row = ReviewRow(review_id=review_id, place=place, status=status, **draft.columns(), **who)
    connection.execute(insert(_rows).values(**row.model_dump()))
    note(connection, row, what, person, now)
    return row


def note(connection: Connection, row: ReviewRow, what: str, person: Person, now: datetime) -> None:
    """Write a row's newest version into its history."""
    kept = {name: getattr(row, name) for name in ("review_id", "place", "version", "messages", "kind", "why", "status")}
    connection.execute(insert(_changes).values(**kept, what=what, who=person.user_id, at=now))


def kept_together(connection: Connection, review_id: str) -> frozenset[tuple[int, int]]:
    """Return places and versions of rows that one click kept with all others, so that maybe nobody read them."""
    query = select(_changes.c.place, _changes.c.version)
    found = connection.execute(query.where(_changes.c.review_id == review_id, _changes.c.what == WITH_THE_REST))
    return frozenset((row.place, row.version) for row in found)


def check_room(rows: int) -> None:
    """Raise RowRefused for more rows than a review holds."""
    if rows > MOST_ROWS:
        raise RowRefused(f"A review holds at most {MOST_ROWS} rows.", "Finish this one and begin another.")
