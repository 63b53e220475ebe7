"""Knows why each finding of the linter matters, in a few words; it does not know how findings are found."""

import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path

_FILE = Path(__file__).with_name("severity.toml")


@cache
def reasons() -> Mapping[str, str]:
    """Return by code why a finding matters: half a sentence."""
    table = tomllib.loads(_FILE.read_text("utf-8"))
    return {code: why for codes in table.values() for code, (_, why) in codes.items()}
