"""Knows how a workspace's documents look in a list, and one of them when it is read; not who may remove it."""

import json
from collections.abc import Sequence
from datetime import date
from typing import NamedTuple

from handlers.blocks.learn import OPEN
from handlers.blocks.parts import Block, actions, button, confirm, context, divider, modal, rich, run, section
from handlers.blocks.words import count, day, person
from handlers.escape import inert, mrkdwn, plain
from knowledge.reading import readable
from knowledge.tables import DocumentRow, Passage

READ, FORGET, PAGE, READ_ON, ALL = (
    "document_read",
    "document_forget",
    "documents_page",
    "document_page",
    "documents_all",
)
"""Action ids: open a document, remove it, turn a page of the list, turn a page of a document, open the list."""

LISTED, READABLE = 10, 5
"""Documents on a page of the list, passages on a page of a document."""

STATES = {"adding": "being indexed: found by words already", "ready": "ready"}

_PASSAGE = 2900
GONE = "That document is not here any more."


class GuideNote(NamedTuple):
    """What answers rest on beside a workspace's own documents."""

    pages: int
    newest: date


def sources_view(rows: Sequence[DocumentRow], guide: GuideNote, page: int = 0, note: str = "") -> Block:
    """Draw the list: the guide, then the workspace's documents, some on a page."""
    page = max(0, min(page, (len(rows) - 1) // LISTED)) if rows else 0
    shown = rows[page * LISTED : (page + 1) * LISTED]
    title = f"*The guide* · {count(guide.pages, 'page')} · last changed {guide.newest:%d %b %Y}"
    empty = "No documents of your own yet. Add some, and my answers use them beside the guide."
    blocks = [
        *([context(note)] if note else []),
        section(title),
        divider(),
        *([] if rows else [section(empty)]),
        *(block for row in shown for block in _entry(row, page)),
        *actions([*_turns(page, len(rows)), button("Add documents", OPEN, style="primary")]),
    ]
    return modal("Sources", blocks)


def document_view(row: DocumentRow, passages: Sequence[Passage], start: int) -> Block:
    """Draw a document as its passages read, some at a time."""
    turns = []
    if start > 0:
        turns.append(
            button("◀ Earlier", f"{READ_ON}:back", _place(row, max(0, start - READABLE)), spoken="Earlier passages")
        )
    if len(passages) == READABLE:
        turns.append(button("Further ▶", f"{READ_ON}:on", _place(row, start + READABLE), spoken="Further passages"))
    blocks = [
        section(f"*{inert(row.title or row.name, 300)}*", verbatim=True),
        context(_facts(row), verbatim=True),
        *([context(inert(row.note, 900), verbatim=True)] if row.note else []),
        divider(),
        *(block for passage in passages for block in _passage(row, passage)),
        *actions(turns),
    ]
    return modal("Document", blocks)


def read_at(passage: Passage) -> list[Block]:
    """Return the button that opens a team's document where a passage stands in it; nothing for the guide."""
    if not passage.document_id:
        return []
    start = passage.position // READABLE * READABLE
    return actions([button("Read on in the document", READ, json.dumps([passage.document_id, start]))])


def forget_button(row: DocumentRow, page: int = -1) -> Block:
    """Return the button that removes a document after asking once more; `page` is that of the list it stands in."""
    text = f"{plain(row.name, 100)}: {count(row.passages, 'passage')} in {row.collection}. This cannot be undone."
    dialog = confirm("Remove this document?", text, "Remove it", "Keep it", danger=True)
    return button("Forget", FORGET, json.dumps([row.id, page]), confirm=dialog, spoken=f"Forget {plain(row.name, 60)}")


def forget_blocks(rows: Sequence[DocumentRow]) -> list[Block]:
    """Ask which of the documents of one name is meant, and whether it is to go."""
    blocks = []
    for row in rows[:LISTED]:
        blocks += [section(_head(row), verbatim=True), *actions([forget_button(row)], block_id=f"forget-{row.id}")]
    return blocks


def forgotten_text(row: DocumentRow) -> str:
    """Say what was removed."""
    what = f"*{mrkdwn(row.name, 150)}* is removed from *{row.collection}*: {count(row.passages, 'passage')}"
    return f"{what}. No answer uses it any more; its keywords, vectors and last traces in the database go right after."


def _entry(row: DocumentRow, page: int) -> list[Block]:
    opens = button("Read", READ, _place(row, 0), spoken=f"Read {plain(row.name, 60)}")
    return [
        section(_head(row), verbatim=True),
        *actions([opens, forget_button(row, page)], block_id=f"document-{row.id}"),
    ]


def _head(row: DocumentRow) -> str:
    notes = f"\n_{count(len(row.note.splitlines()), 'remark')}: {mrkdwn(row.note, 300)}_" if row.note else ""
    return f"*{mrkdwn(row.name, 150)}*\n{_facts(row)}{notes}"


def _facts(row: DocumentRow) -> str:
    added = f"added {day(row.added_at.isoformat())} by {person(row.added_by)}" if row.added_at else ""
    parts = (row.collection, row.kind, count(row.passages, "passage"), added, STATES.get(row.state, row.state))
    return " · ".join(filter(None, parts))


def _passage(row: DocumentRow, passage: Passage) -> list[Block]:
    title = passage.title if passage.title != row.title else ""
    path = " › ".join(filter(None, (title, *passage.heading.split(" > "))))
    head = [context(f"{inert(path, 300)} · {day(passage.updated.isoformat())}".removeprefix(" · "), verbatim=True)]
    text = plain(readable(passage.text), _PASSAGE)
    return [*head, *([rich([run(text)])] if text else [])]


def _place(row: DocumentRow, start: int) -> str:
    return json.dumps([row.id, start])


def _turns(page: int, known: int) -> list[Block]:
    turns = [button("◀ Earlier", f"{PAGE}:back", str(page - 1), spoken="Earlier documents")] if page else []
    if (page + 1) * LISTED < known:
        turns.append(button("Further ▶", f"{PAGE}:on", str(page + 1), spoken="Further documents"))
    return turns
