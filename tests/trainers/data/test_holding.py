"""Rows that are held out by themselves: what the linter would find on both sides is not parted where that can be."""

import csv
import io
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from knowledge.errors import UserError
from knowledge.tenancy import Person
from tests.trainers.data.test_dividing import asked
from trainers.data.grouping import group_fields
from trainers.data.holding import hold_out
from trainers.data.limits import read_limits
from trainers.data.lint import lint
from trainers.data.provenance import trail_of
from trainers.data.source import Source
from trainers.data.store import Datasets

LEAKS = {"near_leak", "group_leak", "test_overlap"}
TOLD: dict[str, Any] = {
    "person": Person(workspace_id="T1", user_id="U0ADA"),
    "provenance": "made for training",
    "now": datetime(2026, 12, 1, tzinfo=UTC),
}


def lines(questions: Sequence[str], customers: Sequence[str] = ()) -> bytes:
    made = []
    for place, question in enumerate(questions):
        turns = [{"role": "user", "content": question}, {"role": "assistant", "content": f"Answer {asked(place)}"}]
        made.append({"messages": turns} | ({"customer_id": customers[place]} if customers else {}))
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in made).encode()


def leaks(folder: Path, train: bytes, test: bytes) -> set[str]:
    for name, content in (("train.jsonl", train), ("test.jsonl", test)):
        (folder / name).write_bytes(content)
    return {found.code for found in lint(folder / "train.jsonl", test=folder / "test.jsonl").findings} & LEAKS


def test_templates_and_customers_stay_on_one_side(tmp_path: Path) -> None:
    """Rows of one template differ in a word, two templates share a customer: the parts leak nothing."""
    templates = [asked(1000 + n) for n in range(20)]
    questions = [f"{templates[n % 20]} {asked(n)[:4]} {n}" for n in range(60)]
    parts = hold_out(lines(questions, [f"c{n % 10}" for n in range(60)]))
    assert len(parts.test_lines) >= 15
    assert not {finding.code for finding in parts.findings} & LEAKS
    assert not leaks(tmp_path, parts.train, parts.test)


def test_texts_that_differ_in_a_mark_stay_on_one_side(tmp_path: Path) -> None:
    """A straight and a curly apostrophe ask the same: the data set does not block itself."""
    pairs = [(f"It's {asked(n)[:9]}", f"It\u2019s {asked(n)[:9]}") for n in range(30)]
    parts = hold_out(lines([text for pair in pairs for text in pair]))
    assert not leaks(tmp_path, parts.train, parts.test)


def test_what_can_not_be_kept_apart_is_told(engine: Engine, tmp_path: Path) -> None:
    """One template makes all rows near repeats: some are held out all the same, and a warning names the lines."""
    path = tmp_path / "rows.jsonl"
    path.write_bytes(lines([f"Where is parcel {n * 7919} that I sent" for n in range(40)]))
    kept, report = Datasets(engine, tmp_path).add(path, None, name="a", **TOLD)
    assert kept.test_rows
    found = {finding.code: finding for finding in report.findings}
    assert not report.blocked
    assert "among the rows held out" in found["near_leak"].message
    train = [spot.line for spot in trail_of(tmp_path, kept).train]
    assert set(found["near_leak"].lines) <= set(train)


def test_few_held_out_rows_are_told() -> None:
    """Where nearly all rows are of one template, only the rest can be held out: that proves nothing, and is said."""
    parts = hold_out(lines([*(f"Where is parcel {n * 7919} that I sent" for n in range(50)), *map(asked, range(7))]))
    assert 5 <= len(parts.test_lines) < 20
    assert [finding.code for finding in parts.findings] == ["few_test_rows"]


@pytest.mark.parametrize("shared", [1, 40])
def test_the_column_of_a_table_that_is_not_kept_still_tells_groups(engine: Engine, tmp_path: Path, shared: int) -> None:
    """A customer's rows stay together though the kept rows no longer name him; one value for all is no group."""
    text = io.StringIO()
    rows = [[asked(n), f"Answer {n}", f"c{n // 4 if shared == 1 else 1}"] for n in range(40)]
    csv.writer(text).writerows([["question", "answer", "customer_id"], *rows])
    path = tmp_path / "rows.csv"
    path.write_text(text.getvalue())
    datasets = Datasets(engine, tmp_path)
    kept, report = datasets.add(path, None, name="a", **TOLD)
    trail = trail_of(tmp_path, kept)
    customers = [{(spot.line - 1) // 4 for spot in side} for side in (trail.train, trail.test)]
    assert bool(customers[0] & customers[1]) is (shared == 40)
    assert "group_leak" not in {finding.code for finding in report.findings}


def test_rows_are_held_out_by_a_field_that_somebody_chose(engine: Engine, tmp_path: Path) -> None:
    """Fields that could say what belongs together are named; rows of one value stay on one side, or none is kept."""
    rows = [["question", "answer", "id", "depot", "country", "note"]]
    rows += [[asked(n), asked(n + 500), str(n), f"D{n % 12}", "one", "" if n % 2 else "x"] for n in range(60)]
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    path = tmp_path / "rows.csv"
    path.write_text(text.getvalue())
    assert group_fields(Source(path, read_limits())) == ["depot"]
    kept, _ = Datasets(engine, tmp_path).add(path, None, name="a", group="depot", **TOLD)
    trail = trail_of(tmp_path, kept)
    depots = [{(spot.line - 2) % 12 for spot in part} for part in (trail.train, trail.test)]
    assert depots[1]
    assert not depots[0] & depots[1]
    assert kept.provenance.endswith("; rows of one depot on one side")
    with pytest.raises(UserError, match="only 1 bundle"):
        Datasets(engine, tmp_path).add(path, None, name="b", group="country", **TOLD)
    with pytest.raises(UserError, match="No row has a key 'region'"):
        Datasets(engine, tmp_path).add(path, None, name="b", group="region", **TOLD)
