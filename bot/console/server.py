"""The routes of the local Slack and its start and stop. Knows HTTP; every other file knows what is behind a route."""

import hmac
import json
import re
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import (
    FileResponse,
    JSONResponse,
    PlainTextResponse,
    RedirectResponse,
    Response,
    StreamingResponse,
)
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from bot.console import api, files, page_acts, page_reads, response_urls
from bot.console.api.registry import call
from bot.console.clock import Now
from bot.console.limits import limit
from bot.console.multipart import upload_chunks
from bot.console.security import COOKIE, Gate, Sessions
from bot.console.wire import Args, Json, SlackError
from bot.console.workspace import ConsoleSettings, Workspace

__all__ = ["api", "create_app"]

BODY_MOST = 4 * 1024 * 1024
"""Bytes of a JSON or form body; files go another way."""


def create_app(settings: ConsoleSettings, now: Now = time.time) -> Starlette:
    """The whole local Slack as an ASGI application."""
    space = Workspace(settings, now)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        yield
        await space.close()

    app = Starlette(
        routes=[
            Route("/", _index),
            Route("/archives/{channel}/{message}", _index),
            Route("/api/{method}", _api, methods=["GET", "POST"]),
            Route("/upload/v1/{ticket}", _upload, methods=["POST", "PUT"]),
            Route("/files-pri/{file}/download/{name}", _file),
            Route("/files-pri/{file}/{name}", _file),
            Route("/files/{user}/{file}/{name}", _file),
            Route("/{kind:str}/{team:str}/{key:path}", _respond, methods=["POST"]),
            Route("/_local/events", _events),
            Route("/_local/upload", _page_upload, methods=["POST"]),
            Route("/_local/file/{file}", _file),
            Route("/_local/{name}", _page_read, methods=["GET"]),
            Route("/_local/{name}", _page_act, methods=["POST"]),
            Mount("/static", StaticFiles(directory=settings.page, check_dir=False)),
        ],
        middleware=[Middleware(Gate, port=settings.port)],
        lifespan=lifespan,
    )
    app.state.space = space
    app.state.sessions = Sessions()
    return app


def _space(request: Request) -> Workspace:
    space: Workspace = request.app.state.space
    return space


async def _index(request: Request) -> Response:
    if request.url.hostname == "localhost":
        # Addresses of files name 127.0.0.1; a page on another name could not show them.
        return RedirectResponse(str(request.url.replace(hostname="127.0.0.1")))
    page = _space(request).settings.page / "index.html"
    if not page.is_file():
        return PlainTextResponse("The page of the local Slack is not installed; the API works.", 503)
    response = FileResponse(page, headers={"Cache-Control": "no-store"})
    response.set_cookie(COOKIE, request.app.state.sessions.cookie, httponly=True, samesite="strict", path="/")
    return response


async def _api(request: Request) -> Response:
    space = _space(request)
    try:
        values = await _arguments(request)
    except SlackError as error:
        return JSONResponse(error.body())
    token = _bearer(request) or str(values.get("token", ""))
    values.pop("token", None)
    answer = call(space, request.path_params["method"], Args(values), token)
    scopes = space.settings.manifest.scopes
    return JSONResponse(answer, headers={"X-OAuth-Scopes": ",".join(sorted(scopes or ["chat:write"]))})


async def _arguments(request: Request) -> Json:
    """Query, then body; a form's and a JSON object's fields alike."""
    values: Json = dict(request.query_params)
    kind = request.headers.get("content-type", "").split(";")[0].strip().lower()
    if kind == "multipart/form-data":
        async with request.form(max_files=0, max_fields=200, max_part_size=BODY_MOST) as form:
            return {**values, **{name: value for name, value in form.items() if isinstance(value, str)}}
    body = await _body(request)
    if not body:
        return values
    if kind == "application/json":
        return {**values, **_json_object(body)}
    if kind in ("application/x-www-form-urlencoded", ""):
        return {**values, **dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))}
    raise SlackError("invalid_post_type")


async def _body(request: Request) -> bytes:
    parts, size = [], 0
    async for chunk in request.stream():
        size += len(chunk)
        if size > BODY_MOST:
            raise SlackError("request_too_large")
        parts.append(chunk)
    return b"".join(parts)


def _json_object(body: bytes) -> Json:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        raise SlackError("invalid_json") from None
    if not isinstance(value, dict):
        raise SlackError("json_not_object")
    return _mended(value) if b"\\u" in body else value


def _mended(value: Json) -> Json:
    """JSON can spell half a character; it becomes U+FFFD, since neither SQLite nor HTTP can carry it."""
    text = json.dumps(value, ensure_ascii=False).encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    mended: Json = json.loads(text)
    return mended


def _bearer(request: Request) -> str:
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if kind.lower() == "bearer" else ""


async def _upload(request: Request) -> Response:
    space = _space(request)
    ticket = space.store.get("upload", request.path_params["ticket"])
    if ticket is None:
        return PlainTextResponse("This upload address is not known or was used.", 404)
    try:
        record = await files.receive(space, ticket["file"], upload_chunks(request))
    except SlackError as error:
        return PlainTextResponse(f"{error.code}: at most {limit('file.bytes'):,} bytes", 413)
    except ClientDisconnect:
        return PlainTextResponse("interrupted", 400)
    space.store.drop("upload", request.path_params["ticket"])
    return PlainTextResponse(f"OK - {record['size']}")


async def _file(request: Request) -> Response:
    space = _space(request)
    token_ok = hmac.compare_digest(_bearer(request).encode(), space.settings.bot_token.encode())
    if not token_ok and not request.app.state.sessions.holds(request):
        return PlainTextResponse("Sign in by opening the page, or send the app's token.", 403)
    file_id = request.path_params["file"].rpartition("-")[2]
    try:
        file = files.find(space, file_id)
    except SlackError:
        return PlainTextResponse("No such file.", 404)
    inline = file["mimetype"] in files.INLINE and "/download/" not in request.url.path
    return FileResponse(
        files.path_of(space, file_id),
        media_type=file["mimetype"] if inline else "application/octet-stream",
        filename=file["name"],
        content_disposition_type="inline" if inline else "attachment",
    )


async def _respond(request: Request) -> Response:
    if request.path_params["kind"] not in ("actions", "commands", "app"):
        return PlainTextResponse("Not Found", 404)
    try:
        body = await _body(request)
        form = dict(parse_qsl(body.decode("utf-8", "replace"))) if body.startswith(b"payload=") else {}
        values = _json_object(form["payload"].encode() if form else body)
        response_urls.respond(_space(request), request.path_params["key"], Args(values))
    except SlackError as error:
        gone = error.code in ("invalid_url", "used_url", "expired_url")
        return JSONResponse(error.body(), 404 if gone else 400 if error.code == "invalid_json" else 200)
    return PlainTextResponse("ok")


async def _events(request: Request) -> Response:
    space = _space(request)
    try:
        user = space.person(request.query_params.get("user", ""))["id"]
    except SlackError as error:
        return JSONResponse(error.body(), 404)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(page_reads.live(space, user), media_type="text/event-stream", headers=headers)


async def _page_read(request: Request) -> Response:
    try:
        return JSONResponse(page_reads.read(_space(request), request.path_params["name"], request.query_params))
    except SlackError as error:
        return JSONResponse(_told(error))


async def _page_act(request: Request) -> Response:
    try:
        body = _json_object(await _body(request))
        return JSONResponse(await page_acts.act(_space(request), request.path_params["name"], body))
    except SlackError as error:
        return JSONResponse(_told(error))


async def _page_upload(request: Request) -> Response:
    ask = request.query_params
    try:
        return JSONResponse(
            await page_acts.upload(_space(request), ask.get("user", ""), ask.get("name", ""), request.stream())
        )
    except SlackError as error:
        return JSONResponse(_told(error), 413 if error.code == "file_upload_size_restricted" else 200)
    except ClientDisconnect:
        return PlainTextResponse("interrupted", 400)


def _told(error: SlackError) -> Json:
    """A refusal with a sentence that the page can show."""
    words = re.sub(r"\s*\[json-pointer:[^\]]*\]", "", "; ".join(error.messages))
    return {"ok": False, "error": error.code, "detail": words or error.code.replace("_", " ")}
