"""The messenger against the real local Slack: each message once, also when it was killed in between."""

from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from slack_sdk import WebClient
from sqlmodel import SQLModel

import bot.store.tables  # noqa: F401  # registers every table
from bot.messenger import Messenger
from bot.store.engine import open_engine
from knowledge.index import Index
from tests.console import LocalSlack, local_slack
from tests.handlers.world import ADA, NOW, build_deps
from trainers.jobs import outbox
from trainers.jobs.service import Place
from trainers.spec import TrainingSpec
from trainers.tables import Job

__all__ = ["local_slack"]

CHANNEL = "C0ASK"


class Desk:
    """A messenger, its outbox and a clock."""

    def __init__(self, slack: LocalSlack, folder: Path) -> None:
        engine = open_engine(f"sqlite:///{folder / 'luthier.db'}")
        SQLModel.metadata.create_all(engine)
        self.slack, self.engine, self.now = slack, engine, NOW
        self.deps = build_deps(engine, folder, cast(Index, None), slack, lambda: self.now)
        client = WebClient(slack.bot_token, base_url=f"{slack.url}/api/")
        self.messenger = Messenger(deps=self.deps, client=client, folder=folder, clock=lambda: self.now)

    def propose(self, channel: str = CHANNEL) -> Job:
        jobs = self.deps.jobs
        dataset = jobs.datasets.example("tickets", ADA, self.now).dataset
        return jobs.propose(dataset, TrainingSpec(backend="rehearsal"), person=ADA, now=self.now, place=Place(channel))

    def posts(self) -> list[dict[str, Any]]:
        return [message for message in self.slack.messages(CHANNEL) if "Quote" in message.get("text", "")]

    def later(self, seconds: float) -> None:
        self.now += timedelta(seconds=seconds)


@pytest.fixture
def desk(local_slack: LocalSlack, tmp_path: Path) -> Desk:
    return Desk(local_slack, tmp_path)


def test_a_message_goes_out_once(desk: Desk) -> None:
    """The quote is posted, and draining again posts nothing."""
    desk.propose()
    assert desk.messenger.drain() == 1
    desk.later(10)
    assert desk.messenger.drain() == 0
    assert len(desk.posts()) == 1


def test_a_newer_version_is_an_edit(desk: Desk) -> None:
    """After approval the same message changes in place and its buttons are gone."""
    job = desk.propose()
    desk.messenger.drain()
    assert "Approve and start" in str(desk.posts()[0]["blocks"])
    desk.deps.jobs.approve(job.id, job.quote_hash, ADA, desk.now)
    desk.later(4)
    desk.messenger.drain()
    assert len(desk.posts()) == 1
    assert "Approve and start" not in str(desk.posts()[0]["blocks"])


def test_edits_of_one_message_keep_three_seconds_apart(desk: Desk) -> None:
    """A change within three seconds of the last one waits."""
    job = desk.propose()
    desk.messenger.drain()
    desk.deps.jobs.approve(job.id, job.quote_hash, ADA, desk.now)
    desk.later(1)
    desk.messenger.drain()
    assert "Approve and start" in str(desk.posts()[0]["blocks"])


def test_a_post_whose_record_was_lost_is_found_again(desk: Desk) -> None:
    """Killed after Slack took a message and before it was recorded, the next messenger finds it and posts no second."""
    desk.propose()
    row = outbox.due(desk.engine, desk.now)[0]
    desk.messenger.drain()
    with desk.engine.begin() as connection:
        connection.exec_driver_sql("update outbox_message set ts = '', sent_version = 0, due_at = 0")
    outbox.trying(desk.engine, row, desk.now)
    desk.later(10)
    desk.messenger.drain()
    assert len(desk.posts()) == 1
    assert all(owed.kind != "quote" for owed in outbox.due(desk.engine, desk.now))


def test_a_channel_that_is_gone_is_given_up(desk: Desk) -> None:
    """A message for a channel that does not exist is not tried for ever, and the row says why."""
    desk.propose(channel="C0GONE")
    desk.messenger.drain()
    desk.later(60)
    assert outbox.due(desk.engine, desk.now) == []
    with desk.engine.begin() as connection:
        problem = connection.exec_driver_sql("select problem from outbox_message").scalar_one()
    assert problem == "channel_not_found"


def test_slack_out_of_reach_is_tried_again(desk: Desk) -> None:
    """While Slack does not answer nothing is lost; when it does, the message goes out once."""
    desk.propose()
    address = desk.messenger.client.base_url
    desk.messenger.client.base_url = "http://127.0.0.1:9/api/"
    assert desk.messenger.drain() == 0
    desk.messenger.client.base_url = address
    desk.later(6)
    assert desk.messenger.drain() == 1
    assert len(desk.posts()) == 1
