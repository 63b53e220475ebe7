"""Knows HTTP as OpenAI's fine-tuning API speaks it: parse, ask the engine, write; it knows no engine."""

import time
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, Response, StreamingResponse
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from trainers.openai_api import requests, shapes
from trainers.openai_api.arrivals import Arrivals
from trainers.openai_api.arriving import sent_in
from trainers.openai_api.completions import writer
from trainers.openai_api.engine import Caller, Engine
from trainers.openai_api.engine import Scope as KeyScope
from trainers.openai_api.gone import unless_gone
from trainers.openai_api.hook_routes import HookRoutes
from trainers.openai_api.objects import Clock, Verb
from trainers.openai_api.refusals import ApiError, broken, no_key

JOBS = "/fine_tuning/jobs"

Handler = Callable[[Request, Caller], Awaitable[Response]]


@dataclass(frozen=True)
class Router:
    """The routes over one engine."""

    engine: Engine
    clock: Clock = time.time
    arrivals: Arrivals = field(default_factory=Arrivals)

    async def upload(self, request: Request, caller: Caller) -> Response:
        """POST /files."""
        spool, limit, room = self.engine.spool, self.engine.file_limit, await self.engine.room(caller)
        async with sent_in(request, spool, limit, room, self.arrivals) as sent:
            return JSONResponse(shapes.file(await self.engine.add_file(caller, sent)))

    async def files(self, request: Request, caller: Caller) -> Response:
        """GET /files?purpose&limit&order&after."""
        page = requests.page_of(request, default=10_000, most=10_000)
        found = await self.engine.files(caller, page, request.query_params.get("purpose", ""))
        return JSONResponse(shapes.page(found, shapes.file))

    async def file(self, request: Request, caller: Caller) -> Response:
        """GET /files/{id}."""
        return JSONResponse(shapes.file(await self.engine.file(caller, request.path_params["id"])))

    async def content(self, request: Request, caller: Caller) -> Response:
        """GET /files/{id}/content."""
        found = await self.engine.content(caller, request.path_params["id"])
        kind = "application/octet-stream"
        return FileResponse(found, media_type=kind) if isinstance(found, Path) else Response(found, media_type=kind)

    async def delete(self, request: Request, caller: Caller) -> Response:
        """DELETE /files/{id}."""
        await self.engine.delete_file(caller, request.path_params["id"])
        return JSONResponse({"id": request.path_params["id"], "object": "file", "deleted": True})

    async def start(self, request: Request, caller: Caller) -> Response:
        """POST /fine_tuning/jobs."""
        asked = requests.job_request(await requests.body_of(request))
        return JSONResponse(shapes.job(await self.engine.start(caller, asked)))

    async def jobs(self, request: Request, caller: Caller) -> Response:
        """GET /fine_tuning/jobs?after&limit&metadata[k]=v, newest first."""
        page = requests.page_of(request, default=20, most=100)
        found = await self.engine.jobs(caller, page, requests.wanted_metadata(request))
        return JSONResponse(shapes.page(found, shapes.job))

    async def job(self, request: Request, caller: Caller) -> Response:
        """GET /fine_tuning/jobs/{id}."""
        return JSONResponse(shapes.job(await self.engine.job(caller, request.path_params["id"])))

    def change(self, verb: Verb) -> Handler:
        """POST /fine_tuning/jobs/{id}/cancel, pause or resume."""

        async def changed(request: Request, caller: Caller) -> Response:
            return JSONResponse(shapes.job(await self.engine.change(caller, request.path_params["id"], verb)))

        return changed

    async def events(self, request: Request, caller: Caller) -> Response:
        """GET /fine_tuning/jobs/{id}/events, newest first."""
        page = requests.page_of(request, default=20, most=100)
        found = await self.engine.events(caller, request.path_params["id"], page)
        return JSONResponse(shapes.page(found, shapes.event))

    async def checkpoints(self, request: Request, caller: Caller) -> Response:
        """GET /fine_tuning/jobs/{id}/checkpoints, newest first."""
        page = requests.page_of(request, default=10, most=100)
        found = await self.engine.checkpoints(caller, request.path_params["id"], page)
        return JSONResponse(shapes.page(found, shapes.checkpoint))

    async def models(self, request: Request, caller: Caller) -> Response:
        """GET /models."""
        return JSONResponse(shapes.whole_list([shapes.model(card) for card in await self.engine.models(caller)]))

    async def model(self, request: Request, caller: Caller) -> Response:
        """GET /models/{id}."""
        return JSONResponse(shapes.model(await self.engine.model(caller, request.path_params["id"])))

    async def chat(self, request: Request, caller: Caller) -> Response:
        """POST /chat/completions; what refuses does so before the first piece, while there is a status to say it."""
        ask = requests.chat_ask(await requests.body_of(request))
        written, pieces = writer(ask, self.engine.fingerprint, self.clock()), self.engine.chat(caller, ask)
        if not ask.stream:
            return JSONResponse(await unless_gone(request, written.whole(pieces)))
        first = await unless_gone(request, anext(pieces))
        plain = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
        return StreamingResponse(written.stream(first, pieces), media_type="text/event-stream", headers=plain)

    def routes(self, prefix: str = "/v1") -> list[BaseRoute]:
        """Return all routes below a prefix."""
        one = f"{JOBS}/{{id}}"
        table: Sequence[tuple[str, str, KeyScope, Handler]] = (
            ("POST", "/files", "files", self.upload),
            ("GET", "/files", "read", self.files),
            ("GET", "/files/{id}/content", "read", self.content),
            ("DELETE", "/files/{id}", "files", self.delete),
            ("GET", "/files/{id}", "read", self.file),
            ("POST", JOBS, "train", self.start),
            ("GET", JOBS, "read", self.jobs),
            ("POST", f"{one}/cancel", "train", self.change("cancel")),
            ("POST", f"{one}/pause", "train", self.change("pause")),
            ("POST", f"{one}/resume", "train", self.change("resume")),
            ("GET", f"{one}/events", "read", self.events),
            ("GET", f"{one}/checkpoints", "read", self.checkpoints),
            ("GET", one, "read", self.job),
            ("GET", "/models", "read", self.models),
            ("GET", "/models/{id:path}", "read", self.model),
            ("POST", "/chat/completions", "chat", self.chat),
            *HookRoutes(self.engine).table(),
        )
        return [Route(prefix + path, self._admitted(scope, do), methods=[verb]) for verb, path, scope, do in table]

    def _admitted(self, scope: KeyScope, do: Handler) -> Callable[[Request], Awaitable[Response]]:
        """Let a handler see only requests whose key may do that; nothing of the body is read before."""

        async def checked(request: Request) -> Response:
            key = key_in(request.headers)
            if not key:
                raise no_key()
            return await do(request, await self.engine.admit(key, scope))

        return checked


def build_app(
    engine: Engine,
    further: Sequence[BaseRoute] = (),
    *,
    prefixes: Sequence[str] = ("/v1",),
    handlers: Mapping[Any, Any] = MappingProxyType({}),
) -> ASGIApp:
    """Return the application over an engine, with `further` routes of its own; a header says which engine it is.

    `handlers` answer errors that only this engine raises.
    """
    router = Router(engine)
    routes = [route for prefix in prefixes for route in router.routes(prefix)]
    app = Starlette(
        routes=[*further, *routes],
        exception_handlers={
            ApiError: _refused,
            HTTPException: _unrouted,
            ClientDisconnect: _gone,
            Exception: _broke,
            **handlers,
        },
    )
    return _Named(app, engine.notice)


def key_in(headers: Mapping[str, str]) -> str:
    """Return the key of a request, sent as OpenAI's clients do or as Azure's do, or ""."""
    kind, _, key = headers.get("authorization", "").partition(" ")
    return key.strip() if kind.lower() == "bearer" else headers.get("api-key", "").strip()


@dataclass(frozen=True)
class _Named:
    """Says in every answer who answers, and gives each request an id that a log can be searched for."""

    app: ASGIApp
    notice: str

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        said = [(b"x-luthier-engine", self.notice.encode()), (b"x-request-id", f"req_{uuid.uuid4().hex}".encode())]

        async def named(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", []), *said]
            await send(message)

        await self.app(scope, receive, named)


async def _refused(_: Request, error: Exception) -> Response:
    assert isinstance(error, ApiError)  # noqa: S101  # Starlette calls this for ApiError alone
    return JSONResponse(error.body, error.status, headers=error.headers)


async def _unrouted(request: Request, error: Exception) -> Response:
    """Write an error of routing as OpenAI does."""
    assert isinstance(error, HTTPException)  # noqa: S101  # the same
    where = f"({request.method} {request.url.path})"
    said = {404: f"Invalid URL {where}", 405: f"Not allowed to {request.method} on {request.url.path}"}
    refusal = ApiError(error.status_code, said.get(error.status_code, error.detail))
    return JSONResponse(refusal.body, error.status_code, headers=error.headers)


async def _gone(_: Request, __: Exception) -> Response:
    return Response(status_code=499)  # nobody reads it


async def _broke(_: Request, __: Exception) -> Response:
    answer: Any = broken()
    return JSONResponse(answer.body, answer.status)
