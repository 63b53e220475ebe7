"""Texts of a million rows, kept on disk and found again by position; it does not know what they are."""

import tempfile
from array import array
from collections.abc import Iterator

_BUFFER = 1_048_576


class Spool:
    """Texts in the order in which they came; only where each begins is held in memory."""

    def __init__(self) -> None:
        """Make an unnamed file that vanishes with this object."""
        self._file = tempfile.TemporaryFile(buffering=_BUFFER)  # noqa: SIM115  # lives as long as this object
        self._ends = array("Q")
        self._size = 0

    def __len__(self) -> int:
        """Count the texts."""
        return len(self._ends)

    def add(self, text: str) -> None:
        """Append a text."""
        content = text.encode("utf-8", "surrogatepass")
        self._file.write(content)
        self._size += len(content)
        self._ends.append(self._size)

    def __getitem__(self, place: int) -> str:
        """Return a text by its position."""
        start = self._ends[place - 1] if place else 0
        self._file.seek(start)
        content: bytes = self._file.read(self._ends[place] - start)
        return content.decode("utf-8", "surrogatepass")

    def __iter__(self) -> Iterator[str]:
        """Go through all texts in order; nothing else may be read meanwhile."""
        self._file.seek(0)
        start = 0
        for end in self._ends:
            yield self._file.read(end - start).decode("utf-8", "surrogatepass")
            start = end

    def close(self) -> None:
        """Let the file go."""
        self._file.close()
