"""Turns reasons against blocks into the objects that blocks.validate gives. Knows words, not how they came about."""

import re
from collections.abc import Callable
from typing import Any

from bot.console.wire import Json

# Codes and constraints are those of github.com/slackhq/hack-json-schema, src/Exceptions.php; the shape is that of
# docs.slack.dev/reference/methods/blocks.validate.
REASON = re.compile(r"(?s)(?P<message>.*) \[json-pointer:(?P<pointer>[^\]]*)\]")


def issues(problems: list[str], root: str = "/blocks") -> list[Json]:
    """Each reason as `{code, message, pointer, constraint | field}`; pointers start below `root`."""
    return [_issue(text, root) for text in problems]


def _issue(text: str, root: str) -> Json:
    found = REASON.fullmatch(text)
    message, pointer = (found["message"], found["pointer"]) if found else (text, "")
    pointer = "/" + pointer.removeprefix("/") if pointer else ""
    return {**_kind(message), "message": message, "pointer": pointer.removeprefix(root)}


def _kind(message: str) -> Json:
    if message.startswith("missing required field: "):
        return {"code": "missing_field", "field": message.partition(": ")[2]}
    for pattern, constraint in CONSTRAINTS:
        found = re.fullmatch(pattern, message)
        if found:
            return {"code": "failed_constraint", "constraint": constraint(*found.groups())}
    if message.startswith(("must provide a", "must be a boolean")):
        return {"code": "invalid_type"}
    return {"code": "failed_constraint"}


def _expects(kind: str, offset: int = 0) -> Callable[[str], Json]:
    return lambda number: {"type": kind, "expected": int(number) + offset}


def _got(kind: str) -> Callable[[str], Json]:
    return lambda value: {"type": kind, "got": value}


def _bare(kind: str) -> Callable[..., Json]:
    return lambda *_: {"type": kind}


CONSTRAINTS: list[tuple[str, Callable[..., dict[str, Any]]]] = [
    (r"no more than (\d+) items allowed", _expects("max_items")),
    (r"must provide at least (\d+) items", _expects("min_items")),
    (r"must be less than (\d+) characters", _expects("max_length", -1)),
    (r"must be more than (\d+) characters", _expects("min_length", 1)),
    (r"must be less than (-?\d+)", _expects("maximum")),
    (r"must be greater than (-?\d+)", _expects("minimum")),
    (r"must have minimum (\d+) properties", _expects("min_properties")),
    (r"(?s)unsupported type: (.*)", _got("enum")),
    (r"must be a valid enum value", _bare("enum")),
    (r"(?s)invalid additional property: (.*)", _got("additional_properties")),
    (r"(?s)input must match regex pattern: (.*)", _bare("pattern")),
    (r"failed to match all allowed schemas", _bare("all_of")),
    (r"failed to match any allowed schemas", _bare("any_of")),
]
