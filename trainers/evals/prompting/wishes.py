"""Takes a prompt apart into what it wishes, sentence by sentence; it compares nothing.

What stands in quotation marks is said by the model or a customer, and examples show inputs: neither is a wish.
"""

import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final, NamedTuple

from trainers.evals.style.text import sentences

_MOST: Final = 400
"""Sentences that are read."""


class Wish(NamedTuple):
    """A sentence of a prompt."""

    said: str
    """As it was written, for people."""
    text: str
    """The same without what stands in quotation marks."""
    conditional: bool
    """Whether it says when it holds."""
    parted: bool
    """Whether it speaks of parts of a reply: what comes first, what then."""


def wishes(prompt: str) -> list[Wish]:
    """Return the sentences of a prompt, without its examples."""
    told = [" ".join(each.split()).lstrip("-*•# ") for each in sentences(_without_examples(prompt))[:_MOST]]
    return [_wish(each) for each in told if each]


def asked_in(pattern: str, wish: Wish) -> re.Match[str] | None:
    """Return where a sentence asks for what a pattern tells; what it denies does not count."""
    denied, told = compiled(table()["negations"]), compiled(pattern).finditer(wish.text)
    return next((found for found in told if not denied.search(wish.text[: found.start()])), None)


@cache
def table() -> dict[str, Any]:
    """Return contradictions.toml."""
    return tomllib.loads(Path(__file__).with_name("contradictions.toml").read_text("utf-8"))


@cache
def compiled(pattern: str) -> re.Pattern[str]:
    """Compile a pattern of the table; case does not matter."""
    return re.compile(pattern, re.IGNORECASE | re.MULTILINE)


def _wish(said: str) -> Wish:
    text = compiled(table()["quoted"]).sub("…", said.replace("’", "'"))
    exception, parted = (compiled(table()[name]).search(text) is not None for name in ("exceptions", "parts"))
    return Wish(said, text, exception, parted)


def _without_examples(prompt: str) -> str:
    return "\n".join(_wishing(prompt.splitlines()))


def _wishing(lines: list[str]) -> Iterator[str]:
    """Yield the lines that show no input; an input and what follows it end with an empty line."""
    asker, shown = compiled(table()["askers"]), False
    for line in lines:
        shown = line.strip() != "" and (shown or asker.match(line) is not None)
        if not shown:
            yield line
