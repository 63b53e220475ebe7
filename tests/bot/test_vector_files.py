"""What a dropped collection leaves in the files of a stopped vector server is taken away, and the others stay."""

from pathlib import Path

import numpy as np

from bot.vector_files import tidy
from knowledge.places import Place
from knowledge.vectors import ChromaVectors, Entry
from tests.chroma import running_chroma

GOES, STAYS = Place("T1", "goes"), Place("T1", "stays")


def unit(seed: int) -> np.ndarray:
    rows = np.random.default_rng(seed).normal(size=(1_200, 32)).astype(np.float32)  # more than Chroma keeps in its log
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), dtype=np.float32)


def test_a_dropped_collection_leaves_no_folder_and_no_numbers(tmp_path: Path) -> None:
    """After the server's next start no file holds a vector of what was dropped; a neighbour is found as before."""
    assert tidy(tmp_path) == 0
    gone, kept = unit(1), unit(2)
    with running_chroma(tmp_path) as server:
        vectors = ChromaVectors(server.url, "test")
        for place, rows in ((GOES, gone), (STAYS, kept)):
            vectors.put(place, [Entry(f"{place.collection}-{n}", "d", "h") for n in range(len(rows))], rows)
        folders = len([path for path in tmp_path.iterdir() if path.is_dir()])
        vectors.drop(GOES)
        vectors.close()
    assert folders == 2
    assert held(tmp_path, gone)
    assert tidy(tmp_path) == 1
    assert not held(tmp_path, gone)
    assert tidy(tmp_path) == 0
    with running_chroma(tmp_path) as server:
        vectors = ChromaVectors(server.url, "test")
        assert vectors.search(STAYS, kept[77], 1)[0].id == "stays-77"
        assert vectors.count(STAYS) == len(kept)
        vectors.close()


def held(folder: Path, vectors: np.ndarray) -> bool:
    """Whether some file holds numbers of some vector, as they are given or as little-endian floats in a graph."""
    files = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    return any(row[:6].tobytes() in files for row in vectors)
