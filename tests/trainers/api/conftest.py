"""The real engine as a fixture, on a migrated SQLite of its own."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.store.engine import open_engine
from tests.postgres import Postgres
from tests.trainers.api.by_hand import ByHand
from tests.trainers.api.shop import Shop


@pytest.fixture
def on_postgres(migrated_postgres: str, postgres: Postgres, tmp_path: Path) -> Iterator[Shop]:
    """The same on a Postgres of its own."""
    engine = open_engine(postgres.url(postgres.create(migrated_postgres)))
    made = Shop(engine, tmp_path)
    made.start()
    yield made
    made.stop()
    engine.dispose()


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


@pytest.fixture
def hand_on_postgres(migrated_postgres: str, postgres: Postgres, tmp_path: Path) -> Iterator[ByHand]:
    """A shop by hand on a Postgres of its own."""
    engine = open_engine(postgres.url(postgres.create(migrated_postgres)))
    yield ByHand.of(Shop(engine, tmp_path))
    engine.dispose()


@pytest.fixture
def hand(migrated_sqlite: Path, tmp_path: Path) -> Iterator[ByHand]:
    """The same without a server and without threads: each step is the test's."""
    shutil.copy(migrated_sqlite, tmp_path / "luthier.db")
    engine = open_engine(f"sqlite:///{tmp_path / 'luthier.db'}")
    yield ByHand.of(Shop(engine, tmp_path))
    engine.dispose()
