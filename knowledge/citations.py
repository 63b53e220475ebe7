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
_QUOTATION = re.compile(r"[\"“„«]([^\"“”„«»]{3,600})[\"”“»]")
_WORD = re.compile(r"[^\W_]+")
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


class Checking:
    """Checks a text while it is being written: each sentence as soon as the next one begins, marks and all."""

    def __init__(self, passages: Sequence[Passage], question: str = "") -> None:
        """Take the passages that marks point to, the first for [1], and the question, whose names may be repeated."""
        self._passages, self._question = passages, question
        self._line = ""
        """The line that is being written."""
        self._judged = 0
        """Sentences of it that were judged."""
        self._line_is_new = True
        """Whether nothing of it was kept so far."""
        self._numbers: dict[int, int] = {}
        self._quotes: dict[int, str] = {}
        self._dropped: list[str] = []
        self.text = ""
        """What is supported so far, with marks renumbered from 1 in order of use."""

    def feed(self, piece: str) -> str:
        """Take more text; return what is complete and supported now, to be put right after what came before."""
        before = len(self.text)
        for part in (self._line + piece).splitlines(keepends=True):
            self._line = part
            whole = part.splitlines()[0] != part
            self._judge(whole=whole)
            if whole:
                self._line, self._judged, self._line_is_new = "", 0, True
        return self.text[before:]

    def finish(self) -> str:
        """Take what was written last for complete; return the same as `feed`. Not for a text that was broken off."""
        return self.feed("\n")

    def checked(self) -> Checked:
        """Return everything that was supported so far."""
        citations = tuple(cite(self._passages[mark - 1], n, self._quotes[mark]) for mark, n in self._numbers.items())
        return Checked(self.text, citations, tuple(self._dropped))

    def _judge(self, *, whole: bool) -> None:
        """Judge the sentences of the line that were not; the last one of a line under way may still go on."""
        lead = _LIST_MARK.match(self._line)
        found = _with_marks(self._line[lead.end() :] if lead else self._line)
        for sentence in found[self._judged : len(found) if whole else -1]:
            self._judged += 1
            marks, reason = _support(sentence, self._passages, self._question)
            if reason:
                self._dropped.append(f"{reason}: {sentence}")
            else:
                self._keep(sentence, marks, "- " if lead else "")

    def _keep(self, sentence: str, marks: Sequence[int], lead: str) -> None:
        for mark in marks:
            self._numbers.setdefault(mark, len(self._numbers) + 1)
            self._quotes.setdefault(mark, best_quote(sentence, self._passages[mark - 1]))
        glue = ("\n" if self.text else "") + lead if self._line_is_new else " "
        self.text += glue + _renumbered(sentence, marks, self._numbers)
        self._line_is_new = False


def check(text: str, passages: Sequence[Passage], question: str = "") -> Checked:
    """Keep the sentences of `text` that their cited passages support; mark [1] means `passages[0]`.

    A sentence stays if it carries a valid mark and each number, name, address and quotation in it stands in a passage
    that it cites (a name or quotation may come from the question). Whether the passage says the same in other words is
    not checked.
    """
    checking = Checking(passages, question)
    checking.feed(text)
    checking.finish()
    return checking.checked()


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
    if any(quoted not in _words(cited) and quoted not in _words(question) for quoted in _quoted(bare)):
        return [], "quotation not in the passage"
    return marks, ""


def _quoted(text: str) -> list[str]:
    """Return the words of each quotation in `text`; a single word between quotation marks claims to quote nobody."""
    found = [_words(span) for span in _QUOTATION.findall(text)]
    return [words for words in found if words.count(" ") > 2]


def _words(text: str) -> str:
    """Return the words of `text` in lower case with one space around each."""
    return f" {' '.join(_WORD.findall(text.lower()))} "


def _numbers(text: str) -> set[str]:
    """Return the numbers in `text` in one spelling: 1,200 is 1200, 2.50 is 2.5."""
    found = (number.replace(",", "") for number in _NUMBER.findall(text))
    return {(number.rstrip("0").rstrip(".") if "." in number else number) for number in found}


def _names(text: str) -> set[str]:
    return {name.lower().removesuffix("s") for name in _NAME.findall(text)}


def _renumbered(sentence: str, marks: Sequence[int], numbers: Mapping[int, int]) -> str:
    return _MARK.sub("", sentence).rstrip() + " " + "".join(f"[{numbers[mark]}]" for mark in marks)
