"""The rehearsal provider as a fixture, for all that calls it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.trainers.rehearsal.provider import ThreadProvider


@pytest.fixture
def provider(tmp_path: Path) -> Iterator[ThreadProvider]:
    """A provider of the test's own, with an empty ledger and no faults."""
    made = ThreadProvider(tmp_path)
    yield made
    made.stop()
