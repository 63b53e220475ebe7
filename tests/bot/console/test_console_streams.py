"""Streamed messages: text, tasks and plans that grow, five minutes long."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError

from bot.console.manifest import Manifest
from tests.bot.console.hand import Hand
from tests.bot.console.third_party import recorder
from tests.console import LocalSlack, wait_for

CHANNEL = {"recipient_user_id": "U0ADA", "recipient_team_id": "T0NORTHWIND"}


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


def test_a_title_and_status_replace_but_details_follow(slack: LocalSlack) -> None:
    """A second update of a task has the new title and status, and its details stand after the first ones."""
    task = {"type": "task_update", "id": "t1", "title": "Search", "status": "in_progress", "details": "one"}
    parent, ts = started(slack, chunks=[task])
    source = {"type": "url", "url": "https://example.com/a", "text": "A"}
    done = {
        **task,
        "title": "Searched",
        "status": "complete",
        "details": " two",
        "output": "found",
        "sources": [source],
    }
    slack.web.chat_appendStream(channel="C0ASK", ts=ts, chunks=[done])
    card = slack.messages(thread_ts=parent)[1]["blocks"][0]
    said = [line["elements"][0]["text"] for line in card["details"]["elements"]]
    assert (card["title"], card["status"], said, card["sources"]) == ("Searched", "complete", ["one", " two"], [source])


def test_each_chunk_has_12000_characters(slack: LocalSlack) -> None:
    """The limit is of one chunk, not of the whole: two full ones make 24,000 characters."""
    parent, ts = started(slack, markdown_text="a" * 12_000)
    slack.web.chat_appendStream(channel="C0ASK", ts=ts, markdown_text="b" * 12_000)
    assert len(slack.messages(thread_ts=parent)[1]["blocks"][0]["text"]) == 24_000


def test_50_blocks_by_chunks_and_50_at_the_end(slack: LocalSlack) -> None:
    """Blocks that chunks brought and closing blocks have a limit of 50 each."""
    many = [{"type": "divider"}] * 50
    parent, ts = started(slack, chunks=[{"type": "blocks", "blocks": many}])
    slack.web.chat_stopStream(channel="C0ASK", ts=ts, blocks=many)
    assert len(slack.messages(thread_ts=parent)[1]["blocks"]) == 100


def test_stop_ends_the_stream(slack: LocalSlack) -> None:
    """A person's Stop names the stream to the app and ends it; the app may still close it, once, with its blocks."""
    app = recorder()
    slack.point_at(app.url)
    parent, ts = started(slack, markdown_text="half")
    slack.act("stop", user="U0ADA", channel="C0ASK", thread_ts=parent)
    event = wait_for(lambda: app.events("agent_session_stopped"), what="the event")[0]
    app.stop()
    assert set(event) == {"type", "channel", "thread_ts", "user", "event_ts", "streaming_message_ts"}
    assert (event["thread_ts"], event["user"], event["streaming_message_ts"]) == (parent, "U0ADA", [ts])
    assert "streaming" not in slack.messages(thread_ts=parent)[1]
    assert slack.page("messages", user="U0ADA", channel="C0ASK")["status"] == {parent: "is working…"}
    with pytest.raises(SlackApiError, match="stopped_by_user"):
        slack.web.chat_appendStream(channel="C0ASK", ts=ts, markdown_text="more")
    slack.web.chat_stopStream(channel="C0ASK", ts=ts, blocks=[{"type": "divider"}])
    assert [block["type"] for block in slack.messages(thread_ts=parent)[1]["blocks"]] == ["markdown", "divider"]
    assert slack.page("messages", user="U0ADA", channel="C0ASK")["status"] == {}
    with pytest.raises(SlackApiError, match="message_not_in_streaming_state"):
        slack.web.chat_stopStream(channel="C0ASK", ts=ts)


def test_stop_without_a_stream_still_tells(slack: LocalSlack) -> None:
    """Where nothing grows the event names no stream."""
    app = recorder()
    slack.point_at(app.url)
    parent = slack.send("question")["ts"]
    slack.web.agents_sessions_setStatus(channel_id="C0ASK", thread_ts=parent, status="processing")
    slack.act("stop", user="U0ADA", channel="C0ASK", thread_ts=parent)
    event = wait_for(lambda: app.events("agent_session_stopped"), what="the event")[0]
    app.stop()
    assert event["streaming_message_ts"] == []


def test_an_abandoned_stream_can_be_repaired(slack: LocalSlack, hand: Hand) -> None:
    """After its five minutes chat.update works at once, though nobody tried to append."""
    parent, ts = started(slack, markdown_text="half")
    hand.seconds += 301
    slack.web.chat_update(channel="C0ASK", ts=ts, text="repaired")
    assert slack.messages(thread_ts=parent)[1]["text"] == "repaired"


@pytest.mark.parametrize(("away", "error"), [(200, None), (301, "message_not_in_streaming_state")])
def test_a_stream_survives_a_restart(tmp_path: Path, hand: Hand, away: float, error: str | None) -> None:
    """After a restart in the middle the stream goes on within its five minutes, and not after them."""
    first = LocalSlack(tmp_path / "restart", now=hand)
    parent, ts = started(first, markdown_text="half")
    first.stop()
    hand.seconds += away
    second = LocalSlack(tmp_path / "restart", now=hand)
    try:
        if error:
            with pytest.raises(SlackApiError, match=error):
                second.web.chat_appendStream(channel="C0ASK", ts=ts, markdown_text=" way")
        else:
            second.web.chat_appendStream(channel="C0ASK", ts=ts, markdown_text=" way")
            assert second.messages(thread_ts=parent)[1]["blocks"][0]["text"] == "half way"
    finally:
        second.stop()


def test_a_session_works_for_an_hour(slack: LocalSlack, hand: Hand) -> None:
    """`processing` shows for an hour from its last renewal; answers say state and title, which only the first sets."""
    where = {"channel_id": "D0ADA", "thread_ts": slack.dm("hi")["ts"]}
    first = slack.web.agents_sessions_setStatus(**where, status="processing", title="One", initiator_user_id="U0ADA")
    assert (first["status"], first["agent_status"], first["title"]) == ("processing", "processing", "One")
    hand.seconds += 3599
    assert slack.web.agents_sessions_setStatus(**where, status="processing", title="Two")["title"] == "One"
    hand.seconds += 3599
    assert list(slack.page("messages", user="U0ADA", channel="D0ADA")["status"].values()) == ["is working…"]
    hand.seconds += 2
    assert slack.page("messages", user="U0ADA", channel="D0ADA")["status"] == {}
    assert slack.web.agents_sessions_rename(**where, title="Two").data == {"ok": True, "title": "Two"}


def test_an_app_that_cannot_be_stopped_is_warned(tmp_path: Path) -> None:
    """Without a subscription to agent_session_stopped the answer carries Slack's warning, with it none."""
    for events, warning in ((frozenset(), "missing_agent_session_stopped_event_subscription"), (None, None)):
        slack = LocalSlack(tmp_path / str(warning), manifest=Manifest(events=events))
        try:
            where = {"channel_id": "D0ADA", "thread_ts": slack.dm("hi")["ts"]}
            answer = slack.web.agents_sessions_setStatus(**where, status="active").data
            assert answer.get("warning") == warning
            assert answer.get("response_metadata", {}).get("warnings") == ([warning] if warning else None)
        finally:
            slack.stop()


def test_a_person_renames_a_session(slack: LocalSlack) -> None:
    """The app hears of the new title and of the former one, where there was one."""
    app = recorder()
    slack.point_at(app.url)
    where = {"channel_id": "D0ADA", "thread_ts": slack.dm("hi")["ts"]}
    slack.web.agents_sessions_setStatus(**where, status="active")
    for title in ("First", "Second"):
        place = {"channel": "D0ADA", "thread_ts": where["thread_ts"]}
        assert slack.act("session_rename", user="U0ADA", **place, title=title)["ok"]
    first, second = wait_for(lambda: len(app.events("agent_session_title_changed")) == 2, what="two events") and sorted(
        app.events("agent_session_title_changed"), key=lambda event: event["event_ts"]
    )
    app.stop()
    assert ("previous_title" in first, first["title"]) == (False, "First")
    assert (second["previous_title"], second["title"], second["team_id"]) == ("First", "Second", "T0NORTHWIND")
