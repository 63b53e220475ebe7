"""What people chose after a report was written stands in it, wherever it is read; its verdict stays."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from knowledge.tenancy import Person
from tests.bot.test_triggers import DATASET, JOB, insert
from tests.trainers.evals.evidence import evidence, row
from trainers.evals import labels
from trainers.evals.assemble import assemble
from trainers.evals.judges.card import judge_card
from trainers.evals.judges.pairwise import Judged, Judging
from trainers.evals.report import Report
from trainers.evals.rule import SuccessRule
from trainers.jobs.evaluating import write_files
from trainers.jobs.labelled import labelled
from trainers.tables import Job

NOW = datetime(2026, 11, 29, tzinfo=UTC)
LABELS = [row(line, ("billing", "returns")[line % 2]) for line in range(1, 25)]
OUTPUTS: dict[str, list[str | None]] = {"base_few_shot": ["billing"] * 24, "tuned": [one.target for one in LABELS]}


def reported(tmp_path: Path, judged: bool) -> Job:
    """A job whose report lies where a worker leaves it; its judge preferred the tuned answer on every row."""
    rows = tuple(Judged(line, "tuned", "tuned", (7, 7)) for line in range(1, 25))
    card = judge_card(Judging(rows, 0, 0, 500, False, "", "", "ab" * 32), judge="some-judge")
    made = evidence(tmp_path, LABELS, OUTPUTS, SuccessRule(guardrails=()))
    made = replace(made, card=card if judged else None)
    job = Job(id="job_1", number=7, title="rows on base", workspace_id="T1")
    assembled = assemble(made)
    write_files(assembled, made, job, tmp_path)
    if judged:
        labels.write_judged(tmp_path / "jobs" / job.id / "evaluation" / "judged.json", rows)
    job.result = json.dumps({"report": assembled.report.to_json(), "seconds": 1.0})
    return job


@pytest.fixture(autouse=True)
def in_ledger(engine: Engine) -> None:
    """The job that labels belong to."""
    with engine.begin() as connection:
        insert(connection, "dataset", DATASET)
        insert(connection, "job", JOB)


def choose(engine: Engine, job: Job, *choices: str) -> None:
    for line, choice in enumerate(choices, start=1):
        assert labels.add(engine, job, line, Person(workspace_id="T1", user_id=f"U{line % 2}"), choice, NOW)  # type: ignore[arg-type]  # a side


def report_in(job: Job) -> Report:
    return Report.from_json(json.loads(job.result)["report"])


def test_agreement_with_people_enters_the_report_and_its_files(tmp_path: Path, engine: Engine) -> None:
    """The judge's sentence loses its "nobody has labelled", in the job, on the page and in JSON; the verdict stays."""
    job = reported(tmp_path, judged=True)
    assert labelled(engine, tmp_path, job) is job
    assert "nobody has labelled" in report_in(job).judge_says
    choose(engine, job, "tuned", "tuned", "tie", "base")

    told = labelled(engine, tmp_path, job)
    says = report_in(told).judge_says
    assert "agrees with people in 2 of 4 labels" in says
    assert "2 people compared 4 pairs blind: tuned better 2, base better 1, no difference 1." in says
    assert report_in(told).verdict == report_in(job).verdict
    home = tmp_path / "jobs" / job.id / "report"
    assert json.loads((home / "report.json").read_text())["judge"]["agreement"]["labels"] == 4
    page = (home / "report.html").read_text()
    assert "agrees with people in 2 of 4 labels" in page
    assert page.count("data:image/png;base64,") == len(list(home.glob("*.png"))) > 0


def test_people_are_heard_without_a_judge(tmp_path: Path, engine: Engine) -> None:
    """Where no model judged, what people chose is told all the same."""
    job = reported(tmp_path, judged=False)
    choose(engine, job, "tuned")
    assert report_in(labelled(engine, tmp_path, job)).judge_says.endswith(
        "One person compared 1 pair blind: tuned better 1, base better 0, no difference 0."
    )


def test_a_rehearsal_and_a_report_without_files_stay(tmp_path: Path, engine: Engine) -> None:
    """Nothing is written for a job that left no report, and an older report's page is not touched."""
    silent = Job(id="job_1", number=8, title="rehearsed", workspace_id="T1", result=json.dumps({"report": None}))
    choose(engine, silent, "tuned")
    assert labelled(engine, tmp_path, silent) is silent
    job = reported(tmp_path, judged=True)
    home = tmp_path / "jobs" / job.id / "report"
    (home / "pictures.json").unlink()
    before = (home / "report.html").read_bytes()
    assert "agrees with people" in report_in(labelled(engine, tmp_path, job)).judge_says
    assert (home / "report.html").read_bytes() == before
