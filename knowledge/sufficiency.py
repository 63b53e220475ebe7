"""Judges whether found passages can answer a question at all; it weighs signals, it does not read."""

import math
import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from knowledge.index import Found, Hit
from knowledge.keywords import Rarity, terms
from knowledge.passages import of_guide

_READ = 3
"""How many of the best passages count: more than that an answer seldom uses."""
_LONG = 32
_WEIGHTS = tomllib.loads((Path(__file__).parent / "limits.toml").read_text(encoding="utf-8"))["abstain"]
# A word that starts with a capital after another word, has one inside, or mixes letters and digits.
_NAME = re.compile(r"(?<=[a-z0-9,] )[A-Z][\w.-]*|\b\w*[a-z0-9][A-Z]\w*\b|\b[A-Z]{2,}\w*\b|\b[A-Za-z]+-?\d[\w.]*\b")


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


def signals(question: str, hits: Sequence[Hit], rarities: Sequence[Rarity]) -> Signals:
    """Return the signals of what was found for `question`, best first; without a vector server the cosine is 0."""
    best = hits[:_READ]
    worded = [set(terms(f"{hit.passage.search_text}\n{hit.passage.questions}")) for hit in best]
    coverage = max((_covered(rarities, words) for words in worded), default=0.0)
    length = min(1.0, math.log1p(len(rarities)) / math.log1p(_LONG))
    return Signals(
        cosine=max((hit.cosine or 0.0 for hit in hits), default=0.0),
        coverage=coverage,
        strange=_strange(question, set().union(*worded)),
        length=length,
        coverage_length=coverage * length,
    )


def sufficiency(question: str, found: Found) -> float:
    """Return the estimated probability that the passages found answer `question`.

    The guide has questions beside its pages and a team's own documents have none, so what a cosine means differs: each
    is weighed by itself, and the better chance counts.
    """
    guide = [hit for hit in found.hits if of_guide(hit.passage.id)]
    own = [hit for hit in found.hits if not of_guide(hit.passage.id)]
    chances = [_chance(question, hits, found, documents=hits is own) for hits in (guide, own) if hits]
    return max(chances, default=0.0)


def threshold(*, degraded: bool = False) -> float:
    """Return the probability below which an answer without a language model abstains; `degraded`: by keywords only."""
    return float((_WEIGHTS["keywords_only"] if degraded else _WEIGHTS)["threshold"])


def doubt() -> float:
    """Return the probability below which an answer without a language model says that it may miss the question."""
    return float(_WEIGHTS["doubt"])


def hopeless() -> float:
    """Return the probability below which a language model is not even asked."""
    return float(_WEIGHTS["hopeless"])


def _chance(question: str, hits: Sequence[Hit], found: Found, *, documents: bool) -> float:
    weights = _WEIGHTS["keywords_only"] if found.degraded else _WEIGHTS["documents"] if documents else _WEIGHTS["guide"]
    seen = signals(question, hits, found.rarities)
    logit = weights["intercept"] + sum(weights.get(name, 0.0) * value for name, value in seen._asdict().items())
    return 1 / (1 + math.exp(-logit))


def _covered(rarities: Sequence[Rarity], words: set[str]) -> float:
    total = sum(rarity.weight for rarity in rarities)
    return sum(rarity.weight for rarity in rarities if rarity.term in words) / total if total else 0.0


def _strange(question: str, words: set[str]) -> float:
    names = [name for name in map(terms, _NAME.findall(question)) if name]
    return sum(not words.issuperset(name) for name in names) / len(names) if names else 0.0
