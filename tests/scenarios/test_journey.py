"""The whole journey in a real browser against the real worker and the real model: ask, advice, rows, quote, approve,
train, report, try it. Training and evaluating a 135M-parameter model on two cores takes the minutes that this needs."""

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.console import wait_for
from tests.whole import Whole

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
USE_CASE = (
    "@Luthier We sort support tickets into five queues with our own rules. It must run on a laptop and the data may "
    "not leave. We have 120 labelled tickets; prompting the small model gets about half right."
)
ANSWERED = 20_000
TRAINED = 600_000
"""Milliseconds; far more than it takes, for a machine that is busy with other things."""


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    found = next(
        (path for name in ("chromium", "chromium-browser", "google-chrome") if (path := shutil.which(name))), None
    )
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=found, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser, whole: Whole) -> Iterator[Page]:
    page = browser.new_page(viewport={"width": 1440, "height": 1000})
    page.goto(f"http://127.0.0.1:{whole.port}/?user=U0ADA")
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    yield page
    page.close()
    print("".join(whole.said[-30:]))  # pytest shows it beside a failure
    assert (errors, whole.process.poll()) == ([], None)


def write(page: Page, text: str, box: str = "composer") -> None:
    page.get_by_test_id(box).click()
    page.keyboard.insert_text(text)
    page.keyboard.press("Enter")
    if box == "composer":
        words = text.removeprefix("@Luthier ")
        said = page.get_by_test_id("channel").locator("[data-ts]", has_text=words).last
        said.locator("[data-action-id=open-thread]").first.click(timeout=ANSWERED)


def test_a_question_gets_a_cited_answer(page: Page) -> None:
    """Asked in the channel, Luthier answers in a thread, with sources; a follow-up needs no mention."""
    write(page, "@Luthier What is QLoRA?")
    thread = page.get_by_test_id("thread")
    expect(thread.get_by_text("4-bit").first).to_be_visible(timeout=ANSWERED)
    expect(thread.get_by_text("Sources:").first).to_be_visible()
    write(page, "How much GPU memory does an 8B model need with it?", "thread-composer")
    expect(thread.get_by_text(re.compile(r"\d+(-\d+)? GB|GiB")).first).to_be_visible(timeout=ANSWERED)


def test_what_is_not_in_the_sources_gets_an_honest_no(page: Page) -> None:
    """A question far from the guide is declined, with the nearest pages."""
    write(page, "@Luthier Who won the football world cup in 1998?")
    expect(page.get_by_test_id("thread").get_by_text("I don't have a source for that").first).to_be_visible(
        timeout=ANSWERED
    )


@pytest.mark.parametrize(
    ("team", "user", "channel", "bot"),
    [("T0NORTHWIND", "U0BEN", "C0ASK", "U0LUTHIER"), ("T1HARBOUR", "U1IVO", "C1ASK", "U1LUTHIER")],
)
def test_workspaces_are_served_apart(whole: Whole, team: str, user: str, channel: str, bot: str) -> None:
    """In each workspace Luthier answers as its own bot user."""
    hands, place = whole.hands, {"team": team, "user": user, "channel": channel}
    said = hands.act("send", **place, text=f"<@{bot}> What is LoRA?")["message"]
    thread = {**place, "thread_ts": said["ts"]}
    answers = wait_for(lambda: hands.page("messages", **thread)["messages"][1:], ANSWERED / 1000, what="an answer")
    assert (answers[-1]["user"], answers[-1]["team"]) == (bot, team)


def test_a_workspace_does_not_see_the_other(whole: Whole) -> None:
    """A channel of one workspace does not exist in the other."""
    hands = whole.hands
    assert hands.page("messages", team="T1HARBOUR", user="U1IVO", channel="C0ASK")["error"] == "channel_not_found"


@pytest.mark.timeout(900)
def test_from_advice_to_an_evaluated_model(page: Page, whole: Whole, files: tuple[Path, Path]) -> None:
    """Advice says train; rows are uploaded, quoted, approved by an eager double click, trained, reported, tried."""
    write(page, USE_CASE)
    thread = page.get_by_test_id("thread")
    expect(thread.get_by_text("Fine-tune.").first).to_be_visible(timeout=ANSWERED)
    thread.get_by_role("button", name="Train on our rows").first.click()

    modal = page.get_by_test_id("modal")
    modal.locator("input[type=file]").nth(0).set_input_files(files[0])
    modal.locator("input[type=file]").nth(1).set_input_files(files[1])
    modal.get_by_text("This file was made for training and is ours to use.").click()
    expect(modal.get_by_text("held-out.jsonl").first).to_be_visible(timeout=ANSWERED)
    modal.get_by_role("button", name="Get a quote").click()

    approve = thread.get_by_role("button", name="Approve and start")
    expect(approve).to_be_visible(timeout=ANSWERED)
    expect(thread.get_by_text(re.compile("Success is fixed now")).first).to_be_visible()
    approve.dblclick()
    expect(approve).to_have_count(0, timeout=ANSWERED)

    expect(thread.get_by_text(re.compile(r"step \d+/16")).first).to_be_visible(timeout=TRAINED)
    expect(thread.get_by_role("button", name="Stop")).to_have_count(1)
    expect(thread.get_by_role("button", name="Try it")).to_be_visible(timeout=TRAINED)
    expect(thread.get_by_text(re.compile(r"PASS|FAIL|INCONCLUSIVE|Not proven")).last).to_be_visible()
    expect(thread.get_by_role("button", name="Stop")).to_have_count(0, timeout=ANSWERED)
    expect(thread.locator("img[alt*='oss']").first).to_be_visible()

    thread.get_by_role("button", name="Try it").click()
    modal.get_by_role("textbox").fill("The tuner you sent is dead on arrival, it will not switch on.")
    modal.locator("[data-action-id=modal-submit]").click()
    expect(modal.get_by_text(re.compile("tuned", re.IGNORECASE)).first).to_be_visible(timeout=TRAINED)
    expect(modal.get_by_text(re.compile(r"\d+(\.\d+)? s\b")).nth(1)).to_be_visible(timeout=TRAINED)
    page.keyboard.press("Escape")

    assert len(jobs(whole)) == 1
    announced = whole.hands.wait_message("rows", channel="C0TUNING")
    assert "U0ADA" in announced["text"] or "Ada" in announced["text"]


def test_the_home_tab_lists_the_job(page: Page) -> None:
    """After the report the Home tab names the job and its verdict."""
    page.get_by_role("link", name="Home").or_(page.get_by_role("button", name="Home")).first.click()
    home = page.get_by_test_id("home")
    expect(home.get_by_text(re.compile("rows on smollm2")).first).to_be_visible(timeout=ANSWERED)


def jobs(whole: Whole) -> list[str]:
    """Return the ids of all jobs in the data folder."""
    import sqlite3

    with sqlite3.connect(whole.data / "luthier.db") as connection:
        return [row[0] for row in connection.execute("select id from job where state = 'succeeded'")]
