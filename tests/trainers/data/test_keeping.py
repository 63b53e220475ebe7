"""What becomes of rows that somebody deleted, also where the deletion was cut short."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from knowledge.tenancy import Person
from trainers.data import keeping
from trainers.data.examples import EXAMPLES
from trainers.data.store import Datasets

ADA = Person(workspace_id="T1", user_id="U0ADA")
NOW = datetime(2026, 11, 30, tzinfo=UTC)


def test_a_deletion_that_was_cut_short_is_finished(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that dies before the files are gone leaves a row that says so; the sweeper takes the files."""
    datasets, example = Datasets(engine, tmp_path), EXAMPLES["tickets"]
    kept = datasets.add(example.train, example.test, name="tickets", person=ADA, provenance="test", now=NOW).dataset
    rows = tmp_path / kept.train_path
    with monkeypatch.context() as cut:
        cut.setattr(keeping, "remove_files", lambda *_: False)
        assert keeping.delete(datasets, engine, kept, ADA, NOW)
    assert rows.is_file()
    assert [keeping.sweep_deleted(engine, tmp_path) for _ in range(2)] == [1, 0]
    assert not rows.exists()
