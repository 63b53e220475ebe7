"""When an answer counts as right and a sentence as supported; it does not know how that is found out."""

import tomllib
from functools import cache
from pathlib import Path


@cache
def limit(name: str) -> float:
    """Return one figure of limits.toml."""
    return float(tomllib.loads(Path(__file__).with_name("limits.toml").read_text("utf-8"))[name])
