"""Third-party apps for the local Slack: Bolt over HTTP or Socket Mode, one that only records; none knows ours."""

import asyncio
import contextlib
import json
import logging
import socket
import threading
import time
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

from aiohttp.web import AppRunner, TCPSite
from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_bolt.adapter.socket_mode.async_base_handler import AsyncBaseSocketModeHandler
from slack_bolt.adapter.socket_mode.base_handler import BaseSocketModeHandler
from slack_bolt.adapter.socket_mode.websocket_client import SocketModeHandler as WebsocketClientHandler
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.request import BoltRequest
from slack_sdk.socket_mode.client import BaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest

Json = dict[str, Any]


class Heard(NamedTuple):
    """One request that the local Slack made."""

    headers: Mapping[str, str]
    """Lower-case names."""
    raw: str
    at: float
    """Monotonic seconds."""

    @property
    def body(self) -> Json:
        """The envelope, the interaction's payload, or a command's form."""
        if self.raw.startswith("{"):
            return json.loads(self.raw)
        form = dict(parse_qsl(self.raw, keep_blank_values=True))
        return json.loads(form["payload"]) if "payload" in form else form


class Answer(NamedTuple):
    """What the app answers."""

    status: int = 200
    body: str = ""
    headers: Mapping[str, str] = {}


class Ear:
    """What reached an app, whichever way it came."""

    def __init__(self) -> None:
        self.heard: list[Heard] = []

    def events(self, kind: str) -> list[Json]:
        """Inner events of one type, in the order in which they came."""
        bodies = [heard.body for heard in list(self.heard)]
        return [body["event"] for body in bodies if body.get("event", {}).get("type") == kind]

    def payloads(self, kind: str) -> list[Json]:
        """Interaction payloads of one type."""
        return [heard.body for heard in list(self.heard) if heard.body.get("type") == kind]

    def stop(self) -> None:
        """Stop listening."""
        raise NotImplementedError


class Listener(Ear):
    """An HTTP server that records every request and lets a function answer it."""

    def __init__(self, answer: Callable[[Heard], Answer]) -> None:
        super().__init__()
        self.answer = answer
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                raw = self.rfile.read(int(self.headers["content-length"])).decode()
                heard = Heard({name.lower(): value for name, value in self.headers.items()}, raw, time.monotonic())
                outer.heard.append(heard)
                answer = outer.answer(heard)
                try:
                    self.send_response(answer.status)
                    for name, value in answer.headers.items():
                        self.send_header(name, value)
                    self.send_header("content-length", str(len(answer.body.encode())))
                    self.end_headers()
                    self.wfile.write(answer.body.encode())
                except (BrokenPipeError, ConnectionResetError):
                    return  # the local Slack stopped waiting, which some tests are about

            def log_message(self, *_: object) -> None:
                return

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}/slack/events"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()


def recorder(answer: Callable[[Heard], Answer] | None = None) -> Listener:
    """An app that takes everything with 200 and an empty body, or as `answer` says."""
    return Listener(answer or (lambda heard: Answer()))


def bolt_listener(app: App) -> Listener:
    """Serve a Bolt app over HTTP as its own adapters do."""
    logging.getLogger("slack_bolt").setLevel(logging.CRITICAL)
    app.logger.setLevel(logging.CRITICAL)

    def dispatch(heard: Heard) -> Answer:
        headers: dict[str, Any] = {name: [value] for name, value in heard.headers.items()}
        response = app.dispatch(BoltRequest(body=heard.raw, headers=headers))
        return Answer(response.status, response.body or "", {"content-type": response.first_headers()["content-type"]})

    return Listener(dispatch)


class Connected(Ear):
    """A Bolt app in Socket Mode."""

    def __init__(self, app: App, app_token: str, client: str = "builtin") -> None:
        super().__init__()
        app.logger.setLevel(logging.CRITICAL)
        # websocket-client logs that it was closed.
        logging.getLogger("websocket").setLevel(logging.CRITICAL)
        made = {"builtin": SocketModeHandler, "websocket_client": WebsocketClientHandler}[client]
        self.handler: BaseSocketModeHandler = made(app, app_token, ping_interval=1)
        self.handler.client.socket_mode_request_listeners.insert(0, self._record)
        self.handler.connect()

    def cut(self) -> None:
        """Lose the connection, as when a cable is pulled."""
        session: Any = self.handler.client.current_session
        inner = getattr(session.sock, "sock", session.sock)
        if inner is not None:
            inner.shutdown(socket.SHUT_RDWR)

    def stop(self) -> None:
        """Close the connection."""
        client: Any = self.handler.client
        client.closed, client.auto_reconnect_enabled = True, False
        with contextlib.suppress(OSError):
            self.cut()  # closing waits for a read of three seconds otherwise
        client.enqueue_message("{}")  # and for a message of one second
        deadline = time.monotonic() + 1
        while getattr(client.current_session, "keep_running", False) and time.monotonic() < deadline:
            time.sleep(0.01)  # websocket-client would not notice that its socket is closed
        self.handler.close()

    def _record(self, client: BaseSocketModeClient, request: SocketModeRequest) -> None:
        retry = {"x-slack-retry-num": str(request.retry_attempt or 0), "x-slack-retry-reason": request.retry_reason}
        headers = {name: value for name, value in retry.items() if value}
        self.heard.append(Heard(headers, json.dumps(request.payload), time.monotonic()))


class Loop:
    """An event loop of its own, in which an app lives that is written for one."""

    def __init__(self, life: AbstractAsyncContextManager[str]) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._life = life
        self.url = self._do(life.__aenter__())
        """Where the app takes requests; empty in Socket Mode."""

    def stop(self) -> None:
        """End the app and its loop."""
        self._do(self._life.__aexit__(None, None, None))
        self._do(self._drain())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(5)
        self._loop.close()

    def _do(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _drain(self) -> None:
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def in_socket_mode(make: Callable[[], AsyncBaseSocketModeHandler]) -> AsyncIterator[str]:
    """An asyncio app in Socket Mode."""
    handler = make()
    handler.client.logger.setLevel(logging.CRITICAL)
    await handler.connect_async()
    yield ""
    await handler.close_async()


@asynccontextmanager
async def over_http(make: Callable[[], AsyncApp]) -> AsyncIterator[str]:
    """An asyncio app behind Bolt's own aiohttp server."""
    runner = AppRunner(make().web_app(path="/slack/events"))
    await runner.setup()
    site = TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    yield f"http://127.0.0.1:{port}/slack/events"
    await runner.cleanup()
