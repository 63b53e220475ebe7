"""The phrases of phrases.toml as patterns over texts in small letters; it does not know what finding one means."""

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

_FILE = Path(__file__).with_name("phrases.toml")
_WORDS, _SIGNS = r"(?:\\S+ ){0,4}?", r"[^。.\\n]{0,12}?"
_GAP = re.compile("… ?")


class Phrases(NamedTuple):
    """The phrases of one language."""

    language: str
    """Its code; `any` for what stands in texts of all."""
    hints: tuple[str, ...]
    """One of them is in whatever a phrase matches."""
    written: str
    """All of them as one regular expression over texts in small letters."""

    @property
    def pattern(self) -> "re.Pattern[str]":
        """The expression, compiled when it is first tried: most files need few of them."""
        return _compiled(self.written)

    def found(self, lower: str) -> bool:
        """Say whether a text in small letters holds one of the phrases."""
        for hint in self.hints:
            if hint in lower:
                return self.pattern.search(lower) is not None
        return False


@cache
def phrases(kind: str) -> tuple[Phrases, ...]:
    """Return the phrases of a kind, `generator` or `refusal`, by language."""
    known = _read()
    unspaced = set(known["unspaced"])
    return tuple(
        Phrases(language, tuple(told["hints"]), pattern_of(told["phrases"], spaced=language not in unspaced))
        for language, told in known[kind].items()
    )


def pattern_of(written: list[str], *, spaced: bool) -> str:
    """Spell phrases as one regular expression."""
    gap = _WORDS if spaced else _SIGNS
    joined = "|".join(_GAP.sub(gap, phrase) for phrase in written)
    return rf"(?<!\w)(?:{joined})" if spaced else f"(?:{joined})"


def said_in(lower: str, kind: str) -> bool:
    """Say whether a text in small letters, with straight apostrophes, holds a phrase of a kind in any language."""
    hints = _by_hint(kind, ascii_only=lower.isascii())
    near = [hint for hint in hints if hint in lower]
    return any(each.pattern.search(lower) for each in {each for hint in near for each in hints[hint]})


@cache
def _by_hint(kind: str, *, ascii_only: bool) -> dict[str, list[Phrases]]:
    """Return the languages that have each hint; with `ascii_only`, what texts without special letters may hold."""
    found: dict[str, list[Phrases]] = {}
    skipped = set(_read()["other_scripts"]) if ascii_only else set()
    for each in (told for told in phrases(kind) if told.language not in skipped):
        for hint in each.hints:
            if hint.isascii() or not ascii_only:
                found.setdefault(hint, []).append(each)
    return found


@cache
def blanks() -> dict[str, str]:
    """Return the words of blanks, by list, as the inside of a group: a word ends where it ends, if it has spaces."""
    return {name: _words(words) for name, words in _read()["placeholder"].items()}


def _words(words: list[str]) -> str:
    return "|".join(re.escape(word) + (r"\b" if word < "\u2e80" else "") for word in words)


@cache
def _compiled(written: str) -> "re.Pattern[str]":
    return re.compile(written)


@cache
def _read() -> dict[str, Any]:
    return tomllib.loads(_FILE.read_text("utf-8"))
