"""How every answer of every arm is written as CSV for a spreadsheet; it judges nothing."""

import csv
import io
from collections.abc import Iterator, Sequence

from trainers.data.jsonl import Row
from trainers.evals.predictions import TITLES, Answers

_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # the wide ones are meant
"""How a cell begins that a spreadsheet may run (OWASP, CSV Injection); some read the wide signs as the narrow ones."""


def write(answers: Answers, rows: Sequence[Row]) -> bytes:
    """Write a line for each held-out row with each arm's output, score and time; UTF-8 with a BOM, for Excel."""
    arms = [arm for arm in TITLES if answers.get(arm)]
    target = io.StringIO()
    sheet = csv.writer(target, lineterminator="\r\n")
    sheet.writerow(
        ["row", "input", "expected", *(f"{arm} {part}" for arm in arms for part in ("output", "score", "ms"))]
    )
    for row in rows:
        sheet.writerow([row.line, safe(row.prompt), safe(row.target), *_cells(answers, arms, row)])
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
