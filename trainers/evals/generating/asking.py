"""Knows the words in which a language model is asked for rows, from asked.toml, and what every question tells."""

import html
import json
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from trainers.evals.generating.spec import RowSpec
from trainers.evals.generating.streams import headings_of

_TELLING = 40
"""Characters from which on a sentence of ours is told from anybody's."""


def inside(text: str) -> str:
    """Write a text so that it closes no tag around it; quotation marks stay, as JSON is full of them."""
    return html.escape(text, quote=False)


@cache
def asked() -> dict[str, Any]:
    """Return asked.toml."""
    return tomllib.loads(Path(__file__).with_name("asked.toml").read_text("utf-8"))


def repeats_question(text: str) -> bool:
    """Say whether a text holds a sentence of our own questions: a model that gives its prompt away writes no row."""
    told = " ".join(text.split())
    return any(sentence in told for sentence in _sentences())


def known_of(spec: RowSpec) -> dict[str, str]:
    """Return what every question says of the task, as data that cannot close its tag."""
    return {
        "task": inside(spec.plan.instruction),
        "frame": _frame(spec, asked()["frame"]),
        "told": _told(spec),
    }


@cache
def _sentences() -> tuple[str, ...]:
    """Return what our questions say whatever they are about, in sentences that nobody else would write."""
    parts = [asked()[name] for name in ("plan", "row", "brief", "judge")]
    lines = [line for part in parts for text in (part["system"], part["user"]) for line in text.splitlines()]
    found = (sentence.strip() for line in lines for sentence in line.split(". "))
    return tuple(dict.fromkeys(each for each in found if len(each) >= _TELLING and "{" not in each))


def _frame(spec: RowSpec, frame: Mapping[str, str]) -> str:
    if spec.labels:
        return frame["labels"].format(labels=inside(", ".join(spec.labels)))
    if spec.schema:
        written = inside(json.dumps(spec.schema, ensure_ascii=False, separators=(",", ":")))
        return frame["schema"].format(keys=inside(", ".join(spec.schema["properties"])), schema=written)
    if spec.kind == "format":
        return frame["format"].format(headings=inside(", ".join(headings_of(spec))))
    return ""


def _told(spec: RowSpec) -> str:
    """Say what a team said of its inputs, manner, good examples, and in a system prompt of its own."""
    told = {"writers": spec.writers, "style": spec.style, "good": spec.good, "system_prompt": spec.system}
    return "\n".join(f"<{name}>{inside(text)}</{name}>" for name, text in told.items() if text.strip())
