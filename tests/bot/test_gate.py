"""The gate in front of Bolt: only Slack gets through, everything is written down first, nothing raises."""

import json
import shutil
import threading
import time
from collections.abc import Iterator
from hashlib import sha256
from hmac import new as hmac
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from slack_bolt import Ack
from sqlalchemy import Engine, text
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.testclient import TestClient

from bot.app import bolt, create_app
from bot.gate import BODY_LIMIT, Gate
from bot.inbox_worker import ANSWERING, InboxWorker
from bot.settings import Settings
from bot.store.engine import open_engine
from bot.store.inbox import MOST_DEATHS, Inbox
from bot.wiring import build_deps
from handlers.blocks import forms
from handlers.blocks.approval import APPROVE
from handlers.blocks.lint import FORM as OPEN_FORM
from knowledge.clock import utc_now
from tests.console import LocalSlack, local_slack, wait_for

__all__ = ["local_slack"]  # the fixture that `settings` asks for

SECRET = "a signing secret"  # a test's own
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def settings(tmp_path: Path, local_slack: LocalSlack, migrated_sqlite: Path) -> Settings:
    env = {
        "DATA_DIR": str(tmp_path),
        "LUTHIER_CACHE": str(tmp_path / "cache"),
        "SLACK_SIGNING_SECRET": SECRET,
        "SLACK_BOT_TOKEN": local_slack.bot_token,
        "SLACK_API_URL": f"{local_slack.url}/api/",
    }
    made = Settings.from_env(env)
    made.run.mkdir(parents=True, mode=0o700)
    shutil.copy(migrated_sqlite, tmp_path / "luthier.db")
    return made


@pytest.fixture
def engine(settings: Settings) -> Engine:
    return open_engine(settings.database)


@pytest.fixture
def web(settings: Settings) -> TestClient:
    # Without the lifespan, so that nothing takes rows out of the inbox while a test looks at it.
    return TestClient(create_app(settings), raise_server_exceptions=True)


def signed(body: bytes, stamp: str | None = None, secret: str = SECRET) -> dict[str, str]:
    stamp = stamp or str(int(time.time()))
    mark = hmac(secret.encode(), f"v0:{stamp}:".encode() + body, sha256).hexdigest()
    return {"x-slack-request-timestamp": stamp, "x-slack-signature": f"v0={mark}"}


def send(web: TestClient, body: bytes, kind: str = JSON, **headers: str) -> int:
    return web.post(
        "/slack/events", content=body, headers={"content-type": kind, **(headers or signed(body))}
    ).status_code


def event(event_id: str = "Ev1") -> bytes:
    inner = {"type": "app_mention", "user": "U0ADA", "text": "hello", "channel": "C1", "ts": "1.1"}
    return json.dumps(
        {"type": "event_callback", "api_app_id": "A1", "team_id": "T1", "event_id": event_id, "event": inner}
    ).encode()


def command(name: str, words: str = "") -> bytes:
    place = {"team_id": "T0NORTHWIND", "channel_id": "C0ASK", "user_id": "U0ADA", "trigger_id": "1.2"}
    return urlencode(
        {"command": name, "text": words, "response_url": "http://127.0.0.1:9/r", "nonce": time.time_ns(), **place}
    ).encode()


def interaction(kind: str, **content: Any) -> str:
    who = {"user": {"id": "U0ADA", "team_id": "T0NORTHWIND"}, "team": {"id": "T0NORTHWIND"}}
    return urlencode({"payload": json.dumps({"type": kind, **who, **content})})


class Slow:
    """A listener that acknowledges and then works until it is let go."""

    def __init__(self) -> None:
        self.go, self.begun = threading.Event(), threading.Semaphore(0)

    def __call__(self, ack: Ack) -> None:
        ack()
        self.begun.release()
        assert self.go.wait(30)


@pytest.fixture
def slow() -> Iterator[Slow]:
    made = Slow()
    yield made
    made.go.set()


@pytest.fixture
def slow_web(settings: Settings, engine: Engine, slow: Slow) -> TestClient:
    """The gate before our App, which has one command more: /slow."""
    app = bolt(settings, build_deps(settings), wait=False)
    app.command("/slow")(lambda ack: slow(ack))
    gate = Gate(SECRET, app, Inbox(engine), lambda: None, utc_now)
    return TestClient(Starlette(routes=[Route("/slack/events", gate.receive, methods=["POST"])]))


def restart(settings: Settings, engine: Engine, body: str, tries: int = 0) -> InboxWorker:
    """Start as after the death of a process that had acknowledged an interaction and not finished it."""
    inbox = Inbox(engine)
    assert inbox.take("request:1", body, {"content-type": FORM}, utc_now(), state="running")
    with engine.begin() as connection:
        connection.execute(text("update inbox set tries = tries + :n where key = 'request:1'"), {"n": tries})
    assert inbox.reopen(utc_now()) >= 1
    worker = InboxWorker(bolt(settings, build_deps(settings), wait=True), inbox, utc_now)
    worker.start()
    return worker


def kept(engine: Engine) -> list[tuple[str, bool]]:
    """States, and whether there still is a body."""
    with engine.connect() as connection:
        return [(state, bool(body)) for state, body in connection.execute(text("select state, body from inbox"))]


def rows(engine: Engine) -> list[tuple[str, str]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text("select key, state from inbox order by key"))]


@pytest.mark.parametrize("subtype", [None, "message_changed"])
def test_our_own_messages_are_not_written_down(web: TestClient, engine: Engine, subtype: str | None) -> None:
    """Slack tells us what we said and edited ourselves; that is acknowledged and forgotten. Other apps' is not."""
    for author in ("A1", "A2"):
        said: dict[str, Any] = {"type": "message", "app_id": author, "bot_id": "B1", "text": "Done", "ts": "1.1"}
        inner = said if subtype is None else {"type": "message", "subtype": subtype, "message": said}
        ids = {"type": "event_callback", "api_app_id": "A1", "team_id": "T1", "event_id": f"Ev{author}"}
        assert send(web, json.dumps({**ids, "event": inner}).encode()) == 200
    assert rows(engine) == [("event:A1:T1:EvA2", "waiting")]


def test_an_event_is_written_down_before_it_is_acknowledged(web: TestClient, engine: Engine) -> None:
    """A signed event is answered 200 and waits in the inbox."""
    assert send(web, event()) == 200
    assert rows(engine) == [("event:A1:T1:Ev1", "waiting")]


def test_a_delivery_that_comes_again_is_one_row(web: TestClient, engine: Engine) -> None:
    """Slack's retry of an event is acknowledged and adds nothing."""
    assert [send(web, event()), send(web, event())] == [200, 200]
    assert len(rows(engine)) == 1


def test_the_address_is_confirmed(web: TestClient) -> None:
    """Slack's url_verification gets its challenge back."""
    body = json.dumps({"type": "url_verification", "challenge": "abc"}).encode()
    answer = web.post("/slack/events", content=body, headers={"content-type": JSON, **signed(body)})
    assert answer.json() == {"challenge": "abc"}


@pytest.mark.parametrize(
    "headers",
    [
        {"x-slack-request-timestamp": "1"},
        signed(event(), secret="another"),
        signed(event(), stamp=str(int(time.time()) - 301)),
        signed(event(), stamp="9" * 400),
        signed(event(), stamp="abc"),
        {"x-slack-request-timestamp": str(int(time.time())), "x-slack-signature": "v0=caf%C3%A9"},
    ],
    ids=["missing", "wrong secret", "old", "400 digits", "not a number", "odd signature"],
)
def test_a_stranger_is_turned_away(web: TestClient, engine: Engine, headers: dict[str, str]) -> None:
    """Without a fresh signature made with our secret nothing is read and nothing is kept."""
    assert send(web, event(), **headers) == 401
    assert rows(engine) == []


@pytest.mark.parametrize("body", [b'{"a":', b"[]", b"null", b"payload=%7B", b"[" * 100_000, b"", b"\xff\xfe"])
@pytest.mark.parametrize("kind", [JSON, FORM])
def test_malformed_bodies_get_a_plain_refusal(web: TestClient, body: bytes, kind: str) -> None:
    """Signed or not, nonsense gives 400 or 401, never an exception."""
    assert send(web, body, kind) == 400
    assert send(web, body, kind, **{"x-slack-signature": "v0=0"}) == 401


def test_an_endless_body_is_cut_off(web: TestClient) -> None:
    """More than the limit is refused while it arrives."""
    assert send(web, b"x" * (BODY_LIMIT + 1)) == 413


def test_an_interaction_is_handled_once(web: TestClient, engine: Engine) -> None:
    """The same signed command sent again is acknowledged without running again."""
    body = command("/tune", "help")
    headers = {"content-type": FORM, **signed(body)}
    first = web.post("/slack/events", content=body, headers=headers)
    again = web.post("/slack/events", content=body, headers=headers)
    assert (first.status_code, again.status_code) == (200, 200)
    assert again.text == ""
    assert len(rows(engine)) == 1


def test_an_interaction_is_kept_until_its_listener_is_done(slow_web: TestClient, engine: Engine, slow: Slow) -> None:
    """What was asked stays in the inbox after the acknowledgement, and is forgotten when the work has ended."""
    assert send(slow_web, command("/slow"), FORM) == 200
    assert kept(engine) == [("running", True)]
    slow.go.set()
    wait_for(lambda: kept(engine) == [("done", False)], what="the row is closed")


@pytest.mark.parametrize(("body", "status"), [(command("/unknown"), 404), (b"ssl_check=1&token=x", 200)])
def test_what_no_listener_takes_is_not_kept(web: TestClient, engine: Engine, body: bytes, status: int) -> None:
    """An interaction that nobody works on is closed at once."""
    assert send(web, body, FORM) == status
    assert kept(engine) == [("done", False)]


def test_slow_work_does_not_hold_up_an_acknowledgement(slow_web: TestClient, slow: Slow) -> None:
    """With more slow interactions under way than the inbox would allow, the next click is acknowledged in a second."""
    for _ in range(2 * ANSWERING):
        assert send(slow_web, command("/slow"), FORM) == 200
        assert slow.begun.acquire(timeout=5)
    began = time.monotonic()
    assert send(slow_web, command("/slow"), FORM) == 200
    assert time.monotonic() - began < 1


def test_a_form_survives_the_death_of_the_process(settings: Settings, engine: Engine, local_slack: LocalSlack) -> None:
    """A training form that was acknowledged and not carried out leads to its findings after the restart."""
    empty: dict[str, Any] = {name: {name: {}} for name in (forms.TRAIN_FILE, forms.TEST_FILE, forms.OURS, forms.NAME)}
    values = {forms.ROWS: {forms.ROWS: {"selected_option": {"value": "example:tickets"}}}, **empty}
    view = {"id": "V1", "type": "modal", "callback_id": forms.TRAIN, "private_metadata": json.dumps(["C0ASK", ""])}
    worker = restart(settings, engine, interaction("view_submission", view={**view, "state": {"values": values}}))
    root = local_slack.wait_message("wants to train on")
    local_slack.wait_message("ready to train", thread_ts=root["ts"])
    wait_for(lambda: kept(engine) == [("done", False)], what="the row is closed")
    worker.stop()


def test_a_click_that_came_too_late_is_explained(settings: Settings, engine: Engine, local_slack: LocalSlack) -> None:
    """A form cannot be opened after a restart any more; whoever clicked hears so, and the click counts as done."""
    trigger = local_slack.space.triggers.mint("U0ADA")
    local_slack.space.triggers.check(trigger).expires = 0
    card = local_slack.send("a card")["ts"]
    click = {"type": "button", "action_id": OPEN_FORM, "block_id": "b", "action_ts": "1.2"}
    channel = {"id": "C0ASK", "name": "ask"}
    where = {"type": "message", "channel_id": "C0ASK", "message_ts": card}
    body = interaction("block_actions", actions=[click], trigger_id=trigger, container=where, channel=channel)
    worker = restart(settings, engine, body)
    wait_for(lambda: kept(engine) == [("done", False)], what="the row is closed")
    worker.stop()
    local_slack.wait_message("Click again")


def test_a_click_that_was_given_up_is_explained(settings: Settings, engine: Engine, local_slack: LocalSlack) -> None:
    """A process died over a click again and again: nothing is done any more, and whoever clicked hears so.

    A message in a channel that had not addressed us ends without a word.
    """
    card = local_slack.send("a card")["ts"]
    where = {"type": "message", "channel_id": "C0ASK", "message_ts": card}
    click = {"type": "button", "action_id": APPROVE, "block_id": "b", "action_ts": "1.2", "value": "job_1:hash"}
    body = interaction("block_actions", container=where, channel={"id": "C0ASK", "name": "ask"}, actions=[click])
    said = {
        "type": "message",
        "channel": "C0ASK",
        "channel_type": "channel",
        "user": "U0ADA",
        "text": "hm",
        "ts": "1.1",
    }
    outer = {"type": "event_callback", "team_id": "T0NORTHWIND", "api_app_id": "A1", "event_id": "Ev9", "event": said}
    assert Inbox(engine).take("event:9", json.dumps(outer), {"content-type": JSON}, utc_now(), state="waiting")
    with engine.begin() as connection:
        connection.execute(text("update inbox set tries = :n"), {"n": MOST_DEATHS})
    before = len(local_slack.messages())
    worker = restart(settings, engine, body, tries=MOST_DEATHS)
    wait_for(lambda: kept(engine) == [("failed", False)] * 2, what="both are given up")
    local_slack.wait_message("given it up")
    worker.stop()
    assert len([each for each in local_slack.messages() if not each.get("is_ephemeral")]) == before


def test_health_tells_when_nobody_works_the_inbox_off(web: TestClient) -> None:
    """Without its inbox thread the process takes questions and answers none, so it does not call itself well."""
    assert web.get("/health").status_code == 503
