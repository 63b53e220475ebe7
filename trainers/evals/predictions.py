"""What each arm answered on the held-out rows, as the evaluation script wrote it; it does not compare arms."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from knowledge.errors import ServiceError
from trainers.data.jsonl import Row
from trainers.data.labels import closed_labels
from trainers.evals.scorers import normalise, score
from trainers.evals.verdict import Pair

TUNED, RIVAL, PLAIN, CHEAP = "tuned", "base_few_shot", "base_plain", "tfidf"

TITLES: dict[str, str] = {
    PLAIN: "Base, plain prompt",
    RIVAL: "Base, best few-shot prompt",
    CHEAP: "TF-IDF + logistic regression",
    TUNED: "Tuned model",
}
"""The arms in the order in which they are shown."""

_DAMAGED = "Evaluate again; the answers are computed anew."


class Answer(NamedTuple):
    """One arm's answer to one row."""

    output: str
    """What the arm said, in full."""
    right: bool
    """It is the expected answer."""
    milliseconds: float | None
    """How long it took; None if it was not measured for this row."""


Answers = dict[str, dict[int, Answer]]
"""Arm -> line of the row in its test file -> answer."""


def read_answers(path: Path, rows: Sequence[Row]) -> Answers:
    """Read predictions.jsonl: one object a line with arm, row, output, expected, correct, milliseconds.

    `row` is the 0-based position in `rows`; without `correct` the scorer decides. Raises `ServiceError` if the file
    is missing or damaged, or was made for other rows.
    """
    closed = closed_labels(rows) is not None
    answers: Answers = {arm: {} for arm in TITLES}
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError:
        raise ServiceError("The evaluation left no answers.", _DAMAGED) from None
    for number, line in enumerate(lines, start=1):
        if line.strip():
            arm, place, answer = _answer(line, number, rows, closed)
            answers.setdefault(arm, {})[rows[place].line] = answer
    return answers


def pairs(answers: Answers, rows: Sequence[Row], rival: str = RIVAL) -> list[Pair]:
    """Pair tuned and rival: a row without the rival's answer is left out, one without the tuned model's is lost."""
    tuned = answers[TUNED]
    return [
        Pair(rival=answers[rival][row.line].right, tuned=row.line in tuned and tuned[row.line].right)
        for row in rows
        if row.line in answers[rival]
    ]


def asked(path: Path | None) -> dict[str, str]:
    """Read from arms.json how each arm was asked, in words; nothing if there is no such file."""
    if path is None or not path.is_file():
        return {}
    try:
        notes = json.loads(path.read_bytes())["arms"]
        return {arm: str(note["asked"]) for arm, note in notes.items() if "asked" in note}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ServiceError("The evaluation's notes on its arms are damaged.", _DAMAGED) from None


def _answer(line: bytes, number: int, rows: Sequence[Row], closed: bool) -> tuple[str, int, Answer]:
    try:
        value = json.loads(line)
        arm, place, output = str(value["arm"]), int(value["row"]), str(value["output"])
        expected, took = str(value["expected"]), value.get("milliseconds")
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ServiceError(f"Line {number} of the evaluation's answers is damaged.", _DAMAGED) from None
    if not 0 <= place < len(rows) or normalise(expected) != normalise(rows[place].target):
        raise ServiceError("The evaluation's answers belong to other rows than these.", _DAMAGED)
    right = value.get("correct")
    right = score(output, expected, closed=closed).right if right is None else bool(right)
    return arm, place, Answer(output, right, None if took is None else float(took))
