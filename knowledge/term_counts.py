"""Counts of terms in passages as arrays, and BM25's scores of them; it knows no words' meaning and no files.

bm25s scores in a loop over passages, and wants every passage's words each time: at 200,000 that is minutes for one more
document. Counts can be kept, and all of the arithmetic is done at once; a test holds the scores against those of bm25s.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]


class TermCounts(NamedTuple):
    """Which terms are in which passage and how often: a sparse matrix, passage by passage."""

    vocabulary: list[str]
    """The terms; their place is their number."""
    terms: npt.NDArray[np.int32]
    """Numbers of the different terms of the first passage, then those of the second, …"""
    counts: npt.NDArray[np.int32]
    """How often each of them is in its passage."""
    starts: Ints
    """Where each passage begins in the two, and the end."""


def count(passages: Iterable[Sequence[str]]) -> TermCounts:
    """Return the counts of passages given as terms; one without a term counts as holding the empty one."""
    vocabulary: dict[str, int] = {}
    terms, counts, starts = [], [], [0]
    for passage in passages:
        counted = Counter(passage or [""])
        terms.append(np.array([vocabulary.setdefault(term, len(vocabulary)) for term in counted], dtype=np.int32))
        counts.append(np.fromiter(counted.values(), dtype=np.int32))
        starts.append(starts[-1] + len(counted))
    return TermCounts(list(vocabulary), _chained(terms), _chained(counts), np.array(starts, dtype=np.int64))


def joined(old: TermCounts, kept: Sequence[int], new: TermCounts) -> TermCounts:
    """Return the rows `kept` of `old`, then those of `new`; a term that only left rows had is forgotten."""
    rows = np.array(kept, dtype=np.int64)
    lengths = old.starts[rows + 1] - old.starts[rows]
    places = _ranges(old.starts[rows], lengths)
    numbers = {term: number for number, term in enumerate(old.vocabulary)}
    moved = np.array([numbers.setdefault(term, len(numbers)) for term in new.vocabulary], dtype=np.int32)
    terms = np.concatenate([old.terms[places], moved[new.terms] if len(new.terms) else new.terms])
    used = np.bincount(terms, minlength=len(numbers)) > 0
    renumbered = (np.cumsum(used) - 1).astype(np.int32)
    all_lengths = np.concatenate([lengths, np.diff(new.starts)])
    return TermCounts(
        vocabulary=[term for term, there in zip(numbers, used, strict=True) if there],
        terms=renumbered[terms],
        counts=np.concatenate([old.counts[places], new.counts]),
        starts=np.concatenate([[0], np.cumsum(all_lengths)]).astype(np.int64),
    )


def bm25(counted: TermCounts, k1: float, b: float) -> dict[str, Any]:
    """Return the scores of each term in each passage, term by term, as bm25s keeps them (its method "lucene")."""
    passages = len(counted.starts) - 1
    row = np.repeat(np.arange(passages, dtype=np.int32), np.diff(counted.starts))
    lengths = np.bincount(row, weights=counted.counts, minlength=passages)
    frequency = np.bincount(counted.terms, minlength=len(counted.vocabulary))
    rarity = np.log(1 + (passages - frequency + 0.5) / (frequency + 0.5))
    fill = k1 * (1 - b + b * lengths / lengths.mean())
    scores = rarity[counted.terms] * counted.counts / (counted.counts + fill[row])
    order = np.argsort(counted.terms, kind="stable")
    return {
        "data": scores[order].astype(np.float32),
        "indices": row[order],
        "indptr": np.concatenate([[0], np.cumsum(frequency)]).astype(np.int64),
        "num_docs": passages,
    }


def _chained(parts: Sequence[npt.NDArray[np.int32]]) -> npt.NDArray[np.int32]:
    return np.concatenate(parts) if parts else np.zeros(0, dtype=np.int32)


def _ranges(starts: Ints, lengths: Ints) -> Ints:
    """Return start, start + 1, … for each start, as many as its length."""
    ends = np.cumsum(lengths)
    within = np.arange(lengths.sum(), dtype=np.int64) - np.repeat(ends - lengths, lengths)
    return np.asarray(np.repeat(starts, lengths) + within, dtype=np.int64)
