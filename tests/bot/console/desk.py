"""One person's open page in a real Chromium, the local Slack behind it, and the fixtures that make them."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

from bot.console.manifest import Manifest
from tests.bot.console.third_party import Listener, recorder
from tests.console import LocalSlack

PROMPTS = ({"title": "What is QLoRA?", "message": "What is QLoRA?"},)
COMMANDS = ({"command": "/tune", "description": "Train and test models", "usage_hint": "train | help"},)
SHORTCUTS = (
    {"name": "Train on this", "type": "message", "callback_id": "train_on", "description": "Start from a file"},
    {"name": "New bake-off", "type": "global", "callback_id": "bake_off", "description": "Compare four ways"},
)


SEEN = 20_000
"""Milliseconds until what is expected is seen, on a busy machine; `test_page_speed` judges how fast the page is."""


class Desk:
    """One person's open page, and the local Slack behind it."""

    def __init__(self, page: Page, slack: LocalSlack, app: Listener) -> None:
        self.page, self.slack, self.app = page, slack, app
        self.problems: list[str] = []
        self.asked: list[str] = []
        page.on("pageerror", lambda error: self.problems.append(str(error)))
        page.on("console", lambda line: self.problems.append(line.text) if line.type == "error" else None)
        page.on("request", lambda request: self.asked.append(request.url))

    def beside(self, user: str, place: str = "C0ASK") -> "Desk":
        """Another tab of the same browser, with this person in it."""
        other = Desk(self.page.context.new_page(), self.slack, self.app)
        other.problems = self.problems
        other.open(place, user)
        return other

    def open(self, place: str = "C0ASK", user: str = "U0ADA") -> None:
        """Load the page at a place and wait until it is live."""
        self.page.goto(f"{self.slack.url}/?user={user}#{place}")
        self.page.wait_for_selector("body.live")

    def forgive(self, words: str) -> None:
        """Expect errors in the page's console that hold these words; the browser reports each lost request."""
        self.problems[:] = [problem for problem in self.problems if words not in problem]

    def message(self, text: str) -> Locator:
        """The message of the channel pane that holds a text."""
        return self.page.get_by_test_id("channel").locator("[data-ts]", has_text=text)

    def act_on(self, action_id: str) -> Locator:
        """The interactive element with this action_id."""
        return self.page.locator(f"[data-action-id='{action_id}']")


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    """The system's Chromium, or Playwright's own where there is none."""
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    expect.set_options(timeout=SEEN)
    quiet = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=quiet)
        yield browser
        browser.close()


@pytest.fixture
def slack(tmp_path: Path) -> Iterator[LocalSlack]:
    """A local Slack whose app has one command and one suggested prompt."""
    made = LocalSlack(tmp_path / "console", manifest=Manifest(commands=COMMANDS, prompts=PROMPTS, shortcuts=SHORTCUTS))
    yield made
    made.stop()


@pytest.fixture
def desk(chromium: Browser, slack: LocalSlack) -> Iterator[Desk]:
    """A page on a desk-sized screen beside an app that takes everything; nothing may go wrong in its console."""
    app = recorder()
    slack.point_at(app.url)
    with chromium.new_context(viewport={"width": 1360, "height": 860}) as context:
        made = Desk(context.new_page(), slack, app)
        yield made
        assert made.problems == []
    app.stop()
