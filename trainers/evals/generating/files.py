"""Writes drafted rows as files: rows, report, what was thrown away, and all of it as one document; it drafts none."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from trainers.evals.generating.coverage import Grid, counted
from trainers.evals.generating.report import report
from trainers.evals.generating.rows import RECIPES, Generated, Rejected, TrainingDraft
from trainers.evals.generating.spec import RowSpec


def write_files(made: Generated, spec: RowSpec, grid: Grid, rows: Path, beside: str = "") -> list[str]:
    """Write the rows to `rows`, and report and rejections beside; returns the paths, the rows' first.

    `beside` is what their names begin with; without it that is the rows' own name. Raises OSError.
    """
    stem = beside or rows.name
    fresh = rows.with_name(f".{rows.name}.new")  # half a file under the wanted name would be taken for all rows
    fresh.write_text(rows_text(made), "utf-8")
    fresh.replace(rows)
    told = rows.with_name(f"{stem}.report.md")
    told.write_text(report(made, spec, grid), "utf-8")
    if not made.rejected:
        return [str(rows), str(told)]
    thrown = rows.with_name(f"{stem}.rejected.jsonl")
    thrown.write_text("".join(json.dumps(each._asdict(), ensure_ascii=False) + "\n" for each in made.rejected), "utf-8")
    return [str(rows), str(told), str(thrown)]


def rows_text(made: Generated) -> str:
    """Return the rows as JSONL in OpenAI's chat format."""
    return "".join(f"{draft.row()}\n" for draft in made.drafts)


def document(made: Generated, grid: Grid) -> dict[str, Any]:
    """Return all that came of drafting as plain data."""
    return {
        "rows": [draft.to_json() for draft in made.drafts],
        "coverage": counted([draft.cell for draft in made.drafts], grid),
        "rejected": [each._asdict() for each in made.rejected],
        "notes": list(made.notes),
        "missing": {name: list(values) for name, values in made.missing.items()},
        "written_by": made.written_by,
        "from_recipes": made.from_recipes,
    }


def read_document(told: Mapping[str, Any]) -> Generated:
    """Read what `document` gave, whatever stands beside it."""
    return Generated(
        drafts=tuple(map(TrainingDraft.from_json, told["rows"])),
        rejected=tuple(Rejected(each["why"], each["text"]) for each in told["rejected"]),
        notes=tuple(told["notes"]),
        missing={name: tuple(values) for name, values in told.get("missing", {}).items()},
        writer="" if told["written_by"] == RECIPES else told["written_by"],
    )
