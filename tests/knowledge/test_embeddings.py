"""The embedding model: shape, length, meaning, order and threads."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from knowledge.embeddings import MiniLM


def test_vectors_have_length_one_and_keep_the_order(embedder: MiniLM) -> None:
    """Texts of any length come back as unit rows in the order given, though they are batched by length."""
    texts = ["short", "a much longer text about training " * 20, "", "middle sized text"] * 6
    vectors = embedder.embed(texts)
    assert vectors.shape == (24, embedder.dimension)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    assert min(float(vectors[row] @ vectors[row % 4]) for row in range(24)) > 0.9999
    assert np.allclose(embedder.embed(texts[1:2]), vectors[1:2], atol=1e-4)


def test_near_meanings_are_near(embedder: MiniLM) -> None:
    """A paraphrase is nearer than another subject."""
    asked, same, other = embedder.embed(["How much VRAM is needed?", "GPU memory requirements", "A recipe for soup"])
    assert asked @ same > asked @ other + 0.2


def test_nothing_in_nothing_out(embedder: MiniLM) -> None:
    """No text gives no row."""
    assert embedder.embed([]).shape == (0, 384)


def test_threads_share_one_model(embedder: MiniLM) -> None:
    """Eight threads asking at once get what one gets."""
    alone = embedder.embed(["What is QLoRA?"])
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda _: embedder.embed(["What is QLoRA?"]), range(32)))
    assert all(np.allclose(vectors, alone, atol=1e-5) for vectors in together)


def test_files_are_asked_for_at_the_first_call_and_once() -> None:
    """Making an embedder touches no file; a missing model shows at the first text."""
    asked: list[str] = []

    def file(name: str) -> Path:
        asked.append(name)
        raise FileNotFoundError(name)

    lazy = MiniLM(model=lambda: file("model"), tokenizer=lambda: file("tokenizer"))
    assert lazy.embed([]).shape == (0, 384)
    assert asked == []
