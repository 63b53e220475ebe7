"""What answers take and how they look as a whole: time, tokens, money, length, variety; it marks no answer.

A figure that cannot be known is None, never 0: no measured time, a request without token counts, unknown prices.

Worked example: two requests of 1,000 prompt tokens and 100 output tokens each at $2.50 and $10 per million tokens cost
0.0025 + 0.001 = $0.0035 each, $3.50 per 1,000. Their outputs `a b a b` and `a b` have the pairs ab ba ab ab: 2 of 4
differ, so distinct-2 is 0.5.

>>> from decimal import Decimal
>>> requests = [Request(said, "a b", 20.0, 1000, 100) for said in ("a b a b", "a b")]
>>> found = operations(requests, prices=TokenPrices(Decimal("2.50"), Decimal("10")))
>>> [(figure.name, figure.value) for figure in found if figure.name in ("cost per 1,000 requests", "distinct-2")]
[('cost per 1,000 requests', 3.5), ('distinct-2', 0.5)]
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import pairwise
from math import ceil
from typing import NamedTuple

from trainers.evals.metrics.base import Figure
from trainers.evals.stats import median

_LEAST_FOR_P95 = 20  # of fewer, the slowest of all would be called the 95th percentile
_WORD = re.compile(r"\w+")


class Request(NamedTuple):
    """One request to one arm."""

    output: str | None
    """What came back; None for no answer."""
    target: str
    """What was expected."""
    milliseconds: float | None
    """Wall time until the last token; None if it was not measured."""
    prompt_tokens: int | None
    """Tokens sent; None if nobody counted."""
    output_tokens: int | None
    """Tokens received; None if nobody counted."""


@dataclass(frozen=True)
class TokenPrices:
    """Prices in dollars per million tokens, as vendors publish them."""

    prompt: Decimal
    """For a million tokens sent."""
    output: Decimal
    """For a million tokens received."""

    def __post_init__(self) -> None:
        """Refuse floats, which are not money, and prices below 0 or not finite."""
        for price in (self.prompt, self.output):
            if not isinstance(price, Decimal):
                raise TypeError("a price is a Decimal")
            if not price.is_finite() or price < 0:
                raise ValueError("a price is finite and not negative")

    def dollars(self, prompt_tokens: int, output_tokens: int) -> Decimal:
        """Return what so many tokens cost, exactly."""
        return (self.prompt * prompt_tokens + self.output * output_tokens) / 1_000_000


FREE = TokenPrices(Decimal(0), Decimal(0))
"""For what runs on this machine: the only way to a cost of $0, and it needs no token counts."""


def operations(requests: Sequence[Request], prices: TokenPrices | None = None) -> tuple[Figure, ...]:
    """Sum up the requests to one arm; `prices` None: cost unknown, `FREE`: it ran on this machine.

    Times are over the requests that were timed: p50 is the median, p95 the nearest rank, from 20 on. Length is the
    median ratio of words to the target's words. distinct-2 (Li et al. 2016) is the share of different ones among all
    pairs of neighbouring words; it falls when answers become alike, and with their number, so compare arms on the same
    rows and beside the targets'. No figure has an interval.
    """
    times = sorted(request.milliseconds for request in requests if request.milliseconds is not None)
    outputs = [request.output for request in requests if request.output]
    return (
        Figure("latency p50", median(times), unit="ms", better="lower"),
        Figure("latency p95", _p95(times), unit="ms", better="lower"),
        Figure("prompt tokens", _mean([request.prompt_tokens for request in requests]), unit="tokens", better="lower"),
        Figure("output tokens", _mean([request.output_tokens for request in requests]), unit="tokens", better="lower"),
        Figure("cost per 1,000 requests", _per_thousand(requests, prices), unit="dollars", better="lower"),
        Figure("length against target", _length_ratio(requests), unit="index", better="neither"),
        Figure("distinct-2", distinct_2(outputs), unit="index", better="neither"),
        Figure("distinct-2 of targets", distinct_2([one.target for one in requests]), unit="index", better="neither"),
    )


def distinct_2(texts: Sequence[str]) -> float | None:
    """Share of different ones among all pairs of neighbouring words, 0 to 1; None without a pair."""
    seen: set[tuple[str, str]] = set()
    count = 0
    for text in texts:
        words = _WORD.findall(text.casefold())
        seen.update(pairwise(words))
        count += max(0, len(words) - 1)
    return len(seen) / count if count else None


def _p95(ordered: Sequence[float]) -> float | None:
    if len(ordered) < _LEAST_FOR_P95:
        return None
    return ordered[ceil(0.95 * len(ordered)) - 1]


def _mean(counts: Sequence[int | None]) -> float | None:
    """Mean over the requests that were counted."""
    known = [count for count in counts if count is not None]
    return sum(known) / len(known) if known else None


def _per_thousand(requests: Sequence[Request], prices: TokenPrices | None) -> float | None:
    """Cost of 1,000 such requests in dollars; None if any request was not counted, for it may be the dear one."""
    if prices is None or not requests:
        return None
    if prices == FREE:
        return 0.0
    total = Decimal(0)
    for request in requests:
        if request.prompt_tokens is None or request.output_tokens is None:
            return None
        total += prices.dollars(request.prompt_tokens, request.output_tokens)
    return float(total * 1000 / len(requests))


def _length_ratio(requests: Sequence[Request]) -> float | None:
    lengths = [(len(_WORD.findall(one.output)), len(_WORD.findall(one.target))) for one in requests if one.output]
    return median([said / wanted for said, wanted in lengths if wanted])
