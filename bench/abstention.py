"""Fits and measures when an answer abstains: prints the weights for knowledge/limits.toml and cross-validated figures.

Run `python -m bench.abstention`; it starts a Chroma server of its own and takes about a minute. It fits on our own
cases, which are easy because whoever wrote them had read the guide, on the dev half of the golden set
(bench/golden.py) and on bench/data/abstention.jsonl: 260 questions by somebody who saw only the guide's titles and
headings, then checked which pages answer them (7 that are answered in part are left out). The held-out half of the
golden set is measured by bench/answers.py alone. "documents" is the guide without any questions beside it, as a
team's own documents are.
"""

import json
import tempfile
import tomllib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from sqlmodel import SQLModel, create_engine

from bench.golden import HALVES, load
from knowledge.answer import answer
from knowledge.embeddings import open_minilm
from knowledge.index import Index
from knowledge.sources import Page, load_guide
from knowledge.sufficiency import NEAR, Signals, signals
from tests.chroma import running_chroma

CASES = Path(__file__).parents[1] / "tests" / "knowledge" / "answer_cases.toml"
STRANGERS = Path(__file__).parent / "data" / "abstention.jsonl"
COLUMNS = {
    "guide": NEAR,
    "guide.sure": Signals._fields,
    "keywords_only": tuple(name for name in NEAR if name != "cosine"),
}
KINDS = {"answerable": "answerable", "near_miss": "near", "off_topic": "off"}
THRESHOLDS = (0.02, 0.03, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.4, 0.5, 0.6)


def main() -> None:
    """Print recall of the search, then for each set of signals weights, AUROC and rates by threshold."""
    cases = tomllib.loads(CASES.read_text(encoding="utf-8"))
    with guide_index() as index:
        found = {case["q"]: index.search(case["q"], 8) for case in cases["answerable"]}
        for k in (1, 5):
            hit = [
                any(passage.passage.slug in case["pages"] for passage in found[case["q"]].hits[:k])
                for case in cases["answerable"]
            ]
            print(f"pages: recall@{k} {np.mean(hit):.3f} (n={len(hit)})")
        given = [(answer(case["q"], index), case["pages"]) for case in cases["answerable"]]
        cited = [[citation.slug in pages for citation in each.citations] for each, pages in given if not each.abstained]
        print(f"answers: {len(cited)} of {len(given)}, citing a right page {np.mean([any(row) for row in cited]):.3f},")
        print(f"  citations to a right page {np.mean([mark for row in cited for mark in row]):.3f}")
        rows = training_rows(index, cases)
    for name, columns in COLUMNS.items():
        report(name, columns, rows)
    with guide_index([replace(page, questions=(), asked=()) for page in load_guide()]) as index:
        rows = training_rows(index, cases)
        report("documents", NEAR, rows)
        report("documents.sure", Signals._fields, rows)


class Row(NamedTuple):
    """One question to fit on."""

    signals: Signals
    kind: str
    """"answerable", "near" or "off"."""
    id: str
    """Id in the golden set; empty for a case of our own."""


def training_rows(index: Index, cases: dict[str, Any]) -> list[Row]:
    """Return the signals of our cases, of the dev half of the golden set and of the strangers' questions."""
    asked = [(case["q"], "answerable", "") for case in cases["answerable"]]
    asked += [(question, kind, "") for kind in ("near", "off") for question in cases[kind]]
    asked += [(each.question, KINDS[each.kind], each.id) for each in load() if each.half == HALVES[0]]
    strangers = [json.loads(line) for line in STRANGERS.read_text("utf-8").splitlines()]
    asked += [(row["question"], KINDS[row["kind"]], row["id"]) for row in strangers if not row.get("partial")]
    found = index.search_each([question for question, _, _ in asked], 8)
    return [
        Row(signals(question, seen.hits, seen.rarities), kind, key)
        for (question, kind, key), seen in zip(asked, found, strict=True)
    ]


def cross_validated(columns: Sequence[str], rows: Sequence[Row]) -> "np.ndarray":
    """Return each row's chance of an answer by weights that were fitted without it."""
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    folds = StratifiedKFold(10, shuffle=True, random_state=0)
    return cross_val_predict(_model(), *_matrix(columns, rows), cv=folds, method="predict_proba")[:, 1]


def report(name: str, columns: Sequence[str], rows: Sequence[Row]) -> None:
    """Print one fit and what it is worth on each source of questions."""
    model = _model().fit(*_matrix(columns, rows))
    weights = {column: round(float(weight), 2) for column, weight in zip(columns, model.coef_[0], strict=True)}
    print(f"\n{name}: intercept {model.intercept_[0]:.2f} {weights}")
    chance, kind = cross_validated(columns, rows), np.array([row.kind for row in rows])
    source = np.array([row.id[:1] for row in rows])
    for title, which in (("our cases", ""), ("golden, dev", "Q"), ("strangers", "F")):
        figures(title, kind[source == which], chance[source == which])


def figures(title: str, kind: "np.ndarray", chance: "np.ndarray") -> None:
    """Print how well `chance` tells answerable questions from the others, and what each threshold does."""
    from sklearn.metrics import roc_auc_score

    answerable, near = kind == "answerable", kind != "off"
    scores = [roc_auc_score(answerable, chance), roc_auc_score(answerable[near], chance[near])]
    print(f"{title}: AUROC {scores[0]:.3f}, near misses {scores[1]:.3f}")
    for threshold in THRESHOLDS:
        rates = [(chance < threshold)[kind == which].mean() for which in ("answerable", "near", "off")]
        print(f"  {threshold:.2f}: abstains on answerable {rates[0]:.3f}, near {rates[1]:.3f}, off {rates[2]:.3f}")


def _model() -> Any:
    from sklearn.linear_model import LogisticRegression

    return LogisticRegression(C=10.0, max_iter=2000)


def _matrix(columns: Sequence[str], rows: Sequence[Row]) -> "tuple[np.ndarray, np.ndarray]":
    signal = np.array([[getattr(row.signals, column) for column in columns] for row in rows])
    return signal, np.array([row.kind == "answerable" for row in rows])


@contextmanager
def guide_index(pages: Sequence[Page] | None = None) -> Iterator[Index]:
    """Yield the index of the guide, or of `pages` in its place, in a temporary folder with a Chroma server."""
    with tempfile.TemporaryDirectory() as name, running_chroma(Path(name) / "chroma") as server:
        folder = Path(name)
        engine = create_engine(f"sqlite:///{folder / 'passages.db'}")
        SQLModel.metadata.create_all(engine)
        cache = Path.home() / ".cache" / "luthier"
        embedder = open_minilm(cache)
        index = Index.open(
            engine=engine, chroma_url=server.url, embedder=embedder, data_dir=folder, remembered=cache / "vectors"
        )
        print(index.build(load_guide() if pages is None else pages))
        yield index
        index.close()
        engine.dispose()


if __name__ == "__main__":
    main()
