"""The page for people who use a keyboard, a screen reader, a phone or dark colours: axe-core finds nothing serious."""

from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.bot.console.desk import Desk

SERIOUS = ("serious", "critical")


def press(*action_ids: str) -> Callable[[Desk], None]:
    """Click one thing after the other and give the page the time to draw what they open."""

    def act(desk: Desk) -> None:
        for action_id in action_ids:
            desk.act_on(action_id).first.click()
        desk.page.wait_for_timeout(120)

    return act


def on_message(key: str) -> Callable[[Desk], None]:
    """Press a key on a message."""

    def act(desk: Desk) -> None:
        desk.message("Use RAG").focus()
        desk.page.keyboard.press(key)

    return act


PLACES: dict[str, Callable[[Desk], None]] = {
    "channel": lambda desk: None,
    "message menu": on_message("m"),
    "emoji": on_message("r"),
    "switcher": press("quick-switcher"),
    "person menu": press("person-switcher"),
    "details": press("channel-details"),
    "browse": press("add-channel", "browse-channels"),
    "thread": press("open-thread"),
    "home": press("go-home"),
    "about": press("tab-about"),
    "threads": press("go-threads"),
    "direct message": press("go-D0ADA"),
}
"""Each is reached from the one before, after Esc."""


@pytest.fixture
def lively(desk: Desk) -> Iterator[Desk]:
    """A channel with an answer, reactions, an ephemeral message, a thread, and something unread elsewhere."""
    root = desk.slack.send("@Luthier fine-tune or RAG?")["ts"]
    text = "*Use RAG*, as <https://example.com|the guide> says. `top_k=4`"
    section = {"type": "section", "text": {"type": "mrkdwn", "text": text}}
    go = {"type": "button", "action_id": "go", "style": "primary", "text": {"type": "plain_text", "text": "Prove it"}}
    desk.slack.web.chat_postMessage(channel="C0ASK", text=text, blocks=[section, {"type": "actions", "elements": [go]}])
    desk.slack.web.chat_postMessage(channel="C0ASK", thread_ts=root, text="It depends.")
    desk.slack.web.chat_postEphemeral(channel="C0ASK", user="U0ADA", text="Only for you.")
    desk.slack.web.reactions_add(channel="C0ASK", timestamp=root, name="eyes")
    desk.slack.web.chat_postMessage(channel="C0TUNING", text="tickets-v2 passed, <@U0ADA>")
    desk.slack.web.views_publish(user_id="U0ADA", view={"type": "home", "blocks": [section]})
    return desk


def serious(desk: Desk, *rules: str) -> list[str]:
    """What axe-core finds serious or critical, with the first node; by all rules or by some."""
    options = {"resultTypes": ["violations"], **({"runOnly": list(rules)} if rules else {})}
    found = Axe().run(desk.page, options=options).response["violations"]
    return [f"{one['id']}: {one['nodes'][0]['html'][:160]}" for one in found if one["impact"] in SERIOUS]


# The colours in dark take ten more seconds of looking, so `make soak` looks at them.
@pytest.mark.parametrize(
    ("scheme", "rules"), [("light", ()), pytest.param("dark", ("color-contrast",), marks=pytest.mark.slow)]
)
def test_nothing_serious_at_a_desk(lively: Desk, scheme: str, rules: tuple[str, ...]) -> None:
    """Every place, dialog and menu in light, and the colours of each in dark; axe runs twelve times, some seconds."""
    lively.page.emulate_media(color_scheme=scheme)
    lively.open()
    expect(lively.message("Use RAG")).to_be_visible()
    found = {}
    for name, go in PLACES.items():
        go(lively)
        found[name] = serious(lively, *rules)
        lively.page.keyboard.press("Escape")
    assert {name: each for name, each in found.items() if each} == {}


def test_nothing_serious_on_a_phone(lively: Desk) -> None:
    """At 360 px: list, channel and thread have names and contrast, and everything fits."""
    lively.page.set_viewport_size({"width": 360, "height": 740})
    lively.open()
    expect(lively.message("Use RAG")).to_be_visible()
    assert serious(lively) == []
    lively.act_on("open-thread").click()
    assert serious(lively) == []
    lively.act_on("thread-back").click()
    lively.act_on("pane-back").click()
    assert serious(lively) == []
    assert lively.page.evaluate("document.documentElement.scrollWidth") <= 360


def test_a_day_without_a_mouse(lively: Desk) -> None:
    """F6 through the panes, a reaction, an edit with ↑, the thread, another channel with Alt+↓: keys alone."""
    lively.open()
    expect(lively.message("Use RAG")).to_be_visible()
    keys, page = lively.page.keyboard, lively.page
    expect(page.get_by_test_id("composer")).to_be_focused()
    keys.type("a tpyo")
    keys.press("Enter")
    expect(lively.message("a tpyo")).to_have_count(1)
    keys.press("ArrowUp")
    expect(page.get_by_test_id("edit-text")).to_be_focused()
    page.get_by_test_id("edit-text").fill("a typo, mended")
    keys.press("Enter")
    expect(lively.message("a typo, mended")).to_contain_text("(edited)")
    expect(lively.message("a typo, mended")).to_be_focused()
    keys.press("r")
    keys.type("violin")
    keys.press("Enter")
    expect(lively.act_on("reaction-violin")).to_have_attribute("aria-pressed", "true")
    keys.press("F6")
    expect(page.get_by_test_id("composer")).to_be_focused()
    keys.press("Shift+F6")
    keys.press("Shift+F6")
    expect(lively.act_on("go-C0ASK")).to_be_focused()
    keys.press("ArrowDown")
    keys.press("Enter")
    expect(page.get_by_test_id("channel").get_by_role("heading", level=2)).to_have_text("#fine-tuning")
    keys.press("Alt+ArrowUp")
    expect(page.get_by_test_id("channel").get_by_role("heading", level=2)).to_have_text("#ask-luthier")
    keys.type("*bo")
    keys.press("Control+a")
    keys.press("Control+i")
    expect(page.get_by_test_id("composer")).to_have_value("_*bo_")


def test_a_screen_reader_hears_what_arrives(lively: Desk) -> None:
    """A new message of somebody else is put into the live region, with who wrote it and names instead of ids."""
    lively.open()
    expect(lively.message("Use RAG")).to_be_visible()
    lively.slack.send("ready, <@U0ADA>?", user="U0BEN")
    expect(lively.page.locator("#announcer")).to_have_text("Ben Sato: ready, @Ada Obi?")
