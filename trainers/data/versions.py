"""Knows how a new version of a data set comes from an older one: more rows, or mended ones; it decides about no row."""

import hashlib
import json
import tempfile
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from knowledge.errors import UserError
from knowledge.tenancy import Person
from trainers.data.converting import converted_bytes
from trainers.data.holding import Parts, hold_out
from trainers.data.jsonl import read_rows, rows_in
from trainers.data.judging import also
from trainers.data.lint import LintReport
from trainers.data.mending import Mended, mend
from trainers.data.provenance import Origin, Spot, Trail, origin_of, trail_of
from trainers.data.store import Datasets, Told, check_alike, rejected
from trainers.tables import Dataset

ALONE = frozenset({"too_few_rows"})
"""What may block a file of further rows alone, and need not block it beside the rows that are there."""


class Grown(NamedTuple):
    """A new version, and how many rows were new in it."""

    dataset: Dataset
    report: LintReport
    added: int
    repeated: int
    """Rows that were there word for word already, to train or to test on, and were left out."""


def more_rows(
    datasets: Datasets, old: Dataset, path: Path, *, file_name: str, person: Person, provenance: str, now: datetime
) -> Grown:
    """Put a file's rows behind those of a data set, as its next version; the test rows stay, so results compare.

    Raises DatasetRejected where they are blocked, and UserError where the file holds nothing new.
    """
    alone = datasets.judge(path)
    serious = [f for f in alone.findings if f.severity == "BLOCK" and f.code not in ALONE]
    if serious:
        raise rejected(alone)
    train, test = (datasets.folder / each for each in (old.train_path, old.test_path))
    # A row that was held out stays held out: who sends the whole grown file again does not want to train on it.
    seen = {_key(line) for part in (train, test) for line in part.read_bytes().split(b"\n") if line.strip()}
    is_chat = (alone.container, alone.kinds) == ("jsonl", ("chat",))
    content = path.read_bytes().removeprefix(b"\xef\xbb\xbf") if is_chat else converted_bytes(path)
    check_alike(train.read_bytes(), content)
    fresh, numbers, repeated = _unseen(content, seen)
    if not fresh:
        raise UserError(f"All rows of {file_name} are in {old.name} v{old.version} already.", "Send other rows.")
    joined = train.read_bytes().rstrip(b"\r\n") + b"\n" + b"".join(fresh)
    before = trail_of(datasets.folder, old)
    origin = origin_of(file_name, _hash(path), len(fresh), person.user_id, now, provenance)
    spots = tuple(Spot(len(before.origins), number) for number in numbers)
    told = Told(old.name, person, f"v{old.version} and more rows: {provenance}", now, old.private)
    train_spots, held = (*before.train, *spots), test.read_bytes()
    parts = Parts(joined, held, (), ()) if held else _divided(joined)
    report = also(_linted(datasets, joined, test), parts.findings)
    trail = Trail((*before.origins, origin), train_spots, before.test)
    if parts.test_lines:
        told_apart = (tuple(train_spots[line - 1] for line in lines) for lines in (parts.train_lines, parts.test_lines))
        trail = Trail((*before.origins, origin), *told_apart)
    return Grown(datasets.keep(parts.train, parts.test, trail, report, told), report, len(fresh), repeated)


def fixed(datasets: Datasets, old: Dataset, *, person: Person, now: datetime) -> tuple[Dataset, LintReport, Mended]:
    """Mend a data set's training rows as the next version; where nothing is to mend, the version stays the same."""
    train, test = (datasets.folder / each for each in (old.train_path, old.test_path))
    before = trail_of(datasets.folder, old)
    with tempfile.TemporaryDirectory(dir=_incoming(datasets.folder)) as folder:
        copy = Path(folder) / "train.jsonl"
        copy.write_bytes(train.read_bytes())
        done = mend(copy, marked=False)
        content = done.path.read_bytes()
    if not done.changes:
        return old, _linted(datasets, content, test), done
    report = _linted(datasets, content, test)
    trail = Trail(before.origins, _kept_spots(before, train, done, content), before.test)
    told = Told(old.name, person, f"v{old.version}, mended; {old.provenance}", now, old.private)
    return datasets.keep(content, test.read_bytes(), trail, report, told), report, done


def mended_copy(path: Path) -> Mended:
    """Mend an uploaded file beside itself, in the temporary folder that it lies in."""
    return mend(path, marked=False)


def told_of(origin: Origin) -> str:
    """Describe a file that rows are from in one line."""
    return f"{origin.name}, {origin.rows:,} rows, {origin.by} on {origin.at[:10]}: {origin.told}"


def _divided(content: bytes) -> Parts:
    """Hold rows out of those that were too few for it before, as soon as there are enough."""
    try:
        return hold_out(content)
    except UserError:
        return Parts(content, b"", (), ())


def _linted(datasets: Datasets, content: bytes, test: Path) -> LintReport:
    with tempfile.NamedTemporaryFile(dir=_incoming(datasets.folder), suffix=".jsonl") as file:
        file.write(content)
        file.flush()
        report = datasets.judge(Path(file.name), test if test.stat().st_size else None)  # none are held out yet
    if report.blocked:
        raise rejected(report)
    return report


def _unseen(content: bytes, seen: set[str]) -> tuple[list[bytes], list[int], int]:
    """Return lines that are not among those seen, the numbers of them, and how many were."""
    fresh, numbers, repeated = list[bytes](), list[int](), 0
    for number, line in enumerate(content.split(b"\n"), start=1):
        if not line.strip():
            continue
        key = _key(line)
        if key in seen:
            repeated += 1
            continue
        seen.add(key)
        fresh.append(line.rstrip(b"\r") + b"\n")
        numbers.append(number)
    return fresh, numbers, repeated


def _kept_spots(before: Trail, train: Path, done: Mended, content: bytes) -> tuple[Spot, ...]:
    """Find for each mended row where it was from, by the old line that it was written from."""
    known = {row.line: spot for row, spot in zip(read_rows(train).rows, before.train, strict=False)}
    lines = (done.from_lines[row.line - 1] for row in rows_in(content))
    return tuple(known.get(line, Spot(0, line)) for line in lines)


def _key(line: bytes) -> str:
    value = json.loads(line.removeprefix(b"\xef\xbb\xbf"))
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _incoming(folder: Path) -> Path:
    home = folder / "incoming"
    home.mkdir(parents=True, exist_ok=True)
    return home
