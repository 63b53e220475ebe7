"""Knows the fine-tuning calls of OpenAI's HTTP API, one request a method; not when to make them, nor whose it is.

What cannot be answered "yes" or "nothing was created" is a ServiceError: the outcome is unknown, and nothing here tries
again. https://developers.openai.com/api/reference/resources/fine_tuning, read as types of the `openai` package 3.54.
"""

import io
import json
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import takewhile
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import httpx

from knowledge.errors import ServiceError
from trainers.backends.base import Made
from trainers.errors import Refused

APP: Final = "luthier"
"""Marks our jobs (`metadata.app`) and files (`luthier-<submission id>.jsonl`)."""

DEAD: Final = ("failed", "cancelled")
"""States of a job that has ended without a model."""

ENDED: Final = ("succeeded", *DEAD)
"""States of a job that costs nothing any more."""

LONGEST_RUN: Final = timedelta(days=7)
"""No job runs for longer, so that a list, which comes newest first, need not be read to its end."""

READ_SECONDS: Final = 10.0
"""A read is free, so it may be short and be asked again."""

_REFUSALS: Final = (400, 401, 403, 404, 405, 413, 415, 422)
"""Statuses that say nothing was created, if the provider itself wrote the body."""


@dataclass(kw_only=True)
class FineTuningApi:
    """One account at one server."""

    name: str
    """What people call the provider."""
    url: str
    """Base address, with /v1."""
    key: str = field(repr=False)
    _client: httpx.Client | None = field(default=None, init=False, repr=False)

    def upload(self, submission_id: str, rows: Path, seconds: float) -> str:
        """Send a file of training rows under a name that can be found again; returns its id.

        Raises Refused where nothing was kept; ServiceError where that is not known.
        """
        boundary = uuid.uuid4().hex
        head, tail = _form(boundary, upload_name(submission_id))
        body = _Deadline(head, rows, tail, until=time.monotonic() + seconds / 2)
        headers = {"Content-Type": f"multipart/form-data; boundary={boundary}", "Content-Length": str(body.size)}
        return str(self._create("/files", seconds, content=iter(body), headers=headers)["id"])

    def start(self, submission_id: str, seconds: float, **job: Any) -> str:
        """Start a job (model, training_file, method, seed, suffix) with its submission id as metadata; returns its id.

        Raises as `upload`.
        """
        body = {**job, "metadata": {"app": APP, "submission_id": submission_id}}
        return str(self._create("/fine_tuning/jobs", seconds, json=body)["id"])

    def find_upload(self, submission_id: str) -> str | None:
        """Return the id of the file that was sent for a submission; raises ServiceError."""
        name = upload_name(submission_id)
        return next((file["id"] for file in self.files() if file["filename"] == name), None)

    def find_job(self, submission_id: str) -> str | None:
        """Return the id of the job that was started for a submission; raises ServiceError."""
        return next((job["id"] for job in self.jobs({"submission_id": submission_id})), None)

    def files(self) -> Iterator[dict[str, Any]]:
        """Yield every file that was sent for fine-tuning."""
        return self._pages("/files", {"purpose": "fine-tune", "limit": "1000"})

    def jobs(self, metadata: Mapping[str, str]) -> Iterator[dict[str, Any]]:
        """Yield the jobs with this metadata, newest first."""
        wanted = {f"metadata[{name}]": value for name, value in metadata.items()}
        return self._pages("/fine_tuning/jobs", {"limit": "100", **wanted})

    def job(self, job_id: str) -> dict[str, Any]:
        """Return a job as the provider describes it; raises Refused where it knows no such job, and ServiceError."""
        return self._answer("GET", f"/fine_tuning/jobs/{quote(job_id)}")

    def listing(self, kind: str) -> Iterator[Made]:
        """Yield our uploads, or our jobs that have not ended."""
        if kind == "upload":
            named = ((file["id"], submission_in(file["filename"])) for file in self.files())
            return (Made(made, submission_id) for made, submission_id in named if submission_id)
        since = time.time() - LONGEST_RUN.total_seconds()
        recent = takewhile(lambda job: job["created_at"] > since, self.jobs({"app": APP}))
        alive = (job for job in recent if job["status"] not in ENDED)
        return (Made(job["id"], job["metadata"].get("submission_id", "")) for job in alive)

    def cancel(self, job_id: str) -> None:
        """Cancel a job; one that has ended stays as it is. Raises ServiceError where it may still run."""
        try:
            self._answer("POST", f"/fine_tuning/jobs/{quote(job_id)}/cancel")
        except Refused:
            if self.job(job_id)["status"] not in ENDED:
                raise

    def delete(self, file_id: str) -> None:
        """Delete a file; one that is gone stays gone. Raises ServiceError."""
        try:
            self._answer("DELETE", f"/files/{quote(file_id)}")
        except Refused as refusal:
            if not isinstance(refusal, NotThere):
                raise

    def _create(self, path: str, seconds: float, **request: Any) -> dict[str, Any]:
        """Send a call that creates: connecting, writing and waiting together take at most `seconds`."""
        timeout = httpx.Timeout(connect=seconds / 4, write=seconds / 4, read=seconds / 2, pool=seconds / 4)
        return self._answer("POST", path, timeout=timeout, **request)

    def _pages(self, path: str, query: Mapping[str, str]) -> Iterator[dict[str, Any]]:
        after: dict[str, str] = {}
        while True:
            page = self._answer("GET", path, params={**query, **after})
            yield from page["data"]
            if not page.get("has_more") or not page["data"]:
                return
            after = {"after": page["data"][-1]["id"]}

    def _answer(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        with self._in_words():
            answer = self._web().request(method, f"{self.url.rstrip('/')}{path}", **request)
            body = answer.json() if "json" in answer.headers.get("content-type", "") else None
        if answer.status_code == httpx.codes.OK and isinstance(body, dict):
            return body
        error = body.get("error") if isinstance(body, dict) else None
        if isinstance(error, dict):
            self._refuse(answer, str(error.get("message", ""))[:300], str(error.get("code", "")))
        raise ServiceError(f"{self.name} answered with status {answer.status_code}.", "It is tried again.")

    def _refuse(self, answer: httpx.Response, message: str, code: str) -> None:
        """Raise Refused where the provider itself says that nothing was created."""
        said = f"{self.name} refused: {message}"
        if answer.status_code == httpx.codes.TOO_MANY_REQUESTS and code != "insufficient_quota":
            raise Refused(f"{self.name} is busy", again_in=_retry_after(answer))
        if answer.status_code == httpx.codes.NOT_FOUND:
            raise NotThere(said, "Look at the provider's own page.")
        if answer.status_code in (*_REFUSALS, httpx.codes.TOO_MANY_REQUESTS):
            raise Refused(said, "Put that right, then `resume`.")

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        try:
            yield
        except (httpx.HTTPError, httpx.InvalidURL, json.JSONDecodeError, TimeoutError) as lost:
            raise ServiceError(f"{self.name} gave no answer ({type(lost).__name__}).", "It is tried again.") from lost

    def _web(self) -> httpx.Client:
        if self._client is None:
            # One call is one request on a connection of its own: an old one may be closed by the server just then,
            # and nobody could say whether the call arrived.
            self._client = httpx.Client(
                headers={"Authorization": f"Bearer {self.key}"},
                timeout=READ_SECONDS,
                limits=httpx.Limits(max_keepalive_connections=0),
                trust_env=False,
            )
        return self._client


class NotThere(Refused):
    """The provider has no such thing."""


def upload_name(submission_id: str) -> str:
    """Return the file name by which an upload is found again."""
    return f"{APP}-{submission_id}.jsonl"


def submission_in(name: str) -> str:
    """Return the submission id in a file's name, or "" where the file is not ours."""
    ours = name.startswith(f"{APP}-") and name.endswith(".jsonl")
    return name.removeprefix(f"{APP}-").removesuffix(".jsonl") if ours else ""


class _Deadline:
    """A multipart body that is read from disk as it goes, and breaks off when its time is over."""

    def __init__(self, head: bytes, rows: Path, tail: bytes, *, until: float) -> None:
        self._head, self._rows, self._tail, self._until = head, rows, tail, until
        self.size = len(head) + rows.stat().st_size + len(tail)

    def __iter__(self) -> Iterator[bytes]:
        with self._rows.open("rb") as file:
            yield self._head
            while block := file.read(io.DEFAULT_BUFFER_SIZE * 8):
                yield block
                if time.monotonic() > self._until:
                    raise TimeoutError
        yield self._tail


def _form(boundary: str, name: str) -> tuple[bytes, bytes]:
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nfine-tune\r\n'
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
        "Content-Type: application/jsonl\r\n\r\n"
    )
    return head.encode(), f"\r\n--{boundary}--\r\n".encode()


def _retry_after(answer: httpx.Response) -> timedelta:
    said = answer.headers.get("Retry-After", "")
    seconds = float(said) if said.replace(".", "", 1).isdecimal() else 10.0
    return timedelta(seconds=min(max(seconds, 0.1), 3600))
