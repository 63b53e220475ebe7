"""Embeddings over the wire, with the real client against the shipped rehearsal server."""

import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from sqlalchemy import Engine

from knowledge import remote_embeddings
from knowledge.embeddings import EmbeddingsUnavailable, MiniLM
from knowledge.errors import UserError
from knowledge.index import Index
from knowledge.places import GUIDE
from knowledge.rehearsal import Mode
from knowledge.rehearsal_embeddings import DIMENSION
from knowledge.remote_embeddings import Patience, RemoteEmbeddings, open_remote_embeddings
from knowledge.shelves import Shelves
from knowledge.topics import Topics
from knowledge.vectors import ChromaVectors
from tests.chat_server import ChatServer
from tests.knowledge.test_index import PAGES


@pytest.fixture
def remote(chat_server: ChatServer) -> Iterator[RemoteEmbeddings]:
    """The rehearsal server, opened as any endpoint is."""
    opened = open_remote_embeddings("some-embeddings", chat_server.url, "key-1")
    yield opened
    opened.close()


def test_vectors_come_in_order_with_length_one(chat_server: ChatServer, remote: RemoteEmbeddings) -> None:
    """Many texts go in several requests, and come back in the order given, whatever order the endpoint answers in."""
    texts = [f"kettle number {n}" for n in range(150)]
    vectors = remote.embed(texts)
    assert vectors.shape == (150, DIMENSION) == (150, remote.dimension)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert sorted(len(request["input"]) for request in chat_server.rehearsal.requests) == [22, 64, 64]
    assert np.allclose(remote.embed([texts[77]])[0], vectors[77], atol=1e-5)
    assert {request["model"] for request in chat_server.rehearsal.requests} == {"some-embeddings"}
    assert chat_server.rehearsal.headers[0]["authorization"] == "Bearer key-1"
    assert remote.embed([]).shape == (0, DIMENSION)
    assert remote.embed(["", "x"]).shape == (2, DIMENSION)


def test_a_busy_endpoint_is_asked_again(chat_server: ChatServer, remote: RemoteEmbeddings) -> None:
    """429 is waited out as the endpoint says, and the texts arrive in the end."""
    chat_server.rehearsal.refusals, chat_server.rehearsal.pause = 2, "0.05"
    assert remote.embed(["kettle", "pot"]).shape == (2, DIMENSION)
    assert len(chat_server.rehearsal.requests) == 3


@pytest.mark.parametrize(
    ("mode", "what", "tries"),
    [
        ("busy", "answers 429", 2),
        ("broken", "answers 500", 2),
        ("slow", "did not answer within", 2),
        ("unauthorized", "refuses the key", 1),
        ("malformed", "no embeddings", 1),
    ],
)
def test_trouble_is_named(
    chat_server: ChatServer,
    remote: RemoteEmbeddings,
    monkeypatch: pytest.MonkeyPatch,
    mode: Mode,
    what: str,
    tries: int,
) -> None:
    """What may pass is tried again for a while; the rest fails at once; either way with a reason and no key in it."""
    monkeypatch.setattr(remote_embeddings, "DOCUMENTS", Patience(2, 0.2, 0.05))
    chat_server.rehearsal.mode, chat_server.rehearsal.delay = mode, 1.0
    with pytest.raises(EmbeddingsUnavailable, match=what) as trouble:
        remote.embed(["kettle", "pot"])
    assert chat_server.rehearsal.hits == tries
    assert "key-1" not in f"{trouble.value}"


def test_nobody_there_is_no_crash() -> None:
    """A wrong address is named; an address that is none, or no key where one is needed, is refused at once."""
    with pytest.raises(EmbeddingsUnavailable, match="cannot be reached"):
        open_remote_embeddings("m", "http://127.0.0.1:9/v1").embed(["kettle"])
    with pytest.raises(UserError, match="no http address"):
        open_remote_embeddings("m", "ftp://x")
    with pytest.raises(UserError, match="needs a key"):
        open_remote_embeddings("m")


def test_vectors_of_two_models_never_mix(
    engine: Engine, chroma_url: str, embedder: MiniLM, remote: RemoteEmbeddings, tmp_path: Path
) -> None:
    """Another model embeds all anew in a collection of its own, and the old model's vectors are dropped then."""
    ours = ChromaVectors(chroma_url, f"passages-{embedder.name}-{tmp_path.name}")
    theirs = ChromaVectors(chroma_url, f"passages-{remote.name}-{tmp_path.name}")
    first = Index(engine, ours, Shelves(tmp_path / "words"), embedder, Topics(tmp_path / "a.npz"))
    second = Index(engine, theirs, Shelves(tmp_path / "words"), remote, Topics(tmp_path / "b.npz"))
    first.build(PAGES)
    assert "empty" in second.search("heavy").degraded
    assert second.build(PAGES).embedded == 5
    assert second.search("heavy steel kettles").hits[0].dense_rank == 1
    assert ours.count(GUIDE) == 0
    first.close()
    second.close()


def test_a_search_goes_by_words_while_the_model_is_away(
    engine: Engine, chroma_url: str, chat_server: ChatServer, remote: RemoteEmbeddings, tmp_path: Path
) -> None:
    """A failing endpoint costs a moment, then keywords answer and say so."""
    index = Index(
        engine,
        ChromaVectors(chroma_url, tmp_path.name),
        Shelves(tmp_path / "words"),
        remote,
        Topics(tmp_path / "b.npz"),
    )
    index.build(PAGES)
    chat_server.rehearsal.mode = "broken"
    start = time.monotonic()
    found = index.search("heavy")
    assert found.hits[0].passage.slug == "steel"
    assert "answers 500. I searched by keywords only" in found.degraded
    assert time.monotonic() - start < 5
    index.close()
