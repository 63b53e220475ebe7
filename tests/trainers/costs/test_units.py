"""Money and units: what cannot be mixed up, and what is refused."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.errors import UserError
from trainers.costs.money import Cost, MixedCurrencies, Money, cost_json, said, said_cost, total
from trainers.costs.units import (
    GigabyteMonths,
    Hours,
    PerGigabyteMonth,
    PerHour,
    PerMillionTokens,
    PerThousandTokens,
    PerToken,
    Price,
    Tokens,
    per_million,
    read_price,
)

AMOUNTS = st.decimals(min_value=0, max_value=10**6, places=6, allow_nan=False)
COUNTS = st.integers(min_value=0, max_value=10**12)


def exactly(text: str) -> Cost:
    return Cost.exactly(Decimal(text), "USD")


@pytest.mark.parametrize("kind", [PerMillionTokens, PerThousandTokens, PerToken, PerHour, PerGigabyteMonth])
@pytest.mark.parametrize(
    "wrong", [1_000, Decimal(1), 0.5, "1K", Hours.exactly(1), Tokens.exactly(1), GigabyteMonths.exactly(1)], ids=repr
)
def test_a_price_multiplies_only_with_its_own_quantity(kind: type[Price[Any]], wrong: Any) -> None:
    """A bare number, or hours for tokens, is a TypeError: a factor of 1,000 has no way in."""
    if isinstance(wrong, kind.QUANTITY):
        assert (kind(exactly("2")) * wrong).expected == Decimal(2) / kind.SIZE
        return
    with pytest.raises(TypeError):
        kind(exactly("2")) * wrong
    with pytest.raises(TypeError):
        wrong * kind(exactly("2"))


def test_quantities_of_different_kinds_do_not_add() -> None:
    """Tokens and hours make no sum."""
    with pytest.raises(TypeError):
        Tokens.exactly(1) + Hours.exactly(1)  # type: ignore[operator]


@given(AMOUNTS, COUNTS)
def test_the_same_price_in_another_unit_costs_the_same(amount: Decimal, count: int) -> None:
    """A price per thousand tokens and the one per million that it equals agree on every number of tokens."""
    thousand = PerThousandTokens(Cost.exactly(amount, "USD"))
    assert thousand * Tokens.exactly(count) == per_million(thousand) * Tokens.exactly(count)


@given(AMOUNTS, COUNTS)
def test_a_unit_is_never_off_by_a_thousand(amount: Decimal, count: int) -> None:
    """The same figure per thousand costs exactly a thousand times what it costs per million."""
    cheap = PerMillionTokens(Cost.exactly(amount, "USD")) * Tokens.exactly(count)
    assert PerThousandTokens(Cost.exactly(amount, "USD")) * Tokens.exactly(count) == cheap.times(1000)


def test_currencies_do_not_mix() -> None:
    """Dollars and euros are added, compared and summed by nobody; the error says why and what to do."""
    dollars, euros = Money(Decimal(1), "USD"), Money(Decimal(1), "EUR")
    for mix in (
        lambda: dollars + euros,
        lambda: dollars - euros,
        lambda: dollars < euros,
        lambda: total([Cost.exactly(Decimal(1), "USD"), Cost.exactly(Decimal(1), "EUR")]),
    ):
        with pytest.raises(MixedCurrencies, match="exchange rates"):
            mix()


@pytest.mark.parametrize("amount", [1.5, "1", Decimal("nan"), Decimal("inf"), None])
def test_money_is_a_finite_decimal(amount: Any) -> None:
    """A float has forgotten its decimals, and what is no number is no money."""
    with pytest.raises(TypeError):
        Money(amount, "USD")


@pytest.mark.parametrize("currency", ["usd", "US", "DOLLAR", "", "U$D"])
def test_a_currency_has_three_capital_letters(currency: str) -> None:
    """What is no currency code is refused."""
    with pytest.raises(UserError):
        Money(Decimal(1), currency)


@pytest.mark.parametrize("three", [("-1", "0", "1"), ("2", "1", "3"), ("1", "3", "2")])
def test_a_cost_is_in_order_and_not_negative(three: tuple[str, str, str]) -> None:
    """Low is at most expected, expected at most high, and nothing costs less than nothing."""
    with pytest.raises(ValueError, match="low"):
        Cost(*map(Decimal, three), "USD")


def test_the_unknown_is_never_nought() -> None:
    """A sum with an unknown part is unknown, and is written as null and as a word."""
    assert total([exactly("1"), None]) is None
    assert cost_json(None, "USD") == {"low": None, "expected": None, "high": None, "currency": "USD"}
    assert said_cost(None) == "unknown"


@pytest.mark.parametrize(
    ("text", "kind", "three"),
    [
        ("5.00 USD per 1M tokens", PerMillionTokens, ("5", "5", "5")),
        ("0.0025 to 0.0055 (usually 0.005) USD per 1K tokens", PerThousandTokens, ("0.0025", "0.005", "0.0055")),
        ("1.00 to 3.00 EUR per hour", PerHour, ("1", "2", "3")),
        ("0.10 USD per GB and month", PerGigabyteMonth, ("0.1", "0.1", "0.1")),
    ],
)
def test_a_price_is_read_with_its_unit(text: str, kind: type[Price[Any]], three: tuple[str, str, str]) -> None:
    """Amount, currency and unit come from one text; of a range without a usual figure the middle is expected."""
    price = read_price(text)
    assert type(price) is kind
    assert (price.cost.low, price.cost.expected, price.cost.high) == tuple(map(Decimal, three))
    assert read_price(price.text) == price


@pytest.mark.parametrize(
    "text",
    [
        "5.00",
        "5.00 USD",
        "USD 5 per 1M tokens",
        "5 USD per M",
        "-5 USD per hour",
        "5 usd per hour",
        "1e3 USD per hour",
    ],
)
def test_what_has_no_unit_is_no_price(text: str) -> None:
    """There is no default unit and no default currency."""
    with pytest.raises(ValueError, match="no price"):
        read_price(text)


def test_money_is_written_for_people() -> None:
    """Cents, thousands, fractions of a cent and other currencies read as people write them."""
    told = [said(Money(Decimal(text), "USD")) for text in ("4.5", "1224", "0.000123", "0", "-3.2")]
    assert told == ["$4.50", "$1,224", "$0.00012", "$0", "-$3.20"]
    assert said(Money(Decimal(12), "EUR")) == "12 EUR"
