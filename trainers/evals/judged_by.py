"""Knows by which frozen plan a job is judged, and on which rows, as its quote says it; it makes and freezes no plan."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from knowledge.errors import UserError
from trainers.data import whole_files
from trainers.data.findings import plural
from trainers.data.jsonl import read_rows
from trainers.evals.frozen_rows import kept
from trainers.evals.plan_store import StoredPlan


@dataclass(frozen=True, kw_only=True)
class JudgedBy:
    """The plan of a quote. Approval binds to it with the rest of the quote."""

    name: str
    frozen_on: str
    """Day on which the plan was frozen, such as `12 Nov 2026`."""
    frozen_rows: int | None
    """Rows that were frozen; None where nobody knows, as they were not kept."""
    on_frozen_rows: bool
    """Whether the test rows are those that were frozen."""
    to_do: str = ""
    """How to be judged on the frozen rows; "" where that is so."""

    @property
    def sentence(self) -> str:
        """Say it to whoever approves."""
        if self.on_frozen_rows:
            return f"Judged by plan {self.name} (frozen {self.frozen_on}, {plural(self.frozen_rows or 0, 'row')})."
        those = "those" if self.frozen_rows is None else f"the {plural(self.frozen_rows, 'row')}"
        return (
            f"Judged by plan {self.name}, but not on its frozen rows: the test rows here are not {those} frozen on "
            f"{self.frozen_on}. Metric, target and guardrails are the plan's; the report will say that the rows are "
            f"not. {self.to_do}"
        )

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "JudgedBy":
        """Read it from a quote."""
        return cls(**data)


def judged_by(folder: Path, workspace_id: str, stored: StoredPlan, test: Path, *, training: bool) -> JudgedBy:
    """Compare a job's test rows with those of the plan that judges it; `training=False` is a model that exists."""
    ours = whole_files.holds(test, stored.plan.test_sha256)
    there = test if ours else kept(folder, workspace_id, stored.plan.test_sha256)
    return JudgedBy(
        name=stored.name,
        frozen_on=frozen_on(stored),
        frozen_rows=None if there is None else len(read_rows(there).rows),
        on_frozen_rows=ours,
        to_do="" if ours else _to_do(has_rows=there is not None, training=training),
    )


def frozen_test(folder: Path, workspace_id: str, stored: StoredPlan, own: Path | None = None) -> Path:
    """Return the rows that a plan was frozen with: `own` where it is these, else what was kept.

    Raises UserError where they are not at hand: plans that an older version froze have a hash alone.
    """
    if own is not None and whole_files.holds(own, stored.plan.test_sha256):
        return own
    found = kept(folder, workspace_id, stored.plan.test_sha256)
    if found is None:
        raise UserError(
            f"The test rows of the plan {stored.name!r} are not here: when it was frozen on {frozen_on(stored)}, only "
            "their hash was kept.",
            "Give the file that was frozen as test rows too, or other test rows; the quote then says which they are.",
        )
    return found


def frozen_on(stored: StoredPlan) -> str:
    """Write the day on which a plan was frozen: `12 Nov 2026`."""
    return f"{stored.frozen_at.day} {stored.frozen_at:%b %Y}" if stored.frozen_at else ""


def _to_do(*, has_rows: bool, training: bool) -> str:
    if training and has_rows:
        return "To test on the frozen rows, cancel and ask again with this plan and without test rows."
    return "To test on the frozen rows, cancel and ask again with their file as test rows."
