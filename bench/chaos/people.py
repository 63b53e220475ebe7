"""Knows how somebody approves the quotes in Slack by clicking; it does not know what a click leads to.

A click that Slack says was acknowledged is never made again: what becomes of it is then the web process's promise.
"""

import logging
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import httpx
from sqlalchemy import select

from bot.settings import Settings
from bot.store.engine import open_engine
from handlers.blocks.approval import APPROVE
from trainers.tables import Job

TEAM, CHANNEL = "T0NORTHWIND", "C0ASK"
"""Where everything happens."""

ADA, APPROVER = "U0ADA", "U0BEN"
"""Who asks and clicks, and who decides about calls of which nobody knows."""

HANDS = 4
"""Threads of the channel in which is clicked at the same time."""

PAUSE = 0.1
"""Seconds between two looks at the channel."""

_jobs = Job.__table__  # type: ignore[attr-defined]  # SQLModel adds it at class creation


@dataclass(kw_only=True)
class Clicker:
    """Somebody who approves every quote there is, through the local Slack's page."""

    settings: Settings
    clicks: int = 0
    """Clicks that were acknowledged."""
    refused: int = 0
    """Clicks of which Slack said that the app did not answer; they are made again."""
    _clicked: set[str] = field(default_factory=set, init=False)
    _over: threading.Event = field(default_factory=threading.Event, init=False)
    _thread: threading.Thread = field(init=False)

    def start(self) -> None:
        """Begin, in a thread of its own; a person is not killed by what is tried here."""
        self._thread = threading.Thread(target=self._work, daemon=True, name="clicker")
        self._thread.start()

    def stop(self) -> None:
        """Take the hand off the mouse."""
        self._over.set()
        self._thread.join(timeout=10)

    def _work(self) -> None:
        base = self.settings.slack_api_url.removesuffix("/api/")
        engine = open_engine(self.settings.database).execution_options(reading=True)
        quoted = select(_jobs.c.thread_ts, _jobs.c.id).where(_jobs.c.state == "quoted")
        with (
            httpx.Client(base_url=base, headers={"X-Local-Slack": "1"}, timeout=10, trust_env=False) as page,
            ThreadPoolExecutor(HANDS) as hands,
        ):
            while not self._over.wait(PAUSE):
                with engine.connect() as connection:
                    waiting = connection.execute(quoted).all()
                threads = sorted({thread for thread, job in waiting if job not in self._clicked})
                list(hands.map(partial(self._approve_all, page), threads))

    def _approve_all(self, page: httpx.Client, thread: str) -> None:
        """Click every button to approve in a thread that has not been clicked yet."""
        where = {"team": TEAM, "user": ADA, "channel": CHANNEL}
        try:
            shown = page.get("/_local/messages", params={**where, "thread_ts": thread}).json()["messages"]
            for message in shown:
                for block_id, button in _buttons(message):
                    job = button["value"].partition(":")[0]
                    if job not in self._clicked:
                        used = {name: button[name] for name in ("type", "action_id", "value")}
                        spot = {**where, "message_ts": message["ts"], "block_id": block_id, "action": used}
                        self._click(page, job, spot)
        except (httpx.HTTPError, ValueError) as error:  # lost, or no JSON
            logging.warning("the page did not answer: %s", type(error).__name__)

    def _click(self, page: httpx.Client, job: str, spot: dict[str, Any]) -> None:
        if page.post("/_local/action", json=spot).json()["ok"]:
            self._clicked.add(job)
            self.clicks += 1
        else:
            self.refused += 1


def _buttons(message: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    """Return (block id, button) of each button to approve."""
    return [
        (block["block_id"], element)
        for block in message.get("blocks") or []
        for element in block.get("elements") or []
        if element.get("action_id") == APPROVE
    ]
