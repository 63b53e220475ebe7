"""Knows how a review ends, once, in frozen files or a data set version; it does not know how they are shown.

Finishing claims the review (from then on no row changes), makes the files outside of any transaction, and settles. A
process that dies in between leaves a claimed review: whoever finishes next makes the same files from the same rows.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import update

from knowledge.tenancy import Person
from trainers import audit
from trainers.data import whole_files
from trainers.data.enough import TRAINABLE, few
from trainers.data.findings import plural
from trainers.data.review import Look, Outcome, Reviews, rows_of, touch
from trainers.data.review_report import report
from trainers.data.review_rows import asked, coverage, jsonl, turns_of
from trainers.data.review_writing import kept_together
from trainers.data.split import LEAST_TRAIN
from trainers.data.titles import at_word
from trainers.errors import DatasetRejected, RowRefused
from trainers.tables import Review, ReviewRow

_reviews = Review.__table__  # type: ignore[attr-defined]  # SQLModel adds it at class creation

POSTING = timedelta(minutes=2)
"""After this long an upload that nobody reported done is tried again."""


class Finished(NamedTuple):
    """Where what a review made lies, in the data folder."""

    rows: Path
    """JSONL of the kept rows, in OpenAI's chat format."""
    report: Path
    """Markdown: counts, what each row is for, who looked."""
    sha256: str
    """Of the rows' bytes."""


Check = Callable[[Review, Sequence[ReviewRow]], None]
"""Looks at the kept rows before a review ends; raises RowRefused where it must not end with these."""


def finish(
    reviews: Reviews, person: Person, review_id: str, now: datetime, check: Check = lambda review, kept: None
) -> Outcome:
    """End a review with the rows that were kept; only one call ever changes it, and all see the same result.

    Raises RowRefused where there is nothing to keep, two kept rows ask the same, or `check` refuses; DatasetRejected
    where the linter blocks rows for training. The review is open then.
    """
    look = _claim(reviews, person, review_id, check)
    if look.review.state != "finishing":
        return Outcome(False, "closed", look.review, None)
    with ExitStack() as failed:
        failed.callback(_reopen, reviews, person, look.review)
        made = _make(reviews, person, look, now)
        failed.pop_all()
    return _settle(reviews, person, look.review, made, now)


def finished(reviews: Reviews, review: Review) -> Finished:
    """Return the frozen files of a finished review. Raises RowRefused where they are gone or were changed since."""
    result = json.loads(review.result)
    home = reviews.datasets.folder
    files = Finished(home / result["rows"], home / result["report"], result["sha256"])
    if not whole_files.holds(files.rows, files.sha256):
        raise RowRefused("The rows of that review are gone or were changed.", "Review them again.")
    return files


def may_post(reviews: Reviews, review: Review, now: datetime) -> bool:
    """Say whether the caller is the one to upload the files of a finished review now; see `posted`."""
    idle = (_reviews.c.posting_at.is_(None)) | (_reviews.c.posting_at < now - POSTING)
    mine = (_reviews.c.id == review.id) & (_reviews.c.state == "finished") & (_reviews.c.posted == "") & idle
    with reviews.engine.begin() as connection:
        return bool(connection.execute(update(_reviews).where(mine).values(posting_at=now)).rowcount)


def posted(reviews: Reviews, review: Review, files: Sequence[str]) -> None:
    """Note Slack's ids of the uploaded files; with none, the upload failed and anybody may try again."""
    values: dict[str, Any] = {"posted": " ".join(files), "revision": _reviews.c.revision + 1}
    values |= {} if files else {"posting_at": None}
    with reviews.engine.begin() as connection:
        connection.execute(update(_reviews).where(_reviews.c.id == review.id).values(**values))


def _claim(reviews: Reviews, person: Person, review_id: str, check: Check) -> Look:
    with reviews.turn(person, review_id) as (connection, review):
        rows = rows_of(connection, review_id)
        if review.state == "open":
            kept = [row for row in rows if row.status == "kept"]
            _check(review, kept)
            check(review, kept)
            review = touch(connection, review, state="finishing", finished_by=person.user_id)
        return Look(review, rows)


def _check(review: Review, kept: Sequence[ReviewRow]) -> None:
    if not kept:
        raise RowRefused("No row is kept yet.", "Keep at least one, then finish.")
    if review.purpose == "train" and len(kept) < LEAST_TRAIN:
        short = f"{plural(len(kept), 'row')} {'is' if len(kept) == 1 else 'are'} kept, and a data set needs at least"
        more = plural(LEAST_TRAIN - len(kept), "row")
        next_step = f"Keep, draft or add {more} more, then Finish. To train: {few(len(kept))}"
        raise DatasetRejected(f"{short} {LEAST_TRAIN}.", next_step)
    if review.purpose == "test":
        questions: dict[str, int] = {}
        for row in kept:
            first = questions.setdefault(asked(turns_of(row)), row.place)
            if first != row.place:
                both = f"Rows {first} and {row.place} ask the same: the test would count one case twice."
                raise RowRefused(both, "Drop or edit one of them.")


def _make(reviews: Reviews, person: Person, look: Look, now: datetime) -> dict[str, Any]:
    """Write the files, named by their hash so that two who finish at once never write over each other."""
    kept = [row for row in look.rows if row.status == "kept"]
    content = jsonl(kept)
    sha256 = hashlib.sha256(content).hexdigest()
    home = reviews.datasets.folder / "reviews" / look.review.id / sha256[:12]
    rows, told = home / "rows.jsonl", home / "report.md"
    whole_files.write(rows, content)
    with reviews.engine.execution_options(reading=True).connect() as connection:
        together = kept_together(connection, look.review.id)
    whole_files.write(told, report(look.review, look.rows, sha256, now, together).encode())
    counts = coverage(look.rows)
    made: dict[str, Any] = {
        "kept": counts.kept,
        "dropped": counts.dropped,
        "left": counts.left,
        "sha256": sha256,
        "rows": str(rows.relative_to(reviews.datasets.folder)),
        "report": str(told.relative_to(reviews.datasets.folder)),
    }
    return made | (_version(reviews, person, look, rows, now) if look.review.purpose == "train" else {})


def _version(reviews: Reviews, person: Person, look: Look, rows: Path, now: datetime) -> dict[str, Any]:
    """Make the rows a version of the team's data set; the same rows give the same version."""
    who = Counter(row.changed_by for row in look.rows if row.status == "kept")
    reviewers = ", ".join(name for name, _ in who.most_common())
    sources = ", ".join(sorted({row.provenance for row in look.rows if row.status == "kept"} - {""}))
    provenance = f"reviewed in Slack by {reviewers} (review {look.review.id}); rows from: {sources or 'unknown'}"
    name = at_word(str(look.spec.get("name") or look.review.title), 60).removesuffix("…")
    given: dict[str, Any] = {"name": name, "person": person, "provenance": provenance, "now": now}
    added = reviews.datasets.add(rows, None, divide=sum(who.values()) >= TRAINABLE, **given)
    return {"dataset_id": added.dataset.id, "name": added.dataset.name, "version": added.dataset.version}


def _settle(reviews: Reviews, person: Person, claimed: Review, made: Mapping[str, Any], now: datetime) -> Outcome:
    with reviews.turn(person, claimed.id) as (connection, review):
        if review.state != "finishing" or review.revision != claimed.revision:
            return Outcome(False, "closed" if review.state != "open" else "stale", review, None)
        told = {name: made[name] for name in ("kept", "dropped", "left", "sha256")}
        audit.write(connection, person.workspace_id, claimed.finished_by, "finished review", claimed.id, now, **told)
        values = {"state": "finished", "finished_at": now, "dataset_id": made.get("dataset_id", "")}
        ended = touch(connection, review, **values, result=json.dumps(dict(made), ensure_ascii=False))
        return Outcome(True, "", ended, None, made["kept"])


def _reopen(reviews: Reviews, person: Person, claimed: Review) -> None:
    with reviews.turn(person, claimed.id) as (connection, review):
        if review.state == "finishing" and review.revision == claimed.revision:
            touch(connection, review, state="open", finished_by="")
