"""Knows words: how text becomes stems, and a BM25 index of one collection on disk; it knows no other collection."""

import hashlib
import json
import logging
import re
import shutil
import threading
import tomllib
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import Stemmer

from knowledge.term_counts import TermCounts, bm25, count, joined

K1, B = 1.2, 0.75
"""BM25's usual constants, as measured in our notes on retrieval (help-desk set, 100 questions)."""

_WORDS = tomllib.loads((Path(__file__).parent / "words.toml").read_text(encoding="utf-8"))
_STOP = frozenset(_WORDS["stop"].split())
_SPELLINGS = tuple((re.compile(pattern), str(replacement)) for pattern, replacement in _WORDS["spellings"])
_WORD = re.compile(r"[^\W_]+(?:\.\d+)?")
ANALYSIS = hashlib.sha256(repr((_WORDS, K1, B)).encode()).hexdigest()
"""Changes whenever text becomes other stems than before, so that an index written by older code is replaced."""
_local = threading.local()


class Scored(NamedTuple):
    """One passage found by its words."""

    id: str
    score: float


class Rarity(NamedTuple):
    """How telling one term of a question is."""

    term: str
    weight: float
    """BM25's inverse document frequency: about 0 for a word in every passage, largest for a word in none."""
    known: bool
    """False where no passage holds the term."""


def terms(text: str) -> list[str]:
    """Return the stems of the content words in `text`, in order, repeats kept."""
    lowered = text.lower().replace("’", "'")
    for pattern, replacement in _SPELLINGS:
        lowered = pattern.sub(replacement, lowered)
    words = [word for word in _WORD.findall(lowered) if word not in _STOP and (len(word) > 1 or word.isdigit())]
    return [_stem(word) for word in words]


@lru_cache(maxsize=65_536)
def _stem(word: str) -> str:
    # A stemmer holds state between calls, so each thread has its own.
    stemmer = getattr(_local, "stemmer", None)
    if stemmer is None:
        stemmer = _local.stemmer = Stemmer.Stemmer("english")
    return str(stemmer.stemWord(word))


Texts = Callable[[Sequence[str]], Iterable[tuple[str, str]]]
"""Gives id and words of the passages with the ids that it is given; one that is gone by now is left out."""


class KeywordIndex:
    """A BM25 index in a folder, read memory-mapped; a new one replaces the old in one step, also under readers."""

    def __init__(self, folder: Path) -> None:
        """Take the folder that holds the generations; nothing is read yet."""
        self.folder = folder
        self._lock = threading.Lock()
        self._loaded: _Loaded | None = None

    def generation(self) -> str:
        """Return the name of the generation in use; empty before the first."""
        try:
            return (self.folder / "current").read_text(encoding="utf-8").strip()
        except FileNotFoundError:
            return ""

    def write(self, generation: str, hashes: Mapping[str, str], texts_of: Texts) -> None:
        """Index passages, given by id with the hash of their content, as `generation`.

        `texts_of` is asked for the words of those only that the generation in use does not have.
        """
        target = self.folder / generation
        scratch = self.folder / f"{generation}.part"
        shutil.rmtree(scratch, ignore_errors=True)
        scratch.mkdir(parents=True)
        _save(scratch, hashes, _read(self.folder / self.generation()), texts_of)
        shutil.rmtree(target, ignore_errors=True)
        scratch.rename(target)
        pointer = self.folder / "current.part"
        pointer.write_text(generation, encoding="utf-8")
        pointer.replace(self.folder / "current")
        self._drop_all_but(generation)

    def drop(self) -> None:
        """Remove all generations; what searches now still ends well."""
        (self.folder / "current").unlink(missing_ok=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def search(self, query: Sequence[str], k: int) -> list[Scored]:
        """Return up to `k` passages that share a term with `query`, best first."""
        loaded = self._current()
        known = [term for term in dict.fromkeys(query) if loaded and term in loaded.vocabulary]
        if loaded is None or not known:
            return []
        scores = loaded.bm25.get_scores(known)
        rows = np.flatnonzero(scores)
        if len(rows) > k:
            # Of equals the first ones stay, so that the same search gives the same passages.
            limit = np.partition(scores, -k)[-k]
            rows = rows[scores[rows] >= limit]
        order = rows[np.argsort(-scores[rows], kind="stable")][:k]
        return [Scored(loaded.ids[row], float(scores[row])) for row in order]

    def count(self, query: Sequence[str]) -> "Counts":
        """Return how many passages there are, and in how many of them each different term of `query` is."""
        loaded = self._current()
        frequencies = {term: loaded.frequency(term) if loaded else 0 for term in query}
        return Counts(len(loaded.ids) if loaded else 0, frequencies)

    def _current(self) -> "_Loaded | None":
        """Return the generation on disk, loaded once; another process may have written a newer one."""
        name = self.generation()
        with self._lock:
            if self._loaded is None or self._loaded.name != name:
                self._loaded = _load(self.folder / name, name) if name else None
            return self._loaded

    def _drop_all_but(self, generation: str) -> None:
        # A reader that mapped an older generation keeps its pages: unlinking does not unmap.
        for folder in self.folder.iterdir():
            if folder.is_dir() and folder.name != generation:
                shutil.rmtree(folder, ignore_errors=True)


class Counts(NamedTuple):
    """How often terms are met in one collection."""

    passages: int
    frequencies: Mapping[str, int]


def rarities(counts: Sequence[Counts]) -> list[Rarity]:
    """Return how rare each counted term is over the collections together."""
    passages = sum(each.passages for each in counts)
    total: dict[str, int] = {}
    for each in counts:
        for term, frequency in each.frequencies.items():
            total[term] = total.get(term, 0) + frequency
    return [_rarity(term, passages, frequency) for term, frequency in total.items()]


class _Loaded(NamedTuple):
    """One generation in memory."""

    name: str
    ids: list[str]
    bm25: Any
    vocabulary: dict[str, int]

    def frequency(self, term: str) -> int:
        """Return in how many passages `term` occurs."""
        row = self.vocabulary.get(term)
        if row is None:
            return 0
        starts = self.bm25.scores["indptr"]
        return int(starts[row + 1] - starts[row])


class _Written(NamedTuple):
    """What a generation was made of, to make the next one of."""

    hashes: dict[str, str]
    counted: TermCounts


def _read(folder: Path) -> _Written | None:
    """Return what the generation in `folder` was made of; None where there is none, or one by other rules."""
    try:
        made = json.loads((folder / "made-of.json").read_text(encoding="utf-8"))
        if made["analysis"] != ANALYSIS or not made["hashes"]:
            return None
        arrays = (np.load(folder / f"{name}.npy", mmap_mode="r") for name in ("terms", "counts", "starts"))
        counted = TermCounts(made["vocabulary"], *arrays)
    except (FileNotFoundError, NotADirectoryError):
        return None
    return _Written(made["hashes"], counted)


def _save(folder: Path, hashes: Mapping[str, str], old: _Written | None, texts_of: Texts) -> None:
    """Index into an empty folder: passages that `old` has as they are, then the others."""
    there = old.hashes if old else {}
    same = {key: row for row, (key, known) in enumerate(there.items()) if hashes.get(key) == known}
    new = dict(texts_of([key for key in hashes if key not in same]))
    counted = count(terms(text) for text in new.values())
    if old is not None and same:
        counted = joined(old.counted, list(same.values()), counted)
    ids = [*same, *new]
    if ids:
        bm25s = _bm25s().BM25(k1=K1, b=B)
        bm25s.scores, bm25s.nonoccurrence_array = bm25(counted, K1, B), None
        bm25s.vocab_dict = {term: number for number, term in enumerate(counted.vocabulary)}
        bm25s.save(folder, show_progress=False)
    for name in ("terms", "counts", "starts"):
        np.save(folder / f"{name}.npy", getattr(counted, name))
    made = {"analysis": ANALYSIS, "hashes": {key: hashes[key] for key in ids}, "vocabulary": counted.vocabulary}
    (folder / "made-of.json").write_text(json.dumps(made), encoding="utf-8")
    (folder / "rows.json").write_text(json.dumps(ids), encoding="utf-8")


def _load(folder: Path, name: str) -> _Loaded | None:
    try:
        ids = json.loads((folder / "rows.json").read_text(encoding="utf-8"))
        if not ids:
            return None
        loaded = _bm25s().BM25.load(folder, mmap=True, show_progress=False)
    except FileNotFoundError:
        return None
    return _Loaded(name, ids, loaded, loaded.vocab_dict)


def _rarity(term: str, passages: int, frequency: int) -> Rarity:
    """Return Robertson's idf with Lucene's +1, the form that bm25s scores with."""
    weight = float(np.log(1 + (passages - frequency + 0.5) / (frequency + 0.5)))
    return Rarity(term, weight, frequency > 0)


def _bm25s() -> Any:
    """Import on first use: half a second that the web process should not pay at start."""
    import bm25s

    logging.getLogger("bm25s").setLevel(logging.WARNING)  # it sets itself to DEBUG

    return bm25s
