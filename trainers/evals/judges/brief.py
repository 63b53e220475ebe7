"""Knows what a judge is told: task, criteria and fenced material; it does not know how a reply is read or counted.

Rows and answers are data: they stand between marks that hold a number made from the text itself, so that no text can
close its own fence, and they are cut at a stated length.
"""

import json
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal

from knowledge.errors import UserError
from knowledge.models import Message
from trainers.evals.judges.judge import Judge

Kind = Literal["pairwise", "pointwise"]
_FILE = Path(__file__).with_name("prompt.toml")
_MARKUP = (
    (re.compile(r"^ {0,3}(?:```|~~~).*$\n?", re.MULTILINE), ""),
    (re.compile(r"^ {0,3}#{1,6}\s+", re.MULTILINE), ""),
    (re.compile(r"^(\s*)[-*+]\s+", re.MULTILINE), r"\1"),
    (re.compile(r"(\*\*|__)(?=\S)(.{1,300}?)(?<=\S)\1"), r"\2"),
    (re.compile(r"`([^`\n]{1,300})`"), r"\1"),
)


@dataclass(frozen=True, kw_only=True)
class Brief:
    """What makes a good answer on one task; fixed before any answer is seen."""

    task: str
    """What the model is for, in a sentence."""
    criteria: tuple[str, ...] = ()
    """One to six sentences that are true of a good answer; empty: the shipped ones."""
    markdown: bool = True
    """Whether Markdown is part of the task; if not, it is taken off before the judge sees an answer."""

    def __post_init__(self) -> None:
        """Fill in the shipped criteria; raises UserError for too many or an empty one."""
        chosen = self.criteria or tuple(prompts()["criteria"]["default"])
        most = prompts()["limits"]["most_criteria"]
        if len(chosen) > most or not all(criterion.strip() for criterion in chosen):
            raise UserError(f"A judge takes 1 to {most} criteria, none empty.", "Keep the ones that matter most.")
        object.__setattr__(self, "criteria", chosen)


def digest(judge: Judge, brief: Brief, kind: Kind) -> str:
    """Return the SHA-256 of everything that makes this judge: model, host, wording, limits and criteria."""
    said = prompts()
    whole = [judge.name, judge.host, kind, said["limits"], said[kind]]
    whole += [brief.task, list(brief.criteria), brief.markdown]
    return sha256(json.dumps(whole, sort_keys=True, ensure_ascii=True).encode()).hexdigest()


def talk(brief: Brief, kind: Kind, blocks: Sequence[tuple[str, str]]) -> list[Message]:
    """Return the messages that put named blocks of material before a judge."""
    said, limits = prompts()[kind], prompts()["limits"]
    shown = [(name, as_shown(text, _room(name))) for name, text in blocks]
    mark = sha256(json.dumps(shown).encode()).hexdigest()[:10]
    filled = {
        "task": as_shown(brief.task, limits["input_characters"]),
        "criteria": "\n".join(f"{n}. {as_shown(text, 500)}" for n, text in enumerate(brief.criteria, start=1)),
        "blocks": "\n\n".join(f"[[{name} {mark}]]\n{text}\n[[end {name} {mark}]]" for name, text in shown),
        "answer_characters": f"{limits['answer_characters']:,}",
        "mark": mark,
        "example": json.dumps({str(n): "yes" for n in range(1, len(brief.criteria) + 1)}),
    }
    return [
        Message("system", said["system"].strip().format(**filled)),
        Message("user", said["user"].strip().format(**filled)),
    ]


def again(kind: Kind, messages: Sequence[Message], reply: str) -> list[Message]:
    """Return the messages that ask once more after a reply that could not be read."""
    return [*messages, Message("assistant", as_shown(reply, 500)), Message("user", prompts()[kind]["again"])]


def material(brief: Brief, system: str, asked: str, reference: str) -> list[tuple[str, str]]:
    """Name the blocks that come before the answers; what is empty is left out."""
    named = [("SYSTEM PROMPT", system), ("INPUT", asked), ("REFERENCE ANSWER", bare(brief, reference))]
    return [(name, text) for name, text in named if text.strip()]


def bare(brief: Brief, text: str) -> str:
    """Return an answer without Markdown where that is no part of the task."""
    if not brief.markdown:
        for pattern, kept in _MARKUP:
            text = pattern.sub(kept, text)
    return text


def as_shown(text: str, most: int) -> str:
    """Return text as a judge sees it: valid Unicode, cut to `most` characters with a note."""
    whole = text.encode("utf-8", "replace").decode().replace("\x00", "")
    if len(whole) <= most:
        return whole or "(nothing)"
    return f"{whole[:most]}\n(cut here: {len(whole) - most:,} more characters)"


@cache
def prompts() -> dict[str, Any]:
    """Return the wording and the limits."""
    return tomllib.loads(_FILE.read_text("utf-8"))


def _room(name: str) -> int:
    limits = prompts()["limits"]
    return int(limits["answer_characters"] if "ANSWER" in name else limits["input_characters"])
