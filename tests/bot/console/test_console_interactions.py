"""What reaches an app when people click, pick, type, submit and close: payloads key by key, answers, limits."""

import json
from pathlib import Path
from typing import Any

import pytest

from bot.console.manifest import Manifest
from tests.bot.console.hand import Hand
from tests.bot.console.pairs import Pair
from tests.bot.console.parts import plain
from tests.bot.console.third_party import Answer, Listener, recorder
from tests.console import LocalSlack, wait_for

Json = dict[str, Any]
TEAM = {"id", "domain"}
USER = {"id", "username", "name", "team_id"}
SHARED = {"type", "enterprise", "team", "user", "token", "is_enterprise_install"}
VIEW = {"id", "team_id", "type", "title", "submit", "close", "blocks", "private_metadata", "callback_id", "external_id"}
VIEW |= {"state", "hash", "clear_on_close", "notify_on_close", "submit_disabled", "root_view_id", "previous_view_id"}
VIEW |= {"app_id", "app_installed_team_id", "bot_id"}
IN_MESSAGE = {"api_app_id", "container", "channel", "message"}
KEYS = {
    "block_actions": SHARED | IN_MESSAGE | {"trigger_id", "response_url", "state", "actions"},
    "block_suggestion": SHARED | IN_MESSAGE | {"action_id", "block_id", "value"},
    "view_submission": SHARED | {"api_app_id", "trigger_id", "view", "response_urls"},
    "view_closed": SHARED | {"api_app_id", "view", "is_cleared"},
    "shortcut": SHARED | {"callback_id", "trigger_id", "action_ts"},
    "message_action": SHARED
    | {"callback_id", "trigger_id", "action_ts", "message_ts", "response_url", "message", "channel"},
}
"""Top-level keys after json-logs/samples/app-backend of slackapi/java-slack-sdk (what only workflows have left out)."""
COMMAND = {"token", "api_app_id", "team_id", "team_domain", "channel_id", "channel_name", "user_id", "user_name"}
COMMAND |= {"command", "text", "response_url", "trigger_id", "is_enterprise_install"}


def option(value: str) -> Json:
    return {"text": plain(value.upper()), "value": value}


def kept(value: str) -> Json:
    """An option as Slack keeps and sends it."""
    return {"text": {**plain(value.upper()), "emoji": True}, "value": value}


@pytest.fixture
def slack(running: Pair) -> LocalSlack:
    """The local Slack, with no message or modal that an earlier test left."""
    space = running[0].space
    for row in space.store.history("C0ASK", viewer="U0ADA"):
        space.store.remove_message(row.channel, row.ts)
    return running[0]


def posted(slack: LocalSlack, *elements: Json, **more: Any) -> Json:
    blocks = [{"type": "actions", "block_id": "b", "elements": list(elements)}]
    slack.web.chat_postMessage(channel="C0ASK", text="card", blocks=blocks, **more)
    return slack.messages()[-1]


ELEMENTS: list[tuple[Json, Json, Json]] = [
    (
        {"type": "button", "text": plain("Go"), "value": "v", "style": "primary"},
        {"value": "forged", "text": "forged"},
        {"text": {**plain("Go"), "emoji": True}, "value": "v", "style": "primary"},
    ),
    (
        {"type": "static_select", "options": [option("a"), option("b")], "placeholder": plain("Pick")},
        {"selected_option": {"value": "b", "text": plain("forged")}},
        {"selected_option": kept("b"), "placeholder": {**plain("Pick"), "emoji": True}},
    ),
    (
        {"type": "static_select", "options": [option("a")], "initial_option": option("a")},
        {"selected_option": {"value": "a"}},
        {"selected_option": kept("a"), "initial_option": kept("a")},
    ),
    (
        {"type": "overflow", "options": [option("a"), option("b")]},
        {"selected_option": {"value": "a"}},
        {"selected_option": kept("a")},
    ),
    (
        {"type": "checkboxes", "options": [option("a"), option("b")]},
        {"selected_options": [{"value": "b"}]},
        {"selected_options": [kept("b")]},
    ),
    (
        {"type": "radio_buttons", "options": [option("a")]},
        {"selected_option": {"value": "a"}},
        {"selected_option": kept("a")},
    ),
    ({"type": "users_select"}, {"selected_user": "U0BEN"}, {"selected_user": "U0BEN"}),
    ({"type": "channels_select"}, {"selected_channel": "C0ASK"}, {"selected_channel": "C0ASK"}),
    ({"type": "conversations_select"}, {"selected_conversation": "D0ADA"}, {"selected_conversation": "D0ADA"}),
    ({"type": "multi_users_select"}, {"selected_users": ["U0BEN"]}, {"selected_users": ["U0BEN"]}),
    (
        {"type": "datepicker", "initial_date": "2026-11-01"},
        {"selected_date": "2026-11-22"},
        {"selected_date": "2026-11-22", "initial_date": "2026-11-01"},
    ),
    ({"type": "timepicker"}, {"selected_time": "09:30"}, {"selected_time": "09:30"}),
    ({"type": "datetimepicker"}, {"selected_date_time": 1_790_000_000}, {"selected_date_time": 1_790_000_000}),
]


@pytest.mark.parametrize(("element", "used", "entry"), ELEMENTS, ids=lambda each: each.get("type", "") or None)
def test_an_entry_of_actions_is_the_elements_own(
    slack: LocalSlack, app: Listener, element: Json, used: Json, entry: Json
) -> None:
    """`actions[0]` has what Slack sends of each element; texts come from the block, whatever the page sent."""
    part = {**element, "action_id": "a"}
    block = {"type": "section", "block_id": "b", "text": plain("x"), "accessory": part}
    if element["type"] == "datetimepicker":
        block = {"type": "actions", "block_id": "b", "elements": [part]}
    slack.web.chat_postMessage(channel="C0ASK", text="card", blocks=[block])
    assert slack.click(slack.messages()[-1], "a", **used) == {"ok": True}
    payload = app.payloads("block_actions")[0]
    action = dict(payload["actions"][0])
    assert action.pop("action_ts")
    assert action == {"type": element["type"], "block_id": "b", "action_id": "a", **entry}
    if element["type"] not in ("button", "overflow"):
        value = payload["state"]["values"]["b"]["a"]
        assert {key: entry[key] for key in value if key != "type"} == {k: v for k, v in value.items() if k != "type"}


FEEDBACK = {
    "type": "feedback_buttons",
    "action_id": "f",
    "positive_button": {"text": plain("Good"), "value": "good"},
    "negative_button": {"text": plain("Bad"), "value": "bad"},
}


def test_feedback_says_which_button(slack: LocalSlack, app: Listener) -> None:
    """The entry has the text and value of the button that was pressed; a third value is refused."""
    blocks = [{"type": "context_actions", "block_id": "b", "elements": [FEEDBACK]}]
    slack.web.chat_postMessage(channel="C0ASK", text="x", blocks=blocks)
    message = slack.messages()[-1]
    assert slack.click(message, "f", value="bad")["ok"]
    action = app.payloads("block_actions")[0]["actions"][0]
    assert (action["value"], action["text"]["text"]) == ("bad", "Bad")
    assert slack.click(message, "f", value="meh")["error"] == "invalid_arguments"


@pytest.mark.parametrize(
    ("element", "used"),
    [
        ({"type": "static_select", "options": [option("a")]}, {"selected_option": {"value": "z"}}),
        ({"type": "overflow", "options": [option("a")]}, {"selected_option": {"value": "z"}}),
        ({"type": "checkboxes", "options": [option("a")]}, {"selected_options": "a"}),
        ({"type": "checkboxes", "options": [option("a")]}, {"selected_options": [{"value": "a"}, {"value": "z"}]}),
        ({"type": "datetimepicker"}, {"selected_date_time": "soon"}),
        ({"type": "users_select"}, {"selected_user": {"id": "U0BEN"}}),
    ],
)
def test_a_choice_that_is_not_offered_is_refused(slack: LocalSlack, app: Listener, element: Json, used: Json) -> None:
    """A value that the element does not have never reaches the app."""
    message = posted(slack, {**element, "action_id": "a"})
    assert slack.click(message, "a", **used)["error"] == "invalid_arguments"
    assert app.payloads("block_actions") == []


def test_payloads_have_slacks_keys(slack: LocalSlack, app: Listener) -> None:
    """Every interaction has exactly the keys of Slack's recorded ones, and so have team, user and view."""
    button = {"type": "button", "action_id": "go", "text": plain("Go")}
    external = {"type": "external_select", "action_id": "find", "min_query_length": 0}
    message = posted(slack, button, external)
    place = {"channel": "C0ASK", "message_ts": message["ts"]}
    slack.click(message, "go")
    slack.act("options", user="U0ADA", block_id="b", action_id="find", value="", **place)
    slack.act("shortcut", user="U0ADA", callback_id="global")
    slack.act("shortcut", user="U0ADA", callback_id="message", **place)
    for act in ("submit", "close"):
        view = modal(slack, app, notify_on_close=True)
        slack.submit(view, {"t": "x"}) if act == "submit" else slack.act("view_close", user="U0ADA", view_id=view["id"])
    wait_for(lambda: app.payloads("view_closed"), what="the last payload")
    for kind, keys in KEYS.items():
        payload = app.payloads(kind)[0]
        assert set(payload) == keys, kind
        assert (set(payload["team"]), set(payload["user"])) == (TEAM, USER)
        assert set(payload.get("view", {})) in (VIEW, set())
    container = app.payloads("block_actions")[0]["container"]
    assert container == {"type": "message", "message_ts": message["ts"], "channel_id": "C0ASK", "is_ephemeral": False}


def test_a_command_has_slacks_fields(slack: LocalSlack, app: Listener) -> None:
    """The form of a command has exactly Slack's fields; a private place has a fixed word for its name."""
    slack.command("/tune help", channel="D0ADA")
    form = app.heard[-1].body
    assert set(form) == COMMAND
    assert (form["channel_name"], form["is_enterprise_install"]) == ("directmessage", "false")


def modal(slack: LocalSlack, app: Listener, **more: Any) -> Any:
    """A modal with one input and one button, opened by Ada."""
    field = {
        "type": "input",
        "block_id": "i",
        "label": plain("T"),
        "element": {"type": "plain_text_input", "action_id": "t"},
    }
    button = {"type": "button", "action_id": "in_view", "text": plain("Go")}
    blocks = [field, {"type": "actions", "block_id": "b", "elements": [button]}]
    trigger = slack.space.triggers.mint("U0ADA")
    view = {"type": "modal", "title": plain("M"), "submit": plain("S"), "blocks": blocks, **more}
    return slack.web.views_open(trigger_id=trigger, view=view)["view"]


def test_a_click_in_a_modal_carries_the_view(slack: LocalSlack, app: Listener) -> None:
    """The view comes with what was typed so far, the container is the view, the trigger pushes onto it."""
    view = modal(slack, app)
    state = {"values": {"i": {"t": {"type": "plain_text_input", "value": "so far"}}}}
    slack.click(view, "in_view", state=state)
    payload = app.payloads("block_actions")[0]
    assert set(payload) == SHARED | {"api_app_id", "container", "trigger_id", "view", "actions"}
    assert payload["container"] == {"type": "view", "view_id": view["id"]}
    assert payload["view"]["state"]["values"]["i"]["t"]["value"] == "so far"
    pushed = slack.web.views_push(trigger_id=payload["trigger_id"], view={**bare(), "title": plain("Two")})["view"]
    assert (pushed["previous_view_id"], pushed["root_view_id"]) == (view["id"], view["id"])


def bare() -> Json:
    return {"type": "modal", "title": plain("N"), "blocks": [{"type": "divider"}]}


def test_buttons_of_attachments_work(slack: LocalSlack, app: Listener) -> None:
    """A click in an attachment's blocks names the attachment."""
    element = {"type": "button", "action_id": "go", "text": plain("Go")}
    blocks = [{"type": "actions", "block_id": "b", "elements": [element]}]
    ts = slack.web.chat_postMessage(channel="C0ASK", text="x", attachments=[{"blocks": blocks}])["ts"]
    used = {"type": "button", "action_id": "go"}
    clicked = slack.act("action", user="U0ADA", channel="C0ASK", message_ts=ts, block_id="b", action=used)
    assert clicked == {"ok": True}
    container = app.payloads("block_actions")[0]["container"]
    assert (container["type"], container["attachment_id"]) == ("message_attachment", 1)


@pytest.mark.parametrize(
    ("least", "query", "asked"), [(None, "ab", 0), (None, "abc", 1), (1, "", 0), (1, "a", 1), (0, "", 1)]
)
def test_a_short_query_does_not_reach_the_app(
    slack: LocalSlack, app: Listener, least: int | None, query: str, asked: int
) -> None:
    """An external select asks from min_query_length on, and from three characters where it has none."""
    app.answer = lambda heard: Answer(body=json.dumps({"options": [option("a")]}))
    limit = {} if least is None else {"min_query_length": least}
    message = posted(slack, {"type": "external_select", "action_id": "find", **limit})
    where = {"channel": "C0ASK", "message_ts": message["ts"], "block_id": "b", "action_id": "find"}
    answer = slack.act("options", user="U0ADA", value=query, **where)
    assert len(app.payloads("block_suggestion")) == asked
    assert answer == {"ok": True, "options": [option("a")] if asked else []}


@pytest.mark.parametrize(
    "body",
    [
        "",
        "no json",
        '{"options": [{"value": "a"}]}',
        '{"option_groups": [{}]}',
        json.dumps({"options": [option("a")] * 101}),
    ],
)
def test_options_that_are_none_are_an_error(slack: LocalSlack, app: Listener, body: str) -> None:
    """An answer without options, with malformed ones or with more than a hundred is told, not shown."""
    app.answer = lambda heard: Answer(body=body)
    message = posted(slack, {"type": "external_select", "action_id": "find", "min_query_length": 0})
    where = {"channel": "C0ASK", "message_ts": message["ts"], "block_id": "b", "action_id": "find"}
    assert slack.act("options", user="U0ADA", value="", **where)["error"] == "invalid_options"


@pytest.mark.parametrize(
    ("seconds", "uses", "error"), [(1800, 5, None), (1800, 6, "used_url"), (1801, 1, "expired_url")]
)
def test_a_response_url_has_five_uses_in_half_an_hour(
    tmp_path: Path, seconds: int, uses: int, error: str | None
) -> None:
    """Five posts within 1,800 seconds are taken; the sixth and one of the next second are refused with 404."""
    hand, app = Hand(), recorder()
    slack = LocalSlack(tmp_path, now=hand, app_url=app.url)
    try:
        slack.command("/tune help")
        url = app.heard[-1].body["response_url"]
        hand.seconds += seconds
        answers = [slack.http.post(url, json={"text": "x"}) for _ in range(uses)]
        assert [answer.status_code for answer in answers[:-1]] == [200] * (uses - 1)
        last = answers[-1]
        assert last.status_code == (404 if error else 200)
        assert error is None or last.json() == {"ok": False, "error": error}
    finally:
        slack.stop()
        app.stop()


def test_a_response_url_refuses_what_is_no_message(slack: LocalSlack, app: Listener) -> None:
    """Malformed JSON, an empty message, unknown response types and bad blocks are refused; nothing is shown."""
    slack.command("/tune help")
    url = app.heard[-1].body["response_url"]
    assert slack.http.post(url, content=b"{").json()["error"] == "invalid_json"
    wrong = ({"text": ""}, {"text": "x", "response_type": "loud"}, {"text": "x", "blocks": [{"type": "song"}]})
    errors = [slack.http.post(url, json=body).json()["error"] for body in wrong]
    assert errors == ["no_text", "invalid_arguments", "invalid_blocks"]
    assert slack.messages() == []


def test_a_response_url_replaces_and_deletes(slack: LocalSlack, app: Listener) -> None:
    """The original is replaced, then deleted; both work for a message that only one person sees, too."""
    button = {"type": "button", "action_id": "go", "text": plain("Go")}
    blocks = [{"type": "actions", "block_id": "b", "elements": [button]}]
    slack.web.chat_postEphemeral(channel="C0ASK", user="U0ADA", text="psst", blocks=blocks)
    posted(slack, button)
    for place in (1, 0):
        slack.click(slack.messages()[place], "go")
        url = app.payloads("block_actions")[-1]["response_url"]
        slack.http.post(url, json={"text": "replaced", "replace_original": True})
        assert slack.messages()[place]["text"] == "replaced"
        slack.http.post(url, json={"delete_original": True})
        assert len(slack.messages()) == place


@pytest.mark.parametrize(
    ("kind", "tab", "events"),
    [
        ("agent", "messages", ["app_home_opened"]),
        ("agent", "home", ["app_home_opened"]),
        ("assistant", "messages", ["app_home_opened", "assistant_thread_started"]),
        ("assistant", "home", ["app_home_opened"]),
        ("", "messages", ["app_home_opened"]),
    ],
)
def test_opening_the_app(tmp_path: Path, kind: str, tab: str, events: list[str]) -> None:
    """Every app hears of its tab; one with assistant_view gets a thread too, and a fresh one only after use."""
    app = recorder()
    slack = LocalSlack(tmp_path, app_url=app.url, manifest=Manifest(kind=kind))
    try:
        for _ in range(2):
            slack.act("home_opened", user="U0ADA", tab=tab)
        wait_for(lambda: all(app.events(name) for name in events), what="the events")
        opened = app.events("app_home_opened")[0]
        assert (opened["tab"], opened["channel"], opened["user"]) == (tab, "D0ADA", "U0ADA")
        started = app.events("assistant_thread_started")
        assert len(started) == ("assistant_thread_started" in events)
        if started:
            thread = started[0]["assistant_thread"]
            assert set(thread) == {"user_id", "context", "channel_id", "thread_ts"}
            slack.dm("hello", thread_ts=thread["thread_ts"])
            slack.act("home_opened", user="U0ADA", tab=tab)
            wait_for(lambda: len(app.events("assistant_thread_started")) == 2, what="a second thread")
    finally:
        slack.stop()
        app.stop()


def test_going_elsewhere_tells_the_app(tmp_path: Path) -> None:
    """An agent hears app_context_changed, an app of the older kind the context of its thread, any other nothing."""
    names = {"agent": "app_context_changed", "assistant": "assistant_thread_context_changed", "": ""}
    for kind, name in names.items():
        app = recorder()
        slack = LocalSlack(tmp_path / kind, app_url=app.url, manifest=Manifest(kind=kind))
        slack.act("home_opened", user="U0ADA", tab="messages")
        slack.act("viewing", user="U0ADA", channel="C0TUNING")
        if kind:
            event = wait_for(lambda app=app, name=name: app.events(name), what=name)[0]
            text = json.dumps(event)
            assert "C0TUNING" in text
            assert "T0NORTHWIND" in text
        slack.stop()
        app.stop()
        assert bool(kind) == any(app.events(each) for each in names.values() if each)
