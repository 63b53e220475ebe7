"""Several workspaces in one local Slack: nothing of one is seen in another, and all of it survives a restart."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from tests.bot.console.third_party import Ear
from tests.console import BOT_TOKEN, LocalSlack, wait_for

Json = dict[str, Any]
THERE = {"team": "T1HARBOUR", "user": "U1IVO"}
"""A person of the second workspace."""


@pytest.fixture
def slack(tmp_path: Path) -> Iterator[LocalSlack]:
    started = LocalSlack(tmp_path / "console", workspaces=2, people=6)
    yield started
    started.stop()


def second(slack: LocalSlack) -> WebClient:
    """The app's client in the second workspace."""
    return WebClient(token=f"{BOT_TOKEN}-1", base_url=f"{slack.url}/api/")


def refusal(method: Any, **given: Any) -> str:
    """The error of a call that must fail."""
    with pytest.raises(SlackApiError) as caught:
        method(**given)
    return str(caught.value.response["error"])


def test_a_token_opens_its_own_workspace_only(slack: LocalSlack) -> None:
    """Channels, messages, people, views and files of the other team do not exist for it."""
    there = second(slack)
    assert (slack.web.auth_test()["team_id"], there.auth_test()["team_id"]) == ("T0NORTHWIND", "T1HARBOUR")
    ts = slack.web.chat_postMessage(channel="C0ASK", text="ours")["ts"]
    file_id = slack.upload("ours.txt", b"ours")["id"]
    slack.send("see", files=[file_id])
    home = {"type": "home", "blocks": [{"type": "divider"}]}
    view_id = slack.web.views_publish(user_id="U0ADA", view=home)["view"]["id"]
    for call, given in (
        (there.chat_postMessage, {"channel": "C0ASK", "text": "x"}),
        (there.conversations_history, {"channel": "C0ASK"}),
        (there.conversations_info, {"channel": "D0ADA"}),
        (there.chat_update, {"channel": "C0ASK", "ts": ts, "text": "x"}),
        (there.reactions_add, {"channel": "C0ASK", "timestamp": ts, "name": "eyes"}),
    ):
        assert refusal(call, **given) == "channel_not_found"
    assert refusal(there.users_info, user="U0ADA") == "user_not_found"
    assert refusal(there.files_info, file=file_id) == "file_not_found"
    assert refusal(there.views_publish, user_id="U0ADA", view=home) == "user_not_found"
    assert refusal(there.views_update, view_id=view_id, view=home) == "not_found"
    assert {each["id"][1] for each in there.users_list()["members"] if each["id"] != "USLACKBOT"} == {"1"}
    assert {each["id"][1] for each in there.conversations_list()["channels"]} == {"1"}


def test_a_file_is_read_with_its_own_teams_token(slack: LocalSlack) -> None:
    """The other team's token, and a revoked one, get 403."""
    file_id = slack.upload("ours.txt", b"ours")["id"]
    slack.send("see", files=[file_id])
    url = slack.web.files_info(file=file_id)["file"]["url_private"]
    statuses = [
        slack.http.get(url, headers={"authorization": f"Bearer {token}"}).status_code
        for token in (BOT_TOKEN, f"{BOT_TOKEN}-1", "none", "xoxb-wrong")
    ]
    assert statuses == [200, 403, 403, 403]
    assert "T0NORTHWIND" in url


def test_events_say_of_which_team_they_are(slack: LocalSlack, ear: Ear) -> None:
    """team_id, authorizations, ids and response addresses are the team's own."""
    slack.send("here")
    slack.act("send", **THERE, channel="C1ASK", text="there")
    wait_for(lambda: len(ear.events("message")) == 2, what="both events")
    envelopes = {heard.body["team_id"]: heard.body for heard in ear.heard}
    for team, mark in (("T0NORTHWIND", "0"), ("T1HARBOUR", "1")):
        envelope = envelopes[team]
        assert envelope["context_team_id"] == envelope["authorizations"][0]["team_id"] == team
        assert envelope["authorizations"][0]["user_id"] == f"U{mark}LUTHIER"
        assert envelope["api_app_id"] == "A0LUTHIER"
        assert envelope["event"]["channel"] == f"C{mark}ASK"
    slack.act("command", **THERE, channel="C1ASK", command="/tune", text="x")
    form = ear.heard[-1].body
    assert (form["team_id"], form["team_domain"], form["user_id"]) == ("T1HARBOUR", "harbour", "U1IVO")
    assert "/T1HARBOUR/" in form["response_url"]
    assert slack.http.post(form["response_url"], json={"text": "answer"}).text == "ok"
    assert slack.page("messages", **THERE, channel="C1ASK")["messages"][-1]["text"] == "answer"
    wrong = form["response_url"].replace("T1HARBOUR", "T0NORTHWIND")
    assert slack.http.post(wrong, json={"text": "stolen"}).status_code == 404


def test_a_trigger_opens_a_modal_in_its_own_team(slack: LocalSlack, ear: Ear) -> None:
    """The other team's token cannot use it."""
    slack.act("command", **THERE, channel="C1ASK", command="/tune", text="x")
    trigger = ear.heard[-1].body["trigger_id"]
    view = {"type": "modal", "title": {"type": "plain_text", "text": "T"}, "blocks": [{"type": "divider"}]}
    assert refusal(slack.web.views_open, trigger_id=trigger, view=view) == "invalid_trigger_id"
    opened = second(slack).views_open(trigger_id=trigger, view=view)["view"]
    assert opened["team_id"] == "T1HARBOUR"
    assert slack.page("views", **THERE)["views"][0]["id"] == opened["id"]


def test_uploads_of_each_team_stay_there(slack: LocalSlack) -> None:
    """files_upload_v2 with the second token shares in the second team and leaves nothing in the first."""
    shared = second(slack).files_upload_v2(channel="C1ASK", filename="b.txt", content="bytes")
    file_id = shared["file"]["id"]
    assert second(slack).files_info(file=file_id)["file"]["channels"] == ["C1ASK"]
    assert refusal(slack.web.files_info, file=file_id) == "file_not_found"
    ticket = second(slack).files_getUploadURLExternal(filename="c.txt", length=1)
    slack.http.post(ticket["upload_url"], content=b"c")
    stolen = [{"id": ticket["file_id"]}]
    assert refusal(slack.web.files_completeUploadExternal, files=stolen, channel_id="C0ASK") == "file_not_found"


def test_people_of_one_team_cannot_act_in_another(slack: LocalSlack) -> None:
    """The page's own requests too are checked against the team."""
    assert slack.act("send", user="U1IVO", channel="C0ASK", text="x")["error"] == "user_not_found"
    assert slack.act("send", **{**THERE, "channel": "C0ASK"}, text="x")["error"] == "channel_not_found"
    assert slack.act("send", team="T9NONE", user="U0ADA", channel="C0ASK", text="x")["error"] == "team_not_found"
    followed = slack.page("boot", **THERE, channel="C0ASK")
    assert (followed["team"]["id"], followed["me"]) == ("T0NORTHWIND", "U0ADA")


def test_roles_are_in_user_objects_and_guests_see_less(slack: LocalSlack) -> None:
    """Owner, admin, guest and single-channel guest have Slack's flags; guests are only where they were invited."""
    users = {each["id"]: each for each in slack.web.users_list()["members"]}
    flags = ("is_owner", "is_admin", "is_restricted", "is_ultra_restricted")

    def held(user: str) -> list[str]:
        return [flag for flag in flags if users[user][flag]]

    assert [held(user) for user in ("U0ADA", "U0BEN", "U0DANA", "U0ELI", "U0FAY")] == [
        ["is_owner", "is_admin"], [], ["is_admin"], ["is_restricted"], ["is_restricted", "is_ultra_restricted"],
    ]  # fmt: skip
    members = slack.web.conversations_members
    assert "U0ELI" not in members(channel="C0GENERAL")["members"]
    assert "U0ELI" in members(channel="C0TUNING")["members"]
    assert [channel["id"] for channel in slack.page("boot", user="U0FAY")["channels"]] == ["C0ASK", "D0FAY"]
    assert slack.act("send", user="U0FAY", channel="C0TUNING", text="x")["error"] == "channel_not_found"


def test_both_teams_survive_a_restart_and_grow(tmp_path: Path) -> None:
    """Messages of both are still there; more people join when there are to be more, and nobody joins twice."""
    slack = LocalSlack(tmp_path / "console", workspaces=2, people=2)
    slack.send("kept here")
    slack.act("send", **THERE, channel="C1ASK", text="kept there")
    slack.stop()
    slack = LocalSlack(tmp_path / "console", workspaces=3, people=4)
    assert [each["text"] for each in slack.messages()] == ["kept here"]
    there = slack.page("messages", **THERE, channel="C1ASK")["messages"]
    assert [each["text"] for each in there] == ["kept there"]
    assert slack.web.conversations_members(channel="C0ASK")["members"] == [
        "U0ADA", "U0BEN", "U0CHI", "U0DANA", "U0LUTHIER",
    ]  # fmt: skip
    assert [each["id"] for each in slack.page("boot", user="U0DANA")["teams"]] == [
        "T0NORTHWIND", "T1HARBOUR", "T2KESTREL",
    ]  # fmt: skip
    slack.stop()
