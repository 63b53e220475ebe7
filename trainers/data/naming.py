"""Knows how data sets may be called, so that a name is never read as a version or an id; it knows no data set."""

import re

from knowledge.errors import UserError

NAME = 60
"""Characters of a name."""

VERSION = re.compile(r"^(?P<name>.+?)(?:\s+v|[@:])(?P<version>[0-9]{1,9})$")
"""How somebody asks for one version: `tickets v2`, `tickets@2`, `tickets:2`."""

ID = "ds_"
"""What every id begins with."""


def checked(name: str) -> str:
    """Return a name on one line; raises UserError for one that could be taken for a version or an id."""
    name = " ".join(name.split())
    if not name or len(name) > NAME or not name.isprintable():
        raise UserError(f"A name has 1 to {NAME} characters on one line.", "Choose another one.")
    if VERSION.match(name) or name.startswith(ID):
        what = f"{name!r} would be read as a version or an id of a data set, so the wrong one could be taken."
        raise UserError(what, f"Choose another name, such as {distinct(name)!r}.")
    return name


def distinct(name: str) -> str:
    """Return a name that is no version and no id, as near to one as can be: files are called as they are.

    >>> distinct("tickets v2"), distinct("tickets:2"), distinct("ds_sales"), distinct("tickets")
    ('tickets-v2', 'tickets-2', 'ds-sales', 'tickets')
    """
    while found := VERSION.match(name):
        between = "-v" if name[found.end("name") :].strip().startswith("v") else "-"
        name = f"{found['name']}{between}{found['version']}"
    return f"ds-{name.removeprefix(ID)}" if name.startswith(ID) else name
