"""When two texts count as the same or as nearly the same; it does not know what follows from that.

Nearly the same: at least 0.7 of the five-character pieces are shared, with digits made equal, so that two orders
with different numbers match. Found by MinHash in bands (Broder 1997), then checked exactly: linear in the rows.
"""

import re
import unicodedata
import zlib
from collections.abc import Sequence
from os.path import commonprefix
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Pieces = NDArray[np.uint64]

SHARED = 0.7  # Jaccard similarity of two sets of pieces from which texts are near duplicates
PIECE = 5  # characters
BANDS, _DEPTH = 12, 3  # finds 99% of pairs at 0.7, and looks at 3% of those at 0.25
_LOOKED_AT = 2000  # characters of a text that are compared
BUCKET = 8  # texts of one bucket that a newcomer is compared with; keeps a flood of copies linear
_DIGIT = re.compile(r"\d")


class NearPair(NamedTuple):
    """Two texts that are nearly the same, by their positions; `earlier` < `later`."""

    earlier: int
    later: int


def canonical(text: str) -> str:
    """Fold what does not change the meaning: compatibility forms, case, runs of white space, a closing mark."""
    folded = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    return folded.rstrip(".!?… ") or folded


def near_pairs(texts: Sequence[str]) -> list[NearPair]:
    """Pair each text with one earlier text that is nearly the same, if there is one; what all share is left out."""
    folded = _without_common_ends([_DIGIT.sub("0", canonical(text)) for text in texts])
    pairs: list[NearPair] = []
    first_with: dict[str, int] = {}
    buckets: dict[tuple[int, int], list[int]] = {}
    sets: dict[int, Pieces] = {}
    for place, text in enumerate(folded):
        if text in first_with:
            pairs.append(NearPair(first_with[text], place))
            continue
        first_with[text] = place
        if len(text) < 2 * PIECE:
            continue  # too short to be nearly the same without being the same
        sets[place] = pieces(text)
        match = _nearest(place, sets, buckets)
        if match is not None:
            pairs.append(NearPair(match, place))
    return pairs


def _without_common_ends(texts: list[str]) -> list[str]:
    """Drop an instruction that opens or closes every text: it would make all of them look alike."""
    if len(set(texts)) < 3:
        return texts
    start = len(commonprefix(texts))  # noqa: RUF071  # texts, not paths
    end = len(commonprefix([text[start:][::-1] for text in texts]))  # noqa: RUF071  # texts, not paths
    return [text[start : len(text) - end] for text in texts]


def pieces(text: str) -> "Pieces":
    """Hash every five-character piece of a text to a sorted set of 64-bit numbers."""
    import numpy as np

    codes = np.frombuffer(text[:_LOOKED_AT].encode("utf-32-le", "surrogatepass"), dtype=np.uint32).astype(np.uint64)
    last = len(codes) - PIECE + 1
    sums = np.zeros(last, dtype=np.uint64)
    for offset in range(PIECE):  # wraps modulo 2**64 on purpose
        sums = sums * np.uint64(0x100000001B3) + codes[offset : offset + last]
    sums ^= sums >> np.uint64(29)
    return np.unique(sums * np.uint64(0xBF58476D1CE4E5B9))


def _nearest(place: int, sets: "dict[int, Pieces]", buckets: dict[tuple[int, int], list[int]]) -> int | None:
    """File a text in its buckets and return the first text there that truly is alike."""
    match: int | None = None
    compared: set[int] = set()
    for band, digest in enumerate(bands(sets[place])):
        bucket = buckets.setdefault((band, digest), [])
        for other in bucket:
            if match is None and other not in compared:
                compared.add(other)
                match = other if shared(sets[other], sets[place]) >= SHARED else None
        if len(bucket) < BUCKET:
            bucket.append(place)
    return match


def bands(of: "Pieces") -> list[int]:
    """Sketch a set of pieces: the least value under each of 36 fixed hash functions, three to a band."""
    import numpy as np

    factors = np.arange(1, 2 * BANDS * _DEPTH, 2, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15) | np.uint64(1)
    mixed = of[None, :] * factors[:, None]
    mixed ^= mixed >> np.uint64(31)
    least = (mixed * np.uint64(0x94D049BB133111EB)).min(axis=1)
    return [zlib.crc32(least[at : at + _DEPTH].tobytes()) for at in range(0, len(least), _DEPTH)]


def shared(one: "Pieces", other: "Pieces") -> float:
    """Jaccard similarity of two sorted sets."""
    import numpy as np

    both = len(np.intersect1d(one, other, assume_unique=True))
    return both / (len(one) + len(other) - both)
