"""Numbers as people write them ("1,200", "2k", "a few hundred"); it knows English words, not what is counted."""

import re
from collections.abc import Iterator

_ONES = {
    "zero": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8, "nine": 9,
    "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16,
    "seventeen": 17, "eighteen": 18, "nineteen": 19,
}  # fmt: skip
_TENS = {"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "seventy": 70, "eighty": 80, "ninety": 90}
_VAGUE = {"a": 1, "an": 1, "half": 0.5, "couple": 2, "few": 3, "several": 4, "tens": 10, "dozen": 12, "dozens": 36}
_SMALL = {**_ONES, **_TENS, **_VAGUE}
_BIG = {"hundred": 100, "hundreds": 300, "thousand": 1_000, "thousands": 3_000, "k": 1_000, "m": 1_000_000, "bn": 10**9,
        "million": 10**6, "millions": 3 * 10**6, "billion": 10**9, "billions": 3 * 10**9}  # fmt: skip

_WORD = "|".join(sorted([*_SMALL, *_BIG], key=len, reverse=True))
_DIGITS = r"\d{1,3}(?:[,  ]\d{3})+|\d+(?:\.\d+)?"
PATTERN = (
    rf"(?:(?:{_DIGITS})(?:\s?-\s?(?:{_DIGITS}))?(?:\s?(?:k|m|bn|hundred|thousand|million|billion|dozen)s?\b)?"
    rf"|(?>(?:{_WORD})\b(?:[\s-]+(?:and\s+|of\s+)?(?:{_WORD})\b){{0,7}}))(?![\w%])"
)
"""A regular expression for a number in lower-case text; atomic, so that long runs of number words cost no more."""

_FOUND = re.compile(rf"(?<![\w.,]){PATTERN}")
_TOKEN = re.compile(rf"{_DIGITS}|[a-z]+")


def find(text: str) -> Iterator[re.Match[str]]:
    """Return every number in a lower-case text, as it is written."""
    return _FOUND.finditer(text)


def parse(text: str) -> float | None:
    """Give the value of a number written in lower-case digits or words; the middle of a range; None if it is none.

    "Hundreds" counts as 300, "dozens" as 36, "a few" as 3: cautious readings of vague words.
    """
    low, dash, high = text.partition("-")
    if dash and low.strip()[-1:].isdigit() and high.strip()[:1].isdigit():
        ends = parse(_with_unit(low, high)), parse(high)
        return (ends[0] + ends[1]) / 2 if ends[0] is not None and ends[1] is not None else None
    total, current, seen = 0.0, 0.0, False
    tokens = _TOKEN.findall(text)
    while len(tokens) > 1 and tokens[-1] in ("a", "an"):  # "a million a" month
        tokens.pop()
    for token in tokens:
        value = _digits(token)
        if value is not None:
            current, seen = current + value, True
        elif token in _BIG:
            total, current, seen = _scaled(total, current, token), 0.0, True
        elif token in _SMALL:
            current, seen = _joined(current, token), True
    return total + current if seen else None


def _with_unit(low: str, high: str) -> str:
    unit = re.search(r"[a-z]+\s*$", high)
    return low + " " + unit.group() if unit else low


def _digits(token: str) -> float | None:
    plain = re.sub(r"[,  ]", "", token)
    return float(plain) if plain[:1].isdigit() else None


def _scaled(total: float, current: float, word: str) -> float:
    factor = _BIG[word]
    if word.endswith("s"):
        count = max(total, current)
        return count * _BIG[word[:-1]] if count >= 10 else factor  # "tens of thousands"; "hundreds" alone is 300
    if factor >= 1_000 and total and not current:
        return total * factor  # "two hundred thousand"
    return total + (current or 1.0) * factor


def _joined(current: float, word: str) -> float:
    value = _SMALL[word]
    if word in ("dozen", "dozens"):
        return max(current, 1.0) * value if word == "dozen" else value
    if word in ("few", "couple", "several", "half") and current == 1:
        return value  # "a few", "a couple"
    if word in ("a", "an") and current == 0.5:
        return current  # "half a million"
    return current + value
