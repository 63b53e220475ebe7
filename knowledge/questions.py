"""Makes a question fit to search with: clean, of sensible length, and whole if it leans on the one before it."""

import re
import tomllib
import unicodedata
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from knowledge.errors import UserError
from knowledge.keywords import terms

_LIMITS = tomllib.loads((Path(__file__).parent / "limits.toml").read_text(encoding="utf-8"))
LONGEST: int = _LIMITS["question"]["longest"]
"""Longest question that is read, in characters."""

_LEANS = re.compile(
    r"^(?:and|but|so|then|also|ok(?:ay)?|what about|how about|how so|what if|for|with)\b|^(?:why|when|how)(?: not)?\W*$"
    r"|\b(?:it|its|that|this|those|these|they|them|their|there|one|ones|same)\b",
    re.IGNORECASE,
)
_FEW_TERMS = 3
_LOOK_BACK = 3


class Question(NamedTuple):
    """A question that can be searched for."""

    asked: str
    """What the person wrote, cleaned."""
    whole: str
    """The same with what it leans on in front, or equal to `asked`."""


def prepare(question: str, history: Sequence[str] = ()) -> Question:
    """Return `question` without control characters and made whole by `history` (earlier questions, oldest first).

    Raise UserError if nothing is left to ask or if it is too long to be a question.
    """
    asked = clean(question)
    if not any(character.isalnum() for character in asked):
        raise UserError("That question is empty.", "Ask in a sentence, for example: What is QLoRA?")
    if len(asked) > LONGEST:
        raise UserError(
            f"That question has {len(asked):,} characters; I read up to {LONGEST:,}.",
            "Ask it in a few sentences, and add long material as a document.",
        )
    return Question(asked, _whole(asked, [clean(earlier) for earlier in history]))


def clean(text: str) -> str:
    """Return `text` as one line without control, format and private characters."""
    spaced = (" " if character.isspace() else character for character in unicodedata.normalize("NFC", text))
    kept = (character for character in spaced if unicodedata.category(character)[0] != "C")
    return " ".join("".join(kept).split())


def leans_on_others(question: str) -> bool:
    """Return whether `question` is short and points back: "and how much memory does that need?"."""
    return len(set(terms(question))) <= _FEW_TERMS and bool(_LEANS.search(question))


def _whole(asked: str, history: Sequence[str]) -> str:
    if not history or not leans_on_others(asked):
        return asked
    # The nearest earlier question that stands by itself says what "it" is.
    recent = history[-_LOOK_BACK:]
    subject = next((earlier for earlier in reversed(recent) if not leans_on_others(earlier)), recent[-1])
    return f"{subject[:LONGEST]} {asked}"
