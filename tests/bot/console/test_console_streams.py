"""Streamed messages: text, tasks and plans that grow, five minutes long."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError

from tests.console import LocalSlack

CHANNEL = {"recipient_user_id": "U0ADA", "recipient_team_id": "T0NORTHWIND"}


class Hand:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.seconds = 1_790_000_000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def hand() -> Hand:
    return Hand()


@pytest.fixture
def slack(tmp_path: Path, hand: Hand) -> Iterator[LocalSlack]:
    """A local Slack whose clock stands still."""
    running = LocalSlack(tmp_path, now=hand)
    yield running
    running.stop()


def started(slack: LocalSlack, **more: Any) -> Any:
    parent = slack.send("question")["ts"]
    return parent, slack.web.chat_startStream(channel="C0ASK", thread_ts=parent, **CHANNEL, **more)["ts"]


def test_text_grows_and_ends(slack: LocalSlack) -> None:
    """Slack's own helper streams markdown; the page sees it growing, then done, with closing blocks."""
    parent = slack.send("question")["ts"]
    stream = slack.web.chat_stream(channel="C0ASK", thread_ts=parent, buffer_size=4, **CHANNEL)
    stream.append(markdown_text="**Use")
    stream.append(markdown_text=" RAG.**")
    growing = slack.messages(thread_ts=parent)[1]
    assert (growing["streaming"], growing["blocks"][0]["text"]) == (True, "**Use RAG.**")
    stream.stop(blocks=[{"type": "divider"}])
    done = slack.messages(thread_ts=parent)[1]
    assert ("streaming" in done, [block["type"] for block in done["blocks"]]) == (False, ["markdown", "divider"])
    assert not any(key.startswith("_") for key in done)


def test_tasks_are_replaced_by_id(slack: LocalSlack) -> None:
    """A task update changes the task with its id; in plan mode all stand in one plan."""
    parent, ts = started(slack, task_display_mode="plan")
    task = {"type": "task_update", "id": "t1", "title": "Search", "status": "in_progress"}
    slack.web.chat_appendStream(channel="C0ASK", ts=ts, chunks=[task, {"type": "plan_update", "title": "Working"}])
    done = {**task, "status": "complete", "output": "3 sources"}
    slack.web.chat_appendStream(channel="C0ASK", ts=ts, chunks=[done, {**task, "id": "t2"}])
    plan = slack.messages(thread_ts=parent)[1]["blocks"][0]
    assert (plan["type"], plan["title"]) == ("plan", "Working")
    assert [(each["task_id"], each["status"]) for each in plan["tasks"]] == [("t1", "complete"), ("t2", "in_progress")]


def test_a_stream_lives_five_minutes(slack: LocalSlack, hand: Hand) -> None:
    """At 5 minutes it still grows; after that append and stop fail, and only an update repairs it."""
    parent, ts = started(slack)
    hand.seconds += 300
    slack.web.chat_appendStream(channel="C0ASK", ts=ts, markdown_text="in time")
    with pytest.raises(SlackApiError, match="streaming_state_conflict"):
        slack.web.chat_update(channel="C0ASK", ts=ts, text="x")
    hand.seconds += 1
    for call in (slack.web.chat_appendStream, slack.web.chat_stopStream):
        with pytest.raises(SlackApiError, match="message_not_in_streaming_state"):
            call(channel="C0ASK", ts=ts, markdown_text="late")
    slack.web.chat_update(channel="C0ASK", ts=ts, text="repaired")
    assert slack.messages(thread_ts=parent)[1]["text"] == "repaired"


def test_channels_need_a_recipient(slack: LocalSlack) -> None:
    """In a channel the recipient must be named, in a direct message not; a thread is needed everywhere."""
    parent = slack.send("question")["ts"]
    for missing in CHANNEL:
        named = {key: value for key, value in CHANNEL.items() if key != missing}
        with pytest.raises(SlackApiError, match=f"missing_{missing}"):
            slack.web.chat_startStream(channel="C0ASK", thread_ts=parent, **named)
    direct = slack.dm("hi")["ts"]
    assert slack.web.chat_startStream(channel="D0ADA", thread_ts=direct)["ok"]
    with pytest.raises(SlackApiError, match="invalid_thread_ts"):
        slack.web.chat_startStream(channel="D0ADA", thread_ts="")


def test_a_stream_opens_a_session(slack: LocalSlack) -> None:
    """Starting shows the thread as working; stopping sets the state that was asked for."""
    parent, ts = started(slack)
    assert slack.page("messages", user="U0ADA", channel="C0ASK")["status"] == {parent: "is working…"}
    slack.web.chat_stopStream(channel="C0ASK", ts=ts, session_status="suspended")
    assert slack.page("messages", user="U0ADA", channel="C0ASK")["status"] == {parent: "is waiting for you"}


def test_status_lines_expire(slack: LocalSlack, hand: Hand) -> None:
    """A status line is gone after two minutes."""
    ts = slack.dm("hi")["ts"]
    slack.web.assistant_threads_setStatus(channel_id="D0ADA", thread_ts=ts, status="thinks")
    hand.seconds += 119
    assert slack.page("messages", user="U0ADA", channel="D0ADA")["status"] == {ts: "thinks"}
    hand.seconds += 2
    assert slack.page("messages", user="U0ADA", channel="D0ADA")["status"] == {}
