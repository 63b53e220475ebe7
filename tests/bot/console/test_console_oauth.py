"""Installing an app into workspaces: Bolt's own OAuth flow, its refusals, revoked tokens, reinstallation."""

import html
import logging
import re
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer, make_server

import httpx
import pytest
from slack_bolt import App
from slack_bolt.adapter.wsgi import SlackRequestHandler
from slack_bolt.oauth.oauth_settings import OAuthSettings
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.oauth.installation_store import FileInstallationStore
from slack_sdk.oauth.state_store import FileOAuthStateStore

from bot.console.manifest import Manifest
from tests.bot.console.hand import Hand
from tests.bot.console.third_party import recorder
from tests.console import BOT_TOKEN, CLIENT_ID, CLIENT_SECRET, SIGNING_SECRET, LocalSlack, wait_for

Json = dict[str, Any]
BACK = "http://127.0.0.1:9/back"
TEAMS = ("T0NORTHWIND", "T1HARBOUR")


class QuietHandler(WSGIRequestHandler):
    def log_message(self, *_: Any) -> None:
        return


class Installable:
    """A Bolt app that workspaces install by a link."""

    def __init__(self, slack: LocalSlack, folder: Path) -> None:
        logging.getLogger("slack_bolt").setLevel(logging.CRITICAL)
        self.store = FileInstallationStore(base_dir=str(folder / "installations"), client_id=CLIENT_ID)
        settings = OAuthSettings(
            client_id=CLIENT_ID,
            client_secret=CLIENT_SECRET,
            scopes=["chat:write", "app_mentions:read"],
            authorization_url=f"{slack.url}/oauth/v2/authorize",
            installation_store=self.store,
            state_store=FileOAuthStateStore(expiration_seconds=60, base_dir=str(folder / "states")),
        )
        client = WebClient(base_url=f"{slack.url}/api/")
        app = App(signing_secret=SIGNING_SECRET, client=client, oauth_settings=settings)
        app.logger.setLevel(logging.CRITICAL)
        app.enable_token_revocation_listeners()

        @app.event("app_mention")
        def mentioned(event: Json, say: Any, context: Any) -> None:
            say(f"hello from {context.team_id}", thread_ts=event["ts"])

        self._server: WSGIServer = make_server("127.0.0.1", 0, SlackRequestHandler(app), handler_class=QuietHandler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        settings.redirect_uri = f"{self.url}/slack/oauth_redirect"
        settings.authorize_url_generator.redirect_uri = settings.redirect_uri
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()

    def token(self, team: str) -> str | None:
        """The stored bot token of a team."""
        bot = self.store.find_bot(enterprise_id=None, team_id=team)
        return bot.bot_token if bot else None


@pytest.fixture
def slack(tmp_path: Path) -> Iterator[LocalSlack]:
    started = LocalSlack(tmp_path / "console", workspaces=2)
    yield started
    started.stop()


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalSlack]:
    """One local Slack for questions that change nothing."""
    started = LocalSlack(tmp_path_factory.mktemp("asked"))
    yield started
    started.stop()


@pytest.fixture(scope="module")
def listed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalSlack]:
    """One local Slack whose manifest lists an address."""
    manifest = Manifest(redirect_urls=("https://app.example/slack/oauth",))
    started = LocalSlack(tmp_path_factory.mktemp("listed"), manifest=manifest)
    yield started
    started.stop()


@pytest.fixture
def app(slack: LocalSlack, tmp_path: Path) -> Iterator[Installable]:
    started = Installable(slack, tmp_path)
    slack.point_at(f"{started.url}/slack/events")
    yield started
    started.stop()


def links(page: str) -> dict[str, str]:
    """Addresses by the words of their link."""
    found = re.findall(r'<a[^>]*href="([^"]+)"[^>]*>(.*?)</a>', page, re.DOTALL)
    return {re.sub(r"<[^>]+>", "", words): html.unescape(address) for address, words in found}


def install(slack: LocalSlack, app: Installable, team: str) -> httpx.Response:
    """What a person does in a browser, from the app's page to the app's page."""
    with httpx.Client(trust_env=False) as browser:
        page = browser.get(f"{app.url}/slack/install")
        cookie = page.headers["set-cookie"].partition(";")[0]
        consent = browser.get(next(iter(links(page.text).values())))
        assert consent.status_code == 200
        allowed = browser.get(slack.url + links(consent.text)[f"Allow in {team}"])
        return browser.get(allowed.headers["location"], headers={"cookie": cookie})


def test_bolt_installs_into_two_workspaces_and_works_in_both(slack: LocalSlack, app: Installable) -> None:
    """Each workspace gives its own token; the app answers in each with the right one."""
    for team in ("Northwind", "Harbour"):
        done = install(slack, app, team)
        assert (done.status_code, "Success" in done.text or "Thank" in done.text) == (200, True)
    assert [app.token(team) for team in TEAMS] == [BOT_TOKEN, f"{BOT_TOKEN}-1"]
    asked = slack.send("@Luthier hi")
    slack.wait_message("hello from T0NORTHWIND", thread_ts=asked["ts"])
    there = slack.act("send", team="T1HARBOUR", user="U1IVO", channel="C1ASK", text="@Luthier hi")["message"]

    def answers() -> list[Json]:
        place = {"team": "T1HARBOUR", "user": "U1IVO", "channel": "C1ASK", "thread_ts": there["ts"]}
        return [each for each in slack.page("messages", **place)["messages"] if "hello" in each["text"]]

    assert wait_for(answers, what="the answer")[0]["text"] == "hello from T1HARBOUR"


def test_the_consent_page_is_plain_html_that_the_policy_allows(slack: LocalSlack, app: Installable) -> None:
    """No script, no inline style; what the app asks for and where are named, markup in them is text."""
    ask = {"client_id": CLIENT_ID, "scope": "chat:write,<b>bold</b>", "redirect_uri": BACK, "state": '"><script>'}
    page = slack.http.get("/oauth/v2/authorize", params=ask)
    assert "chat:write" in page.text
    assert "Allow in <b>Harbour</b>" in page.text
    assert "&lt;b&gt;bold" in page.text
    assert "<script" not in page.text
    assert "style=" not in page.text
    assert slack.http.get("/static/oauth.css").status_code == 200
    cancel = urlsplit(links(page.text)["Cancel"])
    assert parse_qs(cancel.query) == {"error": ["access_denied"], "state": ['"><script>']}


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example/",
        "http://127.0.0.1@evil.example/",
        "http://evil.example\\@127.0.0.1/",
        "http://127.0.0.1\\.evil.example/",
        "//evil.example/",
        "javascript:alert(1)",
        "http://[::1",
        "http://127.0.0.1:99999/",
        "http://127.0.0.1/\r\nSet-Cookie: a=b",
        "http://127.0.0.1/#fragment",
        "",
    ],
)
@pytest.mark.parametrize("page", ["authorize", "allow"])
def test_codes_go_to_this_machine_only(asked: LocalSlack, address: str, page: str) -> None:
    """Without addresses in the manifest another host, however it is dressed up, gets no code and no link."""
    ask = {"client_id": CLIENT_ID, "redirect_uri": address, "team": "T0NORTHWIND"}
    answer = asked.http.get(f"/oauth/v2/{page}?{urlencode(ask)}", follow_redirects=False)
    assert (answer.status_code, "bad_redirect_uri" in answer.text) == (400, True)


@pytest.mark.parametrize(
    ("address", "good"),
    [
        ("https://app.example/slack/oauth", True),
        ("https://app.example/slack/oauth/deeper?x=1", True),
        ("https://app.example/slack/oauthother", False),
        ("https://app.example/slack/oauth/../../evil", False),
        ("https://app.example.evil.example/slack/oauth", False),
        ("https://app.example:444/slack/oauth", False),
        ("http://app.example/slack/oauth", False),
        ("http://127.0.0.1:9/back", False),
        ("", True),
    ],
)
def test_a_manifest_decides_where_codes_go(listed: LocalSlack, address: str, good: bool) -> None:
    """Same scheme, host and port, at or below the listed path; without an address the first one listed."""
    ask = {"client_id": CLIENT_ID, "redirect_uri": address, "team": "T0NORTHWIND", "state": "s"}
    answer = listed.http.get(f"/oauth/v2/allow?{urlencode(ask)}", follow_redirects=False)
    assert answer.status_code == (302 if good else 400)
    if good:
        sent = urlsplit(answer.headers["location"])
        assert (sent.netloc, parse_qs(sent.query)["state"]) == ("app.example", ["s"])


def test_other_apps_and_teams_are_refused(asked: LocalSlack) -> None:
    """A client id that is not this app's, and a team that is not here."""
    for ask, why in (({"client_id": "1.2"}, "invalid_client_id"), ({"client_id": CLIENT_ID}, "team_not_found")):
        answer = asked.http.get("/oauth/v2/allow", params={**ask, "redirect_uri": BACK, "team": "T9NONE"})
        assert (answer.status_code, why in answer.text) == (400, True)


def test_another_sites_page_cannot_allow(slack: LocalSlack) -> None:
    """A link from elsewhere may open the question, not answer it."""
    ask = {"client_id": CLIENT_ID, "redirect_uri": BACK, "team": "T0NORTHWIND"}
    for site in ("cross-site", "same-site"):
        headers = {"sec-fetch-site": site}
        assert slack.http.get("/oauth/v2/authorize", params=ask, headers=headers).status_code == 200
        assert slack.http.get("/oauth/v2/allow", params=ask, headers=headers).status_code == 403


def code_of(slack: LocalSlack, team: str = "T0NORTHWIND", back: str = BACK) -> str:
    """A fresh code."""
    ask = {"client_id": CLIENT_ID, "redirect_uri": back, "team": team}
    answer = slack.http.get("/oauth/v2/allow", params=ask, follow_redirects=False)
    return parse_qs(urlsplit(answer.headers["location"]).query)["code"][0]


def exchange(slack: LocalSlack, **given: Any) -> Json:
    """oauth.v2.access with good credentials unless said otherwise."""
    known = {"client_id": CLIENT_ID, "client_secret": CLIENT_SECRET, "redirect_uri": BACK}
    made: Json = slack.http.post("/api/oauth.v2.access", data={**known, **given}).json()
    return made


def test_a_code_is_good_once(slack: LocalSlack) -> None:
    """The answer has Slack's fields; the second exchange, another redirect_uri and none are refused."""
    code = code_of(slack, "T1HARBOUR")
    first = exchange(slack, code=code)
    assert (first["ok"], first["token_type"], first["access_token"]) == (True, "bot", f"{BOT_TOKEN}-1")
    assert first["team"] == {"id": "T1HARBOUR", "name": "Harbour"}
    assert (first["bot_user_id"], first["authed_user"]["id"][:2]) == ("U1LUTHIER", "U1")
    assert (first["app_id"], first["enterprise"], first["is_enterprise_install"]) == ("A0LUTHIER", None, False)
    assert "chat:write" in first["scope"].split(",")
    assert exchange(slack, code=code)["error"] == "invalid_code"
    assert exchange(slack, code=code_of(slack), redirect_uri=f"{BACK}2")["error"] == "bad_redirect_uri"
    assert exchange(slack, code=code_of(slack), redirect_uri="")["error"] == "bad_redirect_uri"


def test_credentials_may_stand_in_the_header(slack: LocalSlack) -> None:
    """HTTP Basic, as Slack recommends."""
    form = {"code": code_of(slack), "redirect_uri": BACK}
    answer = slack.http.post("/api/oauth.v2.access", data=form, auth=(CLIENT_ID, CLIENT_SECRET))
    assert answer.json()["access_token"] == BOT_TOKEN
    wrong = slack.http.post("/api/oauth.v2.access", data=form, auth=(CLIENT_ID, "wrong"))
    assert wrong.json()["error"] == "bad_client_secret"


@pytest.mark.parametrize(("age", "good"), [(600.0, True), (600.5, False)])
def test_a_code_lives_ten_minutes(tmp_path: Path, age: float, good: bool) -> None:
    """At ten minutes it is good, a moment later it is invalid_code."""
    clock = Hand()
    slack = LocalSlack(tmp_path / "console", now=clock)
    code = code_of(slack)
    clock.seconds += age
    answer = exchange(slack, code=code)
    slack.stop()
    assert answer["ok"] is good


def error_of(slack: LocalSlack, token: str) -> str:
    """What auth.test says to a token."""
    return str(slack.http.post("/api/auth.test", headers={"authorization": f"Bearer {token}"}).json().get("error"))


def test_a_revoked_token_is_worthless_and_a_reinstall_gives_another(slack: LocalSlack, app: Installable) -> None:
    """The app hears tokens_revoked and forgets the token; nothing else reaches it until it is installed again."""
    install(slack, app, "Northwind")
    client = WebClient(token=BOT_TOKEN, base_url=f"{slack.url}/api/")
    assert client.auth_revoke(test=True)["revoked"] is False
    assert client.auth_revoke()["revoked"] is True
    wait_for(lambda: app.token("T0NORTHWIND") is None, what="the app forgets the token")
    with pytest.raises(SlackApiError, match="token_revoked"):
        client.auth_test()
    assert slack.command("/tune x")["error"] == "dispatch_failed"
    install(slack, app, "Northwind")
    fresh = app.token("T0NORTHWIND")
    assert fresh
    assert fresh != BOT_TOKEN
    assert (error_of(slack, fresh), error_of(slack, BOT_TOKEN)) == ("None", "token_revoked")
    assert error_of(slack, f"{BOT_TOKEN}-1") == "None"
    asked = slack.send("@Luthier again")
    slack.wait_message("hello from T0NORTHWIND", thread_ts=asked["ts"])


def test_an_uninstalled_app_hears_of_it_and_of_nothing_more(slack: LocalSlack) -> None:
    """apps.uninstall sends app_uninstalled and tokens_revoked; its token is then of an inactive account."""
    heard = recorder()
    slack.point_at(heard.url)
    with pytest.raises(SlackApiError, match="bad_client_secret"):
        slack.web.apps_uninstall(client_id=CLIENT_ID, client_secret="wrong")
    slack.web.apps_uninstall(client_id=CLIENT_ID, client_secret=CLIENT_SECRET)
    wait_for(lambda: heard.events("app_uninstalled") and heard.events("tokens_revoked"), what="both events")
    assert heard.events("tokens_revoked")[0]["tokens"] == {"oauth": [], "bot": ["U0LUTHIER"]}
    slack.send("anyone?")
    assert error_of(slack, BOT_TOKEN) == "account_inactive"
    other = slack.act("send", team="T1HARBOUR", user="U1IVO", channel="C1ASK", text="here?")["message"]
    wait_for(lambda: heard.events("message"), what="the other team's event")
    assert [event["ts"] for event in heard.events("message")] == [other["ts"]]
    heard.stop()


def test_a_renewed_token_survives_a_restart(tmp_path: Path) -> None:
    """What a reinstall gave stays good; the old one stays revoked."""
    slack = LocalSlack(tmp_path / "console")
    slack.web.auth_revoke()
    fresh = exchange(slack, code=code_of(slack))["access_token"]
    slack.stop()
    again = LocalSlack(tmp_path / "console")
    assert (error_of(again, fresh), error_of(again, BOT_TOKEN)) == ("None", "token_revoked")
    again.stop()
