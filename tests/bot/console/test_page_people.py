"""Who is at the page and what they do to conversations and messages there: as in Slack, without explanation."""

import re
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.bot.console.desk import Desk
from tests.console import LocalSlack, wait_for


def head(desk: Desk) -> str:
    """The name above the middle pane."""
    return desk.page.get_by_test_id("channel").get_by_role("heading", level=2).inner_text()


def test_each_tab_may_be_somebody_else(desk: Desk) -> None:
    """The person's menu leads to a page as Ben; a reload stays Ben; Ada's tab stays Ada's."""
    desk.open()
    other = desk.beside("U0ADA")
    other.act_on("person-switcher").click()
    other.act_on("act-as-U0BEN").click()
    expect(other.page.locator("#person")).to_contain_text("You are Ben Sato")
    other.page.reload()
    expect(other.page.locator("#person")).to_contain_text("You are Ben Sato")
    other.page.get_by_test_id("composer").fill("from Ben")
    other.page.keyboard.press("Enter")
    expect(desk.message("from Ben")).to_have_attribute("data-user", "U0BEN")
    expect(desk.page.locator("#person")).to_contain_text("You are Ada Obi")


def test_workspaces_stand_at_the_left(chromium: Browser, tmp_path: Path) -> None:
    """Two workspaces: a click leads to the other, with its own people and channels, and messages do not mix."""
    slack = LocalSlack(tmp_path / "console", workspaces=2, people=6)
    with chromium.new_context() as context:
        page = context.new_page()
        page.goto(slack.url)
        expect(page.locator("#rail h1")).to_have_text("Northwind")
        page.locator("#teams a").nth(1).click()
        expect(page.locator("#rail h1")).to_have_text("Harbour")
        page.get_by_test_id("composer").fill("only in Harbour")
        page.keyboard.press("Enter")
        expect(page.get_by_test_id("channel").locator("[data-ts]", has_text="only in Harbour")).to_have_count(1)
        page.locator("#teams a").nth(0).click()
        expect(page.locator("#rail h1")).to_have_text("Northwind")
        assert "only in Harbour" not in page.content()
    slack.stop()


def test_a_private_channel_is_made_and_joined_by_invitation(desk: Desk) -> None:
    """Ada creates it, it has a lock; Ben sees it once he is invited; its topic shows."""
    desk.open()
    ben = desk.beside("U0BEN")
    # A page in the background gets few frames, and a click waits for some.
    desk.page.bring_to_front()
    desk.act_on("add-channel").click()
    desk.act_on("create-channel").click()
    desk.act_on("create-name").press_sequentially("Price List")
    desk.act_on("create-private").check()
    desk.act_on("create-submit").click()
    wait_for(lambda: head(desk) == "price-list", what="the new channel")
    entry = re.compile("^price-list private channel")
    expect(desk.page.locator("#rail").get_by_role("button", name=entry)).to_have_count(1)
    expect(ben.page.locator("#rail").get_by_role("button", name=entry)).to_have_count(0)
    desk.act_on("channel-details").click()
    desk.act_on("details-topic").fill("What things cost")
    desk.act_on("details-save").click()
    expect(desk.page.locator("#channel .pane-topic")).to_have_text("What things cost")
    desk.act_on("details-add").click()
    desk.act_on("person-U0BEN").check()
    desk.act_on("invite-submit").click()
    expect(ben.page.locator("#rail").get_by_role("button", name=entry)).to_have_count(1)


def test_channels_are_browsed_left_and_joined(desk: Desk) -> None:
    """Who left a channel finds it again in the list of channels."""
    desk.open("C0TUNING")
    desk.act_on("channel-details").click()
    desk.act_on("details-leave").click()
    expect(desk.act_on("go-C0TUNING")).to_have_count(0)
    desk.act_on("add-channel").click()
    desk.act_on("browse-channels").click()
    desk.act_on("browse-search").fill("tun")
    desk.page.keyboard.press("Enter")
    wait_for(lambda: head(desk) == "#fine-tuning", what="the channel again")


def test_people_write_to_each_other(desk: Desk) -> None:
    """A direct message with Chi opens from Ctrl+K, and Chi sees it marked for her."""
    desk.open()
    chi = desk.beside("U0CHI")
    desk.page.keyboard.press("Control+k")
    desk.page.keyboard.type("chi")
    desk.page.keyboard.press("Enter")
    wait_for(lambda: head(desk) == "Chi Park", what="the direct message")
    desk.page.get_by_test_id("composer").fill("lunch?")
    desk.page.keyboard.press("Enter")
    expect(chi.page.locator("#rail .unread .badge.for-me")).to_have_text("1 unread")
    chi.page.get_by_role("button", name="Ada Obi 1 unread").click()
    expect(chi.message("lunch?")).to_be_visible()


def test_the_menu_of_a_message(desk: Desk) -> None:
    """Pin, mark unread, a shortcut of the app, and deleting after a question."""
    desk.slack.send("earlier", user="U0BEN")
    desk.slack.send("train on this", user="U0ADA")
    desk.open()
    mine = desk.message("train on this")

    def choose(action_id: str) -> None:
        mine.hover()
        desk.act_on("message-menu").click()
        desk.act_on(action_id).click()

    choose("pin")
    expect(mine).to_contain_text("Pinned")
    choose("shortcut-train_on")
    wait_for(lambda: desk.app.payloads("message_action"), what="the shortcut")
    desk.message("earlier").hover()
    desk.act_on("message-menu").click()
    desk.act_on("mark-unread").click()
    expect(desk.page.locator("#channel .divider.new")).to_have_count(1)
    expect(desk.act_on("go-C0ASK")).to_have_accessible_name("ask-luthier 1 unread")
    choose("delete-message")
    desk.act_on("confirm-yes").click()
    expect(mine).to_have_count(0)


def test_global_shortcuts_and_commands_are_at_hand(desk: Desk) -> None:
    """The + menu and a typed / offer the app's shortcuts and commands."""
    desk.open()
    desk.act_on("composer-plus").click()
    expect(desk.page.get_by_role("menuitem", name="/tune")).to_be_visible()
    desk.act_on("shortcut-bake_off").click()
    wait_for(lambda: desk.app.payloads("shortcut"), what="the shortcut")
    desk.page.get_by_test_id("composer").press_sequentially("/bake")
    desk.page.keyboard.press("Enter")
    wait_for(lambda: len(desk.app.payloads("shortcut")) == 2, what="the shortcut again")
    assert desk.slack.messages() == []


def test_threads_are_listed_with_what_is_new(desk: Desk) -> None:
    """A reply in a thread elsewhere marks Threads; opening the thread there takes the mark away."""
    root = desk.slack.send("which one?", channel="C0TUNING")["ts"]
    desk.open()
    desk.slack.send("the second", channel="C0TUNING", user="U0BEN", thread_ts=root)
    entry = desk.act_on("go-threads")
    expect(entry).to_have_accessible_name("Threads 1 unread")
    entry.click()
    desk.act_on("threads-open").click()
    expect(desk.page.get_by_test_id("thread")).to_contain_text("the second")
    expect(entry).to_have_accessible_name("Threads")


def test_a_draft_survives_a_reload(desk: Desk) -> None:
    """What was begun is there again, for this person in this channel only, and the list shows a pencil."""
    desk.open()
    desk.page.get_by_test_id("composer").fill("half a thou")
    desk.act_on("go-C0GENERAL").click()
    expect(desk.act_on("go-C0ASK")).to_have_accessible_name("ask-luthier draft")
    desk.page.reload()
    desk.act_on("go-C0ASK").click()
    expect(desk.page.get_by_test_id("composer")).to_have_value("half a thou")
    ben = desk.beside("U0BEN")
    expect(ben.page.get_by_test_id("composer")).to_have_value("")


def test_a_link_opens_its_message_and_points_it_out(desk: Desk) -> None:
    """A permalink into a long past, and one to a reply in a thread, show and mark that message."""
    first = desk.slack.send("the first of many")
    for number in range(150):
        desk.slack.web.chat_postMessage(channel="C0ASK", text=f"number {number}")
    root = desk.slack.web.chat_postMessage(channel="C0ASK", text="root")["ts"]
    reply = desk.slack.send("the reply", thread_ts=root)
    for message, pane in ((first, "channel"), (reply, "thread")):
        link = desk.slack.web.chat_getPermalink(channel="C0ASK", message_ts=message["ts"])["permalink"]
        desk.page.goto("about:blank")
        desk.page.goto(link)
        shown = desk.page.get_by_test_id(pane).locator(f"[data-ts='{message['ts']}']")
        expect(shown).to_be_in_viewport()
        expect(shown).to_have_class(re.compile("pointed-out"))


def test_new_messages_have_a_line(desk: Desk) -> None:
    """The line stands above the first message since the person was last there, and leaves when they write."""
    desk.slack.send("seen", channel="C0TUNING")
    desk.slack.send("not seen", channel="C0TUNING", user="U0BEN")
    desk.open("C0TUNING")
    line = desk.page.locator("#channel .divider.new + [data-ts]")
    expect(line).to_contain_text("not seen")
    desk.page.get_by_test_id("composer").fill("now I have")
    desk.page.keyboard.press("Enter")
    expect(line).to_have_count(0)


@pytest.fixture(autouse=True)
def clipboard(desk: Desk) -> None:
    """Let the page write to the clipboard, as a browser does after a question."""
    desk.page.context.grant_permissions(["clipboard-read", "clipboard-write"])


def test_a_message_gives_its_link(desk: Desk) -> None:
    """L on a message copies the same permalink as the Web API gives."""
    sent = desk.slack.send("link me")
    desk.open()
    desk.message("link me").focus()
    desk.page.keyboard.press("l")
    expect(desk.page.get_by_test_id("toast")).to_have_text("Link copied.")
    link = desk.slack.web.chat_getPermalink(channel="C0ASK", message_ts=sent["ts"])["permalink"]
    assert desk.page.evaluate("navigator.clipboard.readText()") == link
