"""What each arm answered on the held-out rows, as the evaluation script wrote it; it does not compare arms."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from knowledge.errors import ServiceError
from trainers.data.jsonl import Row
from trainers.evals.metrics import Mark, Metric
from trainers.evals.scorers import normalise
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
    mark: Mark
    """How it did by the primary metric."""
    milliseconds: float | None
    """How long it took; None if it was not measured for this row."""
    prompt_tokens: int | None = None
    """Tokens that were read; None if nobody counted."""
    output_tokens: int | None = None
    """Tokens that were written; None if nobody counted."""

    @property
    def right(self) -> bool:
        """It could not be better."""
        return self.mark.score >= 1


Answers = dict[str, dict[int, Answer]]
"""Arm -> line of the row in its test file -> answer."""


def read_answers(path: Path, rows: Sequence[Row], metric: Metric) -> Answers:
    """Read predictions.jsonl and mark every answer, by the metric alone; raises `ServiceError` as `read_outputs`."""
    answers: Answers = {arm: {} for arm in TITLES}
    for arm, row, output, took, tokens in _read(path, rows):
        answers.setdefault(arm, {})[row.line] = Answer(output, metric.mark(row, output), took, *tokens)
    return answers


def read_outputs(path: Path, rows: Sequence[Row]) -> dict[str, dict[int, str]]:
    """Read what each arm said, by line of the row, without marking it.

    predictions.jsonl has one object a line with arm, row (its 0-based position in `rows`), output, expected and, where
    measured, milliseconds, prompt_tokens, output_tokens. Raises `ServiceError` if the file is missing or damaged, or
    was made for other rows.
    """
    said: dict[str, dict[int, str]] = {arm: {} for arm in TITLES}
    for arm, row, output, _, _ in _read(path, rows):
        said.setdefault(arm, {})[row.line] = output
    return said


def pairs(
    answers: Answers, rows: Sequence[Row], rival: str = RIVAL, clusters: Sequence[str] | None = None
) -> list[Pair]:
    """Pair tuned and rival: a row without the rival's answer is left out, one without the tuned model's is lost.

    `clusters` names each row's source, in the order of `rows`.
    """
    tuned = answers[TUNED]
    return [
        Pair(
            rival=answers[rival][row.line].mark.score,
            tuned=tuned[row.line].mark.score if row.line in tuned else 0.0,
            cluster=source,
        )
        for row, source in zip(rows, clusters or [""] * len(rows), strict=True)
        if row.line in answers[rival]
    ]


def notes(path: Path | None) -> dict[str, dict[str, Any]]:
    """Read from arms.json what was noted of each arm; nothing if there is no such file."""
    if path is None or not path.is_file():
        return {}
    try:
        return {str(arm): dict(note) for arm, note in json.loads(path.read_bytes())["arms"].items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ServiceError("The evaluation's notes on its arms are damaged.", _DAMAGED) from None


class _Line(NamedTuple):
    arm: str
    row: Row
    output: str
    milliseconds: float | None
    tokens: tuple[int | None, int | None]


def _read(path: Path, rows: Sequence[Row]) -> Iterator[_Line]:
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError:
        raise ServiceError("The evaluation left no answers.", _DAMAGED) from None
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield _line(line, number, rows)


def _line(line: bytes, number: int, rows: Sequence[Row]) -> _Line:
    try:
        value = json.loads(line)
        arm, place, output = str(value["arm"]), int(value["row"]), str(value["output"])
        expected, took = str(value["expected"]), value.get("milliseconds")
        tokens = (value.get("prompt_tokens"), value.get("output_tokens"))
    except (ValueError, KeyError, TypeError, AttributeError):
        raise ServiceError(f"Line {number} of the evaluation's answers is damaged.", _DAMAGED) from None
    if not 0 <= place < len(rows) or normalise(expected) != normalise(rows[place].target):
        raise ServiceError("The evaluation's answers belong to other rows than these.", _DAMAGED)
    return _Line(arm, rows[place], output, None if took is None else float(took), tokens)
