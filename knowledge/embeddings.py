"""Turns text into vectors with a small model on the CPU; it knows nothing of where vectors are kept."""

import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from knowledge.errors import ServiceError

Vectors = npt.NDArray[np.float32]
"""Shape (texts, dimension), each row of length 1."""


class EmbeddingsUnavailable(ServiceError):
    """The embedding model does not answer."""


MAX_TOKENS = 256
"""What all-MiniLM-L6-v2 was trained to read (its model card); the rest of a longer text is not seen."""
_BATCH = 1_024
"""Tokens in one run, padding included: what fits the processor's cache. 4,096 took a fifth longer a token."""


class Embedder(Protocol):
    """What the index needs of an embedding model."""

    @property
    def name(self) -> str:
        """Name of the model; vectors of different names never meet in one collection."""

    @property
    def dimension(self) -> int:
        """Length of each vector."""

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return one unit vector per text, in the order given: shape (len(texts), dimension)."""


class MiniLM:
    """all-MiniLM-L6-v2 as int8 ONNX: mean-pooled, normalised, opened at the first call, safe to share by threads."""

    name = "minilm-l6-v2-int8"
    dimension = 384

    def __init__(self, *, model: Callable[[], Path], tokenizer: Callable[[], Path], threads: int = 0) -> None:
        """Take functions that return the files (they may have to be fetched first); 0 threads: onnxruntime decides."""
        self._model = model
        self._tokenizer = tokenizer
        self._threads = threads
        self._lock = threading.Lock()
        self._opened: tuple[Any, Any] | None = None

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return one unit vector per text, in the order given: shape (len(texts), 384)."""
        if not texts:
            return np.zeros((0, self.dimension), dtype=np.float32)
        session, tokenizer = self._open()
        tokens = [encoding.ids for encoding in tokenizer.encode_batch(list(texts))]
        vectors = np.empty((len(texts), self.dimension), dtype=np.float32)
        for rows in _batches([len(ids) for ids in tokens]):
            vectors[rows] = _pooled(session, [tokens[row] for row in rows])
        return vectors

    def _open(self) -> tuple[Any, Any]:
        with self._lock:
            if self._opened is None:
                self._opened = (_session(self._model(), self._threads), _tokens(self._tokenizer()))
            return self._opened


def open_minilm(cache: Path, *, threads: int = 0) -> MiniLM:
    """Return MiniLM with its files from the weights store under `cache`, fetched at the first use if missing."""
    from knowledge.weights import ensure

    return MiniLM(
        model=lambda: ensure("minilm-int8-onnx", cache),
        tokenizer=lambda: ensure("minilm-tokenizer", cache),
        threads=threads,
    )


def _session(path: Path, threads: int) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.log_severity_level = 3
    # Threads that spin while they wait take the processor from all else here: on two busy cores the guide took twice
    # as long to index.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def _tokens(path: Path) -> Any:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.enable_truncation(MAX_TOKENS)
    tokenizer.no_padding()
    return tokenizer


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Yield the rows of each run: a run is padded to its longest text, so texts of like length go together."""
    batch: list[int] = []
    for row in sorted(range(len(lengths)), key=lambda row: lengths[row]):
        if batch and (len(batch) + 1) * lengths[row] > _BATCH:
            yield batch
            batch = []
        batch.append(row)
    yield batch


def _pooled(session: Any, tokens: Sequence[Sequence[int]]) -> Vectors:
    """Run one batch: mean over the tokens that are not padding, then length 1."""
    ids = np.zeros((len(tokens), max(map(len, tokens))), dtype=np.int64)  # 0 is the padding token
    mask = np.zeros_like(ids)
    for row, text in enumerate(tokens):
        ids[row, : len(text)], mask[row, : len(text)] = text, 1
    feeds = {"input_ids": ids, "attention_mask": mask, "token_type_ids": np.zeros_like(ids)}
    states = session.run(None, feeds)[0]
    weights = mask[:, :, None].astype(np.float32)
    means = (states * weights).sum(axis=1) / weights.sum(axis=1)
    return np.asarray(means / np.linalg.norm(means, axis=1, keepdims=True), dtype=np.float32)
