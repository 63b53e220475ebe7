"""Brings keywords and vectors in line with the passages in SQL, which are the truth; it does not search.

It can be cut short at any point: whatever SQL says afterwards, the next run compares and finishes.
"""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import Engine

from knowledge import passages
from knowledge.embeddings import Embedder, EmbeddingsUnavailable
from knowledge.keywords import ANALYSIS
from knowledge.passages import Unembedded
from knowledge.places import GUIDE, Place
from knowledge.shelves import Shelves
from knowledge.vectors import ChromaVectors, VectorsUnavailable

Progress = Callable[[int, int], None]
"""Called with texts embedded so far and texts to embed."""

_CHARACTERS = 60_000
"""Length of what is embedded and kept in one go: some seconds of work, lost where it is cut short."""
_ROUNDS = 3
"""Texts may change while they are embedded; after so many times the next run goes on."""


@dataclass(frozen=True, kw_only=True)
class Indexed:
    """What one run did."""

    passages: int
    """Passages of the place now."""
    embedded: int
    """Texts turned into vectors."""
    degraded: str = ""
    """Why vectors are missing, as a sentence; empty when all is indexed."""


class Indexer:
    """Indexes one place at a time; safe to share by threads and beside other processes."""

    def __init__(self, engine: Engine, vectors: ChromaVectors, shelves: Shelves, embedder: Embedder) -> None:
        """Take the parts."""
        self._engine = engine
        self._vectors = vectors
        self._shelves = shelves
        self._embedder = embedder

    def run(self, place: Place, *, gone: Sequence[str] = (), progress: Progress | None = None) -> Indexed:
        """Index what is new or changed in `place`; `gone` are documents whose vectors have to go.

        The caller holds the place.
        """
        embedded, degraded = 0, ""
        self._write_keywords(place)
        try:
            for document_id in gone:
                self._vectors.remove_document(place, document_id)
            embedded = self._write_vectors(place, progress)
        except (VectorsUnavailable, EmbeddingsUnavailable) as error:
            degraded = error.what
        # A document may have been removed while its vectors were made, which takes the time.
        known = self._write_keywords(place)
        return Indexed(passages=known, embedded=embedded, degraded=degraded)

    def _write_keywords(self, place: Place) -> int:
        """Write new keywords if the table holds other passages than those in use; return how many it holds."""
        marks = passages.marks(self._engine, place)
        if not marks and place != GUIDE:
            self._shelves.drop(place)
            return 0
        generation = hashlib.sha256(repr((ANALYSIS, list(marks.items()))).encode()).hexdigest()[:16]
        shelf = self._shelves.at(place)
        if generation != shelf.generation():
            shelf.write(generation, marks, lambda ids: passages.search_texts(self._engine, ids))
        return len(marks)

    def _write_vectors(self, place: Place, progress: Progress | None) -> int:
        self._vectors.drop_of_other_models(place)
        embedded = 0
        for _ in range(_ROUNDS):
            embedded += self._embed_missing(place, progress)
            if self._in_line(place):
                break
        return embedded

    def _embed_missing(self, place: Place, progress: Progress | None) -> int:
        """Embed what SQL says has no vector; return how many texts that were."""
        missing = passages.unembedded(self._engine, place, self._embedder.name)
        done, whole = 0, sum(passage.texts for passage in missing)
        for part in _parts(missing):
            entries = passages.entries(self._engine, [passage.id for passage in part])
            if entries:
                vectors = self._embedder.embed([text for _, text in entries])
                self._vectors.put(place, [entry for entry, _ in entries], vectors)
                gone = passages.set_embedded(self._engine, [entry for entry, _ in entries], self._embedder.name)
                orphans = [entry.id for entry, _ in entries if passages.passage_of(entry.id) in set(gone)]
                self._vectors.remove(place, orphans)
            done += len(entries)
            if progress is not None:
                progress(done, whole)
        return done

    def _in_line(self, place: Place) -> bool:
        """Say whether the server has the vectors that it should; where not, forget that lost ones were made."""
        marks = passages.vector_marks(self._engine, place)
        if place != GUIDE and not marks:
            self._vectors.drop(place)
            return True
        # To compare all takes a second for 30,000; the guide's are few, and differ when a crash left one twice.
        if place != GUIDE and self._vectors.count(place) == len(marks):
            return not passages.unembedded(self._engine, place, self._embedder.name)
        stored = self._vectors.stored(place)
        self._vectors.remove(place, [key for key in stored if key not in marks])
        lost = {passages.passage_of(key) for key, known in marks.items() if stored.get(key) != known}
        passages.forget_embedded(self._engine, lost)
        return not lost


def _parts(missing: Sequence[Unembedded]) -> Iterator[list[Unembedded]]:
    """Cut into runs of about the same amount of text, each at least one passage."""
    part: list[Unembedded] = []
    length = 0
    for passage in missing:
        part.append(passage)
        length += passage.length
        if length >= _CHARACTERS:
            yield part
            part, length = [], 0
    if part:
        yield part
