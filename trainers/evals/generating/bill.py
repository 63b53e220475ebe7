"""Knows how many calls and tokens drafting will take at least, probably and at most; it asks nobody and writes none."""

from dataclasses import dataclass
from decimal import Decimal
from typing import Any, NamedTuple

from trainers.evals.generating.asking import asked, known_of
from trainers.evals.generating.material import most_of
from trainers.evals.generating.spec import RowSpec
from trainers.evals.metrics.operations import TokenPrices

Span = tuple[int, int, int]
"""At least, probably, at most."""

_TOKEN = 4  # characters
_CELL = 120  # characters of a cell and a subject
_SHORT = Decimal("1.3")
"""By how much a count of four characters a token may fall short."""


@dataclass(frozen=True, kw_only=True)
class Bill:
    """What a run will take."""

    rows: int
    calls: Span
    prompt_tokens: Span
    output_tokens: Span

    @property
    def tokens(self) -> int:
        """Tokens of prompts and answers together that are expected."""
        return self.prompt_tokens[1] + self.output_tokens[1]

    def dollars(self, prices: TokenPrices | None) -> tuple[Decimal, Decimal, Decimal] | None:
        """Return what that costs; None where no price is known."""
        if prices is None:
            return None
        low, likely, most = (prices.dollars(*each) for each in zip(self.prompt_tokens, self.output_tokens, strict=True))
        return low, likely, most

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        spans = {name: list(getattr(self, name)) for name in ("calls", "prompt_tokens", "output_tokens")}
        return {"rows": self.rows, **spans}


class _Part(NamedTuple):
    """One kind of call."""

    times: Span
    sure: int
    """Characters of the prompt whatever is put into it."""
    prompt: int
    """Characters that are expected."""
    likely: int
    """Tokens of the answer."""
    most: int


def bill(spec: RowSpec, count: int) -> Bill:
    """Work out what a language model will be asked for `count` rows.

    At least: every row is good at once. Probably: one row in five is thrown away. At most: every row is written as
    often as it may be, and every answer is as long as it may be; a run ends before it costs more.
    """
    parts = list(_parts(spec, most_of(spec, count))) if count else []
    return Bill(
        rows=count,
        calls=_sum(*(part.times for part in parts)),
        prompt_tokens=_sum(*(_prompts(part) for part in parts)),
        output_tokens=_sum(*(_outputs(part) for part in parts)),
    )


def _parts(spec: RowSpec, count: int) -> list[_Part]:
    told, likely = asked(), asked()["likely"]
    told_of = sum(len(text) for text in known_of(spec).values())
    rows = (count, -(-count * 6 // 5), count * int(told["tries"]))
    texts, material = _longest(spec.texts), 2 * _longest(tuple(text for _, text in spec.sifted.passages))
    if spec.kind == "voice" and spec.texts:
        judge = _part("judge", rows, told_of, texts + _TOKEN * likely["brief"])
        return [_part("brief", rows, told_of, texts), judge]
    judge = _part("judge", rows, told_of, material + _TOKEN * likely["row"])
    written = [_part("row", rows, told_of, material + _CELL), judge]
    if spec.kind == "voice":  # it has no subjects: what it is to be about comes from the cell alone
        return written
    plans = -(-count // int(told["at_once"]))
    return [_part("plan", (plans, plans, 2 * plans), told_of, _CELL * int(told["at_once"])), *written]


def _part(name: str, times: Span, told_of: int, more: int) -> _Part:
    part, told = asked()[name], asked()
    sure = len(part["system"]) + len(part["user"]) + told_of
    most = told["row_tokens" if name == "brief" else f"{name}_tokens"]
    return _Part(times, sure, sure + more, told["likely"][name], most)


def _longest(texts: tuple[str, ...]) -> int:
    return max(map(len, texts), default=0)


def _prompts(part: _Part) -> Span:
    low, likely, most = part.times
    expected = -(-part.prompt // _TOKEN)
    return low * (part.sure // _TOKEN), likely * expected, int(most * expected * _SHORT)


def _outputs(part: _Part) -> Span:
    low, likely, most = part.times
    return low * part.likely // 2, likely * part.likely, most * part.most


def _sum(*spans: Span) -> Span:
    low, likely, most = (sum(span[at] for span in spans) for at in range(3))
    return low, likely, most
