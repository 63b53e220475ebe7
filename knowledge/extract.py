"""Composes a short answer out of the passages' own sentences; it writes no word of its own."""

import re
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from knowledge.citations import Checked, Citation, cite
from knowledge.embeddings import Vectors
from knowledge.index import Hit
from knowledge.keywords import Rarity, terms
from knowledge.sentences import sentences

_PASSAGES = 3
_MOST = 4
_CHARACTERS = 650
_NEAR_BEST = 0.72
"""Further sentences must score at least this share of the best one."""
_ALIKE = 0.6
"""Two sentences that share this much of their words say the same."""

_DEFINES = re.compile(
    r"^(?:(?:so|and|ok(?:ay)?)\W+)?(?:what(?:'s|’s| is| are| does)|define|explain|meaning of)\b", re.I
)
_IS = r"[\W_]*(?:\([^)]*\)\W*)?(?:is|are|means?|refers|keeps?|takes?|stands|looks up|tells|changes)\b"
_LEANS = re.compile(
    r"^(?:it|its|this|that|these|those|they|their|such|both|then|also|so|but|and|however|instead|therefore|here|"
    r"the latter|the former|for example|otherwise)\b",
    re.IGNORECASE,
)


class _Candidate(NamedTuple):
    """One sentence that may go into the answer."""

    text: str
    hit: int
    """Row of its passage among the hits."""
    place: int
    """Place within its passage."""
    score: float


def extract(
    question: str,
    subject: str,
    hits: Sequence[Hit],
    rarities: Sequence[Rarity],
    embed: Callable[[Sequence[str]], Vectors] | None,
) -> Checked:
    """Return 1 to 4 sentences of the best passages that answer `question`, each followed by its mark.

    `subject` is the question made whole by what went before; `embed` is None where no vectors can be had.
    """
    candidates = _scored(question, subject, hits[:_PASSAGES], rarities, embed)
    if not candidates:
        return Checked("", (), ())
    chosen = _chosen(candidates)
    numbers: dict[int, int] = {}
    citations: list[Citation] = []
    for candidate in chosen:
        if candidate.hit not in numbers:
            numbers[candidate.hit] = len(numbers) + 1
            citations.append(cite(hits[candidate.hit].passage, numbers[candidate.hit], candidate.text))
    text = " ".join(f"{candidate.text} [{numbers[candidate.hit]}]" for candidate in chosen)
    return Checked(text, tuple(citations), ())


def _scored(
    question: str,
    subject: str,
    hits: Sequence[Hit],
    rarities: Sequence[Rarity],
    embed: Callable[[Sequence[str]], Vectors] | None,
) -> list[_Candidate]:
    """Score every sentence: nearness in meaning, rare words shared, rank of its passage, and whether it defines."""
    rows = [
        (text, number, place)
        for number, hit in enumerate(hits)
        for place, text in enumerate(sentences(hit.passage.text))
    ]
    headed = [f"{_last_heading(hits[number])}: {text}" for text, number, _ in rows]
    nearness = _nearness(subject, headed, embed)
    defined = _defined(question)
    return [
        _Candidate(
            text,
            number,
            place,
            0.5 * near
            + 0.35 * _coverage(rarities, f"{hits[number].passage.title} {context}")
            + 0.15 / (1 + number)
            + _manner(text, defined),
        )
        for (text, number, place), context, near in zip(rows, headed, nearness, strict=True)
    ]


def _nearness(subject: str, texts: Sequence[str], embed: Callable[[Sequence[str]], Vectors] | None) -> list[float]:
    """Return the cosine of each text with the subject; half for all where there are no vectors."""
    if embed is None or not texts:
        return [0.5] * len(texts)
    vectors = embed([subject, *texts])
    return [float(cosine) for cosine in np.asarray(vectors[1:] @ vectors[0])]


def _coverage(rarities: Sequence[Rarity], text: str) -> float:
    words = set(terms(text))
    total = sum(rarity.weight for rarity in rarities)
    return sum(rarity.weight for rarity in rarities if rarity.term in words) / total if total else 0.0


def _manner(text: str, defined: "re.Pattern[str] | None") -> float:
    """Return what the form of a sentence adds or takes: definitions lead, fragments and dependent sentences lose."""
    manner = 0.0
    if defined is not None and defined.match(text):
        manner += 0.3
    if _LEANS.match(text):
        manner -= 0.15
    if len(text.split()) < 5:
        manner -= 0.2
    if text.endswith(":") or text.endswith("?"):
        manner -= 0.3
    return manner


def _defined(question: str) -> "re.Pattern[str] | None":
    """Return a pattern for the beginning of a sentence that defines what `question` asks to define, if it does."""
    start = _DEFINES.match(question)
    if start is None:
        return None
    rest = re.sub(
        r"\b(?:mean|stand for|exactly|actually|a|an|the|even|again)\b", " ", question[start.end() :], flags=re.I
    )
    words = re.findall(r"[\w-]+", rest)
    if not 1 <= len(words) <= 4:
        return None
    return re.compile(
        r"[\W_]*(?:an?\s+|the\s+)?" + r"[\s\W_]+".join(map(re.escape, words)) + r"s?" + _IS, re.IGNORECASE
    )


def _chosen(candidates: Sequence[_Candidate]) -> list[_Candidate]:
    """Take the best sentence, then further good ones that add something; within a passage they keep their order."""
    ranked = sorted(candidates, key=lambda candidate: -candidate.score)
    best = ranked[0]
    chosen = [best]
    for candidate in ranked[1:]:
        length = sum(len(taken.text) for taken in chosen) + len(candidate.text)
        if len(chosen) == _MOST or candidate.score < _NEAR_BEST * best.score:
            break
        if length <= _CHARACTERS and not any(_alike(candidate.text, taken.text) for taken in chosen):
            chosen.append(candidate)
    if len(chosen) == 1:
        chosen += [candidate for candidate in candidates if _follows(candidate, best)]
    used = list(dict.fromkeys(candidate.hit for candidate in chosen))
    return sorted(chosen, key=lambda candidate: (used.index(candidate.hit), candidate.place))


def _follows(candidate: _Candidate, best: _Candidate) -> bool:
    # One sentence alone is thin; the one after it usually goes on about the same.
    return candidate.hit == best.hit and candidate.place == best.place + 1 and len(candidate.text) < _CHARACTERS // 2


def _alike(one: str, other: str) -> bool:
    first, second = set(terms(one)), set(terms(other))
    return len(first & second) > _ALIKE * min(len(first), len(second))


def _last_heading(hit: Hit) -> str:
    return hit.passage.heading.rsplit(" > ", 1)[-1] or hit.passage.title
