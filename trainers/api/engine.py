"""Knows how OpenAI's fine-tuning API is carried out with our own jobs, models and people; it does not know HTTP."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar, cast

from knowledge.clock import Clock
from trainers.api.changing import Changes
from trainers.api.chatting import Talk
from trainers.api.delivering import Sender
from trainers.api.hooks import Hooks
from trainers.api.keys import Keys
from trainers.api.rates import Rates
from trainers.api.tables import ApiKey
from trainers.openai_api import refusals, signing
from trainers.openai_api.arrivals import Room
from trainers.openai_api.engine import Caller, Scope
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
    cut,
)

FILE_LIMIT = 512_000_000
"""Bytes; OpenAI's own limit."""

OUTWARD = 4
"""Addresses of other people that are asked at once, in threads of their own: they may take long to answer."""

T = TypeVar("T")


@dataclass(kw_only=True)
class LuthierEngine:
    """Real jobs: lint, quote, budget, approval, our workers, our models."""

    changes: Changes
    talk: Talk
    keys: Keys
    hooks_kept: Hooks
    sender: Sender
    clock: Clock
    rates: Rates = field(default_factory=Rates)
    file_limit: int = FILE_LIMIT
    notice: str = "luthier: trains on this installation's own workers"
    fingerprint: str = "fp_luthier_local"
    _outward: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(OUTWARD, "outward"), init=False)
    _asking: set[str] = field(default_factory=set, init=False)

    @property
    def spool(self) -> Path:
        """Where uploads arrive."""
        return self.changes.files.spool

    async def admit(self, key: str, scope: Scope) -> Caller:
        """Let a key in that is known, lives, may do that and has not asked too often."""
        found = await _aside(lambda: self.keys.known(key, self.clock()))
        if found is None:
            raise refusals.wrong_key()
        if found.revoked_at is not None:
            raise refusals.ApiError(401, "This API key has been revoked.", "invalid_api_key")
        wait = self.rates.wait(found.id, found.per_minute)
        if wait:
            said = f"Rate limit reached: {found.per_minute} requests a minute. Try again in {wait:.1f} s."
            raise refusals.too_many(said, max(1, round(wait + 0.5)))
        if scope not in found.scopes.split():
            raise refusals.lacks_scope(scope, found.scopes)
        return Caller(found)

    async def room(self, caller: Caller) -> Room:
        """Return what a workspace may still keep, and the disk can."""
        return await _aside(lambda: self.changes.files.room(_key(caller)))

    async def add_file(self, caller: Caller, sent: Sent) -> StoredFile:
        """Keep a file."""
        return await _aside(lambda: self.changes.files.keep(_key(caller), sent, self.clock()))

    async def files(self, caller: Caller, page: Page, purpose: str) -> Slice[StoredFile]:
        """Return the files that the key's owner may see."""
        return await _aside(lambda: self.changes.files.listing(_key(caller), page, purpose))

    async def file(self, caller: Caller, file_id: str) -> StoredFile:
        """Return a file."""
        from trainers.api.files import as_stored

        return as_stored(await _aside(lambda: self.changes.files.get(_key(caller), file_id)))

    async def content(self, caller: Caller, file_id: str) -> Path | bytes:
        """Return where a file's bytes lie."""
        return await _aside(lambda: self.changes.files.content(_key(caller), file_id))

    async def delete_file(self, caller: Caller, file_id: str) -> None:
        """Delete a file."""
        await _aside(lambda: self.changes.files.delete(_key(caller), file_id, self.clock()))

    async def start(self, caller: Caller, request: JobRequest) -> TuningJob:
        """Take a job."""
        return await _aside(lambda: self.changes.start(_key(caller), request).as_job(self.clock()))

    async def jobs(self, caller: Caller, page: Page, metadata: Mapping[str, str]) -> Slice[TuningJob]:
        """Return jobs."""

        def read() -> Slice[TuningJob]:
            found = self.changes.runs.listing(_key(caller), page, metadata)
            pairs = self.changes.runs.as_they_stand(found.items)
            told = (self.changes.told(job, run, steps=False) for job, run in pairs)
            return Slice([each.as_job(self.clock()) for each in told], found.has_more)

        return await _aside(read)

    async def job(self, caller: Caller, job_id: str) -> TuningJob:
        """Return a job."""
        return await _aside(lambda: self.changes.one(_key(caller), job_id).as_job(self.clock()))

    async def change(self, caller: Caller, job_id: str, verb: Verb) -> TuningJob:
        """Cancel, pause or resume a job."""
        return await _aside(lambda: self.changes.change(_key(caller), job_id, verb).as_job(self.clock()))

    async def events(self, caller: Caller, job_id: str, page: Page) -> Slice[Event]:
        """Return what happened to a job."""

        def read() -> Slice[Event]:
            told = self.changes.one(_key(caller), job_id)
            history = self.changes.jobs.ledger.history(told.run) if told.run is not None else ()
            return cut(told.events(self.changes.runs.notes(job_id), history), page)

        return await _aside(read)

    async def checkpoints(self, caller: Caller, job_id: str, page: Page) -> Slice[Checkpoint]:
        """Return a job's checkpoints."""
        return await _aside(lambda: cut(self.changes.one(_key(caller), job_id).checkpoints(), page))

    async def models(self, caller: Caller) -> Sequence[ModelCard]:
        """Return bases and tuned models."""
        return await _aside(lambda: self.talk.cards(_key(caller)))

    async def model(self, caller: Caller, name: str) -> ModelCard:
        """Return a model."""
        return await _aside(lambda: self.talk.card(_key(caller), name))

    def chat(self, caller: Caller, ask: ChatAsk) -> AsyncIterator[Piece]:
        """Answer in pieces."""
        return self.talk.answer(_key(caller), ask)

    async def hooks(self, caller: Caller, page: Page) -> Slice[Hook]:
        """Return the owner's addresses."""
        return await _aside(lambda: self.hooks_kept.listing(_key(caller), page))

    async def hook(self, caller: Caller, hook_id: str) -> Hook:
        """Return an address."""
        from trainers.api.hooks import as_hook

        return as_hook(await _aside(lambda: self.hooks_kept.get(_key(caller), hook_id)))

    async def add_hook(self, caller: Caller, name: str, url: str, event_types: Sequence[str]) -> tuple[Hook, str]:
        """Keep an address, if anything may ever be sent there."""
        await self._outside(caller, lambda: self.sender.check(url))
        return await _aside(lambda: self.hooks_kept.add(_key(caller), name, url, event_types, self.clock()))

    async def change_hook(self, caller: Caller, hook_id: str, changes: Mapping[str, Any]) -> Hook:
        """Change an address."""
        if "url" in changes:
            await self._outside(caller, lambda: self.sender.check(changes["url"]))
        return await _aside(lambda: self.hooks_kept.change(_key(caller), hook_id, changes, self.clock()))

    async def rotate_hook(self, caller: Caller, hook_id: str, keep_old: bool) -> tuple[Hook, str]:
        """Give an address another secret."""
        return await _aside(lambda: self.hooks_kept.rotate(_key(caller), hook_id, keep_old, self.clock()))

    async def delete_hook(self, caller: Caller, hook_id: str) -> None:
        """Forget an address."""
        await _aside(lambda: self.hooks_kept.drop(_key(caller), hook_id))

    async def test_hook(self, caller: Caller, hook_id: str, event_type: str) -> int:
        """Send a sample."""

        hook = await _aside(lambda: self.hooks_kept.get(_key(caller), hook_id))
        told = signing.event("evt_sample", event_type, "ftjob-sample", self.clock().timestamp())
        return await self._outside(caller, lambda: self.sender.send(hook, told, self.clock))

    async def _outside(self, caller: Caller, work: Callable[[], T]) -> T:
        """Ask somebody else's address, one at a time for each key: nobody may hold the threads that answer others."""
        key = _key(caller).id
        if key in self._asking:
            raise refusals.too_many("This key's last address has not answered yet: wait for it.", 1)
        self._asking.add(key)
        try:
            return await asyncio.get_running_loop().run_in_executor(self._outward, work)
        finally:
            self._asking.discard(key)


def _key(caller: Caller) -> ApiKey:
    return cast(ApiKey, caller.who)


async def _aside(work: Callable[[], T]) -> T:
    """Do what waits for a database or a disk in a thread, so that the loop goes on."""
    return await asyncio.to_thread(work)
