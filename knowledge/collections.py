"""A workspace's own documents: adding, listing and removing them; it does not know how files are read.

SQL comes first and holds each document's state, then keywords and vectors follow. Whatever is cut short, `settle`
finishes it: the next call for the collection, or `luthier index`.
"""

import uuid
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple, Protocol

from sqlalchemy import ColumnElement, Connection, Engine, select, update
from sqlmodel import Session

from knowledge import passages
from knowledge.errors import UserError
from knowledge.index import Index
from knowledge.indexing import Indexed, Progress
from knowledge.places import Place
from knowledge.rows import alone, scrub
from knowledge.sources import Page
from knowledge.tables import DocumentRow, Passage

ROWS_KIND = "jsonl"
"""The kind of documents whose pages are passages with ids of their own."""

_documents = DocumentRow.__table__  # type: ignore[attr-defined]  # SQLModel adds it at class creation


class Document(Protocol):
    """What a file was read into; `knowledge.documents` makes it."""

    @property
    def name(self) -> str:
        """File name, with folders where a folder was added."""

    @property
    def title(self) -> str:
        """What it is called in citations."""

    @property
    def sha256(self) -> str:
        """Hash of the file, lower-case hex."""

    @property
    def kind(self) -> str:
        """How it was read."""

    @property
    def pages(self) -> tuple[Page, ...]:
        """Its pages; each slug once."""

    @property
    def notes(self) -> tuple[str, ...]:
        """What could not be read."""


@dataclass(frozen=True, kw_only=True)
class Kept:
    """What became of a document that was handed in."""

    id: str
    """Of the document that holds the content now."""
    name: str
    """The name that it is kept under: that of the first file with this content."""
    outcome: Literal["added", "changed", "already there"]
    passages: int
    """Passages it has."""
    written: int
    """Of these, new or other than before."""
    replaces: str = ""
    """Who had added the version that this one replaces; empty where it replaces none."""


Within = Callable[[Connection, Kept], None]
"""Called in the transaction that keeps a document, with what becomes of it; what it raises undoes that."""

May = Callable[[Connection], bool]
"""Says in the transaction that takes a document away whether that is still wanted."""


class Library:
    """The documents of all workspaces; whoever calls names the workspace, and sees nothing of another."""

    def __init__(self, engine: Engine, index: Index) -> None:
        """Take the database and the index over it."""
        self._engine = engine
        self._index = index

    def add(
        self, document: Document, place: Place, *, size: int, by: str, now: datetime, progress: Progress | None = None
    ) -> Kept:
        """Keep a document and make it searchable; raise UserError where it says nothing."""
        kept = self.keep(document, place, size=size, by=by, now=now)
        self.settle(place, progress=progress)
        return kept

    def keep(
        self, document: Document, place: Place, *, size: int, by: str, now: datetime, within: Within | None = None
    ) -> Kept:
        """Keep a document in SQL, in one step; `settle` makes it searchable.

        The same content again changes nothing; other content under the same name replaces what is different.
        """
        draft = self._draft(document, place)
        with self._engine.begin() as connection:
            alone(connection, _turn(place))
            there = _named(connection, place, document.name)
            kept = _same(connection, place, document, there)
            if kept is None:
                if draft is None or draft.replaces != (there.id if there else ""):  # somebody was faster
                    draft = _drafted(document, place, there)
                kept = _keep(connection, place, document, there, draft, size=size, by=by, now=now)
            if within is not None:
                within(connection, kept)
            return kept

    def settle(self, place: Place, *, progress: Progress | None = None) -> Indexed:
        """Make searchable what is kept, and take away what was derived from documents that are going."""
        with self._index.alone(place):
            going, done = self._refresh(place, progress)
        return self._finish(place, going, done)

    def settle_next(self, place: Place) -> Indexed | None:
        """Do as `settle` does; where a call of this process waits to do that already, leave it to that one: None.

        So however much is removed while a job indexes a collection, one thread waits for it.
        """
        with self._index.next_alone(place) as ours:
            if not ours:
                return None
            going, done = self._refresh(place, None)
        return self._finish(place, going, done)

    def settle_all(self, *, progress: Progress | None = None) -> list[Indexed]:
        """Finish what was cut short anywhere, and index anew what another version or model indexed."""
        query = select(_documents.c.workspace_id, _documents.c.collection).distinct()
        with self._engine.execution_options(reading=True).connect() as connection:
            places = [Place(*row) for row in connection.execute(query)]
        return [self.settle(place, progress=progress) for place in places]

    def documents(self, workspace: str, collection: str | None = None) -> Sequence[DocumentRow]:
        """Return a workspace's documents, by collection and name; those that are going are gone."""
        query = select(DocumentRow).where(_documents.c.workspace_id == workspace, _documents.c.state != "removing")
        if collection is not None:
            query = query.where(_documents.c.collection == collection)
        with Session(self._engine.execution_options(reading=True), expire_on_commit=False) as session:
            return session.scalars(query.order_by(_documents.c.collection, _documents.c.name)).all()

    def find(self, workspace: str, document_id: str) -> DocumentRow | None:
        """Return a document of a workspace by its id; None where it is gone, going, or belongs to others."""
        return next((row for row in self.documents(workspace) if row.id == document_id), None)

    def passages(self, document: DocumentRow, start: int, limit: int) -> Sequence[Passage]:
        """Return passages of a document in reading order."""
        return passages.of_document(self._engine, document.workspace_id, document.id, start, limit)

    def take_away(
        self, workspace: str, document_id: str, *, sha256: str = "", may: May | None = None
    ) -> DocumentRow | None:
        """Take a document's texts and name away in one step; returns it as it was, None where it is gone.

        From then on nothing finds it. What was derived from it goes with the next `settle` of its place. With `sha256`
        it goes only while it holds that content, with `may` only where that says so in the same transaction.
        """
        found = self.find(workspace, document_id)
        if found is None:
            return None
        with self._engine.begin() as connection:
            alone(connection, _turn(Place(workspace, found.collection)))
            still = select(_documents.c.id).where(_documents.c.id == document_id, _documents.c.state != "removing")
            if sha256:
                still = still.where(_documents.c.sha256 == sha256)
            if connection.execute(still).first() is None or (may is not None and not may(connection)):
                return None
            _take_away(connection, [document_id])
        return found

    def remove(self, name: str, place: Place) -> Indexed:
        """Remove a document with all that was derived from it; raise UserError where there is none of that name."""
        with self._engine.begin() as connection:
            alone(connection, _turn(place))
            there = _named(connection, place, name)
            if there is None:
                raise UserError(
                    f"There is no document {name!r} in {place.collection}.", "`luthier knowledge list` names them."
                )
            _take_away(connection, [there.id])
        return self.settle(place)

    def remove_all(self, place: Place) -> int:
        """Remove a whole collection; return how many documents it had."""
        with self._engine.begin() as connection:
            alone(connection, _turn(place))
            query = select(_documents.c.id).where(*_in(place), _documents.c.state != "removing")
            ids = list(connection.execute(query).scalars())
            _take_away(connection, ids)
        self.settle(place)
        return len(ids)

    def _draft(self, document: Document, place: Place) -> "_Draft | None":
        """Cut a document into passages before any transaction: of a large one that takes longer than others wait."""
        with self._engine.execution_options(reading=True).connect() as connection:
            there = _named(connection, place, document.name)
            if _same(connection, place, document, there) is not None:
                return None
        return _drafted(document, place, there)

    def _refresh(self, place: Place, progress: Progress | None) -> tuple[list[str], Indexed]:
        """Index a place that is held; what is going is looked up only now, as others removed more while we waited."""
        going = self._ids(place, "removing")
        return going, self._index.refresh(place, gone=going, progress=progress)

    def _finish(self, place: Place, going: list[str], done: Indexed) -> Indexed:
        if not done.degraded:
            wiped = not going or scrub(self._engine)
            self._close(place, going if wiped else [])
        return done

    def _ids(self, place: Place, state: str) -> list[str]:
        query = select(_documents.c.id).where(*_in(place), _documents.c.state == state)
        with self._engine.execution_options(reading=True).connect() as connection:
            return list(connection.execute(query).scalars())

    def _close(self, place: Place, gone: Sequence[str]) -> None:
        """Call documents ready that are, and forget those that are gone."""
        embedded = passages.all_embedded(self._index.model)
        ready = update(_documents).where(*_in(place), _documents.c.state == "adding", embedded)
        with self._engine.begin() as connection:
            connection.execute(ready.values(state="ready"))
            connection.execute(_documents.delete().where(_documents.c.id.in_(gone)))


def _turn(place: Place) -> str:
    return f"documents of {place.workspace}/{place.collection}"


def _same(connection: Connection, place: Place, document: Document, there: Any) -> Kept | None:
    """Return what is there already where the content is: under the same name, or under another where that is free."""
    same = there if there and there.sha256 == document.sha256 else None
    if same is None and there is None:
        same = _with_content(connection, place, document.sha256)
    if same is None:
        return None
    return Kept(id=same.id, name=same.name, outcome="already there", passages=same.passages, written=0)


class _Draft(NamedTuple):
    """A document's passages, and what they were made for."""

    document_id: str
    replaces: str
    """Id of the version that was there; empty where there was none."""
    rows: dict[str, Passage]


def _drafted(document: Document, place: Place, there: Any) -> _Draft:
    document_id, of_rows = there.id if there else uuid.uuid4().hex, document.kind == ROWS_KIND
    rows = passages.document_rows(document.pages, place, document_id, document.name, keep_ids=of_rows)
    if not rows:
        raise UserError(f"{document.name} holds no text.", "Add a file with words in it.")
    return _Draft(document_id, there.id if there else "", rows)


def _keep(
    connection: Connection,
    place: Place,
    document: Document,
    there: Any,
    draft: _Draft,
    *,
    size: int,
    by: str,
    now: datetime,
) -> Kept:
    (document_id, _, rows), name, of_rows = draft, document.name, document.kind == ROWS_KIND
    stored = passages.write(connection, rows, place, document_id)
    count = len(document.pages) if of_rows else len(rows)
    _replace(connection, _row(document, place, document_id, size=size, by=by, now=now, count=count))
    outcome: Literal["added", "changed"] = "changed" if there else "added"
    owner = there.added_by if there else ""
    return Kept(id=document_id, name=name, outcome=outcome, passages=count, written=stored.written, replaces=owner)


def _in(place: Place) -> tuple[ColumnElement[bool], ...]:
    return _documents.c.workspace_id == place.workspace, _documents.c.collection == place.collection


def _named(connection: Connection, place: Place, name: str) -> Any:
    query = select(_documents).where(*_in(place), _documents.c.name == name, _documents.c.state != "removing")
    return connection.execute(query).one_or_none()


def _with_content(connection: Connection, place: Place, sha256: str) -> Any:
    query = select(_documents).where(*_in(place), _documents.c.sha256 == sha256, _documents.c.state != "removing")
    return connection.execute(query.order_by(_documents.c.name)).first()


def _row(
    document: Document, place: Place, document_id: str, *, size: int, by: str, now: datetime, count: int
) -> DocumentRow:
    return DocumentRow(
        id=document_id,
        workspace_id=place.workspace,
        collection=place.collection,
        name=document.name,
        title=document.title,
        kind=document.kind,
        sha256=document.sha256,
        bytes=size,
        passages=count,
        added_by=by,
        added_at=now,
        state="adding",
        note="\n".join(document.notes),
    )


def _replace(connection: Connection, row: DocumentRow) -> None:
    connection.execute(_documents.delete().where(_documents.c.id == row.id))
    connection.execute(_documents.insert().values(**row.model_dump()))


def _take_away(connection: Connection, ids: Sequence[str]) -> None:
    """Delete all texts of some documents, their names too; the rows stay until what was derived is gone as well."""
    for document_id in ids:
        passages.remove_of(connection, document_id)
        nameless = {"name": document_id, "title": "", "note": "", "sha256": "", "state": "removing"}
        connection.execute(update(_documents).where(_documents.c.id == document_id).values(**nameless))
