"""Numbers that states give to people, as numbers.toml lists them: found by shape, check digits and a word beside."""

import re
import tomllib
from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

_FILE = Path(__file__).with_name("numbers.toml")
_MAYBE = re.compile(r"\d{6}|\d[\d .-]{7}|[A-Z]{6}\d")
_BEFORE, _BEHIND = 45, 25  # characters in which a word is beside a number


class _Number(NamedTuple):
    pattern: "re.Pattern[str]"
    word: "re.Pattern[str] | None"
    is_valid: Callable[[str], bool]


def numbers_in(text: str) -> Iterator[str]:
    """Yield the numbers in a text that tell who somebody is; of one kind the first only."""
    if not _MAYBE.search(text):
        return
    for number in _known():
        for match in number.pattern.finditer(text):
            if _is_valid(number, match[0]) and _is_named(number.word, text, match):
                yield match[0]
                break


def _is_valid(number: _Number, digits: str) -> bool:
    """Say whether the check digits fit; stdnum's own tables lack places, such as some counties of China."""
    try:
        return number.is_valid(digits)
    except (LookupError, ValueError):
        return False


def _is_named(word: "re.Pattern[str] | None", text: str, match: "re.Match[str]") -> bool:
    """Say whether a word stands beside a number that needs one."""
    if word is None:
        return True
    before, behind = text[max(0, match.start() - _BEFORE) : match.start()], text[match.end() : match.end() + _BEHIND]
    return word.search(before) is not None or word.search(behind) is not None


@cache
def _known() -> tuple[_Number, ...]:
    return tuple(
        _Number(
            re.compile(rf"(?<![\w.,/-])(?:{told['shape']})(?![\w-]|[.,/]\d)"),
            re.compile(rf"(?i)\b(?:{'|'.join(map(re.escape, told['words']))})") if told.get("words") else None,
            import_module(f"stdnum.{told['check']}").is_valid,
        )
        for told in tomllib.loads(_FILE.read_text("utf-8"))["number"]
    )
