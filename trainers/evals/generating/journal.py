"""Keeps what a language model has written, row by row, so that a stopped run goes on where it was and pays once.

A journal is a file of JSON lines: a head that names the spec, then rows and rejections as they come.
"""

import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from knowledge.errors import UserError
from trainers.data.jsonl import Message
from trainers.evals.generating.coverage import Grid
from trainers.evals.generating.rows import Rejected, TrainingDraft
from trainers.evals.generating.spec import RowSpec


@dataclass
class Journal:
    """What is done of one run; without a path it lasts as long as the process."""

    path: Path | None = None
    drafts: dict[int, TrainingDraft] = field(default_factory=dict)
    """By the place of the cell."""
    rejected: list[Rejected] = field(default_factory=list)
    subjects: dict[int, str] = field(default_factory=dict)
    pauses: int = 0
    """How often the model asked for patience since the last row."""

    def note(self, kind: str, **told: Any) -> None:
        """Write a line, whole, before going on."""
        if self.path is not None:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"is": kind, **told}, ensure_ascii=False) + "\n")

    def keep(self, place: int, draft: TrainingDraft) -> None:
        """Keep a row."""
        self.drafts[place], self.pauses = draft, 0
        self.note("row", place=place, **draft.to_json())

    def reject(self, why: str, text: str) -> None:
        """Keep what was thrown away, with the reason."""
        self.rejected.append(Rejected(why, text))
        self.note("rejected", why=why, text=text)

    def pause(self) -> None:
        """Keep that the model did not answer and will be asked again."""
        self.pauses += 1
        self.note("pause")


def open_journal(path: Path, spec: RowSpec, grid: Grid, count: int, seed: int) -> Journal:
    """Begin a journal, or go on with one of the same wish. Raises UserError for a journal of another wish."""
    digest = _digest(spec, grid, count, seed)
    journal = Journal(path)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        journal.note("wish", digest=digest)
        return journal
    lines = _lines(path)
    if not lines or lines[0].get("digest") != digest:
        raise UserError(f"{path.name} is of another wish.", "Give another name, or ask for the same as then.")
    for line in lines[1:]:
        _read(journal, line)
    return journal


def _lines(path: Path) -> list[dict[str, Any]]:
    """Return whole lines; one that a killed process left half is as if it never was."""
    found = []
    content = path.read_bytes()
    for line in content[: content.rfind(b"\n") + 1].splitlines():
        try:
            found.append(json.loads(line))
        except ValueError:
            continue
    with path.open("r+b") as file:
        file.truncate(content.rfind(b"\n") + 1)
    return found


def _read(journal: Journal, line: dict[str, Any]) -> None:
    match line.get("is"):
        case "row":
            turns = tuple(Message(turn["role"], turn["content"]) for turn in line["messages"])
            journal.drafts[int(line["place"])] = TrainingDraft(turns, line["cell"], line["why"], line["provenance"])
            journal.pauses = 0
        case "pause":
            journal.pauses += 1
        case "rejected":
            journal.rejected.append(Rejected(line["why"], line["text"]))
        case "subject":
            journal.subjects[int(line["place"])] = str(line["about"])


def _digest(spec: RowSpec, grid: Grid, count: int, seed: int) -> str:
    wish = json.dumps([spec.to_json(), grid.text, count, seed], sort_keys=True)
    return hashlib.sha256(wish.encode()).hexdigest()
