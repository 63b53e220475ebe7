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
from typing import IO, Any, NamedTuple

from knowledge.errors import ServiceError
from trainers.evals.endpoint.wire import Reply


class InUse(ServiceError):
    """Another worker still asks these questions."""


class _Line(NamedTuple):
    """One line, checked."""

    event: str
    key: str
    dollars: Decimal
    """At most for a call that was asked, in fact for one that was answered, else 0."""
    reply: Reply | None


class Known:
    """What the lines of a journal say; a line that cannot be read counts as the dearest call that the others name."""

    def __init__(self, lines: Iterable[bytes] = ()) -> None:
        """Read lines in their order."""
        self.replies: dict[str, Reply] = {}
        self.lost: dict[str, int] = {}
        """How often a question's answer was lost, by key."""
        self.open: dict[str, Decimal] = {}
        """Calls under way, and the most that each may cost."""
        self.read = self.damaged = 0
        self._counted = self._dearest = Decimal(0)
        for text in lines:
            try:
                self.apply(_read(text))
            except (ValueError, KeyError, TypeError, ArithmeticError, RecursionError):
                self.damaged += 1

    @property
    def spent(self) -> Decimal:
        """Dollars, with all that may have been paid."""
        return self._counted + self.damaged * self._dearest

    def apply(self, line: _Line) -> None:
        """Take one line in. A call that is asked again before it ended died with its worker, and stays counted."""
        self.read += 1
        self._dearest = max(self._dearest, line.dollars)
        match line.event:
            case "asked":
                self.open[line.key] = line.dollars
                self._counted += line.dollars
            case "answered" if line.reply is not None:
                self._counted += line.dollars - self.open.pop(line.key, Decimal(0))
                self.replies[line.key] = line.reply
            case "free":
                self._counted -= self.open.pop(line.key, Decimal(0))
            case "lost":
                self.open.pop(line.key, None)
                self.lost[line.key] = self.lost.get(line.key, 0) + 1


class Journal:
    """The answers of one job so far; one process at a time."""

    def __init__(self, path: Path) -> None:
        """Read what earlier workers wrote; a last line cut in the middle was never finished.

        Raises InUse, and OSError where the file cannot be read.
        """
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file: IO[bytes] = path.open("ab+")
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._known = Known(_whole_lines(self._file, cut=True))
        except BlockingIOError:
            self._file.close()
            raise InUse("Another worker still asks the endpoint.", "It is tried again.") from None
        except OSError:
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
        text = json.dumps(line).encode()
        self._file.write(text + b"\n")
        self._file.flush()
        self._known.apply(_read(text))


def spent_in(path: Path) -> Decimal | None:
    """Return what a journal says was spent, in dollars; 0 where there is none, None where it cannot be read.

    Reads beside whoever writes.
    """
    try:
        with path.open("rb") as file:
            known = Known(_whole_lines(file))
    except FileNotFoundError:
        return Decimal(0)
    except OSError:
        return None
    return None if known.damaged and not known.read else known.spent


def _whole_lines(file: IO[bytes], *, cut: bool = False) -> list[bytes]:
    """Return the lines that were written to their end, and cut the file there."""
    file.seek(0)
    content = file.read()
    whole = content[: content.rfind(b"\n") + 1]
    if cut and len(whole) < len(content):
        file.truncate(len(whole))
    return [line for line in whole.split(b"\n") if line]


def _read(text: bytes) -> _Line:
    """Read a line; raises ValueError, KeyError, TypeError, ArithmeticError or RecursionError for one that is none."""
    value = json.loads(text)
    event, key = value["event"], str(value["key"])
    paid = Decimal(str(value["dollars"])) if event in ("asked", "answered") else Decimal(0)
    if event not in ("asked", "answered", "free", "lost") or not paid.is_finite() or paid < 0:
        raise ValueError(event)
    return _Line(event, key, paid, _reply(value) if event == "answered" else None)


def _reply(value: Mapping[str, Any]) -> Reply:
    reply = Reply(**{name: value[name] for name in Reply._fields})
    counts = (reply.prompt_tokens, reply.output_tokens)
    good = all(isinstance(text, str) for text in (reply.output, reply.finish_reason, reply.model))
    if not good or not all(count is None or isinstance(count, int) for count in counts):
        raise TypeError
    return reply._replace(milliseconds=float(reply.milliseconds))
