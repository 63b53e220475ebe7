"""How far a text lies from a brand's usual wording, beside the brand's own spread; it does not know what is good.

Burrows' Delta (2002) is the mean absolute z-score of word frequencies; cosine Delta (Smith and Aldridge 2011; Evert et
al. 2017) the angle between z-scored frequencies. The angle needs a point to look from: with `reference` texts (what
others write to the same briefs) their mean is that point, and words and character 4-grams are counted. Without any,
there is Burrows' distance on words alone. How often one text of an unseen book by Chesterton scored above one of four
other novelists, 200 brand texts of the same length, by bench/style.py (.5 is chance; mean of the four):

    words of a text          20    50   100   200
    no reference            .52   .63   .63   .76   (a synthetic formal voice at 20 words: .08, the wrong way round)
    plain English           .55   .58   .68   .82   (reference.md, which is used where nothing better is given)
    three other writers     .68   .72   .84   .92
    the two-sample test, 60 texts against 60: .78   .88   .96   .98

So a score of one short text says little, and the mean over an arm is what to read.

Both distances depend on length, so texts are compared at one length: cut to the largest step that the text and enough
brand texts reach. A short text's sign-off is then compared with the middle of longer brand texts, which costs it some.
A new text and brand text i are both measured to the centroid without text i: to a centroid that knows the brand text,
brand texts would seem nearer than they are (as in the jackknife+, Barber et al. 2021).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from trainers.evals.style.limits import function_words, limits
from trainers.evals.style.text import tokens

Vectors = NDArray[np.float64]
_PIECE = 4  # characters
_CLOSE = 1e-9  # distances this near are equal
_UNCUT = 0
_MARKS = ".,;:!?-—"
_TEXTS = 3


class Placement(NamedTuple):
    """Where one text stands beside the brand's own."""

    percentile: float
    """Share of the brand's own texts that are at least as far from the centroid of all others, 0 to 1."""
    distance: float
    """Mean distance to those centroids at that length."""
    length: int
    """Words and marks that were compared; 0 if texts were compared uncut."""


class _Counted(NamedTuple):
    """One text as positions in the vocabulary, so that any cut of it is counted quickly."""

    words: NDArray[np.int64]
    pieces: NDArray[np.int64]
    ends: NDArray[np.int64]  # characters up to the end of each token


class _Spread(NamedTuple):
    """The brand at one length; row i of each leaves out the brand's text i."""

    means: Vectors
    deviations: Vectors
    origin: Vectors | None
    own: Vectors  # distance of text i


class Voice:
    """A brand's wording, learned from its texts."""

    def __init__(self, texts: Sequence[str], reference: Sequence[str] = ()) -> None:
        """Learn from the brand's `texts`; `reference` are texts of others to the same kind of brief."""
        self._limits = limits("delta")
        told = [tokens(text) for text in texts if text.strip()]
        self.texts = len(told)
        self.ready = self.texts >= self._limits["least_texts"]
        self._words = _vocabulary(told, self._limits)
        self._pieces: dict[str, int] = {}
        others = [tokens(text) for text in reference if text.strip()]
        self.angular = len(others) >= self._limits["least_texts"]
        if self.angular:
            self._pieces = _commonest(list(map(_pieces, told)), self._limits["pieces"], self._limits["spread"])
        self._brand = [self._count(each) for each in told]
        self._others = [self._count(each) for each in others] if self.angular else []
        self._spreads: dict[int, _Spread] = {}

    def place(self, text: str) -> Placement | None:
        """Say where a text stands; None without words or without enough brand texts."""
        told = tokens(text)
        if not self.ready or not told:
            return None
        length = self._length(len(told))
        spread = self._spread(length)
        vector = self._vectors([self._count(told)], length)
        distances = _distances(vector, spread.means, spread.deviations, spread.origin)
        farther = int((spread.own >= distances - _CLOSE).sum())
        return Placement(farther / len(spread.own), float(distances.mean()), length)

    def _length(self, available: int) -> int:
        """Return the largest step that the text reaches and enough brand texts reach; uncut if there is none."""
        sizes = np.array([len(each.words) for each in self._brand])
        fitting = [
            step
            for step in self._limits["steps"]
            if step <= available and int((sizes >= step).sum()) >= self._limits["least_texts"]
        ]
        return max(fitting, default=_UNCUT)

    def _spread(self, length: int) -> _Spread:
        if length not in self._spreads:
            self._spreads[length] = self._measure(length)
        return self._spreads[length]

    def _measure(self, length: int) -> _Spread:
        """Measure the brand texts that reach a length, each against all others."""
        brand = self._vectors([each for each in self._brand if len(each.words) >= length], length)
        others = [each for each in self._others if len(each.words) >= length]
        if len(others) < self._limits["least_texts"]:
            others = self._others
        origin = self._vectors(others, length).mean(axis=0) if self.angular else None
        size = length or round(float(np.mean([len(each.words) for each in self._brand])))
        n = len(brand) - 1
        means = (brand.sum(axis=0) - brand) / n
        variances = np.maximum((brand**2).sum(axis=0) - brand**2 - n * means**2, 0) / max(1, n - 1)
        deviations = np.maximum(np.sqrt(variances), self._floor(brand.mean(axis=0), size))
        return _Spread(means, deviations, origin, _distances(brand, means, deviations, origin))

    def _floor(self, mean: Vectors, length: int) -> Vectors:
        """Half of what chance alone gives at this length: a habit without exception must not divide by zero."""
        size = max(1, length)
        return 0.5 * np.sqrt((mean + 0.5 / (self.texts * size)) / size)

    def _count(self, told: Sequence[str]) -> _Counted:
        found = np.array([self._words.get(token, -1) for token in told], dtype=np.int64)
        pieces = [self._pieces.get(piece, -1) for piece in _pieces(told)] if self._pieces else []
        ends = np.cumsum([len(token) + 1 for token in told]) - 1
        return _Counted(found, np.array(pieces, dtype=np.int64), ends)

    def _vectors(self, counted: Sequence[_Counted], length: int) -> Vectors:
        """Return relative frequencies of words and pieces, one row for each text, cut to `length`."""
        rows = []
        for each in counted:
            size = min(length, len(each.words)) if length else len(each.words)
            most = max(0, int(each.ends[size - 1]) - _PIECE + 1)
            said = _frequencies(each.words[:size], len(self._words))
            rows.append(np.concatenate([said, _frequencies(each.pieces[:most], len(self._pieces))]))
        return np.array(rows)


def writes_english(texts: Sequence[str]) -> bool:
    """Say whether a fair share of the words are English function words."""
    share: float = limits("delta")["english"]
    return _english([tokens(text) for text in texts], share)


def burrows(vectors: Vectors, mean: Vectors, deviation: Vectors) -> Vectors:
    """Burrows' Delta of each row to `mean`: the mean absolute z-score."""
    found: Vectors = np.abs((vectors - mean) / deviation).mean(axis=1)
    return found


def cosine(vectors: Vectors, mean: Vectors, deviation: Vectors, origin: Vectors) -> Vectors:
    """Cosine Delta of each row to `mean`, z-scored from `origin`: 0 the same direction, 1 unrelated, 2 opposite."""
    one, other = (vectors - origin) / deviation, np.atleast_2d((mean - origin) / deviation)
    sizes = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    found: Vectors = 1 - (one * other).sum(axis=1) / np.where(sizes > 0, sizes, 1.0)
    return found


def _distances(vectors: Vectors, mean: Vectors, deviation: Vectors, origin: Vectors | None) -> Vectors:
    if origin is None:
        return burrows(vectors, mean, deviation)
    return cosine(vectors, mean, deviation, origin)


def _frequencies(found: NDArray[np.int64], size: int) -> Vectors:
    known = np.bincount(found[found >= 0], minlength=size)
    return known / max(1, len(found))


def _vocabulary(told: Sequence[Sequence[str]], chosen: Mapping[str, Any]) -> dict[str, int]:
    """Return what is counted: the brand's commonest words and marks, or in a small English corpus the shipped words."""
    own = _commonest(told, chosen["words"], chosen["spread"])
    small = sum(map(len, told)) < chosen["small_corpus"]
    return _shipped() if not own or (small and _english(told, chosen["english"])) else own


def _english(told: Sequence[Sequence[str]], least: float) -> bool:
    said = [token for each in told for token in each]
    return sum(token in _shipped() for token in said) >= least * len(said) > 0


@cache
def _shipped() -> dict[str, int]:
    return {word: at for at, word in enumerate(dict.fromkeys((*function_words(), *_MARKS)))}


def _commonest(told: Sequence[Sequence[str]], most: int, spread: float) -> dict[str, int]:
    """Return the commonest items of those in a share of the texts and in three: what one text alone says is topic."""
    counts = Counter(item for each in told for item in each)
    texts = Counter(item for each in told for item in set(each))
    least = max(_TEXTS, spread * len(told))
    usual = [item for item, _ in counts.most_common() if texts[item] >= least]
    return {item: at for at, item in enumerate(usual[:most])}


def _pieces(told: Sequence[str]) -> list[str]:
    line = " ".join(told)
    return [line[at : at + _PIECE] for at in range(len(line) - _PIECE + 1)]
