"""Knows what a job's provider says of its run, and asks it to pause or to go on for people who may; it moves no job."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

from knowledge.errors import UserError
from knowledge.tenancy import Person
from trainers import policy
from trainers.backends.base import Backend
from trainers.backends.hosted import HostedBackend
from trainers.backends.watching import stands, steps_in
from trainers.jobs import accounts
from trainers.jobs.hurry import hurry
from trainers.jobs.ledger import read
from trainers.jobs.service import Jobs
from trainers.jobs.submission import newest
from trainers.tables import Job


class Run(NamedTuple):
    """A run as its provider tells of it."""

    run_id: str
    says: str
    """How it stands, in a sentence."""
    step: int
    steps: int
    """Of how many; 0 where nobody says."""
    loss: float | None
    checkpoints: tuple[Mapping[str, Any], ...]
    """Newest first, as the API has them: `fine_tuned_model_checkpoint`, `step_number`, `metrics`."""


def look(jobs: Jobs, backend: Backend, job: Job) -> Run:
    """Ask a job's provider about its run. Raises UserError where it has none, Refused and ServiceError as reads do."""
    hosted, run_id = _run_of(jobs, backend, job)
    told, steps = hosted.api.job(run_id), steps_in(hosted.api.events(run_id))
    last = steps[-1] if steps else None
    says = stands(hosted.provider, told) if told.get("status") not in _ENDS else f"{hosted.provider}: {told['status']}"
    return Run(
        run_id,
        says,
        last.step if last else 0,
        last.steps if last else 0,
        last.loss if last else None,
        tuple(hosted.api.checkpoints(run_id)),
    )


def pause(jobs: Jobs, backend: Backend, job: Job, person: Person, now: datetime, *, go_on: bool = False) -> str:
    """Ask a provider to pause a run, or to let it go on; returns its id. Raises as `look`, and NotAllowed.

    The job is looked after at once, so that its thread says how it stands.
    """
    hosted, run_id = _run_of(jobs, backend, job)
    if not hosted.traits.pauses:
        raise UserError(f"{hosted.provider} cannot pause a run.", "`cancel` ends it.")
    with jobs.ledger.transaction() as connection:  # told first: what follows cannot be taken back
        rules = policy.rules_of(connection, job.workspace_id)
        policy.check_stop(read(connection, job.id), person, rules)
        verb = "let the provider go on" if go_on else "paused at the provider"
        accounts.tell(connection, job, person.user_id, verb, now, run=run_id)
    (hosted.api.go_on if go_on else hosted.api.pause)(run_id)
    for due in hurry(jobs.ledger, run_id, now):
        jobs.ring(due)
    return run_id


_ENDS = ("succeeded", "failed", "cancelled")


def _run_of(jobs: Jobs, backend: Backend, job: Job) -> tuple[HostedBackend, str]:
    with jobs.ledger.reading() as connection:
        row = newest(connection, job.id, "job")
    if not isinstance(backend, HostedBackend) or row is None or not row.provider_id:
        raise UserError(f"Job #{job.number} has no run at a provider.", "`jobs` shows how it stands.")
    return backend, row.provider_id
