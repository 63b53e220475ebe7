"""Knows the prices that an operator sets for a server that no book knows; what was not set is unknown, never 0."""

from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any

from knowledge.errors import UserError


@dataclass(frozen=True, kw_only=True)
class OwnPrices:
    """Dollars per million tokens."""

    training: Decimal
    prompt: Decimal
    """Of what is asked, of base and tuned model alike."""
    output: Decimal
    """Of what is answered."""
    setting: str = ""
    """Where they were set, for people."""

    def to_json(self) -> dict[str, Any]:
        """Return plain data, money as decimal strings."""
        return {"training": str(self.training), "prompt": str(self.prompt), "output": str(self.output)}


def read_own_prices(text: str, setting: str) -> OwnPrices | None:
    """Read `3.00 0.30 1.20`: training, prompt and output; None for "". Raises UserError."""
    if not text.strip():
        return None
    try:
        amounts = [Decimal(part.removeprefix("$")) for part in text.replace(",", " ").split()]
    except InvalidOperation:
        amounts = []
    if len(amounts) != 3 or not all(amount.is_finite() and amount >= 0 for amount in amounts):
        how = "Give three amounts of dollars per million tokens: of training, of prompts, of answers; 0 for your own."
        raise UserError(f"{setting} is {text!r}.", how)
    return OwnPrices(training=amounts[0], prompt=amounts[1], output=amounts[2], setting=setting)
