"""Knows how a judge's rulings are kept in a file, so that none is paid for twice; it does not know what they say."""

import json
from pathlib import Path
from typing import NamedTuple


class Ruling(NamedTuple):
    """What came of one question."""

    said: str | None
    """The judge's reply as its reader spells it; None: it could not be read, twice."""
    tokens: int
    estimated: bool
    """Whether the endpoint did not say how many tokens that took."""


class Kept:
    """Rulings in a JSONL file, a line each; a line that a kill cut short is asked for again."""

    def __init__(self, path: Path | None) -> None:
        """Take the file, which need not be there yet; None keeps nothing beyond this object."""
        self._path = path
        self.rulings: dict[str, Ruling] = {}
        """By key: a hash of judge, row, both answers and their order."""
        self._torn = False
        if path is not None and path.is_file():
            self._read(path.read_bytes())

    def add(self, key: str, ruling: Ruling) -> None:
        """Keep a ruling; the caller lets one thread in at a time."""
        self.rulings[key] = ruling
        if self._path is None:
            return
        self._path.parent.mkdir(parents=True, exist_ok=True)
        line = json.dumps({"key": key, **ruling._asdict()})
        with self._path.open("a", encoding="utf-8") as file:
            file.write(f"\n{line}\n" if self._torn else f"{line}\n")
        self._torn = False

    def _read(self, data: bytes) -> None:
        self._torn = bool(data) and not data.endswith(b"\n")
        for line in data.split(b"\n"):
            try:
                value = json.loads(line)
                said = value["said"]
                ruling = Ruling(None if said is None else str(said), int(value["tokens"]), bool(value["estimated"]))
                self.rulings[str(value["key"])] = ruling
            except (ValueError, KeyError, TypeError):
                continue
