"""Knows the words, codes and statuses with which OpenAI's API refuses; it does not know why an engine does."""

from collections.abc import Mapping
from typing import Any


class ApiError(Exception):
    """A refusal as OpenAI's clients understand it."""

    def __init__(
        self,
        status: int,
        message: str,
        code: str | None = None,
        *,
        kind: str = "invalid_request_error",
        param: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """Take the HTTP status, the sentence, OpenAI's code, its type, the parameter at fault and further headers."""
        super().__init__(message)
        self.status, self.message, self.code = status, message, code
        self.kind, self.param, self.headers = kind, param, dict(headers or {})

    @property
    def body(self) -> dict[str, Any]:
        """The answer's body: OpenAI's have these four fields."""
        return {"error": {"message": self.message, "type": self.kind, "param": self.param, "code": self.code}}


def bad(message: str, code: str | None, param: str | None = None) -> ApiError:
    """Refuse a request that nobody could carry out."""
    return ApiError(400, message, code, param=param)


def missing(param: str) -> ApiError:
    """Refuse a request that lacks something."""
    return bad(f"Missing required parameter: '{param}'.", "missing_required_parameter", param)


def no_key() -> ApiError:
    """Ask for a key."""
    return ApiError(
        401,
        "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth"
        " (i.e. Authorization: Bearer YOUR_KEY).",
    )


def wrong_key() -> ApiError:
    """Refuse a key that is unknown, replaced or revoked, without repeating it."""
    return ApiError(401, "Incorrect API key provided.", "invalid_api_key")


def lacks_scope(needed: str, had: str) -> ApiError:
    """Refuse a key that may not do that."""
    return ApiError(
        403,
        f"You have insufficient permissions for this operation. Missing scopes: {needed}. This key has: {had}.",
        "insufficient_permissions",
    )


def training_not_available(why: str) -> ApiError:
    """Refuse a job because nobody here may start one."""
    return ApiError(403, why, "training_not_available")


def too_many(message: str, seconds: float) -> ApiError:
    """Ask to come back later."""
    headers = {"Retry-After": f"{seconds:g}"}
    return ApiError(429, message, "rate_limit_exceeded", kind="requests", headers=headers)


def broken(message: str = "The server had an error.", status: int = 500) -> ApiError:
    """Say that it is our fault."""
    return ApiError(status, message, kind="server_error")


def no_file(file_id: str) -> ApiError:
    """Say that there is no such file."""
    return ApiError(404, f"No such File object: {file_id}", param="id")


def no_job(job_id: str) -> ApiError:
    """Say that there is no such job."""
    return ApiError(404, f"Could not find fine tune: {job_id}", "fine_tune_not_found", param="fine_tune_id")


def no_model(name: str) -> ApiError:
    """Say that there is no such model."""
    return ApiError(404, f"The model '{name}' does not exist", "model_not_found", param="model")


def no_hook(hook_id: str) -> ApiError:
    """Say that there is no such webhook endpoint."""
    return ApiError(404, f"No such webhook endpoint: {hook_id}", "not_found", param="webhook_endpoint_id")


def not_trainable(model: str, more: str = "") -> ApiError:
    """Refuse a base that cannot be trained, or not any more."""
    message = f"The model `{model}` is not available for fine-tuning.{' ' + more if more else ''}"
    return bad(message, "model_not_available", "model")


def file_in_use(file_id: str, job_id: str) -> ApiError:
    """Refuse to delete what a job still reads."""
    message = f"File {file_id} is in use by fine-tuning job {job_id}. Cancel the job, or delete the file when it ends."
    return ApiError(409, message, "file_in_use", param="id")


def too_large(limit: int) -> ApiError:
    """Refuse a file beyond the limit."""
    message = f"File is too large: the most is {limit // 1_000_000} MB."
    return ApiError(413, message, "file_too_large", param="file")
