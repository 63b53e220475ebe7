"""What holds for every test: the databases, and that long scenarios start first, beside all the rest."""

import os

import pytest

from tests.databases import address, empty_address, engine, hasty, migrated_postgres, migrated_sqlite, postgres

__all__ = ["address", "empty_address", "engine", "hasty", "migrated_postgres", "migrated_sqlite", "postgres"]


TRAINING = ("tests/scenarios/", "tests/trainers/test_scripts.py")
"""Where tests train a model: minutes for a file."""


def pytest_configure() -> None:
    """Give each of several test processes one core to train with: two children with two threads each take four times
    as long as one, on two cores."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        os.environ["LUTHIER_THREADS"] = "1"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Move what trains a model to the front, so that no process is left alone with it at the end.

    The order is otherwise as collected. `make test` tells xdist to keep it (`--no-loadscope-reorder`): by itself it
    starts files with many tests first, and these have few.
    """
    items.sort(key=lambda item: not item.nodeid.startswith(TRAINING))
