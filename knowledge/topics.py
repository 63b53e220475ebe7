"""Learns from the questions beside a guide's pages which page a new question is about; it does not search."""

import os
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from knowledge.embeddings import Vectors
from knowledge.fusion import page_of
from knowledge.passages import passage_of

RIDGE = 1.0
"""Penalty on the weights. 0.3 to 3 made no difference on our questions; 30 took half of the gain."""
LEAST = 5
"""Texts that a page must have on average: from fewer nothing is learned, and nobody guesses."""


class _Learned(NamedTuple):
    generation: str
    pages: tuple[str, ...]
    middle: Vectors
    """Mean of all texts, shape (dimension,)."""
    weights: Vectors
    """Shape (dimension, pages)."""


class Topics:
    """A linear classifier over vectors, fitted in one step (ridge regression), kept in one file; safe for threads."""

    def __init__(self, file: Path) -> None:
        """Take the file, which may not be there yet; another process may write it anew at any time."""
        self._file = file
        self._seen: tuple[int, int] | None = None
        self._learned: _Learned | None = None

    def generation(self) -> str:
        """Return what the last fit was made of; empty where there is none."""
        learned = self._newest()
        return learned.generation if learned else ""

    def learn(self, generation: str, ids: Sequence[str], vectors: Vectors) -> None:
        """Fit on the texts of passages and their questions, `vectors` of shape (len(ids), dimension), and keep it."""
        owners = [page_of(passage_of(key)) for key in ids]
        pages = sorted(set(owners))
        if len(pages) < 2 or len(ids) < LEAST * len(pages):
            self._file.unlink(missing_ok=True)
            return
        answered = np.equal.outer(owners, pages).astype(np.float64)
        texts = np.asarray(vectors, np.float64)
        middle = texts.mean(axis=0)
        texts, answered = texts - middle, answered - answered.mean(axis=0)
        weights = np.linalg.solve(texts.T @ texts + RIDGE * np.eye(texts.shape[1]), texts.T @ answered)
        self._file.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._file.with_suffix(f".{os.getpid()}.new")
        with fresh.open("wb") as file:
            kept = {"middle": middle.astype(np.float32), "weights": weights.astype(np.float32)}
            np.savez(file, generation=np.array(generation), pages=np.array(pages), **kept)
        fresh.replace(self._file)

    def scores(self, vector: Vectors) -> dict[str, float]:
        """Return 0 to 1 by page for a question of shape (dimension,): 1 is the likeliest; empty where none is known."""
        learned = self._newest()
        if learned is None or learned.middle.shape != vector.shape:
            return {}
        likely = (vector - learned.middle) @ learned.weights
        spread = float(likely.max() - likely.min()) or 1.0
        return dict(zip(learned.pages, ((likely - likely.min()) / spread).tolist(), strict=True))

    def _newest(self) -> _Learned | None:
        """Read the file where it is another than before."""
        try:
            state = self._file.stat()
        except FileNotFoundError:
            self._seen, self._learned = None, None
            return None
        if self._seen != (state.st_mtime_ns, state.st_ino):
            self._learned = _read(self._file)
            self._seen = (state.st_mtime_ns, state.st_ino)
        return self._learned


def _read(path: Path) -> _Learned | None:
    """Return what is in the file; None where it is gone or cut short, which the next build mends."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as kept:
            pages = tuple(map(str, kept["pages"]))
            return _Learned(str(kept["generation"]), pages, kept["middle"], kept["weights"])
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
