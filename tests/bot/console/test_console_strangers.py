"""What a stranger's clients met: forms where Slack reads forms, tokens in headers, pictures, an app that is renamed."""

from pathlib import Path

import httpx
import pytest

from bot.console.manifest import Manifest
from tests.console import BOT_TOKEN, LocalSlack, local_slack

__all__ = ["local_slack"]


def test_json_is_not_read_where_slack_reads_forms(local_slack: LocalSlack) -> None:
    """users.info takes its argument from a form and does not see one in JSON."""
    headers = {"authorization": f"Bearer {BOT_TOKEN}"}
    url = f"{local_slack.url}/api/users.info"
    assert httpx.post(url, data={"user": "U0ADA"}, headers=headers).json()["ok"]
    assert not httpx.post(url, json={"user": "U0ADA"}, headers=headers).json()["ok"]


@pytest.mark.parametrize("carried", [{"params": {"token": BOT_TOKEN}}, {"json": {"token": BOT_TOKEN}}])
def test_tokens_stand_in_headers_or_forms(local_slack: LocalSlack, carried: dict[str, dict[str, str]]) -> None:
    """A token in the address or in JSON is none."""
    assert httpx.post(f"{local_slack.url}/api/auth.test", **carried).json()["error"] == "not_authed"


def test_everybody_has_a_picture(local_slack: LocalSlack) -> None:
    """Profiles, bots and teams name pictures that can be fetched; one that is not there is 404."""
    profile = local_slack.web.users_info(user="U0ADA")["user"]["profile"]
    bot = local_slack.web.chat_postMessage(channel="C0ASK", text="x")["message"]["bot_profile"]
    team = local_slack.web.team_info()["team"]
    for address in (profile["image_72"], bot["icons"]["image_48"], team["icon"]["image_34"]):
        answer = httpx.get(address)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/svg+xml")
    assert httpx.get(f"{local_slack.url}/avatars/U0NOBODY-72.svg").status_code == 404


def test_a_renamed_app_stays_the_same_app(tmp_path: Path) -> None:
    """After a restart with another name in the manifest the app has its ids, its channels and its new name."""
    first = LocalSlack(tmp_path)
    before = first.web.auth_test()
    first.stop()
    second = LocalSlack(tmp_path, manifest=Manifest(name="Tester"))
    try:
        after = second.web.auth_test()
        assert [after[key] for key in ("user_id", "bot_id", "app_id")] == [
            before[key] for key in ("user_id", "bot_id", "app_id")
        ]
        assert after["user"] == "tester"
        assert second.web.chat_postMessage(channel="C0ASK", text="x")["ok"]
    finally:
        second.stop()
