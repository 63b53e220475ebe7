"""How the evidence of one evaluation becomes a report; it does not run models or draw.

The rival is always the base with its best prompt, which was chosen on training rows: choosing the better prompt on the
test rows afterwards would let chance pick the rival.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from trainers.data.jsonl import Row
from trainers.data.labels import closed_labels
from trainers.evals import metrics
from trainers.evals.clusters import clusters
from trainers.evals.contamination import Contamination, inspect
from trainers.evals.guarding import guard, signs
from trainers.evals.guardrails import GuardrailResult
from trainers.evals.judges.card import JudgeCard
from trainers.evals.judges.pairwise import Judging
from trainers.evals.metrics import Mark, Metric, Setup
from trainers.evals.metrics.operations import Request, TokenPrices, operations
from trainers.evals.notices import notices
from trainers.evals.predictions import PLAIN, RIVAL, TITLES, TUNED, Answer, Answers, notes, pairs, read_answers
from trainers.evals.proof import ProofResult, prove
from trainers.evals.report import ArmScore, Case, Report
from trainers.evals.rule import SuccessRule
from trainers.evals.scorers import names_label
from trainers.evals.stats import median, wilson
from trainers.evals.verdict import Pair, Verdict, decide, mean_interval

CASES = 3  # wins and misses shown in full
MISSING = Mark(0.0)
_JUDGED = (RIVAL, TUNED)  # shown even if they answered nothing


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What one evaluation left behind."""

    predictions: Path
    """Every arm's answers, as the evaluation script wrote them."""
    rows: Sequence[Row]
    """The held-out rows."""
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


class Assembled(NamedTuple):
    """A report and what it was made from."""

    report: Report
    answers: Answers


def assemble(evidence: Evidence) -> Assembled:
    """Judge the answers of all arms; raises `ServiceError` if they are damaged or belong to other rows."""
    rows, rule, read = evidence.rows, evidence.rule, _read(evidence)
    labels, answers = read.labels, read.answers
    seen, proof = inspect(rows, evidence.train), _proof(evidence, answers)
    guarded = guard(rule.guardrails, answers, rows, labels, evidence.probes)
    overfitted = signs(evidence.losses, evidence.epochs, read.noted, answers, closed=bool(labels))
    made = Report(
        arms=tuple(_score(arm, evidence, read) for arm in TITLES if answers[arm] or arm in _JUDGED),
        rival=RIVAL,
        verdict=_verdict(evidence, answers, seen, guarded.results, proof),
        rule=rule,
        measure=read.metric.title,
        labels=labels,
        wins=_cases(answers, rows, better=True),
        misses=_cases(answers, rows, better=False),
        proof=" ".join(proof.sentences),
        notices=(*notices(answers, rows, rule, labels, read.metric.caution), *guarded.notices, *overfitted),
        contamination=told(seen),
        guardrails=guarded.results,
        tables=guarded.tables,
        changed=evidence.changed,
        judge=evidence.card.to_json() if evidence.card else None,
        judge_says=evidence.card.sentence if evidence.card else _no_judge(rule),
    )
    return Assembled(made, answers)


class _Read(NamedTuple):
    labels: tuple[str, ...]
    metric: Metric
    answers: Answers
    noted: dict[str, dict[str, Any]]


def _read(evidence: Evidence) -> _Read:
    """Read and mark the answers."""
    rows, rule = evidence.rows, evidence.rule
    labels = tuple(evidence.labels if evidence.labels is not None else closed_labels(rows) or ())
    setup = Setup(labels=labels, schema=rule.schema, train=evidence.train or (), options=rule.options)
    metric = metrics.load(rule.metric, setup)
    return _Read(labels, metric, read_answers(evidence.predictions, rows, metric), notes(evidence.arms))


def _verdict(
    evidence: Evidence,
    answers: Answers,
    seen: Contamination,
    guardrails: Sequence[GuardrailResult],
    proof: ProofResult,
) -> Verdict:
    """Apply the rule to the metric's marks or, where it says so, to what the judge prefers."""
    rows, rule = evidence.rows, evidence.rule
    doubts = list(proof.sentences) if proof.outcome == "refuted" else []
    if rule.metric != "judged":
        return decide(unseen(answers, rows, seen), rule, guardrails, doubts=doubts)
    if evidence.judging is None or evidence.card is None:
        return decide([], rule, guardrails, doubts=["The rule asks for a judge, and none is set."])
    fresh = [row for row in rows if row.line not in set(seen.lines)]
    sources = dict(zip([row.line for row in fresh], clusters(fresh) or [""] * len(fresh), strict=True))
    preferred = [
        Pair(*judged.scores, cluster=sources[judged.row])
        for judged in evidence.judging.rows
        if judged.scores is not None and judged.row in sources
    ]
    lost = [  # the judge was not asked about these
        Pair(1.0, 0.0, sources[row.line])
        for row in fresh
        if row.line in answers[RIVAL] and row.line not in answers[TUNED]
    ]
    doubts += [evidence.card.unusable] if evidence.card.unusable else []
    return decide([*preferred, *lost], rule, guardrails, doubts=doubts)


def _proof(evidence: Evidence, answers: Answers) -> ProofResult:
    """Gather what shows that the tuned model answered, also by comparing it with the plainly asked base."""
    both = [row.line for row in evidence.rows if row.line in answers[PLAIN] and row.line in answers[TUNED]]
    return prove(
        arms=evidence.arms,
        wanted_model=evidence.wanted_model,
        answered_by=evidence.answered_by,
        plain=[answers[PLAIN][line].output for line in both],
        tuned=[answers[TUNED][line].output for line in both],
    )


def _no_judge(rule: SuccessRule) -> str:
    worded = rule.metric in ("chrf", "exact_match", "style", "correct")
    return "No judge is set (LUTHIER_JUDGE_MODEL), so only what can be counted was judged." if worded else ""


def unseen(answers: Answers, rows: Sequence[Row], seen: Contamination) -> list[Pair]:
    """Pair the arms on the rows that were not in training: only they say how the model does on what is new."""
    fresh = [row for row in rows if row.line not in set(seen.lines)]
    return pairs(answers, fresh, clusters=clusters(fresh))


def told(seen: Contamination) -> str:
    """Say whether rows were in training, and that those are left out of the verdict."""
    left_out = " They are left out of the verdict." if seen.lines else ""
    return seen.sentence.replace("; the score may measure memory.", ".") + left_out if left_out else seen.sentence


def _score(arm: str, evidence: Evidence, read: _Read) -> ArmScore:
    rows, level, metric, labels = evidence.rows, evidence.rule.level, read.metric, read.labels
    answers, asked = read.answers[arm], str(read.noted.get(arm, {}).get("asked", ""))
    marks = [answers[row.line].mark if row.line in answers else MISSING for row in rows]
    outputs = [answers[row.line].output if row.line in answers else None for row in rows]
    scores = [mark.score for mark in marks]
    right = sum(score >= 1 for score in scores)
    interval = wilson(right, len(rows), level) if metric.binary else mean_interval(scores, level)
    named = [row for row in rows if row.line in answers and names_label(answers[row.line].output, row.target, labels)]
    return ArmScore(
        arm=arm,
        title=TITLES[arm],
        score=sum(scores) / len(scores) if scores else 0.0,
        right=right,
        n=len(rows),
        low=interval.low,
        high=interval.high,
        binary=metric.binary,
        median_ms=median([a.milliseconds for a in answers.values() if a.milliseconds is not None]),
        asked=asked,
        named=len(named) if labels else None,
        figures=(*metric.figures(rows, outputs, marks), *operations(_requests(answers, rows), evidence.prices)),
    )


def _requests(answers: Mapping[int, Answer], rows: Sequence[Row]) -> list[Request]:
    found = [(row, answers[row.line]) for row in rows if row.line in answers]
    return [
        Request(answer.output, row.target, answer.milliseconds, answer.prompt_tokens, answer.output_tokens)
        for row, answer in found
    ]


def _cases(answers: Answers, rows: Sequence[Row], *, better: bool) -> tuple[Case, ...]:
    """Pick up to three rows that the tuned model does better, or badly: regressions first.

    Among equals one of each expected answer comes before a second of any.
    """
    rival, tuned = answers[RIVAL], answers[TUNED]
    found = [
        (tuned[row.line].mark.score - rival[row.line].mark.score, _case(row, rival[row.line], tuned[row.line]))
        for row in rows
        if row.line in rival and row.line in tuned and _belongs(rival[row.line], tuned[row.line], better)
    ]
    seen: dict[str, int] = {}
    turn: dict[int, int] = {}
    for _, case in found:
        turn[case.row] = seen[case.expected] = seen.get(case.expected, 0) + 1
    sign = -1 if better else 1
    ordered = sorted(found, key=lambda one: (sign * round(one[0], 6), turn[one[1].row], one[1].row))
    return tuple(case for _, case in ordered[:CASES])


def _belongs(rival: Answer, tuned: Answer, better: bool) -> bool:
    """Say whether a row is a win (the tuned model does better), or one on which it could do better."""
    return (
        tuned.mark.score > rival.mark.score if better else tuned.mark.score < 1 and tuned.mark.score <= rival.mark.score
    )


def _case(row: Row, rival: Answer, tuned: Answer) -> Case:
    return Case(
        row=row.line,
        input=row.prompt,
        expected=row.target,
        base=rival.output,
        tuned=tuned.output,
        regression=tuned.mark.score < rival.mark.score,
        note=tuned.mark.note,
    )
