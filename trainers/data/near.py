"""Which of a million texts nearly repeat an earlier one, in bounded memory: sketches and texts lie on disk.

It finds what `likeness.near_pairs` finds, band by band instead of text by text: all texts with the same sketch in a
band stand together once the band is sorted. Of a million texts about one thing each shares a band with dozens that are
not alike; their marks tell most of them apart without reading a text again.
"""

import tempfile
from array import array
from collections.abc import Iterator
from functools import lru_cache
from os.path import commonprefix
from typing import TYPE_CHECKING

from trainers.data import likeness
from trainers.data.hashes import short_hash
from trainers.data.likeness import SHARED, NearPair
from trainers.data.spool import Spool

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_CACHED = 4096  # sets of pieces at hand; copies of one template come back to the same few texts
_BATCH = 65_536  # sketches in memory at once
_TOGETHER = 65_536  # characters that are sketched at once: what fits near the processor is quickest


class Ends:
    """What all texts have in common at their start and end, such as an instruction: it would make them look alike."""

    def __init__(self) -> None:
        """Start without a text."""
        self._start: str | None = None
        self._end = ""
        self._shortest = 0
        self._different: set[str] = set()

    def see(self, text: str) -> None:
        """Take one more text into account."""
        if self._start is None:
            self._start, self._end, self._shortest = text, text[::-1], len(text)
        if len(self._different) < 3:
            self._different.add(text)
        if self._start and not text.startswith(self._start):
            self._start = commonprefix((self._start, text))  # noqa: RUF071  # texts, not paths
        if self._end:
            tail = text[-len(self._end) :][::-1] if len(text) else ""
            self._end = tail if self._end.startswith(tail) else commonprefix((self._end, tail))  # noqa: RUF071
        self._shortest = min(self._shortest, len(text))

    def strip(self, text: str) -> str:
        """Return a text without what all have in common."""
        if len(self._different) < 3:
            return text
        start, end = self._start or "", self._end[::-1]
        end = end[len(end) - min(len(end), self._shortest - len(start)) :]
        cut = text.removeprefix(start)
        return cut.removesuffix(end) if end else cut


def near_texts(texts: Spool, ends: Ends, known: int) -> Iterator[NearPair]:
    """Pair texts with an earlier one among the first `known` that is nearly the same, band by band.

    Texts after the first `known` are compared with those before only.
    """
    sketches = _Sketches(texts, ends)
    try:
        yield from _same(sketches.first, known)
        yield from _alike(sketches, texts, ends, known)
    finally:
        sketches.close()


class _Sketches:
    """The bands of each different text on disk; in memory a hash of each text, and 36 marks of each different one."""

    def __init__(self, texts: Spool, ends: Ends) -> None:
        import numpy as np

        self._file = tempfile.TemporaryFile()  # noqa: SIM115  # lives as long as this object
        self.places = array("I")
        hashes = array("Q", (short_hash(ends.strip(text)) for text in texts))
        _, first, which = np.unique(np.frombuffer(hashes, dtype=np.uint64), return_index=True, return_inverse=True)
        self.first = first[which]
        """Position of the first text that is the same as each one."""
        marks = [self._sketch(batch) for batch in self._batches(texts, ends)]
        self.marks = np.concatenate(marks) if marks else np.zeros((0, 1), dtype=np.uint8)
        """Marks of the texts at `places`, a row each."""

    def _batches(self, texts: Spool, ends: Ends) -> Iterator[list[str]]:
        """Yield the different texts, and note their places."""
        batch: list[str] = []
        size = 0
        for place, whole in enumerate(texts):
            text = ends.strip(whole) if self.first[place] == place else ""
            if len(text) < 2 * likeness.PIECE:
                continue  # too short to be nearly the same without being the same
            self.places.append(place)
            batch.append(text)
            size += len(text)
            if size >= _TOGETHER:
                yield batch
                batch, size = [], 0
        if batch:
            yield batch

    def _sketch(self, batch: list[str]) -> "NDArray[np.uint8]":
        bands, marks = likeness.sketched(batch)
        self._file.write(bands.tobytes())
        return marks

    def band(self, number: int) -> "NDArray[np.uint32]":
        """Return one band of every text."""
        import numpy as np

        self._file.seek(0)
        parts = []
        while raw := self._file.read(_BATCH * likeness.BANDS * 4):
            parts.append(np.frombuffer(raw, dtype=np.uint32).reshape(-1, likeness.BANDS)[:, number].copy())
        return np.concatenate(parts) if parts else np.zeros(0, dtype=np.uint32)

    def close(self) -> None:
        self._file.close()


def _same(first: "NDArray[np.int64]", known: int) -> Iterator[NearPair]:
    """Pair texts that are the same once digits and common ends are gone."""
    import numpy as np

    for place in np.flatnonzero(first != np.arange(len(first))).tolist():
        earlier = int(first[place])
        if earlier < known:
            yield NearPair(earlier, place)


def _alike(sketches: _Sketches, texts: Spool, ends: Ends, known: int) -> Iterator[NearPair]:
    import numpy as np

    @lru_cache(maxsize=_CACHED)
    def pieces(place: int) -> "NDArray[np.uint64]":
        return likeness.pieces(ends.strip(texts[place]))

    places = np.frombuffer(sketches.places, dtype=np.uint32) if sketches.places else np.zeros(0, dtype=np.uint32)
    matched = np.zeros(len(places), dtype=bool)
    for number in range(likeness.BANDS):
        earlier, later = _candidates(sketches.band(number), np.searchsorted(places, known), matched)
        likely = _likely(sketches.marks, earlier, later)
        for one, other in zip(earlier[likely].tolist(), later[likely].tolist(), strict=True):
            pair = NearPair(int(places[one]), int(places[other]))
            if not matched[other] and likeness.shared(pieces(pair.earlier), pieces(pair.later)) >= SHARED:
                matched[other] = True
                yield pair


def _candidates(
    band: "NDArray[np.uint32]", known: "np.intp", matched: "NDArray[np.bool_]"
) -> tuple["NDArray[np.intp]", "NDArray[np.intp]"]:
    """Pair each text that has no match yet with the first few before it in its bucket; return (earlier, later)."""
    import numpy as np

    order = np.argsort(band, kind="stable")
    ordered = band[order]
    opens = np.r_[True, ordered[1:] != ordered[:-1]] if len(order) else np.zeros(0, dtype=bool)
    first = np.maximum.accumulate(np.where(opens, np.arange(len(order)), 0)) if len(order) else order
    at = np.arange(len(order)) - first
    open_texts = ~matched[order]
    pairs = []
    for place in range(likeness.BUCKET):
        later = np.flatnonzero((at > place) & open_texts)
        earlier = order[first[later] + place]
        pairs.append(np.stack((earlier, order[later]))[:, earlier < known])
    earlier, later = np.concatenate(pairs, axis=1)
    by_text = np.argsort(later, kind="stable")
    return earlier[by_text], later[by_text]


def _likely(marks: "NDArray[np.uint8]", earlier: "NDArray[np.intp]", later: "NDArray[np.intp]") -> "NDArray[np.bool_]":
    """Say of each pair whether its marks allow that it is nearly the same."""
    import numpy as np

    found = np.zeros(len(earlier), dtype=bool)
    for start in range(0, len(earlier), _BATCH):
        part = slice(start, start + _BATCH)
        found[part] = (marks[earlier[part]] == marks[later[part]]).sum(axis=1) >= likeness.LIKELY
    return found
