"""Knows how to break a connection instead of answering it; it does not know why."""

import asyncio

from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send


class HungUp(Exception):
    """There is to be no answer."""


class HangUp(Response):
    """No answer: the connection breaks."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Break it."""
        scope["hang_up"]()
        await asyncio.sleep(0)  # the server has to hear of it before we return without an answer


def able_to_hang_up(app: ASGIApp) -> ASGIApp:
    """Return the application with a way to break the connection in its scope; it has to be the outermost."""

    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            cycle = send.__self__  # type: ignore[attr-defined]  # uvicorn's: the one way to hang up
            scope["hang_up"] = cycle.transport.abort
            await app(scope, receive, send)

    return answer


async def hang_up(_: Request, __: Exception) -> Response:
    """Answer HungUp with nothing."""
    return HangUp()
