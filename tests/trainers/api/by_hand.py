"""The real engine whose work is done a step at a time by the test: nothing happens beside it, so nothing is waited for.

No server listens and no thread works; `Changes` and `Preparing` are asked as the server asks them.
"""

import io
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import select

from tests.trainers.api.shop import ADA, BASE, Shop, now, rows
from trainers.api.keys import Made
from trainers.api.tables import ApiDelivery, ApiEvent, ApiJob
from trainers.jobs.ledger import move
from trainers.openai_api.objects import JobRequest, Sent, Verb
from trainers.tables import Job

ENDS = ("fine_tuning.job.succeeded", "fine_tuning.job.failed", "fine_tuning.job.cancelled")


class ByHand(NamedTuple):
    """A shop, one key of it, and its steps."""

    shop: Shop
    made: Made

    @classmethod
    def of(cls, shop: Shop, **key: Any) -> "ByHand":
        """Take a shop that was not started; an address of the key's owner is owed every end."""
        made = shop.key(ADA, **key)
        shop.hooks.add(made.key, "mine", "http://127.0.0.1:9/nowhere", ENDS, now())
        return cls(shop, made)

    def take(self, model: str = BASE, **request: Any) -> str:
        """Upload rows and start a job; nobody has looked into it. Returns its id."""
        content = rows()
        sent = Sent("rows.jsonl", "fine-tune", io.BytesIO(content), len(content), None)
        file = self.shop.changes.files.keep(self.made.key, sent, now()).id
        asked = JobRequest(model=model, training_file=file, **request)
        return self.shop.changes.start(self.made.key, asked).job.id

    def begin(self, model: str = BASE, **request: Any) -> str:
        """Bring a job so far that a worker works on it; returns its id."""
        job_id = self.take(model, **request)
        self.tend()
        self.claim(job_id)
        return job_id

    def tend(self) -> None:
        """Do once what the server does beside its answers."""
        self.shop.preparing.tend()
        for job in [*self.shop.changes.runs.untold(), *self.shop.changes.runs.ended_anew()]:
            self.shop.changes.close(job)

    def claim(self, job_id: str) -> None:
        """Let a worker take its run."""
        assert self.shop.jobs.ledger.claim(self.run_id(job_id), "by hand", now()) is not None

    def halt(self, job_id: str) -> None:
        """Let the worker carry out the stop that was asked for."""
        run = self.run(job_id)
        assert run.stop_requested_by
        with self.shop.jobs.ledger.transaction() as connection:
            assert move(connection, run, "cancelled", run.stop_requested_by, now(), fenced=True, finished_at=now())

    def finish(self, job_id: str) -> None:
        """Let a worker bring a queued run to its end."""
        self.shop.runner.work(self.run_id(job_id))
        assert self.run(job_id).state == "succeeded"

    def change(self, job_id: str, verb: Verb) -> str:
        """Cancel, pause or resume over the API; returns the status that is answered."""
        return self.shop.changes.change(self.made.key, job_id, verb).status

    def status(self, job_id: str) -> str:
        """Return what the API says of a job."""
        return self.shop.changes.one(self.made.key, job_id).status

    def row(self, job_id: str) -> ApiJob:
        """Return a job's row."""
        return self.shop.changes.runs.get(self.made.key, job_id)

    def run_id(self, job_id: str) -> str:
        """Return the id of a job's run."""
        return f"job_{job_id.removeprefix('ftjob-')}"

    def run(self, job_id: str) -> Job:
        """Return a job's run."""
        return self.shop.jobs.ledger.get(self.run_id(job_id))

    def notes(self, job_id: str) -> Sequence[ApiEvent]:
        """Return what was noted about a job."""
        return self.shop.changes.runs.notes(job_id)

    def told(self, job_id: str) -> list[str]:
        """Return which ends the address is owed, the first one first."""
        table = ApiDelivery.__table__  # type: ignore[attr-defined]  # SQLModel adds it at class creation
        query = select(table.c.event_type).where(table.c.api_job_id == job_id).order_by(table.c.at)
        with self.shop.engine.connect() as connection:
            return [kind.removeprefix("fine_tuning.job.") for kind in connection.execute(query).scalars()]

    def lease(self, job_id: str) -> datetime | None:
        """Return until when a job is somebody's alone."""
        return self.row(job_id).lease_until
