"""The messenger process: it posts what jobs owe to Slack, once, and edits it; it decides nothing."""

import json
import logging
import os
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from http.client import HTTPException
from pathlib import Path
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError
from sqlalchemy.exc import OperationalError

from bot.pacing import POST, UPDATE, Call, Pacing, Rates, call_of, load_rates
from bot.settings import Settings
from bot.store.engine import open_engine
from bot.store.leader import hold, release
from bot.store.schema import check_schema
from bot.wiring import build_deps
from bot.workspaces import CALL_LIMIT, Workspaces
from handlers import home, notify
from handlers.deps import Deps
from handlers.posting import edit, permalink, post
from knowledge.clock import Clock
from knowledge.errors import LuthierError
from knowledge.tenancy import Person
from trainers.data.review import Look
from trainers.jobs import outbox
from trainers.jobs.messages import (
    Announcement,
    HomeRefresh,
    Message,
    ProgressCard,
    ReportCard,
    ReviewCard,
    from_json,
)
from trainers.tables import OutboxMessage

log = logging.getLogger("luthier.messenger")

LOOK_EVERY = 0.25
"""Seconds between two looks into the outbox."""

FIRST_WAIT = timedelta(seconds=5)
"""Wait after a first answer that says nothing about waiting (connection lost, server error); doubled each time."""

LONGEST_WAIT = timedelta(minutes=5)
"""Where doubling ends."""

PAUSE = timedelta(seconds=30)
"""Wait after Slack said 429 without saying for how long."""

SETTLED = timedelta(seconds=CALL_LIMIT + 5)
"""After this long another process's post has reached Slack or never will; a look-up before could miss it."""

LOOK_BACK = timedelta(days=1)
"""How far before our own try a look-up begins: Slack dates a message by its clock, and ours may have been set wrong."""

LONGEST_PAUSE = 3600
"""Seconds; no rate limit of Slack's asks for more."""

UPLOAD, PERMALINK = "files.getUploadURLExternal", "chat.getPermalink"

EDITS = 5
"""Edits in one drain, before it is looked again whether something that people wait for is due."""

PICTURES = 3
"""Pictures of a report for which there has to be room before any is uploaded."""

NO_CONTACT = (SlackClientError, OSError, HTTPException, UnicodeDecodeError)
"""Slack did not say what became of a call: the connection broke, or the answer was none of its own."""

UNREADABLE = (ValueError, TypeError, LookupError, ArithmeticError, AttributeError, LuthierError)
"""What reading or drawing a row raises where its payload is not what this version writes."""

NO_LOOK_UP = frozenset({"missing_scope", "thread_not_found", "message_not_found"})
"""Answers to a look-up that will be the same next time: then post, as a duplicate beats silence."""

HOPELESS = frozenset(
    {
        "channel_not_found",
        "is_archived",
        "not_in_channel",
        "message_not_found",
        "cant_update_message",
        "edit_window_closed",
        "user_not_found",
        "msg_too_long",
        "msg_blocks_too_long",
        "no_text",
        "account_inactive",
        "restricted_action",
    }
)
"""Answers that will be the same next time."""


def run(settings: Settings, over: threading.Event, rates: Rates | None = None) -> None:
    """Hold the messenger's role and drain the outbox until `over` is set."""
    engine = open_engine(settings.database)
    check_schema(engine)
    deps = build_deps(settings, engine)
    owner = f"{socket.gethostname()}-{os.getpid()}"
    role_lease = timedelta(seconds=settings.lease * 2 / 3)
    messenger = Messenger(
        deps=deps,
        slack=Workspaces(settings.slack_bot_tokens, settings.slack_api_url, settings.slack_timeout).client,
        folder=settings.data,
        clock=deps.clock,
        leads=lambda: not over.is_set() and hold(engine, "messenger", owner, deps.clock(), role_lease),
        rates=rates or load_rates(),
        settled=timedelta(seconds=settings.slack_timeout * 4 / 3),
    )
    keep_draining(messenger, over)
    with suppress(OperationalError):  # then the lease runs out by itself
        release(engine, "messenger", owner, deps.clock())


def keep_draining(messenger: "Messenger", over: threading.Event) -> None:
    """Drain until `over` is set, every `LOOK_EVERY` seconds once nothing is due; a busy database is asked again."""
    while not over.is_set():
        try:
            if messenger.drain():
                continue
        except OperationalError as error:
            log.warning("the database did not answer (%s); going on", type(error.orig).__name__)
        over.wait(LOOK_EVERY)


@dataclass(kw_only=True)
class Messenger:
    """What stands between the outbox and Slack, and what it remembers while it runs."""

    deps: Deps
    slack: Callable[[str], WebClient]
    """Opens a workspace by its id."""
    folder: Path
    """The data folder, where pictures lie."""
    clock: Clock
    leads: Callable[[], bool] = field(default=lambda: True)
    """True while this process has the messenger's role; asked before each message."""
    rates: Rates = field(default_factory=load_rates)
    """Slack's limits."""
    settled: timedelta = SETTLED
    """After this long another process's post has reached Slack or never will; longer than a call may take."""
    pacing: Pacing = field(init=False)
    """How often Slack may be called."""
    _failures: dict[int | None, int] = field(default_factory=dict, init=False)
    """Failed tries by row, for rows that are still owed."""
    _tries: dict[int | None, datetime] = field(default_factory=dict, init=False)
    """First posts that this process began, by row: their calls are over, unlike perhaps another process's."""

    def __post_init__(self) -> None:
        """Begin with what Slack asked of the messenger before."""
        self.pacing = Pacing(engine=self.deps.engine, rates=self.rates)

    def drain(self) -> int:
        """Send what is due and may be sent now; returns how many messages went out."""
        if not self.leads():
            self.pacing.forget()
            return 0
        count = edits = 0
        drawn: set[tuple[str, str]] = set()
        for row in outbox.due(self.deps.engine, self.clock()):
            if edits == EDITS:
                break
            if row.kind == HomeRefresh.KIND and (row.workspace_id, row.payload) in drawn:
                # It was owed before that tab was drawn just now, so it is shown there.
                outbox.sent(self.deps.engine, row, "", self.clock())
                continue
            if not self.pacing.allows(_planned(row), self.clock()):
                continue
            if not self.leads():
                break
            if self._try(row):
                count += 1
                drawn.add((row.workspace_id, row.payload))
            edits += row.ts != ""
        return count

    def _try(self, row: OutboxMessage) -> bool:
        try:
            ts = self._send(row, from_json(row.kind, json.loads(row.payload)))
        except SlackApiError as refused:
            self._refused(row, refused)
            return False
        except NO_CONTACT as error:  # whether Slack took the message is looked up before the next try
            self._later(row, type(error).__name__)
            return False
        except UNREADABLE as error:
            self._give_up(row, type(error).__name__)
            return False
        if ts is None:
            return False
        outbox.sent(self.deps.engine, row, ts, self.clock(), self._quiet_after(row))
        self._forget(row)
        return True

    def _quiet_after(self, row: OutboxMessage) -> timedelta:
        """Return the time until this message may be edited again."""
        running = outbox.running(self.deps.engine, row.workspace_id) if _shows_progress(row) else 0
        return self.pacing.between_edits(running)

    @contextmanager
    def _counted(self, row: OutboxMessage, method: str) -> Iterator[None]:
        """Count a call of Slack, and keep quiet about its like where Slack asks for it."""
        call = call_of(row.workspace_id, method, row.channel, progress=method == UPDATE and _shows_progress(row))
        try:
            yield
        except SlackApiError as refused:
            if _is_limit(refused):
                self.pacing.freeze(call, self.clock() + _asked_wait(refused))
            raise
        finally:
            self.pacing.made(call, self.clock())

    def _send(self, row: OutboxMessage, message: Message) -> str | None:
        """Return the message's ts, "" for a Home tab, and None where another process may be posting the same."""
        client = self.slack(row.workspace_id)
        if isinstance(message, HomeRefresh):
            with self._counted(row, "views.publish"):
                home.publish_home(client, self.deps, row.workspace_id, message.user_id)
            return ""
        if self._under_way_elsewhere(row):
            return None
        ts: str | None = row.ts or self._look_up(client, row)
        files = self._upload(client, row, message)
        link, look = self._permalink(client, row, message), self._look(row, message)
        drawn = notify.render(message, file_ids=files, permalink=link, look=look)
        body: dict[str, Any] = {"channel": row.channel, "text": drawn.text, "blocks": drawn.blocks}
        if ts:  # what was found may be an older version
            with self._counted(row, UPDATE):
                edit(client, ts=ts, **body)
        else:
            ts = self._post(client, row, body)
        if look is not None and ts:
            self.deps.reviews.at_card(look.review.id, ts)
        return ts

    def _look(self, row: OutboxMessage, message: Message) -> Look | None:
        """Return the rows of a review as they are now: its card is drawn from them, not from what was owed."""
        if not isinstance(message, ReviewCard):
            return None
        person = Person(workspace_id=row.workspace_id, user_id=message.requested_by)
        return self.deps.reviews.look(person, message.review_id)

    def _under_way_elsewhere(self, row: OutboxMessage) -> bool:
        since = row.trying_since
        return since is not None and since != self._tries.get(row.id) and self.clock() < since + self.settled

    def _upload(self, client: WebClient, row: OutboxMessage, message: Message) -> dict[str, str]:
        """Return file ids by path; a picture that cannot be had is left out, as a report without it beats none."""
        if not isinstance(message, ReportCard) or row.problem == "invalid_blocks":
            return {}
        ids = {}
        for image in message.images:
            path = self.folder / image["path"]
            try:
                with self._counted(row, UPLOAD):
                    answer = client.files_upload_v2(
                        file=str(path), filename=path.name, title=image["title"], alt_txt=image["alt"]
                    )
            except NO_CONTACT as error:
                if _is_limit(error):
                    raise
                log.warning("picture %s of job %s is left out: %s", path.name, row.job_id, _reason(error))
                continue
            ids[image["path"]] = str(answer["files"][0]["id"])
        return ids

    def _post(self, client: WebClient, row: OutboxMessage, body: dict[str, Any]) -> str | None:
        now = self.clock()
        if not outbox.trying(self.deps.engine, row, now):
            return None
        self._tries[row.id] = now
        with self._counted(row, POST):
            mark = {"event_type": "luthier_job", "event_payload": {"key": _key(row)}}
            return post(client, **body, thread_ts=row.thread_ts, metadata=mark)

    def _look_up(self, client: WebClient, row: OutboxMessage) -> str:
        """Find a post whose outcome stayed unknown, on every page since it was tried; "" where there is none."""
        if row.trying_since is None:
            return ""
        oldest = str((row.trying_since - LOOK_BACK).timestamp())
        common: dict[str, Any] = {"channel": row.channel, "oldest": oldest, "include_all_metadata": True, "limit": 100}
        read = client.conversations_replies if row.thread_ts else client.conversations_history
        if row.thread_ts:
            common["ts"] = row.thread_ts
        cursor: str | None = ""
        while cursor is not None:
            try:
                with self._counted(row, _reads(row)):
                    page = read(**common, cursor=cursor or None)
            except SlackApiError as refused:
                if _reason(refused) not in NO_LOOK_UP:
                    raise
                log.warning("message %s of job %s cannot be looked up: %s", row.key, row.job_id, _reason(refused))
                return ""
            for found in page.get("messages") or []:
                if found.get("metadata", {}).get("event_payload", {}).get("key") == _key(row):
                    return str(found["ts"])
            cursor = (page.get("response_metadata") or {}).get("next_cursor") or None
        return ""

    def _permalink(self, client: WebClient, row: OutboxMessage, message: Message) -> str:
        if not isinstance(message, Announcement) or not message.channel or not message.thread_ts:
            return ""
        try:
            with self._counted(row, PERMALINK):
                return permalink(client, message.channel, message.thread_ts)
        except SlackApiError as refused:
            if _is_limit(refused):
                raise
            return ""  # the thread was deleted, or we left its channel; the line says enough without a link

    def _refused(self, row: OutboxMessage, refused: SlackApiError) -> None:
        error = _reason(refused)
        if _is_limit(refused):
            outbox.later(self.deps.engine, row, self.clock() + _asked_wait(refused), error)
        elif error in HOPELESS or (error == "invalid_blocks" and row.problem == error):
            self._give_up(row, error)
        else:
            self._later(row, error)

    def _later(self, row: OutboxMessage, problem: str) -> None:
        failures = self._failures[row.id] = self._failures.get(row.id, 0) + 1
        wait = min(FIRST_WAIT * 2 ** min(failures - 1, 10), LONGEST_WAIT)
        log.warning("message %s of job %s is tried again in %d s: %s", row.key, row.job_id, wait.seconds, problem)
        outbox.later(self.deps.engine, row, self.clock() + wait, problem)

    def _give_up(self, row: OutboxMessage, problem: str) -> None:
        log.error("message %s of job %s cannot be posted: %s", row.key, row.job_id, problem)
        outbox.give_up(self.deps.engine, row, problem, self.clock())
        self._forget(row)

    def _forget(self, row: OutboxMessage) -> None:
        self._failures.pop(row.id, None)
        self._tries.pop(row.id, None)


def _planned(row: OutboxMessage) -> list[Call]:
    """Name the calls that sending a row takes."""
    if row.kind == HomeRefresh.KIND:
        return [call_of(row.workspace_id, "views.publish", "")]
    extra = {ReportCard.KIND: [UPLOAD] * PICTURES, Announcement.KIND: [PERMALINK]}.get(row.kind, [])
    asks = [_reads(row), UPDATE, POST] if row.trying_since else [POST]
    methods = [*extra, *([UPDATE] if row.ts else asks)]
    edits = _shows_progress(row)
    return [call_of(row.workspace_id, name, row.channel, progress=edits and name == UPDATE) for name in methods]


def _reads(row: OutboxMessage) -> str:
    return "conversations.replies" if row.thread_ts else "conversations.history"


def _shows_progress(row: OutboxMessage) -> bool:
    return row.kind == ProgressCard.KIND and outbox.RUNNING in row.payload


def _key(row: OutboxMessage) -> str:
    return f"{row.job_id}:{row.key}"


def _reason(error: Exception) -> str:
    """Slack's own word for a refusal; of anything else only its type, as texts of errors may quote what was sent."""
    answer = error.response.data if isinstance(error, SlackApiError) else None
    return str(answer.get("error", "unknown")) if isinstance(answer, dict) else type(error).__name__


def _is_limit(error: Exception) -> bool:
    return isinstance(error, SlackApiError) and error.response.status_code == 429


def _asked_wait(refused: SlackApiError) -> timedelta:
    asked = str(refused.response.headers.get("Retry-After", ""))
    return timedelta(seconds=min(int(asked), LONGEST_PAUSE)) if asked.isdecimal() else PAUSE
