"""Knows what a job will take and cost before it starts, frozen and hashed; it does not know who approves it."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from trainers.costs.local import PastRun, estimate
from trainers.costs.rehearsal import price
from trainers.data.jsonl import read_rows
from trainers.data.tokens import count
from trainers.evals.judged_by import JudgedBy
from trainers.evals.rule import SuccessRule
from trainers.spec import TrainingSpec
from trainers.tables import Dataset

VALID_FOR = timedelta(hours=24)
"""How long a quote may be approved."""


@dataclass(frozen=True, kw_only=True)
class Quote:
    """What a person approves: data, model, method, time, money and the rule of success."""

    dataset: str
    """Name and version of the data set, for people."""
    data_sha256: str
    """Hash over the training and test files."""
    train_rows: int
    test_rows: int
    train_tokens: int
    """Tokens through the model, all epochs."""
    tokens_exact: bool
    """Whether the base's own tokenizer counted, or characters were divided by four."""
    spec: TrainingSpec
    rule: SuccessRule
    """Fixed now, before training."""
    training_minutes: tuple[float, float]
    """Wall time, (low, high)."""
    evaluation_minutes: tuple[float, float]
    """Wall time of all arms, (low, high)."""
    time_basis: str
    """Where the times come from."""
    training_cost: Decimal | None
    """US dollars; None means unknown, never 0."""
    evaluation_cost: Decimal | None
    serving_cost_30_days: Decimal | None
    cost_basis: str
    """Where the costs come from."""
    plan: JudgedBy | None = None
    """The frozen plan that the rule comes from, and whether its rows are the test; None where there is none."""

    @property
    def total(self) -> Decimal | None:
        """Training plus evaluation in US dollars; None as soon as one of them is unknown."""
        if self.training_cost is None or self.evaluation_cost is None:
            return None
        return self.training_cost + self.evaluation_cost

    def to_json(self) -> dict[str, Any]:
        """Return plain data, money as decimal strings."""
        data = {**asdict(self), "spec": self.spec.to_json(), "rule": self.rule.to_json()}
        for name in ("training_cost", "evaluation_cost", "serving_cost_30_days"):
            data[name] = None if data[name] is None else str(data[name])
        return data

    @property
    def hash(self) -> str:
        """SHA-256 over the canonical JSON: what approval binds to."""
        canonical = json.dumps(self.to_json(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode()).hexdigest()


def quote(
    dataset: Dataset,
    spec: TrainingSpec,
    rule: SuccessRule,
    *,
    folder: Path,
    tokenizer: Path | None,
    past: Sequence[PastRun] = (),
    training: bool = True,
) -> Quote:
    """Quote a run; `folder` is the data folder that the data set's paths start from.

    A `rule` that comes from no plan takes the metric that suits the rows. `training=False` quotes an evaluation of a
    model that exists already.
    """
    rows = read_rows(folder / dataset.train_path).rows
    if not rule.plan:
        rule = rule.fitted(rows, read_rows(folder / dataset.test_path).rows)
    once = count((row.messages for row in rows), tokenizer)
    tokens = once.tokens * spec.hyperparameters.epochs if training else 0
    return Quote(
        dataset=f"{dataset.name} v{dataset.version}",
        data_sha256=dataset.sha256,
        train_rows=dataset.train_rows,
        test_rows=dataset.test_rows,
        train_tokens=tokens,
        tokens_exact=once.exact,
        spec=spec,
        rule=rule,
        **(_pretended(tokens) if spec.backend == "hosted_rehearsal" else _here(dataset, spec, tokens, past, training)),
    )


def _here(dataset: Dataset, spec: TrainingSpec, tokens: int, past: Sequence[PastRun], training: bool) -> dict[str, Any]:
    """Return time and money of a run on this machine."""
    time = estimate(spec.base, tokens, dataset.test_rows, past)
    return {
        "training_minutes": time.training if training else (0.0, 0.0),
        "evaluation_minutes": time.evaluation,
        "time_basis": time.basis,
        "training_cost": Decimal(0),
        "evaluation_cost": Decimal(0),
        "serving_cost_30_days": Decimal(0),
        "cost_basis": "runs on this machine; electricity not counted",
    }


def _pretended(tokens: int) -> dict[str, Any]:
    """Return time and money of the rehearsal provider, which leaves no model to evaluate or to serve."""
    pretend = price(tokens)
    return {
        "training_minutes": pretend.minutes,
        "evaluation_minutes": (0.0, 0.0),
        "time_basis": "are pretend: nothing is trained",
        "training_cost": pretend.dollars,
        "evaluation_cost": Decimal(0),
        "serving_cost_30_days": Decimal(0),
        "cost_basis": pretend.basis,
    }
