"""Knows how to read the result file of a fine-tuning job, a CSV with a line for each step; it asks nobody."""

import base64
import binascii
import csv
import io
import json
import math
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

COLUMNS: Final = {
    "loss": ("train_loss", "training_loss"),
    "valid_loss": ("valid_loss", "validation_loss"),
    "full_valid_loss": ("full_valid_loss", "full_validation_loss"),
    "accuracy": ("train_accuracy", "train_mean_token_accuracy", "training_token_accuracy"),
    "valid_accuracy": ("valid_accuracy", "valid_mean_token_accuracy", "validation_token_accuracy"),
}
"""What is kept -> the names of its column at OpenAI and Azure, in their order of age."""

_MARK: Final = "train/results-of"
"""Where the run is named whose result files were read."""


def steps_in(content: bytes) -> list[dict[str, float]]:
    """Return the figures of each step; what is no figure is left out, and what is no such file says nothing.

    OpenAI hands the file out in base64 (seen since 2024), others as it is.
    """
    found = []
    try:
        for line in csv.DictReader(io.StringIO(_plain(content))):
            step = _number(line.get("step"))
            if step is not None and step == int(step):
                found.append({"step": int(step), **_figures(line)})
    except csv.Error:
        pass
    return found


def are_read(folder: Path, run: str) -> bool:
    """Say whether the result files of a provider's run were read whole into a job's folder."""
    mark = folder / _MARK
    return mark.exists() and mark.read_text("utf-8") == run


def mark_read(folder: Path, run: str) -> None:
    """Put down that they were, so that no later turn of the job reads them again."""
    (folder / _MARK).parent.mkdir(parents=True, exist_ok=True)
    (folder / _MARK).write_text(run, "utf-8")


def keep(path: Path, steps: Iterable[Mapping[str, float]]) -> None:
    """Put figures beside what is kept of each step already; a loss that an event told stays as it was told."""
    known = {}
    if path.exists():
        known = {line["step"]: line for line in map(json.loads, path.read_text("utf-8").splitlines())}
    told = {int(each["step"]): dict(each) for each in steps if "loss" in each or each["step"] in known}
    if not told:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = {step: {**told.get(step, {}), **known.get(step, {})} for step in sorted({*known, *told})}
    part = path.with_suffix(".part")
    part.write_text("".join(json.dumps(line) + "\n" for line in lines.values()), "utf-8")
    part.replace(path)


def _plain(content: bytes) -> str:
    head = content.lstrip(b"\xef\xbb\xbf \r\n")
    if not head.startswith(b"step"):
        try:
            head = base64.b64decode(b"".join(head.split()), validate=True)
        except binascii.Error:
            return ""
    return head.decode("utf-8-sig", "replace")


def _figures(line: Mapping[str, str | None]) -> dict[str, float]:
    figures = {}
    for name, columns in COLUMNS.items():
        values = (_number(line.get(column)) for column in columns)
        value = next((value for value in values if value is not None), None)
        if value is not None:
            figures[name] = value
    return figures


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if math.isfinite(number) else None
