"""Checks sentences against the passages that they cite and numbers the citations; it does not know who wrote them."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from knowledge.keywords import terms
from knowledge.sentences import sentences, split_sentences
from knowledge.tables import Passage

_MARK = re.compile(r"\s*\[(\d{1,3}(?:\s*,\s*\d{1,3})*)\]")
_AFTER_STOP = re.compile(r"([.!?])((?:\s*\[\d[\d,\s]*\])+)")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_URL = re.compile(r"\b[a-z][a-z0-9+.-]*://\S+|\bwww\.\S+", re.IGNORECASE)
# A name that no ordinary word is: a capital after the first letter, or letters and digits in one (QLoRA, H100, GPT-4o).
_NAME = re.compile(r"\b(?=\w*[^\W\d_])(?:\w+[A-Z]\w*|\w*\d\w*[A-Za-z]\w*|[A-Za-z]\w*\d\w*)\b")
_LIST_MARK = re.compile(r"^\s*(?:[-*•]|\d{1,2}[.)])\s+")


@dataclass(frozen=True, kw_only=True)
class Citation:
    """Where a sentence of an answer comes from."""

    n: int
    """Number in the text, from 1."""
    title: str
    """Title of the page."""
    slug: str
    """Name of the page in addresses."""
    heading: str
    """Headings above the passage, joined by " > "; empty at the top of a page."""
    updated: date
    """Day of the page's last change."""
    quote: str
    """The sentence of the passage that carries the claim, word for word."""
    passage_id: str
    """Key of the passage, to find it again."""


class Checked(NamedTuple):
    """A text after the check."""

    text: str
    """What is supported, with marks renumbered from 1 in order of use."""
    citations: tuple[Citation, ...]
    dropped: tuple[str, ...]
    """Sentences left out, each with the reason."""


def cite(passage: Passage, n: int, quote: str) -> Citation:
    """Return the citation of `passage` as number `n`."""
    return Citation(
        n=n,
        title=passage.title,
        slug=passage.slug,
        heading=passage.heading,
        updated=passage.updated,
        quote=quote,
        passage_id=passage.id,
    )


def check(text: str, passages: Sequence[Passage], question: str = "") -> Checked:
    """Keep the sentences of `text` that their cited passages support; mark [1] means `passages[0]`.

    A sentence stays if it carries a valid mark and each number, name and address in it stands in a passage that
    it cites (a name may come from the question). Whether the passage says the same in other words is not checked.
    """
    kept: list[str] = []
    dropped: list[str] = []
    numbers: dict[int, int] = {}
    quotes: dict[int, str] = {}
    for line in text.splitlines():
        lead = _LIST_MARK.match(line)
        sentences_kept = []
        for sentence in _with_marks(line[lead.end() :] if lead else line):
            marks, reason = _support(sentence, passages, question)
            if reason:
                dropped.append(f"{reason}: {sentence}")
                continue
            for mark in marks:
                numbers.setdefault(mark, len(numbers) + 1)
                quotes.setdefault(mark, best_quote(sentence, passages[mark - 1]))
            sentences_kept.append(_renumbered(sentence, marks, numbers))
        if sentences_kept:
            kept.append(("- " if lead else "") + " ".join(sentences_kept))
    citations = tuple(cite(passages[mark - 1], n, quotes[mark]) for mark, n in numbers.items())
    return Checked("\n".join(kept), citations, tuple(dropped))


def best_quote(sentence: str, passage: Passage) -> str:
    """Return the sentence of `passage` that shares most of the content words of `sentence`."""
    wanted = set(terms(sentence))
    candidates = sentences(passage.text) or [passage.text]
    return max(candidates, key=lambda candidate: len(wanted & set(terms(candidate))) / (len(terms(candidate)) + 5))


def _with_marks(line: str) -> list[str]:
    """Return the sentences of `line`; marks that follow a full stop are first moved before it."""
    return split_sentences(_AFTER_STOP.sub(r"\2\1 ", line.strip()))


def _marks(sentence: str) -> list[int]:
    found = [int(number) for match in _MARK.finditer(sentence) for number in match[1].split(",")]
    return list(dict.fromkeys(found))


def _support(sentence: str, passages: Sequence[Passage], question: str) -> tuple[list[int], str]:
    """Return the valid marks of `sentence` and why it cannot stay, if it cannot."""
    marks = _marks(sentence)
    if not marks:
        return [], "no citation"
    if any(not 1 <= mark <= len(passages) for mark in marks):
        return [], "cites a passage that was not given"
    bare = _MARK.sub("", sentence)
    cited = "\n".join(f"{passages[mark - 1].search_text}\n{passages[mark - 1].text}" for mark in marks)
    if missing := set(_URL.findall(bare)) - set(_URL.findall(cited)):
        return [], f"address not in the passage ({len(missing)})"
    if missing := _numbers(bare) - _numbers(cited):
        return [], f"number not in the passage ({', '.join(sorted(missing))})"
    if missing := _names(bare) - _names(cited) - _names(question):
        return [], f"name not in the passage ({', '.join(sorted(missing))})"
    return marks, ""


def _numbers(text: str) -> set[str]:
    """Return the numbers in `text` in one spelling: 1,200 is 1200, 2.50 is 2.5."""
    found = (number.replace(",", "") for number in _NUMBER.findall(text))
    return {(number.rstrip("0").rstrip(".") if "." in number else number) for number in found}


def _names(text: str) -> set[str]:
    return {name.lower().removesuffix("s") for name in _NAME.findall(text)}


def _renumbered(sentence: str, marks: Sequence[int], numbers: Mapping[int, int]) -> str:
    return _MARK.sub("", sentence).rstrip() + " " + "".join(f"[{numbers[mark]}]" for mark in marks)
