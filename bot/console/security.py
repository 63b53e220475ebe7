"""Refuses requests from elsewhere and tells browsers what to forbid. Knows headers, not what a request asks for."""

import hmac
import re
import secrets

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

COOKIE = "local_slack"
DOORS = re.compile(r"/|/archives/.*|/oauth/v2/authorize")
"""Where links from elsewhere may lead: pages that only show something."""
BARE = frozenset({"127.0.0.1", "localhost"})
"""Slack's own Socket Mode client leaves the port out of its Host header."""
CONTENT_SECURITY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; "
    "font-src 'self'; manifest-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Gate:
    """ASGI middleware: own Host and own Origin only, security headers on every answer."""

    def __init__(self, app: ASGIApp, port: int) -> None:
        self._app = app
        self._hosts = frozenset({f"127.0.0.1:{port}", f"localhost:{port}"})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request pass or answer 403."""
        if scope["type"] == "websocket":
            refusal = self._refusal(Headers(scope=scope), scope["path"], "GET", self._hosts | BARE)
            await (_decline(send) if refusal else self._app(scope, receive, send))
            return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        refusal = self._refusal(Headers(scope=scope), scope["path"], scope["method"], self._hosts)
        app = PlainTextResponse(refusal, 403) if refusal else self._app
        await app(scope, receive, send_guarded)

    def _refusal(self, headers: Headers, path: str, method: str, hosts: frozenset[str]) -> str:
        if [host.lower() in hosts for host in headers.getlist("host")] != [True]:
            return "This local Slack answers on 127.0.0.1 and localhost only: open it by that address."
        if any(origin.lower().removeprefix("http://") not in self._hosts for origin in headers.getlist("origin")):
            return "This local Slack does not take requests from other sites."
        # Requests that carry no Origin (pictures, scripts) still say whether another site made them.
        if headers.get("sec-fetch-site") in ("cross-site", "same-site") and not DOORS.fullmatch(path):
            return "This local Slack does not take requests from other sites."
        if path.startswith("/_local/") and method == "POST" and headers.get("x-local-slack") != "1":
            return "The header X-Local-Slack: 1 is missing."
        return ""


async def _decline(send: Send) -> None:
    await send({"type": "websocket.close", "code": 1008})


class Sessions:
    """The page's cookie: proof that a request comes from a page that this process served."""

    def __init__(self) -> None:
        self._secret = secrets.token_urlsafe(24)

    @property
    def cookie(self) -> str:
        """The value to set."""
        return self._secret

    def holds(self, request: Request) -> bool:
        """Whether the request carries the cookie."""
        return hmac.compare_digest(request.cookies.get(COOKIE, "").encode(), self._secret.encode())
