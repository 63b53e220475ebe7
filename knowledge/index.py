"""Finds passages by keywords and vectors, fused by score; it knows where each part is kept, not how answers read."""

import hashlib
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path

from sqlalchemy import Engine
from sqlmodel import Session, col, select

from knowledge import passages
from knowledge.embeddings import Embedder, EmbeddingsUnavailable, Vectors
from knowledge.fusion import fuse, reordered, with_topics
from knowledge.indexing import Indexed, Indexer, Progress
from knowledge.keywords import Rarity, Scored, rarities, terms
from knowledge.passages import of_guide, passage_of, result_of
from knowledge.places import GUIDE, Place
from knowledge.remembered import Remembered
from knowledge.rows import alone
from knowledge.shelves import Shelves
from knowledge.short_forms import spelled_out
from knowledge.sources import Page
from knowledge.tables import GUIDE_WORKSPACE, DocumentRow, Passage
from knowledge.topics import Topics
from knowledge.vectors import ChromaVectors, Near, VectorsUnavailable

_DEPTH = 100
"""How many results of each search take part in the fusion."""
_WIDE = 800
"""Vectors of the guide that are looked at beside other collections: eight in nine are of questions."""
_QUERIES = 64
"""Queries that are embedded together."""


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
class BuildReport(Indexed):
    """What a build of the guide did."""

    removed: int
    """Passages that the pages no longer have."""
    seconds: float
    """Wall time."""


class Index:
    """The searchable passages of one installation; safe to share by threads, cheap to make, opened at first use."""

    def __init__(
        self,
        engine: Engine,
        vectors: ChromaVectors,
        shelves: Shelves,
        embedder: Embedder,
        topics: Topics,
        guide_embedder: Embedder | None = None,
    ) -> None:
        """Take the parts; `Index.open` makes them from addresses."""
        self._engine = engine
        self._topics = topics
        self._vectors = vectors
        self._shelves = shelves
        self._embedder = embedder
        self._indexer = Indexer(engine, vectors, shelves, embedder)
        self._guide_indexer = Indexer(engine, vectors, shelves, guide_embedder or embedder)

    @classmethod
    def open(
        cls, *, engine: Engine, chroma_url: str, embedder: Embedder, data_dir: Path, remembered: Path | None = None
    ) -> "Index":
        """Return the index over `engine` (table `passage`), the Chroma server and `data_dir/words`.

        `remembered` is a folder for the vectors of the guide, which are the same in every installation.
        """
        vectors = ChromaVectors(chroma_url, f"passages-{embedder.name}")
        words = data_dir / "words"
        once = Remembered(embedder, remembered) if remembered else None
        return cls(engine, vectors, Shelves(words), embedder, Topics(words / "topics.npz"), once)

    @property
    def model(self) -> str:
        """Name of the embedding model."""
        return self._embedder.name

    def built(self) -> bool:
        """Say whether there is anything to search: False until the first build has written its keywords."""
        return bool(self._shelves.at(GUIDE).generation())

    def close(self) -> None:
        """Close the connections to the vector server; a later call opens them again."""
        self._vectors.close()

    def build(self, pages: Sequence[Page], *, progress: Progress | None = None) -> BuildReport:
        """Make the guide hold exactly `pages`; only what changed, or what the vector server lost, is embedded.

        Each step can be cut short at any point: the next build compares all three stores and finishes.
        """
        start = time.monotonic()
        rows = passages.guide_rows(pages, GUIDE)
        with self._shelves.alone(GUIDE):
            with self._engine.begin() as connection:
                alone(connection, "passages of the guide")
                removed = passages.write(connection, rows, GUIDE).removed
            done = self._guide_indexer.run(GUIDE, progress=progress)
            if not done.degraded:
                done = self._learn_topics(done)
            self._shelves.remove_old()
        return BuildReport(
            passages=len(rows),
            embedded=done.embedded,
            removed=removed,
            seconds=time.monotonic() - start,
            degraded=done.degraded,
        )

    def alone(self, place: Place) -> AbstractContextManager[None]:
        """Hold a collection, so that nobody else indexes it meanwhile; may wait as long as somebody does."""
        return self._shelves.alone(place)

    def next_alone(self, place: Place) -> AbstractContextManager[bool]:
        """Hold a collection, unless a thread of this process waits for it like this: then it gives False at once."""
        return self._shelves.next_alone(place)

    def refresh(self, place: Place, *, gone: Sequence[str] = (), progress: Progress | None = None) -> Indexed:
        """Index what changed in a workspace's own collection, and forget the vectors of the documents in `gone`.

        The caller holds the place.
        """
        return self._indexer.run(place, gone=gone, progress=progress)

    def search(self, query: str, k: int = 5, workspace: str | None = None, collection: str | None = None) -> Found:
        """Return the `k` best passages of the guide and of `workspace`; without a vector server, by keywords alone.

        `collection` narrows it to that one of the workspace, or to the guide.
        """
        return next(self.search_each([query], k, workspace, collection))

    def search_each(
        self, queries: Sequence[str], k: int = 5, workspace: str | None = None, collection: str | None = None
    ) -> Iterator[Found]:
        """Yield what `search` finds for each query in turn; many take less than one by one."""
        places = self._places(workspace, collection)
        for start in range(0, len(queries), _QUERIES):
            part = [spelled_out(query) for query in queries[start : start + _QUERIES]]
            try:
                vectors, degraded = list(self._embedder.embed(part)), ""
            except EmbeddingsUnavailable as error:
                vectors, degraded = [None] * len(part), f"{error.what} I searched by keywords only."
            for query, vector in zip(part, vectors, strict=True):
                yield self._search(query, vector, k, places, degraded)

    def passage(self, key: str, workspace: str | None = None) -> Passage | None:
        """Return a passage of the guide or of `workspace` by its id; None where it is gone or belongs to others."""
        return self._passages([key], self._places(workspace, None)).get(key)

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors by the index's own embedder, shape (len(texts), dimension)."""
        return self._embedder.embed(texts)

    def _learn_topics(self, done: Indexed) -> Indexed:
        """Learn the guide's topics from its vectors, where these are other ones than last time."""
        marks = passages.vector_marks(self._engine, GUIDE)
        generation = hashlib.sha256(repr((self.model, sorted(marks.items()))).encode()).hexdigest()[:16]
        if generation != self._topics.generation():
            try:
                self._topics.learn(generation, *self._vectors.all(GUIDE))
            except VectorsUnavailable as error:
                return replace(done, degraded=error.what)
        return done

    def _search(self, query: str, vector: Vectors | None, k: int, places: Sequence[Place], degraded: str) -> Found:
        words, depth = terms(query), max(_DEPTH, 3 * k)
        worded = [self._shelves.at(place).search(words, depth) for place in places]
        near: list[Near] = []
        if vector is not None:
            near, degraded = self._near(vector, depth, places)
        topics = self._topics.scores(vector) if vector is not None and GUIDE in places else {}
        return Found(
            hits=self._hits(worded, near, k, places, topics),
            rarities=tuple(rarities([self._shelves.at(place).count(words) for place in places])),
            degraded=degraded,
        )

    def _places(self, workspace: str | None, collection: str | None) -> list[Place]:
        """Return what may be searched: nobody's guide and the asker's own collections."""
        guide = [GUIDE] if collection in (None, GUIDE.collection) else []
        if workspace in (None, GUIDE_WORKSPACE):
            return guide
        named = select(DocumentRow.collection).where(DocumentRow.workspace_id == workspace).distinct()
        with Session(self._engine.execution_options(reading=True)) as session:
            names = sorted(session.exec(named))
        return [*guide, *(Place(str(workspace), name) for name in names if collection in (None, name))]

    def _near(self, vector: Vectors, depth: int, places: Sequence[Place]) -> tuple[list[Near], str]:
        """Return what is near over all places, nearest first, and why there is nothing."""
        try:
            wide = {GUIDE: max(depth, _WIDE)} if len(places) > 1 else {}
            near = [each for place in places for each in self._vectors.search(place, vector, wide.get(place, depth))]
        except VectorsUnavailable as error:
            return [], f"{error.what} I searched by keywords only."
        if not near and places:
            return [], "The vector index is empty. I searched by keywords only."
        return sorted(near, key=lambda each: -each.cosine), ""

    def _hits(
        self,
        worded: Sequence[Sequence[Scored]],
        near: Sequence[Near],
        k: int,
        places: Sequence[Place],
        topics: Mapping[str, float],
    ) -> tuple[Hit, ...]:
        """Fuse the rankings, each result once: a passage, or a row of a file for whichever of its parts fits best."""
        by_keyword = [_firsts([scored.id for scored in ranking]) for ranking in worded]
        cosines = {each.id: each.cosine for each in reversed(near)}
        by_vector = _firsts([each.id for each in near])
        scores = _scores(worded, near, max(_DEPTH, 3 * k), places, topics)
        best = sorted(scores, key=lambda result: -scores[result])[: 2 * k]
        shown = {result: _shown(result, by_vector, by_keyword) for result in best}
        texts = self._passages([passage_of(key) for key in shown.values()], places)
        keyword_rank = {result: rank for ranking in by_keyword for rank, result in enumerate(ranking, start=1)}
        dense_rank = {result: rank for rank, result in enumerate(by_vector, start=1)}
        hits = (
            Hit(
                passage=texts[passage_of(shown[result])],
                score=scores[result],
                dense_rank=dense_rank.get(result),
                keyword_rank=keyword_rank.get(result),
                cosine=cosines[by_vector[result]] if result in by_vector else None,
            )
            for result in best
            if passage_of(shown[result]) in texts
        )
        return tuple(hits)[:k]

    def _passages(self, ids: Sequence[str], places: Sequence[Place]) -> dict[str, Passage]:
        """Return passages by id; whose they are is checked again where the text is, whatever an index says."""
        statement = select(Passage).where(col(Passage.id).in_(ids))
        with Session(self._engine.execution_options(reading=True), expire_on_commit=False) as session:
            found = session.exec(statement).all()
        return {passage.id: passage for passage in found if (passage.workspace_id, passage.collection) in places}


def _scores(
    worded: Sequence[Sequence[Scored]],
    near: Sequence[Near],
    depth: int,
    places: Sequence[Place],
    topics: Mapping[str, float],
) -> dict[str, float]:
    """Return the fused score of each result.

    The guide has questions beside its pages, which a team's own documents lack. They order its passages among
    themselves; beside other collections only texts are compared, or the guide would push everything else down.
    """
    if len(places) == 1:
        return with_topics(fuse(_worded(worded), _cosines(near[:depth])), topics)
    scores = fuse(_worded(worded), _cosines([each for each in near if each.id == passage_of(each.id)][:depth]))
    if GUIDE not in places:
        return scores
    asked = [each for each in near if of_guide(each.id)][:depth]
    guide = fuse(_worded([worded[places.index(GUIDE)]]), _cosines(asked))
    return reordered(scores, with_topics(guide, topics))


def _cosines(near: Sequence[Near]) -> dict[str, float]:
    """Return the largest cosine of each result."""
    found: dict[str, float] = {}
    for each in near:
        found.setdefault(result_of(passage_of(each.id)), each.cosine)
    return found


def _worded(rankings: Sequence[Sequence[Scored]]) -> dict[str, float]:
    """Return a keyword score by result, 1 for the best of each collection: how rare a word is differs between them."""
    words: dict[str, float] = {}
    for ranking in rankings:
        for each in ranking:
            words.setdefault(result_of(passage_of(each.id)), each.score / ranking[0].score)
    return words


def _firsts(ids: Sequence[str]) -> dict[str, str]:
    """Return the first id of each result, in order."""
    firsts: dict[str, str] = {}
    for key in ids:
        firsts.setdefault(result_of(passage_of(key)), key)
    return firsts


def _shown(result: str, by_vector: Mapping[str, str], by_keyword: Sequence[Mapping[str, str]]) -> str:
    """Return the part of a result that is shown: the nearest one, else the one with the rarest shared words."""
    return by_vector.get(result) or next(ranking[result] for ranking in by_keyword if result in ranking)
