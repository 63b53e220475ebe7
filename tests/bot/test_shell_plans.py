"""`luthier eval-plan` as somebody in a shell meets it, on a data folder of its own."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from bot.cli import app
from knowledge.errors import UserError
from tests.bot.test_cli import told

TASK = "Sort support tickets into billing, returns, technical, other"


def run(*words: str) -> Result:
    return CliRunner().invoke(app, ["eval-plan", *words], env={"COLUMNS": "160"})


def test_from_plan_to_frozen_rows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Plan, draft, review, freeze: open answers are refused, and a frozen plan is not overwritten."""
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))
    rows = tmp_path / "test.jsonl"
    done = run(TASK, "--have", "60", "--gain", "20", "--loss", "88", "--draft", "10", "--out", str(rows))
    assert done.exit_code == 0, done.output
    assert "81.5%" in done.stdout
    assert "10 drafts: 2 wait for their target." in done.stderr
    assert rows.read_text().count("\n") == 10
    early = run(TASK, "--freeze", "tickets", "--test", str(rows))
    assert isinstance(early.exception, UserError)
    assert "nothing was frozen" in early.exception.what
    reviewed = [json.loads(line) for line in rows.read_text().splitlines()]
    rows.write_text("".join(json.dumps(each) + "\n" for each in reviewed if each["messages"][-1]["content"]))
    frozen = json.loads(run(TASK, "--freeze", "tickets", "--test", str(rows), "--json").stdout)
    assert frozen["frozen_at"]
    assert len(frozen["test_sha256"]) == 64
    again = run(TASK, "--freeze", "tickets", "--test", str(rows), "--effect", "1")
    assert isinstance(again.exception, UserError)
    assert "stays as it is" in again.exception.what


def test_training_rows_are_not_frozen_as_the_test(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A row of --rows in --test, however it is spelled or answered, is named, and nothing is frozen."""
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))

    def written(name: str, *asked: str) -> str:
        turns = [[{"role": "user", "content": a}, {"role": "assistant", "content": "billing"}] for a in asked]
        (tmp_path / name).write_text("".join(json.dumps({"messages": each}) + "\n" for each in turns))
        return str(tmp_path / name)

    train = written("train.jsonl", "I was charged twice", "The invoice is wrong")
    both = written("both.jsonl", "Is there VAT on it?", "the  invoice is WRONG")
    for test, lines in ((train, "Lines 1 and 2 are"), (both, "Line 2 is")):
        refused = run(TASK, "--rows", train, "--freeze", "tickets", "--test", test).exception
        assert isinstance(refused, UserError)
        assert refused.what.startswith(f"{lines} among the rows")
        assert "--test" in refused.next_step
    apart = written("apart.jsonl", "Is there VAT on it?")
    assert json.loads(run(TASK, "--rows", train, "--freeze", "tickets", "--test", apart, "--json").stdout)["frozen_at"]


def test_json_is_one_document_with_drafts(tmp_path: Path) -> None:
    """A program reads metric, rows, sentences and drafts, offline, from a real process."""
    plan = told(tmp_path, "eval-plan", TASK, "--effect", "10", "--draft", "5")
    assert (plan["kind"], plan["metric"], plan["rows_needed"]) == ("classification", "accuracy", 194)
    assert [each["kind"] for each in plan["drafts"]] == ["easy", "boundary", "edge", "refusal", "out_of_scope"]


@pytest.mark.parametrize(
    "words",
    [
        [""],
        ["x", "--effect", "five"],
        ["x", "--out", "y"],
        ["x", "--freeze", "y"],
        ["x", "--schema", "/none.json"],
        ["x", "--rows", "/none.jsonl"],
    ],
    ids=" ".join,
)
def test_wrong_use_exits_2_and_says_how(words: list[str]) -> None:
    """A call that means nothing exits 2 with words on standard error."""
    done = run(*words)
    assert done.exit_code == 2
    assert done.stderr.strip()


@pytest.mark.parametrize(
    ("words", "says"),
    [(["--target", "0.9"], "Give percent: --target 90."), (["--effect", "0.05"], "Give points: --effect 5.")],
)
def test_a_share_in_place_of_percent_is_refused(words: list[str], says: str) -> None:
    """0.9 would be read as 0.9% right: it is refused with the number that was meant."""
    done = run(TASK, *words)
    assert (done.exit_code, done.stdout) == (2, "")
    assert says in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ["x", "--effect", "0"],
        ["x", "--effect", "nan"],
        ["x", "--effect", "100"],
        ["x", "--gain", "20", "--loss=-5"],
        ["x", "--labels", "one"],
        ["x", "--kind", "telepathy"],
        ["Turn mails into JSON", "--draft", "5"],
    ],
    ids=" ".join,
)
def test_what_cannot_be_planned_is_told_with_a_way_out(words: list[str]) -> None:
    """Values out of range are an error in words, with what to do next."""
    done = run(*words)
    assert isinstance(done.exception, UserError)
    assert done.exception.next_step


def test_a_freeze_says_what_its_rows_can_show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Three rows can never pass, 24 show only a large gain, and one label that takes nearly all of them is named."""
    monkeypatch.setenv("DATA_DIR", str(tmp_path / "data"))

    def written(name: str, count: int) -> str:
        turns = [
            [{"role": "user", "content": f"case {n} of {name}"}, {"role": "assistant", "content": "billing"}]
            for n in range(count)
        ]
        (tmp_path / name).write_text("".join(json.dumps({"messages": each}) + "\n" for each in turns))
        return str(tmp_path / name)

    few = run(TASK, "--freeze", "few", "--test", written("few.jsonl", 3))
    assert "3 test rows can never pass" in few.stderr
    some = run(TASK, "--freeze", "some", "--test", written("some.jsonl", 24))
    assert "24 test rows of 400 planned show a gain of" in some.stderr
    assert "100% of the test rows are “billing”" in some.stderr
    told = json.loads(run(TASK, "--freeze", "more", "--test", written("more.jsonl", 24), "--json").stdout)
    assert "24 test rows of 400 planned" in told["remarks"]


def test_the_task_names_target_and_effect(tmp_path: Path) -> None:
    """Words set both, options beat them, and rows that one label dominates are told in the plan."""
    words = f"{TASK}, at least 80% right and at least 3 points better than prompting"
    plan = json.loads(run(words, "--json").stdout)
    assert (plan["target"], plan["useful_effect"]) == ("0.8", "0.03")
    plan = json.loads(run(words, "--target", "90", "--effect", "10", "--json").stdout)
    assert (plan["target"], plan["useful_effect"]) == ("0.9", "0.1")
    rows = tmp_path / "rows.jsonl"
    turns = [
        [{"role": "user", "content": f"case {n}"}, {"role": "assistant", "content": "other" if n else "billing"}]
        for n in range(20)
    ]
    rows.write_text("".join(json.dumps({"messages": each}) + "\n" for each in turns))
    assert "95% of your rows are “other”" in run(TASK, "--rows", str(rows)).stdout
