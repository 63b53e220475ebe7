"""What one evaluation left behind, as what a report is made from; it judges nothing."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from trainers.data.jsonl import Row
from trainers.evals.judges.card import JudgeCard
from trainers.evals.judges.pairwise import Judging
from trainers.evals.metrics.operations import TokenPrices
from trainers.evals.rule import SuccessRule


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What one evaluation left behind."""

    predictions: Path
    """Every arm's answers, as the evaluation script wrote them."""
    rows: Sequence[Row]
    """The held-out rows, all of them."""
    rule: SuccessRule
    """Fixed before training."""
    train: Sequence[Row] | None = None
    """The training rows, for the check that none was tested."""
    labels: Sequence[str] | None = None
    """The closed set of labels, found in the rows if not given."""
    arms: Path | None = None
    """The script's arms.json, which says how each arm was asked."""
    probes: Path | None = None
    """The script's probes.jsonl: what base and tuned model answered to the shipped probes."""
    losses: Path | None = None
    """The training loss by step."""
    epochs: int = 1
    """Times that the training saw its rows."""
    prices: TokenPrices | None = None
    """What answers cost; None where nobody knows."""
    judging: Judging | None = None
    """What a language model said of each row, where one was asked."""
    card: JudgeCard | None = None
    """The same in sum."""
    wanted_model: str = ""
    """Of an endpoint: the tuned model's name; "" for a model on this machine."""
    answered_by: Sequence[str] | None = None
    """Of an endpoint: the model that each answer of the tuned arm names."""
    changed: str = ""
    """What is no longer as the plan froze it, in words."""
    lost: Mapping[int, str] = field(default_factory=dict)
    """Line of a row of which an answer was lost, which counts against neither side -> why, in words."""
    batched: bool = False
    """Whether an answer's milliseconds are the mean of the batch that it was in, and not its own."""
