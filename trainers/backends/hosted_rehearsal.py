"""Knows how a job goes through a hosted provider: send rows, start, ask, tidy; the provider of this one only pretends.

The rehearsal provider (`python -m trainers.rehearsal`) trains nothing, so no model comes back. Everything else is as it
is where real money flows: the wire, the states, the faults, the promise that nothing is paid twice.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from knowledge.errors import ServiceError
from trainers.backends.azure_shape import DeploymentApi
from trainers.backends.base import Keeper, Made, Order, PaidCall, Timing, Trained, Waiting
from trainers.backends.openai_shape import DEAD, FineTuningApi
from trainers.backends.wire import NotThere
from trainers.costs.gate import check_base
from trainers.errors import ChildFailed, Refused

ASK_AGAIN = timedelta(seconds=30)
"""How often a job at the provider is asked after."""


@dataclass(kw_only=True)
class HostedRehearsalBackend:
    """Training at the rehearsal provider."""

    api: FineTuningApi
    timing: Timing
    """How long its paid calls may take and hide."""
    deployments: DeploymentApi | None = None
    """Where it would serve models by the hour; no job needs that, since there is none to serve."""
    again_in: timedelta = ASK_AGAIN
    name: str = "hosted_rehearsal"
    queue: str = "io"
    provider: str = "rehearsal provider"
    today: Callable[[], date] = lambda: datetime.now(UTC).date()

    def advance(self, order: Order, keeper: Keeper) -> Trained | Waiting:
        """Upload and start once, then say how the job stands; a worker is held only for single requests."""
        try:
            return self._advance(order, keeper)
        except ServiceError as problem:  # of a read: paid calls have their own way with silence
            return Waiting(again_in=timedelta(seconds=self.timing.timeout), note=problem.what)
        except Refused as refusal:
            if refusal.again_in is None:
                raise
            return Waiting(again_in=refusal.again_in, note=refusal.what)

    def release(self, order: Order, keeper: Keeper) -> Waiting | None:
        """Cancel the job and delete the file, as soon as it is known whether they exist."""
        try:
            return self._release(order, keeper)
        except (ServiceError, Refused) as problem:
            return Waiting(again_in=timedelta(seconds=self.timing.timeout), note=f"Stopping: {problem.what}")

    def find(self, order: Order, adapter: Path, keeper: Keeper) -> Trained | Waiting:
        """Find nothing: a rehearsal leaves no model behind."""
        return Trained(adapter=None, base=None)

    def listing(self, kind: str) -> list[Made]:
        """Return our files, our jobs that have not ended, or our deployments."""
        if kind != "deployment":
            return list(self.api.listing(kind))
        return list(self.deployments.listing()) if self.deployments else []

    def remove(self, kind: str, provider_id: str) -> None:
        """Cancel or delete."""
        if kind == "deployment" and self.deployments:
            self.deployments.delete(provider_id)
        else:
            (self.api.cancel if kind == "job" else self.api.delete)(provider_id)

    def deployment(self, model: str, lives: timedelta | None) -> PaidCall:
        """Return the call that serves a tuned model for so long after it was last asked for."""
        assert self.deployments is not None  # noqa: S101  # whoever deploys has said where
        served = self.deployments
        return PaidCall(
            kind="deployment",
            provider=self.provider,
            create=lambda submission_id, deadline: served.deploy(submission_id, deadline, model),
            find=served.find,
            timing=self.timing,
            lives=lives,
        )

    def _advance(self, order: Order, keeper: Keeper) -> Trained | Waiting:
        started = keeper.made(self._start(order))
        if isinstance(started, str):
            job = self._job(started)
            if job["status"] not in DEAD:
                return self._stands(order, keeper, job)
            why = _why(job)
            if not keeper.over(self._start(order), why):
                self._delete_upload(order, keeper, why)
                raise ChildFailed(why, "Put that right, then `resume`: that starts it anew.")
            started = None
        return started or self._begin(order, keeper)

    def _begin(self, order: Order, keeper: Keeper) -> Waiting:
        if keeper.made(self._upload(order)) is None:
            check_base(self.name, order.spec.base, self.today())  # a quote may be a day old, and a base closed since
        file = keeper.once(self._upload(order))
        if isinstance(file, Waiting):
            return file
        try:
            started = keeper.once(self._start(order, file))
        except Refused as refusal:
            self._delete_upload(order, keeper, refusal.what)
            raise
        if isinstance(started, Waiting):
            return started
        return Waiting(again_in=self.again_in, note=f"{self.provider} has the job; nothing is trained there")

    def _stands(self, order: Order, keeper: Keeper, job: dict[str, Any]) -> Trained | Waiting:
        if job["status"] != "succeeded":
            note = f"{self.provider}: {job['status'].replace('_', ' ')}; nothing is trained there"
            keeper.progress("training", {"seconds_left": _left(job), "note": note})
            return Waiting(again_in=self.again_in, note=note)
        if not self._delete_upload(order, keeper, "The job has ended; the rows were deleted at the provider."):
            return Waiting(again_in=self.again_in, note=f"{self.provider} has not deleted the rows yet; asking again")
        seconds = float(job["finished_at"] - job["created_at"])
        return Trained(adapter=None, base=None, trained_tokens=int(job["trained_tokens"] or 0), seconds=seconds)

    def _release(self, order: Order, keeper: Keeper) -> Waiting | None:
        for call in (self._start(order), self._upload(order)):
            made = keeper.made(call)
            if isinstance(made, Waiting):
                return Waiting(again_in=made.again_in, note=f"Stopping: {made.note}")
            if made is not None:
                self.remove(call.kind, made)
                keeper.over(call, "Stopped: it was cancelled or deleted at the provider.")
        return None

    def _delete_upload(self, order: Order, keeper: Keeper, why: str) -> bool:
        """Delete the rows at the provider; False where it has to be tried again.

        A provider that refuses to delete does not keep a job from its end: the sweep goes on trying.
        """
        sent = keeper.made(self._upload(order))
        if isinstance(sent, str):
            try:
                self.api.delete(sent)
            except ServiceError:
                return False
            except Refused as refusal:
                return refusal.again_in is None
            keeper.over(self._upload(order), why)
        return not isinstance(sent, Waiting)

    def _job(self, job_id: str) -> dict[str, Any]:
        try:
            return self.api.job(job_id)
        except NotThere:
            return {"status": "failed", "error": {"message": f"{self.provider} knows no job {job_id} any more"}}

    def _upload(self, order: Order) -> PaidCall:
        return PaidCall(
            kind="upload",
            provider=self.provider,
            create=lambda submission_id, deadline: self.api.upload(submission_id, order.train, deadline),
            find=self.api.find_upload,
            timing=self.timing,
        )

    def _start(self, order: Order, file: str = "") -> PaidCall:
        knobs = order.spec.hyperparameters
        job = {
            "model": order.spec.base,
            "training_file": file,
            "seed": knobs.seed,
            "method": {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": knobs.epochs}}},
        }
        return PaidCall(
            kind="job",
            provider=self.provider,
            create=lambda submission_id, deadline: self.api.start(submission_id, deadline, **job),
            find=self.api.find_job,
            timing=self.timing,
        )


def _why(job: dict[str, Any]) -> str:
    error = job.get("error") or {}
    return str(error.get("message") or f"The provider's job was {job['status']}.")[:300]


def _left(job: dict[str, Any]) -> float | None:
    finish = job.get("estimated_finish")
    return None if finish is None else max(0.0, finish - datetime.now(UTC).timestamp())
