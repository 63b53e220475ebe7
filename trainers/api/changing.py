"""Knows how a job of the API is started, cancelled, paused, resumed and closed; it does not know HTTP."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection

from knowledge.clock import Clock
from knowledge.errors import LuthierError, UserError
from knowledge.tenancy import Person
from trainers.api import hooks, runs
from trainers.api.chatting import retired
from trainers.api.files import Files
from trainers.api.preparing import spec_asked_for
from trainers.api.runs import Runs
from trainers.api.tables import ApiJob, ApiKey
from trainers.api.telling import Told, steps_in
from trainers.errors import OverBudget
from trainers.jobs.service import Jobs
from trainers.openai_api.objects import ENDED, JobRequest, Verb
from trainers.openai_api.refusals import ApiError, bad, not_trainable, training_not_available
from trainers.policy import check_not_paused, rules_of
from trainers.states import ENDED as RUN_ENDED
from trainers.states import LIVE
from trainers.tables import Job

_Carry = Callable[[Connection, Told, Person, datetime], Job | None]
"""Carries out a wish in a transaction that holds the job; returns a run that a worker has to be woken for."""


@dataclass(frozen=True, kw_only=True)
class Changes:
    """The verbs of a job of the API."""

    jobs: Jobs
    runs: Runs
    files: Files
    bases: Mapping[str, str]
    """Base that may be trained -> the backend that trains it."""
    data: Path
    """The data folder."""
    clock: Clock

    def start(self, key: ApiKey, request: JobRequest) -> Told:
        """Take a job; what can be refused at once is, with OpenAI's words. Its file is looked into afterwards."""
        now = self.clock()
        if request.model not in self.bases:
            known = f"This server trains {', '.join(self.bases)}. {retired(request.model, now.date())}"
            raise not_trainable(request.model, known.strip())
        if request.extra:
            raise bad(f"'{next(iter(request.extra))}' is Azure's: leave it out.", "unknown_parameter")
        try:
            spec_asked_for(request, self.bases[request.model])
            with self.runs.engine.execution_options(reading=True).connect() as connection:
                check_not_paused(rules_of(connection, key.workspace_id))
        except LuthierError as refusal:
            raise training_not_available(f"{refusal.what} {refusal.next_step}".strip()) from refusal
        return Told(job=self.runs.take(key, request, now), run=None)

    def told(self, job: ApiJob, run: Job | None, *, steps: bool = True) -> Told:
        """Return a job with its run, and the steps of its training where they are wanted; closes one that has ended."""
        told = Told(job=job, run=run, steps=steps_in(self._losses(run)) if steps and run is not None else ())
        if told.status == "succeeded" and not job.result_file:
            told = self.close(job)
        return told

    def one(self, key: ApiKey, job_id: str) -> Told:
        """Return one job; raises ApiError 404."""
        [(job, run)] = self.runs.as_they_stand([self.runs.get(key, job_id)])
        return self.told(job, run)

    def change(self, key: ApiKey, job_id: str, verb: Verb) -> Told:
        """Cancel, pause or resume; asked a second time it changes nothing. Raises ApiError.

        What is decided and what becomes of the run are one transaction, which holds both: a wish that meets another
        one comes before or after it, and none is half carried out.
        """
        job = self.runs.get(key, job_id)
        owner = Person(workspace_id=job.workspace_id, user_id=job.owner)
        try:
            with self.runs.engine.begin() as connection:
                told = self._held(connection, job_id)
                if told.status in ENDED and not (verb == "cancel" and told.status == "cancelled"):
                    raise bad(f"Job has already {told.status}.", "invalid_job_state")
                verbs: Mapping[Verb, _Carry] = {"cancel": self._cancel, "pause": self._pause, "resume": self._resume}
                goes_on = verbs[verb](connection, told, owner, self.clock())
        except LuthierError as refusal:
            if isinstance(refusal, OverBudget) and told.run is not None:
                self.jobs.note_refusal(told.run, owner, refusal, self.clock())
            raise _as_api(refusal) from refusal
        if goes_on is not None:
            self.jobs.ring(goes_on)
        return self.one(key, job_id)

    def close(self, job: ApiJob) -> Told:
        """Put down that a job has ended: its result file, and what its webhooks are owed; once for each end."""
        with self.runs.engine.begin() as connection:
            told = self._held(connection, job.id)
            if told.status in ENDED:
                self._close(connection, told, self.clock())
            return self._held(connection, job.id)

    def _held(self, connection: Connection, job_id: str) -> Told:
        job, run = runs.held(connection, job_id)
        return Told(job=job, run=run, steps=steps_in(self._losses(run)))

    def _close(self, connection: Connection, told: Told, now: datetime) -> None:
        if told.status == "succeeded" and not told.job.result_file:
            kept = self.files.put_results(connection, told.job, told.results(), now)
            runs.change(connection, told.job.id, result_file=kept)
        if told.job.told_at is None:
            ended_at = (told.run and told.run.finished_at) or now  # a worker's clock may be ahead of ours
            runs.change(connection, told.job.id, told_at=max(now, ended_at))
            hooks.owe(connection, told.job, f"fine_tuning.job.{told.status}", now)

    def _cancel(self, connection: Connection, told: Told, owner: Person, now: datetime) -> Job | None:
        run = told.run
        if told.status != "cancelled":
            runs.change(connection, told.job.id, cancelled_at=now, paused_at=None)
            runs.note(connection, told.job.id, "Cancel requested." if run else "Job has been cancelled.", now)
        if run is not None and run.state not in RUN_ENDED:
            self.jobs.stop_within(connection, run.id, owner, now)
        return None

    def _pause(self, connection: Connection, told: Told, owner: Person, now: datetime) -> Job | None:
        if told.paused:
            return None
        if told.run is None or told.run.state not in LIVE:
            raise bad(f"Job is {told.status} and cannot be paused before it waits for a worker.", "invalid_job_state")
        if not self.jobs.stop_within(connection, told.run.id, owner, now).changed:
            raise bad("Somebody has stopped this job in Slack: it is about to end.", "invalid_job_state")
        runs.change(connection, told.job.id, paused_at=now, cancelled_at=None)
        runs.note(connection, told.job.id, "Job paused; it will continue from its last checkpoint.", now)
        return None

    def _resume(self, connection: Connection, told: Told, owner: Person, now: datetime) -> Job | None:
        if not told.paused or told.run is None:
            raise bad(f"Job is {told.status}, not paused.", "invalid_job_state")
        if told.run.state not in RUN_ENDED:
            raise ApiError(409, "The job is still writing its checkpoint; try again in a moment.", "conflict")
        outcome = self.jobs.resume_within(connection, told.run.id, owner, now)
        runs.change(connection, told.job.id, paused_at=None, cancelled_at=None)
        runs.note(connection, told.job.id, "Job resumed.", now)
        return outcome.job if outcome.changed else None

    def _losses(self, run: Job | None) -> Path:
        return self.data / "jobs" / (run.id if run is not None else "none") / "train" / "losses.jsonl"


def _as_api(refusal: LuthierError) -> ApiError:
    words = f"{refusal.what} {refusal.next_step}".strip()
    if isinstance(refusal, UserError):
        return ApiError(403, words, "not_allowed")
    return ApiError(503, words, kind="server_error")
