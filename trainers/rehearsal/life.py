"""Knows what a pretended job is at any moment, its events and results too; a pure function of what the book holds."""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from trainers.openai_api.objects import Checkpoint, Event, JobError, JobRequest, Method, StoredFile, TuningJob
from trainers.openai_api.requests import job_request
from trainers.rehearsal.book import Run, Upload

NOTHING: Final = "rehearsal: nothing is trained"
"""Said wherever a client looks."""

FAILS_AT_ONCE: Final = {
    "invalid": ("invalid_training_file", "a line is not a chat example", "training_file"),
    "moderated": ("invalid_training_file", "it was blocked by moderation", "training_file"),
}
"""Faults of a job that is taken and fails at validation -> code, what is said, parameter."""

LEAST_EXAMPLES: Final = 10
"""OpenAI refuses to train on fewer."""

MOST_STEPS: Final = 24
CHECKPOINTS: Final = 3


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How long each state of a job lasts, in seconds."""

    validating: float = 0.5
    queued: float = 0.5
    running: float = 2.0

    @property
    def begins(self) -> float:
        """Seconds from start to training."""
        return self.validating + self.queued

    @property
    def whole(self) -> float:
        """Seconds from start to end."""
        return self.begins + self.running


def status(run: Run, pace: Pace, now: float) -> str:
    """Return a job's state at `now` (seconds since 1970); beside OpenAI's there is `paused`."""
    age = _age(run, now)
    if age >= pace.validating and _broken(run):
        return "failed"
    if age >= pace.whole:
        return "failed" if run.fault == "dies" else "succeeded"
    if run.cancelled_at is not None:
        return "cancelled"
    if run.paused_at is not None:
        return "paused"
    if age < pace.validating:
        return "validating_files"
    return "queued" if age < pace.begins else "running"


def job(run: Run, pace: Pace, now: float, paused: str = "queued", odd: str = "") -> TuningJob:
    """Return a job; `paused` is what a paused one is called, `odd` what it is called whatever it is."""
    state, asked = status(run, pace, now), request_of(run)
    done, ended = state == "succeeded", state in ("succeeded", "failed", "cancelled")
    return TuningJob(
        id=run.id,
        status=odd or (paused if state == "paused" else state),
        request=asked,
        at=run.at,
        organisation="org-rehearsal-nothing-is-trained",
        finished_at=_end(run, pace, state) if ended else None,
        estimated_finish=_moment(run, pace.whole) if state == "running" else None,
        tuned_model=tuned_name(run) if done else None,
        trained_tokens=run.tokens * (asked.method.n_epochs or 3) if done else None,
        result_files=[results_id(run)] if done else [],
        error=_error_of(run) if state == "failed" else None,
        seed=asked.seed or 0,
    )


def request_of(run: Run) -> JobRequest:
    """Return what was asked for, with the knobs that a provider chooses filled in."""
    asked = job_request(run.body)
    said = asked.method
    chosen = Method(
        kind=said.kind,
        n_epochs=said.n_epochs or 3,
        batch_size=said.batch_size or 1,
        learning_rate_multiplier=said.learning_rate_multiplier or 2.0,
        beta=(said.beta or 0.1) if said.kind == "dpo" else None,
    )
    return replace(asked, method=chosen)


def tuned_name(run: Run) -> str:
    """Return what the model would be called."""
    return f"ft:{run.body['model']}:rehearsal:{run.body.get('suffix') or 'none'}:{run.id}"


def results_id(run: Run) -> str:
    """Return the id of a job's result file."""
    return f"file-results-{run.id.removeprefix('ftjob-')}"


def upload(kept: Upload) -> StoredFile:
    """Return a file that was sent."""
    expires = None if kept.lives is None else kept.at + kept.lives
    return StoredFile(id=kept.id, name=kept.name, size=kept.size, purpose=kept.purpose, at=kept.at, expires_at=expires)


def results_file(run: Run, pace: Pace) -> StoredFile:
    """Return the result file of a job that succeeded."""
    size = len(results(run))
    at = _moment(run, pace.whole)
    return StoredFile(id=results_id(run), name="step_metrics.csv", size=size, purpose="fine-tune-results", at=at)


def results(run: Run) -> bytes:
    """Return a job's step metrics as CSV; the figures are pretended."""
    rows = ["step,train_loss,train_accuracy,valid_loss,valid_mean_token_accuracy"]
    for step in range(1, _steps(run) + 1):
        told = _metrics(run, step)
        valid = told.get("valid_loss"), told.get("valid_mean_token_accuracy")
        cells = (step, told["train_loss"], told["train_mean_token_accuracy"], *valid)
        rows.append(",".join("" if cell is None else str(cell) for cell in cells))
    return "\n".join(rows).encode() + b"\n"


def events(run: Run, pace: Pace, now: float) -> list[Event]:
    """Return what happened to a job so far, newest first."""
    told = sorted(_told(run, pace, now), key=lambda event: event[0])
    return [
        Event(
            id=f"ftevent-{run.id}-{number}", at=at, level="error" if bad else "info", message=message, metrics=figures
        )
        for number, (at, message, figures, bad) in reversed(list(enumerate(told)))
    ]


def checkpoints(run: Run, pace: Pace, now: float) -> list[Checkpoint]:
    """Return the checkpoints so far, newest first."""
    steps, age = _steps(run), _age(run, now)
    at_steps = sorted({math.ceil(steps * number / CHECKPOINTS) for number in range(1, CHECKPOINTS + 1)})
    reached = [] if _broken(run) else [step for step in at_steps if age >= _step_age(run, pace, step)]
    return [
        Checkpoint(
            id=f"ftckpt-{run.id.removeprefix('ftjob-')}-{step}",
            at=_moment(run, _step_age(run, pace, step)),
            model=tuned_name(run) + ("" if step == steps else f":ckpt-step-{step}"),
            job_id=run.id,
            step=step,
            metrics=_metrics(run, step),
        )
        for step in reversed(reached)
    ]


def _told(run: Run, pace: Pace, now: float) -> Iterator[tuple[float, str, Mapping[str, Any] | None, bool]]:
    """Yield when, what, with which figures, and whether it is bad."""
    state, age = status(run, pace, now), _age(run, now)
    yield run.at, f"Created fine-tuning job: {run.id} ({NOTHING})", None, False
    yield run.at, f"Validating training file: {run.body['training_file']}", None, False
    if age >= pace.validating and not _broken(run):
        yield _moment(run, pace.validating), "Files validated, moving job to queued state", None, False
    if age >= pace.begins and not _broken(run):
        yield _moment(run, pace.begins), f"Fine-tuning job started ({NOTHING})", None, False
        yield from _steps_told(run, pace, age)
    for began, ended in run.pauses:
        yield began, "Job paused.", None, False
        yield ended, "Job resumed.", None, False
    if run.paused_at is not None:
        yield run.paused_at, "Job paused.", None, False
    if state == "succeeded":
        yield _end(run, pace, state), f"The job has successfully completed ({NOTHING})", None, False
    if state == "cancelled":
        yield _end(run, pace, state), "Job has been cancelled.", None, False
    if state == "failed":
        yield _end(run, pace, state), f"The job failed: {_error_of(run).message}", None, True


def _steps_told(run: Run, pace: Pace, age: float) -> Iterator[tuple[float, str, Mapping[str, Any], bool]]:
    steps = _steps(run)
    for step in range(1, steps + 1):
        at = _step_age(run, pace, step)
        if age >= at:
            figures = _metrics(run, step)
            words = f"Step {step}/{steps}: training loss={figures['train_loss']:.2f} ({NOTHING})"
            yield _moment(run, at), words, {"step": step, "total_steps": steps, **figures}, False


def _metrics(run: Run, step: int) -> dict[str, float]:
    """Return figures that fall as a loss does; they are made up, the same at every look."""
    done = step / _steps(run)
    valid = {
        "valid_loss": round(0.4 + 2 * math.exp(-3 * done), 4),
        "valid_mean_token_accuracy": round(0.4 + 0.5 * done, 4),
    }
    return {
        "train_loss": round(0.2 + 2 * math.exp(-3 * done), 4),
        "train_mean_token_accuracy": round(0.4 + 0.55 * done, 4),
        **(valid if run.body.get("validation_file") else {}),
    }


def _steps(run: Run) -> int:
    return max(1, min(MOST_STEPS, (request_of(run).method.n_epochs or 3) * max(run.examples, 0)))


def _step_age(run: Run, pace: Pace, step: int) -> float:
    return pace.begins + pace.running * step / (_steps(run) + 1)


def _age(run: Run, now: float) -> float:
    """Return for how many seconds it has been going on, pauses not counted."""
    until = min(moment for moment in (now, run.cancelled_at, run.paused_at) if moment is not None)
    return until - run.at - sum(ended - began for began, ended in run.pauses)


def _moment(run: Run, age: float) -> float:
    """Return when a job had that age."""
    at = run.at + age
    for began, ended in run.pauses:
        at += ended - began if at >= began else 0
    return at


def _end(run: Run, pace: Pace, state: str) -> float:
    if state == "cancelled":
        return run.cancelled_at or run.at
    return _moment(run, pace.validating if _broken(run) else pace.whole)


def _broken(run: Run) -> bool:
    return run.fault in FAILS_AT_ONCE or run.examples < LEAST_EXAMPLES or run.kind != job_request(run.body).method.kind


def _error_of(run: Run) -> JobError:
    if run.fault == "dies":
        return JobError("server_error", f"The job ended with an internal error ({NOTHING}).")
    code, what, param = FAILS_AT_ONCE.get(run.fault, FAILS_AT_ONCE["invalid"])
    if run.fault not in FAILS_AT_ONCE and run.examples >= 0:
        what = f"it has {run.examples} examples"
        if run.kind != job_request(run.body).method.kind:
            what = f"its rows are for the method '{run.kind}'"
    message = f"The job failed due to an invalid training file: {what}, at least {LEAST_EXAMPLES} are needed."
    return JobError(code, message, param)
