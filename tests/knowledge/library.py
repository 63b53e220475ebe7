"""What tests of a team's documents share: documents made of words, a quick embedder, and a library over real stores."""

import hashlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

import numpy as np
from sqlalchemy import Engine

from knowledge.collections import Library
from knowledge.documents import Document
from knowledge.embeddings import Vectors
from knowledge.index import Index
from knowledge.keywords import terms
from knowledge.places import Place
from knowledge.shelves import Shelves
from knowledge.sources import Page
from knowledge.topics import Topics
from knowledge.vectors import ChromaVectors

NOW = datetime(2026, 11, 22, 9, 0, tzinfo=UTC)
TODAY = date(2026, 11, 22)
ONE, OTHER = Place("T1", "own"), Place("T2", "own")


class SharedWords:
    """An embedder by shared words: each word has a direction of its own. `first` runs before each call."""

    name = "shared-words"
    dimension = 64

    def __init__(self, first: Callable[[], None] = lambda: None) -> None:
        self.first = first
        self.calls: list[int] = []

    def embed(self, texts: Sequence[str]) -> Vectors:
        self.first()
        self.calls.append(len(texts))
        return np.stack([_direction(text) for text in texts])


def _direction(text: str) -> Vectors:
    total = np.full(SharedWords.dimension, 0.01)
    for word in terms(text):
        seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:4], "big")
        total += np.random.default_rng(seed).normal(size=SharedWords.dimension)
    return np.asarray(total / np.linalg.norm(total), dtype=np.float32)


def document(name: str, *sections: str) -> Document:
    """A Markdown document; each section is a heading and its text, "Refunds: within 30 days"."""
    body = "\n\n".join(f"## {section.partition(': ')[0]}\n\n{section.partition(': ')[2]}" for section in sections)
    page = Page(slug=name.partition(".")[0], title=name.partition(".")[0].title(), updated=TODAY, body=body)
    return Document(name=name, title=page.title, sha256=_hash(body), kind="markdown", pages=(page,))


def rows(name: str, **texts: str) -> Document:
    """A JSONL document of passages by id."""
    pages = tuple(Page(slug=key, title=f"Title of {key}", updated=TODAY, body=text) for key, text in texts.items())
    return Document(name=name, title=name, sha256=_hash(repr(texts)), kind="jsonl", pages=pages)


class Shop:
    """A library with its parts."""

    def __init__(self, engine: Engine, vectors: ChromaVectors, folder: Path, embedder: SharedWords) -> None:
        self.engine, self.vectors, self.embedder = engine, vectors, embedder
        self.shelves = Shelves(folder / "words")
        self.index = Index(engine, vectors, self.shelves, embedder, Topics(folder / "topics.npz"))
        self.library = Library(engine, self.index)

    def add(self, made: Document, place: Place = ONE) -> str:
        return self.library.add(made, place, size=100, by="U1", now=NOW).outcome

    def found(self, query: str, workspace: str | None = "T1", collection: str | None = None) -> list[str]:
        return [hit.passage.ref for hit in self.index.search(query, 5, workspace, collection).hits]


@contextmanager
def shop(engine: Engine, url: str, folder: Path, embedder: SharedWords | None = None) -> Iterator[Shop]:
    """Open a library in `folder` over a Chroma server, in collections of its own there."""
    vectors = ChromaVectors(url, f"passages-{hashlib.sha256(str(folder).encode()).hexdigest()[:12]}")
    made = Shop(engine, vectors, folder, embedder or SharedWords())
    try:
        yield made
    finally:
        made.index.close()


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
