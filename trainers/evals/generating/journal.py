"""Keeps what a language model has written, row by row, so that a stopped run goes on where it was and pays once.

A journal is a file of JSON lines: a head that names the spec, then what is asked, written, thrown away and given up, as
it comes. It knows neither how rows are written nor what they cost.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from knowledge.errors import UserError
from trainers.data.jsonl import Row
from trainers.evals.generating.coverage import Grid
from trainers.evals.generating.rows import Generated, Rejected, TrainingDraft
from trainers.evals.generating.spec import RowSpec


class Written(NamedTuple):
    """What the model wrote for a row that nobody has judged yet."""

    sent: str
    reply: str
    why: str


@dataclass
class Journal:
    """What is done of one run; without a path it lasts as long as the process."""

    path: Path | None = None
    drafts: dict[int, TrainingDraft] = field(default_factory=dict)
    """By the place of the cell."""
    rejected: list[Rejected] = field(default_factory=list)
    subjects: dict[int, str] = field(default_factory=dict)
    """What rows are to be about; "" where the model was asked and named nothing."""
    written: dict[int, Written] = field(default_factory=dict)
    """Answers that are paid for and wait for their judge."""
    tries: Counter[int] = field(default_factory=Counter)
    """Rows thrown away, by the place of the cell."""
    given_up: set[int] = field(default_factory=set)
    failed: int = 0
    """Answers thrown away one after the other."""
    pauses: Counter[int] = field(default_factory=Counter)
    """How often the model asked for patience since the last row, by the life of the job."""

    @property
    def decided(self) -> int:
        """How many cells are not asked about again."""
        return len(self.drafts) + len(self.given_up)

    def so_far(self, writer: str) -> Generated:
        """Return what is there of an unfinished run."""
        drafts = tuple(self.drafts[place] for place in sorted(self.drafts))
        return Generated(drafts=drafts, rejected=tuple(self.rejected), writer=writer)

    def is_decided(self, place: int) -> bool:
        """Say whether a cell has its row or was given up."""
        return place in self.drafts or place in self.given_up

    def note(self, kind: str, **told: Any) -> None:
        """Write a line, whole, before going on."""
        if self.path is not None:
            with self.path.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"is": kind, **told}, ensure_ascii=False) + "\n")

    def plan(self, place: int, about: str) -> None:
        """Keep what a row is to be about, "" where the model named nothing: it is not asked twice."""
        self._apply("subject", place=place, about=about)

    def wrote(self, place: int, row: Written) -> None:
        """Keep a row that the model wrote, before it is judged: it is paid for."""
        self._apply("written", place=place, **row._asdict())

    def keep(self, place: int, draft: TrainingDraft) -> None:
        """Keep a row."""
        self._apply("row", place=place, **draft.to_json())

    def reject(self, why: str, text: str, place: int | None = None) -> None:
        """Keep what was thrown away, with the reason; without a place it was about many rows."""
        self._apply("rejected", place=place, why=why, text=text)

    def give_up(self, place: int) -> None:
        """Keep that a cell gets no row."""
        self._apply("gave_up", place=place)

    def pause(self, life: int) -> None:
        """Keep that the model did not answer and will be asked again."""
        self._apply("pause", life=life)

    def _apply(self, kind: str, **told: Any) -> None:
        self.note(kind, **told)
        self.read({"is": kind, **told})

    def read(self, line: dict[str, Any]) -> None:
        """Take a line in."""
        match line.get("is"):
            case "row":
                self._settle(line["place"], failed=False)
                self.drafts[line["place"]] = TrainingDraft.from_json(line)
            case "rejected":
                self.rejected.append(Rejected(line["why"], line["text"]))
                self._settle(line.get("place"), failed=True)
            case "written":
                self.written[line["place"]] = Written(line["sent"], line["reply"], line["why"])
            case "gave_up":
                self.given_up.add(line["place"])
            case "pause":
                self.pauses[line.get("life", 0)] += 1
            case "subject":
                self.subjects[line["place"]] = line["about"]

    def _settle(self, place: int | None, *, failed: bool) -> None:
        """Count a row that was kept or thrown away."""
        if place is not None:
            self.written.pop(place, None)
            self.tries[place] += failed
        self.failed = self.failed + 1 if failed else 0
        if not failed:
            self.pauses.clear()


def open_journal(path: Path, spec: RowSpec, grid: Grid, count: int, seed: int, avoid: Sequence[Row] = ()) -> Journal:
    """Begin a journal, or go on with one of the same wish. Raises UserError for a journal of another wish.

    What no row is to be like (`avoid`) is part of the wish.

    One that a killed process left without a whole line holds nothing, so it begins anew.
    """
    whole = _whole(path)
    if path.exists():
        with path.open("r+b") as file:
            file.truncate(len(whole))
    if whole:
        return _read(path, whole, _digest(spec, grid, count, seed, avoid))
    path.parent.mkdir(parents=True, exist_ok=True)
    journal = Journal(path)
    journal.note("wish", digest=_digest(spec, grid, count, seed, avoid))
    return journal


def read_journal(path: Path, spec: RowSpec, grid: Grid, count: int, seed: int) -> Journal:
    """Return what is done of a run, and leave the file alone: another process may write it. Raises UserError."""
    whole = _whole(path)
    journal = _read(path, whole, _digest(spec, grid, count, seed)) if whole else Journal()
    journal.path = None
    return journal


def _whole(path: Path) -> bytes:
    """Return a file's whole lines; one that a killed process left half is as if it never was."""
    content = path.read_bytes() if path.exists() else b""
    return content[: content.rfind(b"\n") + 1]


def _read(path: Path, whole: bytes, digest: str) -> Journal:
    lines = _lines(whole)
    if not lines or lines[0].get("digest") != digest:
        raise UserError(f"{path.name} is of another wish.", "Give another name, or ask for the same as then.")
    journal = Journal(path)
    for line in lines[1:]:
        journal.read(line)
    return journal


def _lines(whole: bytes) -> list[dict[str, Any]]:
    found = []
    for line in whole.splitlines():
        try:
            found.append(json.loads(line))
        except ValueError:
            continue
    return found


def _digest(spec: RowSpec, grid: Grid, count: int, seed: int, avoid: Sequence[Row] = ()) -> str:
    there = [[row.prompt for row in avoid]] if avoid else []
    wish = json.dumps([spec.to_json(), grid.text, count, seed, *there], sort_keys=True)
    return hashlib.sha256(wish.encode()).hexdigest()
