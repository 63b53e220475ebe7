"""Knows how a collection of documents is named and told from all others; it does not know what is in it."""

import hashlib
import re
from typing import NamedTuple

from knowledge.errors import UserError
from knowledge.tables import GUIDE_WORKSPACE

_COLLECTION = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_WORKSPACE = re.compile(r"[A-Za-z0-9]{1,40}")


class Place(NamedTuple):
    """One collection of one workspace: what is indexed together and never shares a file with another."""

    workspace: str
    """Slack's team id, that of the shell, or "" for the guide."""
    collection: str

    @property
    def digest(self) -> str:
        """Name in files and on servers that others can see: it tells neither workspace nor collection."""
        return hashlib.sha256(f"{self.workspace}/{self.collection}".encode()).hexdigest()[:24]


GUIDE = Place(GUIDE_WORKSPACE, "guide")
"""Where the shipped guide is."""


def own_place(workspace: str, collection: str) -> Place:
    """Return the place of a workspace's own documents; raise UserError for a name that cannot be one."""
    if not _WORKSPACE.fullmatch(workspace):
        raise UserError(f"{workspace!r} is no workspace.", "Give its id, such as T0NORTHWIND.")
    if not _COLLECTION.fullmatch(collection):
        raise UserError(
            f"{collection!r} cannot be the name of a collection.",
            "Use up to 40 small letters, digits, - and _, such as help-centre.",
        )
    if collection == GUIDE.collection:
        raise UserError('"guide" is the guide that comes with Luthier.', "Choose another name for your collection.")
    return Place(workspace, collection)
