"""Finds the training rows most like a text, by TF-IDF of words and of character runs; it does not ask anybody.

The same features as `trainers.scripts.prompting` uses with scikit-learn, which is not at hand here: words and word
pairs, runs of 2 to 5 characters within words, sublinear term frequency, each half of unit length. Spelling mistakes
still match. Many texts are searched at once: features that many rows have are multiplied as a plain matrix, the others
as a sparse one, which is ten times as fast as row by row.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from scipy.sparse import csr_matrix

_WORD = re.compile(r"\b\w\w+\b")
_SPACES = re.compile(r"\s+")
RUNS = (2, 5)
"""Shortest and longest run of characters."""
_COMMON = 16
"""A feature is common if more than one row in so many has it."""
_AT_ONCE = 512
"""Texts that are searched together: what they share with 2,000 rows takes 8 MB."""


class Similar:
    """An index of texts."""

    def __init__(self, texts: Sequence[str]) -> None:
        """Weigh every feature by how rare it is (idf = ln((1 + n) / (1 + df)) + 1)."""
        from scipy.sparse import hstack  # 0.2 s, for evaluations over an endpoint alone

        self._n = len(texts)
        self._halves = (_Half(_words), _Half(_runs, by_word=True))
        rows = hstack([half.learn(texts) for half in self._halves], format="csr")
        common = np.bincount(rows.indices, minlength=rows.shape[1]) * _COMMON > self._n
        self._common, self._rare = np.flatnonzero(common), np.flatnonzero(~common)
        self._dense = rows[:, self._common].T.toarray()
        self._sparse = rows[:, self._rare].T.tocsr()

    def nearest(self, text: str, most: int) -> list[int]:
        """Return the places of the `most` most similar texts, the nearest first; among equals the earlier one."""
        return next(self.nearest_of([text], most))

    def nearest_of(self, texts: Sequence[str], most: int) -> Iterator[list[int]]:
        """Yield the same for each of many texts; hundreds are searched together, in about half a second."""
        for begin in range(0, len(texts), _AT_ONCE):
            for likeness in self._likeness(texts[begin : begin + _AT_ONCE]):
                yield _first(-likeness, most)

    def _likeness(self, texts: Sequence[str]) -> Any:
        """Return a row of likenesses, to 9 digits, for each text."""
        from scipy.sparse import hstack

        asked = hstack([half.weigh(texts) for half in self._halves], format="csr")
        likeness = asked[:, self._common].toarray() @ self._dense
        likeness += (asked[:, self._rare] @ self._sparse).toarray()
        return np.round(likeness, 9)


class _Half:
    """One half of the features: a number for each, and how rare it is."""

    def __init__(self, features: Callable[[str], list[str]], *, by_word: bool = False) -> None:
        """Take what finds a text's features; `by_word`: those of each word alone, so that a word is read once."""
        self._features, self._by_word = features, by_word
        self._numbers: dict[str, int] = {}
        self._known: dict[str, list[int]] = {}
        self._idf: Any = None

    def learn(self, texts: Sequence[str]) -> "csr_matrix":
        """Number the features of these texts and return them weighed, a row for each text."""
        counts = self._counted(texts)
        seen = np.bincount(counts.indices, minlength=counts.shape[1])
        self._idf = np.log((1 + len(texts)) / (1 + seen)) + 1
        self._known.clear()  # from now on a feature that is not numbered has no number
        return self._weighed(counts)

    def weigh(self, texts: Sequence[str]) -> "csr_matrix":
        """Return the known features of other texts, weighed."""
        return self._weighed(self._counted(texts))

    def _counted(self, texts: Sequence[str]) -> "csr_matrix":
        from scipy.sparse import csr_matrix

        found = [self._read(text) for text in texts]
        ends = np.cumsum([0, *map(len, found)])
        features = np.fromiter((number for numbers in found for number in numbers), np.int32, ends[-1])
        counts = csr_matrix((np.ones(len(features)), features, ends), shape=(len(texts), len(self._numbers)))
        counts.sum_duplicates()
        return counts

    def _weighed(self, counts: "csr_matrix") -> "csr_matrix":
        rows = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
        weights = (1 + np.log(counts.data)) * self._idf[counts.indices]
        counts.data = weights / np.sqrt(np.bincount(rows, weights**2, counts.shape[0]))[rows]
        return counts

    def _read(self, text: str) -> list[int]:
        """Return the numbers of a text's features, each as often as it occurs."""
        if not self._by_word:
            return self._number(self._features(text))
        numbers: list[int] = []
        for word in _SPACES.split(text.lower()):
            known = self._known.get(word)
            if known is None:
                known = self._known[word] = self._number(self._features(word))
            numbers += known
        return numbers

    def _number(self, features: Sequence[str]) -> list[int]:
        if self._idf is None:
            return [self._numbers.setdefault(feature, len(self._numbers)) for feature in features]
        return [self._numbers[feature] for feature in features if feature in self._numbers]


def _first(far: Any, most: int) -> list[int]:
    """Return the places of the `most` smallest numbers, the smallest first; among equals the earlier one."""
    if most < len(far):  # all that are as near as the last one wanted: among equals the earlier is taken
        near = np.flatnonzero(far <= np.partition(far, most - 1)[most - 1]) if most else np.array([], np.int64)
    else:
        near = np.arange(len(far))
    return [int(place) for place in near[np.argsort(far[near], kind="stable")[:most]]]


def _words(text: str) -> list[str]:
    words = _WORD.findall(text.lower())
    return [*words, *(f"{first} {second}" for first, second in pairwise(words))]


def _runs(word: str) -> list[str]:
    low, high = RUNS
    padded = f" {word} " if word else ""
    return [padded[at : at + n] for n in range(low, high + 1) for at in range(len(padded) - n + 1)]
