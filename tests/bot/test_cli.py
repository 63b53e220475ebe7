"""The command line on an empty data folder with nothing else running, as somebody in a shell meets it."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from bot.services import check_port, free_port
from bot.shell.rows import read_quote
from knowledge.errors import UserError
from tests.shell import luthier as here
from tests.whole import ROOT, leftovers
from trainers.data.examples import EXAMPLES

TICKETS = EXAMPLES["tickets"]
USE_CASE = (
    "We sort support tickets into five queues on a laptop, data may not leave, and 120 labelled tickets are there."
)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("shell")


def luthier(data: Path, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
    """Run a command in a process of its own."""
    env = {**os.environ, "DATA_DIR": str(data), "COLUMNS": "160"}
    command = [sys.executable, "-m", "bot", *words]
    return subprocess.run(command, cwd=ROOT, env=env, input=stdin, capture_output=True, text=True, timeout=110)


def told(data: Path, *words: str, code: int = 0) -> Any:
    """Run with --json in a process of its own and return the one document on standard output."""
    done = luthier(data, *words, "--json")
    assert done.returncode == code, done.stderr
    assert done.stdout.count("\n") == 1
    return json.loads(done.stdout)


def test_ask_brings_what_it_needs_and_takes_it_away(data: Path) -> None:
    """A question is answered with sources; the vector server of the call is gone afterwards."""
    answer = told(data, "ask", "What is QLoRA?")
    assert "4-bit" in answer["answer"]
    assert answer["sources"][0]["title"]
    assert leftovers(data) == []


def test_ask_is_honest_about_what_it_does_not_know(data: Path) -> None:
    """A question far from the sources is declined, with the nearest pages, and that is not a failure."""
    answer = told(data, "ask", "Who won the football world cup in 1998?")
    assert answer["abstained"]
    assert answer["nearest"]


def test_advise_recommends_training_for_the_shipped_example(data: Path) -> None:
    """Our own example is one that our own advice would train."""
    advice = told(data, "advise", USE_CASE)
    assert advice["recommendation"] == "fine_tuning"


def test_lint_gives_findings_and_an_exit_status(data: Path, tmp_path: Path) -> None:
    """Good rows exit 0; rows that cannot be trained on exit 1 and name the line."""
    assert told(data, "lint", str(TICKETS.train))["blocked"] is False
    bad = tmp_path / "bad.jsonl"
    bad.write_text('{"messages": [],}\n')
    found = told(data, "lint", str(bad), code=1)
    assert found["blocked"]
    assert 1 in found["findings"][0]["lines"]


def test_cost_quotes_without_starting(data: Path) -> None:
    """A quote names time, money and rows, with the parts that any estimate has, and leaves no job behind."""
    offer = told(data, "cost", str(TICKETS.train), "--test", str(TICKETS.test))
    assert (offer["train_rows"], offer["test_rows"], offer["training_cost"]) == (120, 60, "0")
    assert (offer["training"]["expected"], offer["lifecycle"]["state"], len(offer["hash"])) == (0.0, "open", 64)
    assert "; 60 unseen rows." in read_quote(offer)
    assert "; 1 unseen row." in read_quote(offer | {"test_rows": 1})
    assert told(data, "jobs") == []


def test_train_runs_a_job_on_a_worker_of_its_own(data: Path) -> None:
    """The rehearsal goes from quote to end through queue and worker, and nothing of it stays running."""
    job = told(data, "train", "--backend", "rehearsal", "--yes")
    assert (job["number"], job["state"]) == (1, "succeeded")
    assert leftovers(data) == []
    assert [each["state"] for each in told(data, "jobs")] == ["succeeded"]


def test_a_quote_that_nobody_approves_starts_nothing(data: Path) -> None:
    """Answering no leaves a cancelled job, exit 1, and nothing ran."""
    done = luthier(data, "train", "--backend", "rehearsal", stdin="n\n")
    assert done.returncode == 1
    assert "Nothing was started" in done.stderr
    assert told(data, "jobs")[0]["state"] == "cancelled"


@pytest.mark.parametrize(
    "words",
    [
        ["fly"],
        ["ask", ""],
        ["ask"],
        ["advise"],
        ["compare"],
        ["lint", "/does/not/exist.jsonl"],
        ["train", "--json"],
        ["train", "--epochs", "three"],
        ["train", "--epochs", "0", "--yes"],
        ["chat", "--json"],
    ],
    ids=" ".join,
)
def test_wrong_use_exits_2_and_says_how(data: Path, words: list[str]) -> None:
    """A call that means nothing exits 2 with a line on standard error and no traceback."""
    done = here(*words, DATA_DIR=str(data))
    assert done.returncode == 2
    assert done.stderr.strip()
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "words",
    [["report", "99"], ["cancel", "99"], ["evaluate", "99", "--yes"]],
    ids=" ".join,
)
def test_what_cannot_be_done_exits_1_and_says_what_next(data: Path, words: list[str]) -> None:
    """A job that does not exist exits 1 with what happened and what to do."""
    done = here(*words, DATA_DIR=str(data))
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) >= 2
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "name", ["ask", "advise", "compare", "lint", "cost", "train", "jobs", "evaluate", "chat", "up"]
)
def test_every_command_explains_itself(data: Path, name: str) -> None:
    """--help of each command exits 0 and says what it does."""
    done = here(name, "--help", DATA_DIR=str(data))
    assert done.returncode == 0
    assert "Usage:" in done.stdout


def test_a_port_in_use_is_named_with_a_way_out() -> None:
    """A taken port gives its number and the command with another one."""
    import socket

    port = free_port()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", port))
        taken.listen()
        with pytest.raises(UserError, match=str(port)) as refused:
            check_port(port)
    assert f"PORT={port + 1}" in refused.value.next_step
