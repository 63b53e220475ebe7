"""Socket Mode on the wire: tickets, envelopes, acknowledgements, reconnection, junk."""

import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode.request import SocketModeRequest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.bot.console.hand import Hand
from tests.bot.console.third_party import Answer, recorder
from tests.console import APP_TOKEN, BOT_TOKEN, LocalSlack, local_slack, wait_for

__all__ = ["local_slack"]
Json = dict[str, Any]


class Plug:
    """One connection of an app that is written by hand."""

    def __init__(self, slack: LocalSlack, url: str = "") -> None:
        self._stack = ExitStack()
        self.wire: ClientConnection = self._stack.enter_context(connect(url or ticket(slack), proxy=None))
        self.hello = self.read()

    def read(self, seconds: float = 3) -> Json:
        """The next message."""
        return json.loads(self.wire.recv(timeout=seconds))

    def ack(self, envelope: Json, **more: Any) -> None:
        """Acknowledge an envelope."""
        self.wire.send(json.dumps({"envelope_id": envelope["envelope_id"], **more}))

    def silent(self, seconds: float = 0.15) -> bool:
        """Whether nothing comes."""
        try:
            self.wire.recv(timeout=seconds)
        except TimeoutError:
            return True
        return False

    def close(self) -> None:
        """Say goodbye."""
        self._stack.close()


def refused(url: str, **how: Any) -> int:
    """The status with which a handshake is refused."""
    with pytest.raises(InvalidStatus) as caught, connect(url, proxy=None, **how):
        pass
    return int(caught.value.response.status_code)


def ticket(slack: LocalSlack) -> str:
    """A fresh address for one connection."""
    return str(WebClient(base_url=f"{slack.url}/api/").apps_connections_open(app_token=APP_TOKEN)["url"])


@pytest.fixture
def plug(local_slack: LocalSlack) -> Iterator[Callable[[], Plug]]:
    """Opens connections; closes what a test left open."""
    opened: list[Plug] = []

    def begin() -> Plug:
        opened.append(Plug(local_slack))
        return opened[-1]

    yield begin
    for each in opened:
        each.close()


def test_hello_says_how_many_and_for_how_long(local_slack: LocalSlack, plug: Callable[[], Plug]) -> None:
    """The greeting has Slack's fields; the number of connections counts this one."""
    first, second = plug().hello, plug().hello
    assert (first["type"], first["num_connections"], second["num_connections"]) == ("hello", 1, 2)
    assert first["connection_info"] == {"app_id": "A0LUTHIER"}
    assert first["debug_info"]["approximate_connection_time"] == 18060
    assert local_slack.page("faults")["sockets"] == 2


def test_envelopes_are_what_slack_sdk_reads(local_slack: LocalSlack, plug: Callable[[], Plug]) -> None:
    """An event carries its retry fields; commands may be answered in the acknowledgement, clicks may not."""
    app = plug()
    local_slack.send("hello")
    event = app.read()
    assert set(event) == {
        "envelope_id", "payload", "type", "accepts_response_payload", "retry_attempt", "retry_reason",
    }  # fmt: skip
    assert (event["type"], event["accepts_response_payload"], event["retry_attempt"]) == ("events_api", False, 0)
    assert event["payload"]["event"]["text"] == "hello"
    read = SocketModeRequest.from_dict(event)
    assert read is not None
    assert (read.type, read.retry_attempt, read.retry_reason) == ("events_api", 0, "")
    app.ack(event)
    local_slack.site.sockets.ack_seconds = 0.2
    assert local_slack.command("/tune x")["error"] == "operation_timeout"
    command = app.read()
    assert (command["type"], command["accepts_response_payload"]) == ("slash_commands", True)
    assert command["payload"]["text"] == "x"
    assert local_slack.act("shortcut", user="U0ADA", callback_id="g")["error"] == "operation_timeout"
    shortcut = app.read()
    assert (shortcut["type"], shortcut["accepts_response_payload"]) == ("interactive", False)


def test_each_envelope_goes_to_one_connection(local_slack: LocalSlack, plug: Callable[[], Plug]) -> None:
    """Of four events over two connections, each arrives once and both connections get some."""
    apps = [plug(), plug()]
    for number in range(4):
        local_slack.send(f"event {number}")
    texts: list[list[str]] = []
    for app in apps:
        seen = [app.read(), app.read()]
        texts.append([each["payload"]["event"]["text"] for each in seen])
        for each in seen:
            app.ack(each)
        assert app.silent()
    assert sorted(texts[0] + texts[1]) == [f"event {number}" for number in range(4)]


def test_a_ticket_opens_one_connection_once(local_slack: LocalSlack) -> None:
    """A used ticket, an invented one and none are refused at the handshake."""
    url = ticket(local_slack)
    Plug(local_slack, url).close()
    for bad in (url, f"{url}x", url.partition("?")[0]):
        assert refused(bad) == 408


@pytest.mark.parametrize(("age", "good"), [(30.0, True), (30.1, False)])
def test_a_ticket_lives_thirty_seconds(tmp_path: Path, age: float, good: bool) -> None:
    """At thirty seconds it opens, a moment later it does not."""
    clock = Hand()
    slack = LocalSlack(tmp_path / "console", now=clock)
    url = ticket(slack)
    clock.seconds += age
    if good:
        Plug(slack, url).close()
    else:
        assert refused(url) == 408
    slack.stop()


def test_ten_connections_are_the_most(local_slack: LocalSlack, plug: Callable[[], Plug]) -> None:
    """The eleventh is told too_many_websockets and closed; when one has gone there is room again."""
    ten = [plug() for _ in range(10)]
    eleventh = plug()
    assert (eleventh.hello["type"], eleventh.hello["reason"]) == ("disconnect", "too_many_websockets")
    with pytest.raises(ConnectionClosed):
        eleventh.read()
    ten[0].close()
    wait_for(lambda: local_slack.site.sockets.count == 9, what="one to go")
    assert plug().hello["num_connections"] == 10


@pytest.mark.parametrize(
    ("token", "error"),
    [
        ("", "not_authed"),
        (BOT_TOKEN, "not_allowed_token_type"),
        ("xapp-wrong", "invalid_auth"),
    ],
)
def test_only_the_app_token_opens_connections(local_slack: LocalSlack, token: str, error: str) -> None:
    """No token, a bot's token and a wrong one each get their own error."""
    with pytest.raises(SlackApiError) as caught:
        WebClient(base_url=f"{local_slack.url}/api/").apps_connections_open(app_token=token)
    assert caught.value.response["error"] == error


def test_the_app_token_comes_by_post_in_the_header(local_slack: LocalSlack) -> None:
    """GET is insecure_request, a token in the body invalid_auth; other methods do not take this token."""
    api = f"{local_slack.url}/api"
    headers = {"authorization": f"Bearer {APP_TOKEN}"}
    assert local_slack.http.get(f"{api}/apps.connections.open", headers=headers).json()["error"] == "insecure_request"
    posted = local_slack.http.post(f"{api}/apps.connections.open", data={"token": APP_TOKEN})
    assert posted.json()["error"] == "invalid_auth"
    assert local_slack.http.post(f"{api}/auth.test", headers=headers).json()["error"] == "not_allowed_token_type"


def test_junk_does_no_harm(local_slack: LocalSlack, plug: Callable[[], Plug]) -> None:
    """Text that is no JSON, JSON that is no acknowledgement, binary frames and unknown envelopes are ignored."""
    app = plug()
    deep = "[" * 10_000
    for junk in ("", "{", "[]", "5", "null", '{"envelope_id": 5}', '{"envelope_id": "none", "payload": NaN}', deep):
        app.wire.send(junk)
    for binary in (b"", b"\x00\xff", json.dumps({"envelope_id": "none"}).encode()):
        app.wire.send(binary)
    local_slack.send("still there?")
    event = app.read()
    app.ack({"envelope_id": "another"})
    app.ack(event)
    app.ack(event)
    wait_for(lambda: not local_slack.space.store.all("delivery"), what="the acknowledgement")


def test_what_is_not_acknowledged_comes_again(tmp_path: Path) -> None:
    """After the time limit the same event comes with the next number and the reason timeout; a late ack is no ack."""
    slack = LocalSlack(tmp_path / "console", ack_seconds=0.2, retry_delays=(0.1, 0.2))
    app = Plug(slack)
    slack.send("anyone?")
    seen = [app.read() for _ in range(3)]
    assert [(each["retry_attempt"], each["retry_reason"]) for each in seen] == [(0, ""), (1, "timeout"), (2, "timeout")]
    assert len({each["payload"]["event_id"] for each in seen}) == 1
    assert len({each["envelope_id"] for each in seen}) == 3
    app.ack(seen[0])
    assert app.silent(0.5)
    app.close()
    slack.stop()


def test_a_connection_lost_before_its_acknowledgement(tmp_path: Path) -> None:
    """The event that waited on it is delivered over the next connection, with attempt 1 and why."""
    slack = LocalSlack(tmp_path / "console", retry_delays=(0, 0.1))
    app = Plug(slack)
    slack.send("important")
    first = app.read()
    app.wire.socket.shutdown(socket.SHUT_RDWR)  # no goodbye, as when the app is killed; its threads end
    second = Plug(slack)
    again = second.read()
    assert again["payload"] == first["payload"]
    assert (again["retry_attempt"], again["retry_reason"]) == (1, "connection_failed")
    second.ack(again)
    wait_for(lambda: not slack.space.store.all("delivery"), what="the acknowledgement")
    second.close()
    slack.stop()


def test_a_refresh_loses_nothing(local_slack: LocalSlack, plug: Callable[[], Plug]) -> None:
    """Asked to come again, an app has time to: new events go to the new connection, old ones may still be acked."""
    local_slack.site.sockets.notice = 0.5
    old = plug()
    local_slack.send("before")
    before = old.read()
    assert local_slack.act("faults", refresh_sockets=True)["sockets"] == 1
    notice = old.read()
    assert (notice["type"], notice["reason"]) == ("disconnect", "refresh_requested")
    new = plug()
    local_slack.send("after")
    assert new.read()["payload"]["event"]["text"] == "after"
    old.ack(before)
    with pytest.raises(ConnectionClosed):
        old.read()
    wait_for(lambda: local_slack.site.sockets.count == 1, what="the old one to go")


def test_a_connection_is_warned_before_it_ends(local_slack: LocalSlack, plug: Callable[[], Plug]) -> None:
    """When its life is nearly over it is told `warning`, then closed."""
    local_slack.site.sockets.life, local_slack.site.sockets.notice = 0.4, 0.2
    begun = time.monotonic()
    app = plug()
    assert app.read()["reason"] == "warning"
    with pytest.raises(ConnectionClosed):
        app.read()
    assert 0.35 < time.monotonic() - begun < 2


def test_without_a_connection_requests_go_over_http(local_slack: LocalSlack, plug: Callable[[], Plug]) -> None:
    """While a socket is open nothing is posted; after a goodbye the request URL is used at once."""
    http = recorder(lambda heard: Answer())
    local_slack.point_at(http.url)
    app = plug()
    local_slack.send("over the socket")
    app.ack(app.read())
    assert http.heard == []
    app.close()
    wait_for(lambda: local_slack.site.sockets.count == 0, what="the goodbye")
    local_slack.send("over http")
    heard = wait_for(lambda: http.heard, timeout=1, what="the request")
    assert heard[0].body["event"]["text"] == "over http"
    http.stop()


def test_strangers_cannot_connect(local_slack: LocalSlack) -> None:
    """A page of another site and a foreign Host are refused, and their ticket is not spent."""
    url = ticket(local_slack)
    for headers in ({"origin": "https://evil.example"}, {"origin": "null"}, {"origin": "http://["}):
        assert refused(url, additional_headers=headers) == 403
    evil = url.replace("127.0.0.1", "evil.example")
    assert refused(evil, address=("127.0.0.1", local_slack.port)) == 403
    Plug(local_slack, url).close()
