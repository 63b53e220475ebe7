"""The emoji that Slack knows by name. Knows names and code points, not where they stand."""

import json
import re
from functools import cache
from pathlib import Path

NAME = re.compile(r"([\w+'-]{1,100})(::skin-tone-[2-6])?")


@cache
def categories() -> dict[str, dict[str, str]]:
    """Code points by name in each category, such as `eyes` -> `1f440`."""
    table: dict[str, dict[str, str]] = json.loads(Path(__file__).with_name("emoji.json").read_text("utf-8"))[
        "categories"
    ]
    return table


@cache
def code_points() -> dict[str, str]:
    """Code points by name, hyphens between them."""
    return {name: points for names in categories().values() for name, points in names.items()}


def is_known(name: str) -> bool:
    """Whether this is an emoji, with or without a tone of skin."""
    found = NAME.fullmatch(name)
    return found is not None and found.group(1) in code_points()
