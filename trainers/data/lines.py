"""How a file is cut into lines, however large or hostile: by `\\n` alone, in bounded memory, hashed on the way."""

import hashlib
from collections.abc import Iterator
from typing import BinaryIO

from trainers.data.limits import ReadLimits

_CHUNK = 1_048_576
_BOM = b"\xef\xbb\xbf"


class TooLarge(Exception):
    """The file goes on past the most that is read."""


class Lines:
    """The lines of an open file with their numbers, one at a time."""

    def __init__(self, file: BinaryIO, limits: ReadLimits) -> None:
        """Take a file that stands at its start."""
        self._file, self._limits = file, limits
        self._hash = hashlib.sha256()
        self.size = 0
        """Bytes read so far."""
        self.marked = False
        """Whether the file began with a byte order mark, which is cut off."""

        self.carriage_return = False
        """Whether the line that came last ended as on Windows."""
        self._open, self._tail = False, b""

    @property
    def sha256(self) -> str:
        """Hash of all bytes read so far."""
        return self._hash.hexdigest()

    def __iter__(self) -> Iterator[tuple[int, bytes]]:
        """Yield number and bytes of each line, without its end; an endless line is cut one byte past its limit.

        Raises TooLarge.
        """
        number = 0
        while raw := self._read(self._limits.line_bytes + len(_BOM) + 3):
            number += 1
            if number == 1 and raw.startswith(_BOM):
                self.marked, raw = True, raw.removeprefix(_BOM)
            self._open = not raw.endswith(b"\n") and len(raw) > self._limits.line_bytes
            self._tail = b"\r" if self._open and raw.endswith(b"\r") else b""
            plain = raw.removesuffix(b"\n")
            self.carriage_return = plain.endswith(b"\r") and not self._open
            yield number, plain.removesuffix(b"\r")
            for _ in self.rest():
                pass

    def rest(self) -> Iterator[bytes]:
        """Yield what follows of the line that came last, if it was cut, in pieces and with its end.

        Whoever does not ask for it leaves it out. Raises TooLarge.
        """
        piece = self._tail
        while self._open:
            yield piece
            piece = self._read(_CHUNK)
            self._open = bool(piece) and not piece.endswith(b"\n")
        if piece:
            yield piece
        self._tail = b""

    def _read(self, most: int) -> bytes:
        raw = self._file.readline(most)
        self.size += len(raw)
        if self.size > self._limits.file_bytes:
            raise TooLarge
        self._hash.update(raw)
        return raw
