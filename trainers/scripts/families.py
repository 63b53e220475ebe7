"""Knows which token sequences begin alike and are worth reading together; does not know models."""

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

PASS_TOKENS = 96
"""A forward pass of its own costs about as much time as this many tokens more in another one (two cores)."""


class Family(NamedTuple):
    """Sequences that share their first tokens."""

    shared: int
    """Shared tokens; always fewer than the shortest sequence has, so that each has something of its own."""
    rows: list[int]
    """Places of the sequences among all."""


def families(sequences: Sequence[Sequence[int]]) -> list[Family]:
    """Split sequences so that few tokens are read: what a family shares is read once.

    In alphabetic order sequences that begin alike are neighbours. Neighbouring families are joined, those that share
    the most first, where one more forward pass would cost more than the tokens that are then read again.
    """
    order = sorted(range(len(sequences)), key=lambda i: list(sequences[i]))
    groups = [Family(len(sequences[i]) - 1, [i]) for i in order]
    alike = [_alike(sequences[a], sequences[b]) for a, b in pairwise(order)]
    first, last = list(range(len(order))), list(range(len(order)))  # of the group that begins or ends at a place
    for place in sorted(range(len(alike)), key=lambda i: -alike[i]):
        left, right = groups[first[place]], groups[place + 1]
        shared = min(alike[place], left.shared, right.shared)
        again = sum((group.shared - shared) * (len(group.rows) - 1) for group in (left, right))
        if again < shared + PASS_TOKENS:
            begin, end = first[place], last[place + 1]
            groups[begin] = Family(shared, left.rows + right.rows)
            first[end], last[begin] = begin, end
    starts, place = [], 0
    while place < len(order):
        starts.append(place)
        place = last[place] + 1
    return [groups[start] if len(groups[start].rows) > 1 else Family(0, groups[start].rows) for start in starts]


def _alike(one: Sequence[int], other: Sequence[int]) -> int:
    length = 0
    for a, b in zip(one, other, strict=False):
        if a != b:
            break
        length += 1
    return min(length, len(one) - 1, len(other) - 1)
