"""When two texts count as the same or as nearly the same; it does not know what follows from that.

Nearly the same: at least 0.7 of the five-character pieces are shared, with digits made equal, so that two orders
with different numbers match. Found by MinHash in bands (Broder 1997), then checked exactly: linear in the rows.
"""

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import cache, lru_cache
from os.path import commonprefix
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Pieces = NDArray[np.uint64]

SHARED = 0.7  # Jaccard similarity of two sets of pieces from which texts are near duplicates
PIECE = 5  # characters
BANDS, _DEPTH = 12, 3  # finds 99% of pairs at 0.7, and looks at 3% of those at 0.25
_FOLD = 0xD6E8FEB86659FD93  # joins the values of a band to one
_LOOKED_AT = 2000  # characters of a text that are compared
LIKELY = (
    14  # least values that two texts at 0.7 have in common: one in 50,000 has fewer of 36, one in 20 at 0.25 as many
)
BUCKET = 8  # texts of one bucket that a newcomer is compared with; keeps a flood of copies linear
_TOGETHER = 500  # texts that are sketched at once
_DIGIT = re.compile(r"\d")
_MARKS = {
    **dict.fromkeys(map(ord, "\u3002\uff61\u06d4\u0964"), "."),
    **dict.fromkeys(map(ord, "\u3001\u060c"), ","),
    **dict.fromkeys(map(ord, "\u201c\u201d\u201e\u201f\u00ab\u00bb\u300c\u300d\u300e\u300f\u05f4"), '"'),
    **dict.fromkeys(map(ord, "\u2018\u2019\u201a\u201b\u2039\u203a\u00b4\u05f3"), "'"),
    **dict.fromkeys(map(ord, "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u05be"), "-"),
    **{
        ord("\u061f"): "?",
        ord("\u061b"): ";",
        ord("\u0649"): "\u064a",
        ord("\u06cc"): "\u064a",
        ord("\u06a9"): "\u0643",
    },
    **dict.fromkeys((0xAD, 0x640, 0x670, *range(0x200B, 0x2010), *range(0x2060, 0x2065), 0xFEFF, *range(0x64B, 0x660))),
    **dict.fromkeys((*range(0x591, 0x5BE), 0x5BF, 0x5C1, 0x5C2, 0x5C4, 0x5C5, 0x5C7)),
}
"""What marks become that are written in several ways; some become nothing."""
_SYLLABLE = re.compile("([\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af])")


class NearPair(NamedTuple):
    """Two texts that are nearly the same, by their positions; `earlier` < `later`."""

    earlier: int
    later: int


def canonical(text: str) -> str:
    """Fold what does not change the meaning: compatibility forms, case, runs of white space, a closing mark."""
    folded = " ".join(unicodedata.normalize("NFKC", text).casefold().split())
    return folded.rstrip(".!?… ") or folded


def folded(text: str) -> str:
    """Fold what does not change the meaning of a question or an answer: `canonical`, and how its marks are written.

    Quotes, dashes, stops and commas of every script become one kind; what has no width, vowel points of Arabic and
    Hebrew, and the Arabic filler are left out, for the same text is written with and without them.

    >>> folded("「終了」です。") == folded("「終了」です．"), folded("It\u2019s done") == folded("It's done!")
    (True, True)
    """
    plain = canonical(text)
    return plain if plain.isascii() else plain.translate(_MARKS).rstrip(".!? ") or plain


def without_digits(text: str, most: int | None = None) -> str:
    """Fold a text for comparison, its first `most` characters, with digits made equal."""
    return _DIGIT.sub("0", folded(text)[:most])


class NearTexts:
    """Texts that come one by one, each to be compared with those before it.

    What all share is not left out, as `near_pairs` does: the next one may not share it.
    """

    def __init__(self, texts: Iterable[str] = ()) -> None:
        """Begin with these."""
        self._whole: set[str] = set()
        self._pieces: list[Pieces] = []
        self._buckets: dict[tuple[int, int], list[int]] = {}
        for text in texts:
            self.add(text)

    def near(self, text: str) -> bool:
        """Say whether one of them is the same as a text, or nearly so; numbers do not matter."""
        plain = without_digits(text)
        if plain in self._whole or len(plain) < 2 * PIECE:
            return plain in self._whole
        mine = pieces(plain)
        alike = {place for band in enumerate(_bands(plain)) for place in self._buckets.get(band, ())}
        return any(shared(self._pieces[place], mine) >= SHARED for place in alike)

    def add(self, text: str) -> None:
        """Take in one more."""
        plain = without_digits(text)
        self._whole.add(plain)
        if len(plain) >= 2 * PIECE:
            for band in enumerate(_bands(plain)):
                bucket = self._buckets.setdefault(band, [])
                if len(bucket) < BUCKET:
                    bucket.append(len(self._pieces))
            self._pieces.append(pieces(plain))


@lru_cache(maxsize=256)  # what is compared is mostly taken in next
def _bands(plain: str) -> tuple[int, ...]:
    return tuple(sketched([plain])[0][0].tolist())


def near_pairs(texts: Sequence[str]) -> list[NearPair]:
    """Pair each text with one earlier text that is nearly the same, if there is one; what all share is left out."""
    plain = _without_common_ends([without_digits(text) for text in texts])
    first_with: dict[str, int] = {}
    for place, text in enumerate(plain):
        first_with.setdefault(text, place)
    # shorter ones are too short to be nearly the same without being the same
    long = [place for text, place in first_with.items() if len(text) >= 2 * PIECE]
    digests = dict(zip(long, _digests([plain[place] for place in long]), strict=True))
    buckets: dict[tuple[int, int], list[int]] = {}
    known = cache(lambda place: pieces(plain[place]))
    pairs: list[NearPair] = []
    for place, text in enumerate(plain):
        if first_with[text] != place:
            pairs.append(NearPair(first_with[text], place))
        elif place in digests and (match := _nearest(place, digests[place], known, buckets)) is not None:
            pairs.append(NearPair(match, place))
    return pairs


def _digests(texts: Sequence[str]) -> Iterator[list[int]]:
    """Yield the bands of each text's sketch; many are sketched together, as each step has a price of its own."""
    for start in range(0, len(texts), _TOGETHER):
        yield from sketched(texts[start : start + _TOGETHER])[0].tolist()


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

    return np.unique(_hashes(_codes(text)))


def _codes(text: str) -> "NDArray[np.uint32]":
    import numpy as np

    start = text[:_LOOKED_AT]
    if not start.isascii():  # a sign of Chinese, Japanese and Korean says as much as two letters
        start = _SYLLABLE.sub(r"\1\1", start)
    return np.frombuffer(start.encode("utf-32-le", "surrogatepass"), dtype=np.uint32)


def _hashes(codes: "NDArray[np.uint32]") -> "Pieces":
    """Hash every run of five characters, in the order of the text."""
    import numpy as np

    wide = codes.astype(np.uint64)
    last = len(wide) - PIECE + 1
    sums = np.zeros(last, dtype=np.uint64)
    for offset in range(PIECE):  # wraps modulo 2**64 on purpose
        sums = sums * np.uint64(0x100000001B3) + wide[offset : offset + last]
    sums ^= sums >> np.uint64(29)
    return sums * np.uint64(0xBF58476D1CE4E5B9)


def _nearest(
    place: int, digests: Sequence[int], known: "Callable[[int], Pieces]", buckets: dict[tuple[int, int], list[int]]
) -> int | None:
    """File a text in its buckets and return the first text there that truly is alike."""
    match: int | None = None
    compared: set[int] = set()
    for band, digest in enumerate(digests):
        bucket = buckets.setdefault((band, digest), [])
        for other in bucket:
            if match is None and other not in compared:
                compared.add(other)
                match = other if shared(known(other), known(place)) >= SHARED else None
        if len(bucket) < BUCKET:
            bucket.append(place)
    return match


def sketched(texts: Sequence[str]) -> tuple["NDArray[np.uint32]", "NDArray[np.uint8]"]:
    """Sketch texts of five characters or more: a row of 12 bands each, and a row of 36 marks.

    A sketch is the least value under each of 36 fixed hash functions of its pieces, three to a band; a mark is the
    last byte of one. The share of marks that two texts have in common is about their likeness (b-bit minwise hashing,
    Li and König 2010). Texts are sketched together because a few large steps take less than many small ones.
    """
    import numpy as np

    codes = [_codes(text) for text in texts]
    sizes = np.array([len(each) for each in codes])
    whole = _hashes(np.concatenate(codes))
    inside = np.ones(len(whole) + PIECE - 1, dtype=bool)  # no piece reaches over the end of a text
    ends = np.cumsum(sizes)
    for short in range(1, PIECE):
        inside[ends - short] = False
    of = whole[inside[: len(whole)]]
    starts = np.r_[0, np.cumsum(sizes - PIECE + 1)[:-1]]
    bands = np.empty((len(texts), BANDS), dtype=np.uint32)
    marks = np.empty((len(texts), BANDS * _DEPTH), dtype=np.uint8)
    for band in range(BANDS):
        mixed = np.zeros(len(texts), dtype=np.uint64)
        for number in range(band * _DEPTH, (band + 1) * _DEPTH):
            least = np.minimum.reduceat(_mixed(of, number), starts)
            marks[:, number] = least.astype(np.uint8)
            mixed = (mixed ^ least) * np.uint64(_FOLD)
            mixed ^= mixed >> np.uint64(32)
        bands[:, band] = mixed.astype(np.uint32)
    return bands, marks


def _mixed(of: "Pieces", number: int) -> "Pieces":
    """Apply one of the fixed hash functions."""
    import numpy as np

    mixed = of * np.uint64((2 * number + 1) * 0x9E3779B97F4A7C15 % 2**64 | 1)
    mixed ^= mixed >> np.uint64(31)
    return mixed * np.uint64(0x94D049BB133111EB)


def shared(one: "Pieces", other: "Pieces") -> float:
    """Jaccard similarity of two sorted sets."""
    import numpy as np

    both = len(np.intersect1d(one, other, assume_unique=True))
    return both / (len(one) + len(other) - both)
