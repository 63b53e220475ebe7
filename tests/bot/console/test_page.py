"""The page of the local Slack in a real Chromium, against a real local Slack and a small Bolt app."""

import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import FilePayload, expect
from slack_bolt import App

from tests.bot.console.desk import Desk
from tests.bot.console.parts import button, plain, section
from tests.bot.console.third_party import Answer, bolt_listener, recorder
from tests.console import LocalSlack, wait_for

Json = dict[str, Any]
EVIL = "<script>window.hacked = 1</script><img src=x onerror='window.hacked = 1'>"


@pytest.fixture
def trained(desk: Desk) -> Iterator[Desk]:
    """The same page beside a Bolt app with modals."""
    app = bolt_listener(modal_app(desk.slack))
    desk.slack.point_at(app.url)
    desk.open()
    yield desk
    app.stop()


def modal_app(slack: LocalSlack) -> App:
    """/tune opens a modal; its button pushes another; the name `taken` is refused at the input."""
    app = App(name="luthier", client=slack.web, signing_secret=slack.signing_secret, token_verification_enabled=False)

    @app.command("/tune")
    def tune(ack: Any, body: Json, client: Any) -> None:
        ack()
        client.views_open(trigger_id=body["trigger_id"], view=modal("Train", "train"))

    @app.action("more")
    def more(ack: Any, body: Json, client: Any) -> None:
        ack()
        client.views_push(trigger_id=body["trigger_id"], view=modal("Advanced", "advanced"))

    @app.view("train")
    def submitted(ack: Any, view: Json, client: Any) -> None:
        name = view["state"]["values"]["name"]["name"]["value"]
        if name == "taken":
            ack(response_action="errors", errors={"name": "That name is taken."})
            return
        ack()
        client.chat_postMessage(channel="C0ASK", text=f"Quote for {name}")

    return app


def modal(title: str, callback_id: str) -> Json:
    """A modal with one required input and one button."""
    name = {"type": "plain_text_input", "action_id": "name"}
    return {
        "type": "modal",
        "callback_id": callback_id,
        "title": plain(title),
        "submit": plain("Go on"),
        "blocks": [
            {"type": "input", "block_id": "name", "label": plain("Name"), "element": name},
            {"type": "actions", "elements": [button("more", "Advanced…")]},
        ],
    }


def late(_: object) -> Answer:
    """An app that takes its time."""
    time.sleep(0.4)
    return Answer()


def test_text_of_a_message_never_becomes_markup(desk: Desk) -> None:
    """Script, event handlers and javascript: links in text, blocks and names stay text."""
    desk.open()
    table = {"type": "table", "rows": [[{"type": "raw_text", "text": EVIL}]]}
    blocks = [section(EVIL), {"type": "markdown", "text": f"# {EVIL}\n[click](javascript:window.hacked=1)"}, table]
    desk.slack.web.chat_postMessage(channel="C0ASK", text=EVIL, username=EVIL, blocks=blocks)
    desk.slack.web.chat_postMessage(channel="C0ASK", text=f"{EVIL} <javascript:window.hacked=1|click>")
    desk.slack.send(f"typed {EVIL}")
    expect(desk.message("typed")).to_contain_text("onerror")
    assert desk.page.evaluate("window.hacked") is None
    assert desk.page.locator("main script, main img, main a[href^='javascript']").count() == 0
    assert desk.page.locator("main .block", has_text="<script>").count() == 4


def test_no_request_leaves_the_machine(desk: Desk) -> None:
    """Pictures on other machines are named, not loaded."""
    picture = {"type": "image", "image_url": "https://example.com/chart.png", "alt_text": "Loss over steps"}
    desk.slack.web.chat_postMessage(channel="C0ASK", text="chart", blocks=[picture])
    desk.open()
    expect(desk.message("Loss over steps")).to_contain_text("Not loaded")
    assert {url for url in desk.asked if not url.startswith((desk.slack.url, "data:"))} == set()


def test_enter_sends_and_shift_enter_breaks_the_line(desk: Desk) -> None:
    """A mention that was completed goes out as the person's id, once, with both lines."""
    desk.open()
    box = desk.page.get_by_test_id("composer")
    box.press_sequentially("hello @lut")
    desk.page.keyboard.press("Enter")
    box.press_sequentially("first line")
    desk.page.keyboard.press("Shift+Enter")
    box.press_sequentially("second line")
    desk.page.keyboard.press("Enter")
    expect(desk.message("second line")).to_have_count(1)
    expect(box).to_have_value("")
    assert [each["text"] for each in desk.slack.messages()] == ["hello <@U0LUTHIER> first line\nsecond line"]


def test_what_was_written_comes_back_when_sending_fails(desk: Desk) -> None:
    """A refused message stays in the box and the reason is shown."""
    desk.open()
    box = desk.page.get_by_test_id("composer")
    box.fill("x" * 12_001)
    box.press("Enter")
    expect(desk.page.get_by_test_id("toast")).to_contain_text("Send it as a file")
    expect(box).to_have_value("x" * 12_001)


def test_a_thread_opens_beside_the_channel(desk: Desk) -> None:
    """A reply written in the thread shows there and counts in the channel."""
    desk.slack.send("which one?")
    desk.open()
    desk.message("which one?").hover()
    desk.act_on("reply-in-thread").click()
    box = desk.page.get_by_test_id("thread-composer")
    expect(box).to_be_focused()
    box.press_sequentially("this one")
    box.press("Enter")
    expect(desk.page.get_by_test_id("thread").locator("[data-ts]", has_text="this one")).to_have_count(1)
    expect(desk.message("which one?")).to_contain_text("1 reply")
    expect(desk.message("this one")).to_have_count(0)
    desk.page.keyboard.press("Escape")
    expect(desk.page.get_by_test_id("thread")).to_be_hidden()


def test_the_first_answer_opens_its_thread(desk: Desk) -> None:
    """Who asks in a channel sees the app's answer without looking for it, and keeps the keyboard."""
    desk.open()
    box = desk.page.get_by_test_id("composer")
    box.fill("@Luthier help")
    box.press("Enter")
    expect(desk.message("help")).to_have_count(1)
    root = desk.slack.messages()[0]["ts"]
    desk.slack.web.chat_postMessage(channel="C0ASK", thread_ts=root, text="Use RAG.")
    expect(desk.page.get_by_test_id("thread")).to_contain_text("Use RAG.")
    expect(box).to_be_focused()


def test_a_modal_keeps_focus_shows_errors_and_closes_with_escape(trained: Desk) -> None:
    """The command opens it; an empty and a refused name are shown at the input; Esc gives the keyboard back."""
    page = trained.page
    box = page.get_by_test_id("composer")
    box.press_sequentially("/tu")
    expect(page.get_by_role("option", name="/tune")).to_be_visible()
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    dialog = page.get_by_test_id("modal")
    name = dialog.get_by_label("Name")
    expect(name).to_be_focused()
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("alert").first).to_have_text("Please complete this required field.")
    name.fill("taken")
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("alert").first).to_have_text("That name is taken.")
    for _ in range(12):
        page.keyboard.press("Tab")
        assert page.evaluate("document.activeElement.closest('dialog') !== null")
    page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    expect(box).to_be_focused()
    wait_for(lambda: trained.slack.views() == [], what="the modal is closed for the app, too")


def test_a_submitted_modal_closes_and_the_app_answers(trained: Desk) -> None:
    """What was typed reaches the app; its message appears."""
    trained.slack.command("/tune")
    dialog = trained.page.get_by_test_id("modal")
    dialog.get_by_label("Name").fill("tickets-v2")
    trained.act_on("modal-submit").click()
    expect(trained.message("Quote for tickets-v2")).to_have_count(1)
    expect(dialog).to_be_hidden()


def test_pushed_modals_stack(trained: Desk) -> None:
    """Esc on the second goes back to the first, which still holds what was typed; a reload shows it again."""
    trained.slack.command("/tune")
    dialog = trained.page.get_by_test_id("modal")
    dialog.get_by_label("Name").fill("kept")
    trained.act_on("more").click()
    expect(dialog.get_by_role("heading")).to_have_text("Advanced")
    trained.page.keyboard.press("Escape")
    expect(dialog.get_by_role("heading")).to_have_text("Train")
    expect(dialog.get_by_label("Name")).to_have_value("kept")
    trained.page.reload()
    expect(dialog.get_by_role("heading")).to_have_text("Train")


def test_a_double_click_is_sent_once(desk: Desk) -> None:
    """While a click is on its way the button is busy; a later click is sent again."""
    slow = recorder(late)
    desk.slack.point_at(slow.url)
    desk.slack.web.chat_postMessage(
        channel="C0ASK", text="quote", blocks=[{"type": "actions", "elements": [button("approve", "Approve")]}]
    )
    desk.open()
    approve = desk.act_on("approve")
    approve.dblclick()
    expect(approve).to_have_attribute("aria-busy", "true")
    expect(approve).not_to_have_attribute("aria-busy", "true")
    assert len(slow.payloads("block_actions")) == 1
    approve.click()
    wait_for(lambda: len(slow.payloads("block_actions")) == 2, what="the second click")
    slow.stop()


def test_choices_travel_with_the_click(desk: Desk) -> None:
    """A select sends its option, and a later button carries it in the state."""
    options = [{"text": plain(label), "value": value} for label, value in (("Small", "s"), ("Large", "l"))]
    select = {"type": "static_select", "action_id": "size", "placeholder": plain("How big?"), "options": options}
    row = {"type": "actions", "block_id": "row", "elements": [select, button("go", "Go")]}
    desk.slack.web.chat_postMessage(channel="C0ASK", text="ask", blocks=[row])
    desk.open()
    desk.act_on("size").click()
    desk.page.get_by_role("option", name="Large").click()
    wait_for(lambda: desk.app.payloads("block_actions"), what="the choice")
    desk.act_on("go").click()
    wait_for(lambda: len(desk.app.payloads("block_actions")) == 2, what="the click")
    choice, click = desk.app.payloads("block_actions")
    assert choice["actions"][0]["selected_option"]["value"] == "l"
    assert click["state"]["values"]["row"]["size"]["selected_option"]["value"] == "l"


def test_an_edit_in_place_keeps_the_keyboard(desk: Desk) -> None:
    """A progress message that changes every few seconds does not take focus from its Stop button."""

    def progress(step: int) -> list[Json]:
        return [section(f"step {step}/45"), {"type": "actions", "elements": [button("stop", "Stop")]}]

    sent = desk.slack.web.chat_postMessage(channel="C0ASK", text="training", blocks=progress(1))
    desk.open()
    desk.act_on("stop").focus()
    desk.slack.web.chat_update(channel="C0ASK", ts=sent["ts"], text="training", blocks=progress(2))
    expect(desk.message("step 2/45")).to_have_count(1)
    expect(desk.act_on("stop")).to_be_focused()
    expect(desk.message("step 1/45")).to_have_count(0)


def test_everything_works_from_the_keyboard(desk: Desk) -> None:
    """Ctrl+K jumps to a channel; a message is reached with Tab, its thread opened with Enter and left with Esc."""
    desk.slack.send("a note", channel="C0TUNING")
    desk.open()
    keys = desk.page.keyboard
    keys.press("Control+k")
    keys.type("tuning")
    keys.press("Enter")
    expect(desk.page.get_by_test_id("channel").get_by_role("heading", level=2)).to_have_text("#fine-tuning")
    expect(desk.page.get_by_test_id("composer")).to_be_focused()
    expect(desk.message("a note")).to_be_visible()
    for _ in range(8):
        keys.press("Shift+Tab")
        if desk.page.evaluate("document.activeElement.matches('.message')"):
            break
    keys.press("Enter")
    expect(desk.page.get_by_test_id("thread-composer")).to_be_focused()
    keys.type("seen")
    keys.press("Enter")
    expect(desk.message("a note")).to_contain_text("1 reply")
    keys.press("Escape")
    expect(desk.page.get_by_test_id("thread")).to_be_hidden()


def test_a_phone_shows_one_pane_at_a_time(desk: Desk) -> None:
    """List, channel and thread follow each other, and nothing is wider than the screen."""
    desk.slack.send("on the go")
    desk.page.set_viewport_size({"width": 390, "height": 844})
    desk.open()
    rail, channel, thread = (desk.page.locator(name) for name in ("#rail", "#channel", "#thread"))
    expect(channel).to_be_visible()
    expect(rail).to_be_hidden()
    desk.message("on the go").hover()
    desk.act_on("reply-in-thread").click()
    expect(thread).to_be_visible()
    expect(channel).to_be_hidden()
    desk.act_on("thread-back").click()
    desk.act_on("pane-back").click()
    expect(rail).to_be_visible()
    expect(channel).to_be_hidden()
    desk.act_on("go-C0GENERAL").click()
    expect(channel.get_by_role("heading", level=2)).to_have_text("#general")
    assert desk.page.evaluate("document.documentElement.scrollWidth") <= 390


def test_ephemeral_messages_say_so_and_stay_private(desk: Desk) -> None:
    """Ada sees hers, marked, and may dismiss it; Ben sees nothing."""
    desk.slack.web.chat_postEphemeral(channel="C0ASK", user="U0ADA", text="Ask Ben or Chi.")
    desk.open()
    note = desk.message("Ask Ben or Chi.")
    expect(note).to_contain_text("Only visible to you")
    note.hover()
    desk.act_on("dismiss").click()
    expect(note).to_have_count(0)
    desk.slack.send("for all")
    desk.open(user="U0BEN")
    expect(desk.message("for all")).to_have_count(1)
    expect(desk.message("Ask Ben or Chi.")).to_have_count(0)


def test_a_file_goes_with_a_mention_and_shows_its_rows(desk: Desk) -> None:
    """A JSONL file is attached, sent with the text, and shown as a table of its first rows."""
    desk.open()
    row = '{"messages": [{"role": "user", "content": "Late parcel"}, {"role": "assistant", "content": "delivery"}]}\n'
    upload = FilePayload(name="rows.jsonl", mimeType="application/jsonl", buffer=(row * 3).encode())
    desk.page.get_by_test_id("composer-file").set_input_files(upload)
    expect(desk.page.locator(".attached li")).to_contain_text("rows.jsonl")
    desk.page.get_by_test_id("composer").fill("@Luthier train on this")
    desk.page.keyboard.press("Enter")
    card = desk.message("train on this").locator("[data-file-id]")
    expect(card.locator("thead")).to_contain_text("assistant")
    expect(card.locator("tbody tr")).to_have_count(3)
    wait_for(lambda: desk.app.events("app_mention"), what="the mention")
    assert desk.app.events("app_mention")[0]["files"][0]["name"] == "rows.jsonl"


def test_home_shows_what_the_app_publishes(desk: Desk) -> None:
    """Opening Home tells the app; a published view appears, and a later one replaces it."""
    desk.open()
    desk.act_on("go-home").click()
    home = desk.page.get_by_test_id("home")
    expect(home).to_contain_text("Nothing here yet")
    wait_for(lambda: desk.app.events("app_home_opened"), what="the event")
    for text in ("One job runs", "No job runs"):
        desk.slack.web.views_publish(user_id="U0ADA", view={"type": "home", "blocks": [section(text)]})
        expect(home).to_contain_text(text)


def test_other_channels_show_unread_marks(desk: Desk) -> None:
    """A message elsewhere is counted in the list and in the title until it is seen."""
    desk.open()
    entry = desk.act_on("go-C0TUNING")
    desk.slack.web.chat_postMessage(channel="C0TUNING", text="tickets-v2 passed")
    expect(entry).to_have_accessible_name("fine-tuning 1 unread")
    expect(desk.page).to_have_title(re.compile(r"^\(1\)"))
    entry.click()
    expect(desk.message("tickets-v2 passed")).to_be_visible()
    expect(entry).to_have_accessible_name("fine-tuning")


def test_the_side_panel_shows_what_slack_would_receive(desk: Desk) -> None:
    """The raw JSON of a message is one click away, and Esc closes it."""
    desk.slack.web.chat_postMessage(channel="C0ASK", text="fallback", blocks=[section("*Use RAG.*")])
    desk.open()
    desk.message("Use RAG.").hover()
    desk.act_on("show-raw").click()
    expect(desk.page.get_by_test_id("raw")).to_contain_text('"*Use RAG.*"')
    desk.page.keyboard.press("Escape")
    expect(desk.page.get_by_test_id("raw")).to_be_hidden()


def test_the_newer_blocks_are_drawn(desk: Desk) -> None:
    """Plans, cards, alerts, containers, charts and data tables show their content; none is shown as unknown."""
    chart = {"type": "bar", "series": [{"name": "right", "data": [{"label": "tuned", "value": 90}]}]}
    task = {"type": "task_card", "task_id": "1", "title": "Read the rows", "status": "complete"}
    cells = [[{"type": "raw_text", "text": text}] for text in ("Arm", "Few-shot")]
    folded = {"type": "container", "title": plain("Wins"), "is_collapsible": True, "default_collapsed": True}
    blocks: list[Json] = [
        {"type": "plan", "title": "Working", "tasks": [task]},
        {"type": "alert", "level": "warning", "text": {"type": "mrkdwn", "text": "Ends soon"}},
        {"type": "card", "title": {"type": "mrkdwn", "text": "tickets-v2"}},
        {**folded, "child_blocks": [section("a parcel")]},
        {
            "type": "data_visualization",
            "title": "Share right",
            "chart": {**chart, "axis_config": {"categories": ["tuned"]}},
        },
        {"type": "data_table", "caption": "Bake-off", "rows": cells},
    ]
    desk.slack.web.chat_postMessage(channel="C0ASK", text="zoo", blocks=blocks)
    desk.open()
    shown = desk.message("Read the rows")
    for text in ("Ends soon", "tickets-v2", "Wins", "Share right", "Few-shot"):
        expect(shown).to_contain_text(text)
    expect(shown.get_by_role("img", name="Share right: right from 90 to 90")).to_be_visible()
    expect(shown.get_by_text("a parcel")).to_be_hidden()
    shown.get_by_text("Wins").click()
    expect(shown.get_by_text("a parcel")).to_be_visible()
    expect(shown).not_to_contain_text("Unknown")


def test_an_empty_channel_offers_first_prompts(desk: Desk) -> None:
    """Where the channel is about the app, a prompt goes out with the mention it needs."""
    desk.open()
    desk.act_on("suggested-prompt").click()
    wait_for(lambda: desk.app.events("app_mention"), what="the mention")
    assert desk.slack.messages()[0]["text"] == "<@U0LUTHIER> What is QLoRA?"


def test_suggested_prompts_are_sent_with_a_click(desk: Desk) -> None:
    """In the direct message the manifest's prompts stand above the box."""
    desk.open("D0ADA")
    desk.act_on("suggested-prompt").click()
    expect(desk.message("What is QLoRA?")).to_have_count(1)
    assert desk.slack.messages("D0ADA")[0]["user"] == "U0ADA"


def test_a_status_shows_and_goes(desk: Desk) -> None:
    """What the app is doing stands under the message until it is cleared."""
    root = desk.slack.send("@Luthier?")["ts"]
    desk.open()
    status = {"channel_id": "C0ASK", "thread_ts": root}
    desk.slack.web.assistant_threads_setStatus(**status, status="is weighing it up...")
    expect(desk.message("@Luthier")).to_contain_text("Luthier is weighing it up…")
    desk.slack.web.assistant_threads_setStatus(**status, status="")
    expect(desk.message("@Luthier")).not_to_contain_text("weighing")


def test_reactions_toggle(desk: Desk) -> None:
    """A second click takes one's own reaction back."""
    sent = desk.slack.web.chat_postMessage(channel="C0ASK", text="done")
    desk.slack.web.reactions_add(channel="C0ASK", timestamp=sent["ts"], name="eyes")
    desk.open()
    chip = desk.act_on("reaction-eyes")
    chip.click()
    expect(chip).to_have_attribute("aria-pressed", "true")
    chip.click()
    expect(chip).to_have_attribute("aria-pressed", "false")
