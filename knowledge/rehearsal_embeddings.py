"""Makes vectors for the rehearsal server: texts that share words are near; no model is behind it."""

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from knowledge.keywords import terms

DIMENSION = 96
"""Length of a vector; the default of no real model, so that nobody takes it for one."""


def vectors(texts: Sequence[str]) -> list[list[float]]:
    """Return one vector per text: the sum of a direction for each of its words."""
    return [[round(float(number), 6) for number in _vector(text)] for text in texts]


def embeddings(body: Mapping[str, Any], model: str) -> dict[str, Any]:
    """Return the answer to a request as OpenAI gives it; rows come last first, for callers have to look at `index`."""
    asked = body.get("input", "")
    texts = [asked] if isinstance(asked, str) else [str(text) for text in asked]
    data = [{"object": "embedding", "index": row, "embedding": vector} for row, vector in enumerate(vectors(texts))]
    used = sum(len(text.split()) for text in texts)
    return {
        "object": "list",
        "model": model,
        "data": data[::-1],
        "usage": {"prompt_tokens": used, "total_tokens": used},
    }


def _vector(text: str) -> Any:
    total = np.full(DIMENSION, 0.01)
    for word in terms(text):
        seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:4], "big")
        total += np.random.default_rng(seed).normal(size=DIMENSION)
    return total
