"""SIGKILL in the middle of adding and removing: the next call for the collection finishes what was begun."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.store.engine import open_engine
from bot.store.migrate import migrate
from knowledge import indexing, keywords, passages
from knowledge.collections import Library
from knowledge.vectors import ChromaVectors
from tests.knowledge.library import NOW, ONE, Shop, document, shop

BIG = document("big.md", *(f"Part {n}: The quokka number {n} eats leaves." for n in range(20)))
STAGES: dict[str, tuple[Any, str]] = {
    "kept": (Library, "settle"),
    "words half written": (keywords, "_save"),
    "words written": (keywords.KeywordIndex, "_drop_all_but"),
    "vectors sent": (ChromaVectors, "put"),
    "vectors noted": (passages, "set_embedded"),
    "vectors removed": (ChromaVectors, "remove_document"),
    "all but closed": (Library, "_close"),
}
"""What a child does last; for the first and the last one it dies before it."""


@pytest.fixture
def here(chroma_url: str, tmp_path: Path) -> Iterator[Shop]:
    """A library that holds one document."""
    opened = open_engine(f"sqlite:///{tmp_path / 'luthier.db'}")
    migrate(opened, tmp_path / "run")
    with shop(opened, chroma_url, tmp_path) as made:
        made.add(document("old.md", "Wombats: The wombat digs.", "Tunnels: Wombats live in burrows."))
        made.add(document("stays.md", "Parrots: The kakapo walks."))
        yield made
    opened.dispose()


def add(made: Shop) -> None:
    made.library.add(BIG, ONE, size=1, by="U1", now=NOW)


def remove(made: Shop) -> None:
    made.library.remove("old.md", ONE)


def child(folder: Path, url: str, work: Callable[[Shop], None], stage: str = "", calls: int = 1) -> int:
    """Start a process that works on the same folder and kills itself at a stage; a fork, as it starts at once."""
    pid = os.fork()
    if pid:
        return pid
    try:
        if stage:
            die_at(*STAGES[stage], calls=calls, after=stage not in ("kept", "all but closed"))
        indexing._CHARACTERS = 200
        with shop(open_engine(f"sqlite:///{folder / 'luthier.db'}"), url, folder) as made:
            work(made)
    finally:
        os._exit(1)  # whatever happened: a second pytest must not go on


def die_at(owner: Any, name: str, *, calls: int, after: bool) -> None:
    real, left = getattr(owner, name), [calls]

    def wrapped(*arguments: Any, **named: Any) -> Any:
        left[0] -= 1
        done = real(*arguments, **named) if left[0] or after else None
        if not left[0]:
            os.kill(os.getpid(), signal.SIGKILL)
        return done

    setattr(owner, name, wrapped)


def killed(folder: Path, url: str, work: Callable[[Shop], None], stage: str, calls: int = 1) -> None:
    _, status = os.waitpid(child(folder, url, work, stage, calls), 0)
    assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL


def in_line(here: Shop) -> bool:
    """Whether vectors and words are exactly those of the passages in SQL."""
    marks = passages.marks(here.engine, ONE)
    return here.vectors.stored(ONE) == marks and here.shelves.at(ONE).count(["x"]).passages == len(marks)


@pytest.mark.parametrize(
    ("stage", "calls"),
    [
        ("kept", 1),
        ("words half written", 1),
        ("words written", 1),
        ("vectors sent", 1),
        ("vectors noted", 2),
        ("all but closed", 1),
    ],
)
def test_adding_that_was_killed_is_finished(
    here: Shop, tmp_path: Path, chroma_url: str, stage: str, calls: int
) -> None:
    """Killed at any stage, the document is kept and the others are found; the next run indexes the rest."""
    killed(tmp_path, chroma_url, add, stage, calls)
    assert "stays.md#parrots-0" in here.found("kakapo")
    (done,) = here.library.settle_all()
    assert (done.passages, done.degraded) == (23, "")
    assert {row.name: row.state for row in here.library.documents("T1")} == dict.fromkeys(
        ("big.md", "old.md", "stays.md"), "ready"
    )
    assert len(here.index.search("quokka", 30, "T1").hits) == 23
    assert in_line(here)


@pytest.mark.parametrize("stage", ["kept", "words half written", "words written", "vectors removed", "all but closed"])
def test_removing_that_was_killed_is_finished(here: Shop, tmp_path: Path, chroma_url: str, stage: str) -> None:
    """Killed at any stage, the document is gone from all searches at once, and the next run takes its last traces."""
    killed(tmp_path, chroma_url, remove, stage)
    assert here.found("wombat burrows") == ["stays.md#parrots-0"]
    here.library.settle(ONE)
    assert [row.name for row in here.library.documents("T1")] == ["stays.md"]
    assert in_line(here)
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert [path.name for path in files if b"wombat" in path.read_bytes().lower()] == []


def test_killed_at_any_moment_and_added_again_it_is_whole(here: Shop, tmp_path: Path, chroma_url: str) -> None:
    """A process that adds is killed some time after it began, again and again; in the end nothing is missing."""
    for pause in (0.0, 0.02, 0.05, 0.1, 0.2):
        pid, until = child(tmp_path, chroma_url, add), time.monotonic() + 30
        while len(here.library.documents("T1")) < 3 and time.monotonic() < until:
            time.sleep(0.005)
        time.sleep(pause)
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    add(here)
    assert here.vectors.count(ONE) == 23
    assert in_line(here)
