"""A page that stays open for many tests on Block Kit, with hands for posting, using and opening things."""

import time
from typing import Any

from playwright.sync_api import Browser, Locator, Page, expect

from tests.bot.console import kitchen_sink as sink
from tests.bot.console.third_party import Listener
from tests.console import LocalSlack, wait_for

Json = dict[str, Any]


class Board:
    """An open page on a channel, and the local Slack and app behind it."""

    def __init__(self, browser: Browser, slack: LocalSlack, app: Listener) -> None:
        self.slack, self.app, self.sent = slack, app, 0
        self.context = browser.new_context(viewport={"width": 1300, "height": 900})
        self.page = self.context.new_page()
        self.picture: Json = {}
        self.problems: list[str] = []
        self.asked: list[str] = []
        self.page.on("pageerror", lambda error: self.problems.append(str(error)))
        self.page.on("console", lambda line: self.problems.append(line.text) if line.type == "error" else None)
        self.page.on("request", lambda request: self.asked.append(request.url))

    def open(self, place: str = "C0GENERAL", user: str = "U0ADA") -> Page:
        """Load the page at a place and wait until it is live."""
        self.page.goto("about:blank")
        self.page.goto(f"{self.slack.url}/?user={user}#{place}")
        self.page.wait_for_selector("body.live")
        return self.page

    def post(self, *blocks: Json) -> Locator:
        """Post blocks into the open channel; gives the message."""
        ts = sink.post(self.slack.web, "C0GENERAL", "blocks", {"blocks": list(blocks)})
        shown = self.page.locator(f"#channel [data-ts='{ts}']")
        expect(shown).to_be_visible()
        return shown

    def element(self, element: Json) -> Locator:
        """Post one element in an actions block; gives the message."""
        return self.post({"type": "actions", "block_id": f"row-{time.monotonic_ns()}", "elements": [element]})

    def actions(self) -> list[Json]:
        """All actions that the app heard of, oldest first."""
        return [payload["actions"][0] for payload in self.app.payloads("block_actions")]

    def acted(self, act: Any) -> Json:
        """Do something, and wait for the one action that it sends."""
        before = len(self.actions())
        act()
        wait_for(lambda: len(self.actions()) > before, what="an action")
        assert len(self.actions()) == before + 1
        return self.actions()[-1]

    def modal(self, *blocks: Json, **rest: Any) -> tuple[str, Locator]:
        """Open a modal with a command's trigger; gives the view's id and the dialog."""
        self.slack.command("/sink", channel="C0GENERAL")
        trigger = self.app.heard[-1].body["trigger_id"]
        body = {"trigger_id": trigger, "view": view(*blocks, **rest)}
        opened = self.slack.web.api_call("views.open", json=body)["view"]
        dialog = self.page.get_by_test_id("modal")
        expect(dialog).to_have_attribute("data-view-id", opened["id"])
        return opened["id"], dialog

    def update(self, view_id: str, *blocks: Json, **rest: Any) -> None:
        """Give an open modal new blocks."""
        self.slack.web.api_call("views.update", json={"view_id": view_id, "view": view(*blocks, **rest)})

    def submitted(self) -> Json:
        """The values of the last submission."""
        values: Json = self.app.payloads("view_submission")[-1]["view"]["state"]["values"]
        return values

    def close(self) -> None:
        """Leave no modal behind for the next test."""
        for opened in self.slack.views()[::-1]:
            self.slack.act("view_close", user="U0ADA", view_id=opened["id"])


def view(*blocks: Json, **rest: Any) -> Json:
    """A modal."""
    return {"type": "modal", "title": sink.plain("Form"), "submit": sink.plain("Save"), "blocks": list(blocks), **rest}


def field(name: str, element: Json, **rest: Any) -> Json:
    """An input block with a label."""
    made = {"action_id": "value", **element}
    return {"type": "input", "block_id": name.lower(), "label": sink.plain(name), "element": made, **rest}
