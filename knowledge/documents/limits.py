"""How large a file may be and what reading it may cost; the numbers are in knowledge/limits.toml."""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from knowledge.documents.drafts import Draft, Unreadable


@dataclass(frozen=True, kw_only=True)
class Limits:
    """What one file may cost us."""

    bytes: int
    """Size of the file."""
    expanded_bytes: int
    """What a DOCX, which is a zip, may unpack to."""
    ratio: int
    """Unpacked to packed bytes of a DOCX, beyond its first mebibyte."""
    entries: int
    """Files inside a DOCX."""
    pages: int
    """Pages of a PDF."""
    characters: int
    """Characters of one page of ours."""
    line_bytes: int
    """One line of JSONL."""
    seconds: float
    """Time that a parser may take."""
    memory_bytes: int
    """Address space that a parser may take."""

    def check(self, draft: Draft) -> Draft:
        """Return the draft; raise Unreadable where it holds too many characters."""
        if len(draft.body) > self.characters:
            raise Unreadable(f"holds more than {self.characters:,} characters.", "Split it and add the parts.")
        return draft


def shipped() -> Limits:
    """Return the limits of knowledge/limits.toml."""
    text = (Path(__file__).parents[1] / "limits.toml").read_text(encoding="utf-8")
    fields = tomllib.loads(text)["documents"]
    return Limits(**{name: fields[name] for name in Limits.__dataclass_fields__})
