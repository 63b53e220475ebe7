"""The page of a one-time link in a real Chromium: a file goes in once; what is refused says why, in words on a page."""

import json
import re
import socket
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import uvicorn
from playwright.sync_api import Browser, Page, expect

from bot.app import create_app
from bot.settings import Settings
from bot.store.engine import open_engine
from bot.store.migrate import migrate
from bot.wiring import FILE_LIMIT
from knowledge.clock import utc_now
from knowledge.tenancy import Person
from tests.bot.console.desk import chromium
from tests.console import LocalSlack, local_slack
from trainers.data.examples import EXAMPLES
from trainers.data.links import Links
from trainers.data.store import Datasets

__all__ = ["chromium", "local_slack"]

TICKETS = EXAMPLES["tickets"].train
ADA = Person(workspace_id="T0NORTHWIND", user_id="U0ADA")


class Web:
    """The web process on a port of its own, with a local Slack beside it."""

    def __init__(self, folder: Path) -> None:
        self.slack = LocalSlack(folder / "console")
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        env = {
            "DATA_DIR": str(folder),
            "LUTHIER_CACHE": str(folder / "cache"),
            "SLACK_SIGNING_SECRET": "a signing secret",
            "SLACK_BOT_TOKEN": self.slack.bot_token,
            "SLACK_API_URL": f"{self.slack.url}/api/",
            "LUTHIER_PUBLIC_URL": self.url,
        }
        settings = Settings.from_env(env)
        engine = open_engine(settings.database)
        migrate(engine, settings.run)
        self.links, self.datasets = Links(engine), Datasets(engine, settings.data)
        self.server = uvicorn.Server(uvicorn.Config(create_app(settings), lifespan="off", log_level="warning"))
        self.thread = threading.Thread(target=self.server.run, args=([listener],), daemon=True)
        self.thread.start()

    def link(self, age: timedelta = timedelta(0)) -> str:
        """The address of a new link."""
        return f"{self.url}/upload/{self.links.make(ADA, utc_now() - age)}"

    def stop(self) -> None:
        self.server.should_exit = True
        self.thread.join(timeout=20)
        self.slack.stop()


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    made = Web(tmp_path_factory.mktemp("page"))
    until = time.monotonic() + 20
    while not made.server.started and time.monotonic() < until:
        time.sleep(0.05)
    yield made
    made.stop()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A page that asks nobody but the web process, and in whose console nothing goes wrong but what is refused."""
    page = chromium.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda line: problems.append(line.text) if line.type == "error" else None)
    yield page
    page.close()
    refused = re.compile(r"the server responded with a status of 4\d\d")
    assert [problem for problem in problems if not refused.search(problem) and "favicon" not in problem] == []


def hand_in(page: Page, address: str, file: Path, *, tick: bool = True) -> None:
    """Do what a person does: open the link, choose, tick, upload."""
    page.goto(address)
    page.get_by_label(re.compile("Rows: JSONL")).set_input_files(file)
    if tick:
        page.get_by_label(re.compile("made for training")).check()
    page.get_by_role("button", name="Upload").click()


def test_a_file_goes_in_once(page: Page, web: Web) -> None:
    """The page says what was kept, the card is in Slack, and the same link is used up, on a second page too."""
    address = web.link()
    hand_in(page, address, TICKETS)
    expect(page.get_by_role("heading")).to_have_text("Kept")
    expect(page.locator("body")).to_contain_text("train v1: ")
    root = web.slack.wait_message("arrived under its link", channel=web.slack.dm_of())
    web.slack.wait_message("Kept as", channel=web.slack.dm_of(), thread_ts=root["ts"])
    page.goto(address)
    expect(page.get_by_role("heading")).to_have_text("No upload here")
    expect(page.locator("body")).to_contain_text("used already")
    expect(page.get_by_role("button")).to_have_count(0)


def test_an_expired_and_a_wrong_link_show_no_form(page: Page, web: Web) -> None:
    """Neither lets anybody choose a file, and both say where a new one comes from."""
    for address in (web.link(age=timedelta(minutes=61)), f"{web.url}/upload/nothing"):
        page.goto(address)
        expect(page.get_by_role("heading")).to_have_text("No upload here")
        expect(page.locator("body")).to_contain_text("Ask Luthier for a new one")
        expect(page.locator("input")).to_have_count(0)


def test_a_link_that_expires_while_the_page_is_open_takes_nothing(page: Page, web: Web) -> None:
    """Who looks at the form too long is told so; nothing is kept."""
    before = len(web.datasets.listing(ADA.workspace_id))
    address = web.link(age=timedelta(minutes=59, seconds=58))
    page.goto(address)
    page.get_by_label(re.compile("Rows: JSONL")).set_input_files(TICKETS)
    page.get_by_label(re.compile("made for training")).check()
    time.sleep(2.1)
    page.get_by_role("button", name="Upload").click()
    expect(page.get_by_role("heading")).to_have_text("No upload here")
    assert len(web.datasets.listing(ADA.workspace_id)) == before


def test_without_the_tick_nothing_is_sent(page: Page, web: Web) -> None:
    """The browser itself asks for the tick; the link is still open afterwards."""
    address = web.link()
    hand_in(page, address, TICKETS, tick=False)
    expect(page.get_by_label(re.compile("made for training"))).to_be_focused()
    hand_in(page, address, TICKETS)
    expect(page.get_by_role("heading")).to_have_text("Kept")


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("picture.png", b"\x89PNG\r\n\x1a\n" + bytes(200), "it is a picture"),
        ("rows.jsonl", b'{"messages": [zanzibar],}\n' * 20, "ine"),
        ("table.csv", b"foo,bar\nzanzibar,1\n" * 20, "the question may be called prompt"),
        ("pack.zip", b"PK\x03\x04" + bytes(200), "a zip archive"),
    ],
)
def test_a_wrong_file_is_explained_and_not_kept(
    page: Page, web: Web, tmp_path: Path, name: str, content: bytes, words: str
) -> None:
    """The page says what is wrong, repeats nothing of the file, and the whole file has used the link up."""
    path, address = tmp_path / name, web.link()
    path.write_bytes(content)
    before = len(web.datasets.listing(ADA.workspace_id))
    hand_in(page, address, path)
    expect(page.get_by_role("heading")).to_have_text("Nothing was kept")
    expect(page.locator("body")).to_contain_text(words)
    expect(page.locator("body")).not_to_contain_text("zanzibar")
    assert len(web.datasets.listing(ADA.workspace_id)) == before
    page.goto(address)
    expect(page.get_by_role("heading")).to_have_text("No upload here")


def test_an_empty_file_leaves_the_link_open(page: Page, web: Web, tmp_path: Path) -> None:
    """Nothing arrived, so the right file may follow."""
    empty, address = tmp_path / "empty.jsonl", web.link()
    empty.touch()
    hand_in(page, address, empty)
    expect(page.locator("body")).to_contain_text("Choose a file that is not empty. The link still works.")
    hand_in(page, address, TICKETS)
    expect(page.get_by_role("heading")).to_have_text("Kept")


def test_a_file_over_the_cap_gets_a_page_that_says_so(page: Page, web: Web, tmp_path: Path) -> None:
    """More than 64 MiB is not read; the browser shows our words, not a broken connection, and the link still works."""
    large, address = tmp_path / "large.jsonl", web.link()
    row = json.dumps({"messages": [{"role": "user", "content": "x" * 500}, {"role": "assistant", "content": "y"}]})
    with large.open("w") as file:
        for _ in range(FILE_LIMIT // len(row) + 3000):
            file.write(row + "\n")
    assert large.stat().st_size > FILE_LIMIT
    hand_in(page, address, large)
    expect(page.get_by_role("heading")).to_have_text("Not taken", timeout=30_000)
    expect(page.locator("body")).to_contain_text("up to 67 MB")
    expect(page.locator("body")).to_contain_text("The link still works.")
    hand_in(page, address, TICKETS)
    expect(page.get_by_role("heading")).to_have_text("Kept")
