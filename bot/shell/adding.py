"""Takes files and folders into a collection one by one; it knows what became of each, not how a file is read."""

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from knowledge.clock import Clock
from knowledge.collections import Kept, Library
from knowledge.documents import read_document
from knowledge.errors import LuthierError, UserError
from knowledge.indexing import Indexed
from knowledge.places import Place

Update = Callable[..., None]
"""A progress bar's: takes steps done, steps to do and a remark."""


class File(NamedTuple):
    """A file to add."""

    path: Path
    name: str
    """What its document is called: the file's name, with the folders below the one that was given."""


@dataclass
class Added:
    """What became of each file."""

    place: Place
    kept: list[tuple[File, Kept, tuple[str, ...]]] = field(default_factory=list)
    """Each file with its document, and what could not be read in it."""
    failed: list[tuple[File, LuthierError]] = field(default_factory=list)
    indexed: Indexed = Indexed(passages=0, embedded=0)  # noqa: RUF009  # frozen
    seconds: float = 0.0

    @property
    def whole(self) -> bool:
        """Whether every file was taken and all can be found by words and meaning."""
        return not self.failed and not self.indexed.degraded

    def as_json(self) -> dict[str, Any]:
        """Return all of it as data."""
        return {
            "workspace": self.place.workspace,
            "collection": self.place.collection,
            "documents": [
                {"name": kept.name, "outcome": kept.outcome, "passages": kept.passages, "changed": kept.written}
                | {"file": file.name, "notes": list(notes)}
                for file, kept, notes in self.kept
            ],
            "failed": [
                {"path": str(file.path), "error": error.what, "next_step": error.next_step}
                for file, error in self.failed
            ],
            "embedded": self.indexed.embedded,
            "note": self.indexed.degraded,
            "seconds": round(self.seconds, 2),
        }

    def read(self) -> str:
        """Return it in words, a line a file."""
        lines = [
            f"{file.name}: {_outcome(file, kept)}, {_counted(kept.passages, 'passage')}" for file, kept, _ in self.kept
        ]
        lines += [f"{file.path}: not added. {error.what} {error.next_step}" for file, error in self.failed]
        lines += [f"  {note}" for _, _, notes in self.kept for note in notes]
        speed = self.indexed.embedded / self.seconds
        rate = f", {speed:,.{0 if speed >= 10 else 1}f} a second" if self.indexed.embedded else ""
        lines.append(
            f"{self.place.collection}: {_counted(self.indexed.embedded, 'text')} indexed in {self.seconds:.1f} s{rate}."
        )
        if self.indexed.degraded:
            lines.append(f"{self.indexed.degraded} Found by words only until `luthier index` has run.")
        return "\n".join(lines)


def files_in(paths: Sequence[Path]) -> Iterator[File]:
    """Yield the files that `paths` name, those of a folder in order; hidden ones and links out of it are left out."""
    for path in paths:
        if not path.is_dir():
            yield File(path, path.name)
            continue
        root = path.resolve()
        for found in sorted(root.rglob("*")):
            within = found.relative_to(root)
            hidden = any(part.startswith(".") for part in within.parts)
            if not hidden and found.is_file() and found.resolve().is_relative_to(root):
                yield File(found, within.as_posix())


def add_files(library: Library, files: Sequence[File], place: Place, *, by: str, clock: Clock, update: Update) -> Added:
    """Keep each file as a document, then make all of them searchable at once."""
    done, start, names = Added(place), time.monotonic(), set[str]()
    for number, file in enumerate(files, start=1):
        update(number, len(files), file.name, "Reading")
        try:
            if file.name in names:
                raise UserError("Another file in this call has the same name.", "Rename one, or add their folder.")
            kept, notes = _keep(library, file, place, by, clock)
        except (LuthierError, OSError) as error:
            done.failed.append((file, _told(file, error)))
        else:
            names.add(file.name)
            done.kept.append((file, kept, notes))
    done.indexed = library.settle(
        place, progress=lambda step, steps: update(step, steps, f"{step}/{steps}", "Indexing")
    )
    done.seconds = time.monotonic() - start
    return done


def _keep(library: Library, file: File, place: Place, by: str, clock: Clock) -> tuple[Kept, tuple[str, ...]]:
    now = clock()
    document = read_document(file.path, file.name, today=now.date())
    kept = library.keep(document, place, size=file.path.stat().st_size, by=by, now=now)
    return kept, document.notes


def _told(file: File, error: Exception) -> LuthierError:
    if isinstance(error, LuthierError):
        return error
    reason = error.strerror if isinstance(error, OSError) else ""
    return UserError(f"{file.name} cannot be read: {reason or type(error).__name__}.", "Check the path and its owner.")


def _outcome(file: File, kept: Kept) -> str:
    """Say what became of a file, and under which name its content is kept where that is another one."""
    return kept.outcome if kept.name == file.name else f"{kept.outcome} as {kept.name}"


def _counted(count: int, noun: str) -> str:
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"
