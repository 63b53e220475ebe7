"""Posts signed requests to the app's request URL. Knows HTTP and Slack's signature, not what the requests say."""

import asyncio
import hashlib
import hmac
import json
import ssl
from functools import cache
from typing import Any
from urllib.parse import urlencode

import httpx

from bot.console.clock import Now
from bot.console.deliver import Parcel, Reply
from bot.console.limits import limit
from bot.console.wire import parse_json

FORM = "application/x-www-form-urlencoded"


@cache
def _certificates() -> ssl.SSLContext:
    """Whom https believes; reading them takes longer than all else that a local Slack does at its start."""
    return httpx.create_ssl_context(trust_env=False)


class HttpWire:
    """The way to an app that has a request URL."""

    def __init__(self, *, app_url: str, secret: str, now: Now, ack_seconds: float) -> None:
        self.app_url = app_url
        """Where the app listens; the fixture points it at apps that start later."""
        self._secret = secret.encode()
        self._now = now
        self.ack_seconds = ack_seconds
        """How long the app may take."""

    async def send(self, parcel: Parcel) -> Reply:
        """Post one parcel as Slack does."""
        retry = {"X-Slack-Retry-Num": str(parcel.attempt), "X-Slack-Retry-Reason": parcel.reason}
        headers = retry if parcel.attempt else {}
        if parcel.kind == "events_api":
            return await self._post(_compact(parcel.payload).encode(), "application/json", headers)
        form = parcel.payload if parcel.kind == "slash_commands" else {"payload": _compact(parcel.payload)}
        return await self._post(urlencode(form).encode(), FORM, headers)

    async def _post(self, body: bytes, content_type: str, headers: dict[str, str]) -> Reply:
        signed = {**self._signature(body), "Content-Type": content_type, **headers}
        try:
            async with asyncio.timeout(self.ack_seconds), self._connection() as client:
                answer = await client.post(self.app_url, content=body, headers=signed)
        except TimeoutError:
            return Reply(ok=False, error="operation_timeout", reason="http_timeout")
        except httpx.TooManyRedirects:
            return Reply(ok=False, error="http_service_error", reason="too_many_redirects")
        except (httpx.HTTPError, httpx.InvalidURL, AttributeError):
            # anyio (4.x) asks a socket for its peer that has just been lost, and finds None in its place.
            return Reply(ok=False, error="dispatch_failed", reason="connection_failed")
        if not answer.is_success:
            stop = answer.headers.get("x-slack-no-retry") == "1"
            return Reply(ok=False, error="http_service_error", reason="http_error", no_retry=stop)
        return Reply(ok=True, body=_parsed(answer))

    def _connection(self) -> httpx.AsyncClient:
        """A connection for one request: a shared pool never gets back what a timeout cancels, and is full one day."""
        return httpx.AsyncClient(
            verify=_certificates(),
            trust_env=False,
            timeout=self.ack_seconds,
            follow_redirects=True,
            max_redirects=limit("events.redirects"),
        )

    def _signature(self, body: bytes) -> dict[str, str]:
        stamp = str(int(self._now()))
        digest = hmac.new(self._secret, b"v0:" + stamp.encode() + b":" + body, hashlib.sha256).hexdigest()
        return {
            "User-Agent": "Slackbot 1.0 (+https://api.slack.com/robots)",
            "Accept": "application/json,*/*",
            "X-Slack-Request-Timestamp": stamp,
            "X-Slack-Signature": f"v0={digest}",
        }


def _compact(payload: Any) -> str:
    return json.dumps(payload, separators=(",", ":"))


def _parsed(answer: httpx.Response) -> Any:
    text = answer.text
    if not text.strip():
        return None
    if "json" in answer.headers.get("content-type", "") or text.lstrip().startswith("{"):
        try:
            return parse_json(text)
        except ValueError:
            return text
    return text
