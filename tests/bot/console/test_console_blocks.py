"""Block Kit limits, each on both sides, with Slack's SDK as an independent oracle of fields and kinds."""

import inspect
import json
from typing import Any

import pytest
from slack_sdk.models import blocks as sdk
from slack_sdk.models.blocks import block_elements
from slack_sdk.models.blocks import blocks as sdk_blocks

from bot.console.blocks import KNOWN, block_problems, normalised
from bot.console.elements import KINDS
from bot.console.view_rules import view_problems
from tests.console import LocalSlack, local_slack

__all__ = ["local_slack"]


def plain(length: int) -> Any:
    return {"type": "plain_text", "text": "x" * length}


def mrkdwn(length: int) -> Any:
    return {"type": "mrkdwn", "text": "x" * length}


def section(**parts: Any) -> Any:
    return {"type": "section", **({"text": mrkdwn(1)} | parts)}


def actions(*elements: Any) -> Any:
    return {"type": "actions", "elements": list(elements)}


def button(place: int = 0, **parts: Any) -> Any:
    return {"type": "button", "text": plain(1), "action_id": f"a{place}", **parts}


def option(text: int = 1, value: int = 1, **parts: Any) -> Any:
    return {"text": plain(text), "value": "x" * value, **parts}


def select(kind: str = "static_select", **parts: Any) -> Any:
    return {"type": kind, "action_id": "a", **parts}


def entry(element: Any, **parts: Any) -> Any:
    return {"type": "input", "label": plain(1), "element": element, **parts}


def rich(text: str = "x") -> Any:
    return {
        "type": "rich_text",
        "elements": [{"type": "rich_text_section", "elements": [{"type": "text", "text": text}]}],
    }


def table(rows: int, columns: int) -> Any:
    return {"type": "table", "rows": [[{"type": "raw_text", "text": "x"}] * columns] * rows}


def chart(kind: str, parts: int) -> Any:
    points = [{"label": "x", "value": 1}] * (parts if kind == "pie" else 1)
    inner = {"segments": points} if kind == "pie" else {"series": [{"name": "x", "data": points}] * parts}
    return {"type": "data_visualization", "title": "x", "chart": {"type": kind, **inner}}


def feedback(text: int = 1, value: int = 1) -> Any:
    part = {"text": plain(text), "value": "x" * value}
    return {"type": "feedback_buttons", "action_id": "a", "positive_button": part, "negative_button": part}


def card(**parts: Any) -> Any:
    return {"type": "card", "title": mrkdwn(1), **parts}


def container(children: int) -> Any:
    return {"type": "container", "child_blocks": [{"type": "divider"}] * children}


BOTH_SIDES: list[tuple[str, Any, int]] = [
    ("section text", lambda n: section(text=mrkdwn(n)), 3000),
    ("section fields", lambda n: section(fields=[mrkdwn(1)] * n), 10),
    ("section field text", lambda n: section(fields=[mrkdwn(n)]), 2000),
    ("header text", lambda n: {"type": "header", "text": plain(n)}, 150),
    ("actions elements", lambda n: actions(*[button(place) for place in range(n)]), 25),
    ("context elements", lambda n: {"type": "context", "elements": [mrkdwn(1)] * n}, 10),
    ("block_id", lambda n: {"type": "divider", "block_id": "x" * n}, 255),
    ("action_id", lambda n: actions(button(action_id="x" * n)), 255),
    ("button text", lambda n: actions(button(text=plain(n))), 75),
    ("button value", lambda n: actions(button(value="x" * n)), 2000),
    ("button url", lambda n: actions(button(url="https://x.y/" + "z" * (n - 12))), 3000),
    ("button agent_prompt", lambda n: actions(button(agent_prompt="x" * n)), 4000),
    ("option text", lambda n: actions(select(options=[option(text=n)])), 75),
    ("option value", lambda n: actions(select(options=[option(value=n)])), 150),
    ("option description", lambda n: actions(select(options=[option(description=plain(n))])), 75),
    ("select options", lambda n: actions(select(options=[option()] * n)), 100),
    ("overflow options", lambda n: actions(select("overflow", options=[option()] * n)), 5),
    ("checkbox options", lambda n: actions(select("checkboxes", options=[option()] * n)), 10),
    ("radio options", lambda n: actions(select("radio_buttons", options=[option()] * n)), 10),
    ("placeholder", lambda n: actions(select(options=[option()], placeholder=plain(n))), 150),
    ("input label", lambda n: entry(select("plain_text_input"), label=plain(n)), 2000),
    ("input hint", lambda n: entry(select("plain_text_input"), hint=plain(n)), 2000),
    ("input max_length", lambda n: entry(select("plain_text_input", max_length=n)), 3000),
    ("image alt text", lambda n: {"type": "image", "image_url": "https://x.y/z", "alt_text": "x" * n}, 2000),
    ("image title", lambda n: {"type": "image", "image_url": "https://x.y", "alt_text": "x", "title": plain(n)}, 2000),
    ("markdown", lambda n: {"type": "markdown", "text": "x" * n}, 12_000),
    ("table rows", lambda n: table(n, 1), 100),
    ("table columns", lambda n: table(1, n), 20),
    (
        "context_actions",
        lambda n: {"type": "context_actions", "elements": [feedback() | {"action_id": f"a{i}"} for i in range(n)]},
        5,
    ),
    ("feedback text", lambda n: {"type": "context_actions", "elements": [feedback(text=n)]}, 75),
    ("feedback value", lambda n: {"type": "context_actions", "elements": [feedback(value=n)]}, 2000),
    ("task title", lambda n: {"type": "task_card", "task_id": "t", "title": "x" * n}, 256),
    ("card body", lambda n: card(body=mrkdwn(n)), 200),
    ("card title", lambda n: card(title=mrkdwn(n)), 150),
    ("carousel", lambda n: {"type": "carousel", "elements": [card()] * n}, 10),
    ("container children", lambda n: container(n), 10),
    ("chart title", lambda n: chart("pie", 1) | {"title": "x" * n}, 50),
    ("pie segments", lambda n: chart("pie", n), 12),
    ("line series", lambda n: chart("line", n), 12),
    ("confirm title", lambda n: actions(button(confirm={"title": plain(n), "text": plain(1)})), 100),
    ("confirm text", lambda n: actions(button(confirm={"title": plain(1), "text": plain(n)})), 300),
    ("confirm button", lambda n: actions(button(confirm={"title": plain(1), "text": plain(1), "deny": plain(n)})), 30),
]


@pytest.mark.parametrize(("make", "most"), [case[1:] for case in BOTH_SIDES], ids=[case[0] for case in BOTH_SIDES])
def test_each_limit_holds_on_both_sides(make: Any, most: int) -> None:
    """The documented maximum is taken, one more is refused with a pointer."""
    assert block_problems([make(most)]) == []
    problems = block_problems([make(most + 1)])
    assert problems
    assert all("[json-pointer:/blocks/0" in problem for problem in problems)


@pytest.mark.parametrize(("surface", "most"), [("message", 50), ("modal", 100), ("home", 100)])
def test_each_surface_has_its_number_of_blocks(surface: str, most: int) -> None:
    """50 blocks in a message, 100 in views."""
    assert block_problems([{"type": "divider"}] * most, surface) == []
    assert block_problems([{"type": "divider"}] * (most + 1), surface) == [
        f"no more than {most} items allowed [json-pointer:/blocks]"
    ]


@pytest.mark.parametrize(
    ("blocks", "reason"),
    [
        ([{"type": "banner"}], "unsupported type: banner [json-pointer:/blocks/0/type]"),
        ([{}], "missing required field: type [json-pointer:/blocks/0]"),
        ([{"type": "section"}], "must define either `text` or `fields` [json-pointer:/blocks/0]"),
        ([section(text=mrkdwn(0))], "must be more than 0 characters [json-pointer:/blocks/0/text/text]"),
        ([section(text=mrkdwn(3001))], "must be less than 3001 characters [json-pointer:/blocks/0/text/text]"),
        ([section(text=mrkdwn(3001))], "failed to match all allowed schemas [json-pointer:/blocks/0/text]"),
        ([section(colour="red")], "invalid additional property: colour [json-pointer:/blocks/0]"),
        ([actions()], "must provide at least 1 items [json-pointer:/blocks/0/elements]"),
        ([{"type": "header", "text": mrkdwn(1)}], "must be one of: plain_text [json-pointer:/blocks/0/text/type]"),
        ([actions(button(text="x"))], "must provide an object [json-pointer:/blocks/0/elements/0/text]"),
        (
            [actions(button(style="loud"))],
            "must be one of: primary, danger, default [json-pointer:/blocks/0/elements/0/style]",
        ),
        ([actions(button(url="no"))], "must be a valid URL [json-pointer:/blocks/0/elements/0/url]"),
        ([actions(button(1), button(1))], "`action_id` a1 already exists for another element [json-pointer:/blocks/0]"),
        (
            [{"type": "divider", "block_id": "b"}] * 2,
            "`block_id` b already exists for another block [json-pointer:/blocks/1/block_id]",
        ),
        ([entry(select("file_input"))], "unsupported type: file_input [json-pointer:/blocks/0/element/type]"),
        ([actions(select())], "must define either `options` or `option_groups` [json-pointer:/blocks/0/elements/0]"),
        ([chart("pie", 1)] * 3, "no more than 2 data_visualization blocks [json-pointer:/blocks]"),
        ([table(1, 1)] * 2, "only one table allowed [json-pointer:/blocks]"),
        ("x", "must provide an array [json-pointer:/blocks]"),
        ([7], "must provide an object [json-pointer:/blocks/0]"),
        ([{"type": ["section"]}], "unsupported type: ['section'] [json-pointer:/blocks/0/type]"),
    ],
)
def test_words_problems_as_slack_does(blocks: Any, reason: str) -> None:
    """Each mistake is named with a JSON pointer to it."""
    assert reason in block_problems(blocks)


def test_the_api_answers_with_the_reasons(local_slack: LocalSlack) -> None:
    """invalid_blocks carries the reasons twice, as Slack's answers do; blocks.validate gives the same."""
    for method, body in (
        ("chat.postMessage", {"channel": "C0ASK", "text": "x", "blocks": [{"type": "x"}]}),
        ("blocks.validate", {"blocks": json.dumps([{"type": "x"}])}),
    ):
        headers = {"authorization": f"Bearer {local_slack.bot_token}"}
        answer = local_slack.http.post(f"/api/{method}", json=body, headers=headers).json()
        reason = "unsupported type: x [json-pointer:/blocks/0/type]"
        assert answer == {
            "ok": False,
            "error": "invalid_blocks",
            "errors": [reason],
            "response_metadata": {"messages": [f"[ERROR] {reason}"]},
        }
    assert local_slack.web.blocks_validate(blocks=[section()])["ok"]


def test_too_much_text_in_all_is_refused(local_slack: LocalSlack) -> None:
    """Blocks that are fine one by one are refused together beyond 13,200 characters."""
    from slack_sdk.errors import SlackApiError

    fits = [section(text=mrkdwn(3000))] * 4 + [section(text=mrkdwn(1200))]
    assert local_slack.web.chat_postMessage(channel="C0ASK", text="x", blocks=fits)["ok"]
    with pytest.raises(SlackApiError, match="msg_blocks_too_long"):
        local_slack.web.chat_postMessage(channel="C0ASK", text="x", blocks=[*fits, section()])


MODAL = {"type": "modal", "title": plain(1), "blocks": [section()]}


@pytest.mark.parametrize(
    ("make", "most"),
    [
        (lambda n: MODAL | {"title": plain(n)}, 24),
        (lambda n: MODAL | {"submit": plain(n)}, 24),
        (lambda n: MODAL | {"close": plain(n)}, 24),
        (lambda n: MODAL | {"private_metadata": "x" * n}, 3000),
        (lambda n: MODAL | {"callback_id": "x" * n}, 255),
        (lambda n: MODAL | {"external_id": "x" * n}, 255),
        (lambda n: MODAL | {"blocks": [section()] * n}, 100),
        (lambda n: MODAL | {"submit": plain(1), "blocks": [entry(select("file_input", max_files=n))]}, 10),
    ],
    ids=["title", "submit", "close", "private_metadata", "callback_id", "external_id", "blocks", "max_files"],
)
def test_each_limit_of_views_holds_on_both_sides(make: Any, most: int) -> None:
    """The documented maximum is taken, one more is refused."""
    assert view_problems(make(most), "modal") == []
    assert view_problems(make(most + 1), "modal")


def test_modals_with_inputs_need_submit() -> None:
    """An input without a submit button is refused in Slack's words."""
    view = MODAL | {"blocks": [section(), entry(select("plain_text_input"))]}
    reason = "must define `submit` to use an `input` block in modals [json-pointer:/view/blocks/1/input]"
    assert view_problems(view, "modal") == [reason]
    assert view_problems(view | {"submit": plain(1)}, "modal") == []
    assert view_problems({"type": "home", "blocks": view["blocks"]}, "home") == []
    assert view_problems({"type": "modal", "blocks": []}, "modal") == [
        "missing required field: title [json-pointer:/view]"
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
    nested = {"type": "container", "child_blocks": [section(accessory={"type": "button", "text": plain(1)})]}
    made = normalised([section(block_id="mine"), actions({"type": "button", "text": plain(1)}), nested], lambda: "new")
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
    assert block_problems([rich(), chart("bar", 2), chart("pie", 3), table(2, 2)]) == []
