"""Knows how often Slack may be called and for how long it asked for quiet; it does not know what the calls are about.

Each limit is a window that slides: never more than so many calls within any so many seconds. A token bucket that keeps
the same promise would allow half as many in the long run. A call counts from when it ended, so that however long it
travelled, Slack never sees two calls closer together than we do.
"""

import tomllib
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Engine, delete, insert, select

from trainers.tables import RateFreeze

POST, UPDATE = "chat.postMessage", "chat.update"

MINUTE = timedelta(minutes=1)

_rows = RateFreeze.__table__  # type: ignore[attr-defined]  # SQLModel adds it at class creation


class Call(NamedTuple):
    """One call that is about to be made, or was made."""

    workspace_id: str
    method: str
    channel: str = ""
    """Only for methods whose limit is per channel."""
    progress: bool = False
    """Whether it edits a progress message, for which a share of the calls is set aside."""


class Window(NamedTuple):
    """At most `calls` within any `length`."""

    calls: int
    length: timedelta


@dataclass(frozen=True, kw_only=True)
class Rates:
    """Slack's limits, as `pacing.toml` has them."""

    methods: Mapping[str, int]
    """Calls a minute by method; a method that is not named is not limited by us."""
    posts_in_channel: Window
    progress_edits: int
    """Edits of progress messages a minute in a workspace."""
    least: timedelta
    """Between two edits of one message."""


LONGEST_QUIET = timedelta(hours=1, minutes=1)
"""No wish of Slack's for quiet is longer; what seems so was written by a clock that has been set back since."""


@dataclass(kw_only=True)
class Pacing:
    """What the one messenger has called lately; only Slack's own wishes for quiet outlive it."""

    engine: Engine
    rates: Rates
    _calls: dict[tuple[str, ...], deque[datetime]] = field(default_factory=dict, init=False)
    _frozen: dict[tuple[str, str, str], datetime] | None = field(default=None, init=False)

    def allows(self, calls: Iterable[Call], now: datetime) -> bool:
        """Say whether all of these calls may be made now."""
        wanted: dict[tuple[str, ...], int] = {}
        for call in calls:
            if now < self._quiet_until().get(call[:3], now) <= now + LONGEST_QUIET:
                return False
            for key, window in self._windows(call):
                wanted[key] = wanted.get(key, 0) + 1
                if self._recent(key, window, now) + wanted[key] > window.calls:
                    return False
        return True

    def made(self, call: Call, now: datetime) -> None:
        """Count a call that has just ended, however it ended."""
        for key, _ in self._windows(call):
            self._calls.setdefault(key, deque()).append(now)

    def freeze(self, call: Call, until: datetime) -> None:
        """Slack asked for quiet about this method (in this channel) until then; other calls go on."""
        workspace_id, method, channel, _ = call
        same = (_rows.c.workspace_id == workspace_id, _rows.c.method == method, _rows.c.channel == channel)
        with self.engine.begin() as connection:
            connection.execute(delete(_rows).where(*same))
            connection.execute(
                insert(_rows).values(workspace_id=workspace_id, method=method, channel=channel, until=until)
            )
        self._quiet_until()[call[:3]] = until

    def between_edits(self, running: int) -> timedelta:
        """Return the time between two edits of one progress message while so many jobs run in the workspace."""
        return max(self.rates.least, MINUTE * running / self.rates.progress_edits)

    def forget(self) -> None:
        """Read anew what Slack asked for: another process may have been the messenger meanwhile."""
        self._frozen = None

    def _quiet_until(self) -> dict[tuple[str, str, str], datetime]:
        if self._frozen is None:
            with self.engine.execution_options(reading=True).connect() as connection:
                rows = connection.execute(select(_rows)).all()
            self._frozen = {(row.workspace_id, row.method, row.channel): row.until for row in rows}
        return self._frozen

    def _windows(self, call: Call) -> list[tuple[tuple[str, ...], Window]]:
        found: list[tuple[tuple[str, ...], Window]] = []
        if call.method in self.rates.methods:
            limit = Window(self.rates.methods[call.method], MINUTE)
            found.append(((call.workspace_id, call.method), limit))
        if call.method == POST and call.channel:
            found.append(((call.workspace_id, POST, call.channel), self.rates.posts_in_channel))
        if call.progress:
            found.append(((call.workspace_id, "progress"), Window(self.rates.progress_edits, MINUTE)))
        return found

    def _recent(self, key: tuple[str, ...], window: Window, now: datetime) -> int:
        calls = self._calls.setdefault(key, deque())
        while calls and not now - window.length < calls[0] <= now:  # later than now: the clock was set back
            calls.popleft()
        return len(calls)


def call_of(workspace_id: str, method: str, channel: str, *, progress: bool = False) -> Call:
    """Name a call; the channel counts only where Slack limits by channel."""
    return Call(workspace_id, method, channel if method == POST else "", progress)


@cache
def load_rates() -> Rates:
    """Read `pacing.toml`."""
    table: dict[str, Any] = tomllib.loads(Path(__file__).with_suffix(".toml").read_text("utf-8"))
    posts = table["posts_in_channel"]
    return Rates(
        methods=table["methods"],
        posts_in_channel=Window(posts["calls"], timedelta(seconds=posts["seconds"])),
        progress_edits=table["progress"]["edits"],
        least=timedelta(seconds=table["progress"]["least_seconds"]),
    )
