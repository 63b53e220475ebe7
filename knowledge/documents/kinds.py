"""Tells what a file is by its first bytes, and by its name only where those leave a choice."""

import json
import re
from pathlib import PurePath
from typing import Literal

from knowledge.documents.drafts import Unreadable

Kind = Literal["markdown", "html", "pdf", "docx", "text", "jsonl"]

_NAMES: dict[str, Kind] = {
    ".md": "markdown",
    ".markdown": "markdown",
    ".mdx": "markdown",
    ".html": "html",
    ".htm": "html",
    ".xhtml": "html",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
}
_READABLE = "I read Markdown, HTML, PDF, DOCX, plain text and JSONL."
# First bytes, what they are, what to do.
_FOREIGN = (
    (b"\x89PNG", "a picture", "Run text recognition (OCR) over it and add the text."),
    (b"\xff\xd8\xff", "a picture", "Run text recognition (OCR) over it and add the text."),
    (b"GIF8", "a picture", "Run text recognition (OCR) over it and add the text."),
    (b"II*\x00", "a picture", "Run text recognition (OCR) over it and add the text."),
    (b"MM\x00*", "a picture", "Run text recognition (OCR) over it and add the text."),
    (b"{\\rtf", "an RTF file", "Save it as DOCX or PDF."),
    (b"\x1f\x8b", "a packed file", "Unpack it and add the files in it."),
    (b"BZh", "a packed file", "Unpack it and add the files in it."),
    (b"\xfd7zXZ", "a packed file", "Unpack it and add the files in it."),
    (b"7z\xbc\xaf", "a packed file", "Unpack it and add the files in it."),
    (b"Rar!", "a packed file", "Unpack it and add the files in it."),
    (b"\x28\xb5\x2f\xfd", "a packed file", "Unpack it and add the files in it."),
    (b"\x7fELF", "a program", _READABLE),
    (b"MZ\x90", "a program", _READABLE),
    (b"SQLite format 3", "a database", "Export its text as JSONL or Markdown."),
    (b"PAR1", "a Parquet table", "Export its text as JSONL."),
    (b"%!PS", "a PostScript file", "Save it as PDF."),
)
# Names inside a zip stand in it unpacked. A zip's directory is not opened here: it can have a million entries.
_PACKED = (
    (b"xl/workbook", "an Excel workbook", "Save the sheet as a Markdown or HTML table, or its rows as JSONL."),
    (b"ppt/presentation", "a PowerPoint presentation", "Save it as PDF."),
    (b"META-INF/container.xml", "an e-book", "Save it as HTML or PDF."),
    (b"application/vnd.oasis.opendocument", "an OpenDocument file", "Save it as DOCX or PDF."),
)
_HTML = re.compile(rb"<(?:!doctype\s+html|html|head|body)\b", re.IGNORECASE)


def kind_of(content: bytes, name: str) -> Kind:
    """Return what `content` is, whatever `name` claims; raise Unreadable for what we do not read."""
    head = content[:1024].lstrip(b"\xef\xbb\xbf")
    if b"%PDF-" in head:
        return "pdf"
    if head.startswith(b"PK\x03\x04") or head.startswith(b"PK\x05\x06"):
        return _packed(content)
    if head.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        raise _old_office(content)
    for start, what, step in _FOREIGN:
        if head.startswith(start):
            raise Unreadable(f"is {what}, whatever its name says.", step)
    return _written(content, PurePath(name).suffix.lower())


def _packed(content: bytes) -> Kind:
    """Return "docx" for a Word document; other zips are named in an error."""
    if b"word/document" in content:
        return "docx"
    for name, what, step in _PACKED:
        if name in content:
            raise Unreadable(f"is {what}.", step)
    raise Unreadable("is a zip file.", "Unpack it and add the files in it.")


def _old_office(content: bytes) -> Unreadable:
    if "EncryptedPackage".encode("utf-16-le") in content:
        return Unreadable("is locked with a password.", "Save a copy without the password and add that.")
    return Unreadable("is in an Office format from before 2007.", "Save it as DOCX or PDF.")


def _written(content: bytes, suffix: str) -> Kind:
    """Choose among the kinds that are text."""
    start = content[:65_536].removeprefix(b"\xef\xbb\xbf")
    if suffix in (".jsonl", ".ndjson"):
        return "jsonl"
    if _opens_html(start):
        return "html"
    if _is_passage(start):
        return "jsonl"
    if suffix == ".json":
        raise Unreadable(
            "is JSON but not one passage a line.", 'Write lines such as {"id": "1", "title": "…", "text": "…"}.'
        )
    return _NAMES.get(suffix, "text")


def _opens_html(start: bytes) -> bool:
    """Say whether a page of HTML starts here, behind comments and an XML declaration."""
    rest = start.lstrip()
    for mark, end in ((b"<?xml", b"?>"), (b"<!--", b"-->")):
        while rest.startswith(mark) and end in rest:
            rest = rest[rest.index(end) + len(end) :].lstrip()
    return bool(_HTML.match(rest))


def _is_passage(start: bytes) -> bool:
    """Say whether the first line is a JSON object with an id and a text."""
    line = start.lstrip().split(b"\n", 1)[0]
    if not line.startswith(b"{"):
        return False
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError):
        return False
    return isinstance(fields, dict) and {"id", "text"} <= fields.keys()
