"""Remembers in a JSONL file what was asked and answered, so that a killed worker pays twice for nothing it knows of.

A line `asked`, with the most that it may cost, is on disk before a call leaves, and a line `answered`, `free` (not
taken) or `lost` follows. A call of which only `asked` is known was under way when its worker died: it counts as paid.
"""

import fcntl
import json
import os
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import IO, Any

from knowledge.errors import ServiceError
from trainers.evals.endpoint.wire import Reply


class InUse(ServiceError):
    """Another worker still asks these questions."""


class Known:
    """What the lines of a journal say."""

    def __init__(self, lines: Iterable[dict[str, Any]] = ()) -> None:
        """Read lines in their order."""
        self.replies: dict[str, Reply] = {}
        self.lost: dict[str, int] = {}
        """How often a question's answer was lost, by key."""
        self.spent = Decimal(0)
        """Dollars, with all that may have been paid."""
        self.open: dict[str, Decimal] = {}
        """Calls under way, and the most that each may cost."""
        for line in lines:
            self.apply(line)

    def apply(self, line: dict[str, Any]) -> None:
        """Take one line in. A call that is asked again before it ended died with its worker, and stays counted."""
        key = str(line["key"])
        match line["event"]:
            case "asked":
                self.open[key] = Decimal(line["dollars"])
                self.spent += self.open[key]
            case "answered":
                self.spent += Decimal(line["dollars"]) - self.open.pop(key, Decimal(0))
                self.replies[key] = Reply(**{name: line[name] for name in Reply._fields})
            case "free":
                self.spent -= self.open.pop(key, Decimal(0))
            case "lost":
                self.open.pop(key, None)
                self.lost[key] = self.lost.get(key, 0) + 1


class Journal:
    """The answers of one job so far; one process at a time."""

    def __init__(self, path: Path) -> None:
        """Read what earlier workers wrote; a last line cut in the middle was never finished. Raises InUse."""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file: IO[bytes] = path.open("ab+")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._known = Known(_whole_lines(self._file, cut=True))
        except OSError:
            self._file.close()
            raise InUse("Another worker still asks the endpoint.", "It is tried again.") from None
        except ServiceError:
            self._file.close()
            raise
        self.unaccounted = len(self._known.open)
        """Calls that were under way when the last worker died; each counts as paid in full."""

    @property
    def replies(self) -> Mapping[str, Reply]:
        """The answers by key."""
        return self._known.replies

    @property
    def lost(self) -> Mapping[str, int]:
        """How often a question's answer was lost, by key."""
        return self._known.lost

    @property
    def spent(self) -> Decimal:
        """Dollars, with all that may have been paid."""
        return self._known.spent

    def asked(self, key: str, worst: Decimal) -> None:
        """Note that a question is about to be sent; on disk when this returns."""
        self._write({"event": "asked", "key": key, "dollars": str(worst)})
        os.fsync(self._file.fileno())

    def answered(self, key: str, reply: Reply, cost: Decimal) -> None:
        """Keep an answer and what it cost."""
        self._write({"event": "answered", "key": key, "dollars": str(cost), **reply._asdict()})

    def free(self, key: str) -> None:
        """Note that a question was not taken."""
        self._write({"event": "free", "key": key})

    def gone(self, key: str, why: str) -> None:
        """Note that an answer was lost, which may have been paid."""
        self._write({"event": "lost", "key": key, "why": why})

    def close(self) -> None:
        """Let the next one have it."""
        self._file.close()

    def _write(self, line: dict[str, Any]) -> None:
        self._file.write(json.dumps(line).encode() + b"\n")
        self._file.flush()
        self._known.apply(line)


def spent_in(path: Path) -> Decimal:
    """Return what a journal says was spent, in dollars; 0 where there is none. Reads beside whoever writes."""
    if not path.is_file():
        return Decimal(0)
    with path.open("rb") as file:
        return Known(_whole_lines(file)).spent


def _whole_lines(file: IO[bytes], *, cut: bool = False) -> list[dict[str, Any]]:
    """Read the lines that were written to their end, and cut the file there; raises ServiceError for a damaged one."""
    file.seek(0)
    content = file.read()
    whole = content[: content.rfind(b"\n") + 1]
    if cut and len(whole) < len(content):
        file.truncate(len(whole))
    try:
        return [json.loads(line) for line in whole.split(b"\n") if line]
    except ValueError:
        raise ServiceError("The list of answers that were paid for is damaged.", "Evaluate anew.") from None
