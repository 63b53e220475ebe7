"""One running Luthier for all scenarios, and files cut from the shipped example so that training is short."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.whole import Whole
from trainers.data.examples import EXAMPLES

TRAIN_ROWS, TEST_ROWS = 16, 12  # each costs a second of reading, five times over


@pytest.fixture(scope="package")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Whole]:
    """Gone before other folders' tests begin, as its processes look for work all the time."""
    made = Whole(tmp_path_factory.mktemp("whole"))
    yield made
    made.stop()


@pytest.fixture(scope="session")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder, example = tmp_path_factory.mktemp("rows"), EXAMPLES["tickets"]
    made = []
    for name, source, rows in (("rows.jsonl", example.train, TRAIN_ROWS), ("held-out.jsonl", example.test, TEST_ROWS)):
        lines = source.read_text(encoding="utf-8").splitlines(keepends=True)
        (folder / name).write_text("".join(lines[:rows]), encoding="utf-8")
        made.append(folder / name)
    return made[0], made[1]
