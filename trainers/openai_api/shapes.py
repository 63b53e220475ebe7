"""Knows how OpenAI's API writes its objects as JSON (openai 3.54, `types/`); it does not know HTTP, nor an engine."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

from trainers.openai_api.objects import (
    Checkpoint,
    Event,
    Hook,
    Listed,
    Method,
    ModelCard,
    Slice,
    StoredFile,
    TuningJob,
    Usage,
)

T = TypeVar("T", bound=Listed)

METRICS = (
    "step",
    "train_loss",
    "train_mean_token_accuracy",
    "valid_loss",
    "valid_mean_token_accuracy",
    "full_valid_loss",
    "full_valid_mean_token_accuracy",
)
"""What a checkpoint says of itself; what was not measured is null."""


def file(stored: StoredFile) -> dict[str, Any]:
    """Return a `file`."""
    return {
        "id": stored.id,
        "object": "file",
        "bytes": stored.size,
        "created_at": int(stored.at),
        "expires_at": _whole(stored.expires_at),
        "filename": stored.name,
        "purpose": stored.purpose,
        "status": "processed",
        "status_details": None,
    }


def job(made: TuningJob) -> dict[str, Any]:
    """Return a `fine_tuning.job`."""
    asked = made.request
    return {
        "id": made.id,
        "object": "fine_tuning.job",
        "model": asked.model,
        "created_at": int(made.at),
        "finished_at": _whole(made.finished_at),
        "estimated_finish": _whole(made.estimated_finish),
        "fine_tuned_model": made.tuned_model,
        "organization_id": made.organisation,
        "result_files": list(made.result_files),
        "status": made.status,
        "validation_file": asked.validation_file,
        "training_file": asked.training_file,
        "hyperparameters": knobs(asked.method, beta=False),
        "trained_tokens": made.trained_tokens,
        "error": made.error._asdict() if made.error else None,
        "seed": made.seed,
        "integrations": [],
        "metadata": None if asked.metadata is None else dict(asked.metadata),
        "method": method(asked.method),
        **asked.extra,
    }


def method(chosen: Method) -> dict[str, Any]:
    """Return a job's method with every knob."""
    return {"type": chosen.kind, chosen.kind: {"hyperparameters": knobs(chosen, beta=chosen.kind == "dpo")}}


def knobs(chosen: Method, *, beta: bool) -> dict[str, Any]:
    """Return the hyper-parameters, "auto" where nothing was chosen."""
    names = ("n_epochs", "batch_size", "learning_rate_multiplier", *(("beta",) if beta else ()))
    found = {name: getattr(chosen, name) for name in names}
    return {name: "auto" if value is None else value for name, value in found.items()}


def event(told: Event) -> dict[str, Any]:
    """Return a `fine_tuning.job.event`."""
    return {
        "id": told.id,
        "object": "fine_tuning.job.event",
        "created_at": int(told.at),
        "level": told.level,
        "message": told.message,
        "data": dict(told.metrics or {}),
        "type": "message" if told.metrics is None else "metrics",
    }


def checkpoint(made: Checkpoint) -> dict[str, Any]:
    """Return a `fine_tuning.job.checkpoint`."""
    return {
        "id": made.id,
        "object": "fine_tuning.job.checkpoint",
        "created_at": int(made.at),
        "fine_tuned_model_checkpoint": made.model,
        "fine_tuning_job_id": made.job_id,
        "step_number": made.step,
        "metrics": {name: made.metrics.get(name) for name in METRICS} | {"step": made.step},
    }


def model(card: ModelCard) -> dict[str, Any]:
    """Return a `model`."""
    return {
        "id": card.id,
        "object": "model",
        "created": int(card.at),
        "owned_by": card.owner,
        "shutdown_date": card.shutdown or None,
    }


def hook(kept: Hook, secret: str = "") -> dict[str, Any]:
    """Return a `webhook_endpoint`, with its secret where that is shown."""
    return {
        "id": kept.id,
        "object": "webhook_endpoint",
        "created_at": int(kept.at),
        "updated_at": int(kept.changed_at),
        "event_types": list(kept.event_types),
        "name": kept.name,
        "url": kept.url,
        "signing_secret_hint": kept.secret_hint,
        **({"signing_secret": secret} if secret else {}),
    }


def page(found: Slice[T], shape: Callable[[T], dict[str, Any]]) -> dict[str, Any]:
    """Return a page of a cursor list."""
    shown = [shape(item) for item in found.items]
    ends = {"first_id": shown[0]["id"], "last_id": shown[-1]["id"]} if shown else {"first_id": None, "last_id": None}
    return {"object": "list", "data": shown, "has_more": found.has_more, **ends}


def whole_list(items: Sequence[Mapping[str, Any] | str]) -> dict[str, Any]:
    """Return a list that has no pages."""
    return {"object": "list", "data": list(items)}


def usage(counted: Usage) -> dict[str, Any]:
    """Return the `usage` of an answer."""
    return {
        "prompt_tokens": counted.prompt,
        "completion_tokens": counted.completion,
        "total_tokens": counted.prompt + counted.completion,
    }


def _whole(moment: float | None) -> int | None:
    return None if moment is None else int(moment)
