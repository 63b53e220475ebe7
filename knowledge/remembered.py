"""Remembers on disk the vectors of texts that are the same in every installation; it does not know which those are.

The guide is embedded anew for each data folder, which took 20 seconds; with this, once for each machine and version.
Texts of teams must never come here: what is remembered is not removed with a document.
"""

import hashlib
import os
import zipfile
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np

from knowledge.embeddings import Embedder, Vectors

MOST = 20_000
"""Vectors kept, 30 MB; the oldest go first."""


class Remembered:
    """An embedder that looks into a file before it asks the other one; what it cannot read or write is no error."""

    def __init__(self, embedder: Embedder, folder: Path) -> None:
        """Take who embeds what is new, and a folder that may not exist yet."""
        self._embedder = embedder
        self.name, self.dimension = embedder.name, embedder.dimension
        self._file = folder / f"{embedder.name}.npz"

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return one unit vector per text, in the order given: shape (len(texts), dimension)."""
        known, keys = self._known(), [hashlib.sha256(text.encode()).hexdigest()[:32] for text in texts]
        new = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
        if new:
            known |= dict(zip(new, self._embedder.embed(list(new.values())), strict=True))
            self._keep(known)
        rows = [known[key] for key in keys]
        return np.stack(rows) if rows else np.zeros((0, self.dimension), np.float32)

    def _known(self) -> dict[str, Vectors]:
        try:
            with self._file.open("rb") as file, np.load(file, allow_pickle=False) as kept:
                keys, vectors = kept["keys"], kept["vectors"]
        except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):  # none yet, or cut short
            return {}
        return dict(zip(map(str, keys), vectors, strict=True)) if vectors.shape[1:] == (self.dimension,) else {}

    def _keep(self, known: dict[str, Vectors]) -> None:
        newest = list(known.items())[-MOST:]
        fresh = self._file.with_suffix(f".{os.getpid()}.new")
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True)
            with fresh.open("wb") as file:
                np.savez(file, keys=np.array([key for key, _ in newest]), vectors=np.stack([v for _, v in newest]))
            fresh.replace(self._file)
        except OSError:  # a full disk or a locked folder only makes the next build slow
            with suppress(OSError):
                fresh.unlink()
