"""The searches that bench/retrieval.py compares: parts of ours, and what a team would take ready-made; it scores none.

All see the same passages and the same embedder. Ours may also read the questions in the pages' heads, which the rivals'
texts hold only where their name says so. LangChain's BM25Retriever asks for the package rank_bm25; its formula is
short and written anew in `Okapi`, so the package is not needed.
"""

import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from knowledge.chunks import Chunk
from knowledge.embeddings import Embedder, Vectors
from knowledge.fusion import fuse
from knowledge.keywords import KeywordIndex, terms
from knowledge.short_forms import spelled_out

Search = Callable[[str], list[str]]
"""From a question to the ids of passages, best first."""
DEPTH = 100
RRF = 60


class Remembering:
    """The embedder, which does not embed the passages anew for each search; single texts, that is queries, it does."""

    def __init__(self, embedder: Embedder) -> None:
        """Take the embedder that does the work."""
        self._embedder = embedder
        self._known: dict[str, Vectors] = {}
        self.name, self.dimension = embedder.name, embedder.dimension

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return one vector a text."""
        if len(texts) == 1:
            return self._embedder.embed(texts)
        new = [text for text in dict.fromkeys(texts) if text not in self._known]
        self._known.update(zip(new, self._embedder.embed(new), strict=True))
        return np.array([self._known[text] for text in texts])


class Parts:
    """Keywords and exact nearest neighbours over one choice of texts, in this process."""

    def __init__(self, chunks: Sequence[Chunk], embedder: Embedder, folder: Path, *, prefix: bool, asked: bool) -> None:
        """Index `chunks`, with the heading path if `prefix` and with the questions of the pages' heads if `asked`."""
        bodies = {chunk.id: chunk.search_text if prefix else chunk.search_text.partition("\n")[2] for chunk in chunks}
        questions = [(chunk.id, question) for chunk in chunks for question in (chunk.questions if asked else ())]
        self._embedder = embedder
        self._owners = [*bodies, *(key for key, _ in questions)]
        self._vectors = embedder.embed([*bodies.values(), *(question for _, question in questions)])
        words = {chunk.id: "\n".join((bodies[chunk.id], *(chunk.questions if asked else ()))) for chunk in chunks}
        self._keywords = KeywordIndex(folder)
        self._keywords.write("bench", words, lambda ids: ((key, words[key]) for key in ids))

    def near(self, query: str) -> dict[str, float]:
        """Return cosine by passage of the DEPTH nearest vectors, as the shipped search asks for them."""
        cosines = self._vectors @ self._embedder.embed([query])[0]
        found: dict[str, float] = {}
        for row in np.argsort(-cosines, kind="stable")[:DEPTH]:
            found.setdefault(self._owners[row], float(cosines[row]))
        return found

    def words(self, query: str) -> dict[str, float]:
        """Return the keyword score by passage."""
        return {scored.id: scored.score for scored in self._keywords.search(terms(query), DEPTH)}

    def fused(self, query: str) -> list[str]:
        """Rank as the shipped search does."""
        return best_first(fuse(self.words(query), self.near(query)))

    def by_rank(self, query: str) -> list[str]:
        """Rank by reciprocal rank fusion, the shipped search until 29 November 2026."""
        scores: dict[str, float] = {}
        for ranking in (self.words(query), self.near(query)):
            for rank, key in enumerate(ranking, start=1):
                scores[key] = scores.get(key, 0.0) + 1 / (RRF + rank)
        return best_first(scores)


def best_first(scores: Mapping[str, float]) -> list[str]:
    """Return the keys by falling score."""
    return sorted(scores, key=lambda key: -scores[key])


def ablations(chunks: Sequence[Chunk], embedder: Embedder, folder: Path) -> dict[str, Search]:
    """Return our search taken apart, by name."""
    return {**basic(chunks, embedder, folder), **texts(chunks, embedder, folder)}


def basic(chunks: Sequence[Chunk], embedder: Embedder, folder: Path) -> dict[str, Search]:
    """Return its two halves and the ways to fuse them."""
    whole = Parts(chunks, embedder, folder / "whole", prefix=True, asked=True)
    return {
        "dense only": lambda query: list(whole.near(spelled_out(query))),
        "BM25 only": lambda query: list(whole.words(spelled_out(query))),
        "fusion by rank, as it was before": whole.by_rank,
        "fusion by rank, short forms spelled out": lambda query: whole.by_rank(spelled_out(query)),
        "fusion, short forms as typed": whole.fused,
        "fusion": lambda query: whole.fused(spelled_out(query)),
    }


def texts(chunks: Sequence[Chunk], embedder: Embedder, folder: Path) -> dict[str, Search]:
    """Return the fusion over less than the passages have."""
    bare = Parts(chunks, embedder, folder / "bare", prefix=False, asked=True)
    unasked = Parts(chunks, embedder, folder / "unasked", prefix=True, asked=False)
    return {
        "fusion without heading prefix": lambda query: bare.fused(spelled_out(query)),
        "fusion without the pages' questions": lambda query: unasked.fused(spelled_out(query)),
    }


def chroma(chunks: Sequence[Chunk], embedder: Embedder, url: str) -> Search:
    """Return Chroma's plain query: one vector a passage, nearest first."""
    import chromadb

    port = int(url.rsplit(":", 1)[1])
    collection: Any = chromadb.HttpClient(host="127.0.0.1", port=port).create_collection(
        "plain", metadata={"hnsw:space": "cosine"}, embedding_function=None
    )
    ids = [chunk.id for chunk in chunks]
    collection.add(ids=ids, embeddings=embedder.embed([chunk.search_text for chunk in chunks]))

    def search(query: str) -> list[str]:
        found = collection.query(query_embeddings=[embedder.embed([query])[0]], n_results=min(DEPTH, len(ids)))
        return list(found["ids"][0])

    return search


def ensemble(chunks: Sequence[Chunk], embedder: Embedder, *, stems: bool = False, asked: bool = False) -> Search:
    """Return LangChain's EnsembleRetriever of BM25Retriever and a vector store: equal weights, c = 60, as it comes.

    `stems` gives its BM25 our analysis of words in place of `str.split`; `asked` adds the pages' questions.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # langchain-community says that it is being sunset
        from langchain_classic.retrievers import EnsembleRetriever
        from langchain_community.retrievers import BM25Retriever
    from langchain_core.documents import Document
    from langchain_core.vectorstores import InMemoryVectorStore

    texts = ["\n".join((chunk.search_text, *(chunk.questions if asked else ()))) for chunk in chunks]
    documents = [
        Document(page_content=text, metadata={"id": chunk.id}) for chunk, text in zip(chunks, texts, strict=True)
    ]
    store = InMemoryVectorStore(_embeddings(embedder))
    store.add_documents(documents)
    analyse = terms if stems else str.split
    words = BM25Retriever(
        docs=documents, vectorizer=Okapi([analyse(text) for text in texts]), preprocess_func=analyse, k=DEPTH
    )
    both = EnsembleRetriever(
        retrievers=[words, store.as_retriever(search_kwargs={"k": DEPTH})], weights=[0.5, 0.5], id_key="id"
    )
    return lambda query: [document.metadata["id"] for document in both.invoke(query)]


def _embeddings(embedder: Embedder) -> Any:
    from langchain_core.embeddings import Embeddings

    class Ours(Embeddings):
        """Our embedder as LangChain wants it."""

        def embed_documents(self, texts: list[str]) -> list[list[float]]:
            """Return one vector a text."""
            return _lists(embedder.embed(texts))

        def embed_query(self, text: str) -> list[float]:
            """Return one vector."""
            return _lists(embedder.embed([text]))[0]

    return Ours()


def _lists(vectors: Vectors) -> list[list[float]]:
    return [[float(number) for number in vector] for vector in vectors]


class Okapi:
    """BM25 as BM25Retriever expects it (Trotman et al. 2014): a negative idf becomes a quarter of the mean idf."""

    def __init__(self, texts: Sequence[Sequence[str]], k1: float = 1.5, b: float = 0.75, floor: float = 0.25) -> None:
        """Weigh every word of every text once."""
        columns = {word: column for column, word in enumerate(dict.fromkeys(word for text in texts for word in text))}
        counts = np.zeros((len(texts), len(columns)))
        for row, text in enumerate(texts):
            for word in text:
                counts[row, columns[word]] += 1
        held = (counts > 0).sum(axis=0)
        idf = np.log(len(texts) - held + 0.5) - np.log(held + 0.5)
        idf = np.where(idf < 0, floor * idf.mean(), idf)
        lengths = counts.sum(axis=1, keepdims=True)
        self._columns = columns
        self._weights = idf * counts * (k1 + 1) / (counts + k1 * (1 - b + b * lengths / lengths.mean()))

    def get_top_n(self, query: Sequence[str], documents: Sequence[Any], n: int) -> list[Any]:
        """Return the `n` best of `documents`."""
        columns = [self._columns[word] for word in query if word in self._columns]
        scores = self._weights[:, columns].sum(axis=1)
        return [documents[row] for row in np.argsort(scores)[::-1][:n]]
