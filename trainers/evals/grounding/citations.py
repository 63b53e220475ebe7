"""Whether the sentences of an answer are supported by the passages that they cite; it does not read meaning.

Precision and recall of citations as in ALCE (Gao et al. 2023, arXiv 2305.14627), where support is not entailment but
that every number, address and name of the sentence stands in the passage, and half of its content words.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from itertools import zip_longest
from typing import NamedTuple

from knowledge.keywords import terms
from trainers.evals.grounding.correct import without_marks
from trainers.evals.grounding.limits import limit
from trainers.evals.style.content import facts, missing_from
from trainers.evals.style.text import seen, sentences

_PASSAGE = re.compile(r"^[ \t]*\[(\d{1,3})\][ \t:]*", re.MULTILINE)
_QUESTION = re.compile(r"^[ \t]*(?:question|q|user|task)[ \t]*:", re.MULTILINE | re.IGNORECASE)
_MARK = re.compile(r"\[(\d{1,3}(?:[^\S\n]*,[^\S\n]*\d{1,3})*)\]")
_AFTER_STOP = re.compile(r"([.!?])[^\S\n]*((?:\[\d[\d, ]{0,20}\][^\S\n]*)+)")


class Cited(NamedTuple):
    """How an answer cites; both from 0 to 1, None where there is nothing to count."""

    precision: float | None
    """Share of citations whose passage supports the sentence."""
    recall: float | None
    """Share of sentences that what they cite supports together."""


def passages(context: str) -> dict[int, str]:
    """Find the passages of a prompt: each opens a line with its number, `[2] Refunds take ...`.

    The last one ends at a line such as `Question: ...`. Of two with one number the first counts.
    """
    question = next(reversed(list(_QUESTION.finditer(context))), None)
    marks = list(_PASSAGE.finditer(context))
    found: dict[int, str] = {}
    for mark, following in zip_longest(marks, marks[1:]):
        end = following.start() if following else len(context)
        stop = min(end, question.start()) if question and question.start() > mark.start() else end
        found.setdefault(int(mark[1]), context[mark.end() : stop])
    return found


def check(output: str, given: Mapping[int, str]) -> Cited:
    """Check every citation of an answer against the passages that were given."""
    pairs: list[bool] = []
    whole: list[bool] = []
    for sentence in sentences(_AFTER_STOP.sub(r" \2\1 ", seen(output))):
        marks = dict.fromkeys(int(number) for found in _MARK.findall(sentence) for number in found.split(","))
        bare = without_marks(sentence)
        pairs += [mark in given and supports(given[mark], bare) for mark in marks]
        if len(terms(bare)) >= limit("least_words"):
            cited = "\n".join(given[mark] for mark in marks if mark in given)
            whole.append(bool(cited) and supports(cited, bare))
    return Cited(_share(pairs), _share(whole))


def supports(passage: str, sentence: str) -> bool:
    """Say whether a passage holds the facts of a sentence and enough of its content words."""
    if missing_from(facts(sentence), passage):
        return False
    wanted = set(terms(sentence))
    return len(wanted & _stems(passage)) >= limit("support") * len(wanted)


@lru_cache(maxsize=64)
def _stems(passage: str) -> frozenset[str]:
    """Stem a passage once for all the sentences that cite it."""
    return frozenset(terms(seen(passage)))


def _share(found: list[bool]) -> float | None:
    return sum(found) / len(found) if found else None
