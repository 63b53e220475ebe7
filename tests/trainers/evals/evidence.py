"""Small evaluations as the script leaves them, for tests of what is made of them."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from trainers.data.jsonl import Message, Row
from trainers.evals.assemble import Assembled, assemble
from trainers.evals.evidence import Evidence
from trainers.evals.rule import SuccessRule


def word(number: int, salt: str = "") -> str:
    """A word that no other number has, so that rows share nothing."""
    return hashlib.sha256(f"{salt}{number}".encode()).hexdigest()[:12]


def row(line: int, target: str, asked: str = "", system: str = "Do the task.") -> Row:
    """One held-out row whose input is like no other."""
    question = asked or f"{word(line, 'a')} {word(line, 'b')} {word(line, 'c')}"
    return Row(line, (Message("system", system), Message("user", question), Message("assistant", target)))


def write(path: Path, rows: Sequence[Row], outputs: Mapping[str, Sequence[str | None]]) -> Path:
    """Write predictions.jsonl; None is a missing answer."""
    lines = [
        {"arm": arm, "row": place, "output": output, "expected": rows[place].target, "milliseconds": 100.0 + place}
        for arm, said in outputs.items()
        for place, output in enumerate(said)
        if output is not None
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    return path


def evidence(
    folder: Path,
    rows: Sequence[Row],
    outputs: Mapping[str, Sequence[str | None]],
    rule: SuccessRule | None = None,
    **given: Any,
) -> Evidence:
    """Write what the arms said and gather it."""
    path = write(folder / "predictions.jsonl", rows, outputs)
    return Evidence(predictions=path, rows=rows, rule=rule or SuccessRule(guardrails=()), **given)


def assembled(
    folder: Path,
    rows: Sequence[Row],
    outputs: Mapping[str, Sequence[str | None]],
    rule: SuccessRule | None = None,
    **given: Any,
) -> Assembled:
    """Judge such an evaluation."""
    return assemble(evidence(folder, rows, outputs, rule, **given))
