"""The keyword index: the same scores as bm25s gives, whatever it was made of before, and nothing of what left."""

import random
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import bm25s
import pytest

from knowledge.keywords import K1, B, KeywordIndex, terms

WORDS = [f"word{chr(97 + n % 26)}{chr(97 + n // 26)}" for n in range(200)]


def text(rng: random.Random) -> str:
    return " ".join(rng.choices(WORDS, weights=range(1, 201), k=rng.randint(1, 60)))


def write(index: KeywordIndex, texts: Mapping[str, str]) -> list[str]:
    """Index `texts`; return the ids that were asked for."""
    asked: list[str] = []

    def texts_of(ids: Sequence[str]) -> Iterable[tuple[str, str]]:
        asked.extend(ids)
        return ((key, texts[key]) for key in ids)

    index.write(
        str(hash(tuple(texts.items())) % 10**9), {key: str(hash(each)) for key, each in texts.items()}, texts_of
    )
    return asked


def test_scores_are_those_of_bm25s(tmp_path: Path) -> None:
    """Our arithmetic over arrays gives what the library's own loop gives."""
    rng = random.Random(3)
    texts = {str(n): text(rng) for n in range(120)} | {"none": "of the"}
    index = KeywordIndex(tmp_path)
    write(index, texts)
    theirs = bm25s.BM25(k1=K1, b=B)
    theirs.index([terms(each) or [""] for each in texts.values()], show_progress=False)
    for _ in range(30):
        query = list(dict.fromkeys(terms(text(rng))))
        scores = dict(zip(texts, theirs.get_scores(query), strict=True))
        assert found(index, query) == pytest.approx({key: score for key, score in scores.items() if score}, rel=1e-5)


@pytest.mark.parametrize("seed", range(4))
def test_made_step_by_step_it_is_as_made_at_once(tmp_path: Path, seed: int) -> None:
    """Passages come, change and go; each time only new texts are read, and searches are those of a fresh index."""
    rng, texts = random.Random(seed), dict[str, str]()
    grown = KeywordIndex(tmp_path / "grown")
    for step in range(6):
        before = dict(texts)
        for key in rng.sample(sorted(texts), len(texts) // 4):
            texts.pop(key) if rng.random() < 0.5 else texts.update({key: text(rng)})
        texts |= {f"{step}-{n}": text(rng) for n in range(rng.randint(0, 20))}
        asked = write(grown, texts)
        assert set(asked) == {key for key, each in texts.items() if before.get(key) != each}
        fresh = KeywordIndex(tmp_path / f"fresh-{step}")
        write(fresh, texts)
        for _ in range(5):
            query = terms(text(rng))
            assert found(grown, query) == pytest.approx(found(fresh, query))
            assert grown.count(query) == fresh.count(query)


def found(index: KeywordIndex, query: Sequence[str]) -> dict[str, float]:
    return {each.id: each.score for each in index.search(query, 1_000)}


def test_a_word_that_left_is_nowhere(tmp_path: Path) -> None:
    """Files of a new generation hold no word that only removed passages had."""
    index = KeywordIndex(tmp_path)
    write(index, {"a": "zanzibar is warm", "b": "kettles are warm"})
    write(index, {"b": "kettles are warm"})
    assert all(b"zanzibar" not in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
    write(index, {})
    assert index.search(["kettl"], 5) == []
    assert all(b"kettl" not in path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
