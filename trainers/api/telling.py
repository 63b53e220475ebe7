"""Knows how a job of ours reads as one of OpenAI's: state, events, checkpoint, result; it changes nothing."""

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from trainers.api.names import tuned_name
from trainers.api.runs import request_of
from trainers.api.tables import ApiEvent, ApiJob
from trainers.jobs.service import spec_of
from trainers.openai_api.objects import Checkpoint, Event, JobError, TuningJob
from trainers.spec import Hyperparameters
from trainers.tables import Job, JobEvent

HEAD = ("step", "train_loss", "train_accuracy", "valid_loss", "valid_mean_token_accuracy")
"""Columns of a result file; what our trainer does not measure stays empty."""

LAPSED = (
    "Nobody approved this job's quote in time. Create the job again, and have its quote approved where it is shown."
)


class Step(NamedTuple):
    """One step of a training."""

    step: int
    loss: float
    at: float | None = None
    """When it was taken, in seconds since 1970; None where nobody wrote that down."""
    ahead: float | None = None
    """Of preferences: share of the step's pairs whose better answer gained on the worse one."""
    valid_loss: float | None = None
    """On held-out rows, where a provider measured it."""


@dataclass(frozen=True, kw_only=True)
class Told:
    """A job, its run and what is known of its training."""

    job: ApiJob
    run: Job | None
    steps: Sequence[Step] = ()

    @property
    def paused(self) -> bool:
        """Whether its run was stopped, or is being stopped, to go on later."""
        run = self.run
        stopped = run is not None and (run.state == "cancelled" or bool(run.stop_requested_by))
        return stopped and self.job.paused_at is not None and self.job.cancelled_at is None

    @property
    def lapsed(self) -> bool:
        """Whether nobody approved its quote in time: nobody cancelled it, so it has failed, with the reason."""
        run = self.run
        closed = run is not None and run.state == "cancelled" and run.approved_at is None and not run.stop_requested_by
        return closed and self.job.cancelled_at is None

    @property
    def status(self) -> str:
        """OpenAI's word for how it stands; a paused job is queued."""
        run = self.run
        if self.job.error_code or self.lapsed:
            return "failed"
        if run is not None and run.state in ("succeeded", "failed"):
            return run.state
        if self.job.cancelled_at is not None:
            return "cancelled"
        if run is None:
            return "validating_files"
        if self.paused:
            return "queued"
        begun = run.state == "queued" and run.fence > 0
        return {"cancelled": "cancelled", "running": "running"}.get(run.state, "running" if begun else "queued")

    def as_job(self, now: datetime) -> TuningJob:
        """Return it as the router speaks of it."""
        status, asked = self.status, request_of(self.job)
        return TuningJob(
            id=self.job.id,
            status=status,
            request=self._chosen(),
            at=_seconds(self.job.created_at) or 0,
            organisation=f"org-{self.job.workspace_id.lower()}",
            finished_at=self._finished(status),
            estimated_finish=self._finish(now) if status == "running" else None,
            tuned_model=self.tuned_model if status == "succeeded" else None,
            trained_tokens=self._result().get("trained_tokens") if status == "succeeded" else None,
            result_files=[self.job.result_file] if self.job.result_file else [],
            error=self._error() if status == "failed" else None,
            seed=Hyperparameters().seed if asked.seed is None else asked.seed,
        )

    @property
    def tuned_model(self) -> str | None:
        """What the model is called; None where none was made, as at a rehearsal."""
        if self.run is None or not self._result().get("model_id"):
            return None
        return tuned_name(request_of(self.job).model, self.job.workspace_id, self.run.title, self.run.id)

    def events(self, notes: Sequence[ApiEvent], history: Sequence[JobEvent]) -> list[Event]:
        """Return what happened, newest first."""
        told = [_event(self.job, f"a{note.id}", note.at, note.message, note.level) for note in notes]
        told += [event for line in self._settled(history) if (event := self._of_history(line)) is not None]
        told += self._metrics()
        told += self._verdict()
        return sorted(told, key=lambda event: event.at)[::-1]

    def checkpoints(self) -> list[Checkpoint]:
        """Return the one that is kept as a model: the last step's."""
        if self.status != "succeeded" or self.tuned_model is None or not self.steps:
            return []
        last = self.steps[-1]
        return [
            Checkpoint(
                id=f"ftckpt-{self._hex}-{last.step}",
                at=self._finished("succeeded") or 0,
                model=self.tuned_model,
                job_id=self.job.id,
                step=last.step,
                metrics={"train_loss": last.loss},
            )
        ]

    def results(self) -> bytes:
        """Return the losses as CSV."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(HEAD)
        for step in self.steps:
            ahead, valid = ("" if figure is None else figure for figure in (step.ahead, step.valid_loss))
            writer.writerow([step.step, round(step.loss, 5), ahead, valid, ""])
        return text.getvalue().encode()

    @property
    def _hex(self) -> str:
        return self.job.id.removeprefix("ftjob-")

    def _chosen(self) -> Any:
        """Return the request with the knobs that were chosen for it."""
        asked = request_of(self.job)
        if self.run is None:
            return asked
        knobs = spec_of(self.run).hyperparameters
        rate = asked.method.learning_rate_multiplier or 1.0
        chosen: dict[str, Any] = {"n_epochs": knobs.epochs, "batch_size": knobs.batch_size, "beta": knobs.beta}
        method = replace(asked.method, learning_rate_multiplier=rate, **chosen)
        return replace(asked, method=method)

    def _result(self) -> dict[str, Any]:
        return dict(json.loads(self.run.result)) if self.run is not None else {}

    def _error(self) -> JobError:
        if self.job.error_code:
            return JobError(self.job.error_code, self.job.error_message, self.job.error_param or None)
        if self.lapsed:
            return JobError("quote_expired", LAPSED)
        run = self.run
        words = f"{run.error_what} {run.error_next}".strip() if run else ""
        return JobError("training_failed", words or "The run ended with an error.")

    def _finished(self, status: str) -> float | None:
        if status not in ("succeeded", "failed", "cancelled"):
            return None
        run_end = self.run.finished_at if self.run is not None and not self.job.error_code else None
        return _seconds(run_end or self.job.cancelled_at or self.job.prepared_at)

    def _finish(self, now: datetime) -> float | None:
        left = json.loads(self.run.progress).get("seconds_left") if self.run is not None else None
        return None if left is None else now.timestamp() + float(left)

    def _settled(self, history: Sequence[JobEvent]) -> list[JobEvent]:
        """Leave out the ends that were none: each pause ends the run, and a resume lets it go on."""
        last = max((line.id or 0 for line in history), default=0)
        return [line for line in history if line.new_state != "cancelled" or (line.id == last and not self.paused)]

    def _of_history(self, line: JobEvent) -> Event | None:
        if (line.old_state, line.new_state) == ("queued", "running"):
            words = "Fine-tuning job started" if line.fence <= 1 else "Fine-tuning job continues"
        elif line.new_state == "succeeded":
            words = "The job has successfully completed"
        elif line.new_state in ("failed", "cancelled"):
            failed = line.new_state == "failed" or self.lapsed
            words = f"The job failed: {self._error().message}" if failed else "Job has been cancelled."
            return _event(self.job, f"j{line.id}", line.at, words, "error" if failed else "info")
        else:
            return None
        return _event(self.job, f"j{line.id}", line.at, words, "info")

    def _metrics(self) -> list[Event]:
        """Return an event for each step, dated when it was taken; where nobody wrote that down, at the start."""
        if self.run is None or not self.steps:
            return []
        total = json.loads(self.run.progress).get("steps") or self.steps[-1].step
        begun = _seconds(self.run.started_at) or _seconds(self.job.created_at) or 0.0
        return [
            Event(
                id=f"ftevent-{self._hex}-s{step.step}",
                at=begun + step.step / 1000 if step.at is None else step.at,
                level="info",
                message=f"Step {step.step}/{total}: training loss={step.loss:.2f}",
                metrics={"step": step.step, "total_steps": total, "train_loss": round(step.loss, 5)}
                | ({} if step.ahead is None else {"train_accuracy": step.ahead}),
            )
            for step in self.steps
        ]

    def _verdict(self) -> list[Event]:
        report = self._result().get("report") if self.run is not None else None
        if not report or self.run is None:
            return []
        verdict = report["verdict"]
        words = f"Evaluated on {verdict['n']} held-out rows: {verdict['outcome']}; the report is in the key's channel"
        return [_event(self.job, "v", self.run.finished_at, words, "info")]


def steps_in(losses: Path) -> list[Step]:
    """Read what a training wrote about its steps; a line that is being written is left out."""
    found = []
    try:
        for line in losses.read_text(encoding="utf-8").splitlines():
            told = json.loads(line)
            found.append(
                Step(int(told["step"]), float(told["loss"]), told.get("at"), told.get("ahead"), told.get("valid_loss"))
            )
    except (OSError, ValueError, KeyError):
        pass
    return found


def _event(job: ApiJob, mark: str, at: datetime | None, message: str, level: Any) -> Event:
    id_ = f"ftevent-{job.id.removeprefix('ftjob-')}-{mark}"
    return Event(id=id_, at=_seconds(at) or 0.0, level=level, message=message)


def _seconds(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()
