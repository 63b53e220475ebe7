"""Finds passages by keywords and vectors, fused by score; it knows where each part is kept, not how answers read."""

import fcntl
import hashlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Engine
from sqlmodel import Session, col, select

from knowledge.chunks import Chunk, chunk_page
from knowledge.embeddings import Embedder, Vectors
from knowledge.errors import ServiceError
from knowledge.fusion import fuse
from knowledge.keywords import ANALYSIS, KeywordIndex, Rarity, terms
from knowledge.rows import alone
from knowledge.short_forms import spelled_out
from knowledge.sources import Page
from knowledge.tables import GUIDE_WORKSPACE, Passage
from knowledge.vectors import ChromaVectors, Entry, Near, VectorsUnavailable

Progress = Callable[[int, int], None]
"""Called with texts embedded so far and texts to embed."""

_DEPTH = 100
"""How many results of each search take part in the fusion."""
_BATCH = 64
_LOCK_SECONDS = 300.0


@dataclass(frozen=True, kw_only=True)
class Hit:
    """One passage found."""

    passage: Passage
    """The passage, loose from any database session."""
    score: float
    """Fused score; it orders hits of one search and means nothing between searches."""
    dense_rank: int | None
    """Place by vector, from 1; None if it was not among the nearest."""
    keyword_rank: int | None
    """Place by keywords, from 1; None if it shares no word with the question."""
    cosine: float | None
    """Cosine between the question and the passage (or a question that it answers); None as for dense_rank."""


@dataclass(frozen=True, kw_only=True)
class Found:
    """What a search gave."""

    hits: tuple[Hit, ...]
    """Best first, at most k."""
    rarities: tuple[Rarity, ...]
    """The question's different terms and how rare each is."""
    degraded: str = ""
    """Why only a part of the search ran, as a sentence; empty when all of it did."""


@dataclass(frozen=True, kw_only=True)
class BuildReport:
    """What a build did."""

    passages: int
    """Passages in the collection now."""
    embedded: int
    """Texts turned into vectors: passages and their questions that were new, changed or lost."""
    removed: int
    """Passages that the pages no longer have."""
    seconds: float
    """Wall time."""
    degraded: str = ""
    """Why vectors are missing, as a sentence; empty when all is indexed."""


class Index:
    """The searchable passages of one installation; safe to share by threads, cheap to make, opened at first use."""

    def __init__(self, engine: Engine, vectors: ChromaVectors, keywords: KeywordIndex, embedder: Embedder) -> None:
        """Take the parts; `Index.open` makes them from addresses."""
        self._engine = engine
        self._vectors = vectors
        self._keywords = keywords
        self._embedder = embedder
        self._lock_file = keywords.folder / "build.lock"

    @classmethod
    def open(cls, *, engine: Engine, chroma_url: str, embedder: Embedder, data_dir: Path) -> "Index":
        """Return the index over `engine` (table `passage`), the Chroma server and `data_dir/keywords`."""
        vectors = ChromaVectors(chroma_url, f"passages-{embedder.name}")
        return cls(engine, vectors, KeywordIndex(data_dir / "keywords"), embedder)

    def built(self) -> bool:
        """Say whether there is anything to search: False until the first build has written its keywords."""
        return bool(self._keywords.generation())

    def close(self) -> None:
        """Close the connections to the vector server; a later call opens them again."""
        self._vectors.close()

    def build(
        self,
        pages: Sequence[Page],
        *,
        progress: Progress | None = None,
        workspace: str = GUIDE_WORKSPACE,
        collection: str = "guide",
    ) -> BuildReport:
        """Make the collection hold exactly `pages`; only what changed, or what the vector server lost, is embedded.

        Each step can be cut short at any point: the next build compares all three stores and finishes.
        """
        start = time.monotonic()
        with _locked(self._lock_file):
            rows = self._rows(pages, workspace, collection)
            removed = self._store(rows, workspace, collection)
            self._refresh_keywords()
            embedded, degraded = 0, ""
            try:
                embedded = self._refresh_vectors(rows, workspace, collection, progress)
            except VectorsUnavailable as error:
                degraded = error.what
        seconds = time.monotonic() - start
        return BuildReport(passages=len(rows), embedded=embedded, removed=removed, seconds=seconds, degraded=degraded)

    def search(self, query: str, k: int = 5, workspace: str | None = None) -> Found:
        """Return the `k` best passages of the guide and of `workspace`; without a vector server, by keywords alone."""
        workspaces = [GUIDE_WORKSPACE] if workspace in (None, GUIDE_WORKSPACE) else [GUIDE_WORKSPACE, str(workspace)]
        asked = spelled_out(query)
        words = terms(asked)
        by_keyword = {scored.id: scored.score for scored in self._keywords.search(words, _DEPTH, workspaces)}
        near, degraded = self._near(asked, workspaces)
        scores = fuse(by_keyword, near)
        best = sorted(scores, key=lambda key: -scores[key])[:k]
        passages = self._passages(best, workspaces)
        keyword_rank = {key: rank for rank, key in enumerate(by_keyword, start=1)}
        dense_rank = {key: rank for rank, key in enumerate(near, start=1)}
        hits = tuple(
            Hit(
                passage=passages[key],
                score=scores[key],
                dense_rank=dense_rank.get(key),
                keyword_rank=keyword_rank.get(key),
                cosine=near.get(key),
            )
            for key in best
            if key in passages
        )
        return Found(hits=hits, rarities=tuple(self._keywords.rarities(words)), degraded=degraded)

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors by the index's own embedder, shape (len(texts), dimension)."""
        return self._embedder.embed(texts)

    def _near(self, query: str, workspaces: Sequence[str]) -> tuple[Mapping[str, float], str]:
        """Return cosine by passage id, nearest first, and why there is none."""
        try:
            near = self._vectors.search(self._embedder.embed([query])[0], _DEPTH, workspaces)
        except VectorsUnavailable as error:
            return {}, f"{error.what} I searched by keywords only."
        if not near:
            return {}, "The vector index is empty. I searched by keywords only."
        return _by_passage(near), ""

    def _passages(self, ids: Sequence[str], workspaces: Sequence[str]) -> dict[str, Passage]:
        """Return passages by id; the workspace is checked again where the text is, whatever an index says."""
        statement = select(Passage).where(col(Passage.id).in_(ids), col(Passage.workspace_id).in_(workspaces))
        with Session(self._engine.execution_options(reading=True), expire_on_commit=False) as session:
            return {passage.id: passage for passage in session.exec(statement)}

    def _rows(self, pages: Sequence[Page], workspace: str, collection: str) -> dict[str, Passage]:
        chunks = [chunk for page in pages for chunk in chunk_page(page)]
        rows = [
            _passage(chunk, position, workspace, collection, self._embedder.name)
            for position, chunk in enumerate(chunks)
        ]
        return {row.id: row for row in rows}

    def _store(self, rows: Mapping[str, Passage], workspace: str, collection: str) -> int:
        """Bring the table in line with `rows`; return how many passages went."""
        mine = select(Passage).where(Passage.workspace_id == workspace, Passage.collection == collection)
        with Session(self._engine) as session:
            alone(session.connection(), f"passages of {workspace}/{collection}")
            there = {passage.id: passage for passage in session.exec(mine)}
            gone = [passage for key, passage in there.items() if key not in rows]
            for passage in gone:
                session.delete(passage)
            for key, row in rows.items():
                if key not in there or there[key].model_dump() != row.model_dump():
                    session.merge(Passage(**row.model_dump()))
            session.commit()
        return len(gone)

    def _refresh_keywords(self) -> None:
        """Write a new keyword index if the table holds other passages than the one in use."""
        with Session(self._engine.execution_options(reading=True)) as session:
            marks = session.exec(select(Passage.id, Passage.content_hash).order_by(Passage.id)).all()
            generation = hashlib.sha256(repr((ANALYSIS, [tuple(mark) for mark in marks])).encode()).hexdigest()[:16]
            if generation == self._keywords.generation():
                return
            order = (col(Passage.workspace_id), col(Passage.collection), col(Passage.position))
            passages = session.exec(select(Passage).order_by(*order)).all()
            texts = {passage.id: f"{passage.search_text}\n{passage.questions}" for passage in passages}
            owners = {passage.id: passage.workspace_id for passage in passages}
        self._keywords.write(generation, texts, owners)

    def _refresh_vectors(
        self, rows: Mapping[str, Passage], workspace: str, collection: str, progress: Progress | None
    ) -> int:
        """Bring the vector server in line with `rows`; return how many texts were embedded."""
        wanted = {entry.id: (entry, text) for row in rows.values() for entry, text in _entries(row)}
        stored = self._vectors.stored(workspace, collection)
        self._vectors.remove([key for key in stored if key not in wanted])
        missing = [pair for key, pair in wanted.items() if stored.get(key) != pair[0].content_hash]
        for start in range(0, len(missing), _BATCH):
            batch = missing[start : start + _BATCH]
            self._vectors.put([entry for entry, _ in batch], self._embedder.embed([text for _, text in batch]))
            if progress is not None:
                progress(min(start + _BATCH, len(missing)), len(missing))
        return len(missing)


def _by_passage(near: Sequence[Near]) -> dict[str, float]:
    """Keep the nearest vector of each passage: its own or that of a question that it answers."""
    best: dict[str, float] = {}
    for key, cosine in near:
        best.setdefault(key.split("?", 1)[0], cosine)
    return best


def _passage(chunk: Chunk, position: int, workspace: str, collection: str, embedder: str) -> Passage:
    return Passage(
        id=f"{workspace}/{collection}/{chunk.id}",
        workspace_id=workspace,
        collection=collection,
        position=position,
        slug=chunk.slug,
        title=chunk.title,
        heading=chunk.heading,
        text=chunk.text,
        search_text=chunk.search_text,
        questions="\n".join(chunk.questions),
        updated=chunk.updated,
        content_hash=chunk.content_hash,
        embedder=embedder,
    )


def _entries(row: Passage) -> Iterator[tuple[Entry, str]]:
    """Yield what is embedded for one passage: itself, then each of its questions."""
    yield Entry(row.id, row.workspace_id, row.collection, row.content_hash), row.search_text
    for number, question in enumerate(row.questions.splitlines()):
        yield Entry(f"{row.id}?{number}", row.workspace_id, row.collection, row.content_hash), question


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the lock file, so that two processes or threads never build at once."""
    path.parent.mkdir(parents=True, exist_ok=True)
    give_up = time.monotonic() + _LOCK_SECONDS
    with path.open("a") as handle:
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > give_up:
                    raise ServiceError(
                        "Another process has been building the index for five minutes.", "Stop it, then build again."
                    ) from None
                time.sleep(0.05)
        yield
