"""Fixtures that run a test on SQLite and on Postgres: `engine`, each time on an empty database at the newest schema."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, text

from bot.store.engine import open_engine
from bot.store.migrate import migrate
from tests.postgres import Postgres

__all__ = ["address", "empty_address", "engine", "hasty", "migrated_postgres", "migrated_sqlite", "postgres"]


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """One server for the whole session, started by the first test that asks."""
    server = Postgres()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def migrated_postgres(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Name of a database to be copied: copying takes 40 ms, migrating takes longer each time."""
    name = postgres.create()
    _migrate(postgres.url(name), tmp_path_factory.mktemp("run"))
    return name


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file to be copied."""
    path = tmp_path_factory.mktemp("migrated") / "luthier.db"
    _migrate(f"sqlite:///{path}", path.parent)
    return path


@pytest.fixture(params=["sqlite", "postgres"])
def address(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Address of an empty database at the newest schema; the test runs once for each kind."""
    if request.param == "sqlite":
        shutil.copy(request.getfixturevalue("migrated_sqlite"), tmp_path / "luthier.db")
        yield f"sqlite:///{tmp_path / 'luthier.db'}"
        return
    yield from _copy(request, request.getfixturevalue("migrated_postgres"))


@pytest.fixture(params=["sqlite", "postgres"])
def empty_address(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Address of a database without tables."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path / 'luthier.db'}"
        return
    yield from _copy(request, "template1")


@pytest.fixture
def engine(address: str) -> Iterator[Engine]:
    """The opened database."""
    made = open_engine(address)
    yield made
    made.dispose()


@pytest.fixture
def hasty(engine: Engine) -> Engine:
    """The same database, waiting a moment instead of half a minute for another writer."""
    engine.dispose()
    event.listen(engine, "connect", _hurry)
    return engine


@contextmanager
def kept(address: str) -> Iterator[None]:
    """Keep the whole database for one writer, as a backup or a stuck process may."""
    engine = open_engine(address)
    with engine.connect() as other:
        if engine.dialect.name == "postgresql":
            names = other.execute(text("select tablename from pg_tables where schemaname = 'public'")).scalars().all()
            other.execute(text(f"lock table {', '.join(names)} in share row exclusive mode"))
        else:
            other.begin()
        yield
    engine.dispose()


def _hurry(connection: Any, _: object) -> None:
    connection.execute(
        "PRAGMA busy_timeout=50" if isinstance(connection, sqlite3.Connection) else "SET lock_timeout = 50"
    )
    connection.commit()


def _copy(request: pytest.FixtureRequest, template: str) -> Iterator[str]:
    server: Postgres = request.getfixturevalue("postgres")
    name = server.create(template)
    yield server.url(name)
    server.drop(name)


def _migrate(url: str, run: Path) -> None:
    engine = open_engine(url)
    migrate(engine, run)
    engine.dispose()
