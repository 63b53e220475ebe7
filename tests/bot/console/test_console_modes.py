"""One third-party app, unchanged, over signed HTTP and with every Socket Mode client that Slack ships."""

from collections.abc import Iterator
from typing import Any

import pytest
from slack_bolt import App
from slack_bolt.adapter.socket_mode import aiohttp, websockets
from slack_bolt.app.async_app import AsyncApp
from slack_sdk import WebClient
from slack_sdk.web.async_client import AsyncWebClient

from tests.bot.console.everything import everything
from tests.bot.console.third_party import Connected, Loop, bolt_listener, in_socket_mode, over_http
from tests.console import APP_TOKEN, BOT_TOKEN, SIGNING_SECRET, LocalSlack, local_slack, wait_for

__all__ = ["local_slack"]
Json = dict[str, Any]
WAYS = ("signed HTTP", "builtin", "websocket_client", "aiohttp", "websockets")


@pytest.fixture(params=WAYS)
def notes(local_slack: LocalSlack, request: pytest.FixtureRequest) -> Iterator[Json]:
    """What the app noted; it is connected in one of the ways."""
    seen: Json = {}
    api = f"{local_slack.url}/api/"
    app = everything(App(signing_secret=SIGNING_SECRET, client=WebClient(token=BOT_TOKEN, base_url=api)), seen)
    running: Any
    if request.param == "signed HTTP":
        running = bolt_listener(app)
        local_slack.point_at(running.url)
    elif request.param in ("aiohttp", "websockets"):
        handler = {"aiohttp": aiohttp, "websockets": websockets}[request.param].SocketModeHandler
        client = AsyncWebClient(token=BOT_TOKEN, base_url=api)
        running = Loop(in_socket_mode(lambda: handler(app, APP_TOKEN, web_client=client)))
    else:
        running = Connected(app, APP_TOKEN, request.param)
    if request.param != "signed HTTP":
        wait_for(lambda: local_slack.site.sockets.count == 1, what="the socket")
    yield seen
    running.stop()


def test_the_same_app_works_however_it_is_connected(local_slack: LocalSlack, notes: Json) -> None:
    """Events, edits, reactions, files, streams, shortcuts, modals and commands: nothing depends on the way."""
    asked = local_slack.send("@Luthier go")
    shared = local_slack.wait_message("your rows", thread_ts=asked["ts"])
    assert shared["files"][0]["name"] == "rows.jsonl"
    assert "done" in [each["text"] for each in local_slack.messages(thread_ts=asked["ts"])]
    root = next(each for each in local_slack.messages() if each["ts"] == asked["ts"])
    assert root["reactions"][0]["name"] == "eyes"
    local_slack.act("react", user="U0BEN", channel="C0ASK", ts=asked["ts"], name="tada")
    local_slack.wait_message("thanks for :tada:")


def test_modals_and_shortcuts_work_in_both_ways(local_slack: LocalSlack, notes: Json) -> None:
    """A global shortcut opens a modal whose answers are errors and an update; a message shortcut may respond."""
    assert local_slack.act("shortcut", user="U0ADA", callback_id="global") == {"ok": True}
    view = local_slack.wait_view()
    assert local_slack.submit(view, {"name": "bad"})["errors"] == {"b": "Not this."}
    assert local_slack.submit(view, {"name": "Renamed"})["view"]["title"]["text"] == "Renamed"
    message = local_slack.send("the subject")
    place = {"channel": "C0ASK", "message_ts": message["ts"]}
    assert local_slack.act("shortcut", user="U0ADA", callback_id="about", **place) == {"ok": True}
    local_slack.wait_message("about: the subject")
    assert local_slack.command("/tune up") == {"ok": True}
    local_slack.wait_message("and in private")
    assert [each["text"] for each in local_slack.messages(user="U0BEN")] == ["the subject", "tune up"]


def test_streams_reach_the_page(local_slack: LocalSlack, notes: Json) -> None:
    """say_stream in a direct message grows one reply; a status is set and cleared by it."""
    asked = local_slack.dm("stream please")
    place = {"channel": "D0ADA", "thread_ts": asked["ts"]}
    local_slack.wait_message("**one** two three", **place)


@pytest.mark.parametrize("way", ["signed HTTP", "aiohttp", "websockets"])
def test_an_asyncio_app_works_too(local_slack: LocalSlack, way: str) -> None:
    """AsyncApp hears an event and a command, over HTTP and with both asyncio clients."""
    made = {
        "signed HTTP": lambda: over_http(lambda: asyncio_app(local_slack)),
        "aiohttp": lambda: in_socket_mode(lambda: aiohttp.AsyncSocketModeHandler(asyncio_app(local_slack), APP_TOKEN)),
        "websockets": lambda: in_socket_mode(
            lambda: websockets.AsyncSocketModeHandler(asyncio_app(local_slack), APP_TOKEN)
        ),
    }
    running = Loop(made[way]())
    if running.url:
        local_slack.point_at(running.url)
    asked = local_slack.send("@Luthier hello")
    local_slack.wait_message("async hello", thread_ts=asked["ts"])
    local_slack.command("/tune x")
    wait_for(lambda: [m for m in local_slack.messages() if m["text"] == "async x"], what="the command's answer")
    running.stop()


def asyncio_app(slack: LocalSlack) -> AsyncApp:
    """The smallest app that listens and answers."""
    client = AsyncWebClient(token=BOT_TOKEN, base_url=f"{slack.url}/api/")
    app = AsyncApp(signing_secret=SIGNING_SECRET, client=client)

    @app.event("app_mention")
    async def mentioned(event: Json, say: Any) -> None:
        await say("async hello", thread_ts=event["ts"])

    @app.event("message")
    async def said() -> None:
        return

    @app.command("/tune")
    async def tune(ack: Any, command: Json) -> None:
        await ack(f"async {command['text']}")

    return app
