"""How further test rows are drafted for a review, like a given one or as many as are missing; not who asks."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from knowledge.models import ChatModel, Meter
from trainers.data.jsonl import Message, Row
from trainers.data.likeness import canonical
from trainers.errors import RowRefused
from trainers.evals.drafts import draft
from trainers.evals.plans.body import EvalPlan
from trainers.tables import Review, ReviewRow

AT_ONCE = 60
"""Drafts by recipe among which one of the wanted kind is looked for."""

WRITTEN = 5
"""Drafts that a language model is asked for first, one of each kind: each costs a call or two."""


def more_rows(
    review: Review, rows: Sequence[ReviewRow], count: int, *, model: ChatModel | None, meter: Meter | None
) -> list[Mapping[str, Any]]:
    """Return up to `count` further drafts that no row of the review asks; raises RowRefused if there are none."""
    taken = [_row(place, each) for place, each in enumerate(rows, start=1)]
    made = draft(_plan(review), count=count, seed=1000 + len(rows), avoid=taken, model=model, meter=meter)
    if not made.drafts:
        raise RowRefused("I have no further rows for this task.", "Write some yourself: Add my own.")
    return [one.to_review() for one in made.drafts]


def another_like(
    review: Review, row: ReviewRow, rows: Sequence[ReviewRow], *, model: ChatModel | None, meter: Meter | None
) -> Mapping[str, Any]:
    """Return one draft of the row's kind that no row of the review asks already; raises RowRefused if there is none."""
    plan = _plan(review)
    taken = [_row(place, each) for place, each in enumerate(rows, start=1)]
    asked = {canonical(each.prompt) for each in taken}
    for count, writer in ((WRITTEN, model), (AT_ONCE, None)):
        made = draft(plan, count=count, seed=1000 + len(rows), avoid=taken, model=writer, meter=meter)
        for one in made.drafts:
            if one.kind.replace("_", " ") == row.kind and canonical(one.input) not in asked:
                return one.to_review()
    raise RowRefused(f"I have no further row of the kind {row.kind!r}.", "Write one yourself: Add my own.")


def _plan(review: Review) -> EvalPlan:
    plan = json.loads(review.spec).get("plan")
    if plan is None:
        raise RowRefused("Nothing is known of what these rows are for.", "Write the row yourself: Add my own.")
    return EvalPlan.from_json(plan)


def _row(place: int, row: ReviewRow) -> Row:
    return Row(place, tuple(Message(turn["role"], turn["content"]) for turn in json.loads(row.messages)))
