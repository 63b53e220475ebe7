"""Knows what a drafting job leaves behind: counts in the ledger, rows under review, files where there is no thread."""

import json
from collections import Counter
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from knowledge.tenancy import LOCAL_WORKSPACE, Person
from trainers.data.review_writing import open_review
from trainers.evals.generating.another import review_spec
from trainers.evals.generating.report import report
from trainers.jobs import draft_job, endpoint_job
from trainers.jobs.accounts import cost_of
from trainers.jobs.draft_job import Drafted
from trainers.jobs.drafting import home_of
from trainers.jobs.kinds import DRAFTING
from trainers.jobs.messages import DraftedCard, Message, ReviewCard
from trainers.tables import Job


def result_of(job: Job, made: Drafted, folder: Path, now: datetime) -> dict[str, Any]:
    """Return what the ledger keeps; a job from the shell has no thread, so its rows are written as files."""
    drafts, spent = made.made.drafts, draft_job.spent(folder, job)
    told = {
        "rows": len(drafts),
        "from_recipes": sum(not draft.provenance.startswith("model ") for draft in drafts),
        "rejected": dict(Counter(each.point for each in made.made.rejected).most_common()),
        "written_by": made.made.writer,
        "notes": list(made.made.notes),
        "seconds": (now - (job.started_at or now)).total_seconds(),
        "dollars": None if spent is None else str(spent),
    }
    return {**told, "files": _files(job, made, folder) if job.workspace_id == LOCAL_WORKSPACE else []}


def messages_of(
    connection: Connection, job: Job, made: Drafted, result: dict[str, Any], now: datetime
) -> list[Message]:
    """Put the rows under review, in the transaction that ends the job, and return what there is to say."""
    named = {name: result[name] for name in ("rows", "from_recipes", "rejected", "written_by", "seconds", "dollars")}
    card = DraftedCard(
        job_id=job.id,
        number=job.number,
        title=job.title,
        requested_by=job.requested_by,
        notes=made.made.notes,
        approved=str(cost_of(job) or 0),
        **named,
    )
    if job.workspace_id == LOCAL_WORKSPACE:
        return [card]
    review = open_review(
        connection,
        [draft.to_review() for draft in made.made.drafts],
        review_id=f"rev_{job.id.removeprefix('job_')}",
        purpose="train",
        title=made.wish.title,
        spec=review_spec(made.wish.spec, made.wish.grid),
        person=Person(workspace_id=job.workspace_id, user_id=job.requested_by),
        channel=job.channel,
        thread_ts=job.thread_ts,
        now=now,
    )
    of_job: dict[str, Any] = {"job_id": job.id, "number": job.number, "title": job.title}
    return [card, ReviewCard(review_id=review.id, requested_by=job.requested_by, **of_job)]


def paid(connection: Connection, job: Job, folder: Path) -> Decimal | None:
    """Return what a job that pays as it goes has spent in this life, in dollars; None where nobody knows."""
    of_kind = draft_job.paid if job.kind == DRAFTING else endpoint_job.paid
    return of_kind(connection, job, folder)


def _files(job: Job, made: Drafted, folder: Path) -> list[str]:
    """Write rows, report and what was thrown away into the job's folder; returns where they lie."""
    rejected = (json.dumps(each._asdict(), ensure_ascii=False) + "\n" for each in made.made.rejected)
    texts = {
        "drafted.jsonl": "".join(f"{draft.row()}\n" for draft in made.made.drafts),
        "drafted.report.md": report(made.made, made.wish.spec, made.wish.grid),
        "drafted.rejected.jsonl": "".join(rejected),
    }
    home = home_of(folder, job.id)
    for name, text in texts.items():
        (home / name).write_text(text, "utf-8")
    return [str(home / name) for name, text in texts.items() if text]
