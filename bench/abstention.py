"""Fits and measures when an answer abstains: prints the weights for knowledge/limits.toml and cross-validated figures.

Run `python -m bench.abstention`; it starts a Chroma server of its own and takes about half a minute.
"""

import tempfile
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from sqlmodel import SQLModel, create_engine

from knowledge.answer import answer
from knowledge.embeddings import open_minilm
from knowledge.index import Index
from knowledge.sources import load_guide
from knowledge.sufficiency import Signals, signals
from tests.chroma import running_chroma

CASES = Path(__file__).parents[1] / "tests" / "knowledge" / "answer_cases.toml"
COLUMNS = {"all": Signals._fields, "keywords_only": ("coverage", "strange")}
THRESHOLDS = (0.4, 0.5, 0.55, 0.6, 0.7)


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
        kinds = [(case["q"], "answerable") for case in cases["answerable"]]
        kinds += [(question, kind) for kind in ("near", "off") for question in cases[kind]]
        rows = [signals(question, index.search(question, 8)) for question, _ in kinds]
    kind = np.array([kind for _, kind in kinds])
    for name, columns in COLUMNS.items():
        report(name, columns, np.array([[getattr(row, column) for column in columns] for row in rows]), kind)


def report(name: str, columns: tuple[str, ...], signal: "np.ndarray", kind: "np.ndarray") -> None:
    """Print one fit; `signal` has shape (questions, columns)."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import roc_auc_score
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    answerable = kind == "answerable"
    model = LogisticRegression(C=10.0)
    folds = StratifiedKFold(10, shuffle=True, random_state=0)
    chance = cross_val_predict(model, signal, answerable, cv=folds, method="predict_proba")[:, 1]
    model.fit(signal, answerable)
    weights = {column: round(float(weight), 2) for column, weight in zip(columns, model.coef_[0], strict=True)}
    print(f"\n{name}: intercept {model.intercept_[0]:.2f} {weights}")
    near = kind != "off"
    print(f"AUROC {roc_auc_score(answerable, chance):.3f}, near {roc_auc_score(answerable[near], chance[near]):.3f}")
    for threshold in THRESHOLDS:
        abstained = chance < threshold
        wrong, right = abstained & answerable, abstained & ~answerable
        print(
            f"  {threshold:.2f}: abstains on near {abstained[kind == 'near'].mean():.3f}, off"
            f" {abstained[kind == 'off'].mean():.3f}, answerable {wrong.sum() / answerable.sum():.3f};"
            f" precision {right.sum() / max(1, abstained.sum()):.3f}, recall {right.sum() / (~answerable).sum():.3f}"
        )


@contextmanager
def guide_index() -> Iterator[Index]:
    """Yield the guide's index in a temporary folder with a Chroma server of its own."""
    with tempfile.TemporaryDirectory() as name, running_chroma(Path(name) / "chroma") as server:
        folder = Path(name)
        engine = create_engine(f"sqlite:///{folder / 'passages.db'}")
        SQLModel.metadata.create_all(engine)
        embedder = open_minilm(Path.home() / ".cache" / "luthier")
        index = Index.open(engine=engine, chroma_url=server.url, embedder=embedder, data_dir=folder)
        print(index.build(load_guide()))
        yield index
        index.close()
        engine.dispose()


if __name__ == "__main__":
    main()
