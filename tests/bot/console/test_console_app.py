"""An ordinary third-party Bolt app runs against the local Slack unchanged."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from slack_bolt import App
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from tests.bot.console.third_party import Connected, Ear, bolt_listener
from tests.console import APP_TOKEN, BOT_TOKEN, NOWHERE, SIGNING_SECRET, LocalSlack, local_slack, wait_for

__all__ = ["local_slack"]


def text(words: str) -> Any:
    return {"type": "plain_text", "text": words}


def button(words: str, action_id: str, **more: Any) -> Any:
    return {"type": "button", "text": text(words), "action_id": action_id, "value": f"value of {action_id}", **more}


def modal(title: str, *blocks: Any, **more: Any) -> Any:
    shown = list(blocks) or [{"type": "section", "text": text("Nothing to fill in")}]
    return {"type": "modal", "title": text(title), "submit": text("Go"), "callback_id": title, "blocks": shown, **more}


def field(action_id: str, **more: Any) -> Any:
    element = {"type": "plain_text_input", "action_id": action_id, **more}
    return {"type": "input", "block_id": f"b_{action_id}", "label": text(action_id), "element": element}


class Journal:
    """What the app's listeners noted."""

    def __init__(self) -> None:
        self.notes: dict[str, Any] = {}


@pytest.fixture
def journal() -> Journal:
    return Journal()


@pytest.fixture(params=["signed HTTP", "Socket Mode"])
def bolt(local_slack: LocalSlack, journal: Journal, request: pytest.FixtureRequest) -> Iterator[Ear]:
    """A small Bolt app with a bit of everything, connected to the local Slack in either way, the app unchanged."""
    app = App(
        name="luthier",
        signing_secret=SIGNING_SECRET,
        client=WebClient(token=BOT_TOKEN, base_url=f"{local_slack.url}/api/"),
    )
    for register in (hear_events, hear_clicks, hear_views, hear_commands):
        register(app, journal.notes)
    ear = listen(app, local_slack) if request.param == "signed HTTP" else Connected(app, APP_TOKEN)
    yield ear
    ear.stop()


def listen(app: App, slack: LocalSlack) -> Ear:
    listener = bolt_listener(app)
    slack.point_at(listener.url)
    return listener


def hear_events(app: App, notes: dict[str, Any]) -> None:
    @app.event("app_mention")
    def mentioned(event: Any, say: Any) -> None:
        elements = [
            button("Open", "open"),
            button("Twice", "twice"),
            button("Answer", "answer"),
            button("Slow", "slow"),
        ]
        blocks = [{"type": "actions", "elements": elements}]
        say(text=f"hello <@{event['user']}>", thread_ts=event["ts"], blocks=blocks)

    @app.event("message")
    def said(event: Any, client: Any) -> None:
        notes.setdefault("messages", []).append(event)

    @app.event("app_home_opened")
    def opened_home(event: Any, client: Any) -> None:
        if event["tab"] == "home":
            blocks = [{"type": "actions", "elements": [button("Refresh", "refresh")]}]
            client.views_publish(user_id=event["user"], view={"type": "home", "blocks": blocks})


def hear_clicks(app: App, notes: dict[str, Any]) -> None:
    @app.action("refresh")
    def refresh(ack: Any, body: Any) -> None:
        ack()
        notes["refresh"] = body

    @app.action("open")
    def opened(ack: Any, body: Any, client: Any) -> None:
        ack()
        notes["open"] = body
        client.views_open(trigger_id=body["trigger_id"], view=modal("Form", field("name"), notify_on_close=True))

    @app.action("twice")
    def twice(ack: Any, body: Any, client: Any) -> None:
        ack()
        client.views_open(trigger_id=body["trigger_id"], view=modal("First"))
        with pytest.raises(SlackApiError) as caught:
            client.views_open(trigger_id=body["trigger_id"], view=modal("Second"))
        notes["twice"] = caught.value.response["error"]

    @app.action("answer")
    def answers(ack: Any, body: Any, respond: Any) -> None:
        ack()
        notes["url"] = body["response_url"]
        respond("only for you")
        respond(replace_original=True, text="replaced")
        respond(response_type="in_channel", text="for all")

    @app.action("slow")
    def slow(ack: Any) -> None:
        time.sleep(0.9)
        ack()


def hear_views(app: App, notes: dict[str, Any]) -> None:
    @app.view("Form")
    def submitted(ack: Any, view: Any, body: Any) -> None:
        notes["view"] = view
        value = view["state"]["values"]["b_name"]["name"]["value"]
        if value == "bad":
            ack(response_action="errors", errors={"b_name": "Not this one."})
        elif value == "more":
            ack(response_action="push", view=modal("Form", field("name")))
        elif value == "other":
            ack(response_action="update", view=modal("Other"))
        elif value == "all":
            ack(response_action="clear")
        else:
            ack()

    @app.view("Other")
    def other(ack: Any) -> None:
        ack()

    @app.view_closed("Form")
    def closed(ack: Any, body: Any) -> None:
        ack()
        notes["closed"] = body


def hear_commands(app: App, notes: dict[str, Any]) -> None:
    @app.command("/tune")
    def tune(ack: Any, body: Any) -> None:
        notes["command"] = body
        ack("private answer") if body["text"] != "loud" else ack(text="public answer", response_type="in_channel")

    @app.options("find")
    def find(ack: Any, payload: Any) -> None:
        value = payload["value"]
        ack(options=[{"text": text(f"{value}!"), "value": value}])


def card(slack: LocalSlack, user: str = "U0ADA") -> Any:
    """The message with buttons that the app answers to a mention."""
    asked = slack.send("hey @Luthier", user=user)
    return slack.wait_message(f"hello <@{user}>", thread_ts=asked["ts"], user=user)


def test_a_mention_makes_both_events_and_an_answer(local_slack: LocalSlack, bolt: Ear) -> None:
    """One mention reaches the app as app_mention and as message, with Slack's fields; the answer is a thread reply."""
    message = card(local_slack)
    assert message["text"] == "hello <@U0ADA>"
    mention, said = bolt.events("app_mention")[0], bolt.events("message")[0]
    assert mention["ts"] == said["ts"] == message["thread_ts"]
    assert (said["channel"], said["channel_type"], said["user"]) == ("C0ASK", "channel", "U0ADA")
    assert said["text"] == "hey <@U0LUTHIER>"
    assert said["blocks"][0]["elements"][0]["elements"][1] == {"type": "user", "user_id": "U0LUTHIER"}
    envelope = bolt.heard[0].body
    assert (envelope["team_id"], envelope["api_app_id"], envelope["type"]) == (
        "T0NORTHWIND",
        "A0LUTHIER",
        "event_callback",
    )
    assert envelope["authorizations"][0]["user_id"] == "U0LUTHIER"
    assert len({heard.body["event_id"] for heard in bolt.heard}) == len(bolt.heard)


def test_the_apps_own_messages_are_events_with_its_bot_id(local_slack: LocalSlack, bolt: Ear) -> None:
    """What the app posts comes back as a message event with bot_id, and starts no second answer."""
    card(local_slack)
    own = wait_for(lambda: [e for e in bolt.events("message") if e.get("bot_id")], what="the app's own message")
    assert (own[0]["bot_id"], own[0]["user"], own[0]["app_id"]) == ("B0LUTHIER", "U0LUTHIER", "A0LUTHIER")
    assert len(bolt.events("app_mention")) == 1


def test_a_direct_message_is_no_mention(local_slack: LocalSlack, bolt: Ear) -> None:
    """In a direct message only message.im comes, even where the app is mentioned."""
    local_slack.dm("@Luthier hi")
    said = wait_for(lambda: bolt.events("message"), what="the message")
    assert (said[0]["channel"], said[0]["channel_type"]) == ("D0ADA", "im")
    local_slack.send("plain")
    wait_for(lambda: len(bolt.events("message")) == 2, what="the second message")
    assert bolt.events("app_mention") == []


def test_a_click_opens_a_form_and_its_values_arrive(local_slack: LocalSlack, bolt: Ear, journal: Journal) -> None:
    """block_actions carry container, message and action; the modal's values come with the submission."""
    message = card(local_slack)
    assert local_slack.click(message, "Open") == {"ok": True}
    view = local_slack.wait_view()
    body = journal.notes["open"]
    assert body["container"] == {
        "type": "message",
        "message_ts": message["ts"],
        "channel_id": "C0ASK",
        "is_ephemeral": False,
        "thread_ts": message["thread_ts"],
    }
    assert body["message"]["text"] == message["text"]
    action = body["actions"][0]
    assert (action["type"], action["value"], action["text"]["text"]) == ("button", "value of open", "Open")
    assert action["action_ts"]
    refused = local_slack.submit(view, {"name": ""})
    assert refused["errors"] == {"b_name": "Please complete this required field."}
    assert local_slack.submit(view, {"name": "bad"})["errors"] == {"b_name": "Not this one."}
    assert local_slack.submit(view, {"name": "Ada"}) == {"ok": True}
    assert journal.notes["view"]["state"]["values"]["b_name"]["name"] == {"type": "plain_text_input", "value": "Ada"}
    assert local_slack.views() == []
    assert local_slack.submit(view, {"name": "again"})["error"] == "view_not_found"


def test_a_form_pushes_updates_and_clears(local_slack: LocalSlack, bolt: Ear) -> None:
    """push stacks up to three views, update replaces the top one, clear closes all."""
    local_slack.click(card(local_slack), "Open")
    first = local_slack.wait_view()
    assert local_slack.submit(first, {"name": "more"})["response_action"] == "push"
    second = local_slack.views()[-1]
    assert (second["previous_view_id"], second["root_view_id"]) == (first["id"], first["id"])
    local_slack.submit(second, {"name": "more"})
    third = local_slack.views()[-1]
    assert local_slack.submit(third, {"name": "more"})["error"] == "push_limit_reached"
    assert len(local_slack.views()) == 3
    answer = local_slack.submit(third, {"name": "other"})
    assert answer["view"]["title"]["text"] == "Other"
    assert local_slack.views()[-1]["id"] == third["id"]
    assert local_slack.submit(second, {"name": "all"})["response_action"] == "clear"
    assert local_slack.views() == []


def test_closing_tells_the_app_where_it_asked(local_slack: LocalSlack, bolt: Ear, journal: Journal) -> None:
    """notify_on_close sends view_closed."""
    local_slack.click(card(local_slack), "Open")
    view = local_slack.wait_view()
    local_slack.act("view_close", user="U0ADA", view_id=view["id"])
    assert local_slack.views() == []
    assert journal.notes["closed"]["view"]["id"] == view["id"]
    assert journal.notes["closed"]["is_cleared"] is False


def test_a_trigger_opens_one_view_only(local_slack: LocalSlack, bolt: Ear, journal: Journal) -> None:
    """The second use of a trigger id is refused."""
    local_slack.click(card(local_slack), "Twice")
    wait_for(lambda: journal.notes.get("twice"), what="the second use")
    assert journal.notes["twice"] == "exchanged_trigger_id"
    assert [view["title"]["text"] for view in local_slack.views()] == ["First"]


def test_a_response_url_answers_replaces_and_ends(local_slack: LocalSlack, bolt: Ear, journal: Journal) -> None:
    """Five uses: private by default, replacing where asked, public where asked; the sixth is refused."""
    message = card(local_slack)
    local_slack.click(message, "Answer")
    thread = message["thread_ts"]
    local_slack.wait_message("for all", thread_ts=thread)
    shown = local_slack.messages(thread_ts=thread)
    assert [(m["text"], m.get("is_ephemeral", False)) for m in shown[1:]] == [
        ("replaced", False),
        ("only for you", True),
        ("for all", False),
    ]
    url = journal.notes["url"]
    assert [local_slack.http.post(url, json={"text": "x"}).status_code for _ in range(3)] == [200, 200, 404]
    assert local_slack.http.post(url, json={"text": "x"}).json()["error"] == "used_url"


def test_a_late_app_gives_the_clicker_an_error(local_slack: LocalSlack, bolt: Ear) -> None:
    """No acknowledgement in time is operation_timeout; no app at all is dispatch_failed."""
    message = card(local_slack)
    local_slack.site.http.ack_seconds = local_slack.site.sockets.ack_seconds = 0.3
    late = local_slack.click(message, "Slow")
    assert (late["ok"], late["error"]) == (False, "operation_timeout")
    bolt.stop()
    local_slack.point_at(NOWHERE)
    assert local_slack.click(message, "Open")["error"] == "dispatch_failed"
    assert local_slack.command("/tune help")["error"] == "dispatch_failed"
    assert local_slack.messages()[-1]["text"] == '/tune failed with the error "dispatch_failed"'


def test_a_button_that_is_gone_says_so(local_slack: LocalSlack, bolt: Ear) -> None:
    """Clicking what has been replaced, or somebody else's ephemeral message, is refused."""
    message = card(local_slack)
    local_slack.web.chat_update(channel="C0ASK", ts=message["ts"], text="done")
    assert local_slack.click(message, "Open")["error"] == "block_not_found"
    blocks = [{"type": "actions", "elements": [button("Open", "open")]}]
    ts = local_slack.web.chat_postEphemeral(channel="C0ASK", user="U0ADA", text="x", blocks=blocks)["message_ts"]
    private = next(each for each in local_slack.messages() if each["ts"] == ts)
    assert local_slack.click(private, "Open", user="U0BEN")["error"] == "message_not_found"
    assert local_slack.click(private, "Open")["ok"]
    payload = bolt.payloads("block_actions")[-1]
    assert (payload["container"]["is_ephemeral"], "message" in payload) == (True, False)


def test_buttons_for_some_people_refuse_others(local_slack: LocalSlack, bolt: Ear) -> None:
    """visible_to_user_ids is checked here too, not by the page alone."""
    blocks = [{"type": "actions", "elements": [button("Open", "open", visible_to_user_ids=["U0BEN"])]}]
    local_slack.web.chat_postMessage(channel="C0ASK", text="x", blocks=blocks)
    message = local_slack.messages()[-1]
    assert local_slack.click(message, "Open", user="U0ADA")["error"] == "not_allowed"
    assert local_slack.click(message, "Open", user="U0BEN")["ok"]


def test_a_command_answers_in_private_or_aloud(local_slack: LocalSlack, bolt: Ear, journal: Journal) -> None:
    """A command carries Slack's form fields; its answer is ephemeral unless it says in_channel."""
    assert local_slack.command("/tune what now") == {"ok": True}
    form = journal.notes["command"]
    assert (form["command"], form["text"], form["user_name"], form["channel_name"]) == (
        "/tune",
        "what now",
        "ada",
        "ask-luthier",
    )
    local_slack.command("/tune loud", user="U0BEN")
    assert [message["text"] for message in local_slack.messages()] == ["private answer", "public answer"]
    assert [message["text"] for message in local_slack.messages(user="U0CHI")] == ["public answer"]
    assert local_slack.command("/nothing")["error"] == "unknown_command"
    assert "not a valid command" in local_slack.messages()[-1]["text"]


def test_home_is_published_and_clicked(local_slack: LocalSlack, bolt: Ear, journal: Journal) -> None:
    """Opening Home makes the app publish; a click there carries the view and no response_url."""
    assert local_slack.home() is None
    local_slack.act("home_opened", user="U0ADA", tab="home")
    view = wait_for(local_slack.home, what="the Home view")
    assert local_slack.click(view, "Refresh") == {"ok": True}
    wait_for(lambda: "refresh" in journal.notes, what="the click")
    assert journal.notes["refresh"]["view"]["id"] == view["id"]
    assert "response_url" not in journal.notes["refresh"]
    assert local_slack.home("U0BEN") is None


def test_options_come_from_the_app(local_slack: LocalSlack, bolt: Ear) -> None:
    """An external select asks the app for what was typed."""
    select = {"type": "external_select", "action_id": "find", "min_query_length": 1}
    blocks = [{"type": "actions", "block_id": "b", "elements": [select]}]
    ts = local_slack.web.chat_postMessage(channel="C0ASK", text="x", blocks=blocks)["ts"]
    asked = {"channel": "C0ASK", "message_ts": ts, "block_id": "b", "action_id": "find", "value": "ab"}
    assert local_slack.act("options", user="U0ADA", **asked)["options"] == [{"text": text("ab!"), "value": "ab"}]


def test_edits_and_deletions_are_events(local_slack: LocalSlack, bolt: Ear, journal: Journal) -> None:
    """message_changed and message_deleted carry the message as it was."""
    ts = local_slack.web.chat_postMessage(channel="C0ASK", text="one")["ts"]
    local_slack.web.chat_update(channel="C0ASK", ts=ts, text="two")
    local_slack.web.chat_delete(channel="C0ASK", ts=ts)

    def subtypes() -> Any:
        found = {event.get("subtype"): event for event in bolt.events("message")}
        return found if {"message_changed", "message_deleted"} <= found.keys() else None

    found = wait_for(subtypes, what="both events")
    changed, deleted = found["message_changed"], found["message_deleted"]
    assert (changed["message"]["text"], changed["previous_message"]["text"]) == ("two", "one")
    assert (deleted["deleted_ts"], deleted["previous_message"]["text"]) == (ts, "two")


def test_pages_hear_what_they_may_see(local_slack: LocalSlack, bolt: Ear) -> None:
    """Live events reach the people of a channel; an ephemeral message only its reader; views only their owner."""
    with local_slack.events("U0BEN") as seen:
        local_slack.web.chat_postEphemeral(channel="C0ASK", user="U0ADA", text="psst")
        local_slack.dm("secret", user="U0ADA")
        ts = local_slack.web.chat_postMessage(channel="C0ASK", text="for all")["ts"]
        first = next(seen)
        assert (first["type"], first["channel"], first["message"]["text"]) == ("message", "C0ASK", "for all")
        local_slack.web.chat_update(channel="C0ASK", ts=ts, text="changed")
        assert next(seen)["message"]["text"] == "changed"
        local_slack.web.reactions_add(channel="C0ASK", timestamp=ts, name="eyes")
        assert next(seen)["reactions"][0]["name"] == "eyes"
        local_slack.web.chat_delete(channel="C0ASK", ts=ts)
        assert next(seen)["type"] == "message_deleted"


def test_unread_marks_count_what_others_wrote(local_slack: LocalSlack, bolt: Ear) -> None:
    """Messages of others count until the channel is read."""

    def unread(user: str) -> int:
        channels = local_slack.page("boot", user=user)["channels"]
        return next(channel["unread"] for channel in channels if channel["id"] == "C0ASK")

    local_slack.send("one", user="U0ADA")
    last = local_slack.send("two", user="U0ADA")["ts"]
    assert (unread("U0ADA"), unread("U0BEN")) == (0, 2)
    local_slack.act("read", user="U0BEN", channel="C0ASK", ts=last)
    assert unread("U0BEN") == 0
