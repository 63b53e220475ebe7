"""Time, tokens, money, length and variety are summed without ever taking unknown for nothing."""

import doctest
import random
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainers.evals.metrics import operations as module
from trainers.evals.metrics.operations import FREE, Request, TokenPrices, distinct_2, operations

PRICES = TokenPrices(Decimal("2.50"), Decimal("10"))


def values(requests: list[Request], prices: TokenPrices | None = None) -> dict[str, float | None]:
    return {figure.name: figure.value for figure in operations(requests, prices)}


def test_the_worked_example_holds() -> None:
    """The numbers in the docstring are what the code gives."""
    assert doctest.testmod(module).failed == 0


def test_latency_agrees_with_numpy() -> None:
    """The median and the nearest rank are numpy's; fewer than 20 times have no 95th percentile."""
    import numpy as np

    draw = random.Random(1)
    for count in (20, 21, 99, 100):
        times = [draw.lognormvariate(5, 1) for _ in range(count)]
        found = values([Request("a", "a", time, None, None) for time in times])
        assert found["latency p50"] == pytest.approx(np.percentile(times, 50))
        assert found["latency p95"] == pytest.approx(np.percentile(times, 95, method="inverted_cdf"))
    assert values([Request("a", "a", 5.0, None, None)] * 19)["latency p95"] is None


def test_unknown_is_never_nothing() -> None:
    """No time, tokens, price, answer or word gives None; only what runs here is free."""
    assert set(values([], PRICES).values()) == {None}
    assert set(values([Request(None, "", None, None, None)]).values()) == {None}
    counted, not_counted = Request("a b", "a b", 1.0, 1000, 100), Request("a b", "a b", None, None, 100)
    assert values([counted])["cost per 1,000 requests"] is None
    assert values([counted, not_counted], PRICES)["cost per 1,000 requests"] is None
    assert values([not_counted], FREE)["cost per 1,000 requests"] == 0
    assert values([counted, not_counted])["prompt tokens"] == 1000


@pytest.mark.parametrize("wrong", [2.5, 3, Decimal(-1), Decimal("NaN"), Decimal("Infinity")])
def test_a_price_is_money(wrong: object) -> None:
    """Floats, whole numbers, negative and endless prices are refused."""
    with pytest.raises((TypeError, ValueError)):
        TokenPrices(wrong, Decimal(1))  # type: ignore[arg-type]  # wrong on purpose


def test_money_is_exact() -> None:
    """A third of a cent summed a thousand times stays exact until it is shown."""
    assert TokenPrices(Decimal("0.1"), Decimal("0.2")).dollars(1, 1) == Decimal("0.0000003")
    assert values([Request("a", "a", None, 1, 1)] * 3, TokenPrices(Decimal("0.1"), Decimal("0.2")))[
        "cost per 1,000 requests"
    ] == pytest.approx(0.0003)


def test_answers_that_become_alike_show() -> None:
    """One answer for every row lowers distinct-2 below the targets'; twice the length doubles the ratio."""
    found = values(
        [Request("I am happy to help you today", f"row {one} differs", None, None, None) for one in range(50)]
    )
    assert found["distinct-2"] == pytest.approx(6 / 300)
    assert found["distinct-2 of targets"] == 1
    assert found["length against target"] == pytest.approx(7 / 3)


@given(st.lists(st.text(max_size=40), max_size=6))
def test_distinct_2_is_a_share(texts: list[str]) -> None:
    """Whatever the texts, it lies above 0 and at most at 1, and repeating them all lowers it or leaves none."""
    share = distinct_2(texts)
    assert share is None or 0 < share <= 1
    assert share is None or distinct_2(texts * 2) == pytest.approx(share / 2)
