"""What came of an evaluation: scores, verdict, cases in full and doubts, as plain data; it computes none of it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from trainers.data.findings import plural
from trainers.evals.guardrails import GuardrailResult
from trainers.evals.metrics import Figure
from trainers.evals.predictions import TUNED
from trainers.evals.rule import PREFERENCE, SuccessRule
from trainers.evals.verdict import Verdict

LONGEST_TURN = 8000
"""Characters of one turn of the prompt that is shown."""


@dataclass(frozen=True, kw_only=True)
class ArmScore:
    """How one arm did on the held-out rows."""

    arm: str
    """Name in `predictions.TITLES`."""
    title: str
    """Name for people."""
    score: float
    """Mean score, 0 to 1; for rows that are right or wrong the share right."""
    right: int
    """Rows with a full score; of preference pairs those in which the model prefers the better answer."""
    n: int
    """Held-out rows; one without an answer counts as wrong."""
    low: float
    """Lower end of the interval of the score: Wilson's where rows are right or wrong."""
    high: float
    """Upper end of the interval of the score."""
    binary: bool
    """Whether rows are right or wrong and nothing between."""
    median_ms: float | None
    """Median milliseconds an answer took; None if not measured."""
    asked: str
    """How the arm was asked, in words; empty if nobody noted it."""
    named: int | None
    """Rows whose answer names the right label and no other, in whatever words; None for free text."""
    figures: tuple[Figure, ...] = ()
    """What else the metric says of it, and what an answer takes."""

    @property
    def shown(self) -> str:
        """The score for people: `36/40`, or `71.5` of 100 where answers are graded."""
        return f"{self.right}/{self.n}" if self.binary else f"{self.score * 100:.1f}"

    def to_json(self) -> dict[str, Any]:
        """Plain data that `from_json` reads back; `shown` is added for readers."""
        return {**asdict(self), "figures": [figure._asdict() for figure in self.figures], "shown": self.shown}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "ArmScore":
        """Read what `to_json` wrote, in this version or an earlier one."""
        older = {"score": data["right"] / data["n"] if data["n"] else 0.0, "binary": True}
        known = {key: value for key, value in data.items() if key != "shown"}
        figures = tuple(Figure(**figure) for figure in data.get("figures", ()))
        return cls(**{**older, **known, "figures": figures})


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
    """The base did better on it than the tuned model."""
    note: str = ""
    """Why the tuned model's answer counts as it does, where that cannot be seen."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """Numbers of one kind beside each other, such as general skills before and after."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Table":
        """Read what `asdict` made."""
        return cls(title=data["title"], head=tuple(data["head"]), rows=tuple(tuple(row) for row in data["rows"]))


@dataclass(frozen=True, kw_only=True)
class Prompt:
    """How the best-prompted base was asked, with one prompt in full."""

    kind: str
    """What sort of prompt it is: `plain`, `few-shot` or `few-shot by similarity`."""
    asked: str
    """The same in detail: how many examples, which, in what form."""
    row: int
    """Line in the test file of the row that `turns` ask for."""
    turns: tuple[tuple[str, str], ...]
    """Role and content of each turn, as it was sent; a very long one is cut and says so."""
    tried: tuple[tuple[str, float, int], ...] = ()
    """The prompts among which it was chosen: in words, mean score on training rows, and how many these were."""

    @property
    def sentence(self) -> str:
        """Say what is shown."""
        differs = "; the examples differ from row to row" if "similarity" in self.kind else ""
        return f"{self.kind.capitalize()}: {self.asked}. Below as it was sent for test row {self.row}{differs}."

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Prompt":
        """Read what `asdict` made."""
        lists = {key: tuple(map(tuple, data[key])) for key in ("turns", "tried")}
        return cls(**{**data, **lists})


def read_prompt(noted: Mapping[str, Any], row: int) -> Prompt | None:
    """Read from an arm's notes in arms.json how its first row, `row`, was asked; None where that was not noted."""
    asked, turns = str(noted.get("asked", "")), noted.get("prompt") or ()
    if not turns:
        return None
    similar, plain = "most similar" in asked, asked.startswith("no examples")
    return Prompt(
        kind="plain" if plain else "few-shot by similarity" if similar else "few-shot",
        asked=asked,
        row=row,
        turns=tuple((str(turn["role"]), _cut(str(turn["content"]))) for turn in turns),
        tried=tuple((str(t["asked"]), float(t["score"]), int(t["rows"])) for t in noted.get("candidates", ())),
    )


def _cut(text: str) -> str:
    """Keep a report, which a database holds, from growing with eight long documents in a prompt."""
    rest = len(text) - LONGEST_TURN
    return text if rest <= 0 else f"{text[:LONGEST_TURN]} … ({plural(rest, 'more character')})"


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
    measure: str = "right"
    """What a full score means: `right`, `exactly right`, `in the brand's voice`; of pairs `preference accuracy`."""
    labels: tuple[str, ...]
    """The closed set of labels; empty for other tasks."""
    wins: tuple[Case, ...]
    """Up to three rows on which only the tuned model does well."""
    misses: tuple[Case, ...]
    """Up to three rows on which the tuned model does badly, regressions first."""
    notices: tuple[str, ...]
    """What a reader should know before believing the verdict, one sentence or two each."""
    contamination: str
    """Whether test rows were in training, in one sentence."""
    proof: str = ""
    """What shows that the tuned model answered, and not its base by mistake."""
    guardrails: tuple[GuardrailResult, ...] = ()
    """What must not get worse, before and after."""
    tables: tuple[Table, ...] = ()
    """Skills before and after, confusion and the like."""
    judge: Mapping[str, Any] | None = None
    """JSON of the `JudgeCard`, where a language model compared the answers."""
    judge_says: str = ""
    """The same in a sentence; without a judge, that there was none."""
    changed: str = ""
    """What is no longer as it was frozen before training; "" where all is."""
    prompt: Prompt | None = None
    """The prompt that the base did best with; None where it was not noted."""

    @property
    def headline(self) -> str:
        """Scores of the tuned model and of its rival: `Tuned gets 36/40 right, the best-prompted base 9/40.`"""
        tuned, rival = self.arm(TUNED), self.arm(self.rival)
        if self.rule.metric == PREFERENCE:
            return (
                f"The tuned model prefers the better answer in {tuned.right} of "
                f"{plural(tuned.n, 'unseen pair')}, the base in {rival.right}."
            )
        if self.rule.metric == "judged" and self.judge is not None:
            judge = self.judge
            silent = judge["n"] - judge["wins"] - judge["losses"] - judge["ties"]
            return (
                f"The judge prefers the tuned model on {plural(judge['wins'], 'row')}, the best-prompted base on "
                f"{judge['losses']}, neither on {judge['ties']}"
                f"{f'; it has no verdict on {silent}' if silent else ''}."
            )
        if tuned.binary:
            return f"Tuned gets {tuned.shown} {self.measure}, the best-prompted base {rival.shown}."
        return f"Tuned scores {tuned.shown} of 100 ({self.measure}), the best-prompted base {rival.shown}."

    def arm(self, name: str) -> ArmScore:
        """Score of one arm; raises `KeyError` if it did not answer."""
        return {score.arm: score for score in self.arms}[name]

    def to_json(self) -> dict[str, Any]:
        """Plain data that `from_json` reads back to an equal report; `headline` is added for readers."""
        return {
            **asdict(self),
            "arms": [arm.to_json() for arm in self.arms],
            "rule": self.rule.to_json(),
            "guardrails": [result.to_json() for result in self.guardrails],
            "headline": self.headline,
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Report":
        """Read what `to_json` wrote, in this version or an earlier one."""
        plain = ("rival", "contamination", "measure", "judge", "judge_says", "changed", "proof")
        return cls(
            arms=tuple(ArmScore.from_json(arm) for arm in data["arms"]),
            verdict=Verdict.from_json(data["verdict"]),
            rule=SuccessRule.from_json(data["rule"]),
            labels=tuple(data["labels"]),
            wins=tuple(Case(**case) for case in data["wins"]),
            misses=tuple(Case(**case) for case in data["misses"]),
            notices=tuple(data["notices"]),
            guardrails=tuple(GuardrailResult.from_json(result) for result in data.get("guardrails", ())),
            tables=tuple(Table.from_json(table) for table in data.get("tables", ())),
            prompt=Prompt.from_json(data["prompt"]) if data.get("prompt") else None,
            **{name: data[name] for name in plain if name in data},
        )
