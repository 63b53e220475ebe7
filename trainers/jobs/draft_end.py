"""Knows what a drafting job leaves behind: counts in the ledger, rows under review, files where there is no thread."""

from collections import Counter
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from knowledge.tenancy import LOCAL_WORKSPACE, Person
from trainers.data.review_writing import open_review
from trainers.data.titles import REVIEW_TITLE, at_word
from trainers.evals.generating.another import review_spec
from trainers.jobs import draft_job, endpoint_job
from trainers.jobs.accounts import cost_of
from trainers.jobs.draft_files import left_for_shell
from trainers.jobs.draft_job import Drafted
from trainers.jobs.drafting import home_of
from trainers.jobs.kinds import DRAFTING
from trainers.jobs.messages import DraftedCard, Message, ReviewCard
from trainers.tables import Job


def result_of(job: Job, made: Drafted, folder: Path, now: datetime) -> dict[str, Any]:
    """Return what the ledger keeps; a job from the shell has no thread, so its rows are written as files."""
    spent = draft_job.spent(folder, job)
    files, note = left_for_shell(made, home_of(folder, job.id)) if job.workspace_id == LOCAL_WORKSPACE else ([], "")
    return {
        "rows": len(made.made.drafts),
        "from_recipes": made.made.from_recipes,
        "rejected": dict(Counter(each.point for each in made.made.rejected).most_common()),
        "written_by": made.made.written_by,
        "notes": [*made.made.notes, *([note] if note else [])],
        "lacks": made.made.lacks,
        "seconds": (now - (job.started_at or now)).total_seconds(),
        "dollars": None if spent is None else str(spent),
        "files": files,
    }


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
        title=at_word(made.wish.spec.plan.instruction, REVIEW_TITLE),
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
