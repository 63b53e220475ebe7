"""Runs the sentence encoder with what it learned about use cases; it knows tokens and states, and no facts.

What was learned is a low-rank change of each weight matrix (LoRA, arXiv 2106.09685) and small changes of biases and
norms. They are added to the shipped int8 weights once, at the first call, and the sum is rounded to int8 again.
"""

import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from knowledge import onnx_weights

Array = npt.NDArray[np.float32]
MOST_TOKENS = 256
"""What the encoder was trained to read at once."""


class Tokens(NamedTuple):
    """A text as the encoder sees it."""

    states: Array
    """Shape (tokens, width)."""
    offsets: list[tuple[int, int]]
    """Where each token stands in the text, in characters; (0, 0) for marks that are no text."""


class Encoder:
    """The adapted encoder; safe to share by threads."""

    def __init__(
        self, learned: Mapping[str, npt.NDArray[Any]], *, model: Callable[[], Path], tokenizer: Callable[[], Path]
    ) -> None:
        """Take changes by weight name, and functions that return the files, which may have to be fetched first."""
        self._learned, self._model, self._tokenizer = learned, model, tokenizer
        self._lock = threading.Lock()
        self._opened: tuple[Any, Any] | None = None

    def encode(self, text: str) -> Tokens:
        """Return the states of a text's tokens; what is longer than the encoder reads is cut."""
        session, tokenizer = self._open()
        encoding = tokenizer.encode(text.encode("utf-8", "replace").decode())  # half a surrogate pair is no text
        ids = np.array([encoding.ids], dtype=np.int64)
        feeds = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        return Tokens(np.asarray(session.run(None, feeds)[0][0], dtype=np.float32), list(encoding.offsets))

    def _open(self) -> tuple[Any, Any]:
        with self._lock:
            if self._opened is None:
                self._opened = (
                    _session(adapted(self._model().read_bytes(), self._learned)),
                    _tokens(self._tokenizer()),
                )
            return self._opened


def adapted(model: bytes, learned: Mapping[str, npt.NDArray[Any]]) -> bytes:
    """Return an ONNX file whose weights are changed by what was learned.

    `NAME.a` (in, rank) and `NAME.b` (rank, out) are added to the matrix that NAME_q and NAME_scale hold, int8 and one
    scale for each column; `NAME.add` is added to float weights. Raises KeyError for a name that is not in the file.
    """
    places, changed = onnx_weights.places(model), bytearray(model)
    for key, values in learned.items():
        name, _, kind = key.rpartition(".")
        if kind == "a":
            quantised, scale = places[f"{name}_q"], places[f"{name}_scale"]
            whole = quantised.read(model).astype(np.float32) * scale.read(model)
            whole += values.astype(np.float32) @ learned[f"{name}.b"].astype(np.float32)
            steps = np.maximum(np.abs(whole).max(axis=0, keepdims=True), 1e-12) / 127
            quantised.write(changed, np.clip(np.rint(whole / steps), -127, 127).astype(np.int8))
            scale.write(changed, steps.astype(np.float32))
        elif kind == "add":
            places[name].write(changed, places[name].read(model) + values.astype(np.float32))
    return bytes(changed)


def _session(model: bytes) -> Any:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.log_severity_level = 3
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # see knowledge.embeddings
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])


def _tokens(path: Path) -> Any:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.enable_truncation(MOST_TOKENS)
    tokenizer.no_padding()
    return tokenizer
