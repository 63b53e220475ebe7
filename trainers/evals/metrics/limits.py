"""Which thresholds the metrics use, from limits.toml; it does not apply them."""

import tomllib
from functools import cache
from pathlib import Path


@cache
def limits(name: str) -> dict[str, int]:
    """Return the whole numbers of one section of limits.toml; raises KeyError for a section that is not there."""
    section = tomllib.loads(Path(__file__).with_name("limits.toml").read_text("utf-8"))[name]
    return {key: value for key, value in section.items() if isinstance(value, int)}
