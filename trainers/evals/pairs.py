"""Anybody's scores of two models on the same rows, read from JSONL; it knows neither the models nor the metric."""

import json
from pathlib import Path
from typing import Any, NamedTuple

from knowledge.errors import UserError
from trainers.data.findings import name_lines, plural
from trainers.evals.rule import SuccessRule
from trainers.evals.verdict import Pair, Verdict, decide

_SHAPE = (
    'One JSON object a line: {"id": "7", "base": 0, "tuned": 1}, scores from 0 to 1, "cluster" where rows share one.'
)
MOST_BYTES = 64 * 2**20


class Judged(NamedTuple):
    """What came of a file of scores."""

    verdict: Verdict
    notices: tuple[str, ...]
    """What a reader should know of the rows before believing it."""

    def to_json(self) -> dict[str, Any]:
        """Return what `luthier evaluate --pairs --json` prints."""
        verdict = self.verdict
        return {
            "verdict": verdict.outcome,
            "n": verdict.n,
            "difference": verdict.difference,
            "interval": [verdict.low, verdict.high],
            "level": verdict.level,
            "p_value": verdict.p_value,
            "rows_needed": verdict.rows_needed,
            "rows_more": verdict.rows_more,
            "clusters": verdict.clusters,
            "gained": verdict.gained,
            "lost": verdict.lost,
            "method": verdict.method,
            "because": list(verdict.because),
            "sentence": verdict.sentence,
            "notices": list(self.notices),
        }


def judge_file(path: Path, rule: SuccessRule) -> Judged:
    """Judge a file of scores by the rule, without its guardrails: nothing is known of the models.

    Lines are `{"id", "cluster"?, "base", "tuned"}` with scores from 0 to 1; null is a missing answer: of the tuned
    model it counts as 0, of the base the row is left out. Raises `UserError` with the line of whatever cannot be read.
    """
    lines, pairs, left_out, lost = _read(path), [], [], []
    for number, value in lines:
        base, tuned = (_score(value, side, number) for side in ("base", "tuned"))
        if base is None:
            left_out.append(number)
            continue
        if tuned is None:
            lost.append(number)
        pairs.append(Pair(rival=base, tuned=tuned or 0.0, cluster=_name(value.get("cluster", ""), "cluster", number)))
    notices = [
        f"{plural(len(found), 'row')} without {whose} score {effect} ({name_lines(found)})."
        for found, whose, effect in (
            (left_out, "a base", "left out"),
            (lost, "a tuned", "counted as 0"),
        )
        if found
    ]
    if len(pairs) > 1 and len({(pair.rival, pair.tuned) for pair in pairs}) == 1:
        notices.append("All rows have the same two scores; nothing can be learned about how they vary.")
    return Judged(decide(pairs, rule), tuple(notices))


def _read(path: Path) -> list[tuple[int, dict[str, Any]]]:
    """Return the objects of a JSONL file with their lines, each id once."""
    try:
        if path.stat().st_size > MOST_BYTES:
            raise UserError(f"{path.name} is larger than {MOST_BYTES // 2**20} MiB.", "Send fewer or shorter lines.")
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise UserError(f"{path.name} is not UTF-8 text.", _SHAPE) from None
    except OSError as error:
        raise UserError(
            f"I can't read {path.name or path}: {error.strerror}.", "Check the path and try again."
        ) from None
    found: list[tuple[int, dict[str, Any]]] = []
    first: dict[str, int] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        value = _object(line, number)
        name = _name(value.get("id"), "id", number)
        if name in first:
            raise UserError(f"Lines {first[name]} and {number} have the same id.", "Give each row an id of its own.")
        first[name] = number
        found.append((number, value))
    if not found:
        raise UserError(f"{path.name} has no rows.", _SHAPE)
    return found


def _object(line: str, number: int) -> dict[str, Any]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        raise UserError(f"Line {number} is not JSON.", _SHAPE) from None
    if not isinstance(value, dict):
        raise UserError(f"Line {number} is no JSON object.", _SHAPE)
    return value


def _score(value: dict[str, Any], side: str, number: int) -> float | None:
    if side not in value:
        raise UserError(f'Line {number} has no "{side}".', f"{_SHAPE} null stands for a missing answer.")
    score = value[side]
    if score is None:
        return None
    if not isinstance(score, int | float) or not 0 <= score <= 1:
        raise UserError(f'"{side}" in line {number} is no score from 0 to 1.', _SHAPE)
    return float(score)


def _name(value: Any, key: str, number: int) -> str:
    """Return an id or a source's name as text: 7 and "7" are the same."""
    if isinstance(value, bool) or not isinstance(value, str | int) or (key == "id" and value == ""):
        if value is None and key == "cluster":
            return ""
        raise UserError(f'"{key}" in line {number} is no text and no whole number.', _SHAPE)
    return str(value)
