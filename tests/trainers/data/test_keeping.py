"""What becomes of rows that somebody deleted, also where the deletion was cut short."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, update

from knowledge.errors import UserError
from knowledge.tenancy import Person
from trainers.data import keeping
from trainers.data.examples import EXAMPLES
from trainers.data.naming import checked
from trainers.data.store import Datasets
from trainers.errors import DatasetRejected
from trainers.tables import Dataset

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


def add(datasets: Datasets, name: str, changed: bytes = b"") -> Dataset:
    """Keep the example under a name, as it is or with other bytes behind it."""
    path = datasets.folder / "given.jsonl"
    path.write_bytes(EXAMPLES["tickets"].train.read_bytes() + changed)
    test = EXAMPLES["tickets"].test
    return datasets.add(path, test, name=name, person=ADA, provenance="test", now=NOW).dataset


@pytest.mark.parametrize("name", ["tickets v2", "tickets:2", "tickets@2", "tickets v2 v3", "ds_sales"])
def test_a_name_is_no_version_and_no_id(name: str) -> None:
    """Such a name is refused with another one that will do."""
    with pytest.raises(UserError, match="read as a version or an id") as refused:
        checked(name)
    assert checked(refused.value.next_step.split("'")[1])


def test_a_file_called_like_a_version_becomes_another_name(engine: Engine, tmp_path: Path) -> None:
    """An upload is not refused for its file's name; renaming to such a name is."""
    datasets = Datasets(engine, tmp_path)
    kept = add(datasets, "tickets v2")
    assert kept.name == "tickets-v2"
    with pytest.raises(UserError, match="read as a version"):
        keeping.rename(engine, kept, "tickets v9", ADA, NOW)


def test_a_name_from_before_is_taken_exactly_and_deletes_nothing_else(engine: Engine, tmp_path: Path) -> None:
    """Where a data set is called like another one's version, asking takes the name, deleting asks which is meant."""
    datasets = Datasets(engine, tmp_path)
    first, second = add(datasets, "tickets"), add(datasets, "tickets", b"\n")
    other = add(datasets, "sales")
    assert keeping.one_version(datasets, ADA, "tickets v2").id == second.id
    with engine.begin() as connection:
        table = Dataset.__table__  # type: ignore[attr-defined]  # SQLModel adds it at class creation
        connection.execute(update(table).where(table.c.id == other.id).values(name="tickets v2"))
    assert keeping.named(datasets, ADA, "tickets v2").id == other.id
    with pytest.raises(DatasetRejected, match="which version"):
        keeping.one_version(datasets, ADA, "tickets v2")
    assert keeping.one_version(datasets, ADA, first.id).id == first.id
    with pytest.raises(DatasetRejected, match="no version"):
        keeping.one_version(datasets, ADA, "ds_sales")
