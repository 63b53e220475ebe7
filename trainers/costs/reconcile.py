"""Compares what was quoted with what came of it; it changes nothing and sends no bills."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

from trainers.costs.assumptions import SPREAD


class Compared(NamedTuple):
    """One figure of a quote beside what it became."""

    what: str
    unit: str
    low: float
    high: float
    actual: float

    @property
    def error(self) -> float | None:
        """By which share of what came the middle of the quote was off; above 0 it was quoted too high."""
        return None if self.actual == 0 else ((self.low + self.high) / 2 - self.actual) / self.actual

    @property
    def within(self) -> bool:
        """Whether it came as quoted."""
        return self.low <= self.actual <= self.high

    @property
    def sentence(self) -> str:
        """Say it: `training time: 5.2 min, quoted 4.0-6.0 min (as quoted)`."""
        quoted = _said(self.low) if self.low == self.high else f"{_said(self.low)}-{_said(self.high)}"
        off = "as quoted" if self.within else "" if self.error is None else f"the quote was {self.error:+.0%} off"
        return f"{self.what}: {_said(self.actual)} {self.unit}, quoted {quoted}" + (f" ({off})" if off else "")

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        return {**self._asdict(), "error": self.error, "within": self.within, "sentence": self.sentence}


def reconcile(quote: Mapping[str, Any], result: Mapping[str, Any]) -> list[Compared]:
    """Compare a quote with a job's result (`trained_tokens`, `timing`, `invoice`); what is not known is left out."""
    return list(_compared(quote, result))


def _compared(quote: Mapping[str, Any], result: Mapping[str, Any]) -> Iterator[Compared]:
    if result.get("trained_tokens"):
        tokens = float(quote["train_tokens"])
        spread = float(SPREAD["exact" if quote["tokens_exact"] else "estimated"]) / 100
        spread = 0.0 if quote["tokens_exact"] and not quote.get("estimate") else spread  # here nothing else is counted
        low, high = tokens * (1 - spread), tokens * (1 + spread)
        yield Compared("trained tokens", "tokens", low, high, float(result["trained_tokens"]))
    if result.get("timing"):
        _, training, _, evaluation = result["timing"]
        for what, seconds in (("training", training), ("evaluation", evaluation)):
            low, high = quote[f"{what}_minutes"]
            if high:
                yield Compared(f"{what} time", "min", low, high, seconds / 60)
    if result.get("invoice") is not None:
        yield _invoiced(quote, Decimal(result["invoice"]))


def _invoiced(quote: Mapping[str, Any], invoice: Decimal) -> Compared:
    parts = (quote.get("estimate") or {}).get("training"), (quote.get("estimate") or {}).get("evaluation")
    if all(part and part["low"] is not None for part in parts):
        low, high = (sum(part[end] for part in parts if part) for end in ("low", "high"))
    else:
        low = high = sum(float(quote[name] or 0) for name in ("training_cost", "evaluation_cost"))
    return Compared("cost", "USD", low, high, float(invoice))


def _said(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 or value == int(value) else f"{value:,.2f}".rstrip("0").rstrip(".")
