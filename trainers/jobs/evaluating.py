"""Knows how a trained model becomes a report with its files and pictures; it does not know the ledger."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from knowledge.errors import UserError
from trainers.backends.base import Keeper, Trained
from trainers.data.jsonl import read_rows
from trainers.evals import charts, page, spreadsheet
from trainers.evals.arms import Answered, Contest, answer_rows, labels_of
from trainers.evals.assemble import Assembled, Evidence, assemble
from trainers.evals.report import Report
from trainers.evals.rule import SuccessRule
from trainers.tables import Dataset, Job

Picture = dict[str, str]
"""`path` under the data folder, `title`, `alt`."""


@dataclass(frozen=True, kw_only=True)
class Bench:
    """What evaluations on this machine work with."""

    data: Path
    """The data folder."""
    env: Mapping[str, str]
    """The environment of children: no secrets in it."""
    threads: int


class Evaluated(NamedTuple):
    """What came of an evaluation."""

    report: Report
    answered: Answered
    pictures: list[Picture]


def evaluate(job: Job, dataset: Dataset, trained: Trained, bench: Bench, keeper: Keeper) -> Evaluated | None:
    """Let every arm answer the held-out rows and judge them by the job's rule; None where there is no model to judge.

    Writes report.json, report.html and predictions.csv with the pictures under `jobs/<id>/report`.
    """
    if trained.adapter is None or trained.base is None:
        return None
    own = bench.data / "jobs" / job.id
    contest = Contest(
        base=trained.base,
        adapter=trained.adapter,
        train=bench.data / dataset.train_path,
        test=bench.data / dataset.test_path,
        labels=labels_of(dataset.labels),
        folder=own / "evaluation",
    )
    answered = answer_rows(contest, threads=bench.threads, env=bench.env, keeper=keeper)
    keeper.progress("reporting", {})
    evidence = Evidence(
        predictions=answered.predictions,
        rows=read_rows(contest.test).rows,
        rule=SuccessRule.from_json(json.loads(job.quote)["rule"]),
        train=read_rows(contest.train).rows,
        labels=contest.labels or None,
        arms=answered.arms,
        losses=own / "train" / "losses.jsonl",
    )
    made = assemble(evidence)
    return Evaluated(made.report, answered, write_files(made, evidence, job, bench.data))


def report_files(data: Path, job: Job) -> list[Path]:
    """Return the files of a job's report that stand alone; raises UserError where an older version wrote none."""
    home = data / "jobs" / job.id / "report"
    found = [home / name for name in ("report.html", "predictions.csv") if (home / name).is_file()]
    if not found:
        raise UserError(f"Job #{job.number} left no report as files.", "Evaluate it again; the new report has them.")
    return found


def write_files(assembled: Assembled, evidence: Evidence, job: Job, data: Path) -> list[Picture]:
    """Write a report in every form under `jobs/<id>/report` and return its pictures."""
    made = assembled.report
    home = data / "jobs" / job.id / "report"
    home.mkdir(parents=True, exist_ok=True)
    drawn = {"arms": (charts.arms_chart(made), "Score of each arm, with 95% intervals", charts.arms_alt(made))}
    losses = evidence.losses
    if losses is not None and losses.exists():  # an evaluation of an earlier model has none
        drawn = {"loss": (charts.loss_curve(losses), "Loss by step", charts.loss_alt(losses)), **drawn}
    for name, (png, _, _) in drawn.items():
        (home / f"{name}.png").write_bytes(png)
    (home / "report.json").write_text(json.dumps(made.to_json(), indent=2), "utf-8")
    (home / "predictions.csv").write_bytes(spreadsheet.write(assembled.answers, evidence.rows))
    pictures = [(png, alt) for png, _, alt in drawn.values()]
    (home / "report.html").write_text(page.write(made, title=job.title, number=job.number, pictures=pictures), "utf-8")
    where = home.relative_to(data)
    return [{"path": str(where / f"{name}.png"), "title": title, "alt": alt} for name, (_, title, alt) in drawn.items()]
