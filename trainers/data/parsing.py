"""How one line of JSON is parsed strictly, and what its errors are called; it does not know what a row is.

`json.loads` accepts NaN, keeps the last of two equal keys, guesses UTF-16 and recurses as deep as it is told;
none of that is wanted from a stranger's file.
"""

import json
import math
import re
from collections.abc import Iterator
from typing import NoReturn

from trainers.data.limits import ReadLimits

FIXES: dict[str, str] = {
    "invalid_json": "Write one complete JSON object per line and give the file again.",
    "not_utf8": "Save the file as UTF-8.",
    "not_a_number": "Write null or a number; JSON has no NaN and no Infinity.",
    "number_too_long": "Write long digit strings as text, in quotes.",
    "duplicate_key": "Keep one of the two; which one counts would be a guess.",
    "too_deep": "Write each row as an object with a list of messages.",
    "nul_character": "Remove it; databases refuse such text.",
    "lone_surrogate": "Remove the broken character (often half an emoji).",
    "line_too_long": "Shorten the row; a model could not read it whole.",
    "not_an_object": 'Write each row as {"messages": [...]} on its own line.',
    "no_messages": 'Write each row as {"messages": [{"role": "user", "content": "..."}, {"role": "assistant", ...}]}.',
    "bad_message": 'Write each message as {"role": "...", "content": "..."}, and tools and their calls as OpenAI does.',
    "invalid_table": "Save the table again as CSV in UTF-8: cells with commas or line breaks in quotation marks.",
    "no_columns": "Name the columns in the first row, such as prompt and completion, or question and answer.",
    "mixed_formats": "Write all rows in one format.",
    "no_value": "Open the file in its program, paste the formulas as values, save it and try again.",
    "unknown_role": "Give each message a role that the target knows; in Vertex's format the assistant is called model.",
    "preference_form": "Put all turns before the two answers into the prompt; each answer is one assistant message.",
    "last_not_assistant": "Write both answers of a pair as one message each, role assistant.",
    "empty_target": "Write the ideal answer, or drop the row.",
    "format_mismatch": "Choose another target, or leave this out.",
    "no_trainable_tokens": "Give at least one answer of the row a weight of 1.",
    "not_text": "Write the content as one text; pictures, where they are read, as OpenAI does.",
}

# Strings are skipped whole; one that is never closed runs to the end, which keeps the scan linear.
_STRING = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)', re.DOTALL)
_OPENERS, _CLOSERS = b"[{", b"]}"
_PYTHON_WORDS = ("None", "True", "False")
_REASONS = {
    "Extra data": "more than one JSON value",
    "Unterminated string starting at": "a text that is never closed; a line break inside a text is written \\n",
    "Expecting ',' delimiter": "a missing comma, or a quotation mark inside a text without a backslash",
    "Expecting ':' delimiter": "a key without a colon after it",
    "Invalid control character at": "a raw control character such as a tab inside a text",
    "Invalid \\escape": "a backslash that escapes nothing",
    "Invalid \\uXXXX escape": "a broken \\u escape",
}


class Refusal(Exception):
    """A line that is not taken, with a code, a reason that follows "Line 17 has", and a place in the line."""

    def __init__(self, code: str, reason: str, place: int | None = None) -> None:
        """Take the finding's code, a noun phrase without content, and the 0-based character if known."""
        super().__init__(code)
        self.code, self.reason, self.place = code, reason, place


def parse_object(raw: bytes, limits: ReadLimits) -> dict[str, object]:
    """Parse one line as a strict JSON object; raises `Refusal` for everything else."""
    value = parse_value(raw, limits)
    if not isinstance(value, dict):
        raise Refusal("not_an_object", f"{_kind(value)} where a JSON object is expected")
    return value


def parse_value(raw: bytes, limits: ReadLimits) -> object:
    """Parse a text as one strict JSON value of any kind, in linear time; raises `Refusal` for everything else."""
    if len(raw) > limits.line_bytes:
        raise Refusal("line_too_long", f"more than {limits.line_bytes // 1024:,} KiB")
    if b"\x00" in raw:
        raise Refusal("nul_character", "a NUL character", raw.index(b"\x00"))
    if _deeper_than(raw, limits.depth):
        raise Refusal("too_deep", f"more than {limits.depth} levels of brackets")
    value = _decode(raw)
    if b"\\u" in raw:
        _refuse_broken_text(value)
    return value


def lenient_object(raw: bytes) -> object:
    """Parse JSON whose texts may hold raw tabs and line breaks; raises ValueError, RecursionError or `Refusal`."""
    return _LENIENT.decode(raw.decode("utf-8", "strict"))


def _deeper_than(raw: bytes, depth: int) -> bool:
    if raw.count(b"{") + raw.count(b"[") <= depth:
        return False
    level = 0
    for byte in _STRING.sub(b"", raw):
        if byte in _OPENERS:
            level += 1
            if level > depth:
                return True
        elif byte in _CLOSERS:
            level -= 1
    return False


def _decode(raw: bytes) -> object:
    try:
        text = raw.decode("utf-8", "strict")
        return _DECODER.decode(text)
    except UnicodeDecodeError as error:
        raise Refusal("not_utf8", "bytes that are not UTF-8", error.start) from None
    except json.JSONDecodeError as error:
        raise Refusal("invalid_json", _plain_reason(error), error.pos) from None
    except RecursionError:
        raise Refusal("too_deep", "too many levels of brackets") from None
    except ValueError:  # Python refuses to read integers of more than 4,300 digits
        raise Refusal("number_too_long", "a number with thousands of digits") from None


def _unique_keys(pairs: list[tuple[str, object]]) -> dict[str, object]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise Refusal("duplicate_key", "the same key twice in one object")
    return value


def _refuse_constant(_: str) -> NoReturn:
    raise Refusal("not_a_number", "NaN or Infinity")


def _finite(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise Refusal("not_a_number", "a number too large to hold")
    return number


_DECODER = json.JSONDecoder(object_pairs_hook=_unique_keys, parse_constant=_refuse_constant, parse_float=_finite)
_LENIENT = json.JSONDecoder(
    object_pairs_hook=_unique_keys, parse_constant=_refuse_constant, parse_float=_finite, strict=False
)


def _plain_reason(error: json.JSONDecodeError) -> str:
    """Say in plain words what the parser met; the parser's own words are for programmers."""
    rest = error.doc[error.pos :].lstrip()
    before = error.doc[: error.pos].rstrip()
    if error.doc.startswith("\ufeff"):
        return "a byte order mark at its start, as if two files were joined"
    if not rest:
        return "an end before the JSON is complete; one row must stand on one line"
    if before.endswith(",") and rest[0] in "]}":
        return "a comma after the last item"
    if rest[0] == "'":
        return "single quotes; JSON wants double quotes"
    if rest.startswith(_PYTHON_WORDS):
        return "a Python word; JSON writes null, true and false"
    return _REASONS.get(error.msg, "something that is not JSON")


def _kind(value: object) -> str:
    if isinstance(value, list):
        return "a JSON list"
    return "a text" if isinstance(value, str) else "a single value"


def _refuse_broken_text(value: object) -> None:
    for text in texts_of(value):
        if "\x00" in text:
            raise Refusal("nul_character", "a NUL character")
        try:
            text.encode("utf-8")
        except UnicodeEncodeError:
            raise Refusal("lone_surrogate", "half of a surrogate pair") from None


def texts_of(value: object) -> Iterator[str]:
    """Yield every text inside a JSON value, keys included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for item in value:
            yield from texts_of(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            yield key
            yield from texts_of(item)
