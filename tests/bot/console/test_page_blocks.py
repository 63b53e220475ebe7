"""How the page draws Block Kit and lets people use it, in one Chromium against a real local Slack."""

import json
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, FilePayload, Page, expect

from bot.console.manifest import Manifest
from tests.bot.console import kitchen_sink as sink
from tests.bot.console.board import Board, field, view
from tests.bot.console.sink_inputs import CONFIRM, GROUPS, OPTIONS, button, option
from tests.bot.console.third_party import Answer, Heard, recorder
from tests.console import LocalSlack, wait_for

Json = dict[str, Any]
COMMANDS = ({"command": "/sink", "description": "Open a modal", "usage_hint": ""},)
FOUND = [{"text": sink.plain("Ticket 7"), "value": "7"}, {"text": sink.plain("Ticket 8"), "value": "8"}]


def replies(heard: Heard) -> Answer:
    """The app: has options, refuses the name `taken`, is slow where the name says so."""
    body = heard.body
    if body.get("type") == "block_suggestion":
        if body["value"] == "broken":
            return Answer(500)
        return Answer(200, json.dumps({"options": FOUND}), {"content-type": "application/json"})
    names = json.dumps(body.get("view", {}).get("state", {})) if body.get("type") == "view_submission" else ""
    if '"taken"' in names:
        answer = {"response_action": "errors", "errors": {"name": "That name is taken."}}
        return Answer(200, json.dumps(answer), {"content-type": "application/json"})
    if '"slow"' in names:
        time.sleep(0.4)
    return Answer()


@pytest.fixture(scope="module")
def kitchen(chromium: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Board]:
    """One local Slack for the module: the kitchen sink stands in #ask-luthier, the page is open on #general."""
    app = recorder(replies)
    made = LocalSlack(tmp_path_factory.mktemp("sink"), app_url=app.url, manifest=Manifest(commands=COMMANDS))
    board = Board(chromium, made, app)
    picture = sink.post_all(made)
    made.web.api_call("views.publish", json={"user_id": "U0ADA", "view": sink.home(picture)})
    board.picture = picture
    yield board
    board.context.close()
    made.stop()
    app.stop()


@pytest.fixture
def board(kitchen: Board) -> Iterator[Board]:
    """The page on #general; nothing may go wrong in its console, and no modal stays open."""
    if "#C0GENERAL" not in kitchen.page.url:
        kitchen.open()
    kitchen.problems.clear()
    yield kitchen
    kitchen.close()
    assert kitchen.problems == []


def serious(page: Page, inside: str, *only: str) -> list[str]:
    """What axe-core calls serious or critical, one line each; `only` names rules where not all matter."""
    options = {"resultTypes": ["violations"], **({"runOnly": list(only)} if only else {})}
    found = Axe().run(page, context=inside, options=options).response["violations"]
    bad = [one for one in found if one["impact"] in ("serious", "critical")]
    return [f"{one['id']}: {one['nodes'][0]['html'][:300]} {one['nodes'][0]['failureSummary'][:300]}" for one in bad]


# Only contrast depends on the scheme, and looking at everything twice takes seconds.
@pytest.mark.parametrize(("scheme", "only"), [("light", ()), ("dark", ("color-contrast",))])
def test_axe_finds_nothing_serious(kitchen: Board, scheme: Any, only: tuple[str, ...]) -> None:
    """The kitchen sink, Home and a modal with every input are usable with a screen reader and weak eyes."""
    kitchen.page.emulate_media(color_scheme=scheme)
    page = kitchen.open("C0ASK")
    expect(page.get_by_text("A picture", exact=True)).to_be_visible()
    # What is off screen is not laid out, so it would not be looked at.
    page.evaluate("document.querySelectorAll('.message').forEach((m) => m.style.contentVisibility = 'visible')")
    assert serious(page, "#channel .messages", *only) == []
    page.get_by_role("combobox", name="Pick up to two").first.click()
    expect(page.get_by_role("option", name="Small")).to_be_visible()
    assert serious(page, ".combo:focus-within", *only) == []
    page.keyboard.press("Escape")
    page.locator("[data-action-id=go-home]").click()
    expect(page.get_by_test_id("home")).to_contain_text("Waiting for you")
    assert serious(page, "[data-testid=home]", *only) == []
    page = kitchen.open()
    _, dialog = kitchen.modal(*sink.modal(kitchen.picture)["blocks"])
    dialog.get_by_role("button", name="Save").click()
    expect(dialog.get_by_role("alert").first).to_contain_text("required")
    dialog.get_by_role("button", name="datepicker").first.click()
    expect(page.get_by_role("dialog", name="Choose a date")).to_be_visible()
    assert serious(page, "dialog", *only) == []
    page.keyboard.press("Escape")
    kitchen.close()
    page.emulate_media(color_scheme="light")


def test_every_block_is_drawn_and_stays_inside_a_phone(kitchen: Board) -> None:
    """Nothing in the kitchen sink is unknown, runs script, calls out or is wider than 360 pixels."""
    kitchen.asked.clear()
    kitchen.problems.clear()
    page = kitchen.open("C0ASK")
    expect(page.get_by_text("A picture", exact=True)).to_be_visible()
    expect(page.locator(".unknown-block, .unknown-inline")).to_have_count(0)
    page.set_viewport_size({"width": 360, "height": 740})
    page.evaluate("document.querySelectorAll('.message').forEach((m) => m.style.contentVisibility = 'visible')")
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.set_viewport_size({"width": 1300, "height": 900})
    expect(page.locator("#channel")).to_contain_text("<img src=x onerror='window.hacked = 1'>.jsonl")
    assert page.evaluate("window.hacked") is None
    hostile = ("script", "[onerror]", "[onclick]", "a[href^='javascript']", "a[href^='data']")
    assert page.locator(", ".join(f"main {one}" for one in hostile)).count() == 0
    assert [url for url in kitchen.asked if url.startswith("http") and not url.startswith(kitchen.slack.url)] == []
    assert kitchen.problems == []


def test_what_is_unknown_is_shown_with_its_json(board: Board) -> None:
    """Unknown blocks, elements, rich text and cells are never dropped; a broken block says so."""
    blocks = [
        {"type": "hologram", "depth": 3},
        {"type": "actions", "elements": [{"type": "slider", "steps": 7}]},
        {"type": "rich_text", "elements": [{"type": "rich_text_poem", "lines": 4}]},
        {"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": [{"type": "sparkle", "n": 5}]}]},
        {"type": "context", "elements": [{"type": "dial", "turns": 6}]},
        {"type": "table", "rows": [[{"type": "raw_text", "text": "A"}], [{"type": "raw_clip", "id": "F8"}]]},
        {"type": "data_visualization", "title": "x", "chart": {"type": "radar", "arms": 9}},
        {"type": "section", "text": {"type": "mrkdwn", "text": "x"}, "fields": 1},
        {"type": "constructor"},
        {
            "type": "rich_text",
            "elements": [
                {
                    "type": "rich_text_section",
                    "elements": [{"type": "link", "url": "javascript:window.hacked=1", "text": "bad link"}],
                }
            ],
        },
    ]
    text = board.page.evaluate(
        """async (blocks) => {
            const { blocks: draw } = await import("/static/blocks.js");
            const { formFor } = await import("/static/forms.js");
            const holder = document.createElement("div");
            holder.append(...draw(blocks, formFor("test", { channel: "C0GENERAL", message_ts: "1.1" })));
            document.body.append(holder);
            const links = holder.querySelectorAll("a").length;
            holder.remove();
            return `${holder.textContent} links:${links}`;
        }""",
        blocks,
    )
    for name in ("hologram", "slider", "rich_text_poem", "sparkle", "dial", "raw_clip", "radar", "constructor"):
        assert name in text
    for detail in ('"depth": 3', '"steps": 7', '"lines": 4', '"n":5', '"turns": 6', '"id":"F8"', '"arms": 9'):
        assert detail in text
    assert "bad link" in text
    assert text.endswith("links:0")


def test_a_button_asks_first(board: Board) -> None:
    """A refusal sends nothing, Esc neither; only the agreement does, and it has Slack's words."""
    shown = board.element(button("go", "Train", confirm={**CONFIRM, "style": "danger"}))
    train = shown.get_by_role("button", name="Train")
    before = len(board.actions())
    for leave in ("Not yet", "Escape"):
        train.click()
        dialog = board.page.get_by_role("alertdialog", name="Start training?")
        expect(dialog).to_contain_text("about 5 minutes")
        board.page.keyboard.press("Escape") if leave == "Escape" else dialog.get_by_role("button", name=leave).click()
        expect(dialog).to_be_hidden()
        expect(train).to_be_focused()
    train.click()
    assert len(board.actions()) == before
    assert board.acted(lambda: board.page.get_by_role("button", name="Start", exact=True).click())["action_id"] == "go"


def test_a_link_button_opens_a_tab_and_tells_the_app(board: Board) -> None:
    """The address opens without a way back to this page, and the app still hears of the click."""
    shown = board.element(button("docs", "Docs", url=f"{board.slack.url}/static/icon.svg"))
    link = shown.get_by_role("link", name="Docs")
    assert link.get_attribute("rel") == "noopener noreferrer"
    with board.context.expect_page() as tab:
        assert board.acted(link.click)["action_id"] == "docs"
    assert tab.value.evaluate("window.opener") is None
    tab.value.close()


def test_a_button_for_others_is_not_shown(board: Board) -> None:
    """visible_to_user_ids hides a button from everybody else."""
    only = [button("mine", "Mine", visible_to_user_ids=["U0ADA"]), button("his", "His", visible_to_user_ids=["U0BEN"])]
    shown = board.post({"type": "actions", "elements": only})
    expect(shown.get_by_role("button", name="Mine")).to_be_visible()
    expect(shown.get_by_role("button", name="His")).to_have_count(0)


def test_an_overflow_menu_is_used_with_the_keyboard(board: Board) -> None:
    """It opens with Enter, moves with arrows and sends the option."""
    shown = board.element({"type": "overflow", "action_id": "more", "options": [option("Rename"), option("Delete")]})
    shown.locator("[data-action-id=more]").focus()
    for key in ("Enter", "ArrowDown"):
        board.page.keyboard.press(key)
    expect(board.page.get_by_role("menuitem", name="Delete")).to_be_focused()
    action = board.acted(lambda: board.page.keyboard.press("Enter"))
    assert action["selected_option"]["value"] == "delete"


def test_a_select_is_searched_by_typing(board: Board) -> None:
    """Typing narrows the groups, Enter chooses, the message keeps the choice, and a click lets it be typed over."""
    shown = board.element({"type": "static_select", "action_id": "what", "option_groups": GROUPS})
    box = shown.get_by_role("combobox")
    box.click()
    expect(board.page.get_by_role("group", name="Colours")).to_be_visible()
    board.page.keyboard.type("blu")
    expect(board.page.get_by_role("option")).to_have_count(1)
    action = board.acted(lambda: board.page.keyboard.press("Enter"))
    assert action["selected_option"]["value"] == "blue"
    expect(box).to_have_value("Blue")
    board.page.keyboard.type("zzz")
    expect(board.page.get_by_text("No results")).to_be_visible()
    board.page.keyboard.press("Escape")
    expect(box).to_have_value("Blue")
    box.click()
    board.page.keyboard.type("blu")
    expect(board.page.get_by_role("option")).to_have_count(1)


def test_a_refused_choice_is_taken_back(board: Board) -> None:
    """Where a select or a box asks first, a refusal leaves the old value and tells nobody."""
    asks = {"options": OPTIONS[:2], "confirm": CONFIRM}
    shown = board.post(
        {
            "type": "actions",
            "elements": [
                {"type": "static_select", "action_id": "s", "initial_option": OPTIONS[0], **asks},
                {"type": "radio_buttons", "action_id": "r", "initial_option": OPTIONS[0], **asks},
            ],
        }
    )
    before = len(board.actions())
    shown.get_by_role("combobox").click()
    board.page.get_by_role("option", name="Medium").click()
    board.page.get_by_role("button", name="Not yet").click()
    expect(shown.get_by_role("combobox")).to_have_value("Small")
    shown.get_by_label("Medium").click()
    board.page.get_by_role("button", name="Not yet").click()
    expect(shown.get_by_label("Small")).to_be_checked()
    assert len(board.actions()) == before


def test_several_choices_stand_as_chips_up_to_a_limit(board: Board) -> None:
    """max_selected_items closes the list; Backspace and the cross take a choice away."""
    element = {"type": "multi_static_select", "options": OPTIONS, "max_selected_items": 2}
    _, dialog = board.modal(field("Sizes", element))
    box = dialog.get_by_label("Sizes")
    box.click()
    for name in ("Small", "Large"):
        board.page.get_by_role("option", name=name, exact=True).click()
    expect(board.page.get_by_text("You can choose up to 2.")).to_be_visible()
    expect(board.page.get_by_role("option", name="Medium")).to_have_attribute("aria-disabled", "true")
    board.page.keyboard.press("Escape")
    board.page.keyboard.press("Backspace")
    expect(dialog.get_by_role("button", name="Remove Large")).to_have_count(0)
    dialog.get_by_role("button", name="Save").click()
    wait_for(lambda: board.app.payloads("view_submission"), what="the form")
    values = board.submitted()["sizes"]["value"]["selected_options"]
    assert [one["value"] for one in values] == ["small"]


def test_options_come_from_the_app(board: Board) -> None:
    """An external select asks after enough letters, shows what comes, and says when nothing does."""
    element = {"type": "external_select", "action_id": "ticket", "min_query_length": 2}
    shown = board.element(element)
    shown.get_by_role("combobox").click()
    expect(board.page.get_by_text("Type at least 2 characters")).to_be_visible()
    board.page.keyboard.type("tic")
    expect(board.page.get_by_role("option", name="Ticket 7")).to_be_visible()
    wait_for(lambda: board.app.payloads("block_suggestion")[-1]["value"] == "tic", what="the last question")
    action = board.acted(lambda: board.page.get_by_role("option", name="Ticket 8").click())
    assert action["selected_option"]["value"] == "8"
    shown.get_by_role("combobox").fill("broken")
    expect(board.page.get_by_text("We had trouble loading these options.")).to_be_visible()
    board.page.keyboard.press("Escape")
    # The browser's console names every answer that is an error; this one was asked for.
    board.problems.clear()


def test_people_and_conversations_are_chosen_by_name(board: Board) -> None:
    """People, public channels and filtered conversations are offered; the present conversation can be the default."""
    shown = board.post(
        {
            "type": "actions",
            "elements": [
                {"type": "users_select", "action_id": "u", "placeholder": sink.plain("Who")},
                {"type": "conversations_select", "action_id": "c", "default_to_current_conversation": True},
                {
                    "type": "multi_conversations_select",
                    "action_id": "m",
                    "placeholder": sink.plain("Direct"),
                    "filter": {"include": ["im"]},
                },
            ],
        }
    )
    expect(shown.locator("[data-action-id=c]")).to_have_value("#general")
    shown.get_by_role("combobox", name="Direct").click()
    expect(board.page.get_by_role("option", name="#general")).to_have_count(0)
    board.page.keyboard.press("Escape")
    shown.get_by_role("combobox", name="Who").fill("ben")
    action = board.acted(lambda: board.page.keyboard.press("Enter"))
    assert action["selected_user"] == "U0BEN"


def test_dates_and_times_are_picked_with_the_keyboard(board: Board) -> None:
    """A calendar moves by day and month; a time may be typed freely."""
    shown = board.post(
        {
            "type": "actions",
            "elements": [
                {"type": "datepicker", "action_id": "d", "initial_date": "2026-01-31"},
                {"type": "timepicker", "action_id": "t", "initial_time": "14:30"},
            ],
        }
    )
    shown.locator("[data-action-id=d]").focus()
    for key in ("Enter", "PageDown", "ArrowRight"):
        board.page.keyboard.press(key)
    action = board.acted(lambda: board.page.keyboard.press("Enter"))
    assert action["selected_date"] == "2026-03-01"
    expect(shown.locator("[data-action-id=d]")).to_be_focused()
    shown.locator("[data-action-id=t]").fill("9:05 pm")
    action = board.acted(lambda: board.page.keyboard.press("Enter"))
    assert action["selected_time"] == "21:05"


@pytest.mark.parametrize(
    ("element", "typed", "says"),
    [
        ({"type": "plain_text_input", "min_length": 5}, "abc", "at least 5 characters"),
        ({"type": "plain_text_input", "max_length": 3}, "abcd", "no more than 3 characters"),
        ({"type": "number_input", "is_decimal_allowed": False}, "1.5", "a whole number"),
        ({"type": "number_input", "is_decimal_allowed": True}, "many", "enter a number"),
        ({"type": "number_input", "is_decimal_allowed": False, "min_value": "2"}, "1", "at least 2"),
        ({"type": "number_input", "is_decimal_allowed": False, "max_value": "9"}, "10", "at most 9"),
        ({"type": "email_text_input"}, "ada", "a valid email address"),
        ({"type": "url_text_input"}, "example", "a valid URL"),
    ],
)
def test_what_is_typed_is_checked_before_it_is_sent(board: Board, element: Json, typed: str, says: str) -> None:
    """The complaint stands at the field, the field has the keyboard, and typing takes the complaint away."""
    _, dialog = board.modal(field("Name", element))
    sent = len(board.app.payloads("view_submission"))
    box = dialog.get_by_label("Name")
    expect(box).to_be_focused()
    board.page.keyboard.type(typed)
    board.page.keyboard.press("Enter")
    expect(dialog.get_by_role("alert").first).to_contain_text(says)
    expect(box).to_have_attribute("aria-invalid", "true")
    expect(box).to_be_focused()
    board.page.keyboard.type("1")
    expect(dialog.get_by_role("alert").first).to_be_empty()
    assert len(board.app.payloads("view_submission")) == sent


def test_a_form_complains_and_goes(board: Board) -> None:
    """The keyboard starts where focus_on_load says, a refusal stands at its field, a slow answer keeps Save busy."""
    blocks = [
        field("Name", {"type": "plain_text_input", "max_length": 30}),
        field("More", {"type": "plain_text_input", "focus_on_load": True}, optional=True),
    ]
    _, dialog = board.modal(*blocks)
    save = dialog.get_by_role("button", name="Save")
    expect(dialog.get_by_label("More")).to_be_focused()
    dialog.get_by_label("Name").fill("taken")
    save.click()
    expect(dialog.get_by_role("alert").first).to_have_text("That name is taken.")
    dialog.get_by_label("Name").fill("slow")
    save.click()
    expect(save).to_have_attribute("aria-busy", "true")
    expect(dialog).to_be_hidden()


def test_the_characters_left_are_counted(board: Board) -> None:
    """The counter goes below zero instead of cutting off what was written."""
    _, dialog = board.modal(field("Name", {"type": "plain_text_input", "max_length": 5}))
    board.page.keyboard.type("abcdefg")
    expect(dialog.locator(".counter")).to_have_text("-2")
    expect(dialog.get_by_label("Name")).to_have_value("abcdefg")


def test_typing_is_sent_where_the_block_asks_for_it(board: Board) -> None:
    """dispatch_action sends on Enter, or while typing where the element says so; without it nothing goes."""
    letters = {"dispatch_action_config": {"trigger_actions_on": ["on_character_entered"]}}
    _, dialog = board.modal(
        field("Search", {"type": "plain_text_input", **letters}, dispatch_action=True),
        field("City", {"type": "plain_text_input", "action_id": "city"}, dispatch_action=True),
        field("Quiet", {"type": "plain_text_input", "action_id": "quiet"}, optional=True),
    )
    action = board.acted(lambda: dialog.get_by_label("Search").press_sequentially("abc"))
    assert (action["type"], action["value"]) == ("plain_text_input", "abc")
    dialog.get_by_label("City").fill("Oslo")
    assert board.acted(lambda: dialog.get_by_label("City").press("Enter"))["value"] == "Oslo"
    before = len(board.actions())
    dialog.get_by_label("Quiet").fill("nothing")
    board.page.wait_for_timeout(400)
    assert len(board.actions()) == before


def test_formatted_text_becomes_rich_text(board: Board) -> None:
    """Bold, code, links, emoji, lists and quotes come out as the JSON that Slack's own composer writes."""
    _, dialog = board.modal(field("Notes", {"type": "rich_text_input"}))
    keys = board.page.keyboard
    box = dialog.get_by_role("textbox", name="Notes")
    expect(box).to_be_focused()
    keys.type("Use ")
    keys.press("Control+b")
    keys.type("RAG")
    keys.press("Control+b")
    keys.type(" :tada: see https://example.com/a, ok")
    keys.press("Enter")
    dialog.get_by_role("button", name="Bulleted list").click()
    keys.type("one")
    keys.press("Enter")
    keys.press("Tab")
    keys.type("deep")
    for _ in range(3):
        keys.press("Enter")
    dialog.get_by_role("button", name="Blockquote").click()
    keys.type("said")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_be_hidden()
    value = board.submitted()["notes"]["value"]["rich_text_value"]

    def line(*runs: Json) -> Json:
        return {"type": "rich_text_section", "elements": list(runs)}

    assert value["elements"] == [
        line(
            {"type": "text", "text": "Use "},
            {"type": "text", "text": "RAG", "style": {"bold": True}},
            {"type": "text", "text": " "},
            {"type": "emoji", "name": "tada"},
            {"type": "text", "text": " see "},
            {"type": "link", "url": "https://example.com/a"},
            {"type": "text", "text": ", ok"},
        ),
        {"type": "rich_text_list", "style": "bullet", "indent": 0, "elements": [line({"type": "text", "text": "one"})]},
        {
            "type": "rich_text_list",
            "style": "bullet",
            "indent": 1,
            "elements": [line({"type": "text", "text": "deep"})],
        },
        {"type": "rich_text_quote", "elements": [{"type": "text", "text": "said"}]},
    ]


def test_formatted_text_takes_no_markup_in(board: Board) -> None:
    """What is pasted stays text, a script address is no link, and an initial value can be edited."""
    initial = sink.rich_line({"type": "text", "text": "old", "style": {"italic": True}})
    _, dialog = board.modal(field("Notes", {"type": "rich_text_input", "initial_value": initial}))
    box = dialog.get_by_role("textbox", name="Notes")
    expect(box.locator("i")).to_have_text("old")
    board.page.evaluate(
        """(text) => {
            const data = new DataTransfer();
            data.setData("text/html", text);
            data.setData("text/plain", text);
            const box = document.querySelector(".rich-box");
            getSelection().selectAllChildren(box);
            getSelection().collapseToEnd();
            box.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true }));
        }""",
        sink.EVIL,
    )
    expect(box).to_contain_text("<script>")
    dialog.get_by_role("button", name="Link", exact=True).click()
    board.page.keyboard.type("javascript:window.hacked=1")
    board.page.keyboard.press("Enter")
    expect(dialog.get_by_label("Link address")).to_have_attribute("aria-invalid", "true")
    dialog.get_by_label("Link address").fill("example.com/page")
    board.page.keyboard.press("Enter")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_be_hidden()
    text = json.dumps(board.submitted()["notes"]["value"]["rich_text_value"])
    assert '"style": {"italic": true}' in text
    assert '"url": "https://example.com/page"' in text
    assert board.page.evaluate("window.hacked") is None


def test_files_are_checked_and_uploaded(board: Board) -> None:
    """A wrong type and a third file are refused in words; dropped files go up and come out in the state."""
    element = {"type": "file_input", "filetypes": ["jsonl", "csv"], "max_files": 2}
    _, dialog = board.modal(field("Rows", element))
    wrong = FilePayload(name="run.exe", mimeType="application/octet-stream", buffer=b"x")
    right = FilePayload(name="rows.jsonl", mimeType="application/jsonl", buffer=sink.ROWS.encode())
    dialog.locator("input[type=file]").set_input_files([wrong, right])
    expect(dialog.locator(".file-list")).to_contain_text("rows.jsonl")
    expect(dialog.locator(".file-problem")).to_contain_text("run.exe is not JSONL or CSV")
    dialog.locator(".drop").evaluate(
        """(drop) => {
            const data = new DataTransfer();
            for (const name of ["a.csv", "b.csv"]) data.items.add(new File(["q,n\\n1,2"], name));
            drop.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }));
        }"""
    )
    expect(dialog.locator(".file-list li[data-file-id]")).to_have_count(2)
    expect(dialog.locator(".file-problem")).to_contain_text("up to 2 files")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_be_hidden()
    assert [file["name"] for file in board.submitted()["rows"]["value"]["files"]] == ["rows.jsonl", "a.csv"]


def test_an_update_keeps_what_is_being_typed(board: Board) -> None:
    """views.update changes the rest of the form; the text, the caret, open lists and other entries stay."""
    name = field("Name", {"type": "plain_text_input", "initial_value": "first"})
    size = field("Size", {"type": "static_select", "options": OPTIONS}, optional=True)
    view_id, dialog = board.modal(sink.section("before"), name, size)
    box = dialog.get_by_label("Name")
    box.fill("half a sentence")
    board.page.keyboard.press("Home")
    board.update(view_id, sink.section("after"), name, size, sink.section("more"))
    expect(dialog).to_contain_text("after")
    expect(box).to_be_focused()
    board.page.keyboard.type(">")
    expect(box).to_have_value(">half a sentence")
    again = {**name, "label": sink.plain("New name"), "hint": sink.plain("A hint")}
    board.update(view_id, sink.section("third"), again, size)
    renamed = dialog.get_by_label("New name")
    expect(renamed).to_be_focused()
    board.page.keyboard.type("!")
    expect(renamed).to_have_value(">!half a sentence")
    dialog.get_by_label("Size").click()
    expect(board.page.get_by_role("option", name="Large", exact=True)).to_be_visible()
    board.update(view_id, sink.section("fourth"), again, size)
    expect(dialog).to_contain_text("fourth")
    board.page.get_by_role("option", name="Large", exact=True).click()
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_be_hidden()
    values = board.submitted()
    assert values["name"]["value"]["value"] == ">!half a sentence"
    assert values["size"]["value"]["selected_option"]["value"] == "large"


def test_three_modals_stack_and_lead_back(board: Board) -> None:
    """Back and Esc show the one below as it was left; the cross closes all; Tab never leaves the dialog."""
    row = {"type": "actions", "elements": [button("push", "Next")]}
    _, dialog = board.modal(field("Name", {"type": "plain_text_input"}), row, title=sink.plain("One"))
    dialog.get_by_label("Name").fill("kept")
    for title in ("Two", "Three"):
        board.acted(lambda: dialog.get_by_role("button", name="Next").click())
        trigger = board.app.payloads("block_actions")[-1]["trigger_id"]
        pushed = view(sink.section("x"), row, title=sink.plain(title))
        board.slack.web.api_call("views.push", json={"trigger_id": trigger, "view": pushed})
        expect(dialog.get_by_role("heading", level=2)).to_have_text(title)
    for _ in range(9):
        board.page.keyboard.press("Tab")
        assert board.page.evaluate("document.activeElement.closest('dialog') !== null")
    dialog.get_by_role("button", name="Back").click()
    expect(dialog.get_by_role("heading", level=2)).to_have_text("Two")
    board.page.keyboard.press("Escape")
    expect(dialog.get_by_label("Name")).to_have_value("kept")
    dialog.get_by_role("button", name="Close").click()
    expect(dialog).to_be_hidden()
    wait_for(lambda: board.slack.views() == [], what="no modal is open")


def test_a_modal_fills_a_phone(board: Board) -> None:
    """At 360 pixels a modal takes the whole screen and its buttons stay in reach."""
    board.page.set_viewport_size({"width": 360, "height": 640})
    _, dialog = board.modal(*sink.modal(board.picture)["blocks"])
    assert dialog.bounding_box() == {"x": 0, "y": 0, "width": 360, "height": 640}
    save = dialog.get_by_role("button", name="Save").bounding_box()
    assert save is not None
    assert save["y"] + save["height"] <= 640
    assert dialog.locator(".modal-body").evaluate("(body) => body.scrollWidth <= body.clientWidth")
    board.page.set_viewport_size({"width": 1300, "height": 900})


def test_a_data_table_turns_sorts_and_filters(board: Board) -> None:
    """Pages, sorting by any column in both directions, numbers as numbers, and a filter over all rows."""
    *_, blocks = list(sink.tables())
    shown = board.post(*blocks)
    first = shown.locator("tbody tr").first
    expect(shown.get_by_role("status")).to_have_text("1–3 of 8")
    shown.get_by_role("button", name="Next page").click()
    expect(shown.get_by_role("status")).to_have_text("4–6 of 8")
    shown.get_by_role("button", name="Right", exact=True).click()
    expect(first).to_contain_text("Zero-shot")
    shown.get_by_role("button", name="Right", exact=True).click()
    expect(first).to_contain_text("Tuned")
    expect(shown.get_by_role("columnheader", name="Right")).to_have_attribute("aria-sort", "descending")
    shown.get_by_label("Filter rows of Bake-off").fill("rag")
    expect(shown.locator("tbody tr")).to_have_count(2)
    expect(shown.locator("tbody th[scope=row]").first).to_have_text("RAG")


def test_a_chart_has_a_tip_and_a_table(board: Board) -> None:
    """Pointing at a place tells all its values; the same numbers stand in a table under the chart."""
    _, blocks = list(sink.charts())
    shown = board.post(blocks[0])
    shown.locator(".strip").nth(2).hover()
    expect(shown.locator(".chart-tip")).to_have_text(re.compile("3train0.9held-out1.2"))
    shown.get_by_text("Show as table").click()
    expect(shown.get_by_role("row", name="3 0.9 1.2")).to_be_visible()


def test_files_show_rows_grow_and_enlarge(board: Board) -> None:
    """JSONL and CSV are tables of their keys, text is code, a picture opens large and Esc closes it."""
    ids = [board.slack.upload(name, text.encode())["id"] for name, text in sink.FILES.items()]
    board.slack.send("The files", channel="C0GENERAL", files=[*ids, board.picture["id"]])
    cards = board.page.locator("#channel [data-ts]", has_text="The files").last.locator("[data-file-id]")
    rows, sheet, code, notes, picture = (cards.nth(place) for place in range(5))
    expect(rows.get_by_role("columnheader", name="assistant")).to_be_visible()
    expect(rows.locator("tbody tr")).to_have_count(4)
    rows.get_by_role("button", name="Show more").click()
    expect(rows.locator("tbody tr")).to_have_count(12)
    expect(sheet.get_by_role("cell", name="0,4")).to_be_visible()
    expect(code.locator("pre")).to_contain_text("def accuracy")
    expect(notes).to_contain_text("Plain Text")
    expect(rows.get_by_role("link", name="Download rows.jsonl")).to_be_visible()
    picture.get_by_role("button", name="Enlarge").click()
    large = board.page.get_by_test_id("lightbox")
    expect(large).to_be_visible()
    board.page.keyboard.press("Escape")
    expect(large).to_have_count(0)
    expect(picture.get_by_role("button", name="Enlarge")).to_be_focused()


def test_feedback_is_marked(board: Board) -> None:
    """The thumb that was pressed stays pressed."""
    shown = board.post(sink.agent_blocks()[-1])
    up = shown.get_by_role("button", name="Good answer")
    assert board.acted(up.click)["value"] == "up"
    expect(up).to_have_attribute("aria-pressed", "true")


def test_a_carousel_turns_with_keys_and_arrows(board: Board) -> None:
    """Arrow keys scroll the cards; the round buttons come and go with what is left on either side."""
    card = {"type": "card", "body": sink.mrkdwn("A card with some text in it.")}
    shown = board.post({"type": "carousel", "elements": [card] * 8})
    row = shown.locator(".carousel-row")
    expect(shown.get_by_role("button", name="Earlier cards")).to_be_hidden()
    row.focus()
    board.page.keyboard.press("ArrowRight")
    expect(shown.get_by_role("button", name="Earlier cards")).to_be_visible()
    for _ in range(8):
        row.press("ArrowRight")
    expect(shown.get_by_role("button", name="More cards")).to_be_hidden()


def test_addresses_are_links_unless_verbatim(board: Board) -> None:
    """A bare address in mrkdwn is a link; verbatim leaves it as text."""
    bare = sink.mrkdwn("see https://example.com/page.")
    shown = board.post({"type": "section", "text": bare})
    expect(shown.get_by_role("link", name="https://example.com/page")).to_have_attribute("target", "_blank")
    shown = board.post({"type": "section", "text": {**bare, "verbatim": True}})
    expect(shown.get_by_role("link", name="https://example.com/page")).to_have_count(0)
