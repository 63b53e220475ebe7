"""Knows what is to be trained and asked, in numbers that make sense; it knows no prices."""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Literal

from knowledge.errors import UserError
from trainers.costs.units import Tokens

Counted = Literal["given", "exact", "estimated"]
"""How tokens were come by: somebody's figures, the model's own tokenizer, or four characters a token."""

MOST = {"examples": 100_000_000, "prompt_tokens": 10_000_000, "completion_tokens": 10_000_000, "epochs": 50}
"""Figures above these are taken for slips."""


class BadFigure(UserError):
    """That figure makes no sense."""


@dataclass(frozen=True, kw_only=True)
class Workload:
    """Training rows and requests; tokens are averages per example, and per request alike."""

    examples: int
    prompt_tokens: Decimal
    completion_tokens: Decimal
    epochs: int | None = None
    """None: as many as `trainers.costs.epochs` recommends."""
    test_rows: int | None = None
    """Rows of a test file; None where none was given."""
    counted: Counted = "given"
    basis: str = "figures that you gave"
    """Where the tokens come from, for people."""

    def __post_init__(self) -> None:
        """Refuse zero, negative and absurd figures."""
        check("examples", Decimal(self.examples), least=1)
        check("prompt_tokens", self.prompt_tokens, least=1)
        check("completion_tokens", self.completion_tokens, least=1)
        if self.epochs is not None:
            check("epochs", Decimal(self.epochs), least=1)

    def epoch_tokens(self, spread: Decimal) -> Tokens:
        """Return the tokens of one pass over the examples, which may be off by a share of themselves."""
        return Tokens.about((self.prompt_tokens + self.completion_tokens) * self.examples, spread)

    def prompts(self, requests: Decimal | int, spread: Decimal, more: Decimal = Decimal(0)) -> Tokens:
        """Return the tokens of so many prompts, each longer by `more`."""
        return Tokens.about((self.prompt_tokens + more) * requests, spread)

    def completions(self, requests: Decimal | int, spread: Decimal) -> Tokens:
        """Return the tokens of so many answers."""
        return Tokens.about(self.completion_tokens * requests, spread)


def check(name: str, value: Decimal, *, least: Decimal | int, most: Decimal | int | None = None) -> None:
    """Raise BadFigure for what is too small or absurdly large."""
    said, top = name.replace("_", " "), Decimal(MOST[name] if most is None else most)
    if not value.is_finite() or value < least:
        raise BadFigure(f"{said} cannot be {value}.", f"Give {least} or more.")
    if value > top:
        raise BadFigure(f"{value:,f} {said} is more than I believe.", f"Give at most {top:,f}; tokens are per example.")


def figure(name: str, text: str, *, such_as: str = "500") -> Decimal:
    """Read a number as people type it; raises BadFigure, with an example, for what is none."""
    try:
        value = Decimal(text.strip().replace(",", "").replace("_", ""))
    except InvalidOperation:
        what = f"{text.strip()[:40]!r} is no number for {name.replace('_', ' ')}."
        raise BadFigure(what, f"Write one such as {such_as}.") from None
    if not value.is_finite():
        raise BadFigure(f"{text.strip()[:40]!r} is no number to reckon with.", f"Write one such as {such_as}.")
    return value


def whole(name: str, text: str) -> int:
    """Read a whole number; raises BadFigure."""
    such_as = "3" if name == "epochs" else "500"
    value = figure(name, text, such_as=such_as)
    if value != value.to_integral_value():
        what = f"{name.replace('_', ' ')} come in whole numbers, not {value}."
        raise BadFigure(what, f"Write one such as {such_as}.")
    if abs(value) > 10**15:
        raise BadFigure(f"{value:.3g} {name.replace('_', ' ')} is more than I believe.", "Check the figure.")
    return int(value)
