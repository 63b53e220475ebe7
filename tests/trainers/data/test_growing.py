"""Versions that were too small to divide: more rows make them whole, and what is held out then stays so."""

import json
from pathlib import Path

import pytest
from sqlalchemy import Engine

from knowledge.clock import utc_now
from knowledge.tenancy import Person
from trainers.data.lint import lint
from trainers.data.provenance import trail_of
from trainers.data.store import Datasets
from trainers.data.versions import fixed, more_rows

ADA = Person(workspace_id="T1", user_id="U0ADA")


def rows(tmp_path: Path, name: str, first: int, last: int) -> Path:
    file = tmp_path / name
    lines = (
        {"messages": [{"role": "user", "content": f"Where is parcel {n * 7919}, sent in week {n}?"},
                      {"role": "assistant", "content": f"Parcel {n * 7919} left in week {n}."}]}
        for n in range(first, last)
    )  # fmt: skip
    file.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    return file


def test_a_small_version_is_divided_once_there_are_enough(engine: Engine, tmp_path: Path) -> None:
    """Ten rows wait undivided; with thirty more some are held out, each row still knows its file, and all are there."""
    datasets = Datasets(engine, tmp_path)
    told = {"person": ADA, "provenance": "made for training", "now": utc_now()}
    small = datasets.add(rows(tmp_path, "a.jsonl", 0, 10), None, name="parcels", divide=False, **told).dataset
    assert (small.train_rows, small.test_rows) == (10, 0)
    grown = more_rows(datasets, small, rows(tmp_path, "b.jsonl", 10, 40), file_name="b.jsonl", **told).dataset
    assert grown.test_rows >= 5
    assert grown.train_rows + grown.test_rows == 40
    trail = trail_of(tmp_path, grown)
    assert len(trail.train) == grown.train_rows
    assert len(trail.test) == grown.test_rows
    assert {spot.origin for spot in (*trail.train, *trail.test)} == {0, 1}


def test_a_mended_row_still_knows_its_own_line(engine: Engine, tmp_path: Path) -> None:
    """Rows whose turns are mended, and rows behind one that was dropped, are from the line that they were on."""
    datasets = Datasets(engine, tmp_path)
    file = rows(tmp_path, "a.jsonl", 0, 14)
    lines = file.read_text("utf-8").splitlines()
    lines[4] = lines[4].replace('week 4."', 'week 4.  "')
    lines[7] = lines[7].replace('week 7."', 'week 7.  "')
    file.write_text("\n".join([*lines[:6], lines[2], *lines[6:]]) + "\n", "utf-8")
    kept = datasets.add(
        file, None, name="parcels", divide=False, provenance="made for training", person=ADA, now=utc_now()
    ).dataset
    mended, _, done = fixed(datasets, kept, person=ADA, now=utc_now())
    assert list(done.changes["answers"]) == [5, 9]
    assert [spot.line for spot in trail_of(tmp_path, mended).train] == [1, 2, 3, 4, 5, 6, *range(8, 16)]


def test_a_few_more_rows_leave_it_undivided(engine: Engine, tmp_path: Path) -> None:
    """Twelve rows are still too few: nothing is held out, nothing is lost."""
    datasets = Datasets(engine, tmp_path)
    told = {"person": ADA, "provenance": "made for training", "now": utc_now()}
    small = datasets.add(rows(tmp_path, "a.jsonl", 0, 10), None, name="parcels", divide=False, **told).dataset
    grown = more_rows(datasets, small, rows(tmp_path, "b.jsonl", 10, 12), file_name="b.jsonl", **told).dataset
    assert (grown.train_rows, grown.test_rows) == (12, 0)


@pytest.mark.parametrize("number", [10, 12])
def test_an_even_file_is_not_called_unbalanced(tmp_path: Path, number: int) -> None:
    """Ten rows of four labels are few, not unbalanced; nine against one are."""

    def written(labels: list[str]) -> set[str]:
        file = tmp_path / "labels.jsonl"
        lines = (
            {"messages": [{"role": "user", "content": f"Message {n * 7919} of week {n}"},
                          {"role": "assistant", "content": label}]}
            for n, label in enumerate(labels)
        )  # fmt: skip
        file.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
        return {finding.code for finding in lint(file, target="local").findings}

    assert "label_balance" not in written([("a", "b", "c", "d")[n % 4] for n in range(number)])
    assert "label_balance" in written(["a"] * (number - 1) + ["b"])
