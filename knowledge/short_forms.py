"""Spells out the short forms of chat ("abt", "w/o", "ppl"), so that words and vectors see what is meant."""

import re
import tomllib
from pathlib import Path

_MEANS: dict[str, str] = tomllib.loads(Path(__file__).with_name("short_forms.toml").read_text(encoding="utf-8"))[
    "means"
]
# A word, perhaps with a digit or a slash in it as in "b4" and "w/o"; never part of an address or a longer word.
_TOKEN = re.compile(r"(?<![\w/.@-])(?:w/o?|[a-z]+\d?)(?![\w/@-])")


def spelled_out(text: str) -> str:
    """Return `text` with its short forms in full; anything with a capital in it stays, it may be a name."""
    return _TOKEN.sub(lambda match: _MEANS.get(match[0], match[0]), text)
