"""Vectors that are remembered between installations: the same ones, embedded once, and never a reason to fail."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from knowledge import remembered
from knowledge.embeddings import Vectors
from knowledge.remembered import Remembered


class Counting:
    """An embedder that counts what it is asked."""

    name, dimension = "counting", 4

    def __init__(self) -> None:
        self.asked: list[str] = []

    def embed(self, texts: Sequence[str]) -> Vectors:
        self.asked += texts
        return np.array([[len(text), 0, 0, 1] for text in texts], np.float32)


def test_a_text_is_embedded_once(tmp_path: Path) -> None:
    """Another process finds what the first one embedded, in the order that it asks for."""
    inner = Counting()
    first = Remembered(inner, tmp_path / "new" / "folder").embed(["a", "bb", "a"])
    assert first[:, 0].tolist() == [1, 2, 1]
    assert Remembered(inner, tmp_path / "new" / "folder").embed(["bb", "ccc"])[:, 0].tolist() == [2, 3]
    assert inner.asked == ["a", "bb", "ccc"]


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut", b"no archive"])
def test_a_broken_file_is_written_anew(tmp_path: Path, content: bytes) -> None:
    """What was cut short while it was written costs time, nothing else."""
    (tmp_path / "counting.npz").write_bytes(content)
    inner = Counting()
    for _ in range(2):
        assert Remembered(inner, tmp_path).embed(["a"])[0, 0] == 1
    assert inner.asked == ["a"]


def test_an_unwritable_folder_is_no_error(tmp_path: Path) -> None:
    """Where nothing can be kept, the vectors still come."""
    (tmp_path / "file").write_text("in the way")
    assert Remembered(Counting(), tmp_path / "file").embed(["a"]).shape == (1, 4)


def test_only_so_many_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The oldest go first, so the file does not grow with every version of the guide."""
    monkeypatch.setattr(remembered, "MOST", 2)
    inner = Counting()
    Remembered(inner, tmp_path).embed(["a", "bb", "ccc"])
    Remembered(inner, tmp_path).embed(["ccc", "a"])
    assert inner.asked == ["a", "bb", "ccc", "a"]
