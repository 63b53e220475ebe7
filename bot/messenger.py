"""The messenger process: it posts what jobs owe to Slack, once, and edits it; it decides nothing."""

import json
import logging
import os
import socket
import threading
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from bot.settings import Settings
from bot.store.leader import hold, release
from bot.wiring import build_deps
from handlers import home, notify
from handlers.deps import Deps
from knowledge.clock import Clock, utc_now
from trainers.jobs import outbox
from trainers.jobs.messages import Announcement, HomeRefresh, Message, ReportCard, from_json
from trainers.tables import OutboxMessage

log = logging.getLogger("luthier.messenger")

LOOK_EVERY = 0.25
"""Seconds between two looks into the outbox."""

RETRY_AFTER = timedelta(seconds=5)
"""Wait after an answer that says nothing about waiting (connection lost, server error)."""

HOPELESS = frozenset(
    {
        "channel_not_found",
        "is_archived",
        "not_in_channel",
        "message_not_found",
        "cant_update_message",
        "user_not_found",
        "msg_too_long",
        "no_text",
        "account_inactive",
        "restricted_action",
    }
)
"""Answers that will be the same next time."""


def run(settings: Settings, over: threading.Event) -> None:
    """Hold the messenger's role and drain the outbox until `over` is set."""
    deps = build_deps(settings)
    client = WebClient(settings.slack_bot_token, base_url=settings.slack_api_url or WebClient.BASE_URL, timeout=15)
    messenger = Messenger(deps=deps, client=client, folder=settings.data, clock=utc_now)
    owner = f"{socket.gethostname()}-{os.getpid()}"
    while not over.wait(LOOK_EVERY):
        if hold(deps.engine, "messenger", owner, utc_now()):
            messenger.drain()
    release(deps.engine, "messenger", owner, utc_now())


@dataclass(frozen=True, kw_only=True)
class Messenger:
    """What stands between the outbox and Slack."""

    deps: Deps
    client: WebClient
    folder: Path
    """The data folder, where pictures lie."""
    clock: Clock

    def drain(self) -> int:
        """Send what is due; returns how many messages went out."""
        due = outbox.due(self.deps.engine, self.clock())
        return sum(self._try(message) for message in due)

    def _try(self, row: OutboxMessage) -> bool:
        try:
            ts = self._send(row, from_json(row.kind, json.loads(row.payload)))
        except SlackApiError as refused:
            self._refused(row, refused)
            return False
        except (
            OSError
        ) as error:  # the connection broke; whether Slack took the message is looked up before the next try
            outbox.later(self.deps.engine, row, self.clock() + RETRY_AFTER, type(error).__name__)
            return False
        outbox.sent(self.deps.engine, row, ts, self.clock())
        return True

    def _send(self, row: OutboxMessage, message: Message) -> str:
        if isinstance(message, HomeRefresh):
            home.publish_home(self.client, self.deps, row.workspace_id, message.user_id)
            return ""
        drawn = notify.render(message, file_ids=self._upload(row, message), permalink=self._permalink(message))
        body: dict[str, Any] = {"channel": row.channel, "text": drawn.text, "blocks": drawn.blocks}
        if row.ts:
            return str(self.client.chat_update(ts=row.ts, **body)["ts"])
        return self._look_up(row) or self._post(row, body)

    def _post(self, row: OutboxMessage, body: dict[str, Any]) -> str:
        outbox.trying(self.deps.engine, row, self.clock())
        answer = self.client.chat_postMessage(
            **body,
            thread_ts=row.thread_ts or None,
            unfurl_links=False,
            unfurl_media=False,
            metadata={"event_type": "luthier_job", "event_payload": {"key": _key(row)}},
        )
        return str(answer["ts"])

    def _look_up(self, row: OutboxMessage) -> str:
        """Find a post whose outcome stayed unknown; "" where there is none."""
        if row.trying_since is None:
            return ""
        oldest = str(row.trying_since.timestamp() - 60)
        common: dict[str, Any] = {"channel": row.channel, "oldest": oldest, "include_all_metadata": True, "limit": 100}
        found = (
            self.client.conversations_replies(ts=row.thread_ts, **common)
            if row.thread_ts
            else self.client.conversations_history(**common)
        )
        for post in found["messages"] or []:
            if post.get("metadata", {}).get("event_payload", {}).get("key") == _key(row):
                return str(post["ts"])
        return ""

    def _upload(self, row: OutboxMessage, message: Message) -> dict[str, str]:
        if not isinstance(message, ReportCard) or row.problem == "invalid_blocks":
            return {}  # a report without pictures beats no report
        ids = {}
        for image in message.images:
            path = self.folder / image["path"]
            answer = self.client.files_upload_v2(
                file=str(path), filename=path.name, title=image["title"], alt_txt=image["alt"]
            )
            ids[image["path"]] = str(answer["files"][0]["id"])
        return ids

    def _permalink(self, message: Message) -> str:
        if not isinstance(message, Announcement) or not message.channel or not message.thread_ts:
            return ""
        return str(self.client.chat_getPermalink(channel=message.channel, message_ts=message.thread_ts)["permalink"])

    def _refused(self, row: OutboxMessage, refused: SlackApiError) -> None:
        error = str(refused.response.get("error", "unknown"))
        now = self.clock()
        if refused.response.status_code == 429:
            pause = timedelta(seconds=int(refused.response.headers.get("Retry-After", "30")))
            outbox.later(self.deps.engine, row, now + pause, error)
        elif error in HOPELESS or (error == "invalid_blocks" and row.problem == error):
            log.error("message %s of job %s cannot be posted: %s", row.key, row.job_id, error)
            outbox.give_up(self.deps.engine, row, error, now)
        else:
            log.warning("message %s of job %s is tried again: %s", row.key, row.job_id, error)
            outbox.later(self.deps.engine, row, now + RETRY_AFTER, error)


def _key(row: OutboxMessage) -> str:
    return f"{row.job_id}:{row.key}"
