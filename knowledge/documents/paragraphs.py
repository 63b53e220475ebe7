"""Joins lines as they stand on paper into paragraphs; it knows hyphens, list items and short last lines."""

import re
from collections.abc import Sequence

_ITEM = re.compile(r"^(?:[-–—•‣▪●○◦*]|\(?\d{1,3}[.)]|\(?[a-z][.)])\s+\S")
_BULLET = re.compile(r"^[–—•‣▪●○◦*]\s+")
_NUMBERED = re.compile(r"^\d{1,2}(?:\.\d{1,2})+\.?\s+[^\W\d_]")
# The dots of a table of contents.
_LEADER = re.compile(r"(?: ?\.){4,}")
_HYPHEN = re.compile(r"([^\W\d_])[-\u2010]$")
_BROKEN = re.compile(r"[^\W\d_]{2,}[-\u2010]$")
_ENDS = (".", "!", "?", ":", ";", "。", "؟")
_FULL = 0.7
"""A line at least this long, measured by the longest ones, goes on in the next line."""
_NEARLY = 0.85
"""A line that ends a sentence and is shorter than this ends its paragraph."""
_SHORT = 0.6
"""A line shorter than this that does not end a sentence is a heading where it follows the end of one."""


def paragraphs(lines: Sequence[str]) -> str:
    """Return the text of one page with an empty line between its paragraphs."""
    width = _width(lines)
    blocks: list[str] = []
    open_line = ""
    for line in (*lines, ""):
        text = _LEADER.sub(" …", _BULLET.sub("- ", line.strip()))
        if blocks and open_line and text and _goes_on(open_line, text, width):
            blocks[-1] = _joined(blocks[-1], text)
        elif text:
            blocks.append(_escaped(text))
        open_line = text
    return _laid_out(blocks)


def _width(lines: Sequence[str]) -> int:
    """Return the length that nine of ten lines stay under."""
    lengths = sorted(len(line) for line in lines if line.strip())
    return lengths[int(0.9 * (len(lengths) - 1))] if lengths else 0


def _goes_on(before: str, text: str, width: int) -> bool:
    """Say whether `text` belongs to the paragraph that `before` is the last line of."""
    if _ITEM.match(text):
        return False
    if _BROKEN.search(before[-40:]) and text[0].islower():
        return True
    if len(before) < _FULL * width or " … " in before:
        return False
    short = len(text) < _SHORT * width and not text[0].islower()
    heading = short and (not text.endswith(_ENDS) or bool(_NUMBERED.match(text)))
    return not (before.endswith(_ENDS) and (heading or len(before) < _NEARLY * width))


def _joined(block: str, text: str) -> str:
    """Join two lines: a hyphen before a small letter goes, for it was put in to break the word."""
    end = block[-40:]  # a paragraph may be long, and this runs for each of its lines
    if _BROKEN.search(end) and text[0].islower():
        return block[:-1] + text
    # "Jean-" and "Luc", "2024-" and "2025": the hyphen belongs to the word.
    return block + text if _HYPHEN.search(end) and text[0].isalpha() else f"{block} {text}"


def _escaped(text: str) -> str:
    """Keep a line of the page from being read as Markdown of ours."""
    return re.sub(r"^(?=#{1,6}\s|```|~~~)", r"\\", text)


def _laid_out(blocks: Sequence[str]) -> str:
    parts: list[str] = []
    for number, block in enumerate(blocks):
        if number:
            parts.append("\n" if _ITEM.match(block) and _ITEM.match(blocks[number - 1]) else "\n\n")
        parts.append(block)
    return "".join(parts)
