"""`evaluate --pairs`, `report`, `jobs N`, `resume` and `train --plan` as somebody in a shell meets them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from bot.cli import app
from bot.settings import Settings
from bot.shell.following import ask_price
from bot.wiring import shell_person
from bot.working import Working, working
from knowledge.clock import utc_now
from knowledge.errors import UserError
from tests.bot.test_cli import told
from tests.handlers import samples
from trainers import audit, quotes
from trainers.data.examples import EXAMPLES
from trainers.evals.plan import make_plan
from trainers.jobs import service
from trainers.jobs.ledger import move
from trainers.spec import TrainingSpec
from trainers.tables import Job

KEYS = {"verdict", "n", "difference", "interval", "p_value", "rows_needed"}
"""Of `evaluate --pairs --json`, as documented."""

BETTER, EQUAL, WORSE = (0, 1), (1, 1), (1, 0)
TASK = "Sort support tickets into account, billing, delivery, returns, workshop"


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty data folder, to which the commands go."""
    folder = tmp_path / "data"
    monkeypatch.setenv("DATA_DIR", str(folder))
    return folder


def run(*words: str, typed: str = "") -> Result:
    return CliRunner().invoke(app, list(words), input=typed, env={"COLUMNS": "160"})


@contextmanager
def at_work() -> Iterator[Working]:
    """What a command works with, on the test's data folder."""
    with working(Settings.from_env(), lambda _: None) as at:
        yield at


def quoted(at: Working) -> Job:
    """A quote for a rehearsal on the shipped example."""
    now = utc_now()
    dataset = at.deps.datasets.example("tickets", shell_person(), now).dataset
    return at.deps.jobs.propose(dataset, TrainingSpec(backend="rehearsal"), person=shell_person(), now=now)


def ended(at: Working, job: Job, state: str, **more: Any) -> Job:
    """The job, approved and run to its end."""
    now = utc_now()
    at.deps.jobs.approve(job.id, job.quote_hash, shell_person(), now)
    for old, new in (("queued", "running"), ("running", state)):
        with at.deps.jobs.ledger.transaction() as connection:
            values = more | {"finished_at": now} if new == state else {}
            move(connection, job.model_copy(update={"state": old}), new, "w", now, **values)
    return at.deps.jobs.ledger.get(job.id)


# Scores of anybody's


def scores(folder: Path, *counts: tuple[tuple[float, float], int]) -> str:
    """Write so many pairs of each kind; gives the file's path."""
    pairs = [pair for pair, count in counts for _ in range(count)]
    lines = [{"id": place, "base": base, "tuned": tuned} for place, (base, tuned) in enumerate(pairs)]
    path = folder / "pairs.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return str(path)


@pytest.mark.parametrize(
    ("counts", "verdict"),
    [
        (((BETTER, 60), (EQUAL, 40)), "PASS"),
        (((WORSE, 60), (EQUAL, 40)), "FAIL"),
        (((BETTER, 2), (EQUAL, 8)), "INCONCLUSIVE"),
    ],
    ids=["pass", "fail", "inconclusive"],
)
def test_each_verdict_exits_0_with_the_documented_keys(tmp_path: Path, counts: Any, verdict: str) -> None:
    """The verdict is the result, not a failure; scripts find the keys that the documentation names."""
    file = scores(tmp_path, *counts)
    done = run("evaluate", "--pairs", file, "--json")
    judged = json.loads(done.stdout)
    assert (done.exit_code, judged["verdict"], judged["n"]) == (0, verdict, sum(count for _, count in counts))
    assert judged.keys() >= KEYS
    low, high = judged["interval"]
    assert low <= judged["difference"] <= high
    assert (judged["rows_needed"] is not None) is (verdict == "INCONCLUSIVE")
    shown = run("evaluate", "--pairs", file)
    assert (shown.exit_code, shown.stdout.partition(".")[0]) == (0, verdict)
    assert "; p " in shown.stdout
    assert "{" not in shown.stdout


def test_effect_target_and_level_are_taken_in_points_and_percent(tmp_path: Path) -> None:
    """A larger useful effect, a target out of reach and another level change what is proven and what is shown."""
    file = scores(tmp_path, (BETTER, 30), (EQUAL, 70))
    assert json.loads(run("evaluate", "--pairs", file, "--json").stdout)["verdict"] == "PASS"
    assert json.loads(run("evaluate", "--pairs", file, "--effect", "60", "--json").stdout)["verdict"] == "FAIL"
    missed = json.loads(run("evaluate", "--pairs", file, "--target", "100", "--effect", "0.5", "--json").stdout)
    assert (missed["verdict"], missed["because"] == []) == ("INCONCLUSIVE", False)
    narrow, wide = (
        json.loads(run("evaluate", "--pairs", file, "--level", level, "--json").stdout) for level in ("80", "99.9")
    )
    assert (narrow["level"], wide["level"]) == (0.8, 0.999)
    assert wide["interval"][0] < narrow["interval"][0]


def test_a_bad_file_exits_1_and_names_the_line(tmp_path: Path) -> None:
    """A script reads what was wrong and what is right, as JSON too, from a real process."""
    path = tmp_path / "bad.jsonl"
    path.write_text('{"id": 1, "base": 0, "tuned": 1}\n{"id": 2, "base": 0, "tuned": 2}\n')
    said = told(tmp_path, "evaluate", "--pairs", str(path), code=1)
    assert said["error"] == '"tuned" in line 2 is no score from 0 to 1.'
    assert "One JSON object a line" in said["next_step"]
    gone = run("evaluate", "--pairs", str(tmp_path / "none.jsonl"))
    assert isinstance(gone.exception, UserError)


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["3", "--pairs", "FILE"],
        ["--pairs", "FILE", "--test", "FILE"],
        ["3", "--json"],
        *(["--pairs", "FILE", f"--effect={effect}"] for effect in ("0", "100", "-1", "nan", "inf", "five")),
        *(["--pairs", "FILE", f"--level={level}"] for level in ("0", "49", "100", "nan")),
        *(["--pairs", "FILE", f"--target={target}"] for target in ("0", "101", "nan")),
    ],
    ids=" ".join,
)
def test_wrong_use_of_evaluate_exits_2_and_says_how(tmp_path: Path, words: list[str]) -> None:
    """A call that means nothing exits 2 with words on standard error and nothing on standard output."""
    file = scores(tmp_path, (BETTER, 30))
    done = run("evaluate", *(file if word == "FILE" else word for word in words))
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.strip()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--target", "0.95"], "Give percent: --target 95."),
        (["--effect", "0.05"], "Give points: --effect 5."),
        (["--level", "0.95"], "--level is percent"),
    ],
)
def test_a_share_in_place_of_percent_is_refused_with_what_was_meant(
    tmp_path: Path, words: list[str], says: str
) -> None:
    """0.95 as a target would be 0.95%, which any model reaches."""
    done = run("evaluate", "--pairs", scores(tmp_path, (BETTER, 30)), *words)
    assert (done.exit_code, done.stdout) == (2, "")
    assert says in done.stderr


# What is told of a job


def reported(at: Working) -> Job:
    """A job that left a report with its files."""
    job = quoted(at)
    home = at.deps.datasets.folder / "jobs" / job.id / "report"
    home.mkdir(parents=True)
    for name in ("report.html", "report.json", "predictions.csv", "arms.png"):
        (home / name).write_text(name)
    result = {"report": samples.report().to_json(), "seconds": 312.0, "model_id": ""}
    return ended(at, job, "succeeded", result=json.dumps(result))


def test_a_report_is_saved_whole_and_noted(tmp_path: Path) -> None:
    """Every file goes into a folder of the job's, again over what is there; the audit says who took it out."""
    with at_work() as at:
        reported(at)
    for _ in range(2):
        done = run("report", "1", "--save", str(tmp_path / "deep" / "out"))
        assert done.exit_code == 0, done.stderr
    saved = tmp_path / "deep" / "out" / "job-1"
    assert {path.name for path in saved.iterdir()} == {"report.html", "report.json", "predictions.csv", "arms.png"}
    assert "open report.html" in done.stderr
    assert "36/40" in done.stdout
    with at_work() as at:
        log = audit.listing(at.deps.engine, shell_person().workspace_id)
        assert [entry.who for entry in log if entry.what == "downloaded"] == [shell_person().user_id] * 2


def test_a_report_that_cannot_be_saved_says_so(tmp_path: Path) -> None:
    """A file where the folder should be is wrong use; a rehearsal has no files; neither is noted as taken out."""
    with at_work() as at:
        ended(at, quoted(at), "succeeded", result=json.dumps({"report": None, "seconds": 1.0}))
    (tmp_path / "file").write_text("")
    wrong = run("report", "1", "--save", str(tmp_path / "file"))
    assert (wrong.exit_code, "is no folder" in wrong.stderr) == (2, True)
    none = run("report", "1", "--save", str(tmp_path / "out"))
    assert isinstance(none.exception, UserError)
    assert "left no report as files" in none.exception.what
    assert not (tmp_path / "out").exists()
    assert "was a rehearsal" in run("report", "1").stdout
    with at_work() as at:
        log = audit.listing(at.deps.engine, shell_person().workspace_id)
        assert "downloaded" not in [entry.what for entry in log]


def test_one_job_is_shown_with_all_about_it() -> None:
    """Its quote with the rule, who approved it, what happened, and what it led to; as JSON the quote and the result."""
    with at_work() as at:
        reported(at)
        quoted(at)
    me, shown = shell_person().user_id, run("jobs", "1").stdout
    for words in (
        f"Quote, asked for by {me}:",
        "Success is fixed now: accuracy on unseen rows",
        f"Approved by {me} on ",
        "quoted -> queued",
        "running -> succeeded, w",
        "36/40",
        "PASS",
    ):
        assert words in shown
    waiting = run("jobs", "2").stdout
    assert "Approved by" not in waiting
    assert "-> quoted" in waiting
    (job,) = json.loads(run("jobs", "1", "--json").stdout)
    assert (job["number"], job["quote"]["rule"]["metric"], job["result"]["seconds"]) == (1, "accuracy", 312.0)
    assert isinstance(run("jobs", "9").exception, UserError)


# What may cost money, and what judges


def failed_paid(monkeypatch: pytest.MonkeyPatch) -> Job:
    """A rehearsal that is said to cost $12, approved and failed."""
    twelve = lambda *a, **m: replace(quotes.quote(*a, **m), training_cost=Decimal(12))  # noqa: E731
    monkeypatch.setattr(service, "quote", twelve)
    with at_work() as at:
        rules = {"workspace_cap": "100", "own_click_limit": "50"}
        at.deps.workspaces.change(shell_person().workspace_id, rules, shell_person(), utc_now())
        return ended(at, quoted(at), "failed", error_what="The disk is full.")


def test_a_paid_job_that_ended_is_resumed_after_a_yes(monkeypatch: pytest.MonkeyPatch) -> None:
    """No, and JSON with nobody to ask, change nothing; a yes is carried out, as far as the workspace's rules allow."""
    failed_paid(monkeypatch)
    no = run("resume", "1", typed="n\n")
    assert (no.exit_code, "may spend up to $12, as approved" in no.stderr) == (1, True)
    assert "Nothing was changed" in no.stderr
    nobody = run("resume", "1", "--json")
    assert (nobody.exit_code, nobody.stdout, "--json needs --yes here" in nobody.stderr) == (2, "", True)
    (still,) = json.loads(run("jobs", "1", "--json").stdout)
    assert still["state"] == "failed"
    with at_work() as at:  # paused, so that nothing has to run for the answer
        at.deps.workspaces.pause(shell_person().workspace_id, shell_person(), utc_now())
    yes = run("resume", "1", typed="y\n")
    assert isinstance(yes.exception, UserError)
    assert "paused" in yes.exception.what


def test_yes_beforehand_is_not_asked(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """With --yes no price is asked for, in JSON neither; a free job is never asked about."""
    job = failed_paid(monkeypatch)
    for as_json in (False, True):
        ask_price(job, yes=True, as_json=as_json)
    monkeypatch.setattr(service, "quote", quotes.quote)
    with at_work() as at:
        ask_price(ended(at, quoted(at), "failed"), yes=False, as_json=True)
    assert capsys.readouterr() == ("", "")


def test_train_by_a_plan_puts_it_into_the_quote(tmp_path: Path) -> None:
    """A frozen plan decides, whatever the rows are; one that is unknown or was never frozen is told before any work."""
    rows = tmp_path / "rows.jsonl"
    rows.write_text("".join(EXAMPLES["tickets"].test.read_text().splitlines(keepends=True)[:30]))
    with at_work() as at:
        person, plan = shell_person(), make_plan(TASK, target=Decimal("0.9"))
        for name in ("open", "closed"):
            at.deps.plans.save(plan, name=name, person=person, now=utc_now())
        digest = at.deps.plans.freeze(person.workspace_id, "closed", rows, utc_now()).digest
    for name, said in (("nothing", "no evaluation plan called"), ("open", "was never frozen")):
        refused = run("train", "--backend", "rehearsal", "--plan", name, "--yes")
        assert isinstance(refused.exception, UserError)
        assert said in refused.exception.what
        assert refused.exception.next_step
    frozen = rows.read_bytes()
    rows.unlink()
    asked = run("train", "--backend", "rehearsal", "--plan", "closed", typed="n\n")
    assert (asked.exit_code, "and 90% or more" in asked.stderr) == (1, True)
    today = f"{utc_now().day} {utc_now():%b %Y}"
    assert f"Test rows: those that were frozen with the plan closed on {today}." in asked.stderr
    assert f"Judged by plan closed (frozen {today}, 30 rows)." in asked.stderr
    (job,) = json.loads(run("jobs", "--json").stdout)
    rule = job["quote"]["rule"]
    assert (rule["plan"], rule["metric"], Decimal(rule["target"])) == (digest, "accuracy", Decimal("0.9"))
    assert (job["quote"]["test_rows"], job["quote"]["plan"]["on_frozen_rows"]) == (30, True)
    with at_work() as at:
        newest = at.deps.datasets.listing(shell_person().workspace_id)[0]
        assert (at.deps.datasets.folder / newest.test_path).read_bytes() == frozen


def test_train_by_a_plan_on_other_rows_says_so_before_the_yes(tmp_path: Path) -> None:
    """Test rows that are given count, beside the shipped example too; the quote says that they are not the frozen."""
    lines = EXAMPLES["tickets"].test.read_text().splitlines(keepends=True)
    rows, own = tmp_path / "rows.jsonl", tmp_path / "own.jsonl"
    rows.write_text("".join(lines[:30]))
    own.write_text("".join(lines[30:]))
    with at_work() as at:
        person = shell_person()
        at.deps.plans.save(make_plan(TASK), name="closed", person=person, now=utc_now())
        at.deps.plans.freeze(person.workspace_id, "closed", rows, utc_now())
    asked = run("train", "--backend", "rehearsal", "--plan", "closed", "--test", str(own), typed="n\n")
    assert "Judged by plan closed, but not on its frozen rows" in asked.stderr
    assert "are not the 30 rows frozen on" in asked.stderr
    train = tmp_path / "train.jsonl"
    train.write_text(EXAMPLES["tickets"].train.read_text() + lines[0])
    refused = run("train", str(train), "--backend", "rehearsal", "--plan", "closed", "--yes")
    assert isinstance(refused.exception, UserError)
    assert "Line 121 is in the test file too" in refused.exception.what


# Jobs without a report


@pytest.mark.parametrize(
    ("state", "more", "what", "next_step"),
    [
        (
            "failed",
            {"error_what": "The disk is full.", "error_next": "Free some space, then `resume`."},
            "it failed. The disk is full.",
            "Free some space, then `luthier resume 1`. `luthier jobs 1` shows what happened.",
        ),
        (
            "cancelled",
            {"stop_requested_by": "U0BEN", "fence": 1},
            "it was stopped by U0BEN before it was done.",
            "`luthier resume 1`",
        ),
    ],
    ids=["failed", "cancelled"],
)
def test_a_job_that_ended_without_a_report_says_how_and_what_helps(
    state: str, more: dict[str, Any], what: str, next_step: str
) -> None:
    """Nobody is told to wait for what will not come: what happened is said, with the commands that help."""
    with at_work() as at:
        ended(at, quoted(at), state, **more)
    none = run("report", "1").exception
    assert isinstance(none, UserError)
    assert none.what == f"Job #1 has no report: {what}"
    assert next_step in none.next_step
    assert "Wait" not in none.next_step


def test_a_quote_without_a_report_says_what_it_waits_for() -> None:
    """Not approved yet: who wants a report says yes first; a quote that was turned down needs a new one."""
    with at_work() as at:
        job = quoted(at)
        waits = run("report", "1").exception
        at.deps.jobs.stop(job.id, shell_person(), utc_now())
    assert isinstance(waits, UserError)
    assert "waits for approval" in waits.what
    assert "`luthier approve 1`" in waits.next_step
    over = run("report", "1").exception
    assert isinstance(over, UserError)
    assert f"its quote was cancelled by {shell_person().user_id}, so nothing ran." in over.what
    assert "`luthier train`" in over.next_step
