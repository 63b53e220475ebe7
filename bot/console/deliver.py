"""Carries signed requests to the app as Slack does, with retries of events. Knows HTTP, not what the requests say."""

import asyncio
import hashlib
import hmac
import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import httpx

from bot.console.clock import Now
from bot.console.wire import Json

logger = logging.getLogger("bot.console.deliver")

FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, kw_only=True)
class Reply:
    """What the app answered to one request."""

    ok: bool
    """A 2xx answer within the time limit."""
    body: Any = None
    """The parsed JSON, or the text, or None for an empty body."""
    error: str = ""
    """`operation_timeout`, `dispatch_failed` or `http_service_error` where it is not ok."""
    reason: str = ""
    """The X-Slack-Retry-Reason that a retry would carry."""
    no_retry: bool = False
    """The app sent X-Slack-No-Retry: 1."""


class Courier:
    """Posts to one app."""

    def __init__(
        self, *, app_url: str, signing_secret: str, now: Now, retry_delays: Sequence[float], ack_seconds: float
    ) -> None:
        self.app_url = app_url
        """Where the app listens; the fixture points it at apps that start later."""
        self._secret = signing_secret.encode()
        self._now = now
        self._delays = tuple(retry_delays)
        self._ack_seconds = ack_seconds
        self._client = httpx.AsyncClient(trust_env=False, timeout=ack_seconds)
        self._unheard = False
        self._tasks: set[asyncio.Task[None]] = set()

    async def close(self) -> None:
        """Drop what is under way and close connections."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        await self._client.aclose()

    def send_event(self, envelope: Json) -> None:
        """Deliver an event in the background, with Slack's retries."""
        task = asyncio.get_running_loop().create_task(self._deliver(envelope))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def interact(self, form: dict[str, str]) -> Reply:
        """Post a command or an interaction and wait for the app's acknowledgement."""
        return await self._post(urlencode(form).encode(), FORM, {})

    async def _deliver(self, envelope: Json) -> None:
        body = json.dumps(envelope, separators=(",", ":")).encode()
        reply = await self._post(body, "application/json", {})
        for attempt, delay in enumerate(self._delays, start=1):
            if reply.ok or reply.no_retry:
                self._unheard = not reply.ok
                return
            await asyncio.sleep(delay)
            headers = {"X-Slack-Retry-Num": str(attempt), "X-Slack-Retry-Reason": reply.reason}
            reply = await self._post(body, "application/json", headers)
        if not reply.ok:
            # One line for each outage, not for each event of it.
            logger.log(
                logging.DEBUG if self._unheard else logging.WARNING,
                "the app did not take event %s, nor its retries: %s",
                envelope.get("event_id"),
                reply.reason,
            )
        self._unheard = not reply.ok

    async def _post(self, body: bytes, content_type: str, headers: dict[str, str]) -> Reply:
        signed = {**self._signature(body), "Content-Type": content_type, **headers}
        try:
            async with asyncio.timeout(self._ack_seconds):
                answer = await self._client.post(self.app_url, content=body, headers=signed)
        except TimeoutError:
            return Reply(ok=False, error="operation_timeout", reason="http_timeout")
        except httpx.HTTPError:
            return Reply(ok=False, error="dispatch_failed", reason="connection_failed")
        if not answer.is_success:
            stop = answer.headers.get("x-slack-no-retry") == "1"
            return Reply(ok=False, error="http_service_error", reason="http_error", no_retry=stop)
        return Reply(ok=True, body=_parsed(answer))

    def _signature(self, body: bytes) -> dict[str, str]:
        stamp = str(int(self._now()))
        digest = hmac.new(self._secret, b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
        return {
            "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
            "Accept": "application/json,*/*",
            "X-Slack-Request-Timestamp": stamp,
            "X-Slack-Signature": f"v0={digest}",
        }


def _parsed(answer: httpx.Response) -> Any:
    text = answer.text
    if not text.strip():
        return None
    if "json" in answer.headers.get("content-type", "") or text.lstrip().startswith("{"):
        try:
            return json.loads(text)
        except ValueError:
            return text
    return text
