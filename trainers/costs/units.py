"""Knows units: what is bought, and prices that multiply with nothing but their own unit; it knows no figures.

A price per thousand tokens and one per million are different types, and neither multiplies with a bare number: a
mistake of a factor of 1,000 has no way to be written. `tests/trainers/costs/test_units.py` tries.
"""

import re
from dataclasses import dataclass
from decimal import Decimal, localcontext
from typing import ClassVar, Generic, Self, TypeVar

from trainers.costs.money import Cost, check_three


@dataclass(frozen=True)
class Quantity:
    """How much of something: at least, probably and at most."""

    low: Decimal
    expected: Decimal
    high: Decimal

    def __post_init__(self) -> None:
        """Refuse negative and unordered figures."""
        check_three(self.low, self.expected, self.high, type(self).__name__)

    @classmethod
    def exactly(cls, amount: Decimal | int) -> Self:
        """Return a quantity that is known."""
        return cls(Decimal(amount), Decimal(amount), Decimal(amount))

    @classmethod
    def about(cls, amount: Decimal | int, spread: Decimal) -> Self:
        """Return a quantity that may be off by a share of itself."""
        expected = Decimal(amount)
        return cls(expected * (1 - spread), expected, expected * (1 + spread))

    def __add__(self, other: Self) -> Self:
        """Add more of the same."""
        if type(other) is not type(self):
            raise TypeError(f"{type(self).__name__} and {type(other).__name__} cannot be added")
        return type(self)(self.low + other.low, self.expected + other.expected, self.high + other.high)

    def times(self, count: Decimal | int) -> Self:
        """Return the quantity that many times."""
        return type(self)(self.low * count, self.expected * count, self.high * count)


class Tokens(Quantity):
    """Tokens."""


class Hours(Quantity):
    """Hours."""


class GigabyteMonths(Quantity):
    """Gigabytes kept for a month."""


Q = TypeVar("Q", bound=Quantity)


@dataclass(frozen=True)
class Price(Generic[Q]):
    """What one unit costs."""

    cost: Cost
    QUANTITY: ClassVar[type[Quantity]]
    SIZE: ClassVar[int]
    """How many of the quantity's pieces one unit has."""
    UNIT: ClassVar[str]
    """The unit as it is written in the price book."""

    def __mul__(self, quantity: Q) -> Cost:
        """Return what a quantity costs; raises TypeError for anything but this price's own quantity."""
        if not isinstance(quantity, self.QUANTITY):
            raise TypeError(f"a price per {self.UNIT} does not multiply with {quantity!r}")
        with localcontext() as context:
            context.prec = 50  # exact for every figure that can be entered
            parts = (quantity.low / self.SIZE, quantity.expected / self.SIZE, quantity.high / self.SIZE)
            return self.cost.times(*parts)

    @property
    def text(self) -> str:
        """The price as it is written in the price book."""
        low, usual, high = (f"{value:f}" for value in (self.cost.low, self.cost.expected, self.cost.high))
        amount = low if low == high else f"{low} to {high} (usually {usual})"
        return f"{amount} {self.cost.currency} per {self.UNIT}"


class PerMillionTokens(Price[Tokens]):
    """A price for a million tokens, as most providers write it."""

    QUANTITY, SIZE, UNIT = Tokens, 1_000_000, "1M tokens"


class PerThousandTokens(Price[Tokens]):
    """A price for a thousand tokens, as Azure's and Amazon's meters count."""

    QUANTITY, SIZE, UNIT = Tokens, 1_000, "1K tokens"


class PerToken(Price[Tokens]):
    """A price for one token, as litellm writes it."""

    QUANTITY, SIZE, UNIT = Tokens, 1, "token"


class PerHour(Price[Hours]):
    """A price for an hour of a deployment, a GPU or a training."""

    QUANTITY, SIZE, UNIT = Hours, 1, "hour"


class PerGigabyteMonth(Price[GigabyteMonths]):
    """A price for keeping a gigabyte for a month."""

    QUANTITY, SIZE, UNIT = GigabyteMonths, 1, "GB and month"


TokenPrice = PerMillionTokens | PerThousandTokens | PerToken
"""A price of tokens, in whatever unit it was written."""

_KINDS: dict[str, type[Price]] = {  # type: ignore[type-arg]  # of any quantity
    kind.UNIT: kind for kind in (PerMillionTokens, PerThousandTokens, PerToken, PerHour, PerGigabyteMonth)
}
_NUMBER = r"\d+(?:\.\d+)?"
_RANGE = rf"(?: to (?P<high>{_NUMBER})(?: \(usually (?P<usual>{_NUMBER})\))?)?"
_TEXT = re.compile(rf"(?P<low>{_NUMBER}){_RANGE} (?P<currency>[A-Z]{{3}}) per (?P<unit>.+)")


def read_price(text: str) -> Price:  # type: ignore[type-arg]  # the unit in the text says of what
    """Read `5.00 USD per 1M tokens` or `1.99 to 4.29 (usually 2.95) USD per hour`; raises ValueError for the rest.

    Of a range without a usual figure the middle is expected.
    """
    found = _TEXT.fullmatch(text)
    if found is None or found["unit"] not in _KINDS:
        raise ValueError(f"{text!r} is no price: write an amount, a currency and a unit ({', '.join(_KINDS)})")
    low, high = Decimal(found["low"]), Decimal(found["high"] or found["low"])
    usual = Decimal(found["usual"]) if found["usual"] else (low + high) / 2
    return _KINDS[found["unit"]](Cost(low, usual, high, found["currency"]))


def per_million(price: TokenPrice) -> PerMillionTokens:
    """Return the same price for a million tokens, to compare with others."""
    return PerMillionTokens(price.cost.times(1_000_000 // price.SIZE))
