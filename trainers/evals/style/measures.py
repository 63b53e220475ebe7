"""Which habits of a text are counted, as parts that add up over texts; it knows no intervals and compares nothing.

A measure is a function of sums over texts (words and sentences, say), so that leaving out a text is a subtraction.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from itertools import pairwise
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from trainers.evals.style.limits import word_set
from trainers.evals.style.profile import SIGNS
from trainers.evals.style.text import seen, sentences
from trainers.evals.style.text import words as words_of

Vectors = NDArray[np.float64]

_PARAGRAPH = re.compile(r"\n\s*\n")
_NUMERAL = re.compile(r"(?<![^\W_])\d+(?:[.,:]\d+)*")
_LIST = re.compile(r"\b[^\W_]+, [^\W_]+(?: [^\W_]+)?(,?) (?:and|or) [^\W_]+")
_WINDOW: Final = 50  # words of the moving window in which different words are counted
_SHORT: Final = 10  # words of a sentence that is called short
_LONG: Final = 25


class Measure(NamedTuple):
    """One habit."""

    name: str
    """As people read it: `words in a sentence`."""
    unit: str
    """What the value is in: `words`, `per 1,000 words`, `%`."""
    parts: Callable[[str], tuple[float, ...]]
    """A text -> numbers that are summed over texts; of a rate the first is how often, the second out of how much."""
    value: Callable[[Sequence[float]], float | None]
    """Sums -> the value; None where there is nothing to divide by."""
    kind: str
    """rate: rare events for 1,000 words; share: of things; mean: of what is above zero; level: of what may be below."""
    digits: int = 1
    layout: bool = False
    """Whether it depends on what kind of text it is: only texts of the same kind are compared in it."""


def measures() -> Mapping[str, Measure]:
    """Return every measure by a key that does not change."""
    return _MEASURES


def parts_of(measure: Measure, texts: Sequence[str]) -> Vectors:
    """Return a row of parts for each text with at least one word."""
    return np.array([measure.parts(text) for text in texts if _words(text)], dtype=np.float64)


def all_parts(texts: Sequence[str]) -> Mapping[str, Vectors]:
    """Return the same for every measure, by its key; each text is taken apart once."""
    rows = [{key: each.parts(text) for key, each in _MEASURES.items()} for text in texts if _words(text)]
    for cached in (_words, _sentence_lengths):
        cached.cache_clear()  # no text of a team stays behind
    return {key: np.array([row[key] for row in rows], dtype=np.float64) for key in _MEASURES}


def _per_sentence(text: str) -> tuple[float, ...]:
    lengths = _sentence_lengths(seen(text))
    return float(sum(lengths)), float(len(lengths))


def _sentence_moments(text: str) -> tuple[float, ...]:
    lengths = _sentence_lengths(seen(text))
    return float(sum(lengths)), float(sum(length * length for length in lengths)), float(len(lengths))


def _sentence_share(least: int, most: int) -> Callable[[str], tuple[float, ...]]:
    def parts(text: str) -> tuple[float, ...]:
        lengths = _sentence_lengths(seen(text))
        return float(sum(least <= length <= most for length in lengths)), float(len(lengths))

    return parts


def _variety(text: str) -> tuple[float, ...]:
    """Different words in each window of 50 (MATTR, Covington and McFall 2010); a shorter text has no window."""
    found = _words(text)
    windows = len(found) - _WINDOW + 1
    different = sum(len(set(found[at : at + _WINDOW])) for at in range(max(0, windows)))
    return float(different), float(max(0, windows) * _WINDOW)


def _letters(text: str) -> tuple[float, ...]:
    found = _words(text)
    return float(sum(map(len, found))), float(len(found))


def _per_paragraph(text: str) -> tuple[float, ...]:
    blocks = [block for block in _PARAGRAPH.split(seen(text)) if words_of(block)]
    return float(len(_words(text))), float(len(blocks))


def _grade(text: str) -> tuple[float, ...]:
    found = _words(text)
    return float(sum(map(len, found))), float(len(found)), float(len(_sentence_lengths(seen(text))))


def _readability(sums: Sequence[float]) -> float | None:
    letters, said, ends = sums
    return None if not said or not ends else 4.71 * letters / said + 0.5 * said / ends - 21.43


def _list_commas(text: str) -> tuple[float, ...]:
    found = _LIST.findall(seen(text))
    return float(sum(comma == "," for comma in found)), float(len(found))


def _rate(count: Callable[[str], int]) -> Callable[[str], tuple[float, ...]]:
    return lambda text: (float(count(seen(text))), float(len(_words(text))))


def _in_list(name: str) -> Callable[[str], int]:
    return lambda text: sum(word in word_set(name) for word in _words(text))


def _passives(text: str) -> int:
    """Count a form of `be` before a word in -ed or -en: a proxy that adjectives deceive."""
    pairs = pairwise(_words(text))
    return sum(one in word_set("be") and len(two) > 4 and two.endswith(("ed", "en")) for one, two in pairs)


def _shouted(text: str) -> int:
    return sum(len(word) > 3 and word.isupper() and word.isalpha() for word in text.split())


@lru_cache(maxsize=1)
def _words(text: str) -> tuple[str, ...]:
    return tuple(words_of(text))


@lru_cache(maxsize=1)
def _sentence_lengths(text: str) -> tuple[int, ...]:
    return tuple(found for sentence in sentences(text) if (found := len(words_of(sentence))))


def _ratio(sums: Sequence[float]) -> float | None:
    return sums[0] / sums[1] if sums[1] else None


def _times(factor: float) -> Callable[[Sequence[float]], float | None]:
    def value(sums: Sequence[float]) -> float | None:
        return factor * sums[0] / sums[1] if sums[1] else None

    return value


def _deviation(sums: Sequence[float]) -> float | None:
    total, squares, number = sums
    if number < 2:
        return None
    return float(np.sqrt(max(0.0, (squares - total * total / number) / (number - 1))))


_PERCENT, _THOUSAND = _times(100), _times(1000)

_NAMED: Mapping[str, str] = {
    "questions": "question marks",
    "exclamations": "exclamation marks",
    "em_dashes": "dashes",
    "semicolons": "semicolons",
    "emoji": "emoji",
    "list_lines": "lines of lists",
    "headings": "headings",
    "contractions": "contractions",
    "first_person": "I, we, my, our",
    "second_person": "you, your",
}

_COUNTED: Mapping[str, tuple[str, Callable[[str], int]]] = {
    **{key: (_NAMED[key], count) for key, count in SIGNS.items()},
    "commas": ("commas", lambda text: text.count(",")),
    "parentheses": ("parentheses", lambda text: text.count("(")),
    "colons": ("colons", lambda text: text.count(":")),
    "numerals": ("numbers in digits", lambda text: len(_NUMERAL.findall(text))),
    "capitals": ("words in capitals", _shouted),
    "hedges": ("hedges (perhaps, maybe, might)", _in_list("hedges")),
    "boosters": ("strong words (very, really, truly)", _in_list("boosters")),
    "passives": ("passives, roughly", _passives),
}

_MEASURES: Mapping[str, Measure] = {
    "words_per_text": Measure(
        "words in a text", "words", lambda text: (float(len(_words(text))), 1.0), _ratio, "mean", 0, layout=True
    ),
    "words_per_paragraph": Measure("words in a paragraph", "words", _per_paragraph, _ratio, "mean", 0, layout=True),
    "words_per_sentence": Measure("words in a sentence", "words", _per_sentence, _ratio, "mean"),
    "sentence_deviation": Measure(
        "spread of sentence lengths (standard deviation)", "words", _sentence_moments, _deviation, "mean"
    ),
    "short_sentences": Measure(
        f"sentences of at most {_SHORT} words", "%", _sentence_share(1, _SHORT), _PERCENT, "share", 0
    ),
    "long_sentences": Measure(
        f"sentences of {_LONG} words or more", "%", _sentence_share(_LONG, 10_000), _PERCENT, "share", 0
    ),
    "characters_per_word": Measure("letters in a word", "letters", _letters, _ratio, "mean", 2),
    "readability": Measure("readability (ARI, school year)", "years", _grade, _readability, "level"),
    "variety": Measure("different words among 50 in a row", "%", _variety, _PERCENT, "mean", 0),
    "list_commas": Measure("lists with a comma before and/or", "%", _list_commas, _PERCENT, "share", 0),
    **{
        key: Measure(name, "per 1,000 words", _rate(count), _THOUSAND, "rate")
        for key, (name, count) in _COUNTED.items()
    },
}
