"""Knows the pretend price of the rehearsal provider; nobody pays it."""

import tomllib
from decimal import ROUND_UP, Decimal
from pathlib import Path
from typing import NamedTuple


class Price(NamedTuple):
    """What training would cost in US dollars, how long it takes in minutes (low, high), and where both come from."""

    dollars: Decimal
    minutes: tuple[float, float]
    basis: str


def price(tokens: int) -> Price:
    """Price training on `tokens` tokens (all epochs), rounded up to a cent."""
    text = (Path(__file__).parent / "rehearsal.toml").read_text()
    book = tomllib.loads(text, parse_float=Decimal)
    exact = book["dollars_per_million_tokens"] * tokens / 1_000_000
    dollars = max(exact, book["least_dollars"]).quantize(Decimal("0.01"), rounding=ROUND_UP)
    low, high = (float(minutes) for minutes in book["minutes"])
    rate = f"${book['dollars_per_million_tokens']} per million tokens"
    return Price(dollars, (low, high), f"{book['source']}, {rate} as of {book['as_of']}: nothing is trained or charged")
