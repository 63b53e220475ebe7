"""Writes found passages into a prompt so that none can pose as another; it does not know what is asked of them."""

import html
from collections.abc import Sequence

from knowledge.index import Hit
from knowledge.tables import Passage


def numbered(hits: Sequence[Hit], characters: int | None = None) -> str:
    """Return `<passage>` elements numbered from 1, each text cut after `characters`.

    Angle brackets are escaped, so that no passage can close its own tag.
    """
    return "\n\n".join(
        f'<passage n="{n}" title="{html.escape(_path(hit.passage))}" '
        f'updated="{hit.passage.updated.isoformat()}">\n{html.escape(hit.passage.text[:characters], quote=False)}\n'
        "</passage>"
        for n, hit in enumerate(hits, start=1)
    )


def _path(passage: Passage) -> str:
    return " > ".join(part for part in (passage.title, passage.heading) if part)
