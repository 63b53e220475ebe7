"""Which token opens which workspace, asked of a local Slack with two of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from slack_sdk.errors import SlackApiError

from bot.settings import Settings
from bot.workspaces import Workspaces
from knowledge.errors import UserError
from tests.console import BOT_TOKEN, LocalSlack


@pytest.fixture(scope="module")
def slack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalSlack]:
    made = LocalSlack(tmp_path_factory.mktemp("console"), workspaces=2)
    yield made
    made.stop()


def opened(slack: LocalSlack, *tokens: str) -> Workspaces:
    return Workspaces(tokens, f"{slack.url}/api/")


def test_each_workspace_is_opened_with_its_own_token(slack: LocalSlack) -> None:
    """Whatever the order of the tokens, a workspace gets the one that is its own."""
    both = opened(slack, f"{BOT_TOKEN}-1", BOT_TOKEN)
    for team, bot in (("T0NORTHWIND", "U0LUTHIER"), ("T1HARBOUR", "U1LUTHIER")):
        assert both.client(team).auth_test()["user_id"] == bot
        known = both.authorize(team, "")
        assert known is not None
        assert (known.team_id, known.bot_user_id) == (team, bot)


def test_a_workspace_without_a_token_is_not_served(slack: LocalSlack) -> None:
    """Another workspace's request is nobody's, and posting there says what to do."""
    both = opened(slack, BOT_TOKEN, f"{BOT_TOKEN}-1")
    assert both.authorize("T9ELSEWHERE", "") is None
    with pytest.raises(UserError, match="SLACK_BOT_TOKEN"):
        both.client("T9ELSEWHERE")


def test_a_refused_token_does_not_stop_the_others(slack: LocalSlack) -> None:
    """One revoked token among several costs only its own workspace; a single one says so."""
    assert opened(slack, "xoxb-revoked", f"{BOT_TOKEN}-1").authorize("T1HARBOUR", "") is not None
    with pytest.raises(SlackApiError, match="invalid_auth"):
        opened(slack, "xoxb-revoked").authorize("T0NORTHWIND", "")


def test_settings_take_one_or_several(tmp_path: Path) -> None:
    """Tokens stand with commas between; the channel for notes is one for all or one for each workspace."""
    several = Settings(data=tmp_path, cache=tmp_path, slack_bot_token="xoxb-1, xoxb-2", notify_channel="T1=C1, T2=C2")
    assert several.slack_bot_tokens == ("xoxb-1", "xoxb-2")
    assert [several.notify_channel_of(team) for team in ("T1", "T2", "T3")] == ["C1", "C2", ""]
    one = Settings(data=tmp_path, cache=tmp_path, slack_bot_token="xoxb-1", notify_channel="C9")
    assert (one.slack_bot_tokens, one.notify_channel_of("T7")) == (("xoxb-1",), "C9")
