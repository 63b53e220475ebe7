"""How one more training row is drafted for a review, like a given one; it knows what the review's rows are for."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from knowledge.errors import UserError
from knowledge.models import ChatModel, Meter
from trainers.data.jsonl import Message, Row
from trainers.data.labels import label_of
from trainers.data.review_rows import GRID
from trainers.data.titles import at_word
from trainers.errors import RowRefused
from trainers.evals.generating.compose import compose_rows
from trainers.evals.generating.coverage import CASE, LABEL, Grid
from trainers.evals.generating.rows import Generated
from trainers.evals.generating.spec import ROWS, RowSpec
from trainers.evals.generating.table import most_rows
from trainers.evals.generating.written import write_rows
from trainers.tables import Review, ReviewRow

_KEPT = 60
"""Texts of a voice, and passages of documents, that a review remembers for `Another like this`."""


def review_spec(spec: RowSpec, grid: Grid) -> dict[str, Any]:
    """Return what a review of drafted rows has to know: what they are for, and what they are to cover."""
    covered = {name: list(values) for name, values in grid.dimensions.items()}
    kept = replace(spec, texts=spec.texts[:_KEPT], passages=spec.passages[:_KEPT])
    name = at_word(spec.plan.instruction, 60)
    return {"task": spec.task, "labels": list(spec.labels), "name": name, GRID: covered, ROWS: kept.to_json()}


def another_row(
    review: Review, row: ReviewRow, rows: Sequence[ReviewRow], *, model: ChatModel | None, meter: Meter | None
) -> Mapping[str, Any]:
    """Return one draft of the row's case that no row of the review asks; raises RowRefused if there is none."""
    spec = RowSpec.from_json(json.loads(review.spec)[ROWS])
    taken = [_row(place, each) for place, each in enumerate(rows, start=1)]
    case = row.kind.replace(" ", "_")
    label = _label(spec, row)
    grid = Grid({CASE: (case,), **({LABEL: (label,)} if label else {})})
    made = _made(spec, model, meter, count=1, seed=1000 + len(rows), grid=grid, avoid=taken)
    drafts = made.drafts if made else ()
    found = next((draft for draft in drafts if draft.cell[CASE] == case), None)
    found = found if found is None or not label or found.target == label else None
    if found is None:
        answered = f" answered {label!r}" if label else ""
        raise RowRefused(
            f"I have no further row of the kind {row.kind!r}{answered}.", "Write one yourself: Add my own."
        )
    return found.to_review()


def further_rows(
    review: Review, rows: Sequence[ReviewRow], count: int, *, model: ChatModel | None, meter: Meter | None
) -> list[Mapping[str, Any]]:
    """Return up to `count` drafts for a review's coverage that none of `rows` asks; raises RowRefused at none.

    Without a model recipes compose them, and there may be fewer.
    """
    told = json.loads(review.spec)
    spec = RowSpec.from_json(told[ROWS])
    grid = Grid({name: tuple(values) for name, values in told[GRID].items()})
    given: dict[str, Any] = {"count": min(count, most_rows()), "seed": 1000 + len(rows), "grid": grid}
    given["avoid"] = [_row(place, each) for place, each in enumerate(rows, start=1)]
    made = _made(spec, model, meter, **given)
    if made is None:
        raise RowRefused("I have no further rows for this task.", "Write some yourself: Add my own.")
    return [draft.to_review() for draft in made.drafts]


def _made(spec: RowSpec, model: ChatModel | None, meter: Meter | None, **wanted: Any) -> Generated | None:
    """Draft rows with the model, else by recipe; None where there is none for the task."""
    try:
        if model is not None and meter is not None:
            return write_rows(spec, model=model, meter=meter, **wanted)
        return compose_rows(spec, **wanted)
    except UserError:
        return None


def _label(spec: RowSpec, row: ReviewRow) -> str:
    """Return the declared label that a row is answered with; "" where it is none."""
    return label_of(json.loads(row.messages)[-1]["content"], spec.labels)


def _row(place: int, row: ReviewRow) -> Row:
    return Row(place, tuple(Message(turn["role"], turn["content"]) for turn in json.loads(row.messages)))
