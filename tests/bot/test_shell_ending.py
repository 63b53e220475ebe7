"""However a call of `luthier` ends: with --json standard output holds one document, and the exit code says how."""

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from bot.cli import app
from bot.shell import ending
from bot.shell.terminal import show_json
from tests.bot.test_shell_knowledge import luthier
from trainers.data.examples import EXAMPLES

TRAIN = str(EXAMPLES["tickets"].train)


def commands(group: Any = None, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the words of every command that takes --json."""
    group = group or typer.main.get_command(app)
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        elif any("--json" in parameter.opts for parameter in command.params):
            yield (*path, name)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty data folder, with files beside it that calls may name."""
    folder = tmp_path_factory.mktemp("ending")
    (folder / "none.jsonl").write_text("\n\n")
    rows = Path(TRAIN).read_text().splitlines(keepends=True)
    (folder / "few.jsonl").write_text("".join(rows[:12]))
    (folder / "broken.jsonl").write_text('{"messages": [],}\n')
    return folder


def document(data: Path, *words: str) -> tuple[int, dict[str, Any]]:
    """Run with --json; standard output is exactly one document, in one line."""
    done = luthier(data, *words, "--json")
    assert done.stdout.count("\n") == 1, (words, done)
    assert done.stderr.strip() or not done.returncode
    assert "Traceback" not in done.stderr
    return done.returncode, json.loads(done.stdout)


@pytest.mark.parametrize("words", tuple(commands()), ids=" ".join)
def test_a_call_that_no_command_understands_is_told_as_json(words: tuple[str, ...], data: Path) -> None:
    """Each command that takes --json answers an unknown option with exit 2 and a document that says what to do."""
    code, told = document(data, *words, "--no-such-option")
    assert code == 2
    assert "--no-such-option" in told["error"]
    assert f"{' '.join(words)} --help" in told["next_step"]


WRONG_USE = [
    ["fly"],
    ["up"],
    ["lint"],
    ["lint", "/nowhere.jsonl"],
    ["lint", TRAIN, "--target", "nowhere"],
    ["lint", TRAIN, "--format", "fancy"],
    ["convert", TRAIN],
    ["convert", TRAIN, "--to", "nowhere"],
    ["split", TRAIN, "--test", "2"],
    ["split", "/nowhere.jsonl"],
    ["datasets", "add", "/nowhere.jsonl"],
    ["datasets", "delete", "tickets"],
    ["datasets", "download", "tickets", "--out", "/nowhere"],
    ["knowledge", "search"],
    ["knowledge", "search", "one", "--queries", "many.jsonl"],
    ["knowledge", "search", "--queries", "/nowhere.jsonl"],
    ["knowledge", "search", "one", "-k", "0"],
    ["knowledge", "add", TRAIN, "--collection", "No Name!"],
    ["knowledge", "remove"],
    ["ask", ""],
    ["ask"],
    ["advise"],
    ["compare"],
    ["train"],
    ["train", "--yes", "--epochs", "0"],
    ["train", "--yes", "--epochs", "three"],
    ["train", "--yes", "--backend", "abacus"],
    ["chat"],
    ["cost", "/nowhere.jsonl"],
    ["prices", "fly"],
    ["settings", "fly"],
    ["settings", "set", "nothing=1"],
    ["audit", "fly"],
    ["weights", "fly"],
    ["eval-plan"],
]


@pytest.mark.parametrize("words", WRONG_USE, ids=lambda words: " ".join(words).replace(TRAIN, "FILE"))
def test_a_wrong_call_exits_2_with_one_document(words: list[str], data: Path) -> None:
    """What can be told from the call alone is wrong use: exit 2, on both outputs."""
    code, told = document(data, *words)
    assert (code, bool(told["error"])) == (2, True)


FAILED = [
    ["split", "few.jsonl"],
    ["split", TRAIN, "--group", "clinic"],
    ["knowledge", "search", "--queries", "none.jsonl"],
    ["datasets", "show", "nothing"],
    ["datasets", "add", "broken.jsonl"],
    ["datasets", "diff", "nothing"],
    ["datasets", "delete", "nothing v1"],
    ["jobs", "99"],
    ["jobs", "first"],
    ["report", "99"],
    ["cancel", "99"],
    ["resume", "99"],
    ["approve", "99", "--yes"],
    ["evaluate", "99", "--yes"],
]


@pytest.mark.parametrize("words", FAILED, ids=lambda words: " ".join(words).replace(TRAIN, "FILE"))
def test_what_can_not_be_done_exits_1_with_one_document(words: list[str], data: Path) -> None:
    """A call that is fine but can't be done exits 1 and says what happened and what to do."""
    code, told = document(data, *(str(data / word) if word.endswith(".jsonl") else word for word in words))
    assert (code, bool(told["error"]), bool(told["next_step"])) == (1, True, True)


def test_a_question_that_nobody_can_answer_is_told(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a confirmation is asked for and standard input has ended, the call fails with a document."""
    monkeypatch.setattr("sys.stdin", io.StringIO())
    luthier(data, "datasets", "add", TRAIN, "--name", "kept")
    code, told = document(data, "datasets", "delete", "kept v1")
    assert code == 1
    assert "nobody answered" in told["error"]


@pytest.fixture
def odd() -> typer.Typer:
    """Commands that end in odd ways."""
    made = typer.Typer()

    @made.command()
    def broken(as_json: bool = typer.Option(False, "--json")) -> None:
        raise LookupError("a secret row")

    @made.command()
    def half(as_json: bool = typer.Option(False, "--json")) -> None:
        show_json({"changed": False})
        raise typer.Exit(1)

    @made.command()
    def stopped(as_json: bool = typer.Option(False, "--json")) -> None:
        raise KeyboardInterrupt

    return made


def test_our_own_fault_is_told_without_its_content_and_raised_on(
    odd: typer.Typer, capsys: pytest.CaptureFixture[str]
) -> None:
    """A program that expects JSON gets some; the traceback goes to standard error."""
    with pytest.raises(LookupError):
        ending.run(odd, ["broken", "--json"])
    out = capsys.readouterr().out
    assert json.loads(out)["error"] == "Luthier itself failed (LookupError)."


def test_a_document_that_is_there_gets_no_second_one(odd: typer.Typer, capsys: pytest.CaptureFixture[str]) -> None:
    """A command that printed its document and then failed has said it all; Ctrl-C is told too."""
    assert ending.run(odd, ["half", "--json"]) == 1
    assert json.loads(capsys.readouterr().out) == {"changed": False}
    assert ending.run(odd, ["stopped", "--json"]) == 130
    assert json.loads(capsys.readouterr().out)["error"] == "Stopped."
    assert ending.run(odd, ["stopped", "--", "--json"]) == 2
    assert capsys.readouterr().out == ""
