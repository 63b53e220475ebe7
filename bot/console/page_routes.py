"""The routes under /_local/ that only our page uses. Knows HTTP; page_reads and page_acts know what is behind them."""

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator

from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from bot.console import page_acts, page_reads
from bot.console.bodies import json_object, read_body
from bot.console.site import Site
from bot.console.wire import Json, SlackError
from bot.console.workspace import Workspace


async def _events(request: Request) -> Response:
    try:
        space = _space(request, request.query_params.get("team", ""))
        user = space.person(request.query_params.get("user", ""))["id"]
    except SlackError as error:
        return JSONResponse(error.body(), 404)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    stream = _until(_site(request).closing, page_reads.live(space, user))
    return StreamingResponse(stream, media_type="text/event-stream", headers=headers)


async def _until(closing: asyncio.Event, stream: AsyncGenerator[str, None]) -> AsyncIterator[str]:
    """The stream, which ends when this Slack does."""
    end = asyncio.ensure_future(closing.wait())
    piece: asyncio.Future[str] = asyncio.ensure_future(anext(stream))
    try:
        while True:
            await asyncio.wait((piece, end), return_when=asyncio.FIRST_COMPLETED)
            if not piece.done():
                return
            yield piece.result()
            piece = asyncio.ensure_future(anext(stream))
    finally:
        end.cancel()
        piece.cancel()
        await asyncio.gather(piece, return_exceptions=True)
        await stream.aclose()


async def _read(request: Request) -> Response:
    name, ask = request.path_params["name"], request.query_params
    try:
        if name == "faults":
            return JSONResponse(_faults(_site(request)))
        space = _space(request, ask.get("team", ""))
        if name == "boot" and ask.get("channel"):
            # A link into a channel does not say of which team.
            named, space = space, _site(request).holding("channel", ask["channel"]) or space
            if space is not named:
                # Whoever sat here in the other team is nobody in this one.
                return JSONResponse(page_reads.read(space, name, {"channel": ask["channel"]}))
        return JSONResponse(page_reads.read(space, name, ask))
    except SlackError as error:
        return JSONResponse(_told(error))


async def _act(request: Request) -> Response:
    name = request.path_params["name"]
    try:
        body = json_object(await read_body(request))
        if name == "faults":
            return JSONResponse(_change_faults(_site(request), body))
        space = _space(request, str(body.pop("team", None) or ""))
        return JSONResponse(await page_acts.act(space, name, body))
    except SlackError as error:
        return JSONResponse(_told(error))


async def _upload(request: Request) -> Response:
    ask = request.query_params
    try:
        space = _space(request, ask.get("team", ""))
        return JSONResponse(await page_acts.upload(space, ask.get("user", ""), ask.get("name", ""), request.stream()))
    except SlackError as error:
        return JSONResponse(_told(error), 413 if error.code == "file_upload_size_restricted" else 200)
    except ClientDisconnect:
        return PlainTextResponse("interrupted", 400)


ROUTES = (
    Route("/_local/events", _events),
    Route("/_local/upload", _upload, methods=["POST"]),
    Route("/_local/{name}", _read, methods=["GET"]),
    Route("/_local/{name}", _act, methods=["POST"]),
)


def _site(request: Request) -> Site:
    site: Site = request.app.state.site
    return site


def _space(request: Request, team_id: str) -> Workspace:
    return _site(request).team(team_id)


def _faults(site: Site) -> Json:
    return {"ok": True, "faults": site.faults.told(), "sockets": site.sockets.count}


def _change_faults(site: Site, body: Json) -> Json:
    """Switch faults by name; `refresh_sockets` makes every socket reconnect."""
    values = {key: value for key, value in body.items() if key not in ("user", "team", "refresh_sockets")}
    site.faults.change(values)
    if body.get("refresh_sockets"):
        site.sockets.refresh()
    return _faults(site)


def _told(error: SlackError) -> Json:
    """A refusal with a sentence that the page can show."""
    words = re.sub(r"\s*\[json-pointer:[^\]]*\]", "", "; ".join(error.messages))
    return {"ok": False, "error": error.code, "detail": words or error.code.replace("_", " ")}
