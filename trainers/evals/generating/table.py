"""Reads what training rows are composed of where no language model writes them."""

import tomllib
from functools import cache
from pathlib import Path
from typing import Any


@cache
def table() -> dict[str, Any]:
    """Return training.toml."""
    return tomllib.loads(Path(__file__).with_name("training.toml").read_text("utf-8"))


def most_rows() -> int:
    """Return how many rows are drafted at a time, whoever asks and however."""
    return int(table()["most_rows"])
