"""Which words and phrases one set of texts uses more or less than another; it does not know why.

Log-odds with an informative Dirichlet prior (Monroe, Colaresi and Quinn 2008): each item's odds in both sets are drawn
towards those of both together, by as many words as `prior` says, and their difference is divided by its deviation. A
few texts that repeat a word can drive such a score. So the deviation is widened by how much a phrase comes in bunches
(its variance over texts beside Poisson's), and a phrase counts only where a share of the texts holds it.
"""

from collections import Counter
from collections.abc import Sequence
from math import erfc, log, sqrt
from typing import Final, NamedTuple

from trainers.evals.style.limits import limits, word_set
from trainers.evals.style.text import sentences, words

_LONGEST: Final = 3  # words of a phrase
_SHADOWED: Final = 0.8  # share of a phrase's uses inside a longer one from which it is that one's shadow


class Keyword(NamedTuple):
    """A word or phrase that one set uses otherwise than the other."""

    phrase: str
    z: float
    """Deviations of the log-odds from equal use; negative: the first set avoids it."""
    p: float
    """After Holm's correction over all phrases that were looked at."""
    times: int
    """In the first set."""
    texts: int
    """Texts of the first set that hold it; for what is avoided, of the other."""
    expected: float
    """How often the first set would hold it at the other's rate."""
    subject: bool
    """Whether it is a content word: it may tell what the texts are about and not how they are written."""


class Keyness(NamedTuple):
    """What came of a comparison."""

    used: tuple[Keyword, ...]
    """Used more, the surest first."""
    avoided: tuple[Keyword, ...]
    """Used less."""
    looked_at: int
    """Phrases that were compared."""


def keyness(texts: Sequence[str], reference: Sequence[str]) -> Keyness:
    """Compare the words and phrases of up to three words of two sets of texts."""
    chosen = limits("keyness")
    ours, theirs = _Counts(texts), _Counts(reference)
    if not ours.words or not theirs.words:
        return Keyness((), (), 0)
    least_ours, least_theirs = (max(chosen["texts"], chosen["spread"] * len(each)) for each in (texts, reference))
    scale = ours.words / theirs.words
    found = []
    for phrase in ours.count.keys() | theirs.count.keys():
        said, expected = ours.count[phrase], theirs.count[phrase] * scale
        common = ours.texts[phrase] >= least_ours and said >= chosen["count"]
        missed = theirs.texts[phrase] >= least_theirs and expected >= chosen["expected"]
        if common or missed:
            found.append(_score(phrase, ours, theirs, expected))
    judged = _holm(found)
    sure = [each for each in judged if each.p < chosen["level"]]
    used = [each for each in sure if each.z > 0 and ours.texts[each.phrase] >= least_ours]
    avoided = [
        each._replace(texts=theirs.texts[each.phrase])
        for each in sure
        if each.z < 0 and each.expected >= chosen["expected"] and theirs.texts[each.phrase] >= least_theirs
    ]
    return Keyness(
        tuple(_without_shadows(sorted(used, key=lambda each: -each.z), ours)),
        tuple(_without_shadows(sorted(avoided, key=lambda each: each.z), theirs)),
        len(found),
    )


class _Counts:
    """Words and phrases of a set of texts; no phrase crosses the end of a sentence."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.count: Counter[str] = Counter()
        self.texts: Counter[str] = Counter()
        self.squares: Counter[str] = Counter()
        self.words, self.size = 0, len(texts)
        for text in texts:
            told = [found for sentence in sentences(text) if (found := words(sentence))]
            here = Counter(
                " ".join(found[at : at + size])
                for found in told
                for size in range(1, _LONGEST + 1)
                for at in range(len(found) - size + 1)
            )
            self.words += sum(map(len, told))
            self.count += here
            self.texts.update(here.keys())
            self.squares.update({phrase: number * number for phrase, number in here.items()})

    def bunched(self, phrase: str) -> float:
        """Return the variance of a phrase's counts over texts as a multiple of its mean, at least 1."""
        mean = self.count[phrase] / self.size
        return max(1.0, (self.squares[phrase] / self.size - mean**2) / mean) if mean else 1.0


def _score(phrase: str, ours: _Counts, theirs: _Counts, expected: float) -> Keyword:
    prior = float(limits("keyness")["prior"])
    both = (ours.count[phrase] + theirs.count[phrase]) / (ours.words + theirs.words)
    share = prior * both
    one, other = ours.count[phrase] + share, theirs.count[phrase] + share
    difference = log(one / (ours.words + prior - one)) - log(other / (theirs.words + prior - other))
    z = difference / sqrt(ours.bunched(phrase) / one + theirs.bunched(phrase) / other)
    subject = not all(map(_closed_class, phrase.split()))
    return Keyword(phrase, z, erfc(abs(z) / sqrt(2)), ours.count[phrase], ours.texts[phrase], expected, subject)


def _closed_class(word: str) -> bool:
    return "'" in word or any(word in word_set(name) for name in ("function", "hedges", "boosters", "common"))


def _holm(found: Sequence[Keyword]) -> list[Keyword]:
    """Correct for how many phrases were looked at (Holm 1979)."""
    judged, highest = [], 0.0
    for place, each in enumerate(sorted(found, key=lambda each: each.p)):
        highest = max(highest, min(1.0, each.p * (len(found) - place)))
        judged.append(each._replace(p=highest))
    return judged


def _without_shadows(ranked: Sequence[Keyword], counts: _Counts) -> list[Keyword]:
    """Leave out what mostly stands inside a longer phrase that is listed, and what adds little to a listed part."""
    kept: list[Keyword] = []
    listed = {each.phrase for each in ranked}
    for each in ranked:
        longer = [other for other in listed if each.phrase != other and _inside(each.phrase, other)]
        most = max((counts.count[other] for other in longer), default=0)
        shorter = [other for other in listed if other != each.phrase and _inside(other, each.phrase)]
        thin = any(counts.count[each.phrase] < _SHADOWED * counts.count[other] for other in shorter)
        if most < _SHADOWED * counts.count[each.phrase] and not thin:
            kept.append(each)
    return kept


def _inside(short: str, long: str) -> bool:
    return f" {short} " in f" {long} "
