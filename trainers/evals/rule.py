"""When a tuned model counts as a success, fixed before training; it does not know the results."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from knowledge.errors import UserError


@dataclass(frozen=True, kw_only=True)
class SuccessRule:
    """The rule that a quote states and a verdict applies; it is compared with the best-prompted base."""

    metric: str = "accuracy"
    """The one primary metric; named before the run, so that it cannot be picked afterwards."""
    useful_effect: Decimal = Decimal("0.05")
    """Smallest difference worth having, as a share: 0.05 is 5 points."""
    level: float = 0.95
    """Confidence level of intervals."""
    minimum_rows: int = 20
    """Fewer held-out rows never prove success."""

    def __post_init__(self) -> None:
        """Refuse a rule that proves nothing."""
        if self.metric != "accuracy":
            raise UserError(f"I can't judge by {self.metric!r} yet.", "Use accuracy.")
        if not 0 <= self.useful_effect < 1:
            raise UserError("The smallest useful effect must be from 0 to below 1.", "Use 0.05 for five points.")
        if not 0.5 <= self.level < 1:
            raise UserError("The confidence level must be from 0.5 to below 1.", "Use 0.95.")
        if self.minimum_rows < 20:
            raise UserError("Fewer than 20 held-out rows can't carry a verdict.", "Use 20 or more.")

    @property
    def digest(self) -> str:
        """SHA-256 of the rule in hex: a report shows the digest that the quote had."""
        return hashlib.sha256(json.dumps(self.to_json(), sort_keys=True).encode()).hexdigest()

    @property
    def sentence(self) -> str:
        """The rule for a quote: `accuracy on unseen rows, at least 5 points above the best-prompted base`."""
        points = f"{(self.useful_effect * 100).normalize():f}"
        return f"{self.metric} on unseen rows, at least {points} points above the best-prompted base"

    def to_json(self) -> dict[str, Any]:
        """Plain data that `from_json` reads back to an equal rule."""
        return {
            "metric": self.metric,
            "useful_effect": str(self.useful_effect),
            "level": self.level,
            "minimum_rows": self.minimum_rows,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "SuccessRule":
        """Read what `to_json` wrote; raises `UserError` where a value is out of range."""
        return cls(
            metric=str(data["metric"]),
            useful_effect=Decimal(str(data["useful_effect"])),
            level=float(data["level"]),
            minimum_rows=int(data["minimum_rows"]),
        )
