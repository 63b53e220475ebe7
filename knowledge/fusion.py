"""Makes one order of what keywords and vectors found; it knows ids and scores, not what a passage says."""

from collections.abc import Iterable, Mapping

KEYWORDS = 0.4
"""Share of the keywords in a passage's own score; the rest is the vectors'. 0.4 to 0.6 made no difference."""
TOPIC = 1.0
"""How much it adds that the guide's questions speak for a passage's page (`knowledge.topics`)."""
PAGE = 0.5
"""How much the rest of its page adds to a passage."""
_PAGE_PASSAGES = 3
"""Passages of a page that speak for it; with the sum of all, long pages won on our own documentation."""


def fuse(by_keyword: Mapping[str, float], near: Mapping[str, float]) -> dict[str, float]:
    """Return a score by passage id from its keyword score and its cosine, each scaled to 0 to 1 over what was found.

    A passage whose page also has other good passages gains: people ask about subjects, and a page has one. Weights
    are chosen on half of the golden set; docs/retrieval.md has the figures, also those of fusion by rank.
    """
    keywords, vectors = _scaled(by_keyword, 0.0), _scaled(near, min(near.values(), default=0.0))
    own = {
        key: KEYWORDS * keywords.get(key, 0.0) + (1 - KEYWORDS) * vectors.get(key, 0.0) for key in {**keywords, **near}
    }
    pages: dict[str, list[float]] = {}
    for key, score in own.items():
        pages.setdefault(page_of(key), []).append(score)
    support = {page: _support(scores) for page, scores in pages.items()}
    return {key: score + PAGE * support[page_of(key)] for key, score in own.items()}


def with_topics(scores: Mapping[str, float], topics: Mapping[str, float]) -> dict[str, float]:
    """Return `scores` with what is known of each passage's page added: 1 for the likeliest page of the question."""
    return {key: score + TOPIC * topics.get(page_of(key), 0.0) for key, score in scores.items()}


def reordered(scores: Mapping[str, float], better: Mapping[str, float]) -> dict[str, float]:
    """Return `scores` with those of the keys in `better` dealt out anew among them, in the order of `better`.

    So one collection can be ordered by what is known of it alone, and still compares with the others as before. A key
    that only `better` has stands below all.
    """
    order = sorted(better, key=lambda key: -better[key])
    below = min(scores.values(), default=0.0)
    dealt = sorted((scores.get(key, below) for key in order), reverse=True)
    return {**scores, **dict(zip(order, dealt, strict=True))}


def page_of(key: str) -> str:
    """Return the part of a passage's id that names its page."""
    return key.rpartition("#")[0] or key


def _scaled(scores: Mapping[str, float], floor: float) -> dict[str, float]:
    """Bring `floor` to 0 and the best to 1; where nothing stands out from the floor, all are best."""
    span = max(scores.values(), default=0.0) - floor
    return {key: (score - floor) / span if span > 0 else 1.0 for key, score in scores.items()}


def _support(scores: Iterable[float]) -> float:
    """Return the mean of a page's best passages; a page with fewer is not helped by having few."""
    return sum(sorted(scores, reverse=True)[:_PAGE_PASSAGES]) / _PAGE_PASSAGES
