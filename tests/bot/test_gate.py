"""The gate in front of Bolt: only Slack gets through, everything is written down first, nothing raises."""

import json
import time
from hashlib import sha256
from hmac import new as hmac
from pathlib import Path
from urllib.parse import urlencode

import pytest
from sqlalchemy import Engine, text
from starlette.testclient import TestClient

from bot.app import BODY_LIMIT, create_app
from bot.settings import Settings
from bot.store.engine import open_engine
from bot.store.migrate import migrate
from tests.console import LocalSlack, local_slack

__all__ = ["local_slack"]  # the fixture that `settings` asks for

SECRET = "a signing secret"  # a test's own
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


@pytest.fixture
def settings(tmp_path: Path, local_slack: LocalSlack) -> Settings:
    env = {
        "DATA_DIR": str(tmp_path),
        "LUTHIER_CACHE": str(tmp_path / "cache"),
        "SLACK_SIGNING_SECRET": SECRET,
        "SLACK_BOT_TOKEN": local_slack.bot_token,
        "SLACK_API_URL": f"{local_slack.url}/api/",
    }
    made = Settings.from_env(env)
    migrate(open_engine(made.database), made.run)
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


def rows(engine: Engine) -> list[tuple[str, str]]:
    with engine.connect() as connection:
        return [tuple(row) for row in connection.execute(text("select key, state from inbox order by key"))]


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
    place = {"team_id": "T0NORTHWIND", "channel_id": "C0ASK", "user_id": "U0ADA", "trigger_id": "1.2"}
    body = urlencode({"command": "/tune", "text": "help", "response_url": "http://127.0.0.1:9/r", **place}).encode()
    headers = {"content-type": FORM, **signed(body)}
    first = web.post("/slack/events", content=body, headers=headers)
    again = web.post("/slack/events", content=body, headers=headers)
    assert (first.status_code, again.status_code) == (200, 200)
    assert again.text == ""
    assert len(rows(engine)) == 1
