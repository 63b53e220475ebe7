"""Knows the rows of passages: how pages become them, and which of them still lack a vector; it searches nothing."""

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Connection, Engine, delete, exists, func, insert, select, update

from knowledge.chunks import Chunk, chunk_page
from knowledge.places import GUIDE, Place
from knowledge.sources import Page
from knowledge.tables import DocumentRow, Passage
from knowledge.vectors import Entry

_rows = Passage.__table__  # type: ignore[attr-defined]  # SQLModel adds it at class creation
_AT_ONCE = 500
_SHARED = "~"
"""Opens the page's part of an id where all passages of the page are one result: those of one row of a JSONL file."""
_FACTS = tuple(column.name for column in _rows.columns if column.name not in ("id", "embedder"))


class Stored(NamedTuple):
    """What writing rows changed."""

    written: int
    """Passages that are new or other than before."""
    removed: int


class Unembedded(NamedTuple):
    """A passage without a vector."""

    id: str
    length: int
    """Characters of its text."""
    texts: int
    """What is embedded for it: itself and its questions."""


def guide_rows(pages: Sequence[Page], place: Place) -> dict[str, Passage]:
    """Return the rows of pages whose headings may be told, by id."""
    chunks = [chunk for page in pages for chunk in chunk_page(page)]
    rows = [
        _row(chunk, f"{place.workspace}/{place.collection}/{chunk.id}", position, place, "", chunk.id)
        for position, chunk in enumerate(chunks)
    ]
    return {row.id: row for row in rows}


def document_rows(
    pages: Sequence[Page], place: Place, document_id: str, name: str, *, keep_ids: bool
) -> dict[str, Passage]:
    """Return the rows of a document, by id; `keep_ids`: its pages are known by their slugs, however many parts each.

    Ids are made of hashes with the document's random id in them: indexes that hold ids tell no word of a text.
    """
    rows: dict[str, Passage] = {}
    for page in pages:
        for chunk in chunk_page(page):
            place_in_page = chunk.id.rpartition("#")[2]
            page_part = f"{_SHARED if keep_ids else ''}{_hashed(document_id, page.slug)}"
            key = f"{document_id}/{page_part}#{_hashed(document_id, place_in_page)}"
            within = f"{name}/{chunk.id}" if len(pages) > 1 else f"{name}#{place_in_page}"
            ref = page.slug if keep_ids else within
            rows[key] = _row(chunk, key, len(rows), place, document_id, ref)
    return rows


def of_guide(key: str) -> bool:
    """Say whether an id, of a passage or a question, belongs to the guide."""
    return key.startswith(f"{GUIDE.workspace}/{GUIDE.collection}/")


def result_of(key: str) -> str:
    """Return what a passage's id counts as in results: itself, or the row of a file that it is a part of."""
    return key.rpartition("#")[0] if f"/{_SHARED}" in key else key


def write(connection: Connection, rows: Mapping[str, Passage], place: Place, document_id: str = "") -> Stored:
    """Bring the table in line with `rows`, which are all of one document; only what changed is written."""
    mine = (_rows.c.workspace_id == place.workspace, _rows.c.collection == place.collection)
    there = {row.id: row for row in connection.execute(select(_rows).where(*mine, _rows.c.document_id == document_id))}
    _delete(connection, [key for key in there if key not in rows])
    new = [row.model_dump() for key, row in rows.items() if key not in there]
    for start in range(0, len(new), _AT_ONCE):
        connection.execute(insert(_rows), new[start : start + _AT_ONCE])
    changed = 0
    for key, old in there.items():
        if key in rows and (fresh := _difference(old, rows[key])):
            connection.execute(update(_rows).where(_rows.c.id == key).values(**fresh))
            changed += 1
    return Stored(len(new) + changed, sum(key not in rows for key in there))


def remove_of(connection: Connection, document_id: str) -> None:
    """Delete the passages of one document."""
    connection.execute(delete(_rows).where(_rows.c.document_id == document_id))


def of_document(engine: Engine, workspace: str, document_id: str, start: int, limit: int) -> list[Passage]:
    """Return passages of one document of a workspace in reading order, from number `start` on."""
    mine = (_rows.c.workspace_id == workspace, _rows.c.document_id == document_id)
    query = select(_rows).where(*mine).order_by(_rows.c.position).offset(start).limit(limit)
    with engine.execution_options(reading=True).connect() as connection:
        return [Passage(**row) for row in connection.execute(query).mappings()]


def marks(engine: Engine, place: Place) -> dict[str, str]:
    """Return the content hash of every passage of a place by its id."""
    query = select(_rows.c.id, _rows.c.content_hash).where(*_in(place)).order_by(_rows.c.id)
    with engine.execution_options(reading=True).connect() as connection:
        return {row.id: row.content_hash for row in connection.execute(query)}


def vector_marks(engine: Engine, place: Place) -> dict[str, str]:
    """Return the content hash by id of everything of a place that has a vector: passages and their questions."""
    known = marks(engine, place)
    asked = select(_rows.c.id, _rows.c.questions).where(*_in(place), _rows.c.questions != "")
    with engine.execution_options(reading=True).connect() as connection:
        for row in connection.execute(asked if place == GUIDE else asked.limit(0)):
            known |= dict.fromkeys(_question_ids(row.id, row.questions), known.get(row.id, ""))
    return known


def search_texts(engine: Engine, ids: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Yield id and words of those of some passages that are there."""
    query = select(_rows.c.id, _rows.c.search_text, _rows.c.questions)
    with engine.execution_options(reading=True).connect() as connection:
        for start in range(0, len(ids), _AT_ONCE):
            for row in connection.execute(query.where(_rows.c.id.in_(ids[start : start + _AT_ONCE]))):
                yield row.id, f"{row.search_text}\n{row.questions}"


def unembedded(engine: Engine, place: Place, model: str) -> list[Unembedded]:
    """Return the passages of a place that have no vector of `model`, longest first."""
    length = func.length(_rows.c.search_text)
    query = select(_rows.c.id, length, _rows.c.questions).where(*_in(place), _rows.c.embedder != model)
    with engine.execution_options(reading=True).connect() as connection:
        found = connection.execute(query.order_by(length.desc()))
        return [Unembedded(key, long, 1 + len(questions.splitlines())) for key, long, questions in found]


def entries(engine: Engine, ids: Sequence[str]) -> list[tuple[Entry, str]]:
    """Return what is embedded for some passages: each itself, then its questions."""
    query = select(_rows.c.id, _rows.c.document_id, _rows.c.content_hash, _rows.c.search_text, _rows.c.questions)
    with engine.execution_options(reading=True).connect() as connection:
        found = connection.execute(query.where(_rows.c.id.in_(ids))).all()
    return [pair for row in found for pair in _entries(row)]


def set_embedded(engine: Engine, embedded: Iterable[Entry], model: str) -> list[str]:
    """Note that `embedded` have a vector of `model`; return the ids whose passage is gone by now.

    A passage that changed meanwhile is not noted: its new text still needs a vector.
    """
    hashes = {passage_of(entry.id): entry.content_hash for entry in embedded}
    with engine.begin() as connection:
        query = select(_rows.c.id, _rows.c.content_hash).where(_rows.c.id.in_(list(hashes))).with_for_update()
        there = {row.id: row.content_hash for row in connection.execute(query)}
        same = [key for key, known in there.items() if known == hashes[key]]
        connection.execute(update(_rows).where(_rows.c.id.in_(same)).values(embedder=model))
    return [key for key in hashes if key not in there]


def forget_embedded(engine: Engine, ids: Iterable[str]) -> None:
    """Note that some passages have no vector after all."""
    lost = list(ids)
    with engine.begin() as connection:
        for start in range(0, len(lost), _AT_ONCE):
            part = lost[start : start + _AT_ONCE]
            connection.execute(update(_rows).where(_rows.c.id.in_(part)).values(embedder=""))


def passage_of(vector_id: str) -> str:
    """Return the passage of a vector: its own or that of a question that it answers."""
    return vector_id.partition("?")[0]


def all_embedded(model: str) -> ColumnElement[bool]:
    """Return the condition that every passage of a row of `document` has a vector of `model`."""
    lacking = exists().where(_rows.c.document_id == DocumentRow.id, _rows.c.embedder != model)
    return ~lacking


def _in(place: Place) -> tuple[ColumnElement[bool], ...]:
    return _rows.c.workspace_id == place.workspace, _rows.c.collection == place.collection


def _row(chunk: Chunk, key: str, position: int, place: Place, document_id: str, ref: str) -> Passage:
    return Passage(
        id=key,
        workspace_id=place.workspace,
        collection=place.collection,
        position=position,
        slug=chunk.slug,
        title=chunk.title,
        heading=chunk.heading,
        text=chunk.text,
        search_text=chunk.search_text,
        questions="\n".join(chunk.questions),
        updated=chunk.updated,
        content_hash=chunk.content_hash,
        embedder="",
        document_id=document_id,
        ref=ref,
    )


def _hashed(document_id: str, text: str) -> str:
    return hashlib.sha256(f"{document_id}/{text}".encode()).hexdigest()[:16]


def _difference(old: Any, new: Passage) -> dict[str, Any]:
    """Return the columns of `old` to change; a text that changed has no vector any more."""
    fresh = {name: getattr(new, name) for name in _FACTS if getattr(old, name) != getattr(new, name)}
    return fresh | {"embedder": ""} if "content_hash" in fresh else fresh


def _delete(connection: Connection, ids: Sequence[str]) -> None:
    for start in range(0, len(ids), _AT_ONCE):
        connection.execute(delete(_rows).where(_rows.c.id.in_(ids[start : start + _AT_ONCE])))


def _entries(row: Any) -> Iterator[tuple[Entry, str]]:
    yield Entry(row.id, row.document_id, row.content_hash), row.search_text
    for key, question in zip(_question_ids(row.id, row.questions), row.questions.splitlines(), strict=True):
        yield Entry(key, row.document_id, row.content_hash), question


def _question_ids(key: str, questions: str) -> list[str]:
    return [f"{key}?{number}" for number in range(len(questions.splitlines()))]
