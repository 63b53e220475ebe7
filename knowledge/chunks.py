"""Cuts a page into passages under its headings; it knows lengths and heading paths, not how passages are searched."""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from knowledge.keywords import terms
from knowledge.markdown_marks import is_fence
from knowledge.sources import Page, anchor

LENGTH = 1_100
"""Longest passage, in characters; 800-1,200 was best on the Chroma chunking set within a fixed budget."""
OVERLAP = 150
"""Characters that neighbours within one section may share."""

_HEADING = re.compile(r"^(#{1,4})\s+(.+?)\s*#*$")
_LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")


@dataclass(frozen=True, kw_only=True)
class Chunk:
    """A passage: the unit that is found, quoted and cited."""

    id: str
    """`slug#heading-n`: the same passage keeps it across builds."""
    slug: str
    """Page it comes from."""
    title: str
    """Title of that page."""
    heading: str
    """Headings above the passage, joined by " > "; empty before the first heading."""
    text: str
    """Markdown as written."""
    questions: tuple[str, ...]
    """Questions of the page that this passage answers best: those of its heading, and others by shared words."""
    updated: date
    """Day of the page's last change."""
    search_text: str
    """What is indexed: the heading path, then the text without link addresses."""
    content_hash: str
    """SHA-256 over everything that is indexed or shown."""


class _Section(NamedTuple):
    heading: str
    text: str


def chunk_page(page: Page) -> tuple[Chunk, ...]:
    """Return the passages of `page` in reading order."""
    pieces = [
        (section.heading, piece) for section in _sections(page.body, page.title) for piece in _pieces(section.text)
    ]
    asked = _share_out([(None, question) for question in page.questions] + [*page.asked], pieces)
    counts: dict[str, int] = {}
    chunks = []
    for (heading, text), questions in zip(pieces, asked, strict=True):
        part = anchor_of(heading)
        number = counts[part] = counts.get(part, -1) + 1
        chunks.append(_chunk(page, heading, text, questions, f"{page.slug}#{part}-{number}"))
    return tuple(chunks)


def anchor_of(heading: str) -> str:
    """Return the address part of a heading path: that of its last heading."""
    return anchor(heading.rsplit(" > ", 1)[-1])


def plain(text: str) -> str:
    """Return Markdown with links reduced to their text."""
    return _LINK.sub(r"\1", text)


def _sections(body: str, title: str) -> Iterator[_Section]:
    """Yield the text under each heading with its heading path; a `#` inside a code block is no heading.

    LangChain's Markdown splitter strips the indentation of lists and code, so headings are found here.
    """
    path: list[tuple[int, str]] = []
    lines: list[str] = []
    fenced = False
    for line in body.splitlines():
        fenced ^= is_fence(line)
        heading = None if fenced else _HEADING.match(line)
        if heading is None:
            lines.append(line)
            continue
        yield _Section(_path(path, title), "\n".join(lines).strip())
        lines = []
        level = len(heading[1])
        path = [entry for entry in path if entry[0] < level] + [(level, plain(heading[2]))]
    yield _Section(_path(path, title), "\n".join(lines).strip())


def _path(path: list[tuple[int, str]], title: str) -> str:
    # The first heading usually repeats the page's title, which stands in front anyway.
    return " > ".join(text for _, text in path if text != title)


def _pieces(text: str) -> list[str]:
    """Cut one section into passages of at most LENGTH characters, at paragraphs before lines before sentences."""
    if len(text) <= LENGTH:
        return [text] if text else []
    # LangChain is imported on first use: half a second that only a build needs.
    from langchain_text_splitters import RecursiveCharacterTextSplitter

    splitter = RecursiveCharacterTextSplitter(
        chunk_size=LENGTH, chunk_overlap=OVERLAP, separators=["\n\n", "\n", ". ", " ", ""], keep_separator="end"
    )
    return [piece.strip() for piece in splitter.split_text(text) if piece.strip()]


def _share_out(questions: Sequence[tuple[str | None, str]], pieces: Sequence[tuple[str, str]]) -> list[tuple[str, ...]]:
    """Give each question to the passage that shares most of its words, the earlier one where two are equal.

    A question that names its heading goes to a passage under that one.
    """
    shares: list[list[str]] = [[] for _ in pieces]
    # Only where there are questions: a tenth of the time, for nothing otherwise.
    words = [set(terms(f"{heading}\n{text}")) for heading, text in pieces] if questions else []
    under: dict[str, list[int]] = {}
    for row, (heading, _) in enumerate(pieces):
        under.setdefault(heading.rsplit(" > ", 1)[-1], []).append(row)
    for part, question in questions if pieces else ():
        asked = set(terms(question))
        rows = range(len(pieces)) if part is None else under.get(part, range(len(pieces)))
        best = max(rows, key=lambda row: (len(asked & words[row]), -row))
        shares[best].append(question)
    return [tuple(share) for share in shares]


def _chunk(page: Page, heading: str, text: str, questions: tuple[str, ...], key: str) -> Chunk:
    path = f"{page.title} > {heading}" if heading else page.title
    search_text = f"{path}\n{plain(text)}"
    if not heading and text.startswith(page.title.removesuffix("…").rstrip()):
        search_text = plain(text)  # a passage without a title is called by its first words, which count once
    hashed = "\x1f".join((search_text, text, page.updated.isoformat(), *questions))
    return Chunk(
        id=key,
        slug=page.slug,
        title=page.title,
        heading=heading,
        text=text,
        questions=questions,
        updated=page.updated,
        search_text=search_text,
        content_hash=hashlib.sha256(hashed.encode()).hexdigest(),
    )
