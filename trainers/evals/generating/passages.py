"""Reads what rows from documents are about: the passages of one collection of a workspace; it changes nothing there."""

from typing import Final

from knowledge.collections import Library
from knowledge.errors import UserError
from knowledge.places import own_place

MOST_PASSAGES: Final = 50
"""Passages of one document that are asked about."""


def passages_of(library: Library, workspace: str, collection: str) -> list[tuple[str, str]]:
    """Return titles and texts of a collection's passages; raises UserError where it has none."""
    place = own_place(workspace, collection)
    rows = library.documents(place.workspace, place.collection)
    found = [(each.title, each.text) for row in rows for each in library.passages(row, 0, MOST_PASSAGES)]
    if not found:
        raise UserError(f"There are no documents in {collection}.", "Add some, or choose another collection.")
    return found
