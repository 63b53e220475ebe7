"""The linter stays quick and small whatever it reads: streams, near duplicates on disk, hostile lines."""

import json
import random
import re
import time
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.lint import write_rows
from trainers.data.likeness import canonical, near_pairs
from trainers.data.limits import shell_limits
from trainers.data.lint import lint
from trainers.data.near import Ends, near_texts
from trainers.data.spool import Spool

WORDS = [f"{first}{last}" for first in ("bo", "cel", "har", "pi", "ree") for last in ("w", "lo", "ps", "pers")]


@given(st.integers(0, 10_000), st.sampled_from(["", "Read this message and answer it in one word: "]))
@settings(max_examples=15, deadline=None)
def test_near_duplicates_on_disk_are_those_in_memory(seed: int, opening: str) -> None:
    """Band by band the same texts are found as text by text, with a shared opening or without."""
    draw = random.Random(seed)
    texts: list[str] = []
    for _ in range(120):
        copied = draw.choice(texts).split() if texts and draw.random() < 0.3 else draw.choices(WORDS, k=12)
        copied[draw.randrange(len(copied))] = draw.choice(WORDS)
        texts.append(" ".join(copied))
    texts = [f"{opening}{text}" for text in texts]
    spool, ends = Spool(), Ends()
    for text in texts:
        folded = re.sub(r"\d", "0", canonical(text))
        spool.add(folded)
        ends.see(folded)
    found = {pair.later for pair in near_texts(spool, ends, len(texts))}
    spool.close()
    assert found == {pair.later for pair in near_pairs(texts)}


def test_memory_grows_by_little_more_than_a_hundred_bytes_a_row(tmp_path: Path) -> None:
    """Four times the rows, of 300 bytes each, take a fraction of their size more: what is held is hashes, not texts."""

    def peak(rows: int) -> int:
        path = tmp_path / f"{rows}.jsonl"
        write_rows(path, rows)
        lint(path, target="openai", limits=shell_limits())  # what is loaded once does not count
        tracemalloc.start()
        lint(path, target="openai", limits=shell_limits())
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    assert (peak(800) - peak(200)) / 600 < 1000


GOOD = json.dumps({"messages": [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]}).encode()
SEEDS = (
    GOOD,
    b'{"prompt": "a", "completion": "b"}',
    b'{"contents": [{"role": "user", "parts": [{"text": "a"}]}, {"role": "model", "parts": [{"text": "b"}]}]}',
    b'{"conversations": [{"from": "human", "value": "a"}, {"from": "gpt", "value": "b"}]}',
    b'{"prompt": "a", "chosen": "b", "rejected": "c"}',
    b"prompt,completion\na,b",
    b"question;answer\n\"a\";'=1'",
)
PIECES = (b"{", b"}", b"[", b"]", b'"', b"\\", b"\\u0000", b"\\ud800", b"\x00", b"\xff", b"NaN", b",", b"\n", b"\r",
          b"1e999", b"\xef\xbb\xbf", b"-----BEGIN PRIVATE KEY-----", b"null", b"PK\x03\x04", b"<", b"\t",
          b"9" * 50)  # fmt: skip


def mutated(draw: random.Random) -> bytes:
    """One of the seeds, some bytes of which are lost, changed or have others put between them."""
    content = bytearray(draw.choice(SEEDS))
    for _ in range(draw.randint(0, 6)):
        place = draw.randrange(len(content) + 1)
        what = draw.random()
        if what < 0.4:
            content[place:place] = draw.choice(PIECES)
        elif what < 0.7:
            del content[place : place + draw.randint(1, 8)]
        else:
            content[place : place + 1] = bytes((draw.randrange(256),))
    return bytes(content)


def fuzz(path: Path, count: int, seed: int) -> float:
    """Lint so many mutants and return the slowest one's CPU seconds; whatever is wrong is a finding."""
    draw, slowest = random.Random(seed), 0.0
    for _ in range(count):
        path.write_bytes(mutated(draw))
        started = time.process_time()
        report = lint(path, target=draw.choice(("local", "openai", "vertex")))
        slowest = max(slowest, time.process_time() - started)
        assert report.blocked  # none of them has ten rows
    return slowest


def test_mutants_neither_break_nor_hold_up_the_linter(tmp_path: Path) -> None:
    """A few hundred broken files each end in a finding, within 100 ms once everything is loaded."""
    fuzz(tmp_path / "rows.txt", 50, seed=1)
    assert fuzz(tmp_path / "rows.txt", 400, seed=2) < 0.1


@pytest.mark.slow  # a million files take an hour
def test_a_million_mutants(tmp_path: Path) -> None:
    """The same for a million files."""
    fuzz(tmp_path / "rows.txt", 50, seed=1)
    assert fuzz(tmp_path / "rows.txt", 1_000_000, seed=3) < 0.1
