"""Knows which requests OpenAI's API refuses before it takes them; it does not know what becomes of them."""

import json
from typing import Any, Final, NamedTuple

from starlette.exceptions import HTTPException

from trainers.rehearsal import shapes
from trainers.rehearsal.book import Book

MOST_PAIRS: Final = 16
LONGEST_KEY: Final = 64
LONGEST_VALUE: Final = 512
LONGEST_SUFFIX: Final = 64


class Rows(NamedTuple):
    """What an uploaded file holds."""

    examples: int
    """Rows in chat format; -1 where a line is not one."""
    tokens: int
    """Characters of all messages divided by four."""


def count_rows(content: bytes) -> Rows:
    """Count the examples of a JSONL file; it is read and forgotten."""
    examples = letters = 0
    try:
        for line in content.decode().splitlines():
            for message in json.loads(line)["messages"]:
                letters += len(message.get("content") or "")
            examples += 1
    except (ValueError, KeyError, TypeError, AttributeError):
        return Rows(-1, 0)
    return Rows(examples, letters // 4)


def checked_start(body: dict[str, Any], book: Book) -> dict[str, Any]:
    """Return the request for a job with its defaults filled in; raises HTTPException as OpenAI refuses it."""
    for name in ("model", "training_file"):
        if not isinstance(body.get(name), str):
            raise _bad(f"Missing required parameter: '{name}'.", "missing_required_parameter", name)
    if body["model"] not in shapes.MODELS:
        raise _bad(f"The model `{body['model']}` is not available for fine-tuning.", "model_not_available", "model")
    upload = book.uploads.get(body["training_file"])
    if upload is None or upload.deleted:
        raise _bad(f"invalid training_file: {body['training_file']}", "invalid_file_id", "training_file")
    if upload.purpose != "fine-tune":
        raise _bad("The file's purpose must be 'fine-tune'.", "invalid_file_purpose", "training_file")
    if len(str(body.get("suffix") or "")) > LONGEST_SUFFIX:
        raise _bad(f"suffix has more than {LONGEST_SUFFIX} characters.", "invalid_suffix", "suffix")
    _check_metadata(body.get("metadata"))
    return {**body, "method": _method(body)}


def _check_metadata(metadata: Any) -> None:
    if metadata is None:
        return
    good = isinstance(metadata, dict) and len(metadata) <= MOST_PAIRS
    if not good or any(
        not isinstance(value, str) or len(name) > LONGEST_KEY or len(value) > LONGEST_VALUE
        for name, value in metadata.items()
    ):
        raise _bad("Invalid 'metadata'.", "invalid_metadata", "metadata")


def _method(body: dict[str, Any]) -> dict[str, Any]:
    """Return the supervised method with every knob; top-level `hyperparameters` are the old way to say it."""
    method = body.get("method") or {"type": "supervised"}
    if method.get("type") != "supervised":
        raise _bad("This rehearsal knows supervised fine-tuning only.", "unsupported_method", "method")
    knobs = (method.get("supervised") or {}).get("hyperparameters") or body.get("hyperparameters") or {}
    filled = {"n_epochs": "auto", "batch_size": "auto", "learning_rate_multiplier": "auto", **knobs}
    return {"type": "supervised", "supervised": {"hyperparameters": filled}}


def _bad(message: str, code: str, param: str) -> HTTPException:
    return HTTPException(400, json.dumps(shapes.error(message, code, param=param)))
