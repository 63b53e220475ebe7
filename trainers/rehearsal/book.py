"""Knows what the rehearsal provider was given, in a file of JSON lines; it does not know HTTP, faults or the time.

Every line has `event` and `submission_id`. `uploaded` and `created` mean accepted; a line is in the file before the
answer leaves, so whatever a client was told, the file says too. A new process reads the file and goes on from there.
"""

import json
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

UPLOAD_NAME = "luthier-"
"""Uploads are called luthier-<submission id>.jsonl, deployments luthier-<submission id>: they have no metadata."""


@dataclass(kw_only=True)
class Upload:
    """A file that was sent."""

    id: str
    name: str
    size: int
    purpose: str
    examples: int
    """Rows of one kind; -1 where a line is not one."""
    tokens: int
    """Characters of all messages divided by four."""
    at: float
    kind: str = "supervised"
    """The method that trains on such rows."""
    lives: int | None = None
    """Seconds after which it may be deleted."""
    deleted: bool = False


@dataclass(kw_only=True)
class Run:
    """A fine-tuning job that pretends."""

    id: str
    submission_id: str
    body: dict[str, Any]
    """The request as it was accepted."""
    tokens: int
    examples: int
    fault: str
    """invalid, moderated or dies, where it is to fail."""
    at: float
    kind: str = "supervised"
    """The method that trains on its rows."""
    cancelled_at: float | None = None
    paused_at: float | None = None
    pauses: list[tuple[float, float]] = field(default_factory=list)
    """Pauses that are over: from, to."""


@dataclass(kw_only=True)
class Deployment:
    """A model that is served, and would be billed by the hour until it is removed."""

    id: str
    """Its name, which whoever deploys it chooses."""
    model: str
    sku: dict[str, Any]
    at: float


@dataclass(kw_only=True)
class Book:
    """All uploads, jobs and deployments, in the order they came, and the file that remembers them."""

    path: Path
    uploads: dict[str, Upload] = field(default_factory=dict)
    runs: dict[str, Run] = field(default_factory=dict)
    deployments: dict[str, Deployment] = field(default_factory=dict)
    """Those that have not been removed."""
    gone: set[str] = field(default_factory=set)
    """Result files that were deleted."""
    _file: IO[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        """Read what an earlier process wrote; a last line that was cut in the middle was never answered."""
        whole = b""
        if self.path.exists():
            whole = self.path.read_bytes()
            whole = whole[: whole.rfind(b"\n") + 1]
            self.path.write_bytes(whole)
        for line in whole.splitlines():
            self._apply(json.loads(line))
        self._file = self.path.open("a", encoding="utf-8")

    def note(self, event: str, submission_id: str, **facts: Any) -> None:
        """Write a line, hand it to the operating system, and apply it."""
        line = {"event": event, "submission_id": submission_id, **facts}
        self._file.write(json.dumps(line) + "\n")
        self._file.flush()
        self._apply(line)

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()

    def new_id(self, prefix: str) -> str:
        """Return an id as the provider would mint it: never one of another ledger's."""
        return f"{prefix}-rehearsal{uuid.uuid4().hex[:16]}"

    def _apply(self, line: dict[str, Any]) -> None:
        facts = {name: value for name, value in line.items() if name not in ("event", "submission_id")}
        match line["event"]:
            case "uploaded":
                self.uploads[line["id"]] = Upload(**facts)
            case "created":
                self.runs[line["id"]] = Run(submission_id=line["submission_id"], **facts)
            case "deployed":
                self.deployments[line["id"]] = Deployment(**facts)
            case "undeployed":
                del self.deployments[line["id"]]
            case "deleted":
                self._delete(line["id"])
            case "cancelled" | "paused" | "resumed":
                _change(self.runs[line["id"]], line["event"], line["at"])

    def _delete(self, file_id: str) -> None:
        if file_id in self.uploads:
            self.uploads[file_id].deleted = True
        else:
            self.gone.add(file_id)


def _change(run: Run, event: str, at: float) -> None:
    if event == "cancelled":
        run.cancelled_at = at
    elif event == "paused":
        run.paused_at = at
    else:
        run.pauses.append((run.paused_at or at, at))
        run.paused_at = None


def submission_in(name: str) -> str:
    """Return the submission id in the name of an upload or a deployment, or ""."""
    return name.removeprefix(UPLOAD_NAME).removesuffix(".jsonl") if name.startswith(UPLOAD_NAME) else ""
