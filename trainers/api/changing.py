"""Knows how a job of the API is started, cancelled, paused, resumed and closed; it does not know HTTP."""

from collections.abc import Mapping
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
from trainers.api.names import run_of
from trainers.api.preparing import spec_asked_for
from trainers.api.runs import Runs
from trainers.api.tables import ApiJob, ApiKey
from trainers.api.telling import Told, steps_in
from trainers.jobs.service import Jobs
from trainers.openai_api.objects import ENDED, JobRequest, Verb
from trainers.openai_api.refusals import ApiError, bad, not_trainable, training_not_available
from trainers.policy import check_not_paused, rules_of
from trainers.states import ENDED as RUN_ENDED
from trainers.states import LIVE
from trainers.tables import Job


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
        """Cancel, pause or resume; asked a second time it changes nothing. Raises ApiError."""
        told = self.one(key, job_id)
        if told.status in ENDED and not (verb == "cancel" and told.status == "cancelled"):
            raise bad(f"Job has already {told.status}.", "invalid_job_state")
        owner = Person(workspace_id=told.job.workspace_id, user_id=told.job.owner)
        try:
            {"cancel": self._cancel, "pause": self._pause, "resume": self._resume}[verb](told, owner, self.clock())
        except LuthierError as refusal:
            raise _as_api(refusal) from refusal
        return self.one(key, job_id)

    def close(self, job: ApiJob) -> Told:
        """Put down that a job has ended: its result file, and what its webhooks are owed; once."""
        now = self.clock()
        with self.runs.engine.begin() as connection:
            current = runs.locked(connection, job.id)
            run = runs.run_of(connection, current)  # read behind the lock: both as they are at one moment
            told = Told(job=current, run=run, steps=steps_in(self._losses(run)))
            if current.told_at is None and told.status in ENDED:
                self._close(connection, told, now)
            return Told(job=runs.locked(connection, job.id), run=run, steps=told.steps)

    def _close(self, connection: Connection, told: Told, now: datetime) -> None:
        kept = ""
        if told.status == "succeeded":
            kept = self.files.put_results(connection, told.job, told.results(), now)
        runs.change(connection, told.job.id, told_at=now, result_file=kept)
        hooks.owe(connection, told.job, f"fine_tuning.job.{told.status}", now)

    def _cancel(self, told: Told, owner: Person, now: datetime) -> None:
        job = told.job
        with self.runs.engine.begin() as connection:
            if runs.locked(connection, job.id).cancelled_at is not None:
                return
            runs.change(connection, job.id, cancelled_at=now, paused_at=None)
            runs.note(connection, job.id, "Job has been cancelled." if told.run is None else "Cancel requested.", now)
        run = told.run or self.runs.run(run_of(job.id))  # one may have been proposed just now
        if run is not None and run.state not in RUN_ENDED:
            self.jobs.stop(run.id, owner, now)

    def _pause(self, told: Told, owner: Person, now: datetime) -> None:
        if told.job.paused_at is not None:
            return
        if told.run is None or told.run.state not in LIVE:
            raise bad(f"Job is {told.status} and cannot be paused before it waits for a worker.", "invalid_job_state")
        with self.runs.engine.begin() as connection:
            runs.change(connection, told.job.id, paused_at=now)
            runs.note(connection, told.job.id, "Job paused; it will continue from its last checkpoint.", now)
        self.jobs.stop(told.run.id, owner, now)

    def _resume(self, told: Told, owner: Person, now: datetime) -> None:
        if told.job.paused_at is None or told.run is None:
            raise bad(f"Job is {told.status}, not paused.", "invalid_job_state")
        if told.run.state not in RUN_ENDED:
            raise ApiError(409, "The job is still writing its checkpoint; try again in a moment.", "conflict")
        self.jobs.resume(told.run.id, owner, now)
        with self.runs.engine.begin() as connection:
            runs.change(connection, told.job.id, paused_at=None)
            runs.note(connection, told.job.id, "Job resumed.", now)

    def _losses(self, run: Job | None) -> Path:
        return self.data / "jobs" / (run.id if run is not None else "none") / "train" / "losses.jsonl"


def _as_api(refusal: LuthierError) -> ApiError:
    words = f"{refusal.what} {refusal.next_step}".strip()
    if isinstance(refusal, UserError):
        return ApiError(403, words, "not_allowed")
    return ApiError(503, words, kind="server_error")
