"""Small checks that combine into Slack's JSON schemas and word problems as Slack does. Knows no block by name."""

import math
import re
from collections.abc import Callable, Iterator, Mapping

# The words are those of Slack's own validator generator, published as github.com/slackhq/hack-json-schema,
# and of recorded answers; `test_words_problems_as_slack_does` lists them.

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


def pattern(regex: str) -> Check:
    """A string of one form."""

    def check(value: object, pointer: str) -> Iterator[str]:
        if not isinstance(value, str):
            yield problem("must provide a string", pointer)
        elif not re.fullmatch(regex, value):
            yield problem(f"input must match regex pattern: {regex}", pointer)

    return check


def url(most: int) -> Check:
    """An absolute address that runs no script."""

    def check(value: object, pointer: str) -> Iterator[str]:
        problems = list(string(most)(value, pointer))
        yield from problems
        if not problems and not is_address(str(value)):
            yield problem("invalid url", pointer)

    return check


def is_address(value: str) -> bool:
    """Whether Slack would take this as the target of a link."""
    return bool(ADDRESS.fullmatch(value.strip())) and not UNSAFE.match(value.strip())


ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S+")
UNSAFE = re.compile(r"(?i)(javascript|data|vbscript|file|blob|about):")


def boolean(value: object, pointer: str) -> Iterator[str]:
    """True or false."""
    if not isinstance(value, bool):
        yield problem("must be a boolean", pointer)


def integer(least: int, most: int | None = None) -> Check:
    """A whole number within a range; None means no upper bound."""

    def check(value: object, pointer: str) -> Iterator[str]:
        if isinstance(value, bool) or not isinstance(value, int):
            yield problem("must provide an integer", pointer)
        elif value < least:
            yield problem(f"must be greater than {least}", pointer)
        elif most is not None and value > most:
            yield problem(f"must be less than {most}", pointer)

    return check


def number(value: object, pointer: str) -> Iterator[str]:
    """Any finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        yield problem("must provide a number", pointer)


def choice(*allowed: str) -> Check:
    """One of a few words."""

    def check(value: object, pointer: str) -> Iterator[str]:
        if not isinstance(value, str):
            yield problem("must provide a string", pointer)
        elif value not in allowed:
            yield problem("must be a valid enum value", pointer)

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
            return
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


def typed(kinds: Callable[[], Mapping[str, Check]], default: str | None = None) -> Check:
    """An object whose `type` chooses its check; the table is asked for late so that kinds may nest."""

    def check(value: object, pointer: str) -> Iterator[str]:
        if not isinstance(value, dict):
            yield problem("must provide an object", pointer)
            return
        kind = value.get("type", default)
        if kind is None and "type" not in value:
            yield problem("missing required field: type", pointer)
        elif not isinstance(kind, str):
            yield problem("must provide a string", f"{pointer}/type")
        elif kind not in kinds():
            yield problem(f"unsupported type: {kind}", f"{pointer}/type")
        else:
            yield from kinds()[kind](value, pointer)

    return check


def both(first: Check, *others: Check) -> Check:
    """All checks, one after another."""

    def check(value: object, pointer: str) -> Iterator[str]:
        yield from first(value, pointer)
        for other in others:
            yield from other(value, pointer)

    return check


def all_of(first: Check, *others: Check) -> Check:
    """What Slack words as several schemas at once: any problem is announced by one about all of them."""

    def check(value: object, pointer: str) -> Iterator[str]:
        problems = list(both(first, *others)(value, pointer))
        if problems:
            yield problem("failed to match all allowed schemas", pointer)
            yield from problems

    return check


def one_of(*names: str) -> Check:
    """An object that has at least one of these fields."""
    quoted = " or ".join(f"`{name}`" for name in names)

    def check(value: object, pointer: str) -> Iterator[str]:
        if isinstance(value, dict) and not any(value.get(name) for name in names):
            yield problem(f"must define either {quoted}", pointer)

    return check


def not_both(first: str, second: str) -> Check:
    """An object that may have one of these fields, not both."""

    def check(value: object, pointer: str) -> Iterator[str]:
        if isinstance(value, dict) and value.get(first) and value.get(second):
            yield problem(f"must define only one of `{first}` or `{second}`", pointer)

    return check
