"""How much of a text was copied from training texts, word for word; it does not know whether that was wanted.

A brand repeats itself: openings, sign-offs and product names are long copies too. So compare with what the brand's own
unseen texts share with the training texts.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from trainers.evals.style.limits import limits
from trainers.evals.style.text import words

Hashes = NDArray[np.uint64]
Places = NDArray[np.int64]
_BASE = 0x9E3779B97F4A7C15  # odd, so it has an inverse modulo 2**64


class Copied(NamedTuple):
    """What one text shares with the training texts."""

    share: float | None
    """Share of its runs of eight words that stand in a training text; None for shorter texts."""
    longest: int
    """Words of the longest run that stands in one training text."""


class Taught:
    """The training texts, as hashes of runs of words; case and marks do not count."""

    def __init__(self, texts: Sequence[str]) -> None:
        """Take the training texts; the runs of a length are put in order on first use."""
        self._places: dict[str, int] = {}
        told = [[self._places.setdefault(word, len(self._places) + 1) for word in words(text)] for text in texts]
        sizes = [len(each) for each in told]
        self._line = _Line([code for each in told for code in each])
        self._left = np.array([size - at for size in sizes for at in range(size)], dtype=np.int64)
        self._tables: dict[int, _Table] = {}
        self._words: int = limits("memory")["words"]

    def check(self, text: str) -> Copied:
        """Say what a text shares with the training texts."""
        line = _Line([self._places.get(word, 0) for word in words(text)])
        runs = line.runs(self._words)
        found = self._find(runs, self._words)
        share = float(np.isin(runs, self._table(self._words).hashes[found]).mean()) if len(runs) else None
        return Copied(share, self._longest(line, self._words if len(found) else 1))

    def _longest(self, line: "_Line", size: int) -> int:
        """Double the length while a run stands in a training text, then halve the rest: parts of a copy are copies."""
        places = np.zeros(0, dtype=np.int64)
        while len(found := self._find(line.runs(size), size)):
            places, size = self._table(size).places[found], 2 * size
        short, long = size // 2, size
        while long - short > 1:
            middle = (short + long) // 2
            fitting = places[self._left[places] >= middle]
            copied = np.isin(self._line.runs_at(fitting, middle), line.runs(middle)).any()
            short, long = (middle, long) if copied else (short, middle)
        return short

    def _find(self, runs: Hashes, size: int) -> Places:
        """Return where in the table of this size the hashes of `runs` stand, each place once."""
        taught, asked = self._table(size).hashes, np.unique(runs)
        starts, ends = np.searchsorted(taught, asked, "left"), np.searchsorted(taught, asked, "right")
        spans = [np.arange(start, end) for start, end in zip(starts, ends, strict=True) if end > start]
        return np.concatenate(spans) if spans else np.zeros(0, dtype=np.int64)

    def _table(self, size: int) -> "_Table":
        """Return the hashes of all runs of `size` words within a training text, sorted, and where each starts."""
        if size not in self._tables:
            places = np.flatnonzero(self._left >= size)
            hashes = self._line.runs_at(places, size)
            order = np.argsort(hashes)
            self._tables[size] = _Table(hashes[order], places[order])
        return self._tables[size]


class _Line:
    """A row of codes whose runs are hashed from sums of its beginnings, each in one step (Karp and Rabin 1987)."""

    def __init__(self, codes: Sequence[int]) -> None:
        size = len(codes)
        powers = np.cumprod(np.full(size, _BASE, dtype=np.uint64), dtype=np.uint64)
        self._back = np.cumprod(np.full(size, pow(_BASE, -1, 2**64), dtype=np.uint64), dtype=np.uint64)
        weighted = _mix(np.array(codes, dtype=np.uint64)) * powers  # wraps modulo 2**64 on purpose
        self._sums = np.concatenate([np.zeros(1, dtype=np.uint64), np.cumsum(weighted, dtype=np.uint64)])

    def runs(self, size: int) -> Hashes:
        """Hash every run of `size` codes."""
        return self.runs_at(np.arange(max(0, len(self._sums) - size)), size)

    def runs_at(self, places: Places, size: int) -> Hashes:
        """Hash the runs of `size` codes that start at `places`; equal runs have equal hashes in every line."""
        hashes: Hashes = (self._sums[places + size] - self._sums[places]) * self._back[places]
        return hashes


class _Table(NamedTuple):
    """All runs of one length in the training texts, in order of their hashes."""

    hashes: Hashes
    places: Places


def _mix(values: Hashes) -> Hashes:
    """Scramble 64-bit numbers (the finalizer of splitmix64)."""
    found = values + np.uint64(0x9E3779B97F4A7C15)
    found = (found ^ (found >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    found = (found ^ (found >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return found ^ (found >> np.uint64(31))
