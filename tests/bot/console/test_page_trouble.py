"""The page when things go wrong or come in an unlucky order: lost connections, restarts, races, odd and huge texts."""

import itertools
import time
from pathlib import Path

from playwright.sync_api import Browser, Route, expect

from tests.bot.console.desk import Desk
from tests.console import LocalSlack

THUMBS = [f"thumb_{number}" for number in range(300)]


def test_a_lost_connection_heals(desk: Desk) -> None:
    """While the server cannot be reached the page says so; afterwards it shows what was posted, edited and deleted."""
    kept = desk.slack.web.chat_postMessage(channel="C0ASK", text="first words")
    gone = desk.slack.web.chat_postMessage(channel="C0ASK", text="soon deleted")
    desk.open()
    expect(desk.message("soon deleted")).to_have_count(1)
    desk.page.route("**/_local/**", lambda route: route.abort())
    # Ends the stream on the server's side, as a proxy or a sleeping machine does.
    desk.slack.space.hub.end()
    expect(desk.page.locator("#link-state")).to_have_text("Connection lost. Trying again…")
    desk.slack.web.chat_postMessage(channel="C0ASK", text="while you were away")
    desk.slack.web.chat_update(channel="C0ASK", ts=kept["ts"], text="other words")
    desk.slack.web.chat_delete(channel="C0ASK", ts=gone["ts"])
    assert desk.message("while you were away").count() == 0
    desk.page.unroute("**/_local/**")
    expect(desk.message("while you were away")).to_have_count(1)
    expect(desk.message("other words")).to_have_count(1)
    expect(desk.message("soon deleted")).to_have_count(0)
    expect(desk.page.locator("#link-state")).to_have_text("")
    desk.forgive("Failed to load resource")


def test_a_connection_that_only_went_silent_is_made_anew(desk: Desk) -> None:
    """No event for 40 seconds, not even a ping: the page begins a new connection instead of waiting for ever."""
    desk.page.clock.install()
    desk.open()
    desk.slack.web.chat_postMessage(channel="C0ASK", text="heard live")
    expect(desk.message("heard live")).to_have_count(1)
    with desk.page.expect_request("**/_local/events?*"):
        desk.page.clock.fast_forward(60_000)
    expect(desk.page.locator("#link-state")).to_have_text("")
    desk.slack.web.chat_postMessage(channel="C0ASK", text="heard again")
    expect(desk.message("heard again")).to_have_count(1)


def test_a_restart_in_the_middle_of_a_stream(chromium: Browser, tmp_path: Path) -> None:
    """The same page goes on with the server that comes after, and shows the end of what was being written."""
    first = LocalSlack(tmp_path / "console")
    root = first.send("go")["ts"]
    stream = first.web.chat_startStream(
        channel="C0ASK", thread_ts=root, recipient_user_id="U0ADA", recipient_team_id="T0NORTHWIND", markdown_text="one"
    )
    with chromium.new_context() as context:
        page = context.new_page()
        page.goto(f"{first.url}/?user=U0ADA#C0ASK/{root}")
        thread = page.get_by_test_id("thread")
        expect(thread).to_contain_text("one")
        page.get_by_test_id("thread-composer").fill("a draft")
        first.stop()
        expect(page.locator("#link-state")).to_have_text("Connection lost. Trying again…")
        second = LocalSlack(tmp_path / "console", port=first.port)
        second.web.chat_stopStream(channel="C0ASK", ts=stream["ts"], markdown_text=" and the end")
        expect(thread).to_contain_text("one and the end")
        expect(page.locator("#link-state")).to_have_text("")
        expect(page.get_by_test_id("thread-composer")).to_have_value("a draft")
        second.stop()


def test_an_answer_that_comes_before_the_page_knows_it_sent(desk: Desk) -> None:
    """The app's reply arrives while the page still waits for its own POST; the thread opens all the same."""

    def held(route: Route) -> None:
        answer = route.fetch()
        root = answer.json()["ts"]
        desk.slack.web.chat_postMessage(channel="C0ASK", thread_ts=root, text="Use RAG.")
        expect(desk.message("help")).to_contain_text("1 reply")
        route.fulfill(response=answer)

    desk.open()
    desk.page.route("**/_local/send", held)
    desk.page.get_by_test_id("composer").fill("@Luthier help")
    desk.page.keyboard.press("Enter")
    expect(desk.page.get_by_test_id("thread")).to_contain_text("Use RAG.")
    expect(desk.page.get_by_test_id("composer")).to_be_focused()


def test_an_event_that_overtakes_the_messages(desk: Desk) -> None:
    """What is posted while the list is on its way is shown once, and an edit is not undone by the older answer."""
    sent = desk.slack.web.chat_postMessage(channel="C0TUNING", text="before the edit")

    def late(route: Route) -> None:
        answer = route.fetch()
        desk.slack.web.chat_postMessage(channel="C0TUNING", text="meanwhile")
        desk.slack.web.chat_update(channel="C0TUNING", ts=sent["ts"], text="after the edit")
        time.sleep(0.3)
        route.fulfill(response=answer)

    desk.open()
    desk.page.route("**/_local/messages?*C0TUNING*", late, times=1)
    desk.act_on("go-C0TUNING").click()
    expect(desk.message("after the edit")).to_have_count(1)
    expect(desk.message("meanwhile")).to_have_count(1)
    expect(desk.message("before the edit")).to_have_count(0)


def test_two_tabs_of_one_person_agree(desk: Desk) -> None:
    """What is read, written or reacted to in one tab shows in the other."""
    desk.open()
    other = desk.beside("U0ADA")
    desk.slack.web.chat_postMessage(channel="C0TUNING", text="tickets-v2 passed")
    for tab in (desk, other):
        expect(tab.act_on("go-C0TUNING")).to_have_accessible_name("fine-tuning 1 unread")
    other.act_on("go-C0TUNING").click()
    expect(desk.act_on("go-C0TUNING")).to_have_accessible_name("fine-tuning")
    other.act_on("go-C0ASK").click()
    other.page.get_by_test_id("composer").fill("from the other tab")
    other.page.keyboard.press("Enter")
    expect(desk.message("from the other tab")).to_have_count(1)
    other.page.close()


def test_a_huge_message_is_refused_and_kept(desk: Desk) -> None:
    """100,000 characters: the box counts, the server says what to do, nothing typed is lost."""
    desk.open()
    box = desk.page.get_by_test_id("composer")
    box.fill("x" * 100_000)
    expect(desk.page.locator(".left.over").first).to_have_text("-88,000")
    box.press("Enter")
    expect(desk.page.get_by_test_id("toast")).to_contain_text(
        "100,000 characters; Slack takes 12,000. Send it as a file."
    )
    expect(box).to_have_value("x" * 100_000)


def test_odd_texts_stay_within_the_screen(desk: Desk) -> None:
    """Endless words, right-to-left text, emoji of several code points and 300 reactions fit a narrow screen."""
    desk.page.set_viewport_size({"width": 360, "height": 740})
    sent = desk.slack.send("w" * 3000)
    desk.slack.send("مرحبا بالعالم 👩‍👩‍👧‍👦 🏳️‍🌈")
    for name in THUMBS:
        desk.slack.space.store.react("C0ASK", sent["ts"], name, "U0BEN")
    desk.open()
    expect(desk.message("www").locator("[data-action-id^='reaction-']")).to_have_count(300)
    right = desk.message("مرحبا").locator(".message-body > *").first
    edges = right.evaluate("""node => {
        const range = document.createRange();
        range.selectNodeContents(node);
        return [range.getBoundingClientRect().right, node.getBoundingClientRect().right];
    }""")
    assert abs(edges[0] - edges[1]) < 4
    assert desk.page.evaluate("document.documentElement.scrollWidth") <= 360


def test_a_thousand_channels(desk: Desk) -> None:
    """The list shows them, Ctrl+K finds one, and an unread mark in one leaves the others' nodes alone."""
    store = desk.slack.space.store
    for number in range(1000):
        channel = {**desk.slack.space.channel("C0GENERAL"), "id": f"C0X{number:04}", "name": f"team-{number:04}"}
        store.put("channel", channel["id"], {**channel, "is_general": False})
        store.join(channel["id"], "U0ADA")
        store.join(channel["id"], desk.slack.space.who.bot_user)
    desk.open()
    expect(desk.page.locator("[data-action-id^=go-C0X]")).to_have_count(1000)
    desk.page.evaluate(
        """() => new MutationObserver(all => { window.touched = (window.touched || 0) + all.length; })
            .observe(document.getElementById("rail"), { childList: true, subtree: true })"""
    )
    desk.slack.web.chat_postMessage(channel="C0X0777", text="one")
    expect(desk.act_on("go-C0X0777")).to_have_accessible_name("team-0777 1 unread")
    assert desk.page.evaluate("window.touched") <= 3
    desk.page.keyboard.press("Control+k")
    desk.page.keyboard.type("0777")
    expect(desk.page.get_by_test_id("switcher").get_by_role("option")).to_have_count(1)
    desk.page.keyboard.press("Enter")
    expect(desk.page.get_by_test_id("channel").get_by_role("heading", level=2)).to_have_text("#team-0777")
    expect(desk.message("one")).to_be_visible()


def test_messages_sent_in_a_hurry_keep_their_order(desk: Desk) -> None:
    """Three messages while the server is slow: all arrive, in the order in which they were written."""
    slow = itertools.cycle([0.25, 0.0])
    desk.page.route("**/_local/send", lambda route: (time.sleep(next(slow)), route.continue_())[1])
    desk.open()
    box = desk.page.get_by_test_id("composer")
    for text in ("one", "two", "three"):
        box.fill(text)
        box.press("Enter")
    expect(desk.message("three")).to_have_count(1)
    assert [each["text"] for each in desk.slack.messages()] == ["one", "two", "three"]
