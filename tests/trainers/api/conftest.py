"""The real engine as a fixture, on a migrated SQLite of its own."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.store.engine import open_engine
from tests.trainers.api.shop import Shop


@pytest.fixture
def shop(migrated_sqlite: Path, tmp_path: Path) -> Iterator[Shop]:
    """An API server with a worker and an empty database."""
    shutil.copy(migrated_sqlite, tmp_path / "luthier.db")
    engine = open_engine(f"sqlite:///{tmp_path / 'luthier.db'}")
    made = Shop(engine, tmp_path)
    made.start()
    yield made
    made.stop()
    engine.dispose()
