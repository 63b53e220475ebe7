"""How a job and its report read in a terminal; it computes nothing."""

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from bot.shell.rows import read_quote
from bot.shell.terminal import table
from bot.shell.watch import HEAD, job_row

INDEX = "index"
"""Kind of the jobs that add documents (`trainers.jobs.intake`)."""

DRAFTING = "drafting"
"""Kind of the jobs in which a language model writes rows (`trainers.jobs.kinds`)."""

if TYPE_CHECKING:
    from trainers.costs.reconcile import Compared
    from trainers.evals.report import Report
    from trainers.jobs.line import Ahead
    from trainers.tables import Job, JobEvent


def read_job(
    job: "Job", place: "Ahead | None", history: "Sequence[JobEvent]", compared: "Sequence[Compared]" = ()
) -> str:
    """Lay out all that is known of one job: how it stands, its quote, who said yes, what happened, what it led to.

    `compared` is the quote beside what came of it.
    """
    lines = [table(HEAD, [job_row(job, place)]), "", f"Quote, asked for by {job.requested_by}:", _quote(job)]
    if job.approved_at is not None:
        lines.append(f"Approved by {job.approved_by} on {job.approved_at:%Y-%m-%d %H:%M UTC}.")
    if job.error_what:
        lines += ["", f"{job.error_what} {job.error_next}".strip()]
    lines += ["", "What happened:", *(_event(event) for event in history)]
    if compared:
        lines += ["", "Quoted and came:", *(f"  {one.sentence}" for one in compared)]
    if job.state == "succeeded":
        lines += ["", read_report(job)]
    return "\n".join(lines)


def _quote(job: "Job") -> str:
    return (
        "nothing to pay: documents are read and indexed here."
        if job.kind == INDEX
        else read_quote(json.loads(job.quote))
    )


def _event(event: "JobEvent") -> str:
    changed = f"{event.old_state} -> {event.new_state}" if event.old_state != event.new_state else event.new_state
    note = f": {event.note}" if event.note else ""
    return f"  {event.at:%Y-%m-%d %H:%M:%S}  {changed}, {event.who}{note}"


def read_report(job: "Job") -> str:
    """Lay out what came of a job that succeeded."""
    from trainers.evals.report import Report

    result = json.loads(job.result)
    if job.kind == INDEX:
        return f"{result['documents']:,} documents with {result['passages']:,} passages can be found."
    if job.kind == DRAFTING:
        return _drafted(result)
    if result["report"] is None:
        told = f"Job #{job.number} was a rehearsal: nothing was trained, so there is nothing to evaluate."
        return f"{told} {result.get('billed') or ''}".strip()
    judged = Report.from_json(result["report"])
    lines = [*_verdict(judged), "", _arms(judged), "", *_doubts(judged)]
    for word, cases in (("Better", judged.wins), ("Worse or still wrong", judged.misses)):
        said = (f"  {c.input}\n    expected {c.expected} · base said {c.base} · tuned said {c.tuned}" for c in cases)
        lines += [f"\n{word}:", *said] if cases else []
    chat = f" Try it: luthier chat {job.number}" if result.get("model_id", "here") else ""  # "": it is not here
    lines += ["", f"Took {result['seconds']:.0f} s.{chat}", *filter(None, (result.get("billed"),))]
    lines.append(f"All of it as a page and a table: luthier report {job.number} --save .")
    return "\n".join(lines)


def _drafted(result: dict[str, Any]) -> str:
    thrown, recipes = sum(result["rejected"].values()), result["from_recipes"]
    by = f"{result['written_by']}" + (f" ({recipes:,} by recipes)" if 0 < recipes < result["rows"] else "")
    lines = [f"{result['rows']:,} draft rows, written by {by}; {thrown:,} were thrown away. {read_spent(result)}"]
    lines += [*result["notes"], *filter(None, [result.get("lacks", "")])]
    lines += [*(f"  {why}: {number}" for why, number in result["rejected"].items())]
    return "\n".join([*lines, *([f"Written: {', '.join(result['files'])}."] if result["files"] else [])])


def read_spent(result: dict[str, Any]) -> str:
    """Say what a job in which a language model wrote rows has cost."""
    cost = result["dollars"]
    return "What it cost nobody knows." if cost is None else f"It cost ${Decimal(cost):.4f} as we count."


def _verdict(judged: "Report") -> list[str]:
    return [judged.headline, judged.verdict.sentence, *judged.verdict.because, *filter(None, (judged.changed,))]


def _arms(judged: "Report") -> str:
    rows = [
        (a.title, a.shown, f"{a.low:.0%}-{a.high:.0%}", f"{a.median_ms:.0f} ms" if a.median_ms else "")
        for a in judged.arms
    ]
    return table(("Arm", "Score", f"{judged.rule.level:.0%} interval", "Median"), rows)


def _doubts(judged: "Report") -> list[str]:
    guarded = (result.sentence for result in judged.guardrails)
    return [*guarded, judged.contamination, *filter(None, (judged.proof, judged.judge_says)), *judged.notices]
