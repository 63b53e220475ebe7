"""What the local Slack does wrong on demand: each fault alone, switched while it runs, the same for the same seed."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_handlers import ServerErrorRetryHandler

from bot.console.faults import EVERYTHING, NONE, FaultBox
from tests.bot.console.third_party import Ear
from tests.console import BOT_TOKEN, LocalSlack, wait_for


@pytest.fixture
def slack(tmp_path: Path) -> Iterator[LocalSlack]:
    started = LocalSlack(tmp_path / "console", workspaces=2)
    yield started
    started.stop()


def texts(ear: Ear) -> list[str]:
    """What was said, in the order in which the app heard it."""
    return [event["text"] for event in ear.events("message")]


def test_a_duplicate_is_the_same_event(slack: LocalSlack, ear: Ear) -> None:
    """It has the same event_id and body and is no retry; in every team, until the fault is switched off."""
    slack.act("faults", duplicate_events=1)
    slack.send("twice")
    slack.act("send", team="T1HARBOUR", user="U1IVO", channel="C1ASK", text="twice there")
    wait_for(lambda: len(ear.heard) == 4, what="four deliveries")
    for text in ("twice", "twice there"):
        pair = [heard for heard in ear.heard if heard.body["event"]["text"] == text]
        assert pair[0].body == pair[1].body
        assert not any("x-slack-retry-num" in heard.headers for heard in pair)
    slack.act("faults", duplicate_events=0)
    slack.send("once")
    wait_for(lambda: "once" in texts(ear), what="the event")
    time.sleep(0.1)
    assert texts(ear).count("once") == 1


def test_a_late_event_is_overtaken(slack: LocalSlack, ear: Ear) -> None:
    """What happened first arrives last, after the time that was chosen."""
    slack.act("faults", late_events=1, late_seconds=0.4)
    begun = time.monotonic()
    slack.send("first")
    slack.act("faults", late_events=0)
    slack.send("second")
    wait_for(lambda: len(ear.heard) == 2, what="both events")
    assert texts(ear) == ["second", "first"]
    assert ear.heard[1].at - begun >= 0.4
    assert ear.heard[1].body["event"]["ts"] < ear.heard[0].body["event"]["ts"]


def test_a_server_error_did_nothing(slack: LocalSlack) -> None:
    """HTTP 500 with internal_error; the message was not posted, so trying again is right."""
    slack.act("faults", server_errors=1)
    with pytest.raises(SlackApiError) as caught:
        slack.web.chat_postMessage(channel="C0ASK", text="x")
    assert (caught.value.response.status_code, caught.value.response["error"]) == (500, "internal_error")
    assert slack.messages() == []


def test_a_lost_answer_hides_what_was_done(slack: LocalSlack) -> None:
    """503 without JSON, but the message is there: an app that just tries again posts twice."""
    slack.act("faults", lost_answers=1)
    with pytest.raises(SlackApiError):
        slack.web.chat_postMessage(channel="C0ASK", text="x")
    slack.act("faults", lost_answers=0)
    assert [each["text"] for each in slack.messages()] == ["x"]


def test_slacks_own_handler_gets_through(tmp_path: Path) -> None:
    """With ServerErrorRetryHandler half of all calls may fail and every one of them is made in the end."""
    slack = LocalSlack(tmp_path / "console", seed=7)
    handlers = [ServerErrorRetryHandler(max_retry_count=8)]
    for handler in handlers:
        handler.interval_calculator.calculate_sleep_duration = lambda attempt: 0.001  # type: ignore[method-assign]  # quick
    client = WebClient(token=BOT_TOKEN, base_url=f"{slack.url}/api/", retry_handlers=list(handlers))
    slack.act("faults", server_errors=0.5)
    for number in range(10):
        client.chat_postMessage(channel="C0ASK", text=str(number))
    assert [each["text"] for each in slack.messages()] == [str(number) for number in range(10)]
    slack.stop()


def test_a_slow_answer_waits(slack: LocalSlack) -> None:
    """The call takes as long as was chosen and is then carried out; the page is as quick as ever."""
    slack.act("faults", slow_answers=1, slow_seconds=0.3)
    begun = time.monotonic()
    assert slack.web.auth_test()["ok"]
    assert time.monotonic() - begun >= 0.3
    begun = time.monotonic()
    slack.page("boot", user="U0ADA")
    assert time.monotonic() - begun < 0.3


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"no_such": 1}, "choose of duplicate_events"),
        ({"server_errors": 1.1}, "from 0 to 1"),
        ({"server_errors": -0.1}, "from 0 to 1"),
        ({"server_errors": True}, "from 0 to 1"),
        ({"server_errors": "1"}, "from 0 to 1"),
        ({"late_seconds": 61}, "from 0 to 60"),
        ({"rate_limits": 1}, "true or false"),
        ({"server_errors": 0.5, "no_such": 1}, "choose of"),
    ],
)
def test_wrong_switches_change_nothing(slack: LocalSlack, values: dict[str, Any], says: str) -> None:
    """Each is refused with what would be right, and all of one request or nothing of it happens."""
    answer = slack.act("faults", **values)
    assert (answer["error"], says in answer["detail"]) == ("invalid_arguments", True)
    assert slack.page("faults")["faults"]["server_errors"] == 0


def test_the_page_is_told_what_is_on(slack: LocalSlack) -> None:
    """GET and POST give all faults by name and how many sockets are open."""
    told = slack.page("faults")
    assert told == {"ok": True, "sockets": 0, "faults": FaultBox(NONE, 0).told()}
    changed = slack.act("faults", late_events=0.25, rate_limits=True)["faults"]
    assert (changed["late_events"], changed["rate_limits"], changed["duplicate_events"]) == (0.25, True, 0)


def test_everything_is_on_with_the_flag(tmp_path: Path) -> None:
    """--faults starts with every fault at some chance and rate limits on."""
    slack = LocalSlack(tmp_path / "console", faults=True)
    told = slack.page("faults")["faults"]
    slack.stop()
    assert told["rate_limits"] is True
    assert all(
        0 < value < 1 for name, value in told.items() if name not in ("rate_limits", "late_seconds", "slow_seconds")
    )


def test_the_same_seed_strikes_the_same() -> None:
    """Draws depend on the seed alone, and come about as often as they should."""
    names = ("duplicate_events", "late_events", "server_errors") * 1000

    def draws(seed: int) -> list[bool]:
        box = FaultBox(EVERYTHING, seed)
        return [box.strikes(name) for name in names]

    assert draws(1) == draws(1) != draws(2)
    assert 0.15 < sum(draws(1)[::3]) / 1000 < 0.25
    assert not any(FaultBox(NONE, 1).strikes(name) for name in names)
