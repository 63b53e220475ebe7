"""The index: what a build changes, what a search finds, and what happens when the vector server is gone or wiped."""

import shutil
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import date
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from sqlalchemy import Engine

from knowledge import vectors
from knowledge.embeddings import MiniLM
from knowledge.index import Index
from knowledge.shelves import Shelves
from knowledge.sources import Page
from knowledge.topics import Topics
from knowledge.vectors import ChromaVectors
from tests.chroma import ChromaServer, running_chroma

PAGES = (
    Page(slug="steel", title="Steel kettles", updated=date(2026, 11, 1), body="Steel kettles are heavy and last long."),
    Page(slug="glass", title="Glass kettles", updated=date(2026, 11, 2), body="Glass kettles show the water boiling."),
    Page(
        slug="care",
        title="Care",
        updated=date(2026, 11, 3),
        questions=("How do I get rid of limescale?",),
        body="## Cleaning\n\nVinegar dissolves the white crust.\n\n## Storing\n\nKeep it dry.",
    ),
)


@pytest.fixture
def index(engine: Engine, chroma_url: str, embedder: MiniLM, tmp_path: Path) -> Iterator[Index]:
    """An empty index, in a collection of its own on the shared server."""
    vectors = ChromaVectors(chroma_url, f"test-{uuid.uuid4()}")
    index = Index(engine, vectors, Shelves(tmp_path / "words"), embedder, Topics(tmp_path / "topics.npz"))
    yield index
    index.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[ChromaServer]:
    """A server of the test's own, to be killed and wiped."""
    with running_chroma(tmp_path / "chroma") as server:
        yield server


@pytest.fixture
def own_index(engine: Engine, server: ChromaServer, embedder: MiniLM, tmp_path: Path) -> Iterator[Index]:
    """An empty index on that server."""
    index = Index.open(engine=engine, chroma_url=server.url, embedder=embedder, data_dir=tmp_path)
    yield index
    index.close()


def slugs(index: Index, query: str, workspace: str | None = None) -> list[str]:
    return [hit.passage.slug for hit in index.search(query, 5, workspace).hits]


def test_build_embeds_only_what_changed(index: Index) -> None:
    """A second build does nothing; a changed passage is embedded alone; a page taken away is gone."""
    seen: list[tuple[int, int]] = []
    first = index.build(PAGES, progress=lambda done, total: seen.append((done, total)))
    assert (first.passages, first.embedded, first.removed) == (4, 5, 0)
    assert seen[-1] == (5, 5)
    assert index.build(PAGES).embedded == 0
    steel = Page(slug="steel", title="Steel kettles", updated=date(2026, 11, 1), body="Steel kettles whistle.")
    changed = index.build((steel, *PAGES[1:]))
    assert (changed.embedded, changed.removed) == (1, 0)
    assert index.search("whistle").hits[0].passage.text == "Steel kettles whistle."
    assert index.build(PAGES[1:]).removed == 1
    assert "steel" not in slugs(index, "heavy steel kettles")


def test_search_joins_words_and_meaning(index: Index) -> None:
    """A word match, a paraphrase and a question from the head each find their passage; ranks and cosine are told."""
    index.build(PAGES)
    top = index.search("heavy").hits[0]
    assert (top.passage.slug, top.keyword_rank) == ("steel", 1)
    assert slugs(index, "see-through pots that let you watch")[0] == "glass"
    asked = index.search("How do I get rid of limescale?").hits[0]
    assert asked.passage.heading == "Cleaning"
    assert asked.cosine == pytest.approx(1, abs=0.02)
    assert index.search("heavy").degraded == ""


def test_rare_and_unknown_words_are_told(index: Index) -> None:
    """A search says how rare each term of the question is, and which nobody wrote."""
    index.build(PAGES)
    rarity = {entry.term: entry for entry in index.search("heavy kettles zeppelin").rarities}
    assert rarity["zeppelin"].weight > rarity["heavi"].weight > rarity["kettl"].weight
    assert not rarity["zeppelin"].known


def test_without_vectors_keywords_answer_and_say_so(own_index: Index, server: ChromaServer) -> None:
    """A killed vector server degrades the search to keywords, with the reason; restarted, all is back."""
    own_index.build(PAGES)
    server.kill()
    found = own_index.search("heavy steel")
    assert found.hits[0].passage.slug == "steel"
    assert found.hits[0].cosine is None
    assert "does not answer" in found.degraded
    server.start()
    again = own_index.search("heavy steel")
    assert (again.degraded, again.hits[0].dense_rank) == ("", 1)


def test_silent_server_does_not_hang_a_search(
    engine: Engine, embedder: MiniLM, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A server that accepts and never answers costs one time limit, then keywords answer."""
    monkeypatch.setattr(vectors, "TIMEOUT_SECONDS", 0.3)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(8)
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        index = Index.open(engine=engine, chroma_url=url, embedder=embedder, data_dir=tmp_path)
        start = time.monotonic()
        assert "does not answer" in index.build(PAGES).degraded
        assert slugs(index, "heavy")[0] == "steel"
        assert time.monotonic() - start < 5
        index.close()


def test_build_without_server_is_finished_later(engine: Engine, embedder: MiniLM, tmp_path: Path) -> None:
    """A build while the server is down indexes the words and says so; the next build adds the vectors."""
    server = ChromaServer(tmp_path / "chroma")
    index = Index.open(engine=engine, chroma_url=server.url, embedder=embedder, data_dir=tmp_path)
    report = index.build(PAGES)
    assert (report.passages, report.embedded) == (4, 0)
    assert "does not answer" in report.degraded
    assert slugs(index, "heavy")[0] == "steel"
    server.start()
    try:
        assert "empty" in index.search("heavy").degraded
        assert index.build(PAGES).embedded == 5
        assert index.search("heavy").degraded == ""
    finally:
        index.close()
        server.kill()


def test_wiped_server_is_filled_again_from_sql(own_index: Index, server: ChromaServer) -> None:
    """A server that lost its data gets every vector again by the next build, in the same process."""
    own_index.build(PAGES)
    server.kill()
    shutil.rmtree(server.folder)
    server.start()
    assert "empty" in own_index.search("heavy").degraded
    assert own_index.build(PAGES).embedded == 5
    assert own_index.search("heavy").hits[0].dense_rank == 1


def test_text_never_reaches_the_vector_server(own_index: Index, server: ChromaServer) -> None:
    """Ids and numbers are all that the vector server is given: no file of it holds a word of a passage."""
    own_index.build(PAGES)
    server.kill()
    stored = b"".join(path.read_bytes() for path in server.folder.rglob("*") if path.is_file())
    assert b"steel" in stored
    assert b"Vinegar" not in stored
    assert b"limescale" not in stored


def test_second_process_sees_a_build(own_index: Index, engine: Engine, server: ChromaServer, embedder: MiniLM,
                                     tmp_path: Path) -> None:  # fmt: skip
    """A reader that has already searched finds what another index object built meanwhile."""
    assert own_index.search("heavy").hits == ()
    builder = Index.open(engine=engine, chroma_url=server.url, embedder=embedder, data_dir=tmp_path)
    builder.build(PAGES)
    builder.close()
    assert slugs(own_index, "heavy")[0] == "steel"


def test_two_builds_at_once_do_the_work_once(index: Index) -> None:
    """Builds wait for each other: of four at once one embeds and three find nothing to do."""
    with ThreadPoolExecutor(4) as pool:
        reports = list(pool.map(lambda _: index.build(PAGES), range(4)))
    assert sorted(report.embedded for report in reports) == [0, 0, 0, 5]


def test_searches_during_builds_never_fail(index: Index) -> None:
    """Readers get whole results while the index under them is replaced again and again."""
    index.build(PAGES)
    stop = threading.Event()

    def build() -> None:
        for round_ in range(6):
            body = f"Steel kettles are heavy, edition {round_}."
            index.build((Page(slug="steel", title="Steel", updated=date(2026, 11, 1), body=body), *PAGES[1:]))
        stop.set()

    def read() -> int:
        count = 0
        while not stop.is_set():
            assert slugs(index, "heavy steel kettles")[0] == "steel"
            count += 1
        return count

    with ThreadPoolExecutor(4) as pool:
        readers = [pool.submit(read) for _ in range(3)]
        pool.submit(build).result()
        assert all(reader.result() > 0 for reader in readers)


def test_empty_index_finds_nothing(index: Index) -> None:
    """Before the first build, and with no pages at all, a search is empty instead of failing."""
    assert index.search("anything").hits == ()
    assert index.build(()).passages == 0
    assert index.search("anything").hits == ()


@pytest.mark.parametrize("query", ["", "the of and", "?!", "🙂 кот", "x" * 5000])
def test_odd_queries_are_harmless(index: Index, query: str) -> None:
    """Queries without a usable word fall back to meaning alone."""
    index.build(PAGES)
    assert isinstance(index.search(query).hits, tuple)


def test_wrong_address_is_no_crash(engine: Engine, embedder: MiniLM, tmp_path: Path) -> None:
    """A server that is no Chroma server counts as one that does not answer."""
    with running_web_page() as url:
        index = Index.open(engine=engine, chroma_url=url, embedder=embedder, data_dir=tmp_path)
        assert "does not answer" in index.build(PAGES).degraded
        index.close()


@contextmanager
def running_web_page() -> Iterator[str]:
    """An HTTP server that is no vector server: it answers everything with an error page."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(500)
            self.end_headers()
            self.wfile.write(b"<html>busy</html>")

        def log_message(self, *_: object) -> None:
            return

    with HTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
