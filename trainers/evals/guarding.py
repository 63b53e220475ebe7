"""What an evaluation shows beside the main score: guardrails, skills, signs of overfitting; it decides no verdict."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from knowledge.errors import ServiceError
from trainers.data.jsonl import Row
from trainers.evals import overfit
from trainers.evals.guardrails import Guardrail, GuardrailResult, judge
from trainers.evals.metrics import Mark
from trainers.evals.own_rows import judge_check, judge_refusal_rows
from trainers.evals.predictions import RIVAL, TUNED, Answers
from trainers.evals.probes.changes import judge_suites, per_skill, worst_lost
from trainers.evals.probes.suite import SUITES, load_probes, read_arms
from trainers.evals.report import Table
from trainers.evals.style.memorised import Taught

NAMES = {"general": "General skills", "refusal": "Harmful requests", "over_refusal": "Harmless requests"}


COPIED = 0.5
"""Share of an answer's runs of eight words from which it counts as copied from training."""

CHECKS = ("valid", "content_kept")
"""Checks of a metric's marks that are guardrails of their own."""


class Guarded(NamedTuple):
    """What the guardrails say, and what a reader may want to see of them."""

    results: tuple[GuardrailResult, ...]
    tables: tuple[Table, ...]
    notices: tuple[str, ...]


def guard(
    rails: Sequence[Guardrail], answers: Answers, rows: Sequence[Row], labels: Sequence[str], probes: Path | None
) -> Guarded:
    """Judge every guardrail for which there is something to judge; what was not looked at is said.

    `probes` is the child's probes.jsonl. Raises `ServiceError` where it is damaged.
    """
    results, tables = list(_own(rails, answers, rows)), []
    notices = []
    shipped = [rail for rail in rails if rail.name in SUITES]
    if probes is not None and probes.is_file() and shipped:
        before, after = read_arms(probes)
        results = [*judge_suites(load_probes(), before, after, shipped, labels=labels), *results]
        tables = list(_skills(before, after, labels))
        notices += _few(before, shipped)
    elif shipped:  # a guardrail that nobody looked at has not held
        results = [*(judge(rail, [], []) for rail in shipped), *results]
        notices.append("General skills and refusals were not probed, so nothing is known of what the training broke.")
    notices += [f"Shown only, not part of the verdict. {one.sentence}" for one in results if _lost_aside(one)]
    if not rails:
        notices.append("No guardrail was fixed before training, so nothing is known of what the training broke.")
    return Guarded(tuple(results), tuple(tables), tuple(notices))


def _few(before: Mapping[str, str], rails: Sequence[Guardrail]) -> list[str]:
    """Say where fewer were asked than there are: what they settle is less."""
    named = {rail.name for rail in rails}
    there = sum(probe.suite in named for probe in load_probes())
    if len(before) >= there:
        return []
    return [f"{len(before)} of {there} probes were answered: all of them may settle a guardrail that these leave open."]


def _lost_aside(result: GuardrailResult) -> bool:
    return result.outcome == "broken" and not result.gate


def signs(
    losses: Path | None,
    epochs: int,
    noted: dict[str, dict[str, Any]],
    answers: Answers,
    train: Sequence[Row],
    *,
    closed: bool,
) -> tuple[str, ...]:
    """Say every sign of overfitting that the losses, the held-out loss and the answers show.

    Answers from a closed set of labels repeat each other and the training rows by design, so they are not looked at.
    """
    outputs = {arm: () if closed else [answer.output for answer in answers[arm].values()] for arm in (RIVAL, TUNED)}
    try:
        curve = overfit.read_losses(losses) if losses is not None and losses.is_file() else []
    except ServiceError as damaged:  # a verdict does not rest on it
        return (damaged.what,)
    evidence = overfit.Evidence(
        losses=curve,
        epochs=epochs,
        held_out_base=noted.get("base_plain", {}).get("target_loss"),
        held_out_tuned=noted.get(TUNED, {}).get("target_loss"),
        base_outputs=outputs[RIVAL],
        tuned_outputs=outputs[TUNED],
        memorised=_memorised(outputs[TUNED], train),
    )
    return tuple(signal.sentence for signal in overfit.signals(evidence))


def _memorised(outputs: Sequence[str], train: Sequence[Row]) -> float | None:
    """Return the share of answers whose runs of eight words mostly stand in one training target; None of no answers."""
    if not outputs or not train:
        return None
    taught = Taught([row.target for row in train])
    return sum((taught.check(output).share or 0.0) >= COPIED for output in outputs) / len(outputs)


def _own(rails: Sequence[Guardrail], answers: Answers, rows: Sequence[Row]) -> Iterator[GuardrailResult]:
    """Judge what the task's own rows say."""
    named = {rail.name: rail for rail in rails}
    for check in CHECKS:
        marks = [[_mark(answers, arm, row) for row in rows] for arm in (RIVAL, TUNED)]
        result = judge_check(*marks, check=check, rail=named[check]) if check in named else None
        if result is not None:
            yield result
    if "refusal_rows" in named:
        said = [[_output(answers, arm, row) for row in rows] for arm in (RIVAL, TUNED)]
        result = judge_refusal_rows(rows, *said, rail=named["refusal_rows"])
        if result is not None:
            yield result


def _mark(answers: Answers, arm: str, row: Row) -> Mark | None:
    answer = answers[arm].get(row.line)
    return None if answer is None else answer.mark


def _output(answers: Answers, arm: str, row: Row) -> str | None:
    answer = answers[arm].get(row.line)
    return None if answer is None else answer.output


def _skills(before: dict[str, str], after: dict[str, str], labels: Sequence[str]) -> Iterator[Table]:
    """Lay out skills and categories before and after, and the worst losses in full."""
    changes = per_skill(load_probes(), before, after, labels=labels)
    rows = tuple(
        (NAMES[one.suite], one.group.replace("_", " "), f"{one.before}/{one.n}", f"{one.after}/{one.n}", f"{one.lost}")
        for one in changes
    )
    yield Table(title="Probes before and after", head=("Suite", "Skill", "Before", "After", "Lost"), rows=rows)
    lost = worst_lost(load_probes(), before, after, labels=labels)
    if lost:
        shown = tuple((one.group.replace("_", " "), one.question, one.before, one.after or "(nothing)") for one in lost)
        yield Table(title="Probes lost", head=("Skill", "Asked", "Base said", "Tuned said"), rows=shown)
