"""What a set of texts looks like in numbers: lengths, marks, habits; it does not compare sets or judge.

Readability is the Automated Readability Index (Senter and Smith 1967): it needs characters, words and sentences alone.
Formulas with syllables would need a dictionary, which libraries fetch at run time, or a guess.
"""

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean, pstdev
from typing import NamedTuple

from trainers.evals.style.limits import word_set
from trainers.evals.style.text import seen, sentences, words

# Pictographs, dingbats and flags; a keycap or a skin tone is part of the sign before it.
_EMOJI = re.compile(r"[\U0001F1E6-\U0001F1FF\U0001F300-\U0001F3FA\U0001F400-\U0001FAFF\u2600-\u27BF\u2B50\u2B55]")
_LIST = re.compile(r"^[ \t]*(?:[-*•+]|\d{1,3}[.)])[ \t]+\S", re.MULTILINE)
_HEADING = re.compile(r"^#{1,6}[ \t]+\S", re.MULTILINE)
_EM_DASH = re.compile(r"—|(?<=\s)(?:--|–)(?=\s)")
_COMMON = 0.2  # share of texts from which an opening or a closing is a habit

SIGNS: Mapping[str, Callable[[str], int]] = {
    "questions": lambda text: text.count("?") + text.count("？"),
    "exclamations": lambda text: text.count("!") + text.count("！"),
    "em_dashes": lambda text: len(_EM_DASH.findall(text)),
    "semicolons": lambda text: text.count(";"),
    "emoji": lambda text: len(_EMOJI.findall(text)),
    "list_lines": lambda text: len(_LIST.findall(text)),
    "headings": lambda text: len(_HEADING.findall(text)),
    "contractions": lambda text: sum(map(_is_contraction, words(text))),
    "first_person": lambda text: sum(word in word_set("first_person") for word in words(text)),
    "second_person": lambda text: sum(word in word_set("second_person") for word in words(text)),
}
"""What is counted, by name: how often it stands in a text."""


class Habit(NamedTuple):
    """A phrase that many texts open or close with."""

    phrase: str
    share: float
    """Share of texts, 0 to 1."""


@dataclass(frozen=True, kw_only=True)
class Profile:
    """A set of texts in numbers; means over nothing are None."""

    texts: int
    """Texts with at least one word."""
    words: int
    """Words in all."""
    words_per_text: float | None
    """Mean."""
    words_per_sentence: float | None
    """Mean over sentences."""
    sentence_deviation: float | None
    """Standard deviation of words per sentence."""
    sentence_quantiles: tuple[int, int, int] | None
    """Words of a sentence that 10, 50 and 90% of sentences do not exceed."""
    characters_per_word: float | None
    """Mean letters and digits of a word."""
    readability: float | None
    """Automated Readability Index: about the school year of the United States that reads it; for English."""
    rates: Mapping[str, float]
    """Each of SIGNS for 1,000 words; empty without words."""
    openings: tuple[Habit, ...]
    """First two words that a fifth of the texts share, commonest first."""
    closings: tuple[Habit, ...]
    """Last two words that a fifth of the texts share."""


def profile(texts: Sequence[str]) -> Profile:
    """Describe a set of texts."""
    told = [(seen(text), found) for text in texts if (found := words(text))]
    total = sum(len(found) for _, found in told)
    lengths = [len(found) for text, _ in told for sentence in sentences(text) if (found := words(sentence))]
    letters = sum(len(word) for _, found in told for word in found)
    return Profile(
        texts=len(told),
        words=total,
        words_per_text=total / len(told) if told else None,
        words_per_sentence=fmean(lengths) if lengths else None,
        sentence_deviation=pstdev(lengths) if lengths else None,
        sentence_quantiles=_quantiles(lengths),
        characters_per_word=letters / total if total else None,
        readability=4.71 * letters / total + 0.5 * total / len(lengths) - 21.43 if lengths else None,
        rates={name: 1000 * sum(count(text) for text, _ in told) / total for name, count in SIGNS.items() if total},
        openings=_habits([found[:2] for _, found in told]),
        closings=_habits([found[-2:] for _, found in told]),
    )


def distinct_2(texts: Sequence[str]) -> float | None:
    """Share of different pairs of neighbouring words among all pairs (Li et al. 2016); None without a pair."""
    pairs = [pair for text in texts for pair in _neighbours(words(text))]
    return len(set(pairs)) / len(pairs) if pairs else None


def _neighbours(found: Sequence[str]) -> list[tuple[str, str]]:
    return list(pairwise(found))


def _is_contraction(word: str) -> bool:
    return "'" in word and (word in word_set("contraction_words") or word.endswith(tuple(word_set("contraction_ends"))))


def _quantiles(lengths: Sequence[int]) -> tuple[int, int, int] | None:
    """Return the least length that so many of 100 do not exceed."""
    if not lengths:
        return None
    ordered = sorted(lengths)
    low, middle, high = (ordered[-(-len(ordered) * percent // 100) - 1] for percent in (10, 50, 90))
    return low, middle, high


def _habits(ends: Sequence[Sequence[str]]) -> tuple[Habit, ...]:
    counts = Counter(" ".join(end) for end in ends)
    least = max(2, _COMMON * len(ends))
    return tuple(Habit(phrase, count / len(ends)) for phrase, count in counts.most_common() if count >= least)
