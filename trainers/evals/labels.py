"""Knows which pairs people are asked to label, blind, and what they chose; it does not know how they are asked.

Everybody sees the same random rows in the same order, so that people can be compared; which answer stands left is
another draw for each person and row. All draws are made from ids, so that nothing of them has to be kept.
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from random import Random
from typing import NamedTuple

from sqlalchemy import Engine, select

from knowledge.errors import UserError
from knowledge.rows import add_if_absent
from knowledge.tenancy import Person
from trainers.data.jsonl import read_rows
from trainers.evals.judges.agreement import Label
from trainers.evals.judges.pairwise import Judged, Side
from trainers.evals.predictions import RIVAL, TUNED, read_outputs
from trainers.tables import HumanLabel, Job

MOST = 30
"""Rows in a sample: enough for a first kappa, few enough for a coffee break."""

_labels = HumanLabel.__table__  # type: ignore[attr-defined]  # SQLModel adds it at class creation


class Choice(NamedTuple):
    """One row of a sample, before anybody says which answer is whose."""

    row: int
    """The row's line in its test file."""
    system: str
    asked: str
    base: str
    tuned: str


def sample(job_id: str, predictions: Path, test: Path, most: int = MOST) -> list[Choice]:
    """Draw rows to which base and tuned gave different answers; the same ones in the same order for every person.

    Raises UserError where no two answers differ, ServiceError where the answers are gone or belong to other rows.
    """
    rows = read_rows(test).rows
    said = read_outputs(predictions, rows)
    base, tuned = said[RIVAL], said[TUNED]
    choices = [
        Choice(row.line, row.system, row.prompt, base[row.line], tuned[row.line])
        for row in rows
        if row.line in base and row.line in tuned and base[row.line].strip() != tuned[row.line].strip()
    ]
    if not choices:
        raise UserError("Both models give the same answer to every row.", "There is nothing to compare.")
    return Random(f"sample {job_id}").sample(choices, min(most, len(choices)))  # noqa: S311  # a draw, no secret


def tuned_is_left(job_id: str, row: int, person: str) -> bool:
    """Say whether this person sees the tuned model's answer as Answer A on this row."""
    return Random(f"side {job_id} {row} {person}").random() < 0.5  # noqa: S311  # a draw, no secret


def resolved(job_id: str, row: int, person: str, place: str) -> Side:
    """Return whose answer stood at `a` or `b`; `tie` stays a tie. Raises UserError for any other place."""
    if place == "tie":
        return "tie"
    if place not in ("a", "b"):
        raise UserError("That button is of another version.", "Close this and begin again.")
    return "tuned" if tuned_is_left(job_id, row, person) == (place == "a") else "base"


def add(engine: Engine, job: Job, row: int, person: Person, choice: Side, now: datetime) -> bool:
    """Keep what a person chose; False where they had chosen before, which then stays."""
    values = {"workspace_id": job.workspace_id, "job_id": job.id, "row": row, "person": person.user_id}
    with engine.begin() as connection:
        return add_if_absent(connection, _labels, **values, choice=choice, at=now)


def labels_of(engine: Engine, workspace_id: str, job_id: str) -> list[Label]:
    """Return everything that people chose on a job, in the order of rows and people."""
    query = select(_labels.c.row, _labels.c.person, _labels.c.choice)
    query = query.where(_labels.c.workspace_id == workspace_id, _labels.c.job_id == job_id)
    with engine.execution_options(reading=True).connect() as connection:
        return [Label(*found) for found in connection.execute(query.order_by(_labels.c.row, _labels.c.person))]


def write_judged(path: Path, rows: Sequence[Judged]) -> None:
    """Leave a judge's verdicts by row for whoever compares them with people's labels later."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({str(row.row): row.verdict for row in rows if row.verdict}))


def read_judged(path: Path) -> Mapping[int, Side]:
    """Read a judge's verdicts by row; nothing where there was no judge or the file is damaged."""
    try:
        found = json.loads(path.read_bytes())
        return {int(row): verdict for row, verdict in found.items() if verdict in ("base", "tuned", "tie")}
    except (OSError, ValueError, AttributeError):
        return {}
