"""Shows a passage as people read it, and where in it a cited sentence stands; it draws nothing for Slack."""

import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from knowledge.chunks import plain
from knowledge.markdown_marks import cells, is_fence, is_row
from knowledge.sources import Source, load_guide
from knowledge.tables import GUIDE_WORKSPACE, Passage

_HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*#*$")
_ITEM = re.compile(r"^\s*(?:[-*+]|(\d{1,3}[.)]))\s+")
_RULE = re.compile(r"^\s*\|?(?=[^|]*-)[\s:|-]+\|?\s*$")
_EMPHASIS = re.compile(r"(\*\*|__)(?=\S)(.+?)(?<=\S)\1")
_WORD = re.compile(r"\w+")
_END = re.compile(r"[.!?)\]\"'”’]*")
_ENOUGH = 0.5
"""A line that holds this share of the cited words is taken for what was cited (a table row is quoted reworded)."""


class Reading(NamedTuple):
    """A passage in plain words, cut where the cited sentence begins and ends."""

    before: str
    cited: str
    """Empty where the passage does not hold the sentence any more; then all of it is `before`."""
    after: str


def reading(markdown: str, quote: str) -> Reading:
    """Return a passage without Markdown's marks, with the sentence `quote` found in it."""
    text = readable(markdown)
    start, end = _exactly(text, quote) or _nearly(text, quote) or (len(text), len(text))
    return Reading(text[:start], text[start:end], text[end:])


def readable(markdown: str) -> str:
    """Return Markdown as plain text: paragraphs in one line each, list items with a dot, table cells side by side."""
    text, before = "", ""
    for kind, line in _lines(markdown):
        between = "" if not text else "\n" if kind == before != "text" else "\n\n"
        text, before = f"{text}{between}{line}", kind
    return text


def page_sources(passage: Passage) -> tuple[Source, ...]:
    """Return what the passage's page rests on; a team's own documents name nothing."""
    is_guide = passage.workspace_id == GUIDE_WORKSPACE and passage.collection == "guide"
    return _guide_sources().get(passage.slug, ()) if is_guide else ()


@cache
def _guide_sources() -> dict[str, tuple[Source, ...]]:
    """The guide is part of this version and does not change while it runs."""
    return {page.slug: page.sources for page in load_guide()}


def _lines(markdown: str) -> Iterator[tuple[str, str]]:
    """Yield paragraphs, headings, list items, table rows and lines of code, each with its kind."""
    kind, text, fenced = "", "", False
    for line in [*plain(markdown).splitlines(), ""]:
        mark = is_fence(line)
        fenced ^= mark
        new_kind, new_text = ("code", line) if fenced else _line(line)
        if new_kind == "text" and new_text and kind in ("text", "item") and text:
            text = f"{text} {new_text}"
            continue
        if text:
            yield kind, text
        kind, text = new_kind, "" if mark else new_text


def _line(line: str) -> tuple[str, str]:
    """Return a line's kind and words; no words for what only draws."""
    if heading := _HEADING.match(line):
        return "heading", _bare(heading[1])
    if is_row(line):
        return "row", "" if _RULE.match(line) else _bare(" · ".join(cell for cell in cells(line) if cell))
    if item := _ITEM.match(line):
        return "item", f"{item[1] or '•'} {_bare(line[item.end() :])}"
    return "text", _bare(line.strip())


def _bare(text: str) -> str:
    return _EMPHASIS.sub(r"\2", text)


def _exactly(text: str, quote: str) -> tuple[int, int] | None:
    """Return where the words of `quote` follow each other in `text`."""
    words, wanted = list(_WORD.finditer(text)), [word.lower() for word in _WORD.findall(_bare(quote))]
    spoken = [word[0].lower() for word in words]
    for place in range(len(spoken) - len(wanted) + 1 if wanted else 0):
        if spoken[place : place + len(wanted)] == wanted:
            end = words[place + len(wanted) - 1].end()
            closing = _END.match(text, end)
            return words[place].start(), closing.end() if closing else end
    return None


def _nearly(text: str, quote: str) -> tuple[int, int] | None:
    """Return the line of `text` that holds most words of `quote`, if it holds enough."""
    wanted = {word.lower() for word in _WORD.findall(quote)}
    lines = list(re.finditer(r"[^\n]+", text)) if wanted else []
    shares = [len(wanted & {word.lower() for word in _WORD.findall(line[0])}) / len(wanted) for line in lines]
    best = max(range(len(lines)), key=shares.__getitem__, default=None)
    return lines[best].span() if best is not None and shares[best] >= _ENOUGH else None
