"""How every answer of every arm is written as CSV for a spreadsheet; it judges nothing."""

import csv
import io
from collections.abc import Iterator, Mapping, Sequence

from trainers.data.jsonl import Row
from trainers.evals.predictions import TITLES, Answers

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # the wide ones are meant
"""How a cell begins that a spreadsheet may run (OWASP, CSV Injection); some read the wide signs as the narrow ones."""


def write(
    answers: Answers, rows: Sequence[Row], left_out: Mapping[int, str] | None = None, *, batched: bool = False
) -> bytes:
    """Write a line for each held-out row with each arm's output, score and time; UTF-8 with a BOM, for Excel.

    `left_out` says by line why the verdict does not use a row. `batched`: times are the mean of an answer's batch.
    """
    arms, why = [arm for arm in TITLES if answers.get(arm)], left_out or {}
    parts = ("output", "score", "ms_batch_mean" if batched else "ms")
    target = io.StringIO()
    sheet = csv.writer(target, lineterminator="\r\n")
    sheet.writerow(
        ["row", "used", "why_not", "input", "expected", *(f"{arm} {part}" for arm in arms for part in parts)]
    )
    for row in rows:
        used = ("no", safe(why[row.line])) if row.line in why else ("yes", "")
        sheet.writerow([row.line, *used, safe(row.prompt), safe(row.target), *_cells(answers, arms, row)])
    return b"\xef\xbb\xbf" + target.getvalue().encode("utf-8", "replace")


def safe(text: str) -> str:
    """Keep a text that looks like a formula a text: a quotation mark goes before it."""
    return f"'{text}" if text.startswith(_FORMULA) else text


def _cells(answers: Answers, arms: Sequence[str], row: Row) -> Iterator[object]:
    for arm in arms:
        answer = answers[arm].get(row.line)
        if answer is None:
            yield from ("", "", "")
        else:
            yield safe(answer.output)
            yield f"{answer.mark.score:g}"
            yield "" if answer.milliseconds is None else f"{answer.milliseconds:.1f}"
