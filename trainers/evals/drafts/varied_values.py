"""Varies what recipes know of a field: other numbers, days, addresses and references in the same spellings; no types.

It knows no schema: whoever asks keeps what fits.
"""

import random
import re
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any, Final

from trainers.evals.drafts.fields import Value
from trainers.evals.drafts.recipe import recipe

MANY: Final = 16
"""Values that are made of one field in one draw."""

_FIRST_DAY: Final = date(2025, 1, 1)
_DAYS: Final = 720
_ISO: Final = re.compile(r"\d{4}-\d\d-\d\d")
_REFERENCE: Final = re.compile(r"(?:extension )?[A-Z]{0,3}[-/\d][-/\dA-Z]*")
_WRITTEN: Final = re.compile(r"\d[\d,]*(?:\.\d+)?")
_SPELLINGS: Final[tuple[Callable[[date], str], ...]] = (
    lambda day: f"{day.day} {day:%B %Y}",
    lambda day: f"{day:%B} {day.day}, {day.year}",
    date.isoformat,
)


def varied(values: Sequence[Sequence[Any]], draw: random.Random) -> list[Value]:
    """Return values like those of a recipe, (text, answer) each; none where nothing varies them."""
    answers = [answer for _, answer in values]
    if not answers or not all(isinstance(answer, str) for answer in answers):
        return []
    if all(_ISO.fullmatch(answer) for answer in answers):
        return [_day(draw) for _ in range(MANY)]
    if all("@" in answer for answer in answers):
        return [_same(_address(draw)) for _ in range(MANY)]
    if all(_REFERENCE.fullmatch(answer) for answer in answers):
        return [_same(redrawn(draw.choice(answers), draw)) for _ in range(MANY)]
    listed: Sequence[str] = next((each for each in recipe("made_up")["more"].values() if set(answers) <= set(each)), [])
    return [_same(text) for text in draw.sample(listed, min(MANY, len(listed)))]


def spelt(number: float, texts: Sequence[str], draw: random.Random) -> Value:
    """Write a number as one of the texts writes its own: with its currency and its separators."""
    text = draw.choice(texts) if texts else ""
    if not (found := _WRITTEN.search(text)) or found.group() == text:
        return Value(str(number), number)
    places = 0 if isinstance(number, int) and "." not in found.group() else 2
    return Value(f"{text[: found.start()]}{number:,.{places}f}{text[found.end() :]}", number)


def redrawn(text: str, draw: random.Random) -> str:
    """Return a text with other digits; a zero stays, for it may lead a number."""
    return re.sub("[1-9]", lambda _: str(draw.randint(1, 9)), text)


def exact(kind: object, draw: random.Random) -> list[str]:
    """Return texts of a format that says more than a field's name; none of other formats."""
    known = recipe("made_up")["exact"].get(kind, ())
    if kind in ("date-time", "time"):
        clock = (f"{draw.randint(0, 23):02}:{draw.randint(0, 59):02}:00Z" for _ in range(MANY))
        return [f"{_day(draw).answer}T{each}" if kind == "date-time" else each for each in clock]
    return [redrawn(draw.choice(known), draw) for _ in range(MANY)] if known else []


def _day(draw: random.Random) -> Value:
    day = _FIRST_DAY + timedelta(days=draw.randrange(_DAYS))
    return Value(draw.choice(_SPELLINGS)(day), day.isoformat())


def _address(draw: random.Random) -> str:
    part = recipe("made_up")
    return f"{draw.choice(part['people'])}@{draw.choice(part['hosts'])}.example"


def _same(text: str) -> Value:
    return Value(text, text)
