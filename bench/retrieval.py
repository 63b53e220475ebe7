"""Measures the search on the golden set, taken apart and beside Chroma's plain query and LangChain's EnsembleRetriever.

Run `python -m bench.retrieval [--half dev|held-out|all] [--misses]`; it starts a Chroma server of its own and takes
two to four minutes. Pages are ranked by their best passage; right pages are those graded 2. Passages are graded by the
headings that the golden set names. Intervals of differences are paired, with the questions of one page taken together
(trainers.evals.stats). A second, easy set of 24 questions on our own documentation shows whether a change that helps
the guide harms another text; nothing is tuned on it. Where the golden set comes from: bench/golden.py; figures and what
was tried: docs/retrieval.md.
"""

import argparse
import json
import os
import statistics
import tempfile
import time
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import NamedTuple

from sqlmodel import SQLModel, create_engine

from bench.golden import HALVES, RIGHT, Asked, load, passage_grades
from bench.ranking import ndcg, recall, reciprocal_rank
from bench.searches import DEPTH, Remembering, Search, ablations, basic, chroma, ensemble
from knowledge.chunks import Chunk, chunk_page
from knowledge.embeddings import Embedder, open_minilm
from knowledge.index import Index
from knowledge.sources import Page, load_guide
from tests.chroma import running_chroma
from trainers.evals.stats import compare

ROOT = Path(__file__).parents[1]
DOCS_QUESTIONS = Path(__file__).parent / "data" / "docs_questions.jsonl"
SHIPPED = "the shipped search"
PLAIN = "Chroma, plain dense query"
ENSEMBLE = "LangChain EnsembleRetriever"
COLUMNS = (
    "recall@1",
    "recall@3",
    "recall@5",
    "nDCG@10",
    "MRR@10",
    "passage nDCG@10",
    "passage MRR@10",
    "in 5 passages",
)
COMPARED = ("recall@5", "nDCG@10", "passage nDCG@10")

Scores = Mapping[str, float]


class Run(NamedTuple):
    """One search over all questions."""

    scores: dict[str, Scores]
    """By the question's id."""
    seconds: list[float]
    """Wall time of each search, embedding the question included."""


def main() -> None:
    """Print quality, differences, latency and speed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--half", choices=(*HALVES, "all"), help="this half alone; default: both and all")
    parser.add_argument(
        "--misses", action="store_true", help="list dev questions whose page is not among the first five"
    )
    chosen = parser.parse_args()
    embedder = open_minilm(Path.home() / ".cache" / "luthier")
    embedder.embed(["warm"])
    asked = [each for each in load() if each.kind == "answerable"]
    pages = load_guide()
    chunks = [chunk for page in pages for chunk in chunk_page(page)]
    with tempfile.TemporaryDirectory() as name, running_chroma(Path(name) / "chroma") as server:
        searches = _searches(pages, chunks, embedder, server.url, Path(name))
        runs = run_all(searches, asked, chunks)
        for half in [chosen.half] if chosen.half else [*HALVES, "all"]:
            report(half, [each for each in asked if half in (each.half, "all")], runs)
        latency(runs)
        if chosen.misses:
            misses(asked, runs[SHIPPED], searches[SHIPPED])
        other_text(embedder, Path(name))
    print(f"\nload {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")


def run_all(searches: Mapping[str, Search], asked: Sequence[Asked], chunks: Sequence[Chunk]) -> dict[str, Run]:
    """Ask every search each question in turn, so that other work on the machine slows all alike."""
    runs = {title: Run({}, []) for title in searches}
    for search in searches.values():
        search(asked[0].question)
    for each in asked:
        for title, search in searches.items():
            start = time.perf_counter()
            passages = search(each.question)
            runs[title].seconds.append(time.perf_counter() - start)
            runs[title].scores[each.id] = score(each, passages, chunks)
    return runs


def score(asked: Asked, passages: Sequence[str], chunks: Sequence[Chunk]) -> Scores:
    """Score one ranking of passages, as passages and as the pages that they belong to."""
    right = {page for page, grade in asked.grades.items() if grade == RIGHT}
    grades = passage_grades(asked, chunks)
    pages = list(dict.fromkeys(map(slug, passages)))
    return {
        **{f"recall@{k}": recall(pages, right, k) for k in (1, 3, 5)},
        "nDCG@10": ndcg(pages, asked.grades),
        "MRR@10": reciprocal_rank(pages, right),
        "passage nDCG@10": ndcg(passages, grades),
        "passage MRR@10": reciprocal_rank(passages, {key for key, grade in grades.items() if grade == RIGHT}),
        "in 5 passages": float(bool(right & set(map(slug, passages[:5])))),
    }


def slug(passage: str) -> str:
    """Return the page of a passage's id."""
    return passage.partition("#")[0]


def report(half: str, asked: Sequence[Asked], runs: Mapping[str, Run]) -> None:
    """Print one half: means of all searches, then how ours differs from each rival."""
    print(f"\n## {half}: {len(asked)} answerable questions on {len({each.page for each in asked})} pages\n")
    print(f"| search | {' | '.join(COLUMNS)} |\n|---|{'---|' * len(COLUMNS)}")
    for title, done in runs.items():
        means = [statistics.fmean(done.scores[each.id][column] for each in asked) for column in COLUMNS]
        print(f"| {title} | {' | '.join(f'{mean:.3f}' for mean in means)} |")
    print(f"\n| {SHIPPED} minus | {' | '.join(COMPARED)} |\n|---|{'---|' * len(COMPARED)}")
    for title in runs:
        if title != SHIPPED:
            told = [_difference(asked, runs[title], runs[SHIPPED], column) for column in COMPARED]
            print(f"| {title} | {' | '.join(told)} |")


def latency(runs: Mapping[str, Run]) -> None:
    """Print p50 and p95 of a warm search, embedding the question included."""
    print("\n| warm search | p50 | p95 |\n|---|---|---|")
    for title, done in runs.items():
        cuts = statistics.quantiles(done.seconds, n=20)
        print(f"| {title} | {1000 * statistics.median(done.seconds):.1f} ms | {1000 * cuts[-1]:.1f} ms |")


def misses(asked: Sequence[Asked], done: Run, search: Search) -> None:
    """List what is missed on the dev half; the held-out half stays unread."""
    for each in asked:
        if each.half == HALVES[0] and done.scores[each.id]["recall@5"] < 1:
            found = list(dict.fromkeys(map(slug, search(each.question))))
            place = found.index(each.page) + 1 if each.page in found else "-"
            print(f"miss {each.id} {each.page} at {place}: {each.question}")


def other_text(embedder: Embedder, folder: Path) -> None:
    """Print the same searches over README and docs, with questions that we wrote on them."""
    paths = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    bodies = {path.stem: path.read_text("utf-8") for path in paths if path.stem != "retrieval"}
    pages = [
        Page(slug=name, title=body.partition("\n")[0].lstrip("# "), updated=date(2026, 11, 29), body=body)
        for name, body in bodies.items()
    ]
    chunks = [chunk for page in pages for chunk in chunk_page(page)]
    rows = [json.loads(line) for line in DOCS_QUESTIONS.read_text("utf-8").splitlines()]
    kept = Remembering(embedder)
    searches = {ENSEMBLE: ensemble(chunks, kept), **basic(chunks, kept, folder / "docs")}
    print(f"\n## our own documentation: {len(rows)} questions, {len(chunks)} passages of {len(pages)} pages\n")
    print("| search | page among the first 3 | 5 | MRR@10 |\n|---|---|---|---|")
    for title, search in searches.items():
        ranked = [(list(dict.fromkeys(map(slug, search(row["question"])))), set(row["pages"])) for row in rows]
        hits = [statistics.fmean(bool(right & set(found[:k])) for found, right in ranked) for k in (3, 5)]
        mrr = statistics.fmean(reciprocal_rank(found, right) for found, right in ranked)
        print(f"| {title} | {hits[0]:.3f} | {hits[1]:.3f} | {mrr:.3f} |")


def _searches(
    pages: Sequence[Page], chunks: Sequence[Chunk], embedder: Embedder, url: str, folder: Path
) -> dict[str, Search]:
    kept = Remembering(embedder)
    return {
        PLAIN: chroma(chunks, kept, url),
        ENSEMBLE: ensemble(chunks, kept),
        f"{ENSEMBLE}, with our stems": ensemble(chunks, kept, stems=True),
        f"{ENSEMBLE}, with our stems and questions": ensemble(chunks, kept, stems=True, asked=True),
        **ablations(chunks, kept, folder / "parts"),
        SHIPPED: _shipped(pages, embedder, url, folder),
    }


def _shipped(pages: Sequence[Page], embedder: Embedder, url: str, folder: Path) -> Search:
    """Build the real index, print how fast, and return its search."""
    engine = create_engine(f"sqlite:///{folder / 'passages.db'}")
    SQLModel.metadata.create_all(engine)
    index = Index.open(engine=engine, chroma_url=url, embedder=embedder, data_dir=folder)
    built = index.build(pages)
    print(
        f"index: {built.passages} passages with their questions ({built.embedded} texts) in {built.seconds:.1f} s,"
        f" {built.passages / built.seconds:.1f} passages/s, {built.embedded / built.seconds:.1f} texts/s"
    )
    return lambda query: [hit.passage.id.rsplit("/", 1)[1] for hit in index.search(query, DEPTH).hits]


def _difference(asked: Sequence[Asked], rival: Run, ours: Run, column: str) -> str:
    """Write ours minus the rival with its 95% interval; questions of one page are one source."""
    told = compare(
        [rival.scores[each.id][column] for each in asked],
        [ours.scores[each.id][column] for each in asked],
        clusters=[each.page for each in asked],
    )
    return f"{told.difference:+.3f} ({told.low:+.3f} to {told.high:+.3f})"


if __name__ == "__main__":
    main()
