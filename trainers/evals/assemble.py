"""How the evidence of one evaluation becomes a report; it does not run models or draw.

The rival is always the base with its best prompt, which was chosen on training rows: choosing the better prompt on the
test rows afterwards would let chance pick the rival.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from trainers.data.jsonl import Row
from trainers.data.labels import closed_labels
from trainers.evals import metrics
from trainers.evals.contamination import Contamination, inspect
from trainers.evals.evidence import Evidence
from trainers.evals.guarding import guard, signs
from trainers.evals.judges.card import JudgeCard, judge_card
from trainers.evals.judges.pairing import without_judge
from trainers.evals.metrics import Mark, Metric, Setup
from trainers.evals.metrics.operations import Request, operations
from trainers.evals.notices import missing, notices
from trainers.evals.predictions import PLAIN, RIVAL, TITLES, TUNED, Answer, Answers, notes, read_answers
from trainers.evals.proof import ProofResult, prove
from trainers.evals.report import ArmScore, Case, Report, read_prompt
from trainers.evals.ruling import basis, ruling, told
from trainers.evals.scorers import names_label
from trainers.evals.stats import median, wilson
from trainers.evals.verdict import mean_interval

CASES = 3  # wins and misses shown in full
MISSING = Mark(0.0)
_JUDGED = (RIVAL, TUNED)  # shown even if they answered nothing


class Assembled(NamedTuple):
    """A report and what it was made from."""

    report: Report
    answers: Answers
    """What every arm said to every row, also to those that are left out."""
    counted: Sequence[Row]
    """The rows that every score of the report counts."""
    left_out: Mapping[int, str]
    """Line of a row that the verdict leaves out -> why, in words."""


def assemble(evidence: Evidence, keep: Callable[[], None] = lambda: None) -> Assembled:
    """Judge the answers of all arms; `keep` is called between steps that take seconds with many rows.

    Raises `ServiceError` if the answers are damaged or belong to other rows.
    """
    rows, rule, read = evidence.rows, evidence.rule, _read(evidence)
    labels, answers, train = read.labels, read.answers, evidence.train or ()
    keep()
    seen, proof = inspect(rows, evidence.train), _proof(evidence, answers)
    keep()
    evidence = replace(evidence, card=_card(evidence, seen))
    found = basis(evidence, answers, seen)
    rows, counted = found.counted, _only(answers, found.counted)
    guarded = guard(rule.guardrails, counted, rows, labels, evidence.probes)
    overfitted = signs(evidence.losses, evidence.epochs, read.noted, counted, train, closed=bool(labels))
    verdict = ruling(evidence, found, seen, guarded.results, proof)
    keep()
    doubts = notices(counted, rows, rule, labels, read.metric.caution)
    made = Report(
        arms=tuple(_score(arm, rows, evidence, read) for arm in TITLES if answers[arm] or arm in _JUDGED),
        rival=RIVAL,
        verdict=verdict,
        rule=rule,
        measure=read.metric.title,
        labels=labels,
        wins=_cases(counted, rows, better=True),
        misses=_cases(counted, rows, better=False),
        proof=" ".join(proof.sentences),
        notices=(*missing(answers, found.fresh), *doubts, *guarded.notices, *overfitted),
        contamination=told(seen, verdict),
        guardrails=guarded.results,
        tables=guarded.tables,
        changed=evidence.changed,
        judge=evidence.card.to_json() if evidence.card else None,
        judge_says=evidence.card.sentence if evidence.card else without_judge(read.name),
        prompt=read_prompt(read.noted.get(RIVAL, {}), evidence.rows[0].line if evidence.rows else 0),
    )
    return Assembled(made, answers, rows, found.left_out)


class _Read(NamedTuple):
    name: str
    labels: tuple[str, ...]
    metric: Metric
    answers: Answers
    noted: dict[str, dict[str, Any]]


def _read(evidence: Evidence) -> _Read:
    """Read and mark the answers."""
    rows, rule = evidence.rows, evidence.rule
    labels = tuple(evidence.labels if evidence.labels is not None else closed_labels(rows) or ())
    name = "exact_match" if rule.metric == "accuracy" and not labels else rule.metric  # older quotes of free text
    setup = Setup(labels=labels, schema=rule.schema, train=evidence.train or (), options=rule.options)
    metric = metrics.load(name, setup)
    return _Read(name, labels, metric, read_answers(evidence.predictions, rows, metric), notes(evidence.arms))


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


def _only(answers: Answers, rows: Sequence[Row]) -> Answers:
    """Keep the answers to these rows."""
    lines = {row.line for row in rows}
    return {arm: {line: one for line, one in said.items() if line in lines} for arm, said in answers.items()}


def _card(evidence: Evidence, seen: Contamination) -> JudgeCard | None:
    """Sum up anew what the judge said where it also saw rows of the training."""
    card, judging, known = evidence.card, evidence.judging, set(seen.known)
    if card is None or judging is None or not any(one.row in known for one in judging.rows):
        return card
    unseen = judging._replace(rows=tuple(one for one in judging.rows if one.row not in known))
    return judge_card(unseen, judge=card.judge, host=card.host, kinship=card.kinship)


def _score(arm: str, rows: Sequence[Row], evidence: Evidence, read: _Read) -> ArmScore:
    level, metric, labels = evidence.rule.level, read.metric, read.labels
    answers, asked = _only(read.answers, rows)[arm], str(read.noted.get(arm, {}).get("asked", ""))
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
