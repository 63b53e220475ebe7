"""Ends requests that are under way when the server stops. Knows the ASGI calls, not what a request does."""

import asyncio
from contextlib import suppress

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class Ending:
    """ASGI middleware: uvicorn cancels what outlives its patience; that is no error and needs no traceback."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; one that is cancelled before its answer began gets 503."""
        begun = False

        async def send_noted(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, send_noted)
        except asyncio.CancelledError:
            if scope["type"] == "http" and not begun:
                with suppress(OSError):
                    await PlainTextResponse("The local Slack is stopping.", 503)(scope, receive, send)
