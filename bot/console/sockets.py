"""Socket Mode: connections that apps open, envelopes sent over them and acknowledged. Knows no team and no event."""

import asyncio
import json
import logging
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from starlette.responses import PlainTextResponse
from starlette.websockets import WebSocket, WebSocketDisconnect

from bot.console.clock import Now
from bot.console.deliver import Parcel, Reply
from bot.console.limits import limit
from bot.console.wire import Json, parse_json

GONE = Reply(ok=False, error="dispatch_failed", reason="connection_failed")
LATE = Reply(ok=False, error="operation_timeout", reason="http_timeout")
ANSWERED = frozenset({"view_submission", "block_suggestion", "dialog_submission", "dialog_suggestion"})
"""Interactions to which an acknowledgement may carry an answer."""
BROKEN = (WebSocketDisconnect, RuntimeError)
"""What sending over a connection raises after the app has gone."""
ON_PURPOSE = (1000, 1001)
"""Codes with which an app says goodbye; without one it was cut off and will come again."""


@dataclass(kw_only=True, eq=False)
class Link:
    """One open connection."""

    socket: WebSocket
    """Where envelopes go."""
    waiting: dict[str, asyncio.Future[Reply]] = field(default_factory=dict)
    """Envelopes that the app has not acknowledged, by id."""
    recalled: asyncio.Event = field(default_factory=asyncio.Event)
    """Somebody wants this connection to be replaced."""
    leaving: bool = False
    """The app was told to open another one; what it still acknowledges here counts."""


def _is_news(record: logging.LogRecord) -> bool:
    """Text that is no UTF-8 ends a connection with code 1007; that is the app's mistake, not worth a traceback here."""
    return not record.getMessage().startswith("Invalid UTF-8 sequence")


logging.getLogger("uvicorn.error").addFilter(_is_news)


class Sockets:
    """The open connections of the one app."""

    def __init__(self, address: str, *, now: Now, ack_seconds: float) -> None:
        self._address = address.replace("http://", "ws://", 1)
        self._now = now
        self.ack_seconds = ack_seconds
        """How long the app may take."""
        self.life = float(limit("socket.life_seconds"))
        """Seconds after which a connection is replaced."""
        self.notice = float(limit("socket.warning_seconds"))
        """Seconds between the warning and the end."""
        self._tickets: dict[str, float] = {}
        self._links: list[Link] = []
        self._arrived = asyncio.Event()
        self._cut_off = float("-inf")
        self._turn = 0

    @property
    def count(self) -> int:
        """How many connections are open."""
        return len(self._links)

    def ticket(self, app_id: str) -> str:
        """A new address that opens one connection within half a minute."""
        now = self._now()
        self._tickets = {key: until for key, until in self._tickets.items() if until >= now}
        key = str(uuid.uuid4())
        self._tickets[key] = now + limit("socket.ticket_seconds")
        return f"{self._address}/link/?ticket={key}&app_id={app_id}"

    async def serve(self, socket: WebSocket) -> None:
        """Keep one connection until the app goes or its time is over."""
        until = self._tickets.pop(socket.query_params.get("ticket", ""), 0.0)
        with suppress(*BROKEN):
            if until < self._now():
                await socket.send_denial_response(PlainTextResponse("The ticket is not known, used or too old.", 408))
                return
            await socket.accept()
            if len(self._links) >= limit("socket.connections"):
                await _say(socket, {"type": "disconnect", "reason": "too_many_websockets", "debug_info": _debug()})
                await socket.close(1000)
                return
            with self._listed(Link(socket=socket)) as link:
                await self._serve(link)

    async def ready(self) -> bool:
        """Whether a connection is open; an app that was cut off a moment ago is waited for."""
        left = self._cut_off + limit("socket.return_seconds") - time.monotonic()
        if not self._links and left > 0:
            with suppress(TimeoutError):
                async with asyncio.timeout(min(left, self.ack_seconds)):
                    await self._arrived.wait()
        return bool(self._links)

    async def send(self, parcel: Parcel) -> Reply:
        """Send one parcel over one of the connections, each in its turn."""
        links = [link for link in self._links if not link.leaving] or self._links
        if not links:
            return GONE
        self._turn += 1
        link = links[self._turn % len(links)]
        envelope_id = str(uuid.uuid4())
        answered: asyncio.Future[Reply] = asyncio.get_running_loop().create_future()
        link.waiting[envelope_id] = answered
        try:
            async with asyncio.timeout(self.ack_seconds):
                await _say(link.socket, {"envelope_id": envelope_id, **_envelope(parcel)})
                return await answered
        except TimeoutError:
            return LATE
        except BROKEN:
            return GONE
        finally:
            link.waiting.pop(envelope_id, None)

    def refresh(self) -> int:
        """Ask every connection to come again, as Slack does every few hours. Gives how many there are."""
        for link in self._links:
            link.recalled.set()
        return len(self._links)

    async def close(self) -> None:
        """Close all connections."""
        for link in list(self._links):
            with suppress(*BROKEN):
                await _say(link.socket, {"type": "disconnect", "reason": "link_disabled", "debug_info": _debug()})
                await link.socket.close(1001)

    @contextmanager
    def _listed(self, link: Link) -> Iterator[Link]:
        self._links.append(link)
        self._arrived.set()
        try:
            yield link
        finally:
            self._links.remove(link)
            if not self._links:
                self._arrived.clear()
            for answered in link.waiting.values():
                if not answered.done():
                    answered.set_result(GONE)

    async def _serve(self, link: Link) -> None:
        app = {"app_id": link.socket.query_params.get("app_id", "")}
        debug = {**_debug(), "approximate_connection_time": int(self.life)}
        hello = {"type": "hello", "num_connections": len(self._links), "connection_info": app, "debug_info": debug}
        await _say(link.socket, hello)
        retiring = asyncio.get_running_loop().create_task(self._retire(link))
        try:
            code = await _hear(link)
            if link.leaving or code not in ON_PURPOSE:
                self._cut_off = time.monotonic()
        finally:
            retiring.cancel()

    async def _retire(self, link: Link) -> None:
        """Give notice, let the app open another connection, then close this one."""
        notice = min(self.notice, self.life / 2)
        reason = "refresh_requested"
        try:
            async with asyncio.timeout(self.life - notice):
                await link.recalled.wait()
        except TimeoutError:
            reason = "warning"
        link.leaving = True
        with suppress(*BROKEN):
            await _say(link.socket, {"type": "disconnect", "reason": reason, "debug_info": _debug()})
            await asyncio.sleep(notice)
            await link.socket.close(1000)


async def _hear(link: Link) -> int:
    """Take acknowledgements until the connection ends; what is none is ignored. Gives the closing code."""
    while True:
        message = await link.socket.receive()
        if message["type"] == "websocket.disconnect":
            return int(message.get("code") or 1005)
        ack = _parsed(message.get("text") or "")
        answered = link.waiting.get(str(ack.get("envelope_id")))
        if answered is not None and not answered.done():
            answered.set_result(Reply(ok=True, body=ack.get("payload")))


async def _say(socket: WebSocket, message: Json) -> None:
    await socket.send_text(json.dumps(message, separators=(",", ":")))


def _envelope(parcel: Parcel) -> Json:
    may_answer = parcel.kind == "slash_commands" or parcel.payload.get("type") in ANSWERED
    made: Json = {"payload": parcel.payload, "type": parcel.kind, "accepts_response_payload": may_answer}
    if parcel.kind == "events_api":
        # Over a socket Slack has one word for an app that was too slow, whichever way the try before went.
        reason = "timeout" if parcel.reason == "http_timeout" else parcel.reason
        made |= {"retry_attempt": parcel.attempt, "retry_reason": reason}
    return made


def _parsed(text: str) -> Json:
    try:
        value = parse_json(text)
    except ValueError:
        return {}
    return value if isinstance(value, dict) else {}


def _debug() -> Json:
    return {"host": "applink-local", "build_number": 1}
