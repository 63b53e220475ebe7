"""`luthier data generate` as people and scripts type it: prices, questions, exit codes, one document with --json."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from bot.settings import Settings
from bot.store.engine import open_engine
from bot.store.migrate import migrate
from bot.wiring import build_deps, build_runner, shell_person
from bot.working import Working, working
from knowledge.rehearsal_rows import build_app
from tests.chat_server import ChatServer, chat_server
from tests.row_server import Wire, wire
from tests.serving import served
from tests.shell import luthier
from trainers.evals.generating.coverage import plan_grid
from trainers.evals.generating.paid import PaidWriter
from trainers.evals.generating.spec import row_spec
from trainers.jobs.drafting import Wish
from trainers.jobs.run import sweep
from trainers.tables import Job

__all__ = ["chat_server", "wire"]

TASK = "Sort tickets into billing, returns, other"


def env(folder: Path, wire: Wire | None = None, price: str = "") -> dict[str, str]:
    model = {"LUTHIER_MODEL": "writer-1", "LUTHIER_MODEL_URL": wire.url} if wire else {"LUTHIER_MODEL": ""}
    return {"DATA_DIR": str(folder / "data"), "COLUMNS": "200", "LUTHIER_MODEL_PRICE": price, **model}


def allowed(set_up: dict[str, str], **rules: str) -> dict[str, str]:
    """Let this shell spend a little, and a dead worker be missed soon."""
    told = {"workspace_cap": "5", "own_click_limit": "5", **rules}
    assert luthier("settings", "set", *(f"{name}={value}" for name, value in told.items()), **set_up).returncode == 0
    return {**set_up, "LUTHIER_LEASE": "1"}


@pytest.fixture
def in_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let whoever follows a job do its work in this process: a worker of its own takes seconds to start."""

    @contextmanager
    def working_here(settings: Settings, say: Any, *, vectors: bool = False, workers: Any = ()) -> Iterator[Working]:
        with working(settings, say) as at:
            runner = build_runner(settings)

            def work(job: Job) -> bool:
                runner.work(job.id)
                return True

            def tend() -> None:
                sweep(at.deps.jobs.ledger, work, at.deps.clock())

            yield at._replace(tend=tend)

    monkeypatch.setattr("bot.working.working", working_here)
    monkeypatch.setattr("bot.shell.following.LOOK_EVERY", 0.05)


def test_recipes_need_no_price_and_no_yes(tmp_path: Path) -> None:
    """Without a language model rows come at once, in a document of their own."""
    done = luthier("data", "generate", TASK, "--json", **env(tmp_path))
    told = json.loads(done.stdout)
    assert (done.returncode, len(told["rows"]), told["written_by"]) == (0, 10, "recipes")
    assert told["coverage"]["case"]["typical"] > 0


@pytest.mark.usefixtures("in_hand")
def test_a_paid_model_is_asked_after_the_yes(tmp_path: Path, wire: Wire) -> None:
    """The quote names calls, tokens and dollars; a no spends nothing, a yes writes, --yes asks nobody."""
    set_up = allowed(env(tmp_path, wire, "1 4"))
    no = luthier("data", "generate", TASK, "--count", "4", stdin="n\n", **set_up)
    assert (no.returncode, wire.rehearsal.requests) == (1, [])
    assert "Nothing was asked and nothing was spent." in no.stderr
    for words in ("4 rows, written by writer-1", "at most, about", "Calls", "Tokens", "as set in LUTHIER_MODEL_PRICE"):
        assert words in no.stderr
    yes = luthier("data", "generate", TASK, "--count", "4", stdin="y\n", **set_up)
    assert (yes.returncode, len(wire.asked("<row/>")) >= 4) == (0, True)
    assert "Why it helps" in yes.stdout
    script = luthier("data", "generate", TASK, "--count", "4", "--yes", "--json", **set_up)
    told = json.loads(script.stdout)
    assert (script.returncode, told["written_by"], len(told["rows"]), told["from_recipes"]) == (0, "writer-1", 4, 0)


@pytest.mark.usefixtures("in_hand")
def test_what_the_foreground_spends_is_in_the_ledger(tmp_path: Path, wire: Wire) -> None:
    """Money is set aside before a call and counted after it, the audit has who said yes, and files lie where wanted."""
    out, set_up = tmp_path / "rows.jsonl", allowed(env(tmp_path, wire, "1 4"))
    done = luthier("data", "generate", TASK, "--count", "4", "--out", str(out), "--yes", **set_up)
    assert done.returncode == 0, done.stderr
    assert "It cost $0.00" in done.stderr
    assert len(out.read_text("utf-8").splitlines()) == 4
    assert out.with_name("rows.jsonl.report.md").is_file()
    said = luthier("audit", "list", "--json", **set_up)
    assert {"asked for", "approved", "spent"} <= {entry["what"] for entry in json.loads(said.stdout)}
    (job,) = json.loads(luthier("jobs", "--json", **set_up).stdout)
    assert Decimal(job["result"]["dollars"]) > 0
    assert job["result"]["files"] == [str(out), f"{out}.report.md"]


def test_the_foreground_keeps_to_the_month_s_budget(tmp_path: Path, wire: Wire) -> None:
    """A cap that does not hold the quote, and money that nobody allowed, refuse it with exit 1; nothing is asked."""
    set_up = env(tmp_path, wire, "1 4")
    closed = luthier("data", "generate", TASK, "--count", "4", "--yes", "--json", **set_up)
    assert (closed.returncode, "approver" in json.loads(closed.stdout)["error"]) == (1, True)
    short = luthier("data", "generate", TASK, "--yes", **allowed(set_up, workspace_cap="0.01"))
    assert (short.returncode, "$0.01 left" in short.stderr) == (1, True), short.stderr
    assert wire.rehearsal.requests == []


@pytest.mark.usefixtures("in_hand")
def test_after_ctrl_c_the_same_command_goes_on_with_its_job(
    tmp_path: Path, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C stops a paid job, keeps its rows and says how to go on; the same command does, and pays for none twice."""
    out, set_up = tmp_path / "rows.jsonl", allowed(env(tmp_path, wire, "1 4"))
    with interrupted(monkeypatch, wire, after=9):
        stopped = luthier("data", "generate", TASK, "--count", "6", "--out", str(out), "--yes", **set_up)
    assert (stopped.returncode, out.exists()) == (130, False)
    assert "Ctrl-C stops it and keeps its rows: the same command goes on" in stopped.stderr
    kept = int(stopped.stderr.partition(" of 6 rows are written")[0].split()[-1])
    assert 1 <= kept < 6
    before = len(wire.rehearsal.requests)
    done = luthier("data", "generate", TASK, "--count", "6", "--out", str(out), "--yes", **set_up)
    assert done.returncode == 0, done.stderr
    assert "Job #1 of the same wish is cancelled; it goes on where it was." in done.stderr
    assert len(out.read_text("utf-8").splitlines()) == 6
    assert len(wire.rehearsal.requests) - before <= 2 * (6 - kept) + 4
    assert len(json.loads(luthier("jobs", "--json", **set_up).stdout)) == 1


@pytest.mark.usefixtures("in_hand")
def test_ctrl_c_may_leave_a_job_to_the_luthier_that_runs(
    tmp_path: Path, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where workers stay and somebody can answer, Ctrl-C asks; a no leaves the job going and names what stops it."""
    set_up = allowed(env(tmp_path, wire, "1 4"))
    monkeypatch.setattr("bot.shell.following._asks", lambda at: True)
    with interrupted(monkeypatch, wire, after=5):
        left = luthier("data", "generate", TASK, "--count", "4", "--yes", stdin="n\n", **set_up)
    assert left.returncode == 0, left.stderr
    assert "Ctrl-C asks whether it is to stop or to go on without you" in left.stderr
    assert "Job #1 goes on. `luthier jobs 1 --watch` shows it, `luthier cancel 1` stops it." in left.stderr
    (job,) = json.loads(luthier("jobs", "--json", **set_up).stdout)
    assert job["state"] == "running"


@pytest.mark.usefixtures("in_hand")
def test_resume_puts_the_rows_where_they_were_wanted(
    tmp_path: Path, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`luthier resume` of a stopped job writes to --out as well; a file that came there meanwhile is left alone."""
    out, set_up = tmp_path / "rows.jsonl", allowed(env(tmp_path, wire, "1 4"))
    words = ["data", "generate", TASK, "--count", "4", "--out", str(out), "--yes", "--job"]
    with interrupted(monkeypatch, wire, after=5):
        assert luthier(*words, **set_up).returncode == 1
    done = luthier("resume", "1", "--yes", **set_up)
    assert done.returncode == 0, done.stderr
    assert f"Written: {out}" in done.stdout
    assert len(out.read_text("utf-8").splitlines()) == 4
    other = tmp_path / "other.jsonl"
    words[words.index(str(out))] = str(other)
    with interrupted(monkeypatch, wire, after=len(wire.rehearsal.requests) + 5):
        assert luthier(*words, **set_up).returncode == 1
    other.write_text("mine\n", "utf-8")
    kept = luthier("resume", "2", "--yes", **set_up)
    assert (kept.returncode, other.read_text("utf-8")) == (0, "mine\n")
    assert f"Nothing was written to {other} (a file is there): the rows are in" in kept.stdout


@pytest.mark.usefixtures("in_hand")
@pytest.mark.parametrize("price", ["0 0", "1 4"])
def test_a_refused_key_is_an_error_and_no_recipe_s_rows(tmp_path: Path, chat_server: ChatServer, price: str) -> None:
    """At a 401 nothing is written under the model's name: exit 1, one clear line, one document, no file."""
    chat_server.rehearsal.mode = "unauthorized"
    out, set_up = tmp_path / "rows.jsonl", env(tmp_path, None, price)
    set_up = allowed({**set_up, "LUTHIER_MODEL": "writer-1", "LUTHIER_MODEL_URL": f"{chat_server.url}"})
    done = luthier("data", "generate", TASK, "--count", "3", "--out", str(out), "--yes", "--json", **set_up)
    assert (done.returncode, out.exists()) == (1, False), done.stderr
    told = json.loads(done.stdout)
    assert "The key for writer-1 was refused" in told["error"]
    assert "LUTHIER_MODEL_KEY" in f"{told['error']} {told['next_step']}"


@pytest.mark.parametrize("price", ["0 0", "1 4"])
def test_a_model_that_the_server_does_not_have_is_told_before_a_quote(tmp_path: Path, wire: Wire, price: str) -> None:
    """The server's list is asked first: exit 1 with the names that it has, no quote, no job, nothing asked."""
    wire.rehearsal.models = ["writer-2"]
    with served(build_app(wire.rehearsal)) as url:
        set_up = {**env(tmp_path, wire, price), "LUTHIER_MODEL_URL": url}
        done = luthier("data", "generate", TASK, "--yes", "--json", **set_up)
        told = json.loads(done.stdout)
        assert (done.returncode, wire.rehearsal.requests) == (1, [])
        assert "has no model writer-1" in told["error"]
        assert "It has writer-2" in told["next_step"]
        assert "Cost" not in done.stderr


def test_rows_that_recipes_wrote_are_not_said_to_be_the_model_s(tmp_path: Path, wire: Wire) -> None:
    """A model that writes prose only leaves the rows to recipes: `written_by` and every provenance say so."""
    wire.rehearsal.mode = "prose"
    done = luthier("data", "generate", TASK, "--count", "4", "--json", **env(tmp_path, wire, "0 0"))
    told = json.loads(done.stdout)
    assert (done.returncode, told["written_by"], told["from_recipes"]) == (1, "recipes", 4)
    assert all("recipe" in row["provenance"] for row in told["rows"])
    assert "unusable answers" in " ".join(told["notes"])


def test_rows_without_a_file_are_shown_where_the_model_falls_silent(tmp_path: Path, wire: Wire) -> None:
    """Nothing else keeps them: what is there is printed, the exit is 1, and what happened is the last line."""
    wire.rehearsal.fails_after = 7
    done = luthier("data", "generate", TASK, "--count", "6", **env(tmp_path, wire, "0 0"))
    assert done.returncode == 1
    assert "Why it helps" in done.stdout
    assert "of 6 rows are written" in done.stderr


@contextmanager
def interrupted(monkeypatch: pytest.MonkeyPatch, wire: Wire, after: int) -> Iterator[None]:
    """Press Ctrl-C once so many answers have come, once."""
    complete = PaidWriter.complete
    pressed: list[int] = []

    def stopping(self: PaidWriter, *given: Any, **more: Any) -> str:
        if len(wire.rehearsal.requests) == after and not pressed:
            pressed.append(after)
            raise KeyboardInterrupt
        return complete(self, *given, **more)

    with monkeypatch.context() as patch:
        patch.setattr(PaidWriter, "complete", stopping)
        yield


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
    out, set_up = tmp_path / "rows.jsonl", env(tmp_path, wire, "0 0")
    words = ["data", "generate", TASK, "--count", "6", "--out", str(out), "--yes"]
    with interrupted(monkeypatch, wire, after=9):
        stopped = luthier(*words, **set_up)
    assert stopped.returncode == 130
    assert "the same command goes on from there" in stopped.stderr
    assert not out.exists()
    kept = (tmp_path / "rows.jsonl.unfinished.jsonl").read_text("utf-8").count('"is": "row"')
    assert 1 <= kept < 6
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
        ([TASK, "--coverage", "{bytes}"], "is not UTF-8 text"),
        ([TASK, "--coverage", "{empty}"], "The coverage is empty"),
        ([TASK, "--system-prompt", "{nothing}"], "There is no file"),
        ([TASK, "--system-prompt", "{empty}"], "is empty"),
        ([TASK, "--coverage", "{words}"], "is no dimension"),
        ([TASK, "--texts", "{nothing}"], "There is no file"),
        ([TASK, "--out", "{file}"], "There is a file at"),
        ([TASK, "--out", "{nothing}/rows.jsonl"], "Nothing can be written in"),
        ([TASK, "--good", "Always answer in one word. Never answer in one word."], "These contradict each other"),
        ([TASK, "--avoid", "{nothing}"], "There is no file"),
        ([TASK, "--avoid", "{empty}"], "has no row that I can read"),
        ([TASK, "--target", "mars"], "I don't know the target 'mars'"),
        ([TASK, "--job"], "--job needs a language model"),
    ],
)
def test_wrong_use_exits_2_with_one_line_and_one_document(words: list[str], said: str, tmp_path: Path) -> None:
    """What was wrong is named, nothing is begun, and with --json it is the one document."""
    given = {name: tmp_path / name for name in ("file", "nothing", "bytes", "words", "empty")}
    given["empty"].write_text("\n", "utf-8")
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


def test_more_rows_are_not_like_those_that_are_there(tmp_path: Path) -> None:
    """The same command with --avoid drafts others, which the linter takes together with the first."""
    first, second, both = (tmp_path / name for name in ("a.jsonl", "b.jsonl", "ab.jsonl"))
    done = luthier("data", "generate", TASK, "--out", str(first), **env(tmp_path))
    assert f"--avoid {first}" in done.stderr
    call = ("data", "generate", TASK, "--avoid", str(first), "--out", str(second))
    assert luthier(*call, **env(tmp_path)).returncode == 0
    both.write_text(first.read_text("utf-8") + second.read_text("utf-8"), "utf-8")
    found = json.loads(luthier("lint", str(both), "--json", **env(tmp_path)).stdout)
    assert not {"duplicate", "near_duplicate"} & {each["code"] for each in found["findings"]}
    assert found["rows"] == 20


def test_a_written_system_prompt_goes_into_every_row(tmp_path: Path) -> None:
    """`system-prompt --out` writes the prompt alone, which `data generate --system-prompt` takes word for word."""
    prompt = tmp_path / "prompt.txt"
    written = luthier("system-prompt", TASK, "--out", str(prompt), **env(tmp_path))
    assert (written.returncode, "--system-prompt" in written.stderr) == (0, True)
    done = luthier("data", "generate", TASK, "--count", "3", "--system-prompt", str(prompt), "--json", **env(tmp_path))
    prompts = {row["messages"][0]["content"] for row in json.loads(done.stdout)["rows"]}
    assert prompts == {prompt.read_text("utf-8").strip()}
    again = luthier("system-prompt", TASK, "--out", str(prompt), **env(tmp_path))
    assert (again.returncode, "There is a file" in again.stderr) == (2, True)
    nowhere = luthier("system-prompt", "--check", str(prompt), "--out", "x.txt", **env(tmp_path))
    assert (nowhere.returncode, "--check writes none" in nowhere.stderr) == (2, True)


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
