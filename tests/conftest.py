"""What holds for every test: the long scenarios start first, so that the other test process has the rest meanwhile."""

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Move what trains a model to the front; the order is otherwise as collected."""
    items.sort(key=lambda item: "scenarios" not in item.nodeid)
