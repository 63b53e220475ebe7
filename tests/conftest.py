"""What holds for every test: the databases, and that long scenarios start first, beside all the rest."""

import pytest

from tests.databases import address, empty_address, engine, hasty, migrated_postgres, migrated_sqlite, postgres

__all__ = ["address", "empty_address", "engine", "hasty", "migrated_postgres", "migrated_sqlite", "postgres"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Move what trains a model to the front; the order is otherwise as collected."""
    items.sort(key=lambda item: "scenarios" not in item.nodeid)
