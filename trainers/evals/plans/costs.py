"""What a success earns and a failure costs, and from which accuracy on it pays; it knows no prices of models.

Break-even: p such that p * gain = (1 - p) * loss, so p = loss / (gain + loss) (OpenAI, Optimizing LLM Accuracy, 2024).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_CEILING, Decimal, InvalidOperation
from typing import Any

from knowledge.errors import UserError

_MOST = Decimal(10) ** 12
_EXAMPLE = "Write a failure as its share and its cost, such as 0.95:40."


@dataclass(frozen=True, kw_only=True)
class Failure:
    """One way to fail."""

    share: Decimal
    """Of all failures, 0 to 1."""
    loss: Decimal
    """What one of these costs."""


@dataclass(frozen=True, kw_only=True)
class Costs:
    """What right and wrong answers are worth; raises UserError for amounts that mean nothing."""

    gain: Decimal
    """What one success earns or saves."""
    failures: tuple[Failure, ...]
    """Ways to fail; what their shares leave over costs nothing."""
    currency: str = "USD"

    def __post_init__(self) -> None:
        """Refuse negative and absurd amounts."""
        _check_money(self.gain, "A success")
        for failure in self.failures:
            _check_money(failure.loss, "A failure")
            if not (failure.share.is_finite() and 0 < failure.share <= 1):
                raise UserError(f"{failure.share} is no share of failures.", _EXAMPLE)
        if sum(failure.share for failure in self.failures) > 1:
            raise UserError("The shares of the failures add up to more than 1.", "Shares of all failures, 1 in total.")
        if not (len(self.currency) == 3 and self.currency.isascii() and self.currency.isalpha()):
            raise UserError(f"{self.currency[:20]!r} is no currency code.", "Use three letters, such as USD or EUR.")

    @property
    def loss(self) -> Decimal:
        """What a failure costs on average."""
        return sum((failure.share * failure.loss for failure in self.failures), Decimal(0))

    @property
    def target(self) -> Decimal:
        """Accuracy from which on it pays, as a share rounded up to a tenth of a percent."""
        return break_even(self.gain, self.loss).quantize(Decimal("0.001"), rounding=ROUND_CEILING)

    @property
    def sentence(self) -> str:
        """Where the target comes from, in words."""
        parts = " + ".join(f"{_plain(f.share)} × {_plain(f.loss)}" for f in self.failures)
        average = f" (on average: {parts})" if len(self.failures) > 1 or self.failures[0].share != 1 else ""
        return (
            f"break-even: a success is worth {_plain(self.gain)} {self.currency}, a failure costs "
            f"{_plain(self.loss)} {self.currency}{average}; {_plain(self.loss)} / "
            f"({_plain(self.gain)} + {_plain(self.loss)})"
        )

    def to_json(self) -> dict[str, Any]:
        """Plain data that `from_json` reads back to equal costs."""
        return {
            "gain": str(self.gain),
            "failures": [[str(failure.share), str(failure.loss)] for failure in self.failures],
            "currency": self.currency,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Costs":
        """Read what `to_json` wrote."""
        failures = tuple(Failure(share=Decimal(share), loss=Decimal(loss)) for share, loss in data["failures"])
        return cls(gain=Decimal(data["gain"]), failures=failures, currency=data["currency"])


def break_even(gain_per_success: Decimal, loss_per_failure: Decimal) -> Decimal:
    """Return the share of right answers from which on an answer earns more than it costs, 0 to below 1.

    Raises UserError for negative or absurd amounts and where a success earns nothing.
    """
    _check_money(gain_per_success, "A success")
    _check_money(loss_per_failure, "A failure")
    if gain_per_success == 0:
        raise UserError(
            "Where a success earns nothing, no accuracy pays.", "Say what a right answer earns or saves, such as 20."
        )
    return loss_per_failure / (gain_per_success + loss_per_failure)


def read_costs(gain: str | None, loss: str | None, failures: Iterable[str], currency: str = "USD") -> Costs | None:
    """Read costs as people type them: `loss` for all failures alike, or `failures` as `share:loss`; None of nothing."""
    kinds = tuple(_failure(text) for text in failures)
    if gain is None and loss is None and not kinds:
        return None
    if gain is None or (loss is None and not kinds):
        raise UserError("A break-even needs both sides.", "Give what a success earns and what a failure costs.")
    if loss is not None and kinds:
        raise UserError("Costs of failures were given in two ways.", "Give one loss, or a share and a loss per kind.")
    if loss is not None:
        kinds = (Failure(share=Decimal(1), loss=amount(loss)),)
    return Costs(gain=amount(gain), failures=kinds, currency=currency.upper())


def amount(text: str) -> Decimal:
    """Read an amount of money; raises UserError for what is none."""
    try:
        return Decimal(text.strip().removeprefix("$").replace(",", ""))
    except InvalidOperation:
        raise UserError(f"{text[:40]!r} is no amount of money.", "Write a number such as 20 or 4.50.") from None


def _failure(text: str) -> Failure:
    share, colon, loss = text.partition(":")
    if not colon:
        raise UserError(f"{text[:40]!r} names no share and cost.", _EXAMPLE)
    written = share.strip()
    part = amount(written.removesuffix("%"))
    return Failure(share=part / 100 if written.endswith("%") else part, loss=amount(loss))


def _check_money(value: Decimal, whose: str) -> None:
    if not value.is_finite() or value < 0:
        raise UserError(f"{whose} can't be worth {value}.", "Give an amount of 0 or more; a loss without its sign.")
    if value > _MOST:
        raise UserError(f"{value:.3g} is more money than I believe.", "Check the amount; it is per answer.")


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"
