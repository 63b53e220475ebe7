"""Documents of two workspaces that one Luthier serves, each with its own token: what is added in one stays there."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.app import bolt
from bot.settings import Settings
from bot.workspaces import Workspaces
from handlers.strangers import NOT_THEIRS
from tests.chroma import chroma_url
from tests.console import BOT_TOKEN, LocalSlack, wait_for
from tests.handlers.shelf import OTHER, TEAM, Shelf
from tests.handlers.world import Hands
from tests.knowledge.library import document

__all__ = ["chroma_url"]

IVO = "U1IVO"
PLANS = b"# Plans\n\n## Launch\n\nThe quokka launch in Lisbon is on the ninth of March.\n"
ASK, SAID = "When is the quokka launch in Lisbon?", "ninth of March"


class Harbour(LocalSlack):
    """The page of the second workspace."""

    def __init__(self, slack: LocalSlack) -> None:
        self.http = slack.http

    def act(self, name: str, /, **body: Any) -> dict[str, Any]:
        return super().act(name, **body, team=OTHER)

    def page(self, name: str, **params: str) -> dict[str, Any]:
        return super().page(name, **params, team=OTHER)

    def upload(self, name: str, content: bytes, *, user: str = IVO) -> dict[str, Any]:
        ask = {"user": user, "name": name, "team": OTHER}
        file: dict[str, Any] = self.http.post("/_local/upload", params=ask, content=content).json()["file"]
        return file


class Two(Shelf):
    """A Luthier with a token for each of two workspaces."""

    def __init__(self, folder: Path, chroma_url: str) -> None:
        super().__init__(folder, chroma_url, workspaces=2)
        self.there = Harbour(self.slack)
        api, tokens = f"{self.slack.url}/api/", (BOT_TOKEN, f"{BOT_TOKEN}-1")
        settings = Settings(data=folder, cache=folder, slack_bot_token=",".join(tokens), slack_api_url=api)
        deps = self.world.deps
        hands = Hands(bolt(settings, deps, wait=True), bolt(settings, deps, wait=False))
        hands.start()
        self.world.served.append(hands)
        self.slack.point_at(hands.url)
        self.world.messenger.slack = Workspaces(tokens, api).client


@pytest.fixture
def two(tmp_path: Path, chroma_url: str) -> Iterator[Two]:
    made = Two(tmp_path, chroma_url)
    yield made
    made.stop()


def test_what_is_added_in_one_workspace_is_found_and_told_there_alone(two: Two) -> None:
    """The job's thread, its one progress message and its last line are in the second workspace; the first sees none."""
    two.there.command("/tune learn", channel="C1ASK", user=IVO)
    form = two.there.wait_view(IVO, title="Add documents")
    two.there.submit(form, {"documents": [two.there.upload("plans.md", PLANS)]}, user=IVO)
    (job,) = wait_for(lambda: two.world.deps.jobs.ledger.listing(OTHER), 10, what="a job of the second workspace")
    two.runner().work(job.id)
    two.world.deliver()
    two.world.deliver()
    (root,) = two.there.messages("C1ASK", user=IVO)
    thread = two.there.messages("C1ASK", root["ts"], user=IVO)
    assert [len(thread), thread[2]["text"].startswith(f"<@{IVO}> *1 document, 1 passage*")] == [3, True]
    assert (two.slack.messages("C0ASK"), two.world.deps.library.documents(TEAM)) == ([], [])
    assert [row.name for row in two.world.deps.library.documents(OTHER)] == ["plans.md"]


def test_answers_of_each_workspace_rest_on_its_own_documents(two: Two) -> None:
    """The second workspace is answered from its document; the first gets an honest no, an empty list, and no name."""
    two.keep(document("plans.md", f"Launch: The quokka launch in Lisbon is on the {SAID}."), OTHER)
    asked = two.there.act("send", user=IVO, channel="C1ASK", text=f"<@U1LUTHIER> {ASK}")["message"]
    answer = two.there.wait_message("Source 1", channel="C1ASK", thread_ts=asked["ts"], user=IVO)
    assert SAID in json.dumps(answer)
    two.there.click(answer, "Source 1", user=IVO)
    assert SAID in json.dumps(two.there.wait_view(IVO, title="Source"))
    asked = two.slack.send(f"<@U0LUTHIER> {ASK}")
    two.slack.wait_message("I don't have a source for that", thread_ts=asked["ts"])
    two.slack.command("/tune sources")
    two.slack.command("/tune forget plans.md")
    two.slack.wait_message("There is no document called *plans.md*.")
    seen = json.dumps([two.said(), two.slack.wait_view(title="Sources")])
    assert SAID not in seen
    assert [row.name for row in two.world.deps.library.documents(OTHER)] == ["plans.md"]


def test_a_command_of_a_third_workspace_is_told_why(two: Two) -> None:
    """Nobody's token opens the workspace of whoever typed it: they hear that it is not theirs, and nothing opens."""
    two.slack.connect("U0BEN")
    two.slack.command("/tune sources", user="U0BEN")
    two.slack.wait_message(NOT_THEIRS, user="U0BEN")
    assert two.slack.views("U0BEN") == []
