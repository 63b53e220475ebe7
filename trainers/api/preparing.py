"""Knows how a job of the API becomes one of ours: rows checked, run proposed, approved by its key's grant; not HTTP."""

import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
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
from trainers.errors import JobNotFound, NotAllowed, NotYet, OverBudget, StaleApproval
from trainers.jobs import accounts
from trainers.jobs.service import Jobs, Place
from trainers.openai_api.objects import JobRequest
from trainers.policy import dollars
from trainers.spec import Method, TrainingSpec, usual
from trainers.states import ENDED
from trainers.tables import Dataset, Job

log = logging.getLogger("luthier.api")

KEY_REVOKED = "key_revoked"
"""Code of a job whose key was revoked before it began."""


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
        """Prepare what was taken, put quotes before whoever may approve them, stop what was cancelled.

        Returns how many jobs it changed.
        """
        done = 0
        while (taken := self.runs.claim(self.clock())) is not None:
            self._prepare(taken)
            done += 1
        for cancelled in self.runs.unstopped():
            self._stop(cancelled)
            done += 1
        quoted = self.runs.unapproved(self.clock())
        waiting = [job.id for job, run in quoted if not self._approve(job, run)]
        if waiting:
            self.runs.put_off(waiting, self.clock())
        return done + len(quoted) - len(waiting)

    def _prepare(self, taken: ApiJob) -> None:
        """Check the rows and propose a run; where the database is busy or away, leave it to whoever comes next."""
        try:
            with self._kept(taken):
                self._checked(taken)
        except OperationalError:
            with suppress(OperationalError):  # else its lease is over soon
                self.runs.lease(taken.id, None)
            raise

    def _checked(self, taken: ApiJob) -> None:
        """Propose a run; what is wrong with the rows is the job's error."""
        try:
            run = self._known(run_of(taken.id)) or self._propose(taken)
        except _Revoked as refusal:
            self._fail(taken, KEY_REVOKED, _words(refusal), "")
            return
        except UserError as wrong:
            self._fail(taken, "invalid_training_file", _words(wrong), "training_file")
            return
        except OperationalError:
            raise
        except Exception as trouble:  # the boundary: what nobody foresaw must end this job, not keep the others waiting
            proposed = self._known(run_of(taken.id))
            if proposed is None:
                log.exception("job %s could not be prepared", taken.id)
                words = trouble.what if isinstance(trouble, LuthierError) else "Its rows could not be looked into."
                self._fail(taken, "server_error", words, "")
                return
            run = proposed  # by another process, which took over what this one was slow at
        self._prepared(taken, run)

    def _prepared(self, taken: ApiJob, run: Job) -> None:
        now = self.clock()
        with self.runs.engine.begin() as connection:
            if runs.locked(connection, taken.id).prepared_at is None:
                runs.change(connection, taken.id, job_id=run.id, prepared_at=now, lease_until=None)
                runs.note(connection, taken.id, f"Files validated; the run is job #{run.number}", now)

    @contextmanager
    def _kept(self, taken: ApiJob) -> Iterator[None]:
        """Renew the lease from a thread: half a gigabyte of rows takes longer than one lease."""
        over = threading.Event()

        def beat() -> None:
            while not over.wait(runs.LEASE.total_seconds() / 4):
                with suppress(OperationalError):  # busy: the next beat comes before the lease is over
                    self.runs.lease(taken.id, self.clock() + runs.LEASE)

        beating = threading.Thread(target=beat, daemon=True, name="api lease")
        beating.start()
        try:
            yield
        finally:
            over.set()
            beating.join()

    def _propose(self, taken: ApiJob) -> Job:
        key, request = self._living(taken), request_of(taken)
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

    def _stop(self, cancelled: ApiJob) -> None:
        """Stop a run that was proposed, or approved in Slack, while its job was being cancelled."""
        with self.jobs.ledger.transaction() as connection:
            job, run = runs.held(connection, cancelled.id)
            if job.cancelled_at is not None and run is not None and run.state not in ENDED:
                owner = Person(workspace_id=run.workspace_id, user_id=job.owner)
                self.jobs.stop_within(connection, run.id, owner, self.clock())

    def _approve(self, quoted: ApiJob, run: Job) -> bool:
        """Let the key's grant say yes as far as it goes; else ask, as a click of its owner would.

        False where that has to be tried again later.
        """
        try:
            key = self._living(quoted)
            run = self._say_yes(key, run)
        except StaleApproval:  # it expired, or was changed just now: the one is closed, the other left to a click
            return False
        except NotYet as wait:
            if quoted.lease_until is None:  # said once
                self._note(quoted, f"Waiting: {_words(wait)}")
            return False
        except (NotAllowed, OverBudget) as refusal:
            self._refused(quoted, run, refusal)
            return True
        cost = dollars(accounts.cost_of(run) or Decimal(0))
        said = {
            "queued": f"Approved at {cost} with the key {key.name}; waiting for a worker",
            "awaiting_approval": f"The job costs {cost}: waiting for an approver in Slack",
        }.get(run.state)
        if said:
            self._note(quoted, said)
        return True

    def _say_yes(self, key: ApiKey, run: Job) -> Job:
        owner, cost = Person(workspace_id=run.workspace_id, user_id=key.owner), accounts.cost_of(run)
        if key.granted_by and cost is not None and cost <= limit_of(key):
            granted = replace(owner, user_id=key.granted_by)
            try:
                return self.jobs.approve(run.id, run.quote_hash, granted, self.clock(), via=key.id).job
            except NotYet:
                raise
            except NotAllowed:  # whoever granted it is no approver any more, or asks for it themselves
                pass
        return self.jobs.approve(run.id, run.quote_hash, owner, self.clock(), via=key.id).job

    def _living(self, job: ApiJob) -> ApiKey:
        """Return a job's key; raises _Revoked where nothing may begin with it any more."""
        key = self.keys.get(job.key_id)
        if key.revoked_at is not None:
            raise _Revoked(f"The API key {key.name} was revoked before this job began.", "Start it with another key.")
        return key

    def _refused(self, quoted: ApiJob, run: Job, refusal: LuthierError) -> None:
        """End what nobody can approve, unless somebody has decided meanwhile; the quote's card says so too.

        Both in one transaction: between the two it would look cancelled, and its webhooks would be told so.
        """
        codes: dict[type[LuthierError], str] = {OverBudget: "budget_exceeded", _Revoked: KEY_REVOKED}
        code = codes.get(type(refusal), "approval_impossible")
        owner, now = Person(workspace_id=run.workspace_id, user_id=quoted.owner), self.clock()
        with self.jobs.ledger.transaction() as connection:
            _, current = runs.held(connection, quoted.id)
            if current is not None and (current.state, current.quote_hash) == ("quoted", run.quote_hash):
                self.jobs.stop_within(connection, run.id, owner, now)
                runs.fail(connection, quoted.id, code, _words(refusal), "", now)

    def _note(self, job: ApiJob, words: str) -> None:
        with self.runs.engine.begin() as connection:
            runs.note(connection, job.id, words, self.clock())

    def _fail(self, taken: ApiJob, code: str, message: str, param: str) -> None:
        with self.runs.engine.begin() as connection:
            runs.fail(connection, taken.id, code, message, param, self.clock())

    def _known(self, run_id: str) -> Job | None:
        """Return the run that an earlier process proposed before it died."""
        try:
            return self.jobs.ledger.get(run_id)
        except JobNotFound:
            return None


class _Revoked(NotAllowed):
    """The key of this job was revoked before it began."""


def _words(refusal: LuthierError) -> str:
    return f"{refusal.what} {refusal.next_step}".strip()


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
