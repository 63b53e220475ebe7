"""Turns PDF into Markdown, one section a page; it reads text as the file orders it and recognises no pictures."""

import io
import re
from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from knowledge.documents.characters import clean, has_text, one_line
from knowledge.documents.drafts import Draft, Unreadable
from knowledge.documents.limits import Limits
from knowledge.documents.paragraphs import paragraphs

if TYPE_CHECKING:
    from pypdf import PageObject, PdfReader

_EDGE = 3
"""Lines at the top and at the bottom of a page among which a running header or footer stands."""
_FEWEST = 4
"""On fewer pages a line that repeats may be content."""
# What a malformed file makes pypdf raise besides its own errors.
_FAULTS = (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, AssertionError, RuntimeError, OSError)
_DIGITS = re.compile(r"\d+")
_UNKNOWN = re.compile(r"[\ufffd\ue000-\uf8ff]|\(cid:\d+\)|/g\d+\b")


class _Leaf(NamedTuple):
    """One page of a PDF."""

    lines: list[str]
    picture: bool
    """It holds a picture."""
    broken: bool = False
    """Its text could not be taken out."""


def read_pdf(content: bytes, limits: Limits) -> Draft:
    """Return a PDF as a draft with a heading for each page; raise Unreadable where it holds no text to read."""
    from pypdf.errors import PyPdfError

    try:
        reader = _opened(content)
        count = len(reader.pages)
    except (PyPdfError, *_FAULTS) as error:
        raise _damaged() from error
    if count > limits.pages:
        raise Unreadable(f"has {count:,} pages; I read up to {limits.pages:,}.", "Split it and add the parts.")
    leaves = _without_running([_leaf(reader, number) for number in range(count)])
    shown = [(number, _text(leaf)) for number, leaf in enumerate(leaves, start=1)]
    body = "\n\n".join(f"## Page {number}\n\n{text}" for number, text in shown if text)
    notes = _notes(leaves, [text for _, text in shown])
    if not body:
        raise _without_text(leaves)
    title, updated = _told(reader)
    return Draft(title=title, body=body, updated=updated.date() if updated else None, notes=notes)


def _opened(content: bytes) -> "PdfReader":
    from pypdf import PdfReader

    reader = PdfReader(io.BytesIO(content), strict=False)
    # Many files are encrypted without a password, only to forbid printing.
    if reader.is_encrypted and not reader.decrypt(""):
        raise Unreadable("is locked with a password.", "Save a copy without the password and add that.")
    return reader


def _leaf(reader: "PdfReader", number: int) -> _Leaf:
    from pypdf.errors import PyPdfError

    try:
        page = reader.pages[number]
        text = page.extract_text()
    except (PyPdfError, *_FAULTS):
        return _Leaf([], picture=False, broken=True)
    lines = [line.strip() for line in clean(_unligated(text)).split("\n")]
    return _Leaf(lines, _has_picture(page))


def _has_picture(page: "PageObject") -> bool:
    from pypdf.errors import PyPdfError

    try:
        resources = page.get("/Resources", {}).get_object()
        drawn = resources.get("/XObject", {}).get_object().values()
        return any(item.get_object().get("/Subtype") in ("/Image", "/Form") for item in drawn)
    except (PyPdfError, *_FAULTS):
        return False


def _without_running(leaves: Sequence[_Leaf]) -> list[_Leaf]:
    """Drop lines at the edges that stand on most pages, page numbers aside."""
    written = [leaf for leaf in leaves if any(leaf.lines)]
    if len(written) < _FEWEST:
        return list(leaves)
    counts = Counter(key for leaf in written for key in {_key(leaf.lines[place]) for place in _edges(leaf.lines)})
    running = {key for key, count in counts.items() if count > len(written) / 2}
    return [leaf._replace(lines=_kept(leaf.lines, running)) for leaf in leaves]


def _edges(lines: Sequence[str]) -> set[int]:
    """Return the places of the first and last lines that hold anything."""
    places = [place for place, line in enumerate(lines) if line]
    return {*places[:_EDGE], *places[-_EDGE:]}


def _kept(lines: list[str], running: set[str]) -> list[str]:
    edges = _edges(lines)
    return [line for place, line in enumerate(lines) if place not in edges or _key(line) not in running]


def _key(line: str) -> str:
    """Return the line with its numbers made equal: "Page 3 of 9" is the footer "Page 4 of 9"."""
    return _DIGITS.sub("0", line.casefold())


def _text(leaf: _Leaf) -> str:
    text = paragraphs(leaf.lines)
    return "" if _illegible(text) or not has_text(text) else text


def _illegible(text: str) -> bool:
    """Say whether the fonts do not tell which letters their shapes are."""
    return len(_UNKNOWN.findall(text)) > 0.3 * max(len(text.split()), 1) and len(text) > 20


def _notes(leaves: Sequence[_Leaf], texts: Sequence[str]) -> tuple[str, ...]:
    total = len(leaves)
    pictures = sum(leaf.picture and not leaf.broken and not any(leaf.lines) for leaf in leaves)
    broken = sum(leaf.broken for leaf in leaves)
    illegible = sum(_illegible("\n".join(leaf.lines)) for leaf in leaves)
    told = (
        (pictures, "holds only pictures", "hold only pictures", "run text recognition (OCR) to have them read"),
        (broken, "is damaged", "are damaged", "I left them out"),
        (
            illegible,
            "has letters that I can't tell",
            "have letters that I can't tell",
            "run text recognition (OCR) on them",
        ),
    )
    return tuple(
        f"{count} of {total} pages {one if count == 1 else more}; {step}." for count, one, more, step in told if count
    )


def _damaged() -> Unreadable:
    return Unreadable("is a damaged PDF.", "Open it in a PDF viewer, print it to a new PDF and add that.")


def _without_text(leaves: Sequence[_Leaf]) -> Unreadable:
    if any(leaf.broken for leaf in leaves):
        return _damaged()
    if any(any(leaf.lines) for leaf in leaves):
        what = "has fonts that do not say which letters they show."
    elif any(leaf.picture for leaf in leaves):
        what = "holds only pictures of pages."
    else:
        return Unreadable("has only empty pages.", "Add a file that holds text.")
    return Unreadable(what, "Run text recognition (OCR) over it and add the result.")


def _told(reader: "PdfReader") -> tuple[str, datetime | None]:
    """Return the title and the time of the last change that the file claims; tools leave many titles that are none."""
    from pypdf.errors import PyPdfError

    try:
        facts = reader.metadata
        title = one_line(str(facts.title or "")) if facts else ""
        updated = (facts.modification_date or facts.creation_date) if facts else None
    except (PyPdfError, *_FAULTS):
        return "", None
    made = re.match(
        r"(?:untitled|microsoft word|powerpoint|document\d*$|.*\.(?:docx?|indd|tex|pdf|qxd)$)", title, re.IGNORECASE
    )
    return ("" if made else title), updated


def _unligated(text: str) -> str:
    """Return text with ligatures such as "ﬁ" as the letters that people search for."""
    return text.translate(_LIGATURES)


_LIGATURES = {0xFB00: "ff", 0xFB01: "fi", 0xFB02: "fl", 0xFB03: "ffi", 0xFB04: "ffl", 0xFB05: "st", 0xFB06: "st"}
