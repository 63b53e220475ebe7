"""Rate limits: each tier on both sides of its number, by method, channel and team; switched while it runs."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_handlers import RateLimitErrorRetryHandler

from bot.console import server
from bot.console.api.registry import METHODS, call
from bot.console.clock import Clock
from bot.console.limits import limit, limits
from bot.console.rates import Rates
from bot.console.wire import Args, RateLimited
from tests.bot.console.hand import Hand
from tests.console import BOT_TOKEN, LocalSlack, carried

__all__ = ["server"]  # importing it fills METHODS
TIERS = {"tier_1": 1, "tier_2": 20, "tier_3": 50, "tier_4": 100, "tier_1_socket": 50, "special_600": 600}


@pytest.fixture
def clock() -> Hand:
    return Hand()


@pytest.fixture
def slack(tmp_path: Path, clock: Hand) -> Iterator[LocalSlack]:
    """Two teams whose rates are counted; time stands still."""
    started = LocalSlack(tmp_path / "console", now=clock, rate_limits=True, workspaces=2)
    yield started
    started.stop()


def ask(slack: LocalSlack, method: str, token: str = BOT_TOKEN, **given: Any) -> httpx.Response:
    """One call over HTTP."""
    return slack.http.post(f"/api/{method}", headers={"authorization": f"Bearer {token}"}, **carried(method, given))


@pytest.mark.parametrize(("tier", "most"), TIERS.items())
def test_each_tier_on_both_sides(clock: Hand, tier: str, most: int) -> None:
    """Within a minute so many calls are good, one more is not; Retry-After is exactly when there is room again."""
    rates = Rates(Clock(clock))
    assert limit(f"rates.{tier}") == most
    for _ in range(most):
        rates.count("a.method", tier, "")
    clock.seconds += 17.25
    with pytest.raises(RateLimited) as refused:
        rates.count("a.method", tier, "")
    assert refused.value.seconds == 43
    clock.seconds += 42
    with pytest.raises(RateLimited):
        rates.count("a.method", tier, "")
    clock.seconds += 1
    rates.count("a.method", tier, "")


def test_every_method_has_a_known_tier() -> None:
    """What the methods name is in the table of limits, and the best known ones are where Slack has them."""
    assert {made.tier for made in METHODS.values()} <= limits()["rates"].keys()
    expected = {
        "auth.test": "special_600",
        "chat.update": "tier_3",
        "chat.postEphemeral": "tier_4",
        "chat.startStream": "tier_2",
        "chat.appendStream": "tier_4",
        "views.open": "tier_4",
        "users.list": "tier_2",
        "conversations.list": "tier_2",
        "conversations.history": "tier_3",
        "reactions.add": "tier_3",
        "files.getUploadURLExternal": "tier_4",
    }
    assert {name: METHODS[name].tier for name in expected} == expected


def test_the_twenty_first_call_is_answered_429(slack: LocalSlack, clock: Hand) -> None:
    """HTTP 429, the header, Slack's body; refused calls do not push the end of the wait away."""
    for _ in range(20):
        assert ask(slack, "users.list").json()["ok"]
    for _ in range(3):
        refused = ask(slack, "users.list")
        assert (refused.status_code, refused.headers["retry-after"]) == (429, "60")
        assert refused.json() == {"ok": False, "error": "ratelimited"}
    clock.seconds += 59.9
    assert ask(slack, "users.list").headers["retry-after"] == "1"
    clock.seconds += 0.1
    assert ask(slack, "users.list").json()["ok"]


def test_methods_and_teams_are_counted_apart(slack: LocalSlack) -> None:
    """Another method and the same method in another team are still free; calls without a good token count nowhere."""
    for _ in range(20):
        ask(slack, "users.list")
    assert ask(slack, "users.list").status_code == 429
    assert ask(slack, "conversations.list").json()["ok"]
    assert ask(slack, "users.list", f"{BOT_TOKEN}-1").json()["ok"]
    for _ in range(30):
        assert ask(slack, "conversations.list", "xoxb-wrong").json()["error"] == "invalid_auth"
    assert ask(slack, "conversations.list").json()["ok"]


def test_posts_are_counted_by_channel_and_by_team(slack: LocalSlack, clock: Hand) -> None:
    """A short burst in one channel is good, then one a second; a team has several hundred a minute."""
    for _ in range(5):
        assert ask(slack, "chat.postMessage", channel="C0ASK", text="x").json()["ok"]
    assert ask(slack, "chat.postMessage", channel="C0ASK", text="x").headers["retry-after"] == "5"
    assert ask(slack, "chat.postMessage", channel="C0TUNING", text="x").json()["ok"]
    for _ in range(10):
        clock.seconds += 5
        assert [ask(slack, "chat.postMessage", channel="C0ASK", text="x").json()["ok"] for _ in range(5)] == [True] * 5


def test_a_post_that_is_refused_is_counted_nowhere(clock: Hand) -> None:
    """Where the team's posts are used up, the channel's burst is untouched."""
    rates = Rates(Clock(clock))
    for number in range(limit("rates.posts_in_workspace")):
        rates.count("chat.postMessage", "posts_in_channel", f"C{number}")
    with pytest.raises(RateLimited) as refused:
        rates.count("chat.postMessage", "posts_in_channel", "CNEW")
    assert refused.value.seconds == 60
    clock.seconds += 60
    for _ in range(limit("rates.posts_burst")):
        rates.count("chat.postMessage", "posts_in_channel", "CNEW")


def test_six_hundred_checks_a_minute(slack: LocalSlack) -> None:
    """auth.test is good 600 times, not 601."""
    for _ in range(600):
        assert call(slack.site, "auth.test", Args({}), BOT_TOKEN)["ok"]
    assert ask(slack, "auth.test").status_code == 429


def test_limits_are_switched_while_it_runs(slack: LocalSlack) -> None:
    """Off, everything goes; on again, the count begins with what was counted before."""
    for _ in range(20):
        ask(slack, "users.list")
    slack.act("faults", rate_limits=False)
    assert [ask(slack, "users.list").status_code for _ in range(5)] == [200] * 5
    slack.act("faults", rate_limits=True)
    assert ask(slack, "users.list").status_code == 429


def test_slacks_own_retry_handler_waits_it_out(tmp_path: Path) -> None:
    """RateLimitErrorRetryHandler sleeps for Retry-After and its second try is good; without it the call fails."""
    clock = Hand()
    slack = LocalSlack(tmp_path / "console", now=clock, rate_limits=True)
    plain = WebClient(token=BOT_TOKEN, base_url=f"{slack.url}/api/")

    class Patient(RateLimitErrorRetryHandler):
        """Slack's handler; the clock stands still, so waiting moves it on."""

        def prepare_for_next_attempt(self, **known: Any) -> None:
            clock.seconds += int(known["response"].headers["retry-after"][0])
            known["response"].headers["retry-after"] = ["0"]
            super().prepare_for_next_attempt(**known)

    patient = WebClient(token=BOT_TOKEN, base_url=f"{slack.url}/api/", retry_handlers=[Patient(max_retry_count=1)])
    for _ in range(5):
        plain.chat_postMessage(channel="C0ASK", text="x")
    with pytest.raises(SlackApiError) as caught:
        plain.chat_postMessage(channel="C0ASK", text="x")
    assert caught.value.response.status_code == 429
    assert patient.chat_postMessage(channel="C0ASK", text="sixth")["ok"]
    slack.stop()
