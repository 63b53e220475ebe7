"""What came of an evaluation: scores, verdict, cases in full and doubts; it does not run models or draw.

The rival is always the base with its best few-shot prompt, which was chosen on training rows: choosing the better
prompt on the test rows afterwards would let chance pick the rival.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from trainers.data.jsonl import Row
from trainers.data.labels import closed_labels
from trainers.evals.contamination import contamination
from trainers.evals.notices import notices
from trainers.evals.predictions import RIVAL, TITLES, TUNED, Answer, Answers, asked, pairs, read_answers
from trainers.evals.rule import SuccessRule
from trainers.evals.scorers import names_label
from trainers.evals.stats import median, wilson
from trainers.evals.verdict import Verdict, decide

CASES = 3  # wins and misses shown in full
_JUDGED = (RIVAL, TUNED)  # shown even if they answered nothing


@dataclass(frozen=True, kw_only=True)
class ArmScore:
    """How one arm did on the held-out rows."""

    arm: str
    """Name in `predictions.TITLES`."""
    title: str
    """Name for people."""
    right: int
    """Rows answered right."""
    n: int
    """Held-out rows; one without an answer counts as wrong."""
    low: float
    """Lower end of Wilson's interval of the share right."""
    high: float
    """Upper end of Wilson's interval of the share right."""
    median_ms: float | None
    """Median milliseconds an answer took; None if not measured."""
    asked: str
    """How the arm was asked, in words; empty if nobody noted it."""
    named: int | None
    """Rows whose answer names the right label and no other, in whatever words; None for free text."""

    @property
    def share(self) -> float:
        """Share right, 0 to 1."""
        return self.right / self.n if self.n else 0.0


@dataclass(frozen=True, kw_only=True)
class Case:
    """One held-out row with both answers, in full."""

    row: int
    """Line in the test file."""
    input: str
    """What was asked, without the system prompt."""
    expected: str
    """The right answer."""
    base: str
    """What the best-prompted base said."""
    tuned: str
    """What the tuned model said."""
    regression: bool
    """The base had it right and the tuned model has it wrong."""


@dataclass(frozen=True, kw_only=True)
class Report:
    """The whole result of one evaluation."""

    arms: tuple[ArmScore, ...]
    """Every arm that answered, in the order of `predictions.TITLES`."""
    rival: str
    """Arm that the verdict compares with."""
    verdict: Verdict
    """Tuned minus rival, by the rule."""
    rule: SuccessRule
    """The rule, fixed before training."""
    labels: tuple[str, ...]
    """The closed set of labels; empty for free text."""
    wins: tuple[Case, ...]
    """Up to three rows that only the tuned model gets right."""
    misses: tuple[Case, ...]
    """Up to three rows that the tuned model gets wrong, regressions first."""
    notices: tuple[str, ...]
    """What a reader should know before believing the verdict, one sentence or two each."""
    contamination: str
    """Whether test rows were in training, in one sentence."""

    @property
    def headline(self) -> str:
        """Scores of the tuned model and of its rival: `Tuned gets 36/40 right, the best-prompted base 9/40.`"""
        tuned, rival = self.arm(TUNED), self.arm(self.rival)
        return f"Tuned gets {tuned.right}/{tuned.n} right, the best-prompted base {rival.right}/{rival.n}."

    def arm(self, name: str) -> ArmScore:
        """Score of one arm; raises `KeyError` if it did not answer."""
        return {score.arm: score for score in self.arms}[name]

    def to_json(self) -> dict[str, Any]:
        """Plain data that `from_json` reads back to an equal report; `headline` is added for readers."""
        return {**asdict(self), "rule": self.rule.to_json(), "headline": self.headline}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Report":
        """Read what `to_json` wrote."""
        return cls(
            arms=tuple(ArmScore(**arm) for arm in data["arms"]),
            rival=data["rival"],
            verdict=Verdict.from_json(data["verdict"]),
            rule=SuccessRule.from_json(data["rule"]),
            labels=tuple(data["labels"]),
            wins=tuple(Case(**case) for case in data["wins"]),
            misses=tuple(Case(**case) for case in data["misses"]),
            notices=tuple(data["notices"]),
            contamination=data["contamination"],
        )


def build(
    predictions: Path,
    rows: Sequence[Row],
    rule: SuccessRule,
    *,
    train: Sequence[Row] | None = None,
    labels: Sequence[str] | None = None,
    arms: Path | None = None,
) -> Report:
    """Judge the answers of all arms to the held-out `rows`.

    `train` are the training rows, for the check that none was tested; `labels` the closed set, found in the rows if
    not given; `arms` is the script's arms.json, which says how each arm was asked. Raises `ServiceError` if the
    predictions are damaged or belong to other rows.
    """
    answers = read_answers(predictions, rows)
    known = tuple(labels) if labels is not None else tuple(closed_labels(rows) or ())
    how = asked(arms)
    scores = tuple(
        _score(arm, answers[arm], rows, known, rule.level, how.get(arm, ""))
        for arm in TITLES
        if answers[arm] or arm in _JUDGED
    )
    verdict = decide(pairs(answers, rows), rule)
    return Report(
        arms=scores,
        rival=RIVAL,
        verdict=verdict,
        rule=rule,
        labels=known,
        wins=_cases(answers, rows, right=True),
        misses=_cases(answers, rows, right=False),
        notices=notices(answers, rows, rule, known),
        contamination=contamination(rows, train),
    )


def _score(
    arm: str, answers: dict[int, Answer], rows: Sequence[Row], labels: Sequence[str], level: float, how: str
) -> ArmScore:
    right = sum(answer.right for answer in answers.values())
    interval = wilson(right, len(rows), level)
    took = [answer.milliseconds for answer in answers.values() if answer.milliseconds is not None]
    named = [row for row in rows if row.line in answers and names_label(answers[row.line].output, row.target, labels)]
    return ArmScore(
        arm=arm,
        title=TITLES[arm],
        right=right,
        n=len(rows),
        low=interval.low,
        high=interval.high,
        median_ms=median(took),
        asked=how,
        named=len(named) if labels else None,
    )


def _cases(answers: Answers, rows: Sequence[Row], *, right: bool) -> tuple[Case, ...]:
    """Pick up to three wins or misses: regressions first, then one of each label before a second of any."""
    cases = [
        Case(
            row=row.line,
            input=row.prompt,
            expected=row.target,
            base=answers[RIVAL][row.line].output,
            tuned=answers[TUNED][row.line].output,
            regression=answers[RIVAL][row.line].right and not answers[TUNED][row.line].right,
        )
        for row in rows
        if row.line in answers[RIVAL]
        and row.line in answers[TUNED]
        and answers[TUNED][row.line].right is right
        and not (right and answers[RIVAL][row.line].right)
    ]
    seen: dict[str, int] = {}
    turn: dict[int, int] = {}
    for case in cases:
        turn[case.row] = seen[case.expected] = seen.get(case.expected, 0) + 1
    return tuple(sorted(cases, key=lambda case: (not case.regression, turn[case.row], case.row))[:CASES])
