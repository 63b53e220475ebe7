"""Knows what money is: an amount with its currency, alone or as [low, expected, high]; it knows no prices."""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import ROUND_UP, Decimal
from typing import Any

from knowledge.errors import UserError

_CENT = Decimal("0.01")


class MixedCurrencies(UserError):
    """Amounts in different currencies cannot be added or compared."""

    def __init__(self, one: str, other: str) -> None:
        """Take both currencies."""
        super().__init__(
            f"{one} and {other} cannot be added or compared: I have no exchange rates.",
            "Give all prices in one currency.",
        )


@dataclass(frozen=True)
class Money:
    """An amount of one currency; it may be negative, as a saving can be a loss."""

    amount: Decimal
    currency: str

    def __post_init__(self) -> None:
        """Refuse what is no amount and no currency; a float has forgotten its decimals already."""
        if not isinstance(self.amount, Decimal) or not self.amount.is_finite():
            raise TypeError(f"money is a finite Decimal, not {self.amount!r}")
        check_currency(self.currency)

    def __add__(self, other: "Money") -> "Money":
        """Add money of the same currency."""
        return Money(self.amount + self._same(other), self.currency)

    def __sub__(self, other: "Money") -> "Money":
        """Subtract money of the same currency."""
        return Money(self.amount - self._same(other), self.currency)

    def __lt__(self, other: "Money") -> bool:
        """Compare with money of the same currency."""
        return self.amount < self._same(other)

    def _same(self, other: "Money") -> Decimal:
        if not isinstance(other, Money):
            raise TypeError(f"{other!r} is no money")
        if other.currency != self.currency:
            raise MixedCurrencies(self.currency, other.currency)
        return other.amount


@dataclass(frozen=True)
class Cost:
    """What something costs: at least, probably and at most; never negative."""

    low: Decimal
    expected: Decimal
    high: Decimal
    currency: str

    def __post_init__(self) -> None:
        """Refuse negative, unordered and non-decimal figures."""
        check_three(self.low, self.expected, self.high, "a cost")
        check_currency(self.currency)

    @classmethod
    def exactly(cls, amount: Decimal, currency: str) -> "Cost":
        """Return a cost that is known to the cent."""
        return cls(amount, amount, amount, currency)

    @property
    def money(self) -> Money:
        """What is expected."""
        return Money(self.expected, self.currency)

    def __add__(self, other: "Cost") -> "Cost":
        """Add a cost of the same currency."""
        if not isinstance(other, Cost):
            raise TypeError(f"{other!r} is no cost")
        if other.currency != self.currency:
            raise MixedCurrencies(self.currency, other.currency)
        return Cost(self.low + other.low, self.expected + other.expected, self.high + other.high, self.currency)

    def times(
        self, low: Decimal | int, expected: Decimal | int | None = None, high: Decimal | int | None = None
    ) -> "Cost":
        """Return this many times the cost; one factor for all three, or one for each."""
        factors = [
            Decimal(factor) for factor in (low, low if expected is None else expected, low if high is None else high)
        ]
        check_three(factors[0], factors[1], factors[2], "a factor")
        return Cost(self.low * factors[0], self.expected * factors[1], self.high * factors[2], self.currency)

    def to_json(self) -> dict[str, Any]:
        """Return plain data: numbers as near as JSON holds them, so that parts still add up, and the currency."""
        figures = {name: float(getattr(self, name)) for name in ("low", "expected", "high")}
        return {**figures, "currency": self.currency}


def total(parts: Iterable[Cost | None]) -> Cost | None:
    """Add costs; None as soon as one of them is unknown, and of nothing."""
    known: Cost | None = None
    for part in parts:
        if part is None:
            return None
        known = part if known is None else known + part
    return known


def cost_json(cost: Cost | None, currency: str) -> dict[str, Any]:
    """Return a cost as plain data; an unknown one has no figures, and is never 0."""
    return {"low": None, "expected": None, "high": None, "currency": currency} if cost is None else cost.to_json()


def said(money: Money) -> str:
    """Write money for people: `$4.50`, `$1,224`, `$0.0012`, `12.00 EUR`; below a cent with two figures that count."""
    amount = money.amount
    if amount and abs(amount) < _CENT:
        text = f"{amount.quantize(Decimal(1).scaleb(amount.adjusted() - 1)):f}"
    else:
        text = f"{amount.quantize(_CENT):,}".removesuffix(".00")
    if money.currency != "USD":
        return f"{text} {money.currency}"
    return f"-${text[1:]}" if text.startswith("-") else f"${text}"


def said_cost(cost: Cost | None) -> str:
    """Write a cost for people: `$4.50`, `$4.05-4.95 (expected $4.50)`, `unknown`."""
    if cost is None:
        return "unknown"
    low, expected, high = (said(Money(amount, cost.currency)) for amount in (cost.low, cost.expected, cost.high))
    return expected if low == high else f"{expected} ({low} to {high})"


def rounded_up(amount: Decimal) -> Decimal:
    """Round up to a cent: what is approved must cover what is charged."""
    return amount.quantize(_CENT, rounding=ROUND_UP)


def check_three(low: Decimal, expected: Decimal, high: Decimal, what: str) -> None:
    """Raise TypeError or ValueError unless three finite Decimals come in order and none is negative."""
    if not all(isinstance(value, Decimal) and value.is_finite() for value in (low, expected, high)):
        raise TypeError(f"{what} takes finite Decimals, not {(low, expected, high)}")
    if not 0 <= low <= expected <= high:
        raise ValueError(f"{what} is low <= expected <= high and not negative, not {(low, expected, high)}")


def check_currency(currency: str) -> None:
    """Raise UserError for what is no currency code."""
    if not (len(currency) == 3 and currency.isascii() and currency.isalpha() and currency.isupper()):
        raise UserError(f"{currency[:20]!r} is no currency code.", "Use three capital letters, such as USD or EUR.")
