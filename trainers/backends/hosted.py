"""Knows how a job goes through a provider of OpenAI's API: look, send rows, start, ask, serve, tidy; not whose it is.

What differs from one provider to the next stands in `hosted.toml`. Paid calls go through the `Keeper`, so that each is
made once whatever crashes; everything else is a read, which may be asked again.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from knowledge.errors import ServiceError, UserError
from trainers.backends import results, watching
from trainers.backends.azure_shape import DeploymentApi
from trainers.backends.base import Keeper, Made, Order, PaidCall, Served, Timing, Trained, Waiting
from trainers.backends.openai_shape import DEAD, FineTuningApi
from trainers.backends.preflight import base_deployment, check, no_loss
from trainers.backends.traits import BYTE_ORDER_MARK, Traits
from trainers.backends.wire import KeyRefused, NotThere
from trainers.errors import ChildFailed, Refused

ASK_AGAIN: Final = timedelta(seconds=30)
"""How often a job at the provider is asked after."""

KEY_AGAIN: Final = timedelta(minutes=10)
"""How often it is, while the provider does not take our key."""


@dataclass(kw_only=True)
class HostedBackend:
    """Training at one provider, with one account."""

    traits: Traits
    api: FineTuningApi
    timing: Timing
    """How long its paid calls may take and hide."""
    deployments: DeploymentApi | None = None
    """Where it serves models by the hour."""
    again_in: timedelta = ASK_AGAIN
    today: Callable[[], date] = lambda: datetime.now(UTC).date()
    queue: str = "io"
    name: str = field(init=False)
    provider: str = field(init=False)

    def __post_init__(self) -> None:
        """Name it after its traits and its account."""
        self.name, self.provider = self.traits.key, self.api.name
        self.api.mark = BYTE_ORDER_MARK if self.traits.byte_order_mark else b""

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
        """End the deployment and the job and delete the file, as soon as it is known whether they exist."""
        try:
            return self._release(order, keeper)
        except (ServiceError, Refused) as problem:
            return Waiting(again_in=timedelta(seconds=self.timing.timeout), note=f"Stopping: {problem.what}")

    def find(self, order: Order, adapter: Path, keeper: Keeper) -> Trained | Waiting:
        """Refuse: a model that stays at a provider is judged over its endpoint."""
        if self.traits.pretends:
            return Trained(adapter=None, base=None, pretended=True)
        raise UserError(f"That model stays at {self.provider}.", "Judge it with `evaluate --url` over its endpoint.")

    def listing(self, kind: str) -> list[Made]:
        """Return our files, our jobs that have not ended, or our deployments."""
        if kind != "deployment":
            return list(self.api.listing(kind))
        return list(self.deployments.listing()) if self.deployments else []

    def forgets(self, run: str) -> bool:
        """Say whether a run of ours is shown without its submission id."""
        return not (self.api.job(run).get("metadata") or {}).get("submission_id")

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
        started = keeper.made(self._start(order, keeper))
        if isinstance(started, str):
            try:
                job = self._job(started)
            except KeyRefused as refusal:  # it goes on there, paid for: that is no reason to give it up
                return Waiting(again_in=KEY_AGAIN, note=f"{refusal.what} {refusal.next_step} The job goes on there.")
            if job.get("status") not in DEAD:
                return self._stands(order, keeper, job)
            why = watching.why_dead(job)
            if not keeper.over(self._start(order, keeper), why):
                self._delete_upload(order, keeper, why)
                raise ChildFailed(why, "Put that right, then `resume`: that starts it anew.")
            started = None
        return started or self._begin(order, keeper)

    def _begin(self, order: Order, keeper: Keeper) -> Waiting:
        if keeper.made(self._upload(order)) is None:
            keeper.progress("preparing", {"note": f"Asking {self.provider} before anything is sent"})
            check(self.traits, self.api, self.deployments if self.traits.deploys else None, order, self.today())
        file = keeper.once(self._upload(order))
        if isinstance(file, Waiting):
            return file
        lost = no_loss(self.traits, order)
        held_out = "" if lost else self._send_held_out(order, keeper)
        if isinstance(held_out, Waiting):
            return held_out
        try:
            started = keeper.once(self._start(order, keeper, file, held_out))
        except Refused as refusal:
            self._delete_upload(order, keeper, refusal.what)
            raise
        if isinstance(started, Waiting):
            return started
        note = f"{self.provider} has the job{f'. {lost}' if order.test and lost else ''}"
        return Waiting(again_in=self.again_in, note=self._said(note, self.traits.pretends))

    def _send_held_out(self, order: Order, keeper: Keeper) -> str | Waiting:
        try:
            return keeper.once(self._validation(order))
        except Refused as refusal:  # the rows to train on are there by now, and no run will ever need them
            self._delete_upload(order, keeper, refusal.what)
            what = f"The held-out rows were not taken, so nothing was begun. {refusal.what}"
            raise Refused(what, refusal.next_step) from refusal

    def _stands(self, order: Order, keeper: Keeper, job: dict[str, Any]) -> Trained | Waiting:
        if job.get("status") != "succeeded":
            return self._wait(order, keeper, job)
        self._read_results(order, job)
        if not self._delete_upload(order, keeper, "The job has ended; the rows were deleted at the provider."):
            return Waiting(again_in=self.again_in, note=f"{self.provider} has not deleted the rows yet; asking again")
        pretended = self.traits.pretends or watching.pretends(job)
        model = str(job.get("fine_tuned_model") or "")
        if self.traits.serves and not model:
            raise ChildFailed(f"{self.provider} says that it succeeded and names no model.", "Look there.")
        served = self._served(order, keeper, model) if self.traits.serves else None
        if isinstance(served, Waiting):
            return served
        tokens = int(job.get("trained_tokens") or 0)
        done: dict[str, Any] = {"trained_tokens": tokens, "seconds": watching.took(job), "pretended": pretended}
        return Trained(adapter=None, base=None, served=served, **done)

    def _wait(self, order: Order, keeper: Keeper, job: dict[str, Any]) -> Waiting:
        steps, words = self._hear(order, job)
        pretended = self.traits.pretends or watching.pretends(job)
        note = self._said(watching.stands(self.provider, job), pretended) + (f". It warns: {words}" if words else "")
        last = steps[-1] if steps else None
        left = watching.seconds_left(job, datetime.now(UTC))
        hold = watching.hold(job, order.folder) if self.traits.pauses else ""
        numbers: dict[str, Any] = {"seconds_left": left, "note": note, "hold": hold}
        keeper.progress("training", numbers if last is None else numbers | last._asdict())
        return Waiting(again_in=self.again_in, note=note)

    def _hear(self, order: Order, job: dict[str, Any]) -> tuple[list[watching.Step], str]:
        """Read a job's newest events: its steps, kept for the loss curve, and its last warning. They are a courtesy."""
        if job.get("status") not in ("running", "succeeded", "paused"):
            return [], ""
        try:
            events = self.api.events(str(job["id"]))
        except (ServiceError, Refused, KeyError):
            return [], ""
        steps = watching.steps_in(events)
        watching.keep_losses(order.folder / "train" / "losses.jsonl", steps)
        return steps, watching.last_words(events)

    def _read_results(self, order: Order, job: dict[str, Any]) -> None:
        """Put the figures of a job's last events and of its result files together, once; they are a courtesy too.

        A job has turns after its end, while rows are deleted and the model is asked.
        """
        files, run = job.get("result_files") or (), str(job.get("id"))
        if results.are_read(order.folder, run):
            return
        self._hear(order, job)
        read = [self._read_result(order, str(file)) for file in files]
        if read and all(read):
            results.mark_read(order.folder, run)

    def _read_result(self, order: Order, file: str) -> bool:
        """Read one file; False where it has to be tried again."""
        try:
            steps = results.steps_in(self.api.content(file))
        except (ServiceError, Refused) as problem:
            return isinstance(problem, Refused) and problem.again_in is None
        results.keep(order.folder / "train" / "losses.jsonl", steps)
        return True

    def _served(self, order: Order, keeper: Keeper, model: str) -> Served | Waiting:
        """Return where a tuned model answers; where it has to be deployed for that, once and for a while."""
        base, tuned = self.traits.model(order.spec.base), model
        if self.traits.deploys and self.deployments is not None:
            made = keeper.once(self.deployment(model, self.traits.lives))
            if isinstance(made, Waiting):
                return made
            state = self.deployments.state(made)
            if state.lower() in ("failed", "canceled"):
                what = f"{self.provider} could not deploy {model}: {state}."
                raise ChildFailed(what, "`resume` tries once more; nothing is trained again.")
            if state.lower() != "succeeded":
                return Waiting(again_in=self.again_in, note=f"{self.provider} deploys the model: {state[:40]}")
            tuned = made
            base = base if self.traits.pretends else self._base(order)
        return Served(url=self.api.url, key=self.api.key, base=base, tuned=tuned, model_id=model)

    def _base(self, order: Order) -> str:
        assert self.deployments is not None  # noqa: S101  # asked only where there are some
        return base_deployment(self.traits, self.deployments, order.spec.base)

    def _release(self, order: Order, keeper: Keeper) -> Waiting | None:
        for call in self._calls(order, keeper):
            made = keeper.made(call)
            if isinstance(made, Waiting):
                return Waiting(again_in=made.again_in, note=f"Stopping: {made.note}")
            if made is not None:
                self.remove(call.kind, made)
                keeper.over(call, "Stopped: it was cancelled or deleted at the provider.")
        return None

    def _calls(self, order: Order, keeper: Keeper) -> Iterable[PaidCall]:
        if self.deployments is not None:
            yield self.deployment("", None)
        yield self._start(order, keeper)
        yield self._upload(order)
        yield self._validation(order)

    def _delete_upload(self, order: Order, keeper: Keeper, why: str) -> bool:
        """Delete the rows at the provider; False where it has to be tried again.

        A provider that refuses to delete does not keep a job from its end: the sweep goes on trying.
        """
        gone = [self._delete(call, keeper, why) for call in (self._upload(order), self._validation(order))]
        return all(gone)

    def _delete(self, call: PaidCall, keeper: Keeper, why: str) -> bool:
        sent = keeper.made(call)
        if isinstance(sent, str):
            try:
                self.api.delete(sent)
            except ServiceError:
                return False
            except Refused as refusal:
                return refusal.again_in is None
            keeper.over(call, why)
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

    def _validation(self, order: Order) -> PaidCall:
        rows = order.test or order.train
        return PaidCall(
            kind="validation",
            provider=self.provider,
            create=lambda submission_id, deadline: self.api.upload(submission_id, rows, deadline),
            find=self.api.find_upload,
            timing=self.timing,
        )

    def _start(self, order: Order, keeper: Keeper, file: str = "", held_out: str = "") -> PaidCall:
        def create(submission_id: str, deadline: Any) -> str:
            return self.api.start(submission_id, deadline, **self.traits.job(order.spec, file, order.job_id, held_out))

        def find(submission_id: str) -> str | None:
            sent = file or keeper.made(self._upload(order))
            ours = sent if isinstance(sent, str) else ""
            return self.api.find_job(submission_id, ours, lambda run: keeper.taken(self.provider, run))

        return PaidCall(kind="job", provider=self.provider, create=create, find=find, timing=self.timing)

    def _said(self, note: str, pretended: bool) -> str:
        return f"{note}; nothing is trained there" if pretended else note
