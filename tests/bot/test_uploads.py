"""One-time links over the wire: one file, one person, one time, capped, and nothing of the secret anywhere."""

import json
import logging
import re
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from bot import wiring
from bot.app import create_app
from bot.settings import Settings
from bot.store.engine import open_engine
from bot.store.migrate import migrate
from bot.uploads import AROUND
from knowledge.clock import utc_now
from knowledge.tenancy import Person
from tests.console import LocalSlack, local_slack
from trainers.data.examples import EXAMPLES
from trainers.data.links import Links
from trainers.data.store import Datasets

__all__ = ["local_slack"]  # the fixture that `slack` asks for

TICKETS = EXAMPLES["tickets"].train.read_bytes()
LIMIT = 300_000
ADA = Person(workspace_id="T0NORTHWIND", user_id="U0ADA")


class Site:
    """The web process on a data folder, with a local Slack."""

    def __init__(self, settings: Settings, slack: LocalSlack) -> None:
        self.slack, self.engine = slack, open_engine(settings.database)
        self.links, self.datasets = Links(self.engine), Datasets(self.engine, settings.data)
        self.web = TestClient(create_app(settings))
        self.data = settings.data

    def link(self, **how: Any) -> str:
        return self.links.make(ADA, how.pop("now", utc_now()), **how)

    def post(self, secret: str, content: bytes = TICKETS, name: str = "tickets.jsonl", **headers: str) -> Any:
        return self.web.post(
            f"/upload/{secret}", files={"file": (name, content)}, data={"ours": "yes"}, headers=headers
        )


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("uploads")
    slack = LocalSlack(folder / "console")
    env = {
        "DATA_DIR": str(folder),
        "LUTHIER_CACHE": str(folder / "cache"),
        "SLACK_SIGNING_SECRET": "a signing secret",
        "SLACK_BOT_TOKEN": slack.bot_token,
        "SLACK_API_URL": f"{slack.url}/api/",
        "LUTHIER_PUBLIC_URL": "https://luthier.example/",
    }
    settings = Settings.from_env(env)
    migrate(open_engine(settings.database), settings.run)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(wiring, "FILE_LIMIT", LIMIT)
        yield Site(settings, slack)
    slack.stop()


def test_a_file_arrives_once_and_its_card_in_slack(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    """The page has a form, the file becomes a data set of the person, the link is used up; no log has its secret."""
    caplog.set_level(logging.INFO)
    secret = site.link(private=True)
    assert 'type="file"' in site.web.get(f"/upload/{secret}").text
    done = site.post(secret, name="../<b>tickets.jsonl")
    assert done.status_code == 200, done.text
    assert "<b>" not in done.text
    (kept,) = site.datasets.listing(ADA.workspace_id)
    assert (kept.name, kept.created_by, kept.private) == ("<b>tickets", "U0ADA", True)
    assert site.datasets.listing(ADA.workspace_id, seen_by="U0BEN") == []
    root = site.slack.wait_message("arrived under its link", channel=site.slack.dm_of())
    site.slack.wait_message("Kept as", channel=site.slack.dm_of(), thread_ts=root["ts"])
    again = site.post(secret)
    assert again.status_code == 410
    assert "used already" in again.text
    ours = [record.getMessage() for record in caplog.records if not record.name.startswith("httpx")]
    assert not any(secret in line for line in ours)
    stored = b"".join(path.read_bytes() for path in site.data.glob("luthier.db*"))
    assert secret.encode() not in stored


def test_an_unknown_and_an_expired_link_take_nothing(site: Site) -> None:
    """Both are gone, by words that do not tell which of them it was."""
    old = site.link(now=utc_now() - timedelta(hours=1))
    answers = [site.web.get(f"/upload/{secret}") for secret in (old, "unknown")]
    assert {answer.status_code for answer in answers} == {410}
    assert answers[0].text == answers[1].text
    assert site.post(old).status_code == 410


def test_a_file_over_the_cap_is_cut_off_while_it_arrives(site: Site) -> None:
    """Neither a length that is told nor one that is kept quiet gets past the cap, and the link still works."""
    secret = site.link()
    head = {"content-type": "multipart/form-data; boundary=b"}
    length = {"content-length": str(LIMIT + AROUND + 1)}
    assert site.web.post(f"/upload/{secret}", content=b"x", headers=head | length).status_code == 413

    def body() -> Iterator[bytes]:
        yield b'--b\r\nContent-Disposition: form-data; name="file"; filename="big"\r\n\r\n'
        yield b"x" * (LIMIT + AROUND)

    quiet = site.web.post(f"/upload/{secret}", content=body(), headers=head)
    assert quiet.status_code == 413
    assert "up to 0 MB" in quiet.text
    assert site.post(secret, b"", "empty.jsonl").status_code == 400
    assert site.web.post(f"/upload/{secret}", files={"file": ("a.jsonl", TICKETS)}).status_code == 400
    assert site.web.post(f"/upload/{secret}", data={"ours": "yes"}).status_code == 415
    assert site.links.look(secret, utc_now()).used_at is None


def test_another_sites_page_cannot_send_a_file(site: Site) -> None:
    """What a browser marks as coming from elsewhere is refused, and the link is not used up."""
    secret = site.link()
    for headers in ({"origin": "https://evil.example"}, {"sec-fetch-site": "cross-site"}, {"origin": "null"}):
        assert site.post(secret, **headers).status_code == 403
    assert site.links.look(secret, utc_now()).taken_at is None


def test_a_blocked_file_is_explained_and_not_kept(site: Site) -> None:
    """The page says what blocks, never what stands in a row; the link is spent, as a whole file arrived."""
    before, secret = len(site.datasets.listing(ADA.workspace_id)), site.link()
    done = site.post(secret, b'{"messages": [zanzibar],}\n')
    assert done.status_code == 422
    assert "ine 1" in done.text
    assert "zanzibar" not in done.text
    assert len(site.datasets.listing(ADA.workspace_id)) == before
    assert site.post(secret).status_code == 410


def test_more_rows_and_one_name_twice_make_versions(site: Site) -> None:
    """Other rows under a name that is there are its next version; a link of a data set adds to it."""
    lines = TICKETS.splitlines(keepends=True)
    first = site.post(site.link(), b"".join(lines[:100]), "twice.jsonl")
    second = site.post(site.link(), b"".join(lines[10:110]), "twice.jsonl")
    assert "twice v1" in first.text
    assert "twice v2" in second.text
    newest = next(each for each in site.datasets.listing(ADA.workspace_id) if each.name == "twice")
    third = site.post(site.link(dataset_id=newest.id), b"".join(lines))
    assert "twice v3" in third.text, re.sub("<[^>]*>", " ", third.text)
    trail = json.loads((site.data / "datasets" / newest.id / "provenance.json").read_text())
    assert trail["origins"][0]["name"] == "twice.jsonl"
    assert str(Path(site.data)) not in third.text


def test_only_one_upload_at_a_time(site: Site) -> None:
    """While a file arrives nobody else may begin; what neither ended nor failed is taken for dead later."""
    secret, now = site.link(), utc_now()
    site.links.take(secret, now)
    busy = site.post(secret)
    assert busy.status_code == 410
    assert "just arriving" in busy.text
    assert site.links.take(secret, now + timedelta(minutes=16))
