"""Knows the fine-tuning calls of OpenAI's HTTP API, one request a method; not when to make them, nor whose it is.

Lists may come unfiltered, and jobs without the metadata that they were given: not every server knows that part.

https://developers.openai.com/api/reference/resources/fine_tuning, read as types of the `openai` package 3.54.
"""

import io
import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import takewhile
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

from trainers.backends.base import Made
from trainers.backends.deadline import Deadline
from trainers.backends.wire import Body, NotThere, Wire, json_body
from trainers.errors import Refused

APP: Final = "luthier"
"""Marks our jobs (`metadata.app`) and files (`luthier-<submission id>.jsonl`)."""

DEAD: Final = ("failed", "cancelled")
"""States of a job that has ended without a model."""

ENDED: Final = ("succeeded", *DEAD)
"""States of a job that costs nothing any more."""

LONGEST_RUN: Final = timedelta(days=7)
"""No job runs for longer, so that a list, which comes newest first, need not be read to its end."""


@dataclass(kw_only=True)
class FineTuningApi(Wire):
    """One account at one server; its address ends with /v1."""

    mark: bytes = b""
    """What a file of rows has to begin with."""

    def upload(self, submission_id: str, rows: Path, deadline: Deadline) -> str:
        """Send a file of training rows under a name that can be found again; returns its id.

        Raises Refused where nothing was kept; ServiceError where that is not known.
        """
        boundary = uuid.uuid4().hex
        head, tail = _form(boundary, upload_name(submission_id))
        head += b"" if _begins_with(rows, self.mark) else self.mark
        size = len(head) + rows.stat().st_size + len(tail)
        body = Body(_blocks(head, rows, tail), size, f"multipart/form-data; boundary={boundary}")
        return str(self._create("POST", "/files", deadline, body)["id"])

    def start(self, submission_id: str, deadline: Deadline, **job: Any) -> str:
        """Start a job (model, training_file, method, seed, suffix) with its submission id as metadata; returns its id.

        Raises as `upload`.
        """
        job["metadata"] = {"app": APP, "submission_id": submission_id}
        return str(self._create("POST", "/fine_tuning/jobs", deadline, json_body(job))["id"])

    def find_upload(self, submission_id: str) -> str | None:
        """Return the id of the file that was sent for a submission; raises ServiceError."""
        name = upload_name(submission_id)
        return next((file["id"] for file in self.files() if file["filename"] == name), None)

    def find_job(
        self, submission_id: str, file: str = "", taken: Callable[[str], bool] = lambda run: False
    ) -> str | None:
        """Return the id of the job that was started for a submission; raises ServiceError.

        A server that forgets metadata is asked for the job that trains on `file`, which no other one does but those
        that are `taken`: dead ones that were started before. It may answer a filter by what it forgot with nothing, so
        that all recent jobs are looked through then.
        """
        for found in (self.jobs({"submission_id": submission_id}), self._recent({}) if file else ()):
            for job in found:
                if _is_for(job, submission_id, file) and not taken(str(job["id"])):
                    return str(job["id"])
        return None

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
        return self._running()

    def _running(self) -> Iterator[Made]:
        """Yield jobs that have not ended: ours by their metadata, and those without any, by the file they train on."""
        for job in self._recent({"app": APP}):
            ours = (job.get("metadata") or {}).get("submission_id")
            if ours and job["status"] not in ENDED:
                yield Made(str(job["id"]), str(ours))
        for job in self._recent({}):
            if job["status"] not in ENDED and not job.get("metadata") and job.get("training_file"):
                yield Made(str(job["id"]), "", str(job["training_file"]))

    def _recent(self, metadata: Mapping[str, str]) -> Iterator[dict[str, Any]]:
        since = time.time() - LONGEST_RUN.total_seconds()
        return takewhile(lambda job: bool(job["created_at"] > since), self.jobs(metadata))

    def model(self, name: str) -> dict[str, Any]:
        """Return what the account may know of a model; raises NotThere where it has none of that name."""
        return self._answer("GET", f"/models/{quote(name, safe='')}")

    def events(self, job_id: str) -> list[dict[str, Any]]:
        """Return what happened to a job last, up to 100 events, newest first."""
        data = self._answer("GET", f"/fine_tuning/jobs/{quote(job_id)}/events", params={"limit": "100"})["data"]
        return [event for event in data if isinstance(event, dict)]

    def content(self, file_id: str) -> bytes:
        """Return a file's bytes, up to 16 MiB. Raises Refused, ServiceError."""
        return self._read(f"/files/{quote(file_id)}/content")

    def checkpoints(self, job_id: str) -> list[dict[str, Any]]:
        """Return a job's checkpoints, newest first."""
        data = self._answer("GET", f"/fine_tuning/jobs/{quote(job_id)}/checkpoints", params={"limit": "100"})["data"]
        return [checkpoint for checkpoint in data if isinstance(checkpoint, dict)]

    def pause(self, job_id: str) -> None:
        """Ask a running job to pause. Raises Refused, ServiceError."""
        self._answer("POST", f"/fine_tuning/jobs/{quote(job_id)}/pause")

    def go_on(self, job_id: str) -> None:
        """Ask a paused job to go on. Raises as `pause`."""
        self._answer("POST", f"/fine_tuning/jobs/{quote(job_id)}/resume")

    def cancel(self, job_id: str) -> None:
        """Cancel a job; one that has ended, or is gone, stays as it is. Raises ServiceError where it may still run."""
        try:
            self._answer("POST", f"/fine_tuning/jobs/{quote(job_id)}/cancel")
        except Refused as refusal:
            if not self._is_over(job_id, refusal):
                raise

    def _is_over(self, job_id: str, refusal: Refused) -> bool:
        """Say whether a job that could not be cancelled has ended, or is known neither to cancel nor to read."""
        try:
            return self.job(job_id)["status"] in ENDED
        except NotThere:
            return isinstance(refusal, NotThere)

    def delete(self, file_id: str) -> None:
        """Delete a file; one that is gone stays gone. Raises ServiceError."""
        try:
            self._answer("DELETE", f"/files/{quote(file_id)}")
        except Refused as refusal:
            if not isinstance(refusal, NotThere):
                raise

    def _pages(self, path: str, query: Mapping[str, str]) -> Iterator[dict[str, Any]]:
        after: dict[str, str] = {}
        while True:
            page = self._answer("GET", path, params={**query, **after})
            yield from page["data"]
            if not page.get("has_more") or not page["data"]:
                return
            after = {"after": page["data"][-1]["id"]}


def upload_name(submission_id: str) -> str:
    """Return the file name by which an upload is found again."""
    return f"{APP}-{submission_id}.jsonl"


def submission_in(name: str) -> str:
    """Return the submission id in a file's name, or "" where the file is not ours."""
    ours = name.startswith(f"{APP}-") and name.endswith(".jsonl")
    return name.removeprefix(f"{APP}-").removesuffix(".jsonl") if ours else ""


def _is_for(job: Mapping[str, Any], submission_id: str, file: str) -> bool:
    told = (job.get("metadata") or {}).get("submission_id")
    return told == submission_id if told else bool(file) and job.get("training_file") == file


def _begins_with(rows: Path, mark: bytes) -> bool:
    with rows.open("rb") as file:
        return file.read(len(mark)) == mark


def _blocks(head: bytes, rows: Path, tail: bytes) -> Iterator[bytes]:
    """Read a multipart body from disk as it goes; without its tail it is no file."""
    yield head
    with rows.open("rb") as file:
        while block := file.read(io.DEFAULT_BUFFER_SIZE * 8):
            yield block
    yield tail


def _form(boundary: str, name: str) -> tuple[bytes, bytes]:
    head = (
        f'--{boundary}\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nfine-tune\r\n'
        f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n'
        "Content-Type: application/jsonl\r\n\r\n"
    )
    return head.encode(), f"\r\n--{boundary}--\r\n".encode()
