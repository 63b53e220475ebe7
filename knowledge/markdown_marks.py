"""Knows the marks at which a line of Markdown begins; it does not know what is made of the lines."""

import re

_FENCE = re.compile(r"^\s*(```|~~~)")


def is_fence(line: str) -> bool:
    """Say whether a line opens or closes a block of code."""
    return bool(_FENCE.match(line))


def is_row(line: str) -> bool:
    """Say whether a line is a row of a table, or the rule under its header."""
    return line.lstrip().startswith("|")


def cells(row: str) -> list[str]:
    """Return the cells of a row, without white space around them."""
    return [cell.strip() for cell in row.strip().strip("|").split("|")]
