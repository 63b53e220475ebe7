"""Requests to the app: signed, retried and limited as Slack does it."""

import asyncio
import time
from contextlib import suppress
from pathlib import Path

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.signature import SignatureVerifier

from bot.console.deliver import Parcel
from bot.console.http_wire import HttpWire
from bot.console.limits import retry_delays
from bot.console.manifest import Manifest
from tests.bot.console.pairs import Start
from tests.bot.console.third_party import Answer, Heard, Listener, recorder
from tests.console import SIGNING_SECRET, LocalSlack, wait_for

MODAL = {
    "type": "modal",
    "title": {"type": "plain_text", "text": "T"},
    "blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "x"}}],
}


def trigger_of(app: Listener) -> str:
    return str(wait_for(lambda: app.heard, what="the command")[-1].body["trigger_id"])


def test_every_request_is_signed_over_its_raw_body(start: Start) -> None:
    """Events, commands and interactions verify with Slack's own verifier; a changed body does not."""
    slack, app = start()
    slack.send("@Luthier hi – ünïcode & more")
    slack.command("/tune a b&c=d")
    wait_for(lambda: len(app.heard) == 3, what="three requests")
    verifier = SignatureVerifier(SIGNING_SECRET)
    for heard in app.heard:
        stamp, signature = heard.headers["x-slack-request-timestamp"], heard.headers["x-slack-signature"]
        assert verifier.is_valid(heard.raw, stamp, signature)
        assert not verifier.is_valid(heard.raw + " ", stamp, signature)
    # A command waits for nobody, so it may overtake the events of the message before it.
    assert [heard.body["text"] for heard in app.heard if "command" in heard.body] == ["a b&c=d"]


def test_events_are_tried_again_with_their_number_and_reason(start: Start) -> None:
    """A failing app gets the same event three times more, told why; nothing after that."""
    slack, app = start(lambda heard: Answer(500), retry_delays=(0, 0.1, 0.2))
    slack.send("hello")
    wait_for(lambda: len(app.heard) == 4, what="four deliveries")
    time.sleep(0.4)
    assert len(app.heard) == 4
    assert len({heard.body["event_id"] for heard in app.heard}) == 1
    assert [heard.headers.get("x-slack-retry-num") for heard in app.heard] == [None, "1", "2", "3"]
    assert {heard.headers.get("x-slack-retry-reason") for heard in app.heard[1:]} == {"http_error"}


def test_retries_stop_when_the_app_says_so(start: Start) -> None:
    """X-Slack-No-Retry: 1 ends them, and so does the first success."""
    slack, app = start(lambda heard: Answer(500, headers={"x-slack-no-retry": "1"}), retry_delays=(0, 0))
    slack.send("hello")
    wait_for(lambda: app.heard, what="the delivery")
    time.sleep(0.2)
    assert len(app.heard) == 1
    app.answer = lambda heard: Answer(200 if "x-slack-retry-num" in heard.headers else 503)
    slack.send("again")
    wait_for(lambda: len(app.heard) == 3, what="one retry")
    time.sleep(0.2)
    assert len(app.heard) == 3


def test_a_slow_app_is_retried_for_its_timeout(start: Start) -> None:
    """No answer within the limit counts as http_timeout."""

    def answer(heard: Heard) -> Answer:
        if "x-slack-retry-num" not in heard.headers:
            time.sleep(0.6)
        return Answer()

    slack, app = start(answer, ack_seconds=0.2, retry_delays=(0,))
    slack.send("hello")
    wait_for(lambda: len(app.heard) == 2, what="the retry")
    assert app.heard[1].headers["x-slack-retry-reason"] == "http_timeout"


def test_the_shipped_schedule_is_slacks() -> None:
    """At once, after a minute, after five minutes."""
    assert retry_delays() == (0.0, 60.0, 300.0)


def test_a_trigger_lives_three_seconds(start: Start) -> None:
    """At 2.9 seconds it opens a view; at 3.1 it has expired; an invented one is invalid."""
    clock = [1_790_000_000.0]
    slack, app = start(now=lambda: clock[0])

    def open_after(seconds: float) -> str:
        slack.command("/tune")
        trigger = trigger_of(app)
        clock[0] += seconds
        try:
            return str(slack.web.views_open(trigger_id=trigger, view=MODAL)["ok"])
        except SlackApiError as error:
            return str(error.response["error"])

    assert [open_after(2.9), open_after(3.1)] == ["True", "expired_trigger_id"]
    with pytest.raises(SlackApiError, match="invalid_trigger_id"):
        slack.web.views_open(trigger_id="1.2.3", view=MODAL)


def test_a_response_url_lives_half_an_hour(start: Start) -> None:
    """At 30 minutes it still answers, a second later it has expired."""
    clock = [1_790_000_000.0]
    slack, app = start(now=lambda: clock[0])
    slack.command("/tune")
    url = app.heard[-1].body["response_url"]
    clock[0] += 1800
    assert slack.http.post(url, json={"text": "x"}).status_code == 200
    clock[0] += 1
    late = slack.http.post(url, json={"text": "x"})
    assert (late.status_code, late.json()["error"]) == (404, "expired_url")
    assert slack.http.post(f"{slack.url}/commands/T0NORTHWIND/1/forged", json={"text": "x"}).status_code == 404


def test_an_update_with_an_old_hash_is_refused(start: Start) -> None:
    """views.update and views.publish check the hash where one is given; state of the view changes its hash."""
    slack, app = start()
    slack.command("/tune")
    view = slack.web.views_open(trigger_id=trigger_of(app), view=MODAL)["view"]
    fresh = slack.web.views_update(view_id=view["id"], view=MODAL, hash=view["hash"])["view"]
    assert fresh["hash"] != view["hash"]
    with pytest.raises(SlackApiError, match="hash_conflict"):
        slack.web.views_update(view_id=view["id"], view=MODAL, hash=view["hash"])
    home = {"type": "home", "blocks": MODAL["blocks"]}
    shown = slack.web.views_publish(user_id="U0ADA", view=home)["view"]
    slack.web.views_publish(user_id="U0ADA", view=home, hash=shown["hash"])
    with pytest.raises(SlackApiError, match="hash_conflict"):
        slack.web.views_publish(user_id="U0ADA", view=home, hash=shown["hash"])
    with pytest.raises(SlackApiError, match="not_found"):
        slack.web.views_update(view_id="V0NONE", view=MODAL)


def test_external_ids_are_unique_and_found(start: Start) -> None:
    """A view can be updated by the id that the app gave it; a second view with that id is refused."""
    slack, app = start()
    slack.command("/tune")
    named = {**MODAL, "external_id": "mine"}
    slack.web.views_open(trigger_id=trigger_of(app), view=named)
    changed = {**named, "title": {"type": "plain_text", "text": "New"}}
    assert slack.web.views_update(external_id="mine", view=changed)["view"]["title"]["text"] == "New"
    slack.command("/tune", user="U0BEN")
    with pytest.raises(SlackApiError, match="duplicate_external_id"):
        slack.web.views_open(trigger_id=trigger_of(app), view=named)


def test_only_subscribed_events_are_sent(start: Start) -> None:
    """The manifest's bot_events decide."""
    slack, app = start(manifest=Manifest(events=frozenset({"app_mention"})))
    slack.send("@Luthier hi")
    slack.act("home_opened", user="U0ADA", tab="home")
    wait_for(lambda: app.heard, what="the mention")
    time.sleep(0.2)
    assert [heard.body["event"]["type"] for heard in app.heard] == ["app_mention"]


def test_stop_reaches_the_app(start: Start) -> None:
    """Pressing Stop on a session sends agent_session_stopped with the growing messages."""
    slack, app = start()
    ts = slack.dm("go")["ts"]
    stream = slack.web.chat_startStream(channel="D0ADA", thread_ts=ts, markdown_text="thinking")["ts"]
    slack.act("stop", user="U0ADA", channel="D0ADA", thread_ts=ts)
    event = wait_for(lambda: app.events("agent_session_stopped"), what="the event")[0]
    assert (event["thread_ts"], event["user"], event["streaming_message_ts"]) == (ts, "U0ADA", [stream])


def test_commands_escape_only_where_the_manifest_says_so(start: Start) -> None:
    """should_escape turns names into ids; without it the text arrives as it was typed."""
    plain, escaping = {"command": "/plain"}, {"command": "/escaping", "should_escape": True}
    slack, app = start(manifest=Manifest(commands=(plain, escaping)))
    slack.command("/plain @Ada & co")
    slack.command("/escaping @Ada & co")
    assert [heard.body["text"] for heard in app.heard] == ["@Ada & co", "<@U0ADA|ada> &amp; co"]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (Answer(404), "http_error"),
        (Answer(307, headers={"location": "/slack/events"}), "too_many_redirects"),
    ],
)
def test_each_failure_has_its_reason(start: Start, answer: Answer, reason: str) -> None:
    """The retry says why the try before failed."""
    slack, app = start(lambda heard: Answer() if "x-slack-retry-num" in heard.headers else answer, retry_delays=(0,))
    slack.send("hello")
    again = wait_for(lambda: [each for each in app.heard if "x-slack-retry-num" in each.headers], what="the retry")[0]
    assert (again.headers["x-slack-retry-num"], again.headers["x-slack-retry-reason"]) == ("1", reason)


def test_an_app_that_is_not_there_is_tried_again(start: Start) -> None:
    """connection_failed, once the app listens."""
    slack, app = start(retry_delays=(0.3,))
    url = app.url
    slack.point_at("http://127.0.0.1:9/slack/events")
    slack.send("hello")
    time.sleep(0.1)
    slack.point_at(url)
    heard = wait_for(lambda: app.heard, what="the retry")[0]
    assert heard.headers["x-slack-retry-reason"] == "connection_failed"


def test_two_redirects_are_followed(start: Start) -> None:
    """The request arrives, signed, where the second one leads."""

    def answer(heard: Heard) -> Answer:
        return Answer(307, headers={"location": "/slack/events"}) if len(app.heard) < 3 else Answer()

    slack, app = start(retry_delays=(0,))
    app.answer = answer
    slack.send("hello")
    wait_for(lambda: len(app.heard) == 3, what="two redirects")
    time.sleep(0.1)
    assert len(app.heard) == 3
    assert {heard.raw for heard in app.heard} == {app.heard[0].raw}


def test_a_pending_retry_survives_a_restart(tmp_path: Path) -> None:
    """It comes when it is due, not before, with the number and the reason that it would have had."""
    app = recorder(lambda heard: Answer(200 if "x-slack-retry-num" in heard.headers else 500))
    first = LocalSlack(tmp_path / "console", app_url=app.url, retry_delays=(1.2,))
    first.send("hello")
    failed = wait_for(lambda: app.heard, what="the first try")[0].at
    first.stop()
    second = LocalSlack(tmp_path / "console", app_url=app.url, retry_delays=(1.2,))
    wait_for(lambda: len(app.heard) == 2, what="the retry")
    again = app.heard[1]
    assert again.at - failed >= 1.1
    assert (again.headers["x-slack-retry-num"], again.headers["x-slack-retry-reason"]) == ("1", "http_error")
    assert again.body["event_id"] == app.heard[0].body["event_id"]
    wait_for(lambda: not second.space.store.all("delivery"), what="nothing is owed")
    second.stop()
    app.stop()


def test_answers_that_make_no_sense_do_no_harm(start: Start) -> None:
    """Deep, huge or broken answers to a command are text at most; the clicker gets an answer either way."""
    slack, app = start()
    for body in ("[" * 10_000, '{"text": NaN}', '{"text": ', "\x00", '{"text": 5, "blocks": "x"}', "x" * 100_000):
        app.answer = lambda heard, body=body: Answer(200, body, {"content-type": "application/json"})
        assert "ok" in slack.command("/tune x")
    assert slack.http.get("/api/api.test").json() == {"ok": True}


def test_an_app_that_comes_back_is_heard_whatever_timed_out_before() -> None:
    """Six hundred deliveries hang, many while they still connect; the app comes back, and the next one arrives."""

    async def scene() -> tuple[int, bool]:
        back = asyncio.Event()

        async def app(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            with suppress(OSError, asyncio.IncompleteReadError):
                await reader.readuntil(b"\r\n\r\n")
                await back.wait()
                writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
                await writer.drain()
            writer.close()

        async with await asyncio.start_server(app, "127.0.0.1", 0) as server:
            url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/"
            wire = HttpWire(app_url=url, secret=SIGNING_SECRET, now=time.time, ack_seconds=0.5)
            parcel = Parcel(kind="events_api", payload={"type": "event_callback"})
            heard = 0
            for _ in range(2):
                heard += sum(reply.ok for reply in await asyncio.gather(*(wire.send(parcel) for _ in range(300))))
            back.set()
            await asyncio.sleep(0.5)
            return heard, (await wire.send(parcel)).ok

    assert asyncio.run(scene()) == (0, True)
