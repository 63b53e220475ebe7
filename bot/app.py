"""The web process: it takes Slack's requests, writes them down, acknowledges, and lets Bolt work; it never trains."""

import hmac
import json
import logging
import re
import threading
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import timedelta
from hashlib import sha256
from urllib.parse import parse_qs

from slack_bolt import App, BoltRequest, BoltResponse
from slack_sdk import WebClient
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

import handlers
from bot.settings import Settings
from bot.store.inbox import Inbox
from bot.store.tables import InboxRow
from bot.wiring import build_deps
from handlers.deps import Deps
from knowledge.clock import Clock, utc_now

log = logging.getLogger("luthier.web")
logging.getLogger("slack_bolt.App").setLevel(logging.ERROR)  # it warns that our client's token is used, as it should be

BODY_LIMIT = 1024 * 1024
"""Largest request body in bytes; Slack's own stay far below."""

CLOCK_SKEW = timedelta(minutes=5)
"""Oldest and newest timestamp of a request that Slack's own verifier accepts."""

ANSWERING = 8
"""Questions that are answered at the same time."""


def create_app(settings: Settings) -> Starlette:
    """Build the web process from settings."""
    deps = build_deps(settings)
    inbox = Inbox(deps.engine)
    worker = InboxWorker(bolt(settings, deps, wait=True), inbox, utc_now)
    gate = Gate(settings.slack_signing_secret, bolt(settings, deps, wait=False), inbox, worker, utc_now)

    @asynccontextmanager
    async def life(_: Starlette) -> AsyncIterator[None]:
        reopened = inbox.reopen(utc_now())
        if reopened:
            log.info("%d requests of the last run are taken up again", reopened)
        worker.start()
        threading.Thread(target=_warm, args=(deps,), daemon=True, name="warm").start()
        yield
        worker.stop()
        deps.models.close()
        deps.index.close()

    routes = [Route("/slack/events", gate.receive, methods=["POST"]), Route("/health", _health)]
    return Starlette(routes=routes, lifespan=life)


def bolt(settings: Settings, deps: Deps, *, wait: bool) -> App:
    """Build Slack's own App with our handlers; `wait` makes a dispatch return only when the listener is done.

    The gate has verified the signature already, and a request from the inbox may be older than Slack's five minutes.
    """
    client = WebClient(settings.slack_bot_token, base_url=settings.slack_api_url or WebClient.BASE_URL)
    app = App(
        client=client,
        process_before_response=wait,
        request_verification_enabled=False,
        token_verification_enabled=False,
        listener_executor=ThreadPoolExecutor(ANSWERING, thread_name_prefix="listener"),
    )
    handlers.register(app, deps)
    return app


class Gate:
    """Stands before Bolt, which parses a body before it verifies who sent it and keeps no record of replays."""

    def __init__(self, secret: str, app: App, inbox: Inbox, worker: "InboxWorker", clock: Clock) -> None:
        """Take the signing secret, the App for interactions, and the inbox for events."""
        self._secret, self._app, self._inbox, self._worker, self._clock = secret, app, inbox, worker, clock

    async def receive(self, request: Request) -> Response:
        """Verify, write down, acknowledge; an interaction is handled at once, an event by the inbox's worker."""
        body = await _read(request)
        if body is None:
            return PlainTextResponse("too large", 413)
        headers = {name: request.headers.get(name, "") for name in ("content-type", *_SIGNED)}
        if not self._genuine(body, headers):
            return PlainTextResponse("bad signature", 401)
        text = body.decode("utf-8", "replace")
        if headers["content-type"].startswith("application/json"):
            return await run_in_threadpool(self._event, text, headers)
        return await run_in_threadpool(self._interaction, text, headers)

    def _genuine(self, body: bytes, headers: dict[str, str]) -> bool:
        stamp, signature = headers["x-slack-request-timestamp"], headers["x-slack-signature"]
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
        key = f"event:{event.get('api_app_id')}:{event.get('team_id')}:{event.get('event_id')}"
        if self._inbox.take(key, text, headers, self._clock(), work=True):
            self._worker.wake()
        return PlainTextResponse("")

    def _interaction(self, text: str, headers: dict[str, str]) -> Response:
        if not _is_interaction(text):
            return PlainTextResponse("not an interaction", 400)
        key = f"request:{sha256(headers['x-slack-signature'].encode()).hexdigest()}"
        if not self._inbox.take(key, "", {}, self._clock(), work=False):
            return PlainTextResponse("")
        return _as_response(self._app.dispatch(BoltRequest(body=text, headers=_plain(headers))))


class InboxWorker:
    """Works through the inbox with a bounded pool of threads, oldest first."""

    def __init__(self, app: App, inbox: Inbox, clock: Clock) -> None:
        """Take the App whose dispatch waits for the listener."""
        self._app, self._inbox, self._clock = app, inbox, clock
        self._pool = ThreadPoolExecutor(ANSWERING, thread_name_prefix="inbox")
        self._free = threading.Semaphore(ANSWERING)
        self._bell, self._over = threading.Event(), threading.Event()

    def start(self) -> None:
        """Begin, in a thread of its own."""
        threading.Thread(target=self._loop, daemon=True, name="inbox").start()

    def wake(self) -> None:
        """Look now: something arrived."""
        self._bell.set()

    def stop(self) -> None:
        """Take no more; what is under way stays in the inbox if it does not finish."""
        self._over.set()
        self._bell.set()
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _loop(self) -> None:
        while not self._over.is_set():
            self._bell.wait(timeout=1)
            self._bell.clear()
            for row in self._inbox.due(self._clock(), ANSWERING):
                self._free.acquire()
                if self._over.is_set():
                    return
                self._pool.submit(self._work, row)

    def _work(self, row: InboxRow) -> None:
        try:
            response = self._app.dispatch(BoltRequest(body=row.body, headers=_plain(json.loads(row.headers))))
            # 404 is Bolt's word for an event that no listener wants.
            if response.status in (200, 404):
                self._inbox.done(row.key)
            elif not self._inbox.failed(row, self._clock()):
                log.error("a request was given up after several tries: %s", row.key)
        finally:
            self._free.release()
            self._bell.set()


_SIGNED = ("x-slack-request-timestamp", "x-slack-signature", "x-slack-retry-num", "x-slack-retry-reason")


async def _read(request: Request) -> bytes | None:
    body = bytearray()
    async for block in request.stream():
        body += block
        if len(body) > BODY_LIMIT:
            return None
    return bytes(body)


def _is_interaction(text: str) -> bool:
    """Say whether a form is one that Bolt can parse: a command, or a payload that is a JSON object."""
    form = parse_qs(text)
    if "payload" not in form:
        return "command" in form or "ssl_check" in form
    try:
        return isinstance(json.loads(form["payload"][0]), dict)
    except (ValueError, RecursionError):
        return False


def _plain(headers: dict[str, str]) -> dict[str, str | Sequence[str]]:
    return {name: value for name, value in headers.items() if value}


def _as_response(answer: BoltResponse) -> Response:
    kind = answer.first_headers().get("content-type", "text/plain")
    return Response(answer.body, status_code=answer.status, media_type=kind)


def _warm(deps: Deps) -> None:
    """Load the embedder and the index before the first question asks for them."""
    deps.index.search("warm")


async def _health(_: Request) -> Response:
    return JSONResponse({"ok": True})
