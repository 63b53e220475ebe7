"""Judges whether found passages can answer a question at all; it weighs signals, it does not read."""

import math
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from knowledge.index import Found, Hit
from knowledge.keywords import Rarity, terms

_READ = 3
"""How many of the best passages count: more than that an answer seldom uses."""
_WEIGHTS = tomllib.loads((Path(__file__).parent / "limits.toml").read_text(encoding="utf-8"))["abstain"]


class Signals(NamedTuple):
    """What a search tells about whether it found an answer; each between 0 and 1."""

    cosine: float
    """Largest cosine between the question and a found passage (or a question that one answers)."""
    coverage: float
    """Share of the question's content words, weighted by rarity, that stand in the best passages together."""
    single: float
    """The same for the one passage that covers most."""
    agreement: float
    """Overlap of the five best by keywords and the five best by vector, as pages."""


def signals(found: Found) -> Signals:
    """Return the signals of one search; without a vector server cosine and agreement are 0."""
    best = found.hits[:_READ]
    worded = [set(terms(f"{hit.passage.search_text}\n{hit.passage.questions}")) for hit in best]
    together: set[str] = set().union(*worded)
    return Signals(
        cosine=max((hit.cosine or 0.0 for hit in found.hits), default=0.0),
        coverage=_covered(found.rarities, together),
        single=max((_covered(found.rarities, words) for words in worded), default=0.0),
        agreement=_agreement(found.hits),
    )


def sufficiency(found: Found) -> float:
    """Return the estimated probability that the passages found answer the question."""
    if not found.hits:
        return 0.0
    seen = signals(found)
    weights = _WEIGHTS["keywords_only"] if found.degraded else _WEIGHTS
    logit = weights["intercept"] + sum(weights.get(name, 0.0) * value for name, value in seen._asdict().items())
    return 1 / (1 + math.exp(-logit))


def threshold() -> float:
    """Return the probability below which an answer without a language model abstains."""
    return float(_WEIGHTS["threshold"])


def _covered(rarities: Sequence[Rarity], words: set[str]) -> float:
    total = sum(rarity.weight for rarity in rarities)
    return sum(rarity.weight for rarity in rarities if rarity.term in words) / total if total else 0.0


def _agreement(hits: Sequence[Hit]) -> float:
    by_word = {hit.passage.slug for hit in hits if hit.keyword_rank is not None and hit.keyword_rank <= 5}
    by_vector = {hit.passage.slug for hit in hits if hit.dense_rank is not None and hit.dense_rank <= 5}
    either = by_word | by_vector
    return len(by_word & by_vector) / len(either) if either else 0.0
