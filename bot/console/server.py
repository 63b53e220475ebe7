"""The routes of the local Slack and its start and stop. Knows HTTP; every other file knows what is behind a route."""

import asyncio
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import parse_qsl

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import FileResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles

from bot.console import api, files, oauth_pages, page_routes, response_urls, uploads
from bot.console.api.registry import FOR_APP_TOKENS, FORM_ONLY, accepted, call, granted
from bot.console.avatars import avatar
from bot.console.bodies import BODY_MOST, basic, bearer, content_type, form_fields, json_object, read_body
from bot.console.clock import Now
from bot.console.ending import Ending
from bot.console.multipart import upload_chunks
from bot.console.security import COOKIE, Gate, Sessions
from bot.console.site import Site
from bot.console.wire import Args, Json, RateLimited, SlackError
from bot.console.workspace import ConsoleSettings

__all__ = ["BODY_MOST", "api", "create_app"]


def create_app(settings: ConsoleSettings, now: Now = time.time) -> Starlette:
    """The whole local Slack as an ASGI application."""
    site = Site(settings, now)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        await site.open()
        async with background(api.scheduled.tend(site)):
            yield
        await site.close()

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
            WebSocketRoute("/link/", site.sockets.serve),
            Route("/oauth/v2/authorize", oauth_pages.authorize),
            Route("/oauth/v2/allow", oauth_pages.allow),
            Route("/avatars/{name}", avatar),
            Route("/_local/file/{file}", _file),
            *page_routes.ROUTES,
            Mount("/static", StaticFiles(directory=settings.page, check_dir=False)),
        ],
        middleware=[Middleware(Ending), Middleware(Gate, port=settings.port)],
        lifespan=lifespan,
    )
    app.state.site = site
    app.state.sessions = Sessions()
    return app


@asynccontextmanager
async def background(work: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Do something beside the requests, until the server stops."""
    task = asyncio.create_task(work)
    yield
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def _index(request: Request) -> Response:
    if request.url.hostname == "localhost":
        # Addresses of files name 127.0.0.1; a page on another name could not show them.
        return RedirectResponse(str(request.url.replace(hostname="127.0.0.1")))
    page = request.app.state.site.settings.page / "index.html"
    if not page.is_file():
        return PlainTextResponse("The page of the local Slack is not installed; the API works.", 503)
    response = FileResponse(page, headers={"Cache-Control": "no-store"})
    response.set_cookie(COOKIE, request.app.state.sessions.cookie, httponly=True, samesite="strict", path="/")
    return response


async def _api(request: Request) -> Response:
    if request.method == "HEAD":
        return Response(status_code=405)  # it would carry out the method and hide its answer
    site: Site = request.app.state.site
    try:
        values = await _arguments(request)
    except SlackError as error:
        return JSONResponse(error.body())
    name = request.path_params["method"]
    token = bearer(request) or str(values.get("token", ""))
    values.pop("token", None)
    refusal = _refusal(request, name, token)
    if refusal:
        return JSONResponse(SlackError(refusal).body())
    if site.faults.strikes("slow_answers"):
        await asyncio.sleep(site.faults.now.slow_seconds)
    if site.faults.strikes("server_errors"):
        return JSONResponse(SlackError("internal_error").body(), 500)
    try:
        answer = call(site, name, Args(values), token)
    except RateLimited as error:
        return JSONResponse(error.body(), 429, {"Retry-After": str(error.seconds)})
    if site.faults.strikes("lost_answers"):
        return PlainTextResponse("upstream connect error or disconnect/reset before headers", 503)
    scopes = {"X-OAuth-Scopes": granted(site.settings.manifest.scopes), "X-Accepted-OAuth-Scopes": accepted(name)}
    return JSONResponse(answer, headers={header: ",".join(each) for header, each in scopes.items()})


def _refusal(request: Request, name: str, token: str) -> str:
    """Why a method cannot be called in this way at all."""
    if name not in FOR_APP_TOKENS:
        return ""
    if request.method != "POST":
        return "insecure_request"
    # The app-level token must come in the header.
    return "invalid_auth" if token and not bearer(request) else ""


async def _arguments(request: Request) -> Json:
    """Query, then body; a form's and a JSON object's fields alike. Client credentials may stand in a header.

    A token counts in the header or in a form, and JSON is not read where Slack reads forms only.
    """
    values: Json = {**dict(request.query_params), **basic(request)}
    values.pop("token", None)
    kind = content_type(request)
    if kind == "multipart/form-data":
        return {**values, **await form_fields(request)}
    body = await read_body(request)
    if not body:
        return values
    if kind == "application/json":
        given = {} if request.path_params["method"] in FORM_ONLY else json_object(body)
        given.pop("token", None)
        return {**values, **given}
    if kind in ("application/x-www-form-urlencoded", "text/plain"):
        return {**values, **dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True))}
    raise SlackError("invalid_post_type" if kind else "missing_post_type")


async def _upload(request: Request) -> Response:
    site: Site = request.app.state.site
    ticket = request.path_params["ticket"]
    space = site.holding("upload", ticket) or site.team("")
    try:
        size = await uploads.accept(space, ticket, upload_chunks(request))
    except SlackError as error:
        status = {"no_such_upload": 404, "file_upload_size_restricted": 413}.get(error.code, 400)
        return PlainTextResponse(": ".join([error.code, *error.messages]), status)
    except ClientDisconnect:
        return PlainTextResponse("interrupted", 400)
    return PlainTextResponse(f"OK - {size}")


ACTIVE = frozenset({"text/html", "image/svg+xml", "application/xhtml+xml", "text/xml", "application/xml"})
"""Types that a browser might run: they are handed out as bytes only."""


async def _file(request: Request) -> Response:
    site: Site = request.app.state.site
    file_id = request.path_params["file"].rpartition("-")[2]
    space = site.holding("file", file_id) or site.team("")
    if space.install.verdict(bearer(request)) != "ok" and not request.app.state.sessions.holds(request):
        return PlainTextResponse("Sign in by opening the page, or send the app's token.", 403)
    try:
        file = files.find(space, file_id)
    except SlackError:
        return PlainTextResponse("No such file.", 404)
    if not files.path_of(space, file_id).is_file():
        return PlainTextResponse("The bytes of this file are gone.", 404)
    inline = file["mimetype"] in files.INLINE and "/download/" not in request.url.path
    return FileResponse(
        files.path_of(space, file_id),
        media_type="application/octet-stream" if file["mimetype"] in ACTIVE else file["mimetype"],
        filename=file["name"],
        content_disposition_type="inline" if inline else "attachment",
    )


async def _respond(request: Request) -> Response:
    if request.path_params["kind"] not in ("actions", "commands", "app"):
        return PlainTextResponse("Not Found", 404)
    try:
        body = await read_body(request)
        form = dict(parse_qsl(body.decode("utf-8", "replace"))) if body.startswith(b"payload=") else {}
        values = json_object(form["payload"].encode() if form else body)
        space = request.app.state.site.team(request.path_params["team"])
        response_urls.respond(space, request.path_params["key"], Args(values))
    except SlackError as error:
        gone = error.code in ("invalid_url", "used_url", "expired_url", "team_not_found")
        return JSONResponse(error.body(), 404 if gone else 400 if error.code == "invalid_json" else 200)
    return PlainTextResponse("ok")
