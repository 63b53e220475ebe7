"""Preference pairs as rows of a data set: kept in one shape, judged, divided, grown, and never mixed with chats."""

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine

from knowledge.tenancy import Person
from trainers.data.counting import ByO200k
from trainers.data.dividing import divide
from trainers.data.formats import detect, to_chat
from trainers.data.formats.preference import to_openai_pair
from trainers.data.jsonl import read_rows
from trainers.data.lint import lint
from trainers.data.store import Added, Datasets
from trainers.data.versions import fixed, more_rows
from trainers.errors import DatasetRejected

ADA = Person(workspace_id="T1", user_id="U0ADA")
NOW = datetime(2026, 11, 30, tzinfo=UTC)
Json = dict[str, Any]


def turn(role: str, content: str) -> Json:
    return {"role": role, "content": content}


def as_openai(number: int) -> Json:
    asked = [turn("system", "Help."), turn("user", f"Where is parcel {number * 7919}, sent in week {number}?")]
    return {
        "input": {"messages": asked},
        "preferred_output": [turn("assistant", f"Sorry for the wait! Parcel {number * 7919} comes tomorrow.")],
        "non_preferred_output": [turn("assistant", f"No idea where {number * 7919} is.")],
    }


def as_trl(number: int) -> Json:
    row = as_openai(number)
    said = {"chosen": row["preferred_output"], "rejected": row["non_preferred_output"]}
    return {"prompt": row["input"]["messages"]} | said


def as_texts(number: int) -> Json:
    row = as_trl(number)
    texts = {name: row[name][0]["content"] for name in ("chosen", "rejected")}
    return {"system": "Help.", "prompt": row["prompt"][1]["content"]} | texts


def as_chat(number: int) -> Json:
    row = as_openai(number)
    return {"messages": row["input"]["messages"] + row["preferred_output"]}


SHAPES = {"openai": as_openai, "trl": as_trl, "texts": as_texts}


def file(folder: Path, shape: Any, count: int = 40, start: int = 0, name: str = "rows.jsonl") -> Path:
    path = folder / name
    made = (shape(number) for number in range(start, start + count))
    path.write_text("".join(json.dumps(row) + "\n" for row in made), "utf-8")
    return path


def added(datasets: Datasets, path: Path, test: Path | None = None) -> Added:
    return datasets.add(path, test, name="parcels", person=ADA, provenance="made up", now=NOW)


@pytest.mark.parametrize("shape", SHAPES)
def test_pairs_of_every_shape_are_kept_in_openais(engine: Engine, tmp_path: Path, shape: str) -> None:
    """Whatever they came as, both answers are there, in both parts; no question is in training and test."""
    datasets = Datasets(engine, tmp_path)
    kept = added(datasets, file(tmp_path, SHAPES[shape])).dataset
    assert (kept.pairs, kept.train_rows + kept.test_rows) == (True, 40)
    assert kept.test_rows >= 13
    train, test = (read_rows(tmp_path / path).rows for path in (kept.train_path, kept.test_path))
    assert not {row.prompt for row in train} & {row.prompt for row in test}
    row = train[0]
    assert (row.messages[-1].content[:5], row.rejected[-1].content[:7]) == ("Sorry", "No idea")
    assert row.messages[:-1] == row.rejected[:-1]
    first = json.loads((tmp_path / kept.train_path).read_text().splitlines()[0])
    assert set(first) == {"input", "preferred_output", "non_preferred_output"}
    assert lint(tmp_path / kept.train_path, target="openai").blocked is False


def test_the_same_pairs_in_another_shape_are_the_same_version(engine: Engine, tmp_path: Path) -> None:
    """A version is its rows, whatever the file looked like."""
    datasets = Datasets(engine, tmp_path)
    versions = [added(datasets, file(tmp_path, shape, name=name)).dataset for name, shape in SHAPES.items()]
    assert len({version.id for version in versions}) == 1


def test_chats_are_no_pairs(engine: Engine, tmp_path: Path) -> None:
    """A data set of chats is kept as it was."""
    path = file(tmp_path, as_chat)
    kept = added(Datasets(engine, tmp_path), path).dataset
    assert kept.pairs is False
    assert read_rows(tmp_path / kept.train_path).rows[0].rejected == ()


def test_pairs_and_chats_are_not_mixed(engine: Engine, tmp_path: Path) -> None:
    """Not as training and test rows, not in one file, and not as a later version."""
    datasets = Datasets(engine, tmp_path)
    chats, pairs = file(tmp_path, as_chat, name="c.jsonl"), file(tmp_path, as_openai, name="p.jsonl")
    tests = file(tmp_path, as_chat, 20, 100, "t.jsonl")
    with pytest.raises(DatasetRejected, match="train on are preference pairs, the rows to test on chat rows"):
        added(datasets, pairs, tests)
    both = tmp_path / "both.jsonl"
    both.write_bytes(chats.read_bytes() + file(tmp_path, as_openai, 20, 200, "q.jsonl").read_bytes())
    with pytest.raises(DatasetRejected, match="another format"):
        added(datasets, both)
    kept, told = added(datasets, pairs).dataset, {"person": ADA, "provenance": "made up", "now": NOW}
    with pytest.raises(DatasetRejected, match="preference pairs"):
        more_rows(datasets, kept, file(tmp_path, as_chat, 20, 300, "m.jsonl"), file_name="m.jsonl", **told)  # type: ignore[arg-type]


def test_pairs_grow_and_are_mended_as_pairs(engine: Engine, tmp_path: Path) -> None:
    """More pairs of another shape, some of them known, become the next version; mending keeps both answers."""
    datasets = Datasets(engine, tmp_path)
    kept = added(datasets, file(tmp_path, as_openai)).dataset
    grown = more_rows(
        datasets, kept, file(tmp_path, as_trl, 30, 20, "more.jsonl"), file_name="more.jsonl", person=ADA,
        provenance="made up", now=NOW,
    )  # fmt: skip
    assert (grown.added, grown.repeated, grown.dataset.pairs) == (10, 20, True)
    path = tmp_path / grown.dataset.train_path
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes())
    mended, _, _ = fixed(datasets, grown.dataset, person=ADA, now=NOW)
    assert mended.pairs
    assert all(row.rejected for row in read_rows(tmp_path / mended.train_path).rows)


def test_a_file_of_pairs_is_divided_into_pairs(tmp_path: Path) -> None:
    """`luthier split` writes OpenAI's preference rows, both answers in each."""
    words = ["parcel", "invoice", "refund", "address", "voucher", "return", "size", "colour"]

    def asked(number: int) -> Json:
        return as_trl(number) | {"prompt": [turn("user", f"My {words[number % 8]} and my {words[number // 8]}?")]}

    parts = divide(file(tmp_path, asked), test_fraction=0.25, seed=7)
    lines = [json.loads(line) for part in (parts.train, parts.test) for line in part.splitlines()]
    assert (len(lines), parts.test_rows >= 5) == (40, True)
    assert all(set(line) == {"input", "preferred_output", "non_preferred_output"} for line in lines)
    assert len({line["non_preferred_output"][0]["content"] for line in lines}) == 40


def test_a_pair_is_as_long_as_its_longer_side(tmp_path: Path) -> None:
    """The limit holds for either conversation, and the tokens of both are counted."""
    path, count = file(tmp_path, as_openai, 12), ByO200k(exact=True)
    one = count(as_chat(0), 512).total + count({"messages": as_trl(0)["prompt"] + as_trl(0)["rejected"]}, 512).total
    report = lint(path, count=count)
    assert report.tokens is not None
    assert abs(report.tokens.median - one) <= 4
    assert any("each question twice" in finding.message for finding in report.findings)
    longer = as_openai(1)
    longer["non_preferred_output"][0]["content"] = "No idea where that is. " * 120
    path.write_text(path.read_text() + json.dumps(longer | {}) + "\n")
    found = [each for each in lint(path, count=count).findings if each.code == "row_too_long"]
    assert [each.lines for each in found] == [(13,)]
    assert to_openai_pair({"messages": as_chat(1)["messages"], "rejected": as_openai(1)["non_preferred_output"]})


TWO = [turn("assistant", "Let me see."), turn("assistant", "It comes tomorrow.")]
RETOLD = [turn("user", "Where is it?"), turn("assistant", "Which one?"), turn("user", "The red one.")]


def instead(shape: Any, **other: Any) -> Any:
    return lambda number: {key: value for key, value in (shape(number) | other).items() if value is not None}


@pytest.mark.parametrize(
    ("made", "code"),
    [
        (instead(as_openai, preferred_output=TWO), "preference_form"),
        (instead(as_openai, non_preferred_output=[*TWO, turn("user", "And?"), *TWO[:1]]), "preference_form"),
        (instead(as_openai, non_preferred_output=[turn("user", "?")]), "last_not_assistant"),
        (instead(as_trl, chosen=TWO), "preference_form"),
        (instead(as_trl, prompt=None, chosen=[*RETOLD, TWO[1]], rejected=[*RETOLD[:1], TWO[0]]), "preference_form"),
        (instead(as_trl, prompt=None, chosen=[*RETOLD, TWO[1]], rejected=RETOLD), "preference_form"),
    ],
)
def test_an_answer_that_is_not_one_message_is_blocked_at_its_line(tmp_path: Path, made: Any, code: str) -> None:
    """Turns of one side only would be compared as if they were the answer, or read before the other side's answer."""
    path = file(tmp_path, as_trl if "chosen" in made(0) else as_openai, 12)
    path.write_text(path.read_text() + json.dumps(made(12)) + "\n")
    target = "local" if "chosen" in made(0) else "openai"
    found = [(each.code, each.lines) for each in lint(path, target=target).findings if each.severity == "BLOCK"]
    assert found == [(code, (13,))]
    if target == "openai":
        reading = read_rows(path)
        assert (len(reading.rows), [each.code for each in reading.findings]) == (12, [code])


def test_answers_that_repeat_the_prompt_are_the_last_message_alone(tmp_path: Path) -> None:
    """Hugging Face's data sets hold whole conversations beside a prompt, with a system message in a column or none."""

    def repeating(number: int) -> Json:
        row = as_texts(number)
        asked = turn("user", row["prompt"])
        return row | {name: [asked, turn("assistant", row[name])] for name in ("chosen", "rejected")}

    def whole(number: int) -> Json:
        row = as_trl(number)
        return {name: [*row["prompt"], *row[name]] for name in ("chosen", "rejected")}

    for shape in (repeating, whole):
        row = shape(3)
        assert to_openai_pair(to_chat(row, detect(row))) == as_openai(3)
