"""Knows how a job of the API becomes one of ours: rows checked, run proposed, approved by its key's grant; not HTTP."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from sqlalchemy.exc import OperationalError

from knowledge.clock import Clock
from knowledge.errors import LuthierError, UserError
from knowledge.tenancy import Person
from trainers.api import runs
from trainers.api.files import Files
from trainers.api.keys import Keys, limit_of
from trainers.api.names import run_of
from trainers.api.runs import Runs, request_of
from trainers.api.tables import ApiFile, ApiJob, ApiKey
from trainers.errors import JobNotFound, NotAllowed, OverBudget
from trainers.jobs import accounts
from trainers.jobs.service import Jobs, Place
from trainers.openai_api.objects import JobRequest
from trainers.policy import dollars
from trainers.spec import Method, TrainingSpec, usual
from trainers.tables import Dataset, Job

log = logging.getLogger("luthier.api")


@dataclass(frozen=True, kw_only=True)
class Preparing:
    """What stands between a job that was taken and a run that waits for a worker."""

    jobs: Jobs
    runs: Runs
    files: Files
    keys: Keys
    bases: Mapping[str, str]
    """Base that may be trained -> the backend that trains it."""
    clock: Clock

    def tend(self) -> int:
        """Prepare every job that was taken and put quotes before whoever may approve them; returns how many."""
        done = 0
        while (taken := self.runs.claim(self.clock())) is not None:
            self._prepare(taken)
            done += 1
        for quoted in self.runs.unapproved():
            self._approve(quoted)
            done += 1
        return done

    def _prepare(self, taken: ApiJob) -> None:
        """Check the rows and propose a run; what is wrong with them is the job's error."""
        try:
            run = self._known(run_of(taken.id)) or self._propose(taken)
        except UserError as wrong:
            words = f"{wrong.what} {wrong.next_step}".strip()
            self._fail(taken, "invalid_training_file", words, "training_file")
            return
        except OperationalError:
            raise  # the database is busy or away: it is prepared later
        except Exception as trouble:  # the boundary: what nobody foresaw must end this job, not keep the others waiting
            log.exception("job %s could not be prepared", taken.id)
            words = trouble.what if isinstance(trouble, LuthierError) else "Its rows could not be looked into."
            self._fail(taken, "server_error", words, "")
            return
        now = self.clock()
        with self.runs.engine.begin() as connection:
            runs.change(connection, taken.id, job_id=run.id, prepared_at=now)
            runs.note(connection, taken.id, f"Files validated; the run is job #{run.number}", now)

    def _propose(self, taken: ApiJob) -> Job:
        key, request = self.keys.get(taken.key_id), request_of(taken)
        who, now = Person(workspace_id=taken.workspace_id, user_id=taken.owner), self.clock()
        dataset = self._rows(taken, key, request, who, now)
        place = Place(taken.channel, "", taken.private)
        spec = spec_asked_for(request, self.bases[request.model])
        return self.jobs.propose(dataset, spec, person=who, now=now, place=place, job_id=run_of(taken.id))

    def _rows(self, taken: ApiJob, key: ApiKey, request: JobRequest, who: Person, now: datetime) -> Dataset:
        """Copy the rows into a data set; without a validation file some are held out."""
        train = self.files.get(key, request.training_file)
        test = self.files.get(key, request.validation_file) if request.validation_file else None
        name = request.suffix or Path(train.name).stem[:60] or "rows"
        from_key = f"file {train.name} sent with the API key {key.name} of {key.owner}"
        added = self.jobs.datasets.add(
            self._named(train),
            self._named(test) if test else None,
            name=name,
            person=who,
            provenance=f"{from_key}, who said by doing so that it was made for training and is theirs to use",
            now=now,
            private=taken.private,
            file_names=(train.name, test.name if test else ""),
        )
        return added.dataset

    def _named(self, file: ApiFile) -> Path:
        return self.files.path(file.id)

    def _approve(self, quoted: ApiJob) -> None:
        """Let the key's grant say yes as far as it goes; else ask, as a click of its owner would."""
        key, run = self.keys.get(quoted.key_id), self.jobs.ledger.get(quoted.job_id)
        if quoted.cancelled_at is not None:  # while its file was being looked into
            self.jobs.stop(run.id, Person(workspace_id=run.workspace_id, user_id=quoted.owner), self.clock())
            return
        try:
            run = self._say_yes(key, run)
        except (NotAllowed, OverBudget) as refusal:
            self._refused(quoted, run, refusal)
            return
        cost = dollars(accounts.cost_of(run) or Decimal(0))
        said = {
            "queued": f"Approved at {cost} with the key {key.name}; waiting for a worker",
            "awaiting_approval": f"The job costs {cost}: waiting for an approver in Slack",
        }.get(run.state)
        with self.runs.engine.begin() as connection:
            if said:
                runs.note(connection, quoted.id, said, self.clock())

    def _say_yes(self, key: ApiKey, run: Job) -> Job:
        owner, cost = Person(workspace_id=run.workspace_id, user_id=key.owner), accounts.cost_of(run)
        if key.granted_by and key.revoked_at is None and cost is not None and cost <= limit_of(key):
            granted = replace(owner, user_id=key.granted_by)
            try:
                outcome = self.jobs.approve(run.id, run.quote_hash, granted, self.clock(), via=key.id)
            except NotAllowed:  # whoever granted it is no approver any more, or asks for it themselves
                pass
            else:
                return outcome.job
        return self.jobs.approve(run.id, run.quote_hash, owner, self.clock(), via=key.id).job

    def _refused(self, quoted: ApiJob, run: Job, refusal: LuthierError) -> None:
        """End what nobody can approve; the quote's card says so too.

        Both in one transaction: between the two it would look cancelled, and its webhooks would be told so.
        """
        code = "budget_exceeded" if isinstance(refusal, OverBudget) else "approval_impossible"
        owner, now = Person(workspace_id=run.workspace_id, user_id=quoted.owner), self.clock()
        with self.jobs.ledger.transaction() as connection:
            self.jobs.stop_within(connection, run.id, owner, now)
            runs.fail(connection, quoted.id, code, f"{refusal.what} {refusal.next_step}".strip(), "", now)

    def _fail(self, taken: ApiJob, code: str, message: str, param: str) -> None:
        with self.runs.engine.begin() as connection:
            runs.fail(connection, taken.id, code, message, param, self.clock())

    def _known(self, run_id: str) -> Job | None:
        """Return the run that an earlier process proposed before it died."""
        try:
            return self.jobs.ledger.get(run_id)
        except JobNotFound:
            return None


def spec_asked_for(request: JobRequest, backend: str) -> TrainingSpec:
    """Read OpenAI's knobs as ours; "auto" is our default, and a multiplier is one of our default rate."""
    asked = request.method
    method = Method.DPO if asked.kind == "dpo" else Method.LORA
    ours = usual(method)
    knobs = replace(
        ours,
        epochs=asked.n_epochs or ours.epochs,
        batch_size=asked.batch_size or ours.batch_size,
        learning_rate=min(ours.learning_rate * (asked.learning_rate_multiplier or 1.0), 0.1),
        seed=ours.seed if request.seed is None else request.seed,
        beta=asked.beta or ours.beta,
    )
    return TrainingSpec(base=request.model, backend=backend, method=method, hyperparameters=knobs)
