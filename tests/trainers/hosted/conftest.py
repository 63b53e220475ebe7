"""Fixtures of hosted jobs: a ledger on SQLite, a provider that is like OpenAI or Azure, and the bench between them."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.trainers.hosted.shop import Shop
from tests.trainers.jobs.conftest import bell, jobs
from tests.trainers.rehearsal.provider import ThreadProvider
from trainers.jobs.service import Jobs

__all__ = ["bell", "jobs"]


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[ThreadProvider]:
    made = ThreadProvider(tmp_path)
    yield made
    made.stop()


@pytest.fixture
def shop(jobs: Jobs, provider: ThreadProvider) -> Shop:
    """A job for OpenAI, and a server that stands in for it."""
    return Shop(jobs=jobs, provider=provider, backend_name="openai")


@pytest.fixture
def azure(jobs: Jobs, provider: ThreadProvider) -> Shop:
    """The same for Azure."""
    return Shop(jobs=jobs, provider=provider, backend_name="azure")


@pytest.fixture
def address(migrated_sqlite: Path, tmp_path: Path) -> str:
    """SQLite alone: what differs between databases is tested where the ledger is."""
    shutil.copy(migrated_sqlite, tmp_path / "luthier.db")
    return f"sqlite:///{tmp_path / 'luthier.db'}"
