"""Knows which file each row of a data set is from, and who gave that file; it does not know the rows' content."""

import json
from collections.abc import Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from trainers.tables import Dataset

FILE = "provenance.json"
"""Beside a data set's rows; it is removed with them."""


class Origin(NamedTuple):
    """One file that rows are from."""

    name: str
    """As it was called where it came from."""
    sha256: str
    rows: int
    by: str
    """Who gave it."""
    at: str
    """When, in ISO form."""
    told: str
    """What was said of it: who ticked that it is theirs to use, or which source it is."""


class Spot(NamedTuple):
    """Where one row is from."""

    origin: int
    """Place of its file in the list of origins, from 0."""
    line: int
    """Its row in that file, from 1, blank lines not counted in converted files."""


class Trail(NamedTuple):
    """Where all rows of a data set are from, in the order of its files."""

    origins: tuple[Origin, ...]
    train: tuple[Spot, ...]
    test: tuple[Spot, ...]

    def to_json(self) -> dict[str, Any]:
        """The trail as plain JSON values: origins once, and a pair of origin and line for each row."""
        return {
            "origins": [origin._asdict() for origin in self.origins],
            "train": [list(spot) for spot in self.train],
            "test": [list(spot) for spot in self.test],
        }


def origin_of(name: str, sha256: str, rows: int, by: str, now: datetime, told: str) -> Origin:
    """Describe a file that somebody gave just now."""
    return Origin(name[:200], sha256, rows, by, now.isoformat(), told)


def spots(origin: int, lines: Iterable[int]) -> tuple[Spot, ...]:
    """Place rows in one file."""
    return tuple(Spot(origin, line) for line in lines)


def write(home: Path, trail: Trail) -> None:
    """Put the trail beside the rows."""
    (home / FILE).write_text(json.dumps(trail.to_json(), separators=(",", ":")), "utf-8")


def trail_of(folder: Path, dataset: Dataset) -> Trail:
    """Read where a data set's rows are from; one from before trails were kept is its own origin."""
    path = (folder / dataset.train_path).with_name(FILE)
    if path.is_file():
        value = json.loads(path.read_text("utf-8"))
        pairs = {part: tuple(Spot(*pair) for pair in value[part]) for part in ("train", "test")}
        return Trail(tuple(Origin(**origin) for origin in value["origins"]), **pairs)
    at = dataset.created_at.isoformat() if dataset.created_at else ""
    rows = dataset.train_rows + dataset.test_rows
    own = Origin(f"{dataset.name} v{dataset.version}", dataset.sha256, rows, dataset.created_by, at, dataset.provenance)
    train = spots(0, range(1, dataset.train_rows + 1))
    return Trail((own,), train, spots(0, range(dataset.train_rows + 1, rows + 1)))


def origins(dataset: Dataset) -> Sequence[Origin]:
    """Return the files of a data set as its row in the database lists them."""
    return [Origin(**origin) for origin in json.loads(dataset.sources)]
