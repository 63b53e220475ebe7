"""What is distinctive in how a brand writes, each claim with counts and an interval; it writes no text itself.

With fewer texts fewer claims are made: the profile says which and what more texts would bring.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np

from knowledge.errors import UserError
from trainers.evals.style.exchanged import chances, pair
from trainers.evals.style.intervals import (
    Estimate,
    Interval,
    estimate,
    interval,
    p_of_difference,
    share_of,
    texts_for,
    texts_to_tell,
)
from trainers.evals.style.keyness import Keyness, keyness
from trainers.evals.style.limits import function_words, limits
from trainers.evals.style.measures import Measure, Vectors, all_parts, measures
from trainers.evals.style.reference import plain_english
from trainers.evals.style.text import seen, words
from trainers.evals.style.two_writers import Groups, groups

_Found = tuple[str, Measure, Estimate, Estimate | None]
_ENDS: Final = (3, 2, 1)  # words of an opening or a closing, the longest first


class Figure(NamedTuple):
    """One habit in numbers."""

    key: str
    name: str
    unit: str
    digits: int
    value: float
    low: float
    high: float
    other: float | None
    """The reference's value; None without one."""
    differs: bool
    """Whether brand and reference differ beyond chance, corrected for all habits looked at (Holm)."""
    p: float | None
    needs: int | None = None
    """Texts from which it would differ if the difference stays as large; None unless that is near."""


class Ending(NamedTuple):
    """A phrase that many texts open or close with."""

    phrase: str
    texts: int
    share: Interval
    """Of texts, 0 to 1."""


@dataclass(frozen=True, kw_only=True)
class VoiceProfile:
    """A brand's writing."""

    texts: int
    words: int
    reference: str
    """What it is compared with, in words."""
    own_reference: bool
    """Whether the reference was given, rather than the plain English that is shipped."""
    figures: tuple[Figure, ...]
    """Those that differ first, by how sure that is."""
    phrases: Keyness
    openings: tuple[Ending, ...]
    closings: tuple[Ending, ...]
    groups: Groups | None
    """Two groups of texts that seem to be written by two people; None where there is no sign of that."""
    english: bool
    sentence_texts: int | None
    """Texts that would tell the mean sentence length to within a tenth."""

    @property
    def distinctive(self) -> tuple[Figure, ...]:
        """Habits that differ from the reference."""
        return tuple(each for each in self.figures if each.differs)

    @property
    def nearly(self) -> tuple[Figure, ...]:
        """Habits that differ by themselves, but not yet when all are looked at; those that need least come first."""
        near = [each for each in self.figures if each.needs is not None]
        return tuple(sorted(near, key=lambda each: each.needs or 0))

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "texts": self.texts,
            "words": self.words,
            "reference": self.reference,
            "figures": [each._asdict() for each in self.figures],
            "used": [each._asdict() for each in self.phrases.used],
            "avoided": [each._asdict() for each in self.phrases.avoided],
            "phrases_compared": self.phrases.looked_at,
            "openings": [_ending_json(each) for each in self.openings],
            "closings": [_ending_json(each) for each in self.closings],
            "two_writers": self.groups and self.groups._asdict(),
            "texts_for_sentence_length": self.sentence_texts,
        }


def describe(texts: Sequence[str], reference: Sequence[str] = (), *, called: str = "") -> VoiceProfile:
    """Describe how `texts` are written beside `reference` (what others, such as the untuned model, write instead).

    `called` says in words what the reference is. Raises UserError for fewer than three texts with words.
    """
    told = _usable(texts)
    least = limits("voice")["least_texts"]
    if len(told) < least:
        raise UserError(
            f"A voice needs at least {least} texts, and here {'is' if len(told) == 1 else 'are'} {len(told)}.",
            "Put a line with --- between texts, or give one file for each.",
        )
    others = _usable(reference) if reference else list(plain_english())
    figures, sentence = _figures(told, others, same_kind=bool(reference))
    enough = len(told) >= limits("voice")["keyness_texts"]
    return VoiceProfile(
        texts=len(told),
        words=sum(len(words(text)) for text in told),
        reference=called or (f"{len(others)} texts that you gave" if reference else "the plain English of our guide"),
        own_reference=bool(reference),
        figures=figures,
        phrases=keyness(told, others) if enough else Keyness((), (), 0),
        openings=_endings(told, opening=True),
        closings=_endings(told, opening=False),
        groups=groups(told),
        english=_english(told),
        sentence_texts=sentence and texts_for(sentence, limits("voice")["precise"]),
    )


def distance(texts: Sequence[str], others: Sequence[str]) -> float:
    """Return how far two sets of texts are apart: the mean difference of habits and function words.

    Each is counted in standard deviations of single texts; the two sets are treated alike.
    """
    gaps = []
    for (measure, one), (_, other) in zip(_all_parts(texts), _all_parts(others), strict=True):
        told = [estimate(parts, measure.value, measure.kind) for parts in (one, other)]
        if None not in told and (spread := sum(each.variance * each.texts for each in told if each)):
            gaps.append(abs(told[0].scaled - told[1].scaled) / (spread / 2) ** 0.5)  # type: ignore[union-attr]  # both are there
    return float(np.mean(gaps)) if gaps else 0.0


def _usable(texts: Sequence[str]) -> list[str]:
    return [seen(text) for text in texts if words(text)][: limits("voice")["most_texts"]]


def _figures(
    texts: Sequence[str], others: Sequence[str], *, same_kind: bool
) -> tuple[tuple[Figure, ...], Estimate | None]:
    ours, theirs = all_parts(texts), all_parts(others)
    found: list[_Found] = []
    for key, measure in measures().items():
        one = estimate(ours[key], measure.value, measure.kind)
        if one is not None:
            comparable = same_kind or not measure.layout
            other = estimate(theirs[key], measure.value, measure.kind) if comparable else None
            found.append((key, measure, one, other))
    by_itself = _chances(found, ours, theirs)
    sure = holm(by_itself)
    level = 1 - float(limits("voice")["level"])
    bar = level / max(1, sum(p >= level for p in sure.values()))
    figures = [
        _figure(key, measure, one, other, sure.get(key))._replace(
            needs=_needs(one, other, by_itself[key], bar) if other and by_itself[key] < level <= sure[key] else None
        )
        for key, measure, one, other in found
    ]
    sentence = next((one for key, _, one, _ in found if key == "words_per_sentence"), None)
    return tuple(sorted(figures, key=lambda each: (not each.differs, 1.0 if each.p is None else each.p))), sentence


def _chances(found: Sequence[_Found], ours: Mapping[str, Vectors], theirs: Mapping[str, Vectors]) -> dict[str, float]:
    """Return by habit the larger of two chances: Welch's, and that of texts exchanged between the sets.

    The first knows sets of unequal spread, the second sets too small to show theirs. What the first finds is exchanged.
    """
    welch = {key: p_of_difference(one, other) for key, _, one, other in found if other is not None}
    level = 1 - float(limits("voice")["level"])
    pairs = {
        key: pair(ours[key], theirs[key], measure.value, (one, other))
        for key, measure, one, other in found
        if other is not None and welch[key] < level
    }
    exchanged = chances(pairs)
    return {key: max(p, exchanged.get(key, p)) for key, p in welch.items()}


def _needs(one: Estimate, other: Estimate, now: float, bar: float) -> int | None:
    return texts_to_tell(one, other, now, bar, most=max(one.texts, int(limits("needs")["profile_texts"])))


def _figure(key: str, measure: Measure, one: Estimate, other: Estimate | None, p: float | None) -> Figure:
    told = interval(one)
    differs = p is not None and p < 1 - limits("voice")["level"]
    return Figure(key, measure.name, measure.unit, measure.digits, *told, other.value if other else None, differs, p)


def holm(chances: Mapping[str, float]) -> dict[str, float]:
    """Return p-values corrected for how many there are (Holm 1979)."""
    corrected, highest = {}, 0.0
    for place, (key, p) in enumerate(sorted(chances.items(), key=lambda each: each[1])):
        highest = max(highest, min(1.0, p * (len(chances) - place)))
        corrected[key] = highest
    return corrected


def _endings(texts: Sequence[str], *, opening: bool) -> tuple[Ending, ...]:
    """Return phrases that a fifth of the texts open or close with; of two that hold each other the longer."""
    told = [words(text) for text in texts]
    least = max(2, limits("voice")["habit"] * len(told))
    found: list[tuple[str, int]] = []
    for size in _ENDS:
        counts = Counter(" ".join(each[:size] if opening else each[-size:]) for each in told if len(each) > size)
        for phrase, number in counts.most_common():
            inside = (longer for longer, times in found if _ends(longer, phrase, opening) and times >= 0.8 * number)
            if number >= least and not any(inside):
                found.append((phrase, number))
    ranked = sorted(found, key=lambda each: -each[1])
    return tuple(Ending(phrase, number, share_of(number, len(told))) for phrase, number in ranked)


def _ends(longer: str, phrase: str, opening: bool) -> bool:
    return longer.startswith(f"{phrase} ") if opening else longer.endswith(f" {phrase}")


def _english(texts: Sequence[str]) -> bool:
    said = [word for text in texts for word in words(text)]
    known = set(function_words())
    return sum(word in known for word in said) >= 0.2 * len(said)


def _all_parts(texts: Sequence[str]) -> list[tuple[Measure, Vectors]]:
    """Return the parts of each habit and, as a rate, of each function word."""
    told = _usable(texts)
    counted = [Counter(words(text)) for text in told]
    sizes = [float(sum(each.values())) for each in counted]
    parts_by_key = all_parts(told)
    found = [(measure, parts_by_key[key]) for key, measure in measures().items()]
    for word in function_words():
        parts = np.array([[each[word], size] for each, size in zip(counted, sizes, strict=True)])
        found.append((_WORD._replace(name=word), parts))
    return found


_WORD: Final = Measure("", "per 1,000 words", lambda text: (0.0, 0.0), lambda sums: 1000 * sums[0] / sums[1], "rate")


def _ending_json(each: Ending) -> dict[str, Any]:
    return {"phrase": each.phrase, "texts": each.texts, "share": each.share._asdict()}
