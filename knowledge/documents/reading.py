"""Reads one file that somebody hands us into pages; it knows which reader a kind needs, not where pages go."""

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path, PurePath

from knowledge.documents.characters import has_text, one_line, tidy
from knowledge.documents.confined import parse_confined
from knowledge.documents.drafts import Draft, Unreadable
from knowledge.documents.encodings import decode
from knowledge.documents.files import content_of, opened
from knowledge.documents.kinds import Kind, kind_of
from knowledge.documents.limits import Limits, shipped
from knowledge.documents.markdown import read_markdown, read_plain
from knowledge.documents.passages import read_passages
from knowledge.errors import UserError
from knowledge.sources import Page

_LONGEST_HEADING = 300
_LONG_HEADING = re.compile(rf"^#{{1,6}}[ \t]+(?=.{{{_LONGEST_HEADING}}})", re.MULTILINE)
_TEXT_READERS: Mapping[Kind, Callable[[str], Draft]] = {"markdown": read_markdown, "text": read_plain}


class DocumentError(UserError):
    """A file cannot be taken in."""


@dataclass(frozen=True, kw_only=True)
class Document:
    """One file as pages."""

    name: str
    """The file's name as its owner knows it."""
    title: str
    """What it calls itself, else its name without the ending."""
    sha256: str
    """Hash of its bytes."""
    kind: Kind
    """What it is, whatever its name says."""
    pages: tuple[Page, ...]
    """One page, or one for each passage of JSONL."""
    notes: tuple[str, ...] = ()
    """What could not be read, each one sentence."""


def read_document(path: Path, name: str, *, today: date, limits: Limits | None = None) -> Document:
    """Return the file at `path`, which its owner calls `name`, as pages dated `today` where it has no date of its own.

    Raises DocumentError that says what is wrong with the file and what to do.
    """
    shown = one_line(name) or "The file"
    try:
        return _read(path, shown, today, limits or shipped())
    except Unreadable as error:
        raise DocumentError(f"{shown} {error.what}", error.next_step) from error


def _read(path: Path, name: str, today: date, limits: Limits) -> Document:
    with opened(path) as file:
        content = content_of(file, limits.bytes)
    if not content.strip():
        raise Unreadable("is empty.", "Add a file that holds text.")
    kind = kind_of(content, name)
    pages, title, notes = (
        _passages(content, name, today, limits) if kind == "jsonl" else _page(kind, content, name, today, limits)
    )
    digest = hashlib.sha256(content).hexdigest()
    return Document(name=name, title=title, sha256=digest, kind=kind, pages=pages, notes=notes)


_Parts = tuple[tuple[Page, ...], str, tuple[str, ...]]
"""Pages, title, notes."""


def _passages(content: bytes, name: str, today: date, limits: Limits) -> _Parts:
    decoded = decode(content)
    pages, notes = read_passages(decoded.text, limits, today)
    if not pages:
        raise _no_words()
    return pages, _named(name), (*_told(decoded.note), *notes)


def _page(kind: Kind, content: bytes, name: str, today: date, limits: Limits) -> _Parts:
    draft = _draft(kind, content, limits)
    body = _LONG_HEADING.sub("", tidy(draft.body))
    if not has_text(body):
        raise _no_words()
    title = one_line(draft.title) if has_text(draft.title) else _named(name)
    updated = min(draft.updated or today, today)
    page = Page(slug=_slug(name), title=title, updated=updated, questions=draft.questions, body=body)
    return (page,), title, draft.notes


def _draft(kind: Kind, content: bytes, limits: Limits) -> Draft:
    read = _TEXT_READERS.get(kind)
    if read is None:
        return parse_confined(kind, content, limits)
    decoded = decode(content)
    return limits.check(read(decoded.text)._replace(notes=_told(decoded.note)))


def _no_words() -> Unreadable:
    return Unreadable("holds no text.", "Add a file that holds words.")


def _told(note: str) -> tuple[str, ...]:
    return (note,) if note else ()


def _named(name: str) -> str:
    """Return the file's name as words."""
    stem = PurePath(name).stem
    return stem.replace("_", " ").replace("-", " ").strip() or name


def _slug(name: str) -> str:
    """Return the file's name for addresses; a document of one page needs no other."""
    return re.sub(r"[\W_]+", "-", PurePath(name).stem.lower()).strip("-")[:60] or "document"
