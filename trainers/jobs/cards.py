"""Knows what each event of a job has to say, built from the job's row; it does not know when it is said or to whom."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from trainers.evals.report import Report
from trainers.jobs.accounts import cost_of
from trainers.jobs.intake import INDEX
from trainers.jobs.line import Ahead, place_words
from trainers.jobs.messages import Announcement, EndedCard, ProgressCard, QuoteCard, ReportCard
from trainers.tables import Job


def quote_card(job: Job, *, approvers: Sequence[str] = (), given: Sequence[str] = (), needed: int = 0) -> QuoteCard:
    """Say how a job's quote stands: who is asked, who approved and how many have to."""
    cancelled = job.state == "cancelled"
    decided = job.finished_at if cancelled else job.approved_at
    ended_by = job.stop_requested_by or job.requested_by
    return QuoteCard(
        job_id=job.id,
        number=job.number,
        title=job.title,
        state=job.state,
        quote=json.loads(job.quote),
        quote_hash=job.quote_hash,
        requested_by=job.requested_by,
        decided_by=ended_by if cancelled else job.approved_by,
        decided_at=decided.isoformat() if decided else "",
        approvers=tuple(approvers),
        given=tuple(given),
        needed=needed,
        expired=cancelled and job.approved_at is None and not job.stop_requested_by,
    )


def waiting_card(job: Job, place: Ahead, *, unheard: bool = False) -> ProgressCard:
    """Say that a job waits, behind how many others, and whether the queue server takes it."""
    note = waiting_note(place, unheard=unheard)
    return progress_card(job, "", {"note": note}, state="queued")


def waiting_note(place: Ahead, *, unheard: bool = False) -> str:
    """Say where in its queue a job is: `Queued, 2 ahead, about 14 min`."""
    trouble = ". The queue server takes no jobs at the moment; I keep trying" if unheard else ""
    return f"Queued, {place_words(place)}{trouble}"


def ended_card(job: Job, state: str, what: str, next_step: str, ended_by: str = "") -> EndedCard:
    """Say how a job ended that has no report."""
    return EndedCard(
        job_id=job.id,
        number=job.number,
        title=job.title,
        requested_by=job.requested_by,
        state=state,
        what=what,
        next_step=next_step,
        ended_by=ended_by,
        dollars=str(cost_of(job) or 0),
        resumable=job.kind != INDEX,
    )


def progress_card(job: Job, phase: str, numbers: Mapping[str, Any], state: str = "running") -> ProgressCard:
    """Say how far a job is."""
    said: dict[str, Any] = {"state": state, "phase": phase, "kind": job.kind, **numbers}
    return ProgressCard(job_id=job.id, number=job.number, title=job.title, **said)


def report_card(
    job: Job,
    made: Report | None,
    model_id: str,
    seconds: float,
    pictures: Sequence[dict[str, str]],
    billed: str = "",
) -> ReportCard:
    """Say what came of a job; `made` is None where nothing was trained."""
    offer = json.loads(job.quote)
    low, high = (a + b for a, b in zip(offer["training_minutes"], offer["evaluation_minutes"], strict=True))
    return ReportCard(
        job_id=job.id,
        number=job.number,
        title=job.title,
        requested_by=job.requested_by,
        model_id=model_id,
        report=made.to_json() if made else None,
        seconds=seconds,
        quoted_minutes=(low, high),
        images=tuple(pictures),
        billed=billed,
    )


def announcement(job: Job, state: str, made: Report | None) -> Announcement:
    """Say in one line how a job ended."""
    return Announcement(
        job_id=job.id,
        number=job.number,
        title=job.title,
        requested_by=job.requested_by,
        state=state,
        outcome=made.verdict.outcome if made else "",
        points=made.verdict.difference * 100 if made else None,
        channel=job.channel,
        thread_ts=job.thread_ts,
    )
