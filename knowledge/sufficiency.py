"""Judges whether found passages can answer a question at all; it weighs signals, it does not read."""

import math
import re
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from knowledge.index import Found, Hit
from knowledge.keywords import Rarity, terms
from knowledge.passages import of_guide
from knowledge.sentences import sentences

_READ = 3
"""How many of the best passages count: more than that an answer seldom uses."""
_LONG = 32
_WEIGHTS = tomllib.loads((Path(__file__).parent / "limits.toml").read_text(encoding="utf-8"))["abstain"]
# A word that starts with a capital after another word, has one inside, or mixes letters and digits.
_NAME = re.compile(r"(?<=[a-z0-9,] )[A-Z][\w.-]*|\b\w*[a-z0-9][A-Z]\w*\b|\b[A-Z]{2,}\w*\b|\b[A-Za-z]+-?\d[\w.]*\b")

_FIGURE = re.compile(
    r"\bhow (?:many|much|long|large|big|often|fast|far|old|expensive)\b"
    r"|\bper (?:hour|day|month|minute|min|token|second)\b"
    r"|\bwhat\b.{0,60}\b(?:costs?|prices?|fees?|rates?|sizes?|limits?|number|percentage|speed|latency|sla)\b"
    r"|\b(?:price|cost) of\b|\b(?:max(?:imum)?|minimum)\b|[%$€]",
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W\d_][\w.-]*")


class Signals(NamedTuple):
    """What a search tells about whether it found an answer; each between 0 and 1."""

    cosine: float
    """Largest cosine between the question and a found passage (or a question that one answers)."""
    coverage: float
    """Share of the question's content words, weighted by rarity, that stand in one of the best passages."""
    strange: float
    """Share of the names in the question (capitals inside a sentence, letters with digits) in none of the best."""
    length: float
    """How many content words the question has, on a logarithmic scale: 1 from 32 on."""
    coverage_length: float
    """Coverage times length: chatty questions share few of their words with any page, so coverage counts otherwise."""
    apart: float
    """Share of the question's names that even the best of the passages for them lacks: it speaks of something else."""
    figure: float
    """1 where the question asks for a number: all its words may stand in a passage that does not say it."""


NEAR = Signals._fields[:5]
"""What tells whether sources come near; with the others, whether they say it."""


class Chance(NamedTuple):
    """What can be hoped of the passages found, as two probabilities."""

    near: float
    """That they answer the question, by what tells other fields from ours: below a limit the answer is a no."""
    sure: float
    """The same by all signals: below a limit the answer says that it may miss the question. Nobody is told no because
    a number was asked for, or because names stand in different passages."""


def signals(question: str, hits: Sequence[Hit], rarities: Sequence[Rarity]) -> Signals:
    """Return the signals of what was found for `question`, best first; without a vector server the cosine is 0."""
    best = hits[:_READ]
    worded = [set(terms(f"{hit.passage.search_text}\n{hit.passage.questions}")) for hit in best]
    coverage = max((_covered(rarities, words) for words in worded), default=0.0)
    asked = {rarity.term for rarity in rarities}
    length = min(1.0, math.log1p(len(rarities)) / math.log1p(_LONG))
    return Signals(
        cosine=max((hit.cosine or 0.0 for hit in hits), default=0.0),
        coverage=coverage,
        strange=_strange(question, set().union(*worded)),
        length=length,
        coverage_length=coverage * length,
        apart=_apart(_names(asked, hits), worded),
        figure=float(bool(_FIGURE.search(question))),
    )


def sufficiency(question: str, found: Found) -> Chance:
    """Return the estimated chance that the passages found answer `question`.

    The guide has questions beside its pages and a team's own documents have none, so what a cosine means differs: each
    is weighed by itself, and the better chance counts.
    """
    guide = [hit for hit in found.hits if of_guide(hit.passage.id)]
    own = [hit for hit in found.hits if not of_guide(hit.passage.id)]
    chances = [_chance(question, hits, found, documents=hits is own) for hits in (guide, own) if hits]
    return Chance(max((each.near for each in chances), default=0.0), max((each.sure for each in chances), default=0.0))


def threshold(*, degraded: bool = False) -> float:
    """Return the probability below which an answer without a language model abstains; `degraded`: by keywords only."""
    return float((_WEIGHTS["keywords_only"] if degraded else _WEIGHTS)["threshold"])


def doubt() -> float:
    """Return the probability below which an answer without a language model says that it may miss the question."""
    return float(_WEIGHTS["doubt"])


def hopeless() -> float:
    """Return the probability below which a language model is not even asked."""
    return float(_WEIGHTS["hopeless"])


def _chance(question: str, hits: Sequence[Hit], found: Found, *, documents: bool) -> Chance:
    weights = _WEIGHTS["keywords_only"] if found.degraded else _WEIGHTS["documents"] if documents else _WEIGHTS["guide"]
    seen = signals(question, hits, found.rarities)
    return Chance(_weighed(weights, seen), _weighed(weights.get("sure", weights), seen))


def _weighed(weights: Mapping[str, float], seen: Signals) -> float:
    logit = weights["intercept"] + sum(weights.get(name, 0.0) * value for name, value in seen._asdict().items())
    return 1 / (1 + math.exp(-logit))


def _covered(rarities: Sequence[Rarity], words: set[str]) -> float:
    total = sum(rarity.weight for rarity in rarities)
    return sum(rarity.weight for rarity in rarities if rarity.term in words) / total if total else 0.0


def _strange(question: str, words: set[str]) -> float:
    names = [name for name in map(terms, _NAME.findall(question)) if name]
    return sum(not words.issuperset(name) for name in names) / len(names) if names else 0.0


def _names(asked: set[str], hits: Sequence[Hit]) -> set[str]:
    """Return the terms of a question that the found passages write with a capital inside sentences, in four of five.

    People write "meta" and "azure" as they like; texts do not.
    """
    capital, small = Counter[str](), Counter[str]()
    for hit in hits:
        for sentence in sentences(hit.passage.text):
            inside = _WORD.findall(sentence)[1:]
            capital.update(terms(" ".join(word for word in inside if word != word.lower())))
            small.update(terms(" ".join(word for word in inside if word == word.lower())))
    return {term for term in asked if capital[term] > 4 * small[term]}


def _apart(names: set[str], worded: Sequence[set[str]]) -> float:
    return 1 - max((len(names & words) / len(names) for words in worded), default=0.0) if names else 0.0
