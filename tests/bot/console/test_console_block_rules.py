"""Rules of Block Kit between fields, and where blocks and elements may stand: each refused and each allowed once."""

import json
from typing import Any

import pytest

from bot.console.blocks import KNOWN, SURFACES, block_problems
from bot.console.elements import KINDS
from bot.console.view_rules import view_problems
from tests.bot.console import samples as s

TWO = s.choices(2)


def problems_of(*blocks: Any) -> list[str]:
    """What is wrong with a message of these blocks."""
    return block_problems(list(blocks))


def viewed(*blocks: Any) -> list[str]:
    """What is wrong with a modal."""
    return view_problems(s.modal(*blocks), "modal")


NUMBER = {"is_decimal_allowed": False}
RULES = [
    ("a block needs a type", {}, "missing required field: type [json-pointer:/blocks/0]"),
    ("a block is an object", 7, "must provide an object [json-pointer:/blocks/0]"),
    ("a type is a string", {"type": ["section"]}, "must provide a string [json-pointer:/blocks/0/type]"),
    ("a section says something", {"type": "section"}, "must define either `text` or `fields` [json-pointer:/blocks/0]"),
    ("actions are not empty", s.actions(), "must provide at least 1 items [json-pointer:/blocks/0/elements]"),
    (
        "headers are plain",
        {"type": "header", "text": s.mrkdwn()},
        "must be a valid enum value [json-pointer:/blocks/0/text/type]",
    ),
    (
        "texts have two kinds",
        s.section(text={"type": "html", "text": "x"}),
        "unsupported type: html [json-pointer:/blocks/0/text/type]",
    ),
    (
        "plain text is not verbatim",
        s.section(text=s.plain() | {"verbatim": True}),
        "invalid additional property: verbatim [json-pointer:/blocks/0/text]",
    ),
    (
        "button styles are two",
        s.actions(s.button(style="default")),
        "must be a valid enum value [json-pointer:/blocks/0/elements/0/style]",
    ),
    ("flags are booleans", s.section(expand="yes"), "must be a boolean [json-pointer:/blocks/0/expand]"),
    ("links are absolute", s.actions(s.button(url="/x")), "invalid url [json-pointer:/blocks/0/elements/0/url]"),
    (
        "links run no scripts",
        s.actions(s.button(url=" javascript:alert(1)")),
        "invalid url [json-pointer:/blocks/0/elements/0/url]",
    ),
    (
        "rich links run no scripts",
        s.rich({"type": "link", "url": "JavaScript:alert(1)"}),
        "invalid url [json-pointer:/blocks/0/elements/0/elements/0/url]",
    ),
    (
        "only overflow options have links",
        s.actions(s.select(options=[s.option(url="https://x.y")])),
        "invalid additional property: url [json-pointer:/blocks/0/elements/0/options/0]",
    ),
    (
        "a menu has options",
        s.actions(s.select()),
        "must define either `options` or `option_groups` [json-pointer:/blocks/0/elements/0]",
    ),
    (
        "a menu has one sort of options",
        s.actions(s.select(options=TWO, option_groups=[{"label": s.plain(), "options": TWO}])),
        "must define only one of `options` or `option_groups` [json-pointer:/blocks/0/elements/0]",
    ),
    (
        "a first choice is an option",
        s.actions(s.select(options=TWO, initial_option=s.option(value=3))),
        "must be one of the provided options [json-pointer:/blocks/0/elements/0/initial_option]",
    ),
    (
        "first choices are not too many",
        s.actions(s.select("multi_users_select", initial_users=["U1", "U2"], max_selected_items=1)),
        "no more than 1 items allowed [json-pointer:/blocks/0/elements/0/initial_users]",
    ),
    (
        "something may be selected",
        s.actions(s.select("multi_users_select", max_selected_items=0)),
        "must be greater than 1 [json-pointer:/blocks/0/elements/0/max_selected_items]",
    ),
    (
        "a filter filters",
        s.actions(s.select("conversations_select", filter={})),
        "must have minimum 1 properties [json-pointer:/blocks/0/elements/0/filter]",
    ),
    (
        "a question has two answers",
        s.actions(s.button(confirm={"title": s.plain(), "text": s.plain()})),
        "missing required field: deny [json-pointer:/blocks/0/elements/0/confirm]",
    ),
    (
        "dates are dates",
        s.actions(s.select("datepicker", initial_date="2026-13-01")),
        "[json-pointer:/blocks/0/elements/0/initial_date]",
    ),
    (
        "times are times",
        s.actions(s.select("timepicker", initial_time="24:00")),
        "[json-pointer:/blocks/0/elements/0/initial_time]",
    ),
    (
        "lengths are in order",
        s.entry(s.select("plain_text_input", min_length=5, max_length=4)),
        "must be less than 4 [json-pointer:/blocks/0/element/min_length]",
    ),
    (
        "a first text fits",
        s.entry(s.select("plain_text_input", initial_value="xxx", max_length=2)),
        "must be less than 3 characters [json-pointer:/blocks/0/element/initial_value]",
    ),
    (
        "a longest text is not empty",
        s.entry(s.select("plain_text_input", max_length=0)),
        "must be greater than 1 [json-pointer:/blocks/0/element/max_length]",
    ),
    (
        "numbers say if decimals fit",
        s.entry(s.select("number_input")),
        "missing required field: is_decimal_allowed [json-pointer:/blocks/0/element]",
    ),
    (
        "numbers are strings",
        s.entry(s.select("number_input", min_value=1, **NUMBER)),
        "must provide a string [json-pointer:/blocks/0/element/min_value]",
    ),
    (
        "bounds are numbers",
        s.entry(s.select("number_input", min_value="one", **NUMBER)),
        "must provide an integer [json-pointer:/blocks/0/element/min_value]",
    ),
    (
        "bounds are in order",
        s.entry(s.select("number_input", min_value="2", max_value="1", **NUMBER)),
        "must be less than 1 [json-pointer:/blocks/0/element/min_value]",
    ),
    (
        "a first number is in bounds",
        s.entry(s.select("number_input", min_value="2", initial_value="1", **NUMBER)),
        "must be greater than 2 [json-pointer:/blocks/0/element/initial_value]",
    ),
    (
        "lines are in order",
        s.entry(s.select("rich_text_input", min_lines=5, max_lines=4)),
        "must be less than 4 [json-pointer:/blocks/0/element/min_lines]",
    ),
    (
        "dispatch words are two",
        s.entry(s.select("plain_text_input", dispatch_action_config={"trigger_actions_on": ["x"]})),
        "must be a valid enum value [json-pointer:/blocks/0/element/dispatch_action_config/trigger_actions_on/0]",
    ),
    (
        "block ids are not empty",
        {"type": "divider", "block_id": ""},
        "must be more than 0 characters [json-pointer:/blocks/0/block_id]",
    ),
    ("a card says something", {"type": "card", "subtitle": s.plain()}, "[json-pointer:/blocks/0]"),
    (
        "a card has one icon",
        s.card(icon=s.image(), slack_icon={"type": "icon", "name": "star"}),
        "must define only one of `icon` or `slack_icon` [json-pointer:/blocks/0]",
    ),
    (
        "icons have names",
        s.card(slack_icon={"type": "icon", "name": "sparkles"}),
        "must be a valid enum value [json-pointer:/blocks/0/slack_icon/name]",
    ),
    (
        "a container has a title",
        {"type": "container", "child_blocks": [s.section()]},
        "must define either `title` or `rich_text_title` [json-pointer:/blocks/0]",
    ),
    (
        "containers do not nest",
        s.container() | {"child_blocks": [s.container()]},
        "unsupported type: container [json-pointer:/blocks/0/child_blocks/0/type]",
    ),
    (
        "carousels hold cards",
        {"type": "carousel", "elements": [s.section()]},
        "unsupported type: section [json-pointer:/blocks/0/elements/0/type]",
    ),
    (
        "tasks have their own ids",
        {"type": "plan", "title": "x", "tasks": [s.task(), s.task()]},
        '`task_id` "t0" already exists [json-pointer:/blocks/0/tasks/1/task_id]',
    ),
    (
        "a slice of a pie is something",
        s.pie() | {"chart": {"type": "pie", "segments": [{"label": "x", "value": 0}]}},
        "must be greater than 0 [json-pointer:/blocks/0/chart/segments/0/value]",
    ),
    (
        "values are finite",
        s.pie() | {"chart": {"type": "pie", "segments": [{"label": "x", "value": float("nan")}]}},
        "must provide a number [json-pointer:/blocks/0/chart/segments/0/value]",
    ),
    (
        "plots have axes",
        {
            "type": "data_visualization",
            "title": "x",
            "chart": {"type": "bar", "series": [{"name": "x", "data": [{"label": "x", "value": 1}]}]},
        },
        "missing required field: axis_config [json-pointer:/blocks/0/chart]",
    ),
    (
        "cells of a header are plain",
        s.data_table() | {"rows": [[s.rich()], [s.cell()]]},
        "unsupported type: rich_text [json-pointer:/blocks/0/rows/0/0/type]",
    ),
    ("rows have one width", s.data_table() | {"rows": [[s.cell()], [s.cell()] * 2]}, "[json-pointer:/blocks/0/rows/1]"),
    ("a data table has rows", s.data_table(rows=1), "must provide at least 2 items [json-pointer:/blocks/0/rows]"),
    (
        "a header column is there",
        s.data_table(row_header_column_index=1),
        "[json-pointer:/blocks/0/row_header_column_index]",
    ),
    (
        "cells say something",
        s.table() | {"rows": [[s.cell(0)]]},
        "must be more than 0 characters [json-pointer:/blocks/0/rows/0/0/text]",
    ),
    (
        "columns stand left, right or in the middle",
        s.table(column_settings=[{"align": "top"}]),
        "must be a valid enum value [json-pointer:/blocks/0/column_settings/0/align]",
    ),
    (
        "runs have kinds",
        s.rich({"type": "blink"}),
        "unsupported type: blink [json-pointer:/blocks/0/elements/0/elements/0/type]",
    ),
    (
        "runs say something",
        s.rich({"type": "text", "text": ""}),
        "must be more than 0 characters [json-pointer:/blocks/0/elements/0/elements/0/text]",
    ),
    (
        "runs have known styles",
        s.rich({"type": "text", "text": "x", "style": {"blink": True}}),
        "invalid additional property: blink [json-pointer:/blocks/0/elements/0/elements/0/style]",
    ),
    (
        "styles are flags",
        s.rich({"type": "text", "text": "x", "style": {"bold": 1}}),
        "must be a boolean [json-pointer:/blocks/0/elements/0/elements/0/style/bold]",
    ),
    (
        "everybody has three names",
        s.rich({"type": "broadcast", "range": "all"}),
        "must be a valid enum value [json-pointer:/blocks/0/elements/0/elements/0/range]",
    ),
    (
        "lists have two styles",
        {
            "type": "rich_text",
            "elements": [{"type": "rich_text_list", "style": "roman", "elements": [s.rich()["elements"][0]]}],
        },
        "must be a valid enum value [json-pointer:/blocks/0/elements/0/style]",
    ),
    ("a call names itself", {"type": "call"}, "missing required field: call_id [json-pointer:/blocks/0]"),
    (
        "contact cards are Slack's own",
        {"type": "contact_card"},
        "unsupported type: contact_card [json-pointer:/blocks/0/type]",
    ),
]


@pytest.mark.parametrize(("block", "words"), [case[1:] for case in RULES], ids=[case[0] for case in RULES])
def test_each_rule_refuses_what_breaks_it(block: Any, words: str) -> None:
    """A mistake is refused with words that point at it."""
    assert any(words in text for text in problems_of(block))


KEPT = [
    (
        "a first choice of a group",
        s.actions(
            s.select(option_groups=[{"label": s.plain(), "options": [one]} for one in TWO], initial_option=TWO[1])
        ),
    ),
    (
        "first choices from two groups",
        s.actions(
            s.select(
                "multi_static_select",
                option_groups=[{"label": s.plain(), "options": [one]} for one in TWO],
                initial_options=TWO,
            )
        ),
    ),
    ("no first people", s.actions(s.select("multi_users_select", initial_users=[]))),
    ("the same action in two blocks", s.actions(s.button())),
    (
        "decimals",
        s.entry(
            s.select("number_input", is_decimal_allowed=True, min_value="-1.5", initial_value="0", max_value="2.25")
        ),
    ),
    ("custom schemes", s.actions(s.button(url="zoommtg://zoom.us/join?confno=1"))),
    ("an empty rich text", {"type": "rich_text", "elements": []}),
    ("an empty line", {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": []}]}),
    (
        "tasks without a type",
        {"type": "plan", "title": "x", "tasks": [{"task_id": "1", "title": "x", "status": "pending"}]},
    ),
    ("an alert in a message", {"type": "alert", "text": s.plain(), "level": "error"}),
    ("a call that was added before", {"type": "call", "call_id": "R1"}),
    ("a remote file", {"type": "file", "external_id": "x", "source": "remote"}),
    ("columns left alone", s.table(columns=2, column_settings=[None, {"is_wrapped": True}])),
    ("rows of different widths in a plain table", s.table() | {"rows": [[s.cell()], [s.cell(), s.rich()]]}),
    (
        "a workflow button",
        s.section(
            accessory=s.select(
                "workflow_button",
                text=s.plain(),
                workflow={
                    "trigger": {
                        "url": "https://slack.com/shortcuts/Ft0/x",
                        "customizable_input_parameters": [{"name": "a", "value": [1]}],
                    }
                },
            )
        ),
    ),
]


@pytest.mark.parametrize("block", [case[1] for case in KEPT], ids=[case[0] for case in KEPT])
def test_takes_what_the_reference_allows(block: Any) -> None:
    """Nothing is refused that Slack's reference allows or leaves open."""
    assert problems_of(block) == []


def test_ids_are_compared_where_slack_compares_them() -> None:
    """block_id in all blocks, action_id in its block; cells and details may repeat ids."""
    twice = [s.actions(s.button()) | {"block_id": "b"}, s.actions(s.button())]
    assert block_problems(twice) == []
    assert block_problems([twice[0], twice[1] | {"block_id": "b"}]) == [
        '`block_id` "b" already exists [json-pointer:/blocks/1/block_id]'
    ]
    details = s.rich() | {"block_id": "b"}
    assert (
        problems_of({"type": "plan", "title": "x", "tasks": [s.task(0, details=details), s.task(1, details=details)]})
        == []
    )
    cards = {"type": "carousel", "elements": [s.card(actions=[s.button()]), s.card(actions=[s.button()])]}
    assert problems_of(cards) == []


def test_a_series_has_one_point_for_each_category() -> None:
    """Missing, foreign and repeated points are refused, and a second series of the same name."""
    good = s.plot(series=2, categories=3)
    assert problems_of(good) == []
    for change in ("missing", "foreign", "repeated", "name"):
        chart = json.loads(json.dumps(good))["chart"]
        data = chart["series"][1]["data"]
        if change == "missing":
            del data[2]
        elif change == "name":
            chart["series"][1]["name"] = "s0"
        else:
            data[2]["label"] = "x" if change == "foreign" else data[1]["label"]
        found = problems_of(good | {"chart": chart})
        assert found
        assert all("/chart/series/1/" in text for text in found)


def test_only_one_element_of_a_view_has_the_focus() -> None:
    """A second focus_on_load is refused in views; in messages it means nothing."""
    focused = [s.entry(s.select("plain_text_input", focus_on_load=True)) for _ in range(2)]
    assert viewed(focused[0], s.entry(s.select("plain_text_input", focus_on_load=False))) == []
    assert [text for text in viewed(*focused) if "view/blocks/1/element" in text]
    assert block_problems(focused) == []


WHERE = {
    "section": lambda part: s.section(accessory=part),
    "actions": s.actions,
    "input": s.entry,
    "context_actions": s.context_actions,
    "context": lambda part: {"type": "context", "elements": [part]},
    "card": lambda part: s.card(actions=[part]),
}
STAND = {
    **{key: {"section", "actions"} for key in ("button", "workflow_button", "overflow")},
    **{key: {"context_actions"} for key in ("feedback_buttons", "icon_button")},
    **{key: {"input"} for key in ("plain_text_input", "email_text_input", "url_text_input", "number_input")},
    "file_input": {"input"},
    "image": {"section", "context"},
    "datetimepicker": {"actions", "input"},
    "rich_text_input": {"actions", "input"},
} | {kind: {"section", "actions", "input"} for kind in KINDS if kind.endswith("_select")}
STAND |= {key: {"section", "actions", "input"} for key in ("checkboxes", "radio_buttons", "datepicker", "timepicker")}
STAND["button"] = {"section", "actions", "card"}
"""Where Slack's reference lets each element stand (block-elements pages, September 2026)."""


@pytest.mark.parametrize("kind", sorted(KINDS))
@pytest.mark.parametrize("place", sorted(WHERE))
def test_elements_stand_where_the_reference_puts_them(kind: str, place: str) -> None:
    """An element in another block is an unsupported type there, in its own block it is not."""
    words = f"unsupported type: {kind} "
    found = block_problems([WHERE[place]({"type": kind})], "modal" if place == "input" else "message")
    assert any(words in text for text in found) == (place not in STAND[kind])


BLOCK_PLACES = {
    **dict.fromkeys(
        ("section", "divider", "image", "header", "actions", "context", "input", "rich_text"), "message modal home"
    ),
    **dict.fromkeys(("video", "card", "alert", "auth_provider"), "message modal home"),
    **dict.fromkeys(("carousel", "container", "table", "data_table"), "message home"),
    **dict.fromkeys(
        ("markdown", "context_actions", "task_card", "plan", "file", "call", "data_visualization"), "message"
    ),
}


def test_blocks_stand_on_the_surfaces_that_the_reference_names() -> None:
    """Each block is known exactly on its surfaces."""
    found = {kind: " ".join(name for name in SURFACES if kind in SURFACES[name]) for kind in KNOWN}
    assert found == BLOCK_PLACES


def test_files_are_entered_in_modals_only() -> None:
    """file_input is an unsupported type elsewhere, and with dispatch_action everywhere."""
    entry = s.entry(s.select("file_input"))
    words = "unsupported type: file_input [json-pointer:/blocks/0/element/type]"
    assert block_problems([entry], "modal") == []
    assert block_problems([entry]) == [words]
    assert block_problems([entry], "home") == [words]
    assert block_problems([entry | {"dispatch_action": True}], "modal") == [words]
