"""Reads the dated table of Slack's limits. Knows their names, not what they are used for."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any


@cache
def limits() -> dict[str, dict[str, Any]]:
    """All tables of `limits.toml`, by name."""
    return tomllib.loads(Path(__file__).with_name("limits.toml").read_text("utf-8"))


def limit(name: str) -> int:
    """One limit, such as `limit("section_text")` of a block as `limit("block.section_text")`."""
    table, key = name.split(".")
    value = limits()[table][key]
    if not isinstance(value, int):
        raise TypeError(f"{name} is not one whole number")
    return value


def retry_delays() -> tuple[float, ...]:
    """Seconds to wait before each retry of an event."""
    return tuple(float(wait) for wait in limits()["events"]["retry_seconds"])
