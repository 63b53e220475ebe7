"""Takes Markdown apart into plain sentences; it knows lists, tables and abbreviations, not which sentence is wanted."""

import re
from collections.abc import Iterator

from knowledge.chunks import plain
from knowledge.markdown_marks import cells, is_fence, is_row

# "; see [GPU memory](gpu-memory.md)" sends a reader of the page on and says nothing in an answer.
_POINTER = re.compile(r"(?:[;,:]\s*|\()?\b[Ss]ee \[[^\]]*\]\([^)]*\)(?:(?:,| and|, and) \[[^\]]*\]\([^)]*\))*\)?")
_BULLET = re.compile(r"^\s*(?:[-*+]|\d+[.)])\s+")
_RULE = re.compile(r"^\s*\|?[\s:|-]+\|?\s*$")
# A full stop ends a sentence only before a capital, a digit, a quote, a bracket or emphasis.
_END = re.compile(r"(?<=[.!?])[\"'”’)*_]*\s+(?=[\"'“‘(*_`]*[A-Z0-9])")
_ABBREVIATION = re.compile(r"(?:\b(?:e\.g|i\.e|vs|approx|No|Fig|Eq|al|St|Dr|etc|cf|ca)\.|\b[A-Z]\.)$")


def sentences(markdown: str) -> list[str]:
    """Return the sentences of `markdown` in order, without links, pointers to other pages, list marks, headings, code.

    A table row comes back as one sentence, "row: column value; column value."
    """
    blocks = _blocks(plain(_POINTER.sub("", markdown)))
    found = [sentence for block in blocks for sentence in split_sentences(block)]
    return [sentence for sentence in found if any(character.isalnum() for character in sentence)]


def split_sentences(text: str) -> list[str]:
    """Return the sentences of one paragraph of plain text."""
    found: list[str] = []
    start = 0
    for end in _END.finditer(text):
        if _ABBREVIATION.search(text[start : end.start()]):
            continue
        found.append(text[start : end.end()].strip())
        start = end.end()
    found.append(text[start:].strip())
    return [sentence for sentence in found if sentence]


def _blocks(markdown: str) -> Iterator[str]:
    """Yield paragraphs, list items and table rows, each as one line."""
    paragraph: list[str] = []
    header: list[str] = []
    fenced = False
    for line in [*markdown.splitlines(), ""]:
        mark, row = is_fence(line), is_row(line)
        fenced ^= mark
        if paragraph and (not line.strip() or row or mark or _BULLET.match(line)):
            yield " ".join(paragraph)
            paragraph = []
        if fenced or mark or line.startswith("#"):
            continue
        if row:
            header, sentence = _row(line, header)
            if sentence:
                yield sentence
        elif line.strip():
            header = []
            paragraph.append(_BULLET.sub("", line).strip())


def _row(line: str, header: list[str]) -> tuple[list[str], str]:
    """Return the table's header and the row as a sentence; empty for the header and the rule under it."""
    if _RULE.match(line):
        return header, ""
    found = cells(line)
    if not header:
        return found, ""
    pairs = [f"{name} {cell}".strip() for name, cell in zip(header[1:], found[1:], strict=False) if cell]
    return header, f"{found[0]}: {'; '.join(pairs)}."
