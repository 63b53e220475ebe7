"""Which figures and word lists style is measured by; it does not know how they are used."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

_HERE = Path(__file__).parent


@cache
def limits(section: str) -> dict[str, Any]:
    """Return one section of limits.toml."""
    values: dict[str, Any] = tomllib.loads((_HERE / "limits.toml").read_text("utf-8"))[section]
    return values


@cache
def word_set(name: str) -> frozenset[str]:
    """Return one list of words.toml."""
    return frozenset(_words()[name].split())


@cache
def function_words() -> tuple[str, ...]:
    """Return the shipped function words, in the order of the file."""
    return tuple(_words()["function"].split())


@cache
def number_words() -> dict[str, str]:
    """Return small numbers in words with their digits: `three` is `3`."""
    return {word: str(value) for word, value in _words()["numbers"].items()}


@cache
def _words() -> dict[str, Any]:
    return tomllib.loads((_HERE / "words.toml").read_text("utf-8"))
