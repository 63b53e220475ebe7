"""Small checks that combine into Slack's JSON schemas and word problems as Slack does. Knows no block by name."""

from collections.abc import Callable, Iterator, Mapping
from urllib.parse import urlsplit

Check = Callable[[object, str], Iterator[str]]
"""Takes a value and its JSON pointer; yields what is wrong with it."""


def problem(text: str, pointer: str) -> str:
    """One reason in Slack's words."""
    return f"{text} [json-pointer:{pointer}]"


def anything(value: object, pointer: str) -> Iterator[str]:
    """Accept every value."""
    yield from ()


def string(most: int = 0, least: int = 1) -> Check:
    """A string of `least` to `most` characters; 0 means no limit."""

    def check(value: object, pointer: str) -> Iterator[str]:
        if not isinstance(value, str):
            yield problem("must provide a string", pointer)
        elif len(value) < least:
            yield problem(f"must be more than {least - 1} characters", pointer)
        elif most and len(value) > most:
            yield problem(f"must be less than {most + 1} characters", pointer)

    return check


def url(most: int) -> Check:
    """An http or https address."""

    def check(value: object, pointer: str) -> Iterator[str]:
        yield from string(most)(value, pointer)
        if isinstance(value, str) and value and not _is_url(value):
            yield problem("must be a valid URL", pointer)

    return check


def boolean(value: object, pointer: str) -> Iterator[str]:
    """True or false."""
    if not isinstance(value, bool):
        yield problem("must provide a boolean", pointer)


def integer(least: int, most: int) -> Check:
    """A whole number within a range."""

    def check(value: object, pointer: str) -> Iterator[str]:
        if isinstance(value, bool) or not isinstance(value, int):
            yield problem("must provide an integer", pointer)
        elif not least <= value <= most:
            yield problem(f"must be between {least} and {most}", pointer)

    return check


def choice(*allowed: str) -> Check:
    """One of a few words."""

    def check(value: object, pointer: str) -> Iterator[str]:
        if value not in allowed:
            yield problem(f"must be one of: {', '.join(allowed)}", pointer)

    return check


def items(check_item: Check, most: int = 0, least: int = 1) -> Check:
    """A list of `least` to `most` things of one kind; 0 means no limit."""

    def check(value: object, pointer: str) -> Iterator[str]:
        if not isinstance(value, list):
            yield problem("must provide an array", pointer)
            return
        if len(value) < least:
            yield problem(f"must provide at least {least} items", pointer)
        if most and len(value) > most:
            yield problem(f"no more than {most} items allowed", pointer)
        for place, item in enumerate(value):
            yield from check_item(item, f"{pointer}/{place}")

    return check


def record(required: Mapping[str, Check], optional: Mapping[str, Check], *, is_open: bool = False) -> Check:
    """An object with known fields; `is_open` lets others pass."""
    known = {**required, **optional}

    def check(value: object, pointer: str) -> Iterator[str]:
        if not isinstance(value, dict):
            yield problem("must provide an object", pointer)
            return
        for name in required:
            if name not in value:
                yield problem(f"missing required field: {name}", pointer)
        for name, part in value.items():
            if name in known:
                yield from known[name](part, f"{pointer}/{name}")
            elif not is_open and name != "type":
                yield problem(f"invalid additional property: {name}", pointer)

    return check


def typed(kinds: Callable[[], Mapping[str, Check]]) -> Check:
    """An object whose `type` chooses its check; the table is asked for late so that kinds may nest."""

    def check(value: object, pointer: str) -> Iterator[str]:
        if not isinstance(value, dict):
            yield problem("must provide an object", pointer)
        elif "type" not in value:
            yield problem("missing required field: type", pointer)
        elif not isinstance(value["type"], str) or value["type"] not in kinds():
            yield problem(f"unsupported type: {value['type']}", f"{pointer}/type")
        else:
            yield from kinds()[value["type"]](value, pointer)

    return check


def both(first: Check, *others: Check) -> Check:
    """All checks, one after another."""

    def check(value: object, pointer: str) -> Iterator[str]:
        yield from first(value, pointer)
        for other in others:
            yield from other(value, pointer)

    return check


def one_of(*names: str) -> Check:
    """An object that has at least one of these fields."""
    quoted = " or ".join(f"`{name}`" for name in names)

    def check(value: object, pointer: str) -> Iterator[str]:
        if isinstance(value, dict) and not any(value.get(name) for name in names):
            yield problem(f"must define either {quoted}", pointer)

    return check


def _is_url(value: str) -> bool:
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    return parts.scheme in ("http", "https", "mailto", "slack") and bool(parts.netloc or parts.path)
