"""Reads Markdown, text and JSONL files as documents; it stands in until `knowledge.documents` reads all kinds."""

import hashlib
import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from knowledge.errors import UserError
from knowledge.sources import Page

_KINDS = {".md": "markdown", ".txt": "text", ".jsonl": "jsonl"}


@dataclass(frozen=True, kw_only=True)
class Document:
    """What a file was read into."""

    name: str
    title: str
    sha256: str
    kind: str
    pages: tuple[Page, ...]
    notes: tuple[str, ...] = ()


def read_document(path: Path, name: str, *, today: date) -> Document:
    """Return the document in a file; raise UserError where it cannot be read."""
    kind = _KINDS.get(path.suffix.lower())
    if kind is None:
        raise UserError(f"{name} is no file that I can read.", f"Give one of {', '.join(_KINDS)}.")
    data = path.read_bytes()
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"{name} is not UTF-8 text.", "Save it as UTF-8.") from error
    if "\x00" in text:
        raise UserError(f"{name} is no text.", "Give a text file.")
    if kind == "jsonl":
        pages = _rows(text, name, today)
    else:
        pages = (Page(slug=Path(name).stem, title=_title(text, name), updated=today, body=text),)
    return Document(
        name=name, title=_title(text, name) if kind != "jsonl" else name, sha256=hashlib.sha256(data).hexdigest(),
        kind=kind, pages=pages,
    )  # fmt: skip


def _rows(text: str, name: str, today: date) -> tuple[Page, ...]:
    pages: dict[str, Page] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
            key = str(row["id"])
            page = Page(slug=key, title=str(row.get("title") or key), updated=today, body=str(row["text"]))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise UserError(f"Line {number} of {name} has no id and text.", "Correct it.") from error
        if key in pages:
            raise UserError(f"Line {number} of {name} has the id of an earlier line.", "Give each its own.")
        pages[key] = page
    return tuple(pages.values())


def _title(text: str, name: str) -> str:
    first = next((line for line in text.splitlines() if line.strip()), "")
    return first.lstrip("# ").strip() if first.startswith("# ") else Path(name).stem
