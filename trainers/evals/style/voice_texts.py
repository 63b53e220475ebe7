"""How texts come out of what people paste or hand over as files; it describes none of them."""

import json
import re
from collections.abc import Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Final

from knowledge.documents import read_document
from knowledge.errors import UserError

_BETWEEN: Final = re.compile(r"^[ \t]*(?:-{3,}|={3,}|\*{3,})[ \t]*$", re.MULTILINE)
_MOST: Final = 20_000_000  # bytes of one file


def split_texts(pasted: str) -> list[str]:
    """Divide what was pasted at lines of dashes; without any it is one text."""
    return [text for part in _BETWEEN.split(pasted) if (text := part.strip())]


def read_texts(paths: Sequence[Path], names: Sequence[str] = (), *, today: date) -> list[str]:
    """Return the texts of files: JSONL gives its answers, others one text, or several with lines of --- between.

    `names` are what their owners call them. Raises UserError for what cannot be read.
    """
    called = names or [path.name for path in paths]
    found: list[str] = []
    for path, name in zip(paths, called, strict=True):
        texts = _texts(path, name, today)
        if not texts:
            raise UserError(f"{name} holds no text.", "Leave it out, or give another file.")
        found += texts
    return found


def _texts(path: Path, name: str, today: date) -> list[str]:
    if not path.is_file():
        raise UserError(f"There is no file {name}.", "Name a text, Markdown, Word, PDF or JSONL file.")
    if path.stat().st_size > _MOST:
        raise UserError(f"{name} is too large for a profile.", "Give a part of it: 30 texts are enough.")
    kind = Path(name).suffix.lower()
    if kind in (".jsonl", ".ndjson"):
        return list(_answers(_utf8(path, name), name))
    if kind in ("", ".txt", ".md", ".text", ".markdown"):  # marks and line breaks stay as they were written
        return split_texts(_utf8(path, name))
    document = read_document(path, name, today=today)
    return split_texts("\n\n".join(page.body for page in document.pages))


def _utf8(path: Path, name: str) -> str:
    try:
        return path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UserError(f"{name} is not UTF-8 text.", "Save it as UTF-8 and give it again.") from error


def _answers(content: str, name: str) -> Iterator[str]:
    """Yield what each row answers: a `text`, a `completion`, or the last assistant turn."""
    for number, line in enumerate(content.split("\n"), start=1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise UserError(f"Line {number} of {name} is not JSON.", "Check it with `luthier lint`.") from error
        text = _answer(row)
        if text is None:
            raise UserError(
                f"Line {number} of {name} holds no text.", "Give rows with messages, or objects with `text`."
            )
        yield text


def _answer(row: object) -> str | None:
    if not isinstance(row, dict):
        return None
    said = [turn for turn in row.get("messages") or [] if isinstance(turn, dict) and turn.get("role") == "assistant"]
    found = said[-1].get("content") if said else row.get("text", row.get("completion"))
    return found if isinstance(found, str) and found.strip() else None
