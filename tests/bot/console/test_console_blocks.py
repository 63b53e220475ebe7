"""Block Kit in Slack's recorded words, with Slack's own SDK and samples as independent oracles."""

import inspect
import json
from pathlib import Path
from typing import Any

import pytest
from slack_sdk.models import blocks as sdk
from slack_sdk.models.blocks import block_elements
from slack_sdk.models.blocks import blocks as sdk_blocks

from bot.console.blocks import KNOWN, block_problems, normalised
from bot.console.elements import KINDS
from bot.console.view_rules import view_problems
from tests.bot.console import samples as s
from tests.console import LocalSlack, local_slack

__all__ = ["local_slack"]
FAILED = "failed to match all allowed schemas"
TWO = s.choices(2)


def problems_of(*blocks: Any) -> list[str]:
    """What is wrong with a message of these blocks."""
    return block_problems(list(blocks))


@pytest.mark.parametrize(("surface", "most"), [("message", 50), ("modal", 100), ("home", 100)])
def test_each_surface_has_its_number_of_blocks(surface: str, most: int) -> None:
    """50 blocks in a message, 100 in views."""
    assert block_problems([{"type": "divider"}] * most, surface) == []
    assert block_problems([{"type": "divider"}] * (most + 1), surface) == [
        f"no more than {most} items allowed [json-pointer:/blocks]"
    ]


RECORDED = [
    (
        [{"type": "section", "text": s.mrkdwn(3001)}],
        [
            f"{FAILED} [json-pointer:/blocks/0/text]",
            "must be less than 3001 characters [json-pointer:/blocks/0/text/text]",
        ],
    ),
    (
        [s.section(text={"type": "mrkdwn", "text": "x", "emoji": True})],
        [f"{FAILED} [json-pointer:/blocks/0/text]", "invalid additional property: emoji [json-pointer:/blocks/0/text]"],
    ),
    ([{"type": "divider"}] * 51, ["no more than 50 items allowed [json-pointer:/blocks]"]),
    (
        [s.section(fields=[s.mrkdwn(2001)])],
        ["must be less than 2001 characters [json-pointer:/blocks/0/fields/0/text]"],
    ),
    ([s.section(text=s.mrkdwn(0))], ["must be more than 0 characters [json-pointer:/blocks/0/text/text]"]),
    (
        [s.section(text=s.mrkdwn(), block_id=None, accessory=None, fields=None)],
        [
            "must provide a string [json-pointer:/blocks/0/block_id]",
            "must provide an object [json-pointer:/blocks/0/accessory]",
            "must provide an array [json-pointer:/blocks/0/fields]",
        ],
    ),
    ([{"type": "divider", "text": "x"}], ["invalid additional property: text [json-pointer:/blocks/0]"]),
    ([s.section(), {"type": "mrkdwn"}], ["unsupported type: mrkdwn [json-pointer:/blocks/1/type]"]),
    ([s.card(title="x")], ["must provide an object [json-pointer:/blocks/0/title]"]),
    ([{"type": "plan", "title": s.plain()}], ["must provide a string [json-pointer:/blocks/0/title]"]),
    ([s.task(status="done")], ["must be a valid enum value [json-pointer:/blocks/0/status]"]),
    ([s.card(slack_icon={"type": "icon"})], ["missing required field: name [json-pointer:/blocks/0/slack_icon]"]),
    (
        [s.data_table() | {"rows": [[s.cell()], [{"type": "raw_number", "text": "1"}]]}],
        ["missing required field: value [json-pointer:/blocks/0/rows/1/0]"],
    ),
    (
        [s.actions(s.button(1), s.button(1))],
        ['`action_id` "a1" already exists [json-pointer:/blocks/0/elements/1/action_id]'],
    ),
    (
        [s.actions(s.button(block_id="x"))],
        ["invalid additional property: block_id [json-pointer:/blocks/0/elements/0]"],
    ),
    ([s.image(image_url="no")], ["downloading image failed [json-pointer:/blocks/0/image_url]"]),
    ([s.table(), s.table()], ["only_one_table_allowed"]),
    ([{"type": "plan", "title": "x"}] * 2, ["Cannot have more than 1 plan block"]),
]
"""Refusals that were recorded against Slack (issues, test data and notes of public repositories)."""


@pytest.mark.parametrize(("blocks", "words"), RECORDED)
def test_refuses_messages_in_recorded_words(blocks: Any, words: list[str]) -> None:
    """What Slack was seen to answer is what it answers here."""
    found = block_problems(blocks)
    assert [text for text in words if text not in found] == []


VIEWED = [
    (
        s.modal(title=s.plain(25)),
        [
            f"{FAILED} [json-pointer:/view]",
            f"{FAILED} [json-pointer:/view/title]",
            "must be less than 25 characters [json-pointer:/view/title/text]",
        ],
    ),
    (
        s.modal(submit_disabled=False),
        [f"{FAILED} [json-pointer:/view]", "invalid additional property: submit_disabled [json-pointer:/view]"],
    ),
    (
        s.modal(s.actions(s.button(style=None))),
        [f"{FAILED} [json-pointer:/view]", "must provide a string [json-pointer:/view/blocks/0/elements/0/style]"],
    ),
    (
        s.modal(s.section(accessory=s.select(options=[]))),
        ["must provide at least 1 items [json-pointer:/view/blocks/0/accessory/options]"],
    ),
    (
        s.modal(s.entry(s.select(options=s.choices(101)))),
        ["no more than 100 items allowed [json-pointer:/view/blocks/0/element/options]"],
    ),
    (
        s.modal(s.entry(s.select(options=TWO, initial_option=None))),
        ["must provide an object [json-pointer:/view/blocks/0/element/initial_option]"],
    ),
    (
        s.modal(s.entry(s.select("multi_static_select", options=TWO, initial_options=[]))),
        ["must be one of the provided options [json-pointer:view/blocks/0/element/initial_options]"],
    ),
    (
        s.modal(s.actions(s.select("checkboxes", options=TWO, initial_options=[]))),
        ["must be one of the provided options [json-pointer:view/blocks/0/elements/0/initial_options]"],
    ),
    (
        s.modal(s.section(accessory=s.button(url="undefined/x"))),
        ["invalid url [json-pointer:view/blocks/0/accessory/url]"],
    ),
    (
        s.modal({"type": "data_visualization"}),
        [f"{FAILED} [json-pointer:/view]", "unsupported type: data_visualization [json-pointer:/view/blocks/0/type]"],
    ),
]


@pytest.mark.parametrize(("view", "words"), VIEWED)
def test_refuses_views_in_recorded_words(view: Any, words: list[str]) -> None:
    """The same for modals, where rules beyond the schemas point without a leading slash."""
    found = view_problems(view, "modal")
    assert [text for text in words if text not in found] == []


def test_the_api_answers_with_the_reasons(local_slack: LocalSlack) -> None:
    """invalid_blocks carries the reasons twice, as Slack's answers do."""
    headers = {"authorization": f"Bearer {local_slack.bot_token}"}
    body = {"channel": "C0ASK", "text": "x", "blocks": [{"type": "x"}]}
    answer = local_slack.http.post("/api/chat.postMessage", json=body, headers=headers).json()
    reason = "unsupported type: x [json-pointer:/blocks/0/type]"
    assert answer == {
        "ok": False,
        "error": "invalid_blocks",
        "errors": [reason],
        "response_metadata": {"messages": [f"[ERROR] {reason}"]},
    }


VALIDATED = [
    (
        {"blocks": [s.section(text={"type": "invalid", "text": "x"})]},
        "invalid_blocks",
        {"code": "failed_constraint", "message": "unsupported type: invalid", "pointer": "/0/text/type"},
    ),
    (
        {"blocks": [{}]},
        "invalid_blocks",
        {"code": "missing_field", "message": "missing required field: type", "field": "type", "pointer": "/0"},
    ),
    (
        {"message": {"blocks": [s.section(text=s.mrkdwn(3001))]}},
        "invalid_message",
        {"code": "failed_constraint", "constraint": {"type": "max_length", "expected": 3000}},
    ),
    (
        {"view": s.home({"type": "divider", "block_id": 5})},
        "invalid_view",
        {"code": "invalid_type", "message": "must provide a string", "pointer": "/blocks/0/block_id"},
    ),
]


@pytest.mark.parametrize(("body", "error", "wanted"), VALIDATED)
def test_validation_gives_objects(local_slack: LocalSlack, body: Any, error: str, wanted: Any) -> None:
    """blocks.validate names each mistake by code, words and pointer, as Slack's reference shows it."""
    headers = {"authorization": f"Bearer {local_slack.bot_token}"}
    assert local_slack.web.blocks_validate(blocks=[s.section()])["ok"]
    answer = local_slack.http.post("/api/blocks.validate", json=body, headers=headers).json()
    assert (answer["ok"], answer["error"]) == (False, error)
    assert any(wanted.items() <= issue.items() for issue in answer["errors"])


RECORDINGS = sorted((Path(__file__).parent / "payloads").glob("*.json"))


@pytest.mark.parametrize("path", RECORDINGS, ids=[path.stem for path in RECORDINGS])
def test_takes_what_slacks_own_samples_hold(path: Path) -> None:
    """Blocks and views of Slack's SDKs, Bolt examples and references pass unchanged."""
    recorded = json.loads(path.read_text("utf-8"))
    for name, value in recorded["samples"].items():
        kind = recorded["kind"]
        found = view_problems(value, value["type"]) if kind == "view" else block_problems(value, recorded["surface"])
        assert found == [], name


def test_modals_with_inputs_need_submit() -> None:
    """An input without a submit button is refused in Slack's words."""
    view = s.modal(s.section(), s.entry(s.select("plain_text_input")))
    bare = {name: part for name, part in view.items() if name != "submit"}
    reason = "must define `submit` to use an `input` block in modals [json-pointer:/view/blocks/1/input]"
    assert view_problems(bare, "modal") == [reason]
    assert view_problems(view, "modal") == []
    assert view_problems({"type": "home", "blocks": view["blocks"]}, "home") == []
    assert view_problems({"type": "modal", "blocks": []}, "modal") == [
        f"{FAILED} [json-pointer:/view]",
        "missing required field: title [json-pointer:/view]",
    ]


def sdk_kinds(module: Any, base: Any) -> dict[str, set[str]]:
    """For each type that the SDK knows, the fields that its class takes."""
    found: dict[str, set[str]] = {}
    for _, each in inspect.getmembers(module, inspect.isclass):
        kind = each.__dict__.get("type")
        if issubclass(each, base) and isinstance(kind, str):
            names = set(inspect.signature(each.__init__).parameters) - {"self", "others", "kwargs"}
            found[kind] = found.get(kind, set()) | names
    return found


ORACLE = sdk_kinds(sdk_blocks, sdk.Block)
ELEMENT_ORACLE = sdk_kinds(block_elements, sdk.BlockElement)
RICH = {"rich_text_section", "rich_text_list", "rich_text_quote", "rich_text_preformatted", "url"}


def test_knows_every_block_and_element_of_the_sdk() -> None:
    """No kind that Slack's SDK can build is missing."""
    assert len(ORACLE) > 20
    assert set(ORACLE) - set(KNOWN) == set()
    assert set(ELEMENT_ORACLE) - RICH - set(KINDS) == set()


@pytest.mark.parametrize("kind", sorted(ORACLE) + sorted(set(ELEMENT_ORACLE) - RICH))
def test_takes_every_field_of_the_sdk(kind: str) -> None:
    """No field that Slack's SDK can send is called an invalid additional property."""
    check = KNOWN[kind] if kind in ORACLE else KINDS[kind]
    fields = ORACLE.get(kind, set()) | (ELEMENT_ORACLE.get(kind, set()) if kind not in ORACLE else set())
    complaints = list(check({"type": kind, **dict.fromkeys(fields - {"type", "subtype"})}, ""))
    assert [text for text in complaints if "additional property" in text] == []


def test_gives_ids_where_the_app_gave_none() -> None:
    """Every block gets a block_id and every element an action_id, nested ones too; given ids stay."""
    nested = {"type": "container", "child_blocks": [s.section(accessory={"type": "button", "text": s.plain()})]}
    made = normalised(
        [s.section(block_id="mine"), s.actions({"type": "button", "text": s.plain()}), nested], lambda: "new"
    )
    assert [block["block_id"] for block in made] == ["mine", "new", "new"]
    assert made[1]["elements"][0]["action_id"] == "new"
    child = made[2]["child_blocks"][0]
    assert (child["block_id"], child["accessory"]["action_id"]) == ("new", "new")
    assert made[0]["text"] == {"type": "mrkdwn", "text": "x", "verbatim": False}


def test_takes_what_the_sdk_builds() -> None:
    """Blocks built and validated by Slack's own classes pass here too."""
    built = [
        sdk.HeaderBlock(text="Report"),
        sdk.SectionBlock(text="*PASS*", accessory=sdk.ButtonElement(text="Try it", action_id="try", value="j1")),
        sdk.ActionsBlock(elements=[sdk.StaticSelectElement(action_id="s", options=[sdk.Option(value="a", text="A")])]),
        sdk.ContextBlock(elements=[sdk.MarkdownTextObject(text="source")]),
        sdk.MarkdownBlock(text="**bold**"),
        sdk.DividerBlock(),
        sdk.ImageBlock(image_url="https://example.com/a.png", alt_text="curve"),
        sdk.AlertBlock(text="Careful", level="warning"),
        sdk.ContextActionsBlock(
            elements=[
                sdk.FeedbackButtonsElement(
                    action_id="f",
                    positive_button=sdk.FeedbackButtonObject(text="Good", value="1"),
                    negative_button=sdk.FeedbackButtonObject(text="Bad", value="0"),
                )
            ]
        ),
        sdk.PlanBlock(title="Plan", tasks=[sdk.TaskCardBlock(task_id="t", title="Search", status="complete")]),
    ]
    assert block_problems([block.to_dict() for block in built]) == []
    assert problems_of(s.rich(), s.plot(2, kind="bar"), s.pie(3), s.table(2, 2)) == []
