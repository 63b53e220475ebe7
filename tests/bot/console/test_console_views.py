"""Modals and Home views: the stack of three, hashes, triggers, and what an app may answer to a submission."""

import json
from pathlib import Path
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError

from tests.bot.console.hand import Hand
from tests.bot.console.pairs import Pair
from tests.bot.console.parts import plain
from tests.bot.console.third_party import Answer, Listener
from tests.console import LocalSlack, wait_for

Json = dict[str, Any]


FIELD = {
    "type": "input",
    "block_id": "i",
    "label": plain("T"),
    "element": {"type": "plain_text_input", "action_id": "t"},
}
SECTION = {"type": "section", "block_id": "s", "text": plain("x")}


def modal(title: str = "M", **more: Any) -> Json:
    return {"type": "modal", "title": plain(title), "submit": plain("S"), "blocks": [FIELD, SECTION], **more}


@pytest.fixture
def slack(running: Pair) -> LocalSlack:
    """The local Slack, with no message or modal that an earlier test left."""
    space = running[0].space
    for view in space.store.all("view"):
        space.store.drop("view", view["id"])
    for kind in ("stack", "home"):
        for user in space.people():
            space.store.drop(kind, user)
    for row in space.store.history("C0TUNING"):
        space.store.remove_message(row.channel, row.ts)
    return running[0]


def opened(slack: LocalSlack, view: Json | None = None, user: str = "U0ADA") -> Any:
    return slack.web.views_open(trigger_id=slack.space.triggers.mint(user), view=view or modal())["view"]


def pushed(slack: LocalSlack, below: Json, view: Json | None = None) -> Any:
    trigger = slack.space.triggers.mint("U0ADA", below["id"])
    return slack.web.views_push(trigger_id=trigger, view=view or modal())["view"]


def titles(slack: LocalSlack) -> list[str]:
    return [view["title"]["text"] for view in slack.views()]


@pytest.mark.parametrize(("seconds", "error"), [(3, None), (3.1, "expired_trigger_id")])
def test_a_trigger_is_good_for_three_seconds(tmp_path: Path, seconds: float, error: str | None) -> None:
    """At three seconds a modal still opens, a little later not."""
    hand = Hand()
    slack = LocalSlack(tmp_path, now=hand)
    try:
        trigger = slack.space.triggers.mint("U0ADA")
        hand.seconds += seconds
        answer = slack.http.post(
            "/api/views.open",
            json={"trigger_id": trigger, "view": modal()},
            headers={"authorization": f"Bearer {slack.bot_token}"},
        ).json()
        assert answer.get("error") == error
        assert len(slack.views()) == (error is None)
    finally:
        slack.stop()


def test_a_refused_view_leaves_its_trigger_good(slack: LocalSlack) -> None:
    """A mistake in the view does not use up the trigger; interactivity_pointer is another name for it."""
    trigger = slack.space.triggers.mint("U0ADA")
    with pytest.raises(SlackApiError, match="invalid_arguments"):
        slack.web.views_open(trigger_id=trigger, view={**modal(), "title": plain("x" * 25)})
    assert slack.web.views_open(interactivity_pointer=trigger, trigger_id=None, view=modal())["ok"]


def test_three_views_stack(slack: LocalSlack, app: Listener) -> None:
    """Two pushes reach the stack of three; each view knows the root and the one below; closing goes back one."""
    first = opened(slack, modal("one"))
    second = pushed(slack, first, modal("two"))
    third = pushed(slack, second, modal("three"))
    assert titles(slack) == ["one", "two", "three"]
    assert (third["root_view_id"], third["previous_view_id"]) == (first["id"], second["id"])
    slack.act("view_close", user="U0ADA", view_id=third["id"])
    assert titles(slack) == ["one", "two"]
    assert opened(slack, modal("new"), user="U0BEN")["previous_view_id"] is None
    assert titles(slack) == ["one", "two"]


def test_a_hash_guards_an_update(slack: LocalSlack) -> None:
    """Updates change the hash; an old one conflicts, the current one and none at all are taken."""
    view = opened(slack, modal(external_id="mine"))
    newer = slack.web.views_update(view_id=view["id"], view=modal("two"), hash=view["hash"])["view"]
    assert newer["hash"] != view["hash"]
    with pytest.raises(SlackApiError, match="hash_conflict"):
        slack.web.views_update(view_id=view["id"], view=modal("three"), hash=view["hash"])
    assert titles(slack) == ["two"]
    slack.web.views_update(view_id=view["id"], view=modal("four", external_id="mine"))
    slack.web.views_update(external_id="mine", view=modal("five"))
    assert titles(slack) == ["five"]


def test_a_home_view_is_published_and_replaced(slack: LocalSlack) -> None:
    """Each person has one Home view that keeps its id; a hash guards it too."""
    home = {"type": "home", "blocks": [SECTION]}
    first = slack.web.views_publish(user_id="U0ADA", view=home)["view"]
    second = slack.web.views_publish(user_id="U0ADA", view=home, hash=first["hash"])["view"]
    assert (second["id"], second["type"]) == (first["id"], "home")
    with pytest.raises(SlackApiError, match="hash_conflict"):
        slack.web.views_publish(user_id="U0ADA", view=home, hash=first["hash"])
    assert slack.home("U0BEN") is None


Says = dict[str, Any]


@pytest.mark.parametrize(
    ("body", "answer", "left"),
    [
        ("", {"ok": True}, ["below"]),
        ("{}", {"ok": True}, ["below"]),
        ('{"response_action":"clear"}', {"ok": True, "response_action": "clear"}, []),
        (
            '{"response_action":"errors","errors":{"i":"too short"}}',
            {"ok": True, "response_action": "errors", "errors": {"i": "too short"}},
            ["below", "M"],
        ),
    ],
)
def test_answers_to_a_submission(slack: LocalSlack, app: Listener, body: str, answer: Says, left: list[str]) -> None:
    """Nothing closes the view, clear closes all, errors keep it open with its texts."""
    top = pushed(slack, opened(slack, modal("below")))
    app.answer = lambda heard: Answer(body=body, headers={"content-type": "application/json"})
    assert slack.submit(top, {"t": "x"}) == answer
    assert titles(slack) == left


@pytest.mark.parametrize(("action", "left"), [("update", ["M2"]), ("push", ["M", "M2"])])
def test_an_answer_brings_a_view(slack: LocalSlack, app: Listener, action: str, left: list[str]) -> None:
    """update replaces the submitted view, push stands on it."""
    view = opened(slack)
    app.answer = lambda heard: Answer(body=json.dumps({"response_action": action, "view": modal("M2")}))
    assert slack.submit(view, {"t": "x"})["view"]["title"]["text"] == "M2"
    assert titles(slack) == left


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("ok", "invalid_response"),
        ("{broken", "invalid_response"),
        ("[]", "invalid_response"),
        ('{"response_action":"sing"}', "invalid_response_action"),
        ('{"response_action":"update"}', "invalid_arguments"),
        ('{"response_action":"push","view":{"type":"home","blocks":[]}}', "invalid_arguments"),
        ('{"response_action":"errors"}', "invalid_errors"),
        ('{"response_action":"errors","errors":{"nowhere":"x"}}', "invalid_errors"),
        ('{"response_action":"errors","errors":{"s":"no input"}}', "invalid_errors"),
        ('{"response_action":"errors","errors":{"i":1}}', "invalid_errors"),
    ],
)
def test_an_answer_that_slack_cannot_use(slack: LocalSlack, app: Listener, body: str, error: str) -> None:
    """The person reads Slack's sentence with the reason, and the view stays as it was."""
    view = opened(slack)
    app.answer = lambda heard: Answer(body=body)
    told = slack.submit(view, {"t": "x"})
    assert (told["ok"], told["error"]) == (False, error)
    assert told["detail"].startswith("We had some trouble connecting. Try again?")
    assert titles(slack) == ["M"]


def test_a_fourth_view_by_answer_is_refused(slack: LocalSlack, app: Listener) -> None:
    """push in an answer obeys the stack of three too."""
    third = pushed(slack, pushed(slack, opened(slack)))
    app.answer = lambda heard: Answer(body=json.dumps({"response_action": "push", "view": modal()}))
    assert slack.submit(third, {"t": "x"})["error"] == "push_limit_reached"
    assert len(slack.views()) == 3


@pytest.mark.parametrize(
    ("below", "top", "told", "cleared"),
    [
        ({}, {}, [], None),
        ({"notify_on_close": True}, {}, [], None),
        ({"notify_on_close": True}, {"notify_on_close": True}, ["top"], False),
        ({"notify_on_close": True}, {"notify_on_close": True, "clear_on_close": True}, ["top", "below"], True),
    ],
)
def test_closing_is_told_where_asked(
    slack: LocalSlack, app: Listener, below: Json, top: Json, told: list[str], cleared: bool | None
) -> None:
    """view_closed comes for each view that went and asked for it; is_cleared says that all went."""
    shown = pushed(slack, opened(slack, modal("below", **below)), modal("top", **top))
    slack.act("view_close", user="U0ADA", view_id=shown["id"])
    heard = app.payloads("view_closed")
    assert [payload["view"]["title"]["text"] for payload in heard] == told
    assert {payload["is_cleared"] for payload in heard} == ({cleared} if told else set())
    assert titles(slack) == ([] if top.get("clear_on_close") else ["below"])


def test_a_silent_app_leaves_the_view_open(slack: LocalSlack, app: Listener) -> None:
    """Without an acknowledgement in time the person reads Slack's sentence and can submit again."""
    view = opened(slack)
    app.answer = lambda heard: Answer(status=500)
    told = slack.submit(view, {"t": "x"})
    assert (told["error"], told["detail"]) == ("http_service_error", "We had some trouble connecting. Try again?")
    app.answer = lambda heard: Answer()
    assert slack.submit(view, {"t": "x"}) == {"ok": True}


def test_a_chosen_conversation_brings_its_address(slack: LocalSlack, app: Listener) -> None:
    """A select with response_url_enabled adds an address for the chosen channel, which posts there."""
    element = {"type": "conversations_select", "action_id": "c", "response_url_enabled": True}
    block = {"type": "input", "block_id": "w", "label": plain("Where"), "element": element}
    view = opened(slack, modal(blocks=[block]))
    assert slack.submit(view, {"c": "C0TUNING"}) == {"ok": True}
    url = wait_for(lambda: app.payloads("view_submission"), what="the submission")[0]["response_urls"][0]
    assert set(url) == {"response_url", "block_id", "action_id", "channel_id"}
    slack.http.post(url["response_url"], json={"text": "there", "response_type": "in_channel"})
    assert [message["text"] for message in slack.messages("C0TUNING")] == ["there"]
