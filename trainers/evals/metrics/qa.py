"""Marks answers to questions, with passages or without: right, grounded, cited, or rightly withheld; no model judges.

Right: the key facts of the expected answer are there (grounding/correct.py). Where the expected answer is that there is
none, only saying so is right; where there is one, saying that there is none is wrong.
"""

from collections.abc import Sequence
from functools import lru_cache
from statistics import fmean
from typing import ClassVar

from trainers.data.jsonl import Row
from trainers.evals.grounding.abstain import abstains
from trainers.evals.grounding.citations import check, passages
from trainers.evals.grounding.correct import exact, missing_facts, without_marks
from trainers.evals.metrics.base import Figure, Mark, Setup
from trainers.evals.stats import wilson
from trainers.evals.style.content import facts, missing_from

_NOTED = 3  # facts named in a note


class Correct:
    """Whether an answer holds the facts of the expected one; passages are read from the row's prompts."""

    binary: ClassVar[bool] = True
    title: ClassVar[str] = "right"
    caution: ClassVar[str] = (
        "Right means that the expected facts are in the answer; a fact that is stated and denied counts too."
    )

    def __init__(self, setup: Setup) -> None:
        """Take the task; nothing is learned from it."""
        del setup

    def mark(self, row: Row, output: str) -> Mark:
        """Mark one answer.

        Checks: `exact` as in SQuAD; `abstained`; `grounded`, 1 if every number and name stands in the row's system or
        user turns (none where there is nothing to look up); `citation_precision` and `citation_recall` where passages
        are numbered.
        """
        withheld, unanswerable = abstains(output), abstains(row.target)
        checks = {"abstained": float(withheld), "exact": float(exact(without_marks(output), row.target))}
        notes = []
        if unanswerable or withheld:
            right = unanswerable and withheld
            notes += [] if right else ["should have said that there is no answer" if unanswerable else "withheld"]
        else:
            missing = missing_facts(output, row.target)
            right = not missing
            notes += [f"lacks {', '.join(missing[:_NOTED])}"] if missing else []
        if not withheld:
            notes += _look_up(row, output, checks)
        return Mark(float(right), checks, "; ".join(notes)[:300])

    def figures(self, rows: Sequence[Row], outputs: Sequence[str | None], marks: Sequence[Mark]) -> tuple[Figure, ...]:
        """Sum up an arm; an answer that is missing is wrong and no abstention."""
        del outputs
        looked_up = [mark.checks["grounded"] for mark in marks if "grounded" in mark.checks]
        return (
            _rate("correct", sum(mark.score == 1.0 for mark in marks), len(rows)),
            _rate("exact match", sum(mark.checks.get("exact") == 1.0 for mark in marks), len(rows)),
            _rate("grounded", sum(value == 1.0 for value in looked_up), len(looked_up)),
            _mean("citation precision", marks, "citation_precision"),
            _mean("citation recall", marks, "citation_recall"),
            *_abstentions(rows, marks),
        )


def _look_up(row: Row, output: str, checks: dict[str, float]) -> list[str]:
    """Look the facts and citations of an answer up in what was given; return what to note."""
    context = _context(row)
    given = passages(context)
    stated = facts(without_marks(output))
    if given:
        cited = check(output, given)
        found = {"citation_precision": cited.precision, "citation_recall": cited.recall}
        checks.update({name: value for name, value in found.items() if value is not None})
    if not stated.all:
        return []
    strange = missing_from(stated, context)
    checks["grounded"] = float(not strange)
    return [f"not in what was given: {', '.join(strange[:_NOTED])}"] if strange else []


def _context(row: Row) -> str:
    return f"{row.system}\n{row.prompt}"


def _abstentions(rows: Sequence[Row], marks: Sequence[Mark]) -> tuple[Figure, ...]:
    """Precision, recall and F1 of saying that there is no answer; only where some row has none."""
    wanted = [_unanswerable(row.target) for row in rows]
    if not any(wanted):
        return (_rate("withheld", sum(map(_withheld, marks)), len(rows))._replace(better="lower"),)
    both = sum(want and _withheld(mark) for want, mark in zip(wanted, marks, strict=True))
    said, all_wanted = sum(map(_withheld, marks)), sum(wanted)
    f1 = 2 * both / (said + all_wanted)
    return (
        _rate("abstention precision", both, said),
        _rate("abstention recall", both, all_wanted),
        Figure("abstention F1", f1),
    )


def _withheld(mark: Mark) -> bool:
    return mark.checks.get("abstained") == 1.0


@lru_cache(maxsize=4096)
def _unanswerable(target: str) -> bool:
    return abstains(target)


def _rate(name: str, count: int, n: int) -> Figure:
    if not n:
        return Figure(name, None)
    interval = wilson(count, n)
    return Figure(name, count / n, interval.low, interval.high)


def _mean(name: str, marks: Sequence[Mark], check_name: str) -> Figure:
    values = [mark.checks[check_name] for mark in marks if check_name in mark.checks]
    return Figure(name, fmean(values) if values else None)
