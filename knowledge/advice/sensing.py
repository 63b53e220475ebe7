"""Knows how the learned reader tells facts from the states of tokens; it does not know how the encoder runs.

For each value of each fact a learned query looks for the token that shows it, and a learned weight says how sure that
is. Both were trained on statements and use cases that were written for this purpose (`bench/reader_training.py`).
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt

from knowledge.advice.encoder import Array, Encoder, Tokens
from knowledge.advice.facts import Value

WEIGHTS = Path(__file__).parent / "reader.npz"
WINDOW = 700
"""Characters that are read at once, cut at the ends of sentences: about 160 tokens, as long as a use case."""
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+|\n+")
_CLAUSE_END = re.compile(r"[.;!?\n]|,\s|\s-\s|:\s|\b(?:but|and|so|because|while|although)\b")


class Sensed(NamedTuple):
    """One value of one fact, how likely the text states it, and where."""

    fact: str
    value: Value | None
    """None for a number: it is read from the words."""
    p: float
    """0 to 1."""
    at: int
    """Where the word stands that shows it best, in characters."""
    start: int
    end: int
    """The clause around it."""


class Senses:
    """The learned reader."""

    def __init__(self, encoder: Encoder, learned: Mapping[str, npt.NDArray[Any]]) -> None:
        """Take the encoder and the head: `query.w` and `value.w` of shape (width, classes), `query.b`, `value.b`."""
        self._encoder = encoder
        self._head: dict[str, Array] = {
            key: learned[key].astype(np.float32) for key in ("query.w", "query.b", "value.w", "value.b")
        }
        self.classes: list[tuple[str, Value | None]] = [tuple(each) for each in json.loads(str(learned["classes"]))]

    def sense(self, text: str) -> list[Sensed]:
        """Return every value of every fact with its likelihood, the best of all windows of the text."""
        best: dict[tuple[str, Value | None], Sensed] = {}
        for start, part in windows(text):
            for each in self._window(part, start, text):
                key = (each.fact, each.value)
                if key not in best or each.p > best[key].p:
                    best[key] = each
        return list(best.values())

    def _window(self, part: str, start: int, text: str) -> Iterator[Sensed]:
        tokens = self._encoder.encode(part)
        likely, shown = self._judge(tokens)
        for (fact, value), p, token in zip(self.classes, likely, shown, strict=True):
            begin, end = tokens.offsets[token]
            yield Sensed(fact, value, float(p), start + begin, *_clause(text, start + begin, start + end))

    def _judge(self, tokens: Tokens) -> tuple[Array, list[int]]:
        """Return each class's likelihood and the token that it looks at most."""
        head = self._head
        looks = tokens.states @ head["query.w"] + head["query.b"]
        looks = np.exp(looks - looks.max(axis=0, keepdims=True))
        looks /= looks.sum(axis=0, keepdims=True)
        says = tokens.states @ head["value.w"] + head["value.b"]
        likely = 1 / (1 + np.exp(-(looks * says).sum(axis=0)))
        inner = looks.copy()
        inner[[0, -1]] = 0  # the marks of beginning and end are no text
        return np.asarray(likely, dtype=np.float32), [int(token) for token in inner.argmax(axis=0)]


def open_senses(cache: Path) -> Senses:
    """Return the learned reader with its encoder from the weights store under `cache`, fetched at the first use."""
    from knowledge.weights import ensure

    with np.load(WEIGHTS, allow_pickle=False) as file:
        learned = {key: file[key] for key in file.files}
    changes = {key: value for key, value in learned.items() if key.endswith((".a", ".b", ".add"))}
    changes = {key: value for key, value in changes.items() if not key.startswith(("query.", "value."))}
    model: Callable[[], Path] = lambda: ensure("minilm-int8-onnx", cache)  # noqa: E731
    return Senses(Encoder(changes, model=model, tokenizer=lambda: ensure("minilm-tokenizer", cache)), learned)


def windows(text: str) -> Iterator[tuple[int, str]]:
    """Cut a text at ends of sentences into parts of about WINDOW characters; yields the start of each and its text."""
    start = end = 0
    for place in [*(match.end() for match in _SENTENCE_END.finditer(text)), len(text)]:
        if place - start > WINDOW and end > start:
            yield start, text[start:end]
            start = end
        end = place
        while end - start > WINDOW * 2:
            yield start, text[start : start + WINDOW]
            start += WINDOW
    if text[start:].strip():
        yield start, text[start:]


def _clause(text: str, begin: int, end: int) -> tuple[int, int]:
    """Widen a token to the clause around it."""
    before = [match.end() for match in _CLAUSE_END.finditer(text, 0, begin)]
    after = _CLAUSE_END.search(text, end)
    start, stop = (before[-1] if before else 0), (after.start() if after else len(text))
    while start < begin and text[start].isspace():
        start += 1
    return start, max(stop, end)
