"""Knows how a request of Slack gets in: verified, written down, acknowledged; it does not know what it asks for."""

import hmac
import json
import logging
import re
from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qs

from slack_bolt import App, BoltRequest, BoltResponse
from slack_bolt.listener.listener_completion_handler import ListenerCompletionHandler
from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from bot.store.inbox import Inbox
from knowledge.clock import Clock
from knowledge.errors import UserError

log = logging.getLogger("luthier.web")

BODY_LIMIT = 1024 * 1024
"""Largest request body in bytes; Slack's own stay far below."""

CLOCK_SKEW = timedelta(minutes=5)
"""Oldest and newest timestamp of a request that Slack's own verifier accepts."""

_KEPT = ("content-type", "x-slack-request-timestamp", "x-slack-signature", "x-slack-retry-num", "x-slack-retry-reason")

_KEY = "luthier_inbox_key"
"""Where a request's context carries the key of its row."""


class Gate:
    """Stands before Bolt, which parses a body before it verifies who sent it and keeps no record of replays."""

    def __init__(self, secret: str, app: App, inbox: Inbox, wake: Callable[[], None], clock: Clock) -> None:
        """Take the signing secret, the App for interactions, the inbox, and how to wake whoever works it off."""
        self._secret, self._app, self._inbox, self._wake, self._clock = secret, app, inbox, wake, clock
        app.listener_runner.listener_completion_handler = _Closing(inbox)

    async def receive(self, request: Request) -> Response:
        """Verify, write down, acknowledge; an interaction is handled at once, an event by the inbox's worker."""
        body = await _read(request)
        if body is None:
            return PlainTextResponse("too large", 413)
        headers = {name: request.headers[name] for name in _KEPT if request.headers.get(name)}
        if not self._genuine(body, headers):
            return PlainTextResponse("bad signature", 401)
        text = body.decode("utf-8", "replace")
        is_event = headers.get("content-type", "").startswith("application/json")
        try:
            return await run_in_threadpool(self._event if is_event else self._interaction, text, headers)
        except UserError as refusal:
            return PlainTextResponse(refusal.what, 400)
        except SQLAlchemyError as error:  # nothing was acknowledged: Slack sends events again and tells whoever clicked
            log.error("a request could not be written down: %s", type(error).__name__)
            return PlainTextResponse("try again", 503)

    def _genuine(self, body: bytes, headers: dict[str, str]) -> bool:
        stamp, signature = (headers.get(f"x-slack-{name}", "") for name in ("request-timestamp", "signature"))
        if not re.fullmatch(r"[0-9]{10}", stamp) or not signature.isascii():
            return False
        if abs(self._clock().timestamp() - int(stamp)) > CLOCK_SKEW.total_seconds():
            return False
        expected = hmac.new(self._secret.encode(), f"v0:{stamp}:".encode() + body, sha256).hexdigest()
        return bool(self._secret) and hmac.compare_digest(f"v0={expected}", signature)

    def _event(self, text: str, headers: dict[str, str]) -> Response:
        try:
            event = json.loads(text)
        except (ValueError, RecursionError):
            return PlainTextResponse("not JSON", 400)
        if not isinstance(event, dict):
            return PlainTextResponse("not an event", 400)
        if event.get("type") == "url_verification":
            return JSONResponse({"challenge": str(event.get("challenge", ""))})
        if _is_echo(event):
            return PlainTextResponse("")
        key = f"event:{event.get('api_app_id')}:{event.get('team_id')}:{event.get('event_id')}"
        if self._inbox.take(key, text, headers, self._clock(), state="waiting"):
            self._wake()
        return PlainTextResponse("")

    def _interaction(self, text: str, headers: dict[str, str]) -> Response:
        if not _is_interaction(text):
            return PlainTextResponse("not an interaction", 400)
        key = f"request:{sha256(headers['x-slack-signature'].encode()).hexdigest()}"
        if not self._inbox.take(key, text, headers, self._clock(), state="running"):
            return PlainTextResponse("")
        request = BoltRequest(body=text, headers={**headers}, context={_KEY: key})
        answer = self._app.dispatch(request)
        if request.context.ack.response is None:
            # No listener wants it, or none acknowledged in time, which Slack tells the person: nothing is owed.
            self._inbox.done(key)
        return _as_response(answer)


class _Closing(ListenerCompletionHandler):
    """Closes an interaction's row when its listener has ended, which is after its acknowledgement."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox

    def handle(self, request: BoltRequest, response: BoltResponse | None) -> None:
        try:
            self._inbox.done(str(request.context[_KEY]))
        except SQLAlchemyError as error:
            log.error("an interaction stays open and is done again at the next start: %s", type(error).__name__)


async def _read(request: Request) -> bytes | None:
    body = bytearray()
    async for block in request.stream():
        body += block
        if len(body) > BODY_LIMIT:
            return None
    return bytes(body)


def _is_echo(event: dict[str, Any]) -> bool:
    """Say whether this is our own message or our own edit coming back: half of what Slack sends, and nobody's wish."""
    inner = event.get("event")
    if not isinstance(inner, dict) or inner.get("type") != "message":
        return False
    said = inner.get("message", inner)
    return isinstance(said, dict) and bool(said.get("app_id")) and said["app_id"] == event.get("api_app_id")


def _is_interaction(text: str) -> bool:
    """Say whether a form is one that Bolt can parse: a command, or a payload that is a JSON object."""
    form = parse_qs(text)
    if "payload" not in form:
        return "command" in form or "ssl_check" in form
    try:
        return isinstance(json.loads(form["payload"][0]), dict)
    except (ValueError, RecursionError):
        return False


def _as_response(answer: BoltResponse) -> Response:
    kind = answer.first_headers().get("content-type", "text/plain")
    return Response(answer.body, status_code=answer.status, media_type=kind)
