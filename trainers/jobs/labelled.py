"""Knows what people's labels add to a report that is already written; it does not know how they are asked or shown."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from sqlalchemy import Engine

from trainers.data.findings import plural
from trainers.evals import page
from trainers.evals.judges.agreement import Label, with_people
from trainers.evals.judges.card import JudgeCard
from trainers.evals.judges.pairwise import Side
from trainers.evals.labels import labels_of, read_judged
from trainers.evals.report import Report
from trainers.tables import Job


def labelled(engine: Engine, data: Path, job: Job) -> Job:
    """Return the job with what people chose so far in its report, and the report's page written anew.

    The verdict stays: it was reached by the rule that was fixed before training, and labels say how far to believe
    the judge behind it.
    """
    labels = labels_of(engine, job.workspace_id, job.id)
    result = json.loads(job.result) if labels else {}
    if not result.get("report"):
        return job
    judged = read_judged(data / "jobs" / job.id / "evaluation" / "judged.json")
    told = _told(Report.from_json(result["report"]), judged, labels)
    fresh = Job(**{**job.model_dump(), "result": json.dumps({**result, "report": told.to_json()})})
    _write(data, fresh, told)
    return fresh


def in_words(labels: Sequence[Label]) -> str:
    """Say what people preferred, in a sentence."""
    chosen = Counter(label.choice for label in labels)
    people, rows = ({label.person for label in labels}, {label.row for label in labels})
    who = "One person" if len(people) == 1 else f"{len(people)} people"
    return (
        f"{who} compared {plural(len(rows), 'pair')} blind: tuned better {chosen['tuned']}, base better "
        f"{chosen['base']}, no difference {chosen['tie']}."
    )


def _told(report: Report, judged: Mapping[int, Side], labels: Sequence[Label]) -> Report:
    says = [report.judge_says]
    judge = report.judge
    if judge is not None:
        card = replace(JudgeCard.from_json(judge), agreement=with_people(judged, labels))
        judge, says = card.to_json(), [card.sentence]
    return replace(report, judge=judge, judge_says=" ".join(filter(None, (*says, in_words(labels)))))


def _write(data: Path, job: Job, report: Report) -> None:
    """Write report.json and report.html anew; a report of an earlier version, without its pictures' texts, stays."""
    home = data / "jobs" / job.id / "report"
    if not (home / "pictures.json").is_file():
        return
    kept = json.loads((home / "pictures.json").read_text("utf-8"))
    pictures = [((data / one["path"]).read_bytes(), one["alt"]) for one in kept]
    (home / "report.json").write_text(json.dumps(report.to_json(), indent=2), "utf-8")
    whole = page.write(report, title=job.title, number=job.number, pictures=pictures)
    (home / "report.html").write_text(whole, "utf-8")
