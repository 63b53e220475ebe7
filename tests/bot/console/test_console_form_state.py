"""What a form sends: the value of every kind of input as Slack's payloads hold it, entered, empty and by default."""

from collections.abc import Iterator
from typing import Any

import pytest

from bot.console.blocks import normalised
from bot.console.elements import INPUTS
from bot.console.form_state import refusals, state_of
from bot.console.wire import SlackError
from tests.bot.console import samples as s
from tests.console import LocalSlack

TWO = s.choices(2)
KEPT = [{"text": {**option["text"], "emoji": True}, "value": option["value"]} for option in TWO]
RICH = s.rich({"type": "text", "text": "bold", "style": {"bold": True}})
KINDS: list[tuple[Any, str, Any, Any, Any]] = [
    ({"type": "plain_text_input"}, "value", "", None, "typed"),
    ({"type": "email_text_input"}, "value", "", None, "a@b.c"),
    ({"type": "url_text_input"}, "value", "", None, "https://x.y"),
    ({"type": "number_input", "is_decimal_allowed": True}, "value", "", None, "1.5"),
    ({"type": "rich_text_input"}, "rich_text_value", {"type": "rich_text", "elements": []}, None, RICH),
    ({"type": "datepicker"}, "selected_date", None, None, "2026-11-22"),
    ({"type": "timepicker"}, "selected_time", None, None, "09:30"),
    ({"type": "datetimepicker"}, "selected_date_time", None, None, 1763800000),
    ({"type": "static_select", "options": TWO}, "selected_option", None, None, KEPT[1]),
    ({"type": "radio_buttons", "options": TWO}, "selected_option", None, None, KEPT[1]),
    ({"type": "external_select"}, "selected_option", None, None, TWO[0]),
    ({"type": "users_select"}, "selected_user", None, None, "U0ADA"),
    ({"type": "channels_select"}, "selected_channel", None, None, "C0ASK"),
    ({"type": "conversations_select"}, "selected_conversation", None, None, "C0ASK"),
    ({"type": "checkboxes", "options": TWO}, "selected_options", [], [], [KEPT[1]]),
    ({"type": "multi_static_select", "options": TWO}, "selected_options", [], [], KEPT),
    ({"type": "multi_external_select"}, "selected_options", [], [], TWO),
    ({"type": "multi_users_select"}, "selected_users", [], [], ["U0ADA"]),
    ({"type": "multi_channels_select"}, "selected_channels", [], [], ["C0ASK"]),
    ({"type": "multi_conversations_select"}, "selected_conversations", [], [], ["C0ASK"]),
]
"""An element, the key of its value, what the page sends for nothing, what the app gets for it, and a value."""


@pytest.fixture(scope="module")
def local_slack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalSlack]:
    """One local Slack for all forms; it holds the files."""
    running = LocalSlack(tmp_path_factory.mktemp("forms"), retry_delays=())
    yield running
    running.stop()


def stated(slack: LocalSlack, element: Any, entered: Any = None, **block: Any) -> tuple[Any, dict[str, str]]:
    """The state of one element, and what would keep the form from being sent."""
    blocks = normalised([s.entry({**element, "action_id": "a"}, block_id="b", **block)])
    given = None if entered is None else {"values": {"b": {"a": entered}}}
    state = state_of(slack.space, blocks, given)
    return state["values"]["b"]["a"], refusals(blocks, state)


def test_every_kind_of_input_has_its_value(local_slack: LocalSlack) -> None:
    """Entered, emptied and untouched, the value has Slack's key and Slack's empty form."""
    named = {element["type"] for element, *_ in KINDS} | {"file_input"}
    assert named == INPUTS
    for element, key, nothing, empty, value in KINDS:
        kind = element["type"]
        assert stated(local_slack, element, {key: value})[0] == {"type": kind, key: value}
        assert stated(local_slack, element, {key: nothing})[0] == {"type": kind, key: empty}
        assert stated(local_slack, element)[0] == {"type": kind, key: empty}
        assert stated(local_slack, element)[1] == {"b": "Please complete this required field."}
        assert stated(local_slack, element, optional=True)[1] == {}
        assert stated(local_slack, element, {key: value})[1] == {}


INITIAL = [
    ({"type": "plain_text_input", "initial_value": "x"}, "value", "x"),
    ({"type": "number_input", "is_decimal_allowed": False, "initial_value": "7"}, "value", "7"),
    ({"type": "rich_text_input", "initial_value": RICH}, "rich_text_value", RICH),
    ({"type": "static_select", "options": TWO, "initial_option": TWO[1]}, "selected_option", KEPT[1]),
    ({"type": "checkboxes", "options": TWO, "initial_options": TWO}, "selected_options", KEPT),
    ({"type": "multi_users_select", "initial_users": ["U1"]}, "selected_users", ["U1"]),
    ({"type": "datetimepicker", "initial_date_time": 1763800000}, "selected_date_time", 1763800000),
    ({"type": "timepicker", "initial_time": "11:40"}, "selected_time", "11:40"),
]


def test_what_nobody_touched_has_its_first_value(local_slack: LocalSlack) -> None:
    """Defaults are sent like entered values, and can be emptied."""
    for element, key, value in INITIAL:
        assert stated(local_slack, element)[0][key] == value
        assert not stated(local_slack, element, {key: None})[0][key]


def test_options_are_the_apps_own(local_slack: LocalSlack) -> None:
    """Only the value of a choice counts: its words come from the view, and what the view no longer has is nothing."""
    one, several = {"type": "static_select", "options": TWO}, {"type": "checkboxes", "options": TWO}
    told = {"value": "1", "text": "anything"}
    assert stated(local_slack, one, {"selected_option": told})[0]["selected_option"] == KEPT[1]
    assert stated(local_slack, one, {"selected_option": {"value": "gone"}})[0]["selected_option"] is None
    assert (
        stated(local_slack, several, {"selected_options": [told, {"value": "gone"}]})[0]["selected_options"] == KEPT[1:]
    )


def test_a_time_brings_its_zone(local_slack: LocalSlack) -> None:
    """A time picker with a time zone sends both."""
    element = {"type": "timepicker", "timezone": "America/Chicago"}
    assert stated(local_slack, element, {"selected_time": "09:30"})[0] == {
        "type": "timepicker",
        "selected_time": "09:30",
        "timezone": "America/Chicago",
    }


def test_files_come_as_file_objects(local_slack: LocalSlack) -> None:
    """A file input sends whole file objects for the ids that the page has; no files are an empty list."""
    element = {"type": "file_input", "filetypes": ["csv"]}
    file = local_slack.upload("rows.csv", b"a,b")
    value, wrong = stated(local_slack, element, {"files": [file["id"]]})
    assert (value["files"][0]["name"], wrong) == ("rows.csv", {})
    assert stated(local_slack, element)[0] == {"type": "file_input", "files": []}
    other = local_slack.upload("rows.txt", b"a,b")
    assert "csv" in stated(local_slack, element, {"files": [other["id"]]})[1]["b"]


def test_elements_outside_inputs_are_in_the_state_too(local_slack: LocalSlack) -> None:
    """Menus in sections and actions have a value; buttons and overflow menus have none."""
    blocks = normalised(
        [
            s.section(accessory=s.select(options=TWO), block_id="one"),
            s.actions(s.button(), s.select("overflow", options=TWO), s.select("datepicker", action_id="day"))
            | {"block_id": "two"},
        ]
    )
    assert state_of(local_slack.space, blocks, None)["values"] == {
        "one": {"a": {"type": "static_select", "selected_option": None}},
        "two": {"day": {"type": "datepicker", "selected_date": None}},
    }


@pytest.mark.parametrize(
    ("element", "value", "words"),
    [
        ({"type": "plain_text_input", "min_length": 3}, {"value": "xx"}, "at least 3 characters"),
        ({"type": "plain_text_input", "max_length": 3}, {"value": "xxxx"}, "no more than 3 characters"),
        ({"type": "plain_text_input"}, {"value": "x" * 3001}, "no more than 3000 characters"),
        ({"type": "number_input", "is_decimal_allowed": False}, {"value": "1.5"}, "whole number"),
        ({"type": "number_input", "is_decimal_allowed": True, "min_value": "2"}, {"value": "1"}, "at least 2"),
        ({"type": "number_input", "is_decimal_allowed": True, "max_value": "2"}, {"value": "3"}, "at most 2"),
        ({"type": "email_text_input"}, {"value": "ada"}, "valid email"),
        ({"type": "url_text_input"}, {"value": "x.y"}, "valid URL"),
        ({"type": "datepicker"}, {"selected_date": "22.11.2026"}, "valid date"),
        ({"type": "timepicker"}, {"selected_time": "9:30"}, "valid time"),
        ({"type": "multi_users_select", "max_selected_items": 1}, {"selected_users": ["U1", "U2"]}, "no more than 1"),
    ],
)
def test_the_client_refuses_what_does_not_fit(local_slack: LocalSlack, element: Any, value: Any, words: str) -> None:
    """What Slack's own client would not submit stays in the form with a reason."""
    assert words in stated(local_slack, element, value)[1]["b"]


@pytest.mark.parametrize(
    ("element", "value"),
    [
        ({"type": "plain_text_input"}, {"value": 5}),
        ({"type": "static_select", "options": TWO}, {"selected_option": "0"}),
        ({"type": "static_select", "options": TWO}, {"selected_option": [1]}),
        ({"type": "checkboxes", "options": TWO}, {"selected_options": "0"}),
        ({"type": "multi_users_select"}, {"selected_users": [1]}),
        ({"type": "rich_text_input"}, {"rich_text_value": {"type": "rich_text"}}),
        ({"type": "external_select"}, {"selected_option": {"text": "x"}}),
        ({"type": "datetimepicker"}, {"selected_date_time": "now"}),
        ({"type": "file_input"}, {"files": [7]}),
    ],
)
def test_values_of_another_kind_are_refused(local_slack: LocalSlack, element: Any, value: Any) -> None:
    """A value that the element cannot have is an error of who sent it, never a crash."""
    with pytest.raises(SlackError):
        stated(local_slack, element, value)
