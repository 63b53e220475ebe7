"""One running Luthier with real weights, and files cut from the shipped example so that training is short."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.whole import Whole
from trainers.data.examples import EXAMPLES

TRAIN_ROWS, TEST_ROWS = 16, 8  # each costs a second of reading, five times over


@pytest.fixture(scope="package")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    """Gone before other folders' tests begin, as its processes look for work all the time."""
    made = Whole(tmp_path_factory.mktemp("whole"))
    yield made
    made.stop()


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return cut(tmp_path_factory.mktemp("rows"), TRAIN_ROWS, TEST_ROWS)


def cut(folder: Path, train: int, test: int) -> tuple[Path, Path]:
    """Write the first rows of the shipped example's two files."""
    made, example = [], EXAMPLES["tickets"]
    for name, source, rows in (("rows.jsonl", example.train, train), ("held-out.jsonl", example.test, test)):
        lines = source.read_text(encoding="utf-8").splitlines(keepends=True)
        (folder / name).write_text("".join(lines[:rows]), encoding="utf-8")
        made.append(folder / name)
    return made[0], made[1]
