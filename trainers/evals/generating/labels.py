"""Knows which labels of a task look alike, and which inputs hold the words of their own label; it merges none."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Final

from trainers.data.findings import plural
from trainers.data.likeness import canonical
from trainers.evals.drafts.classification import NAMED
from trainers.evals.generating.rows import TrainingDraft
from trainers.evals.style.limits import function_words, word_set
from trainers.evals.style.text import words

_SHOWN: Final = 4
"""Groups of labels that one note names."""


def alike(labels: Sequence[str]) -> list[tuple[str, ...]]:
    """Return groups of labels that differ in case, marks, pictures or an ending alone, in their order."""
    groups: dict[str, list[str]] = defaultdict(list)
    for label in labels:
        groups[_folded(label)].append(label)
    return [tuple(group) for group in groups.values() if len(group) > 1]


def alike_note(labels: Sequence[str]) -> str:
    """Say which labels look alike; "" where none do. They stay as they were written."""
    found = alike(labels)
    if not found:
        return ""
    listed = "; ".join(" and ".join(f"\u201c{label}\u201d" for label in group) for group in found[:_SHOWN])
    more = f"; and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return f"These labels look alike and stay apart: {listed}{more}. If one is meant, leave the others out."


def within_note(labels: Sequence[str]) -> str:
    """Say which label's words stand within another's, as `spam` in `not spam`; "" where none do."""
    told = [(label, f" {' '.join(words(label.replace('_', ' ')))} ") for label in labels]
    found = [
        (one, other) for one, own in told for other, theirs in told if own.strip() and own != theirs and own in theirs
    ]
    if not found:
        return ""
    listed = "; ".join(f"\u201c{one}\u201d in \u201c{other}\u201d" for one, other in found[:_SHOWN])
    more = f"; and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    why = "Luthier compares whole labels, but a program that looks for the shorter one finds it in both"
    return f"A label stands within another: {listed}{more}. {why}: other names would be safer."


def names_itself(label: str, text: str) -> bool:
    """Say whether a text holds the words of a label, so that a model may learn the word alone.

    A label of everyday words, such as `yes` or `other`, stands in any text and gives nothing away.
    """
    named = words(label.replace("_", " "))
    if not named:
        return bool(label) and label in text
    plain = set(function_words()) | word_set("common") | word_set("be")
    if all(word in plain for word in named):
        return False
    return f" {' '.join(named)} " in f" {' '.join(words(text.replace('_', ' ')))} "


def naming_note(drafts: Sequence[TrainingDraft], labels: Sequence[str]) -> str:
    """Count the rows that hold their own label's words; templates say so themselves. "" where there are none."""
    own = [each for each in drafts if each.target in labels and not each.provenance.startswith(NAMED)]
    number = sum(names_itself(each.target, each.input) for each in own)
    if not number:
        return ""
    hold = "holds" if number == 1 else "hold"
    return f"{plural(number, 'row')} {hold} the words of the right label: a model may learn the word alone. Edit some."


def _folded(label: str) -> str:
    """Write a label as what tells it from others: letters and digits, without endings of the plural."""
    plain = "".join(sign if sign.isalnum() else " " for sign in canonical(label))
    return " ".join(map(_singular, plain.split())) or label


def _singular(word: str) -> str:
    if word.endswith("ies") and len(word) > 4:
        return f"{word[:-3]}y"
    if word.endswith(("ses", "xes", "ches", "shes")):
        return word[:-2]
    return word[:-1] if word.endswith("s") and len(word) > 3 and not word.endswith("ss") else word
