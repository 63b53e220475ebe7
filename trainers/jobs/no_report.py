"""Knows why a job has no report and what to do about it; it does not know where that is told.

Commands are named as lower layers do: `jobs` is `luthier jobs 3` in a shell and `/tune jobs` in Slack.
"""

from trainers.jobs.kinds import DRAFTING, again
from trainers.tables import Job

LOOK = "`jobs` shows what happened."


def no_report(job: Job) -> tuple[str, str]:
    """Say what became of a job that has not succeeded, and what to do next."""
    if job.approved_at is None:
        what, next_step = _unapproved(job)
    elif job.state == "cancelled":
        what, next_step = _stopped(job)
    else:
        what, next_step = _failed(job) if job.state == "failed" else _at_work(job)
    return f"Job #{job.number} has no {'rows yet' if job.kind == DRAFTING else 'report'}: {what}", next_step


def _unapproved(job: Job) -> tuple[str, str]:
    if job.state != "cancelled":
        return "its quote waits for approval, so nothing ran yet.", "Say yes with `approve`, or no with `cancel`."
    if job.error_what:
        return f"nothing ran. {job.error_what}", job.error_next
    return f"its quote was cancelled{_by(job)}, so nothing ran.", f"Ask for a new quote with {again(job.kind)}."


def _stopped(job: Job) -> tuple[str, str]:
    when = "before it was done" if job.fence else "before it began"
    if job.kind == DRAFTING and job.error_next:
        return f"it was stopped{_by(job)} {when}.", job.error_next
    again = "`resume` goes on from its last checkpoint" if job.fence else "`resume` starts it"
    return f"it was stopped{_by(job)} {when}.", f"{again}; {LOOK}"


def _failed(job: Job) -> tuple[str, str]:
    return f"it failed. {job.error_what}".strip(), f"{job.error_next or '`resume` tries again.'} {LOOK}"


def _at_work(job: Job) -> tuple[str, str]:
    stands = "it waits in the queue." if job.state == "queued" else f"it is still {job.phase or 'preparing'}."
    return stands, "Wait for its end; `jobs` shows how far it is."


def _by(job: Job) -> str:
    return f" by {job.stop_requested_by}" if job.stop_requested_by else ""
