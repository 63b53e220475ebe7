"""The web process: it puts gate, inbox and Bolt together, and says whether it is well; it never trains."""

import logging
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from typing import Any

from slack_bolt import App, BoltContext, BoltResponse
from slack_bolt.authorization import AuthorizeResult
from slack_sdk import WebClient
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

import handlers
from bot.gate import Gate
from bot.hooks import Hooks
from bot.inbox_worker import GIVEN_UP, InboxWorker
from bot.settings import Settings
from bot.store.inbox import Inbox
from bot.uploads import Uploads
from bot.wiring import build_deps
from bot.workspaces import Workspaces
from handlers.deps import Deps
from handlers.strangers import INSTEAD, NOT_THEIRS
from knowledge.clock import utc_now
from knowledge.errors import UserError

log = logging.getLogger("luthier.web")
# It warns that a token in the environment is unused, as it should be: `Workspaces` knows the token of each request.
logging.getLogger("slack_bolt.App").addFilter(lambda record: "`token` will be unused" not in record.getMessage())

LISTENING = 32
"""Interactions that are handled at the same time: an acknowledgement waits for a thread, and Slack waits 3 s for it."""


def create_app(settings: Settings) -> Starlette:
    """Build the web process from settings; there may be one for an installation, see `Inbox`."""
    deps = build_deps(settings)
    inbox = Inbox(deps.engine)
    worker = InboxWorker(bolt(settings, deps, wait=True), inbox, utc_now)
    gate = Gate(settings.slack_signing_secret, bolt(settings, deps, wait=False), inbox, worker.wake, utc_now)

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

    async def health(_: Request) -> Response:
        return JSONResponse({"ok": worker.alive}, 200 if worker.alive else 503)

    routes = [Route("/slack/events", gate.receive, methods=["POST"]), Route("/health", health)]
    slack = Workspaces(settings.slack_bot_tokens, settings.slack_api_url)
    hooks = Hooks(settings.hook_secret, deps.jobs, inbox, utc_now)
    return Starlette(routes=[*routes, *hooks.routes, *Uploads(deps, slack.client).routes], lifespan=life)


def bolt(settings: Settings, deps: Deps, *, wait: bool) -> App:
    """Build Slack's own App with our handlers; `wait` makes a dispatch return only when the listener is done.

    The gate has verified the signature already, and a request from the inbox may be older than Slack's five minutes.
    """
    slack = Workspaces(settings.slack_bot_tokens, settings.slack_api_url)
    app = App(
        name="luthier",  # else Bolt reads the sources of all modules for one
        client=WebClient(base_url=settings.slack_api_url or WebClient.BASE_URL),
        authorize=_authorizer(slack),
        process_before_response=wait,
        request_verification_enabled=False,
        token_verification_enabled=False,
        user_facing_authorize_error_message=f"{NOT_THEIRS} {INSTEAD}",  # a command of a workspace without a token
        listener_executor=ThreadPoolExecutor(LISTENING, thread_name_prefix="listener"),
    )
    app.middleware(_apologise)
    handlers.register(app, deps)
    return app


def _apologise(context: BoltContext, body: dict[str, Any], next: Callable[[], None]) -> BoltResponse | None:
    """Tell whoever sent a request that was given up; not a channel in which nobody had addressed us."""
    if not context.get(GIVEN_UP):
        next()
        return None
    event = body.get("event") or {}
    if event.get("type") == "message" and event.get("channel_type") != "im":
        return BoltResponse(status=200)
    raise UserError("I was interrupted over this again and again, and have given it up.", "Please do it once more.")


def _authorizer(slack: Workspaces) -> Callable[..., AuthorizeResult]:
    """Bolt reads the names of a plain function's arguments; it takes None for an unknown workspace, untyped."""

    def authorize(team_id: str | None, enterprise_id: str | None) -> AuthorizeResult | None:
        return slack.authorize(team_id or "", enterprise_id or "")

    return authorize  # type: ignore[return-value]  # None is what Bolt documents


def _warm(deps: Deps) -> None:
    """Load the embedder and the index before the first question asks for them."""
    deps.index.search("warm")
