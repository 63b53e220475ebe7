"""Knows what the router asks of whatever stands behind it; it does not know how an engine does it."""

from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple, Protocol

from trainers.openai_api.arrivals import Room
from trainers.openai_api.objects import (
    ChatAsk,
    Checkpoint,
    Event,
    Hook,
    JobRequest,
    ModelCard,
    Page,
    Piece,
    Sent,
    Slice,
    StoredFile,
    TuningJob,
    Verb,
)

Scope = Literal["read", "files", "train", "chat"]
"""What a key may do: look, keep and delete files, start and stop jobs (and keep webhooks), talk to models."""


class Caller(NamedTuple):
    """Whose key it is; what `who` is, is the engine's own affair."""

    who: Any


class Engine(Protocol):
    """Whoever carries requests out. Every method raises ApiError where it refuses."""

    notice: str
    """Says in a header of every answer which engine this is."""
    fingerprint: str
    """Says the same in `system_fingerprint` of every chat completion."""
    file_limit: int
    """Most bytes of an upload."""

    @property
    def spool(self) -> Path:
        """Folder on whose disk uploads arrive; nothing of one that is cut stays there."""

    async def admit(self, key: str, scope: Scope) -> Caller:
        """Let the owner of a key in; raises ApiError 401, 403 and 429."""

    async def room(self, caller: Caller) -> Room:
        """Return how much the caller may still upload."""

    async def add_file(self, caller: Caller, sent: Sent) -> StoredFile:
        """Keep a file."""

    async def files(self, caller: Caller, page: Page, purpose: str) -> Slice[StoredFile]:
        """Return files, those of a purpose where one is named."""

    async def file(self, caller: Caller, file_id: str) -> StoredFile:
        """Return a file."""

    async def content(self, caller: Caller, file_id: str) -> Path | bytes:
        """Return where a file's bytes lie, or the bytes."""

    async def delete_file(self, caller: Caller, file_id: str) -> None:
        """Delete a file."""

    async def start(self, caller: Caller, request: JobRequest) -> TuningJob:
        """Start a job."""

    async def jobs(self, caller: Caller, page: Page, metadata: Mapping[str, str]) -> Slice[TuningJob]:
        """Return jobs that have all of this metadata, newest first."""

    async def job(self, caller: Caller, job_id: str) -> TuningJob:
        """Return a job."""

    async def change(self, caller: Caller, job_id: str, verb: Verb) -> TuningJob:
        """Cancel, pause or resume a job and return it as it stands then."""

    async def events(self, caller: Caller, job_id: str, page: Page) -> Slice[Event]:
        """Return what happened to a job, newest first."""

    async def checkpoints(self, caller: Caller, job_id: str, page: Page) -> Slice[Checkpoint]:
        """Return a job's checkpoints, newest first."""

    async def models(self, caller: Caller) -> Sequence[ModelCard]:
        """Return the models that can be trained or talked to."""

    async def model(self, caller: Caller, name: str) -> ModelCard:
        """Return a model."""

    def chat(self, caller: Caller, ask: ChatAsk) -> AsyncIterator[Piece]:
        """Answer in pieces; what refuses does so before the first one."""

    async def hooks(self, caller: Caller, page: Page) -> Slice[Hook]:
        """Return the webhook endpoints of a key's workspace."""

    async def hook(self, caller: Caller, hook_id: str) -> Hook:
        """Return a webhook endpoint."""

    async def add_hook(self, caller: Caller, name: str, url: str, event_types: Sequence[str]) -> tuple[Hook, str]:
        """Keep a webhook endpoint; returns it and its secret, which is shown this once."""

    async def change_hook(self, caller: Caller, hook_id: str, changes: Mapping[str, Any]) -> Hook:
        """Give it another name, url or event_types."""

    async def rotate_hook(self, caller: Caller, hook_id: str, keep_old: bool) -> tuple[Hook, str]:
        """Give it another secret; with `keep_old` the old one signs too for 24 hours."""

    async def delete_hook(self, caller: Caller, hook_id: str) -> None:
        """Forget it."""

    async def test_hook(self, caller: Caller, hook_id: str, event_type: str) -> int:
        """Send a sample; returns the status that the address answered with."""
