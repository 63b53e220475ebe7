"""What goes over the wire: the JSON alias, Slack-shaped errors, tolerant readers. Knows no method and no state."""

import json
from collections.abc import Mapping
from typing import Any

Json = dict[str, Any]
DEEPEST = 200
"""Levels of nested JSON that are read; far more than blocks need, far less than the interpreter's own limit."""


class SlackError(Exception):
    """A refusal as Slack words it: `{"ok": false, "error": code, ...}`."""

    def __init__(self, code: str, *messages: str, **extra: Any) -> None:
        super().__init__(code)
        self.code = code
        """Slack's machine-readable name, such as `channel_not_found`."""
        self.messages = list(messages)
        """Reasons, each with a JSON pointer where there is one."""
        self.extra = extra
        """Further top-level keys of the answer."""

    def body(self) -> Json:
        """The answer that Slack would give."""
        body: Json = {"ok": False, "error": self.code, **self.extra}
        if self.messages:
            body["response_metadata"] = {"messages": [f"[ERROR] {message}" for message in self.messages]}
        if self.code == "invalid_blocks":
            body.setdefault("errors", self.messages)
        return body


class RateLimited(SlackError):
    """Too many calls; HTTP carries it as 429 with Retry-After."""

    def __init__(self, seconds: int) -> None:
        super().__init__("ratelimited")
        self.seconds = seconds
        """After how many seconds the same call may be made again."""


def missing(field: str) -> SlackError:
    """The error for a required argument that is not there."""
    return SlackError("invalid_arguments", f"missing required field: {field}")


class Args:
    """The arguments of one call. Forms carry JSON as strings and booleans as 0/1; JSON bodies carry both as such."""

    def __init__(self, values: Mapping[str, Any]) -> None:
        self.values = dict(values)
        """As received, without the token."""

    def text(self, name: str, default: str = "") -> str:
        """A string; numbers are taken as strings, as Slack does."""
        value = self.values.get(name)
        if value is None:
            return default
        return value if isinstance(value, str) else json.dumps(value)

    def need(self, name: str) -> str:
        """A string that must be there; an empty one is left to whoever looks it up, as Slack does."""
        if self.values.get(name) is None:
            raise missing(name)
        return self.text(name)

    def flag(self, name: str, default: bool = False) -> bool:
        """A boolean in any of the forms that Slack takes."""
        value = self.values.get(name)
        if value is None or value == "":
            return default
        return str(value).lower() in ("1", "true")

    def number(self, name: str, default: int, least: int, most: int) -> int:
        """A whole number; out of range is an error that names the range."""
        value = self.values.get(name)
        if value is None or value == "":
            return default
        try:
            number = int(value)
        except (TypeError, ValueError):
            raise SlackError("invalid_arguments", f"must be an integer [json-pointer:/{name}]") from None
        if not least <= number <= most:
            raise SlackError("invalid_arguments", f"must be between {least} and {most} [json-pointer:/{name}]")
        return number

    def parsed(self, name: str, error: str = "invalid_arguments") -> Any:
        """A JSON value that may arrive as a string; None where it is missing."""
        value = self.values.get(name)
        if not isinstance(value, str):
            return value
        if not value.strip():
            return None
        try:
            return parse_json(value)
        except ValueError:
            raise SlackError(error, f"must be valid JSON [json-pointer:/{name}]") from None

    def records(self, name: str, error: str = "invalid_arguments") -> list[Json] | None:
        """A list of objects, or None where it is missing."""
        value = self.parsed(name, error)
        if value is None:
            return None
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise SlackError(error, f"must be an array of objects [json-pointer:/{name}]")
        return value

    def record(self, name: str, error: str = "invalid_arguments") -> Json | None:
        """One object, or None where it is missing."""
        value = self.parsed(name, error)
        if value is not None and not isinstance(value, dict):
            raise SlackError(error, f"must be an object [json-pointer:/{name}]")
        return value

    def has(self, name: str) -> bool:
        """Whether the argument was given at all."""
        return self.values.get(name) is not None


def parse_json(text: str | bytes) -> Any:
    """Read JSON strictly: UTF-8, finite numbers, at most DEEPEST levels. Raises ValueError."""
    words = text.decode() if isinstance(text, bytes) else text
    try:
        value = json.loads(words, parse_constant=_no_number, parse_float=_finite)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    if words.count("[") + words.count("{") > DEEPEST:
        _check_depth(value)
    if "\\u" not in words:
        return value
    # JSON can spell half a character; it becomes U+FFFD, since neither SQLite nor HTTP can carry it.
    whole = json.dumps(value, ensure_ascii=False).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return json.loads(whole)


def _check_depth(value: Any) -> None:
    level, depth = [value], 0
    while level:
        depth += 1
        if depth > DEEPEST:
            raise ValueError("nested too deeply")
        lists = [each.values() if isinstance(each, dict) else each for each in level if isinstance(each, dict | list)]
        level = [inner for each in lists for inner in each]


def _no_number(name: str) -> None:
    raise ValueError(f"{name} is no JSON")


def _finite(digits: str) -> float:
    number = float(digits)
    if number in (float("inf"), float("-inf")):
        raise ValueError("a number is too large")
    return number
