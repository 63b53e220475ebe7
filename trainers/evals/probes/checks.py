"""What a check of an answer is, as data, and whether an answer passes it; it knows no probe in particular.

A check is a mapping with `kind` and that kind's own keys, so that a file of probes holds no code and no pattern of
its own. Words are compared whole, without regard to case; a check never raises, whatever the answer holds.
"""

import json
import re
import unicodedata
from collections.abc import Callable, Mapping
from decimal import Decimal
from itertools import pairwise
from typing import Any

Check = Mapping[str, Any]

_LOOKED_AT = 4000  # characters of an answer; probes ask for far less
_EDGE = " \t\r\n\"'`*_.,;:!"
_NUMBER = re.compile(r"(?<![\w.])-?[0-9]{1,15}(?:,[0-9]{3})*(?:\.[0-9]{1,15})?")
_NAMES = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
_FENCE = re.compile(r"```(?:json)?[ \t]*\n?(.*?)\n?```", re.DOTALL | re.IGNORECASE)
_PATTERNS = {"quoted": re.compile(r'"[^"\n]+"'), "iso_date": re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")}


def passes(check: Check, output: str) -> bool:
    """Say whether an answer is right; an empty one never is. Raises `KeyError` for a kind that nobody knows."""
    test = KINDS[check["kind"]]
    return bool(output.strip()) and test(check, output[:_LOOKED_AT])


def _equals_any(check: Check, output: str) -> bool:
    """`values`: the whole answer is one of them, without regard to case, quotes and a closing mark."""
    return _bare(output) in {_bare(value) for value in check["values"]}


def _exact(check: Check, output: str) -> bool:
    """`values`: as `equals_any`, but in this very case."""
    return bool(output.strip(_EDGE) in check["values"])


def _contains_any(check: Check, output: str) -> bool:
    """`values`: at least one of these words or phrases occurs."""
    return any(_place(value, output) >= 0 for value in check["values"])


def _contains_all(check: Check, output: str) -> bool:
    """`values`: each of these words or phrases occurs."""
    return all(_place(value, output) >= 0 for value in check["values"])


def _contains_none(check: Check, output: str) -> bool:
    """`values`: none of these words or phrases occurs."""
    return not _contains_any(check, output)


def _only_one_of(check: Check, output: str) -> bool:
    """`value` occurs and none of the `others` does: naming every choice is no choice."""
    return _place(check["value"], output) >= 0 and not any(_place(other, output) >= 0 for other in check["others"])


def _in_order(check: Check, output: str) -> bool:
    """`values`: all occur, and first in this order."""
    places = [_place(value, output) for value in check["values"]]
    return places[0] >= 0 and all(one < after for one, after in pairwise(places))


def _number(check: Check, output: str) -> bool:
    """`value`: the last number that is not one of `ignore` (those that the question named), within `tolerance`."""
    ignored = {Decimal(number) for number in check.get("ignore", ())}
    found = [number for number in _numbers(output) if number not in ignored]
    within = Decimal(check.get("tolerance", "0"))
    return bool(found) and abs(found[-1] - Decimal(check["value"])) <= within


def _json_equals(check: Check, output: str) -> bool:
    """`value`: the whole answer is JSON that says the same."""
    parsed = _parsed(output)
    return parsed is not None and _same(parsed[0], check["value"])


def _json_keys(check: Check, output: str) -> bool:
    """`keys`: the whole answer is a JSON object with exactly these keys, none of them empty."""
    parsed = _parsed(output)
    value = parsed[0] if parsed else None
    return isinstance(value, dict) and set(value) == set(check["keys"]) and all(value.values())


def _lines(check: Check, output: str) -> bool:
    """`count`: so many lines that are not blank."""
    return bool(len(_filled(output)) == check["count"])


def _bullets(check: Check, output: str) -> bool:
    """`count`: nothing but so many lines that open with a hyphen, each of at most `most_words` words."""
    lines = _filled(output)
    fits = [line.startswith("-") and 0 < len(line[1:].split()) <= check["most_words"] for line in lines]
    return len(lines) == check["count"] and all(fits)


def _numbered(check: Check, output: str) -> bool:
    """`count`: nothing but so many lines that open with `1.`, `2.` ... and go on."""
    lines = _filled(output)
    fits = [line.startswith(f"{place}.") and len(line.split()) > 1 for place, line in enumerate(lines, start=1)]
    return len(lines) == check["count"] and all(fits)


def _words(check: Check, output: str) -> bool:
    """`least` and `most`: so many words, as white space parts them."""
    return bool(check["least"] <= len(output.split()) <= check["most"])


def _no_character(check: Check, output: str) -> bool:
    """`characters`: none of them occurs."""
    return not set(check["characters"]) & set(output)


def _lower_case(check: Check, output: str) -> bool:
    """There are letters, and no capital among them."""
    return output == output.lower() and output != output.upper()


def _upper_case(check: Check, output: str) -> bool:
    """There are letters, and all are capitals."""
    return output == output.upper() and output != output.lower()


def _starts_with(check: Check, output: str) -> bool:
    """`value`: the first word."""
    return _place(check["value"], output.lstrip()) == 0


def _ends_with(check: Check, output: str) -> bool:
    """`value`: the last word, whatever mark closes the sentence; or the last mark itself."""
    value = check["value"]
    if not value[-1].isalnum():
        return output.rstrip().endswith(value)
    return re.search(rf"(?<!\w){re.escape(_fold(value))}\Z", _fold(output).rstrip(f"{_EDGE}?")) is not None


def _pattern(check: Check, output: str) -> bool:
    """`name`: the whole answer has this form, one of `_PATTERNS`."""
    return _PATTERNS[check["name"]].fullmatch(output.strip()) is not None


def _every(check: Check, output: str) -> bool:
    """`of`: all these checks pass."""
    return all(passes(part, output) for part in check["of"])


KINDS: dict[str, Callable[[Check, str], bool]] = {
    "equals_any": _equals_any,
    "exact": _exact,
    "contains_any": _contains_any,
    "contains_all": _contains_all,
    "contains_none": _contains_none,
    "only_one_of": _only_one_of,
    "in_order": _in_order,
    "number": _number,
    "json_equals": _json_equals,
    "json_keys": _json_keys,
    "lines": _lines,
    "bullets": _bullets,
    "numbered": _numbered,
    "words": _words,
    "no_character": _no_character,
    "lower_case": _lower_case,
    "upper_case": _upper_case,
    "starts_with": _starts_with,
    "ends_with": _ends_with,
    "pattern": _pattern,
    "every": _every,
}
"""Kind of check -> how an answer is looked at; the docstring of each names its keys."""


def _fold(text: str) -> str:
    """Fold compatibility forms, case, white space and the shape of apostrophes and minus signs."""
    plain = unicodedata.normalize("NFKC", text).replace("\u2019", "'").replace("\u2212", "-")
    return " ".join(plain.casefold().split())


def _bare(text: str) -> str:
    return _fold(text).strip(_EDGE)


def _place(value: str, text: str) -> int:
    """Where a whole word or phrase first occurs in a text, or -1."""
    found = re.search(rf"(?<!\w){re.escape(_fold(value))}(?!\w)", _fold(text))
    return found.start() if found else -1


def _numbers(text: str) -> list[Decimal]:
    """All numbers in figures, in order; where there is none, those in words up to twelve."""
    folded = _fold(text)
    figures = [Decimal(number.replace(",", "")) for number in _NUMBER.findall(folded)]
    return figures or [Decimal(_NAMES.index(word)) for word in re.findall(r"\w+", folded) if word in _NAMES]


def _filled(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _parsed(text: str) -> tuple[Any] | None:
    """Read a whole answer as JSON, with or without a fence around it; None if it is not JSON."""
    fenced = _FENCE.fullmatch(text.strip())
    try:
        return (json.loads(fenced.group(1) if fenced else text),)
    except (ValueError, RecursionError):
        return None


def _same(one: Any, other: Any) -> bool:
    """Compare JSON values: texts without regard to case and closing marks, true never equals 1."""
    if isinstance(one, str) and isinstance(other, str):
        return _bare(one) == _bare(other)
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(_same(one[key], other[key]) for key in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)
