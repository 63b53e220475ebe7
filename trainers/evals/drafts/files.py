"""How drafts lie in files: rows as JSONL that the linter reads, and beside it what each is there for."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from knowledge.errors import UserError
from trainers.evals.drafts.base import Draft


def write_drafts(path: Path, drafts: Sequence[Draft], *, plan_digest: str = "") -> Path:
    """Write rows to `path` and notes beside it; return the path of the notes. Raises UserError where one exists.

    A row without a certain target has an empty last turn, which the linter refuses: nobody trains or tests on it.
    """
    notes = notes_path(path)
    for file in (path, notes):
        if file.exists():
            raise UserError(f"There is a file at {file} already.", "Give another name, or move it away first.")
    try:
        path.write_text("".join(f"{draft.row()}\n" for draft in drafts), "utf-8")
        notes.write_text(_notes(drafts, plan_digest), "utf-8")
    except OSError as error:
        raise UserError(f"I can't write {path}: {error.strerror}.", "Check the folder and try again.") from error
    return notes


def notes_path(path: Path) -> Path:
    """Return where the notes of a file of rows lie."""
    return path.with_name(f"{path.name}.notes.json")


def read_notes(path: Path) -> Mapping[str, Mapping[str, Any]]:
    """Return the notes of a file of rows by `input_key`, so that they outlive sorting and deleting; empty if none."""
    notes = notes_path(path)
    if not notes.is_file():
        return {}
    try:
        told = json.loads(notes.read_text("utf-8"))
        return {str(row["input"]): row for row in told["rows"]}
    except (ValueError, KeyError, TypeError) as error:
        raise UserError(f"{notes.name} is damaged.", "Draft the rows again, or remove that file.") from error


def input_key(text: str) -> str:
    """Return the key of a row's note: a hash of what it asks, in hex."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _notes(drafts: Sequence[Draft], plan_digest: str) -> str:
    rows = [
        {
            "line": line,
            "input": input_key(draft.input),
            "kind": draft.kind,
            "reveals": draft.reveals,
            "target": "given" if draft.target else "to be written by a person",
            "suggestion": draft.suggestion,
            "provenance": draft.provenance,
        }
        for line, draft in enumerate(drafts, start=1)
    ]
    return json.dumps({"plan": plan_digest, "draft": True, "rows": rows}, ensure_ascii=False, indent=1) + "\n"
