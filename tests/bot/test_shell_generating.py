"""`luthier data generate` as people and scripts type it: prices, questions, exit codes, one document with --json."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bot.settings import Settings
from bot.store.engine import open_engine
from bot.store.migrate import migrate
from bot.wiring import build_deps, shell_person
from tests.row_server import Wire, wire
from tests.shell import luthier
from trainers.evals.generating.coverage import plan_grid
from trainers.evals.generating.paid import PaidWriter
from trainers.evals.generating.spec import row_spec
from trainers.jobs.drafting import Wish

__all__ = ["wire"]

TASK = "Sort tickets into billing, returns, other"


def env(folder: Path, wire: Wire | None = None, price: str = "") -> dict[str, str]:
    model = {"LUTHIER_MODEL": "writer-1", "LUTHIER_MODEL_URL": wire.url} if wire else {"LUTHIER_MODEL": ""}
    return {"DATA_DIR": str(folder / "data"), "COLUMNS": "200", "LUTHIER_MODEL_PRICE": price, **model}


def test_recipes_need_no_price_and_no_yes(tmp_path: Path) -> None:
    """Without a language model rows come at once, in a document of their own."""
    done = luthier("data", "generate", TASK, "--json", **env(tmp_path))
    told = json.loads(done.stdout)
    assert (done.returncode, len(told["rows"]), told["written_by"]) == (0, 10, "recipes")
    assert told["coverage"]["case"]["typical"] > 0


def test_a_paid_model_is_asked_after_the_yes(tmp_path: Path, wire: Wire) -> None:
    """The quote names calls, tokens and dollars; a no spends nothing, a yes writes, --yes asks nobody."""
    set_up = env(tmp_path, wire, "1 4")
    no = luthier("data", "generate", TASK, "--count", "4", stdin="n\n", **set_up)
    assert (no.returncode, wire.rehearsal.requests) == (1, [])
    assert "Nothing was asked and nothing was spent." in no.stderr
    for words in ("4 rows, written by writer-1", "at most, about", "Calls", "Tokens", "as set in LUTHIER_MODEL_PRICE"):
        assert words in no.stderr
    yes = luthier("data", "generate", TASK, "--count", "4", stdin="y\n", **set_up)
    assert (yes.returncode, len(wire.asked("<row/>")) >= 4) == (0, True)
    script = luthier("data", "generate", TASK, "--count", "4", "--yes", "--json", **set_up)
    assert (script.returncode, json.loads(script.stdout)["written_by"]) == (0, "writer-1")


def test_one_s_own_server_is_not_asked_about(tmp_path: Path, wire: Wire) -> None:
    """Where nobody is billed that is said, and there is no question."""
    done = luthier("data", "generate", TASK, "--count", "3", **env(tmp_path, wire, "0 0"))
    assert done.returncode == 0
    assert "$0, nobody is billed" in done.stderr


def test_an_unknown_price_is_not_spent(tmp_path: Path, wire: Wire) -> None:
    """It says unknown, never $0; with --yes too nothing is asked, and the next step is named."""
    done = luthier("data", "generate", TASK, "--yes", "--json", **env(tmp_path, wire))
    assert (done.returncode, wire.rehearsal.requests) == (1, [])
    assert "Cost        unknown" in done.stderr
    assert "LUTHIER_MODEL_PRICE" in json.loads(done.stdout)["next_step"]


def test_after_ctrl_c_the_same_command_goes_on(tmp_path: Path, wire: Wire, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is written stays beside the rows; the next run asks for the others only, and quotes only those."""
    out, set_up = tmp_path / "rows.jsonl", env(tmp_path, wire, "1 4")
    complete = PaidWriter.complete

    def stopping(self: PaidWriter, *given: Any, **more: Any) -> str:
        if len(wire.rehearsal.requests) == 9:
            raise KeyboardInterrupt
        return complete(self, *given, **more)

    monkeypatch.setattr(PaidWriter, "complete", stopping)
    words = ["data", "generate", TASK, "--count", "6", "--out", str(out), "--yes"]
    stopped = luthier(*words, **set_up)
    assert stopped.returncode == 130
    assert "the same command goes on from there" in stopped.stderr
    assert not out.exists()
    kept = (tmp_path / "rows.jsonl.unfinished.jsonl").read_text("utf-8").count('"is": "row"')
    assert 1 <= kept < 6
    monkeypatch.undo()
    before = len(wire.rehearsal.requests)
    done = luthier(*words, **set_up)
    assert done.returncode == 0, done.stderr
    assert f"{6 - kept} row" in done.stderr
    assert f"{kept} rows are there already." in done.stderr
    assert len(out.read_text("utf-8").splitlines()) == 6
    assert len(wire.rehearsal.requests) - before <= 2 * (6 - kept) + 4
    assert not list(tmp_path.glob("*.unfinished.jsonl"))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "Missing argument"),
        ([TASK, "--nonsense"], "No such option"),
        ([TASK, "--count", "0"], "from 1 to 200"),
        ([TASK, "--count", "5000"], "from 1 to 200"),
        ([TASK, "--count", "ten"], "Invalid value for"),
        ([TASK, "--kind", "poems"], "I don't know rows of the kind 'poems'"),
        ([TASK, "--kind", "voice", "--labels", "a,b"], "Labels were named"),
        ([TASK, "--headings", "Done"], "Headings were named"),
        ([TASK, "--kind", "voice", "--schema", "{file}"], "A schema was given"),
        ([TASK, "--schema", "{nothing}"], "There is no file"),
        ([TASK, "--schema", "{bytes}"], "isn't JSON"),
        ([TASK, "--coverage", "{nothing}"], "There is no file"),
        ([TASK, "--coverage", "{bytes}"], "isn't text"),
        ([TASK, "--coverage", "{words}"], "is no dimension"),
        ([TASK, "--texts", "{nothing}"], "There is no file"),
        ([TASK, "--out", "{file}"], "There is a file at"),
        ([TASK, "--out", "{nothing}/rows.jsonl"], "Nothing can be written in"),
        ([TASK, "--job"], "--job needs a language model"),
    ],
)
def test_wrong_use_exits_2_with_one_line_and_one_document(words: list[str], said: str, tmp_path: Path) -> None:
    """What was wrong is named, nothing is begun, and with --json it is the one document."""
    given = {name: tmp_path / name for name in ("file", "nothing", "bytes", "words")}
    given["file"].write_text('{"type": "object", "properties": {"total": {"type": "string"}}}\n', "utf-8")
    given["words"].write_text("friendly and short\n", "utf-8")
    given["bytes"].write_bytes(b"\xff\xfe\x00\xff")
    call = ["data", "generate", *(word.format(**given) for word in words)]
    plain, scripted = luthier(*call, **env(tmp_path)), luthier(*call, "--json", **env(tmp_path))
    assert (plain.returncode, plain.stdout) == (2, "")
    assert said in " ".join(plain.stderr.split())
    assert scripted.returncode == 2
    assert said in json.loads(scripted.stdout)["error"]
    if said not in ("Missing argument", "No such option", "Invalid value for"):  # those the parser draws in a frame
        assert len(plain.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["Classify tickets", "--kind", "classification"], "before I know the labels"),
        (["Take out data", "--kind", "extraction"], "before I know the fields"),
        (["Sort mails into billing", "--labels", "billing"], "label"),
        ([""], "The task is empty"),
    ],
)
def test_what_cannot_be_done_exits_1_with_a_next_step(words: list[str], said: str, tmp_path: Path) -> None:
    """The task says too little: what is missing and how to give it; one document with --json."""
    done = luthier("data", "generate", *words, "--json", **env(tmp_path))
    told = json.loads(done.stdout)
    assert (done.returncode, bool(told["next_step"])) == (1, True), told
    assert said in f"{told['error']} {told['next_step']}"


def test_json_cannot_be_asked_for_a_yes(tmp_path: Path, wire: Wire) -> None:
    """A script that would spend without --yes is used wrongly."""
    done = luthier("data", "generate", TASK, "--json", **env(tmp_path, wire, "1 4"))
    assert (done.returncode, wire.rehearsal.requests) == (2, [])
    assert "--yes" in json.loads(done.stdout)["error"]


def test_cancel_and_jobs_know_a_drafting_job(tmp_path: Path, wire: Wire) -> None:
    """`luthier jobs 1` shows its quote, `luthier cancel 1` stops it, and a second time says that it has."""
    set_up = env(tmp_path, wire, "0 0")
    settings = Settings.from_env({**set_up, "LUTHIER_MODEL_KEY": "k"})
    settings.data.mkdir()
    migrate(open_engine(settings.database), settings.run)
    deps, spec = build_deps(settings), row_spec(TASK)
    assert deps.drafting is not None
    asked = Wish(spec=spec, grid=plan_grid(spec), count=5, seed=7)
    job = deps.drafting.propose(asked, request="r", person=shell_person(), now=deps.clock())
    deps.index.close()
    assert job.state == "queued"
    shown = luthier("jobs", "1", **set_up)
    assert "5 rows, written by writer-1" in shown.stdout
    assert "$0, nobody is billed" in shown.stdout
    stopped = luthier("cancel", "1", "--json", **set_up)
    assert (stopped.returncode, json.loads(stopped.stdout)["state"]) == (0, "cancelled")
    assert luthier("cancel", "1", **set_up).returncode == 1
    assert wire.rehearsal.requests == []


@pytest.mark.slow  # 10 s and more: a queue and a worker of its own; the job itself is tested in tests/trainers/jobs
def test_a_job_writes_the_rows_too(tmp_path: Path, wire: Wire) -> None:
    """Quote, worker, files: `luthier jobs` knows it, and its rows are where --out said."""
    out, set_up = tmp_path / "rows.jsonl", env(tmp_path, wire, "0 0")
    done = luthier("data", "generate", TASK, "--count", "5", "--job", "--yes", "--json", "--out", str(out), **set_up)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert (told["kind"], told["state"], told["result"]["rows"]) == ("drafting", "succeeded", 5)
    assert Decimal(told["quote"]["evaluation_cost"]) == 0
    assert len(out.read_text("utf-8").splitlines()) == 5
    shown = luthier("jobs", "1", **set_up)
    assert "5 draft rows, written by writer-1" in shown.stdout
    again = luthier("cancel", "1", "--json", **set_up)
    assert (again.returncode, json.loads(again.stdout)["state"]) == (1, "succeeded")
