"""`luthier eval-plan` as somebody in a shell meets it: real processes on a data folder of their own."""

import json
from pathlib import Path

import pytest

from tests.bot.test_cli import luthier, told

TASK = "Sort support tickets into billing, returns, technical, other"


def test_from_plan_to_frozen_rows(tmp_path: Path) -> None:
    """Plan, draft, review, freeze: open answers are refused, and a frozen plan is not overwritten."""
    data, rows = tmp_path / "data", tmp_path / "test.jsonl"
    done = luthier(
        data, "eval-plan", TASK, "--have", "60", "--gain", "20", "--loss", "88", "--draft", "10", "--out", str(rows)
    )
    assert done.returncode == 0, done.stderr
    assert "81.5%" in done.stdout
    assert "10 drafts: 2 wait for their target." in done.stderr
    assert rows.read_text().count("\n") == 10
    early = luthier(data, "eval-plan", TASK, "--freeze", "tickets", "--test", str(rows))
    assert early.returncode == 1
    assert "nothing was frozen" in early.stderr
    reviewed = [json.loads(line) for line in rows.read_text().splitlines()]
    rows.write_text("".join(json.dumps(each) + "\n" for each in reviewed if each["messages"][-1]["content"]))
    frozen = told(data, "eval-plan", TASK, "--freeze", "tickets", "--test", str(rows))
    assert frozen["frozen_at"]
    assert len(frozen["test_sha256"]) == 64
    again = luthier(data, "eval-plan", TASK, "--freeze", "tickets", "--test", str(rows), "--effect", "1")
    assert again.returncode == 1
    assert "stays as it is" in again.stderr


def test_json_is_one_document_with_drafts(tmp_path: Path) -> None:
    """A program reads metric, rows, sentences and drafts, offline."""
    plan = told(tmp_path, "eval-plan", TASK, "--effect", "10", "--draft", "5")
    assert (plan["kind"], plan["metric"], plan["rows_needed"]) == ("classification", "accuracy", 194)
    assert [each["kind"] for each in plan["drafts"]] == ["easy", "boundary", "edge", "refusal", "out_of_scope"]


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ([""], 2),
        (["x", "--effect", "five"], 2),
        (["x", "--out", "y"], 2),
        (["x", "--freeze", "y"], 2),
        (["x", "--schema", "/none.json"], 2),
        (["x", "--effect", "0"], 1),
        (["x", "--effect", "100"], 1),
        (["x", "--gain", "20", "--loss", "-5"], 1),
        (["x", "--labels", "one"], 1),
    ],
)
def test_wrong_use_is_told_in_words(tmp_path: Path, words: list[str], code: int) -> None:
    """A call that means nothing exits 2, one that cannot be planned for exits 1, neither with a traceback."""
    done = luthier(tmp_path, "eval-plan", *words)
    assert done.returncode == code, done.stderr
    assert done.stderr.strip()
    assert "Traceback" not in done.stderr
