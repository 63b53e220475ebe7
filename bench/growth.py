"""Measures how a collection grows: time, memory and disk of indexing and searching it, at each of several sizes.

`python -m bench.growth` embeds generated texts with the shipped model up to 10,000 passages (about 15 minutes);
`--generated` takes made-up vectors instead, so that only the stores are measured, up to 200,000. Texts are made of the
guide's words with a seed: the figures tell about size and time, never about how good the search is.
"""

import argparse
import hashlib
import json
import random
import statistics
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import psutil

from bot.store.engine import open_engine
from bot.store.migrate import migrate
from knowledge.clock import utc_now
from knowledge.collections import Library
from knowledge.documents import Document
from knowledge.embeddings import Embedder, Vectors, open_minilm
from knowledge.index import Index
from knowledge.places import Place
from knowledge.sources import GUIDE, Page
from tests.chroma import running_chroma

SIZES = {"real": (1_000, 5_000, 10_000), "generated": (1_000, 5_000, 10_000, 60_000, 200_000)}
SEARCHES = 200
AT_ONCE = 10_000
"""Passages a document."""
PLACE = Place("T0GROWTH", "generated")


class Generated:
    """Vectors that no model made: a direction for each of 500 subjects, and noise."""

    name = "generated"
    dimension = 384

    def __init__(self) -> None:
        self._subjects = np.random.default_rng(7).normal(size=(500, self.dimension)).astype(np.float32)

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return one unit vector per text; the same text has the same one."""
        seeds = [int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") for text in texts]
        noise = [np.random.default_rng(seed).normal(size=self.dimension) for seed in seeds]
        rows = self._subjects[[seed % len(self._subjects) for seed in seeds]] + 0.8 * np.array(noise)
        return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


@dataclass(frozen=True, kw_only=True)
class Figures:
    """What was measured at one size."""

    vectors: str
    passages: int
    indexed_per_second: float
    """Passages a second since the size before, from documents handed in to searchable."""
    one_more_seconds: float
    """Time to add one more document of one passage."""
    search_p50_ms: float
    search_p95_ms: float
    process_mb: float
    """Memory of the process that indexes and searches."""
    chroma_mb: float
    """Memory of the vector server."""
    database_mb: float
    keywords_mb: float
    vectors_mb: float


def main() -> None:
    """Print one JSON line a size."""
    parser = argparse.ArgumentParser(prog="python -m bench.growth", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--generated", action="store_true", help="made-up vectors instead of embedded ones")
    parser.add_argument("--sizes", type=int, nargs="+", help="passages at which to measure")
    parser.add_argument("--seed", type=int, default=7)
    options = parser.parse_args()
    kind = "generated" if options.generated else "real"
    embedder: Embedder = Generated() if options.generated else open_minilm(Path("~/.cache/luthier").expanduser())
    rng = random.Random(options.seed)  # noqa: S311  # texts that come out the same each time, no secrets
    for figures in measure(embedder, kind, options.sizes or SIZES[kind], rng):
        print(json.dumps(asdict(figures)), flush=True)


def measure(embedder: Embedder, kind: str, sizes: Sequence[int], rng: random.Random) -> Iterator[Figures]:
    """Yield the figures at each size, growing one collection from the smallest to the largest."""
    words = " ".join(path.read_text(encoding="utf-8") for path in sorted(GUIDE.glob("*.md"))).split()
    with stores(embedder) as (library, index, folder, server):
        there = 0
        for size in sizes:
            start, added = time.monotonic(), size - there
            for first in range(there, size, AT_ONCE):
                pages = [_page(number, words, rng) for number in range(first, min(size, first + AT_ONCE))]
                _keep(library, f"rows-{first}.jsonl", pages)
            library.settle(PLACE)
            rate = added / (time.monotonic() - start)
            start = time.monotonic()
            _keep(library, f"one-{size}.jsonl", [_page(10**9 + size, words, rng)])
            library.settle(PLACE)
            more, there = time.monotonic() - start, size
            waits = [_timed(index, _query(words, rng)) for _ in range(SEARCHES)]
            yield Figures(
                vectors=kind,
                passages=size,
                indexed_per_second=round(rate, 1),
                one_more_seconds=round(more, 2),
                search_p50_ms=round(statistics.median(waits), 1),
                search_p95_ms=round(sorted(waits)[int(0.95 * SEARCHES)], 1),
                process_mb=_memory(psutil.Process()),
                chroma_mb=_memory(psutil.Process(server)),
                database_mb=_disk(folder.glob("luthier.db*")),
                keywords_mb=_disk((folder / "words").rglob("*")),
                vectors_mb=_disk((folder / "chroma").rglob("*")),
            )


@contextmanager
def stores(embedder: Embedder) -> Iterator[tuple[Library, Index, Path, int]]:
    """Yield an empty library on SQLite with a vector server of its own, and that server's process id."""
    with tempfile.TemporaryDirectory() as name, running_chroma(Path(name) / "chroma") as server:
        folder = Path(name)
        engine = open_engine(f"sqlite:///{folder / 'luthier.db'}")
        migrate(engine, folder / "run")
        index = Index.open(engine=engine, chroma_url=server.url, embedder=embedder, data_dir=folder)
        yield Library(engine, index), index, folder, server.pid
        index.close()
        engine.dispose()


def _keep(library: Library, name: str, pages: Sequence[Page]) -> None:
    digest = hashlib.sha256(name.encode()).hexdigest()
    document = Document(name=name, title=name, sha256=digest, kind="jsonl", pages=tuple(pages))
    library.keep(document, PLACE, size=0, by="bench", now=utc_now())


def _page(number: int, words: Sequence[str], rng: random.Random) -> Page:
    """Make a passage of 15 to 200 words; two runs of the guide's, so that passages share words as texts do."""
    text = " ".join(_run(words, rng, rng.randint(8, 100)) for _ in range(2))
    return Page(slug=f"p{number}", title=f"Passage {number}", updated=utc_now().date(), body=text)


def _query(words: Sequence[str], rng: random.Random) -> str:
    return _run(words, rng, rng.randint(4, 12))


def _run(words: Sequence[str], rng: random.Random, length: int) -> str:
    start = rng.randrange(len(words) - length)
    return " ".join(words[start : start + length])


def _timed(index: Index, query: str) -> float:
    start = time.monotonic()
    index.search(query, 10, PLACE.workspace)
    return 1_000 * (time.monotonic() - start)


def _memory(process: psutil.Process) -> float:
    return round(process.memory_info().rss / 1e6, 1)


def _disk(paths: Any) -> float:
    return round(sum(path.stat().st_size for path in paths if path.is_file()) / 1e6, 1)


if __name__ == "__main__":
    main()
