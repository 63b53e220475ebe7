"""Knows whom the rehearsal tells how pretended jobs ended, and how to forge or lose that; it knows no routes."""

import asyncio
import logging
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import httpx

from trainers.openai_api import signing
from trainers.openai_api.objects import ENDED, Clock, Hook

log = logging.getLogger("luthier.rehearsal")

TRIES = (0.0, 0.2, 1.0)
"""Seconds before each attempt."""

STALE = 3600.0
"""Seconds by which a stale webhook is dated back."""


@dataclass(kw_only=True)
class Hooks:
    """Addresses and what they were told; kept in memory, as their secrets are."""

    clock: Clock
    states: Callable[[], Mapping[str, str]]
    """Returns id -> state of every job."""
    fault: Callable[[str], str]
    """Job id -> the fault of telling about it, "" for none."""
    kept: dict[str, Hook] = field(default_factory=dict)
    secrets: dict[str, str] = field(default_factory=dict)
    _told: set[str] = field(default_factory=set)
    _watch: asyncio.Task[None] | None = None

    def add(self, name: str, url: str, event_types: Sequence[str], secret: str = "") -> tuple[Hook, str]:
        """Keep an address; returns it and its secret."""
        secret, now, id_ = secret or signing.new_secret(), self.clock(), f"we_rehearsal{uuid.uuid4().hex[:16]}"
        hook = Hook(
            id=id_,
            name=name,
            url=url,
            event_types=tuple(event_types),
            at=now,
            changed_at=now,
            secret_hint=signing.hint(secret),
        )
        if not self.kept:
            self._told = {job for job, state in self.states().items() if state in ENDED}
        self.kept[id_], self.secrets[id_] = hook, secret
        return hook, secret

    def change(self, hook: Hook, **changes: Any) -> Hook:
        """Change an address."""
        self.kept[hook.id] = replace(hook, changed_at=self.clock(), **changes)
        return self.kept[hook.id]

    def rotate(self, hook: Hook) -> tuple[Hook, str]:
        """Give an address a new secret; the old one signs no more."""
        self.secrets[hook.id] = secret = signing.new_secret()
        return self.change(hook, secret_hint=signing.hint(secret)), secret

    def drop(self, hook: Hook) -> None:
        """Forget an address."""
        del self.kept[hook.id], self.secrets[hook.id]

    def wake(self) -> None:
        """Begin to watch the jobs, where somebody wants to hear of them; call it from the server's loop."""
        if self.kept and (self._watch is None or self._watch.done()):
            self._watch = asyncio.get_running_loop().create_task(self._follow())

    async def send(self, hook: Hook, told: signing.Told, fault: str = "") -> int:
        """Send once, as the fault has it; returns the status, 0 where nobody answered."""
        at = self.clock() - (STALE if fault == "stale" else 0)
        headers = signing.signed(told, [signing.new_secret() if fault == "forged" else self.secrets[hook.id]], at)
        async with httpx.AsyncClient(timeout=10, trust_env=False) as client:
            try:
                answer = await client.post(hook.url, content=told.body, headers=headers)
                if fault == "replayed":
                    answer = await client.post(hook.url, content=told.body, headers=headers)
            except httpx.HTTPError as error:
                log.warning("webhook %s: %s", hook.id, type(error).__name__)
                return 0
        return answer.status_code

    async def _follow(self) -> None:
        while self.kept:
            for job_id, state in self.states().items():
                if state in ENDED and job_id not in self._told:
                    self._told.add(job_id)
                    await self._tell(job_id, f"fine_tuning.job.{state}")
            await asyncio.sleep(0.05)

    async def _tell(self, job_id: str, event_type: str) -> None:
        fault = self.fault(job_id)
        told = signing.event(f"evt_rehearsal{uuid.uuid4().hex[:16]}", event_type, job_id, self.clock())
        for hook in [hook for hook in self.kept.values() if event_type in hook.event_types and fault != "lost"]:
            for wait in TRIES:
                await asyncio.sleep(wait)
                if 200 <= await self.send(hook, told, fault) < 300:
                    break
