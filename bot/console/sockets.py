"""Socket Mode: connections that apps open, envelopes sent over them and acknowledged. Knows no team and no event."""

import asyncio
import json
import secrets
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from starlette.websockets import WebSocket, WebSocketDisconnect, WebSocketState

from bot.console.deliver import Parcel, Reply
from bot.console.limits import limit
from bot.console.wire import Json

GONE = Reply(ok=False, error="dispatch_failed", reason="connection_failed")
ANSWERED = frozenset({"view_submission", "block_suggestion", "dialog_submission", "dialog_suggestion"})
"""Interactions to which an acknowledgement may carry an answer."""


class Sockets:
    """The open connections of the one app."""

    def __init__(self, address: str, *, ack_seconds: float, life: float | None = None) -> None:
        self._address = address.replace("http://", "ws://", 1)
        self._ack_seconds = ack_seconds
        self._life = float(limit("socket.life_seconds")) if life is None else life
        self._tickets: dict[str, float] = {}
        self._open: dict[WebSocket, dict[str, asyncio.Future[Any]]] = {}
        self._turn = 0

    @property
    def count(self) -> int:
        """How many connections are open."""
        return len(self._open)

    def ticket(self, app_id: str) -> str:
        """A new address that opens one connection within half a minute."""
        now = time.monotonic()
        self._tickets = {key: until for key, until in self._tickets.items() if until > now}
        key = secrets.token_urlsafe(24)
        self._tickets[key] = now + limit("socket.ticket_seconds")
        return f"{self._address}/link/?ticket={key}&app_id={app_id}"

    async def serve(self, socket: WebSocket) -> None:
        """Keep one connection until the app goes or its time is over."""
        until = self._tickets.pop(socket.query_params.get("ticket", ""), 0.0)
        await socket.accept()
        if until < time.monotonic():
            await socket.close(4004, "the ticket is not known, was used or has expired")
            return
        if len(self._open) >= limit("socket.connections"):
            await _say(socket, {"type": "disconnect", "reason": "too_many_websockets", "debug_info": _debug()})
            await socket.close(1000)
            return
        with self._listed(socket) as waiting:
            app = {"app_id": socket.query_params.get("app_id", "")}
            hello = {"type": "hello", "num_connections": len(self._open), "connection_info": app}
            await _say(socket, {**hello, "debug_info": {**_debug(), "approximate_connection_time": int(self._life)}})
            retiring = asyncio.get_running_loop().create_task(self._retire(socket))
            try:
                await _hear(socket, waiting)
            finally:
                retiring.cancel()

    async def send(self, parcel: Parcel) -> Reply:
        """Send one parcel over one of the connections, each in its turn."""
        if not self._open:
            return GONE
        self._turn += 1
        socket = list(self._open)[self._turn % len(self._open)]
        envelope_id, answered = str(uuid.uuid4()), asyncio.get_running_loop().create_future()
        self._open[socket][envelope_id] = answered
        try:
            async with asyncio.timeout(self._ack_seconds):
                await _say(socket, {"envelope_id": envelope_id, **_envelope(parcel)})
                return Reply(ok=True, body=await answered)
        except TimeoutError:
            return Reply(ok=False, error="operation_timeout", reason="timeout")
        except (WebSocketDisconnect, RuntimeError, ConnectionError):
            return GONE
        finally:
            self._open.get(socket, {}).pop(envelope_id, None)

    async def refresh(self, reason: str = "refresh_requested") -> int:
        """Ask every connection to come again and close it, as Slack does every few hours. Gives how many."""
        sockets = list(self._open)
        for socket in sockets:
            await _part(socket, reason)
        return len(sockets)

    async def close(self) -> None:
        """Close all connections."""
        await self.refresh("link_disabled")

    @contextmanager
    def _listed(self, socket: WebSocket) -> Iterator[dict[str, asyncio.Future[Any]]]:
        waiting = self._open[socket] = {}
        try:
            yield waiting
        finally:
            del self._open[socket]
            for answered in waiting.values():
                if not answered.done():
                    answered.set_exception(ConnectionError("the socket closed before it acknowledged"))

    async def _retire(self, socket: WebSocket) -> None:
        notice = min(float(limit("socket.warning_seconds")), self._life / 2)
        await asyncio.sleep(self._life - notice)
        await _say(socket, {"type": "disconnect", "reason": "warning", "debug_info": _debug()})
        await asyncio.sleep(notice)
        await _part(socket, "refresh_requested")


async def _hear(socket: WebSocket, waiting: dict[str, asyncio.Future[Any]]) -> None:
    """Take acknowledgements until the connection ends; what is none is ignored."""
    with suppress(WebSocketDisconnect, RuntimeError):
        while True:
            message = await socket.receive()
            if message["type"] == "websocket.disconnect":
                return
            ack = _parsed(message.get("text") or "")
            answered = waiting.get(str(ack.get("envelope_id")))
            if answered is not None and not answered.done():
                answered.set_result(ack.get("payload"))


async def _part(socket: WebSocket, reason: str) -> None:
    with suppress(WebSocketDisconnect, RuntimeError):
        if socket.application_state is WebSocketState.CONNECTED:
            await _say(socket, {"type": "disconnect", "reason": reason, "debug_info": _debug()})
            await socket.close(1000)


async def _say(socket: WebSocket, message: Json) -> None:
    await socket.send_text(json.dumps(message, separators=(",", ":")))


def _envelope(parcel: Parcel) -> Json:
    may_answer = parcel.kind == "slash_commands" or parcel.payload.get("type") in ANSWERED
    made: Json = {"payload": parcel.payload, "type": parcel.kind, "accepts_response_payload": may_answer}
    if parcel.kind == "events_api":
        made |= {"retry_attempt": parcel.attempt, "retry_reason": parcel.reason}
    return made


def _parsed(text: str) -> Json:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _debug() -> Json:
    return {"host": "applink-local", "build_number": 1}
