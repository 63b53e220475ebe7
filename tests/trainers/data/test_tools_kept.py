"""Rows that call tools or show pictures are kept whole, and trained on only where somebody reads them."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from knowledge.tenancy import Person
from trainers.backends.bases import Where, able, check_contents
from trainers.data import keeping
from trainers.data.differences import compare
from trainers.data.jsonl import read_rows
from trainers.data.lint import lint
from trainers.data.store import Datasets
from trainers.data.versions import fixed, more_rows
from trainers.errors import DatasetRejected
from trainers.evals.rule import SuccessRule
from trainers.quotes import quote
from trainers.spec import TrainingSpec
from trainers.tables import Dataset

ME = Person(workspace_id="T1", user_id="U0ADA")
NOW = datetime(2026, 12, 1, tzinfo=UTC)
TOLD: dict[str, Any] = {"person": ME, "provenance": "made for training", "now": NOW}
TOOLS = [{"type": "function", "function": {"name": "track", "parameters": {"type": "object"}}}]
DEPOTS = ("Ulm", "Bonn", "Kiel", "Jena", "Trier")


def turn(role: str, content: Any, **more: Any) -> dict[str, Any]:
    return {"role": role, "content": content, **more}


def call(number: int) -> dict[str, Any]:
    arguments = json.dumps({"parcel": number, "depot": DEPOTS[number % 5]})
    return {"id": f"c{number}", "type": "function", "function": {"name": "track", "arguments": arguments}}


def asks(number: int) -> str:
    return f"Parcel {number * 7919} left {DEPOTS[number % 5]} on day {number * 37}, {'abcdefgh'[number % 8] * 6}?"


def called(number: int) -> dict[str, Any]:
    """A row that ends with a call; every third also with its answer."""
    turns = [turn("user", asks(number)), turn("assistant", None, tool_calls=[call(number)])]
    if number % 3 == 0:
        turns += [turn("tool", "in transit", tool_call_id=f"c{number}"), turn("assistant", f"On its way {number}.")]
    return {"messages": turns, "tools": TOOLS}


def pictured(number: int) -> dict[str, Any]:
    shown = {"type": "image_url", "image_url": {"url": f"https://shop.example/{number}.png"}}
    asked = [{"type": "text", "text": asks(number)}, shown]
    return {"messages": [turn("user", asked), turn("assistant", f"A dent {number}.")]}


def put(path: Path, rows: Sequence[Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@pytest.fixture
def datasets(engine: Engine, tmp_path: Path) -> Datasets:
    return Datasets(engine, tmp_path)


def lines(datasets: Datasets, kept: Dataset) -> list[bytes]:
    """All rows of a version, as bytes."""
    return [line for _, part in keeping.parts(datasets.folder, kept)[:2] for line in part.splitlines()]


def test_calls_of_tools_are_kept_to_the_byte(datasets: Datasets, tmp_path: Path) -> None:
    """Rows come back as they were given; more rows, mending and comparing know them whole; the split has them all."""
    path = put(tmp_path / "calls.jsonl", [called(n) for n in range(40)])
    kept, report = datasets.add(path, None, name="calls", **TOLD)
    assert sorted(lines(datasets, kept)) == sorted(path.read_bytes().splitlines())
    assert (kept.calls, kept.pictures, kept.train_rows + kept.test_rows) == (True, False, 40)
    said = next(finding.message for finding in report.findings if finding.code == "more_than_texts")
    assert said.endswith("azure, fireworks, openai, together do.")
    other = json.loads(keeping.parts(datasets.folder, kept)[0][1].splitlines()[0])
    other["messages"][1]["tool_calls"][0]["function"]["arguments"] = '{"parcel": 2}'
    grown = more_rows(
        datasets,
        kept,
        put(tmp_path / "more.jsonl", [called(2), other, called(50)] + [called(n) for n in range(60, 70)]),
        file_name="more.jsonl",
        person=ME,
        provenance="more",
        now=NOW,
    )
    assert (grown.added, grown.repeated, grown.dataset.version, grown.dataset.calls) == (12, 1, 2, True)
    found = compare(datasets.folder, kept, grown.dataset)
    assert (len(found.train.added), len(found.train.changed)) == (12, 0)  # the row that is there stays too
    assert found.train.same == kept.train_rows
    assert fixed(datasets, kept, person=ME, now=NOW)[0].id == kept.id


def test_pictures_and_pairs_with_tools_are_kept(datasets: Datasets, tmp_path: Path) -> None:
    """Pictures in questions stay as they were; pairs of another format become OpenAI's, with their tools."""
    path = put(tmp_path / "shots.jsonl", [pictured(n) for n in range(40)])
    kept = datasets.add(path, None, name="shots", **TOLD).dataset
    assert sorted(lines(datasets, kept)) == sorted(path.read_bytes().splitlines())
    assert (kept.calls, kept.pictures) == (False, True)
    pairs = [
        {
            "prompt": [turn("user", asks(n))],
            "chosen": [turn("assistant", None, tool_calls=[call(n)])],
            "rejected": [turn("assistant", f"I don't know {n}.")],
        }
        for n in range(40)
    ]
    paired = datasets.add(put(tmp_path / "pairs.jsonl", pairs), None, name="pairs", **TOLD).dataset
    row = json.loads(lines(datasets, paired)[0])
    assert row["preferred_output"][0]["tool_calls"][0]["function"]["name"] == "track"
    assert (paired.pairs, paired.calls, paired.pictures) == (True, True, False)


def test_vertex_calls_are_refused_rather_than_lost(datasets: Datasets, tmp_path: Path) -> None:
    """What is written in Vertex's own form can't be kept whole, so it is blocked by its line, and lint passes it."""
    spoken = {"role": "user", "parts": [{"text": "Where?"}]}
    asked = {"role": "model", "parts": [{"functionCall": {"name": "track", "args": {}}}]}
    rows: list[Any] = [{"contents": [{"role": "user", "parts": [{"text": asks(n)}]}, asked]} for n in range(40)]
    rows[6] = {"contents": [spoken, {"role": "model", "parts": [{"text": "In Ulm"}]}]}
    path = put(tmp_path / "vertex.jsonl", rows)
    with pytest.raises(DatasetRejected, match="Vertex's own form"):
        datasets.add(path, None, name="v", **TOLD)
    assert not [each for each in lint(path, target="vertex").findings if each.code == "format_mismatch"]


def test_calls_are_told_in_words_that_people_and_marks_read(tmp_path: Path) -> None:
    """A row's texts name what is called and what it is called with; its tools are counted with what is billed."""
    row = read_rows(put(tmp_path / "a.jsonl", [called(1)])).rows[0]
    assert row.target == '→ track({"depot": "Bonn", "parcel": 1})'
    assert row.declared == {"tools": TOOLS}
    assert len(row.billed) == len(row.messages) + 1
    assert SuccessRule().fitted([row], [row]).metric == "tool_calls"


@pytest.mark.parametrize(
    ("holds", "backend", "said"),
    [
        ({"calls": True}, "local", "A run on this machine reads texts only."),
        ({"calls": True}, "openai", ""),
        ({"pictures": True}, "local", "A run on this machine reads texts only."),
        ({"pictures": True}, "azure", "How many tokens Azure OpenAI bills for a picture is not known here"),
    ],
)
def test_a_quote_says_who_trains_on_such_rows(
    datasets: Datasets, tmp_path: Path, holds: dict[str, bool], backend: str, said: str
) -> None:
    """Before anything is priced, with who does; the places that are left are those that read such rows."""
    dataset = Dataset(id="d", name="calls", version=1, train_rows=30, test_rows=20, **holds)
    if not said:
        check_contents(dataset, backend)
        assert able([Where("openai", "OpenAI", None), Where("local", "this machine", None)], "b", pairs=False, **holds)[
            0
        ] == [Where("openai", "OpenAI", None)]
        return
    spec = replace(TrainingSpec(), backend=backend)
    with pytest.raises(DatasetRejected) as refused:
        quote(dataset, spec, SuccessRule(), folder=tmp_path, tokenizer=None)
    assert said in refused.value.what
    assert "OpenAI" in refused.value.next_step or "openai" in refused.value.next_step
