"""What the linter counts as a row is kept as one, or nothing is: no row is lost between two readers."""

import csv
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from knowledge.tenancy import Person
from trainers.data import store
from trainers.data.jsonl import read_rows
from trainers.data.lint import lint
from trainers.data.store import Datasets
from trainers.errors import DatasetRejected

TOLD: dict[str, Any] = {
    "person": Person(workspace_id="T1", user_id="U0ADA"),
    "provenance": "made for training",
    "now": datetime(2026, 12, 1, tzinfo=UTC),
}


def chat(number: int, *, last: int | None = None, length: int = 0) -> dict[str, Any]:
    """Two answers; with `last` as the weight of the second."""
    asked = f"Where is parcel {number * 7919}? " + "x" * length
    turns: list[dict[str, Any]] = [
        {"role": "user", "content": asked},
        {"role": "assistant", "content": f"In town {number}."},
        {"role": "user", "content": "Thanks"},
        {"role": "assistant", "content": "Welcome"},
    ]
    if last is not None:
        turns[1]["weight"], turns[3]["weight"] = 1, last
    return {"messages": turns}


def test_a_row_whose_earlier_answer_alone_is_trained_on_is_kept(engine: Engine, tmp_path: Path) -> None:
    """Rows that end with an answer of weight 0 are rows, for the linter and for what reads them again."""
    path = tmp_path / "rows.jsonl"
    rows = [chat(n, last=0 if n % 3 == 0 else 1) for n in range(54)]
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    kept, report = Datasets(engine, tmp_path).add(path, None, name="a", **TOLD)
    assert report.rows == kept.train_rows + kept.test_rows == 54


def test_a_row_without_a_trained_answer_is_refused_by_both_readers(tmp_path: Path) -> None:
    """Where no answer has another weight than 0 there is nothing to learn."""
    path = tmp_path / "rows.jsonl"
    row = chat(1, last=0)
    row["messages"][1]["weight"] = 0
    path.write_text(json.dumps(row) + "\n")
    assert [finding.code for finding in read_rows(path).findings] == ["bad_message"]
    assert "no_trainable_tokens" in {finding.code for finding in lint(path).findings if finding.severity == "BLOCK"}


@pytest.mark.parametrize("kind", ["json", "csv", "alpaca"])
def test_a_row_over_the_cap_is_named_whatever_it_stands_in(tmp_path: Path, kind: str) -> None:
    """A list, a table and another format have the cap of a line: such a row could not be read again."""
    path = tmp_path / f"rows.{'jsonl' if kind == 'alpaca' else kind}"
    texts = [f"Where is parcel {n}? " + "x" * (1_048_500 if n == 4 else 0) for n in range(12)]
    if kind == "csv":
        with path.open("w", newline="") as file:
            csv.writer(file).writerows([["question", "answer"], *([text, "There"] for text in texts)])
    elif kind == "json":
        path.write_text(json.dumps([chat(n, length=1_048_576 if n == 4 else 0) for n in range(12)]))
    else:
        path.write_text("".join(json.dumps({"instruction": t, "output": "T"}) + "\n" for t in texts))
    found = {finding.code: finding.lines for finding in lint(path).findings}
    assert found["line_too_long"] == ((6,) if kind == "csv" else (5,))


def test_nothing_is_kept_where_a_row_would_be_lost(
    engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Should the two readers differ again, the file is refused with both numbers, and nothing lies there."""
    path = tmp_path / "rows.jsonl"
    path.write_text("".join(json.dumps(chat(n)) + "\n" for n in range(40)))
    datasets = Datasets(engine, tmp_path)
    whole = path.read_bytes()
    monkeypatch.setattr(store, "_rows_of", lambda *_: whole[: whole.rindex(b"\n", 0, -1) + 1])
    with pytest.raises(DatasetRejected, match="39 of 40 rows"):
        datasets.add(path, None, name="a", **TOLD)
    monkeypatch.setattr(store, "_rows_of", lambda *_: whole + b'{"id": 7}\n')
    with pytest.raises(DatasetRejected, match="40 of 41 rows"):
        datasets.add(path, None, name="a", divide=False, **TOLD)
    assert not (tmp_path / "datasets").exists()
