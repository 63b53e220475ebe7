"""`luthier lint` ends by what the file is, also where nothing of it can be mended."""

import json
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from bot.shell import linting
from trainers.data.examples import EXAMPLES
from trainers.data.severities import reasons

app = typer.Typer()
linting.register(app)


@pytest.fixture(autouse=True)
def _uncounted(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test here is about tokens, and a vocabulary takes a second to load."""
    monkeypatch.setattr(linting, "count_for", lambda *_: None)


def run(*arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(app, list(arguments))
    return done.exit_code, done.stdout


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("empty.jsonl", b"", "empty_file"),
        ("picture.jsonl", b"\x89PNG\r\n\x1a\n", "binary"),
        ("wide.jsonl", b"\xff\xfea", "utf16"),
        ("rows.csv", b"foo,bar\na,b\n", "no_columns"),
    ],
)
def test_what_can_not_be_mended_is_judged_all_the_same(tmp_path: Path, name: str, content: bytes, code: str) -> None:
    """With --fix such a file exits 1 by its report, in words and in JSON, and no copy is written."""
    path = tmp_path / name
    path.write_bytes(content)
    status, said = run(str(path), "--fix", "--json")
    told = json.loads(said)
    assert (status, told["blocked"], told["rows"], told["fixed"]) == (1, True, 0, None)
    assert code in {finding["code"] for finding in told["findings"]}
    assert told["not_fixed"]["error"]
    status, said = run(str(path), "--fix")
    assert status == 1
    assert "Not mended:" in said
    assert [each.name for each in tmp_path.iterdir()] == [name]


def test_a_table_is_linted_beside_fix(tmp_path: Path) -> None:
    """A clean table exits 0, and says that it is corrected in its own program."""
    path = tmp_path / "rows.csv"
    path.write_text("question,answer\n" + "".join(f"What is {n * 7919}?,Number {n * 31}\n" for n in range(12)))
    status, said = run(str(path), "--fix", "--json")
    assert (status, json.loads(said)["rows"]) == (0, 12)
    assert "table" in json.loads(said)["not_fixed"]["error"]


def test_each_finding_says_why_it_matters(tmp_path: Path) -> None:
    """Under a finding that blocks or warns stands the reason of its code."""
    path = tmp_path / "rows.jsonl"
    path.write_bytes(EXAMPLES["tickets"].train.read_bytes() + b'{"messages": []}\n')
    _, said = run(str(path))
    assert f"Why: {reasons()['no_messages']}." in said


def test_rows_of_a_list_are_called_rows(tmp_path: Path) -> None:
    """A JSON list on one line has no line 3; its third row is named as that."""
    path = tmp_path / "rows.json"
    turns = [{"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}]
    path.write_text(json.dumps([{"messages": turns}] * 2 + [{"messages": []}] + [{"messages": turns}] * 9))
    _, said = run(str(path))
    assert "Row 3 has" in said
    assert "line" not in said.replace("one JSON object per line", "").replace("on its own line", "")
    spread = [{"messages": turns}] * 2 + [{"messages": []}] + [{"messages": turns}] * 9
    path.write_text("[" + ",\n\n".join(map(json.dumps, spread)) + "]")
    assert "Row 3 (line 5) has" in run(str(path))[1]
    path.write_text(path.read_text().replace('"x"', "NaN", 1))
    assert "one JSON list; line 1 has NaN" in run(str(path))[1]
