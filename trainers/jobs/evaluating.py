"""Knows how a trained model becomes a report with its files and pictures; it does not know the ledger."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

from knowledge.errors import ServiceError, UserError
from trainers.backends.base import Keeper, Trained
from trainers.data.jsonl import read_rows
from trainers.evals import charts, page, preferring, spreadsheet
from trainers.evals.arms import Answered, Contest, answer_rows, labels_of
from trainers.evals.assemble import Assembled, assemble
from trainers.evals.confusion_chart import confusion_alt, confusion_chart
from trainers.evals.evidence import Evidence
from trainers.evals.metrics.confusion import confusion
from trainers.evals.metrics.operations import FREE
from trainers.evals.predictions import TUNED
from trainers.evals.probes import ALL_PROBES, spread, write_for_child
from trainers.evals.report import Report
from trainers.evals.rule import SuccessRule
from trainers.jobs.judging import Court, judgement
from trainers.jobs.sealed import check_rows
from trainers.jobs.service import spec_of
from trainers.tables import Dataset, Job

Picture = dict[str, str]
"""`path` under the data folder, `title`, `alt`."""

Drawn = Mapping[str, tuple[bytes, str, str]]
"""Name of a picture -> PNG, title, and what it shows in words."""


@dataclass(frozen=True, kw_only=True)
class Bench:
    """What evaluations on this machine work with."""

    data: Path
    """The data folder."""
    env: Mapping[str, str]
    """The environment of children: no secrets in it."""
    threads: int
    cache: Path | None = None
    """Where the base's answers to the probes are kept, for all data folders; None: nowhere."""
    probes: int = ALL_PROBES
    """Most probes of a suite that are asked."""
    court: Court | None = None
    """Who judges free text; None: nobody."""
    earlier: Callable[[Job], Sequence[str]] = lambda job: ()
    """Ids of earlier jobs on the same data set."""
    changed: Callable[..., str] = lambda workspace, rule, test, model_id="": ""
    """Says what of a workspace's frozen plan does not fit the rule, the test rows, or the earlier model judged."""


class Evaluated(NamedTuple):
    """What came of an evaluation."""

    report: Report
    answered: Answered
    pictures: list[Picture]


def evaluate(job: Job, dataset: Dataset, trained: Trained, bench: Bench, keeper: Keeper) -> Evaluated | None:
    """Compare base and tuned model on the held-out rows by the job's rule; None where there is no model to judge.

    Writes report.json, report.html and predictions.csv with the pictures under `jobs/<id>/report`. Raises StaleApproval
    where the rows are others than when the job was quoted.
    """
    if trained.adapter is None or trained.base is None:
        return None
    check_rows(job, dataset, bench.data)  # they may have changed while it was trained, here or elsewhere
    compare = compare_pairs if dataset.pairs else compare_answers
    return compare(job, dataset, trained.adapter, trained.base, bench, keeper)


def compare_answers(job: Job, dataset: Dataset, adapter: Path, base: Path, bench: Bench, keeper: Keeper) -> Evaluated:
    """Let every arm answer the held-out rows and judge the answers."""
    own, rule = bench.data / "jobs" / job.id, SuccessRule.from_json(json.loads(job.quote)["rule"])
    contest = Contest(
        base=base,
        adapter=adapter,
        train=bench.data / dataset.train_path,
        test=bench.data / dataset.test_path,
        labels=rule.labels or labels_of(dataset.labels),
        folder=own / "evaluation",
        probes=_probes(own / "evaluation", rule, bench.probes),
        probe_cache=bench.cache,
        earlier=[bench.data / "jobs" / one / "evaluation" for one in bench.earlier(job)],
    )
    answered = answer_rows(contest, threads=bench.threads, env=bench.env, keeper=keeper)
    rows, where = read_rows(contest.test).rows, contest.folder
    judged = judgement(
        bench.court, rule, rows, where, base=spec_of(job).base, workspace=job.workspace_id, keeper=keeper
    )
    keeper.progress("reporting", {})
    evidence = Evidence(
        predictions=answered.predictions,
        rows=rows,
        rule=rule,
        train=read_rows(contest.train).rows,
        labels=contest.labels or None,
        arms=answered.arms,
        probes=answered.probes,
        losses=own / "train" / "losses.jsonl",
        epochs=spec_of(job).hyperparameters.epochs,
        prices=FREE,
        judging=judged and judged.judging,
        card=judged and judged.card,
        changed=bench.changed(job.workspace_id, rule, contest.test, job.model_id),
        batched=True,
    )
    made = assemble(evidence, keeper.keep)
    return Evaluated(made.report, answered, write_files(made, evidence, job, bench.data))


def compare_pairs(job: Job, dataset: Dataset, adapter: Path, base: Path, bench: Bench, keeper: Keeper) -> Evaluated:
    """Let base and tuned model read the held-out pairs and judge which answers they find likelier."""
    own, rule = bench.data / "jobs" / job.id, SuccessRule.from_json(json.loads(job.quote)["rule"])
    test = bench.data / dataset.test_path
    rows, train = read_rows(test).rows, read_rows(bench.data / dataset.train_path).rows
    how: dict[str, Any] = {"threads": bench.threads, "env": bench.env, "keeper": keeper}
    read = preferring.read_pairs(base, adapter, test, own / "evaluation", **how)
    keeper.progress("reporting", {})
    measured = preferring.ranked(read.pairs, rows)
    made = preferring.report(rows, measured, rule, train, bench.changed(job.workspace_id, rule, test, job.model_id))
    drawn = dict(_pictures(made, own / "train" / "losses.jsonl", preferences=True))
    pictures = _write_report(made, preferring.table(rows, measured), drawn, job, bench.data)
    return Evaluated(made, Answered(read.pairs, read.pairs.with_suffix(".json"), read.seconds), pictures)


def _probes(folder: Path, rule: SuccessRule, most: int) -> Path | None:
    """Write the probes that the rule's guardrails need for the child, `most` of a suite; None where they need none."""
    wanted = [probe for probe in spread(most) if probe.suite in {rail.name for rail in rule.guardrails}]
    if not wanted:
        return None
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "probes-asked.jsonl"
    write_for_child(path, wanted)
    return path


def report_files(data: Path, job: Job) -> list[Path]:
    """Return the files of a job's report that stand alone; raises UserError where an older version wrote none."""
    home = data / "jobs" / job.id / "report"
    found = [home / name for name in ("report.html", "predictions.csv") if (home / name).is_file()]
    if not found:
        raise UserError(f"Job #{job.number} left no report as files.", "Rehearsals write none; a new run does.")
    return found


def write_files(assembled: Assembled, evidence: Evidence, job: Job, data: Path) -> list[Picture]:
    """Write a report in every form under `jobs/<id>/report` and return its pictures."""
    sheet = spreadsheet.write(assembled.answers, evidence.rows, assembled.left_out, batched=evidence.batched)
    return _write_report(assembled.report, sheet, dict(_drawn(assembled, evidence)), job, data)


def _write_report(made: Report, sheet: bytes, drawn: Drawn, job: Job, data: Path) -> list[Picture]:
    home = data / "jobs" / job.id / "report"
    home.mkdir(parents=True, exist_ok=True)
    for name, (png, _, _) in drawn.items():
        (home / f"{name}.png").write_bytes(png)
    (home / "report.json").write_text(json.dumps(made.to_json(), indent=2), "utf-8")
    (home / "predictions.csv").write_bytes(sheet)
    pictures = [(png, alt) for png, _, alt in drawn.values()]
    (home / "report.html").write_text(page.write(made, title=job.title, number=job.number, pictures=pictures), "utf-8")
    where = home.relative_to(data)
    kept = [{"path": str(where / f"{name}.png"), "title": title, "alt": alt} for name, (_, title, alt) in drawn.items()]
    (home / "pictures.json").write_text(json.dumps(kept), "utf-8")  # a page written anew later shows them again
    return kept


def _drawn(assembled: Assembled, evidence: Evidence) -> Iterator[tuple[str, tuple[bytes, str, str]]]:
    """Yield each picture's name with PNG, title and what it shows in words."""
    made = assembled.report
    yield from _pictures(made, evidence.losses)
    if made.labels and assembled.answers[TUNED]:
        said = assembled.answers[TUNED]
        outputs = [said[row.line].output if row.line in said else None for row in assembled.counted]
        found = confusion(assembled.counted, outputs, made.labels)
        yield "confusion", (confusion_chart(found), "Which label is taken for which", confusion_alt(found))


def _pictures(
    made: Report, losses: Path | None, *, preferences: bool = False
) -> Iterator[tuple[str, tuple[bytes, str, str]]]:
    """Yield what every report shows: how the loss went, and how both models did."""
    if losses is not None and losses.exists():  # an evaluation of an earlier model has none
        with suppress(ServiceError):  # a damaged record costs its picture, not the report
            drawn = charts.loss_curve(losses, unit=charts.PAIRS if preferences else charts.TOKENS)
            yield "loss", (drawn, "Loss by step", charts.loss_alt(losses))
    title = f"Score of each arm, with {made.rule.level:.0%} intervals"
    yield "arms", (charts.arms_chart(made), title, charts.arms_alt(made))
