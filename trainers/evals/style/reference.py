"""Somebody else's plain English, to look at a brand from where no better text is given; it knows no brand."""

from functools import cache
from pathlib import Path

_COMMENT = "<!--"


@cache
def plain_english() -> tuple[str, ...]:
    """Return texts of about 220 words each, from this project's own guide (reference.md)."""
    text = Path(__file__).with_name("reference.md").read_text("utf-8")
    paragraphs = (paragraph.strip() for paragraph in text.split("\n\n"))
    return tuple(paragraph for paragraph in paragraphs if paragraph and not paragraph.startswith(_COMMENT))
