"""Finds the training rows most like a text, by TF-IDF of words and of character runs; it does not ask anybody.

The same features as `trainers.scripts.prompting` uses with scikit-learn, in numpy: words and word pairs, runs of 2 to 5
characters within words, sublinear term frequency, each half of unit length. Spelling mistakes still match.
"""

import math
import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import numpy as np

_WORD = re.compile(r"\b\w\w+\b")
_SPACES = re.compile(r"\s+")
RUNS = (2, 5)
"""Shortest and longest run of characters."""
Weights = dict[str, float]


class Similar:
    """An index of texts."""

    def __init__(self, texts: Sequence[str]) -> None:
        """Weigh every feature by how rare it is (idf = ln((1 + n) / (1 + df)) + 1)."""
        self._n = len(texts)
        halves = [[Counter(half(text)) for text in texts] for half in (_words, _runs)]
        self._idf = [_rarities(counts) for counts in halves]
        places: dict[str, list[tuple[int, float]]] = {}
        for which, counts in enumerate(halves):
            for place, count in enumerate(counts):
                for feature, weight in _weigh(count, self._idf[which]).items():
                    places.setdefault(f"{which}{feature}", []).append((place, weight))
        self._rows = {name: np.array([place for place, _ in found], np.int32) for name, found in places.items()}
        self._weights = {name: np.array([weight for _, weight in found]) for name, found in places.items()}

    def nearest(self, text: str, most: int) -> list[int]:
        """Return the places of the `most` most similar texts, the nearest first; among equals the earlier one."""
        likeness = np.zeros(self._n)
        for which, half in enumerate((_words, _runs)):
            for feature, weight in _weigh(Counter(half(text)), self._idf[which]).items():
                name = f"{which}{feature}"
                likeness[self._rows[name]] += weight * self._weights[name]
        far = -np.round(likeness, 9)
        if most < self._n:  # all that are as near as the last one wanted: among equals the earlier is taken
            near = np.flatnonzero(far <= np.partition(far, most - 1)[most - 1]) if most else np.array([], np.int64)
        else:
            near = np.arange(self._n)
        return [int(place) for place in near[np.argsort(far[near], kind="stable")[:most]]]


def _words(text: str) -> list[str]:
    words = _WORD.findall(text.lower())
    return [*words, *(f"{first} {second}" for first, second in pairwise(words))]


def _runs(text: str) -> list[str]:
    low, high = RUNS
    padded = [f" {word} " for word in _SPACES.split(text.lower()) if word]
    return [word[at : at + n] for word in padded for n in range(low, high + 1) for at in range(len(word) - n + 1)]


def _rarities(counts: Sequence[Counter[str]]) -> Weights:
    seen = Counter(feature for count in counts for feature in count)
    return {feature: math.log((1 + len(counts)) / (1 + df)) + 1 for feature, df in seen.items()}


def _weigh(count: Counter[str], idf: Weights) -> Weights:
    weights = {feature: (1 + math.log(n)) * idf[feature] for feature, n in count.items() if feature in idf}
    length = math.sqrt(sum(weight * weight for weight in weights.values()))
    return {feature: weight / length for feature, weight in weights.items()} if length else {}
