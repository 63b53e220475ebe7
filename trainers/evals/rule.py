"""When a tuned model counts as a success, fixed before training; it does not know the results."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

from knowledge.errors import UserError
from trainers.data.jsonl import Row
from trainers.evals import metrics
from trainers.evals.guardrails import Guardrail, fitting, guardrails
from trainers.evals.metrics.choose import suggest

PREFERENCE = "preference"
"""Metric of preference pairs: which of two given answers a model finds likelier; no answer is written for it."""

LEAST_ROWS = 20
"""Fewer held-out rows never prove success, whatever a rule says."""


@dataclass(frozen=True, kw_only=True)
class SuccessRule:
    """The rule that a quote states and a verdict applies; it is compared with the best-prompted base."""

    metric: str = "accuracy"
    """The one primary metric; named before the run, so that it cannot be picked afterwards."""
    useful_effect: Decimal = Decimal("0.05")
    """Smallest difference worth having, as a share: 0.05 is 5 points."""
    level: float = 0.95
    """Confidence level of intervals."""
    minimum_rows: int = LEAST_ROWS
    """Fewer held-out rows never prove success."""
    target: Decimal | None = None
    """Share that the tuned model has to reach as well, such as a break-even accuracy; None is no such target."""
    labels: tuple[str, ...] = ()
    """The closed set of labels, for classification."""
    schema: Mapping[str, Any] | None = None
    """JSON Schema of right answers, for the metrics of extraction."""
    options: Mapping[str, Any] = field(default_factory=dict)
    """The metric's own settings."""
    guardrails: tuple[Guardrail, ...] = field(default_factory=guardrails)
    """What must not get worse."""
    plan: str = ""
    """Digest of the frozen evaluation plan that this rule comes from; "" for the rule that applies by default."""

    def __post_init__(self) -> None:
        """Refuse a rule that proves nothing."""
        if self.metric != PREFERENCE:
            metrics.check_name(self.metric)
        if not 0 <= self.useful_effect < 1:
            raise UserError("The smallest useful effect must be from 0 to below 1.", "Use 0.05 for five points.")
        if not 0.5 <= self.level < 1:
            raise UserError("The confidence level must be from 0.5 to below 1.", "Use 0.95.")
        if self.minimum_rows < LEAST_ROWS:
            raise UserError(f"Fewer than {LEAST_ROWS} held-out rows can't carry a verdict.", "Use 20 or more.")
        if self.target is not None and not 0 < self.target <= 1:
            raise UserError("The target must be above 0 and at most 1.", "Use 0.9 for 90%.")

    @property
    def unit(self) -> str:
        """What one comparison rests on: `row`, or `pair` of given answers."""
        return unit_of(self.metric)

    @property
    def digest(self) -> str:
        """SHA-256 of the rule in hex: a report shows the digest that the quote had."""
        return hashlib.sha256(json.dumps(self.to_json(), sort_keys=True).encode()).hexdigest()

    @property
    def sentence(self) -> str:
        """The rule for a quote: `accuracy on unseen rows, at least 5 points above the best-prompted base`."""
        points = f"{(self.useful_effect * 100).normalize():f}"
        least = f", and {(self.target * 100).normalize():f}% or more" if self.target else ""
        if self.metric == PREFERENCE:
            share = "share of unseen pairs whose better answer is the likelier one to the model"
            return f"preference accuracy ({share}), at least {points} points above the base"
        name = "a judge's preference" if self.metric == "judged" else self.metric.replace("_", " ")
        return f"{name} on unseen rows, at least {points} points above the best-prompted base{least}"

    def fitted(self, train: Sequence[Row], test: Sequence[Row]) -> "SuccessRule":
        """Return this rule with the metric that suits the rows, for a task that nobody planned.

        Texts that may be worded in many ways stay with a judge where this rule names one.
        """
        metric, setup = suggest(train, test)
        metric = self.metric if metric == "chrf" and self.metric == "judged" else metric
        rails = fitting(self.guardrails, metric)
        return replace(self, metric=metric, labels=setup.labels, schema=setup.schema, guardrails=rails)

    def of_pairs(self) -> "SuccessRule":
        """Return this rule for preference pairs, of which models are asked no answers: nothing else is guarded."""
        return replace(self, metric=PREFERENCE, labels=(), schema=None, guardrails=())

    def to_json(self) -> dict[str, Any]:
        """Plain data that `from_json` reads back to an equal rule."""
        return {
            "metric": self.metric,
            "useful_effect": str(self.useful_effect),
            "level": self.level,
            "minimum_rows": self.minimum_rows,
            "target": None if self.target is None else str(self.target),
            "labels": list(self.labels),
            "schema": self.schema,
            "options": dict(self.options),
            "guardrails": [guardrail.to_json() for guardrail in self.guardrails],
            "plan": self.plan,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "SuccessRule":
        """Read what `to_json` wrote; raises `UserError` where a value is out of range.

        A rule of an older quote has no guardrails; it keeps none.
        """
        return cls(
            metric=str(data["metric"]),
            useful_effect=Decimal(str(data["useful_effect"])),
            level=float(data["level"]),
            minimum_rows=int(data["minimum_rows"]),
            target=None if data.get("target") is None else Decimal(str(data["target"])),
            labels=tuple(data.get("labels", ())),
            schema=data.get("schema"),
            options=data.get("options", {}),
            guardrails=tuple(Guardrail.from_json(item) for item in data.get("guardrails", ())),
            plan=str(data.get("plan", "")),
        )


def unit_of(metric: str) -> str:
    """Return what one comparison by a metric rests on: `row`, or `pair` of given answers."""
    return "pair" if metric == PREFERENCE else "row"
