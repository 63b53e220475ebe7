"""Brings events and interactions to the app, events again until they are taken. Knows retries, not how bytes travel."""

import asyncio
import json
import logging
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol

from bot.console.clock import Clock
from bot.console.faults import FaultBox
from bot.console.install import Install
from bot.console.store import Store
from bot.console.wire import Json

logger = logging.getLogger("bot.console.deliver")

Kind = Literal["events_api", "interactive", "slash_commands"]


@dataclass(frozen=True, kw_only=True)
class Parcel:
    """One thing for the app."""

    kind: Kind
    """As Socket Mode names it."""
    payload: Json
    """The event's envelope, the interaction, or the fields of a command."""
    attempt: int = 0
    """Which retry this is; 0 is the first try."""
    reason: str = ""
    """Why the try before failed, such as `http_timeout`."""


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What the app answered to one parcel."""

    ok: bool
    """Acknowledged within the time limit."""
    body: Any = None
    """The parsed JSON, or the text, or None for an empty body."""
    error: str = ""
    """`operation_timeout`, `dispatch_failed` or `http_service_error` where it is not ok."""
    reason: str = ""
    """The reason that a retry would carry."""
    no_retry: bool = False
    """The app sent X-Slack-No-Retry: 1."""


class Wire(Protocol):
    """A way to the app."""

    async def send(self, parcel: Parcel) -> Reply:
        """Bring one parcel and wait for the acknowledgement."""


class Courier:
    """Deliveries of one team; what is still owed survives a restart."""

    def __init__(
        self,
        *,
        wire: Wire,
        store: Store,
        install: Install,
        clock: Clock,
        faults: FaultBox,
        retry_delays: Sequence[float],
    ) -> None:
        self._wire, self._store, self._install, self._clock, self._faults = wire, store, install, clock, faults
        self._delays = tuple(retry_delays)
        self._unheard = False
        self._tasks: set[asyncio.Task[None]] = set()

    def resume(self) -> None:
        """Go on with what an earlier run still owed."""
        for owed in self._store.all("delivery"):
            self._begin(self._deliver(owed, max(0.0, owed["due"] - self._clock.now())))

    async def close(self) -> None:
        """Drop what is under way; it stays owed."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def send_event(self, envelope: Json) -> None:
        """Deliver an event in the background, with Slack's retries; nobody hears of a team that the app has left."""
        if not self._install.active:
            return
        owed = {"envelope": envelope, "attempt": 0, "reason": "", "due": self._clock.now()}
        self._store.put("delivery", envelope["event_id"], owed)
        self._begin(self._deliver(owed, self._faults.now.late_seconds if self._faults.strikes("late_events") else 0.0))
        if self._faults.strikes("duplicate_events"):
            self._begin(self._once_more(envelope))

    async def interact(self, form: dict[str, str]) -> Reply:
        """Bring a command or an interaction and wait for the app's acknowledgement."""
        if not self._install.active:
            return Reply(ok=False, error="dispatch_failed", reason="app_not_installed")
        if "payload" in form:
            return await self._wire.send(Parcel(kind="interactive", payload=json.loads(form["payload"])))
        return await self._wire.send(Parcel(kind="slash_commands", payload=form))

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _once_more(self, envelope: Json) -> None:
        await self._wire.send(Parcel(kind="events_api", payload=envelope))

    async def _deliver(self, owed: Json, wait: float) -> None:
        envelope, attempt, reason = owed["envelope"], owed["attempt"], owed["reason"]
        while True:
            await asyncio.sleep(wait)
            reply = await self._wire.send(Parcel(kind="events_api", payload=envelope, attempt=attempt, reason=reason))
            if reply.ok or reply.no_retry or attempt == len(self._delays):
                break
            wait, attempt, reason = self._delays[attempt], attempt + 1, reply.reason
            later = {"attempt": attempt, "reason": reason, "due": self._clock.now() + wait}
            self._store.put("delivery", envelope["event_id"], {**owed, **later})
        self._store.drop("delivery", envelope["event_id"])
        self._note(envelope, reply)

    def _note(self, envelope: Json, reply: Reply) -> None:
        """One line for each outage, not for each event of it."""
        if not reply.ok and not reply.no_retry:
            logger.log(
                logging.DEBUG if self._unheard else logging.WARNING,
                "the app did not take event %s, nor its retries: %s",
                envelope.get("event_id"),
                reply.reason,
            )
        self._unheard = not reply.ok
