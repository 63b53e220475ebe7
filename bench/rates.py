"""Shares with their 95% Wilson intervals, as the benches write them; it knows nothing of what is counted."""

import math
from typing import NamedTuple


class Interval(NamedTuple):
    """A share and between which values it is likely to lie."""

    share: float
    low: float
    high: float


def wilson(hits: int, total: int, z: float = 1.96) -> Interval:
    """Return the share of `hits` with its Wilson interval; raises ZeroDivisionError for a total of 0."""
    share, spread = hits / total, z * z / total
    middle = (share + spread / 2) / (1 + spread)
    half = z * math.sqrt(share * (1 - share) / total + spread / (4 * total)) / (1 + spread)
    return Interval(share, middle - half, middle + half)


def rate(hits: int, total: int) -> str:
    """Write a share with its interval."""
    if not total:
        return "none"
    found = wilson(hits, total)
    return f"{hits}/{total} = {found.share:.0%} (95% interval {found.low:.0%} to {found.high:.0%})"
