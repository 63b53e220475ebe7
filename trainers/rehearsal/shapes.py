"""Knows how OpenAI's API writes files, jobs, events and errors (openai 3.54, `types/`); it does not know HTTP."""

from dataclasses import dataclass
from typing import Any, Final

from trainers.rehearsal.book import Run, Upload

NOTHING: Final = "rehearsal: nothing is trained"
"""Said wherever a client looks."""

MODELS: Final = ("rehearsal-small", "rehearsal-large", "smollm2-135m-instruct")
"""Bases that can be named."""

LEAST_EXAMPLES: Final = 10
"""OpenAI refuses to train on fewer."""


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How long each state of a job lasts, in seconds."""

    validating: float = 0.5
    queued: float = 0.5
    running: float = 2.0

    @property
    def whole(self) -> float:
        """Seconds from start to end."""
        return self.validating + self.queued + self.running


def status(run: Run, pace: Pace, now: float) -> str:
    """Return a job's state at `now` (seconds since 1970), a pure function of what the book holds."""
    age = (now if run.cancelled_at is None else run.cancelled_at) - run.at
    if age >= pace.validating and _broken(run):
        return "failed"
    if age >= pace.whole:
        return "failed" if run.fault == "dies" else "succeeded"
    if run.cancelled_at is not None:
        return "cancelled"
    if age < pace.validating:
        return "validating_files"
    return "queued" if age < pace.validating + pace.queued else "running"


def job(run: Run, pace: Pace, now: float) -> dict[str, Any]:
    """Return a `fine_tuning.job`."""
    state, body = status(run, pace, now), run.body
    knobs = body["method"]["supervised"]["hyperparameters"]
    done = state == "succeeded"
    return {
        "id": run.id,
        "object": "fine_tuning.job",
        "model": body["model"],
        "created_at": int(run.at),
        "finished_at": int(_end(run, pace, state)) if state in ("succeeded", "failed", "cancelled") else None,
        "estimated_finish": int(run.at + pace.whole) if state == "running" else None,
        "fine_tuned_model": f"ft:{body['model']}:rehearsal:{body.get('suffix') or 'none'}:{run.id}" if done else None,
        "organization_id": "org-rehearsal-nothing-is-trained",
        "result_files": [],
        "status": state,
        "validation_file": body.get("validation_file"),
        "training_file": body["training_file"],
        "hyperparameters": knobs,
        "trained_tokens": run.tokens * _epochs(knobs) if done else None,
        "error": _error_of(run) if state == "failed" else None,
        "seed": body.get("seed") or 0,
        "integrations": [],
        "metadata": body.get("metadata"),
        "method": body["method"],
    }


def file(upload: Upload) -> dict[str, Any]:
    """Return a `file`."""
    return {
        "id": upload.id,
        "object": "file",
        "bytes": upload.size,
        "created_at": int(upload.at),
        "expires_at": None,
        "filename": upload.name,
        "purpose": upload.purpose,
        "status": "processed",
        "status_details": None,
    }


@dataclass(kw_only=True)
class Event:
    """Something that happened to a job."""

    id: str
    at: float
    level: str
    message: str


def events(run: Run, pace: Pace, now: float) -> list[Event]:
    """Return what happened to a job so far, newest first."""
    state = status(run, pace, now)
    told = [(run.at, "info", f"Created fine-tuning job: {run.id} ({NOTHING})")]
    told.append((run.at, "info", f"Validating training file: {run.body['training_file']}"))
    if state != "validating_files" and not _broken(run):
        told.append((run.at + pace.validating, "info", "Files validated, moving job to queued state"))
    if state in ("running", "succeeded") or (state == "failed" and run.fault == "dies"):
        told.append((run.at + pace.validating + pace.queued, "info", f"Fine-tuning job started ({NOTHING})"))
    ends = {
        "succeeded": f"The job has successfully completed ({NOTHING})",
        "cancelled": "Job has been cancelled.",
        "failed": f"The job failed: {_error_of(run)['message']}",
    }
    if state in ends:
        told.append((_end(run, pace, state), "error" if state == "failed" else "info", ends[state]))
    return [
        Event(id=f"ftevent-{run.id}-{number}", at=at, level=level, message=message)
        for number, (at, level, message) in reversed(list(enumerate(told)))
    ]


def event(told: Event) -> dict[str, Any]:
    """Return a `fine_tuning.job.event`."""
    return {
        "id": told.id,
        "object": "fine_tuning.job.event",
        "created_at": int(told.at),
        "level": told.level,
        "message": told.message,
        "data": {},
        "type": "message",
    }


def model(name: str, shutdown: str = "") -> dict[str, Any]:
    """Return a `model`; `shutdown` is an ISO day."""
    return {"id": name, "object": "model", "created": 0, "owned_by": NOTHING, "shutdown_date": shutdown or None}


def error(message: str, code: str | None, kind: str = "invalid_request_error", param: str | None = None) -> Any:
    """Return an error body; OpenAI's have these four fields."""
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def _end(run: Run, pace: Pace, state: str) -> float:
    if state == "cancelled":
        return run.cancelled_at or run.at
    return run.at + (pace.validating if _broken(run) else pace.whole)


def _broken(run: Run) -> bool:
    return run.fault == "invalid" or run.examples < LEAST_EXAMPLES


def _error_of(run: Run) -> dict[str, Any]:
    if run.fault == "dies":
        return {"code": "server_error", "message": f"The job ended with an internal error ({NOTHING}).", "param": None}
    what = "a line is not a chat example" if run.examples < 0 else f"it has {max(run.examples, 0)} examples"
    if run.fault == "invalid":
        what = "it was blocked by moderation"
    message = f"The job failed due to an invalid training file: {what}, at least {LEAST_EXAMPLES} are needed."
    return {"code": "invalid_training_file", "message": message, "param": "training_file"}


def _epochs(knobs: dict[str, Any]) -> int:
    epochs = knobs.get("n_epochs", "auto")
    return epochs if isinstance(epochs, int) else 3
