"""The messenger's pace against the real local Slack with its rate limits on and one clock for both."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import pytest
from slack_sdk import WebClient
from sqlalchemy import Engine

from bot.messenger import Messenger
from bot.pacing import POST, UPDATE, Pacing, call_of, load_rates
from knowledge.index import Index
from knowledge.tenancy import Person
from tests.console import LocalSlack
from tests.handlers.world import ADA, NOW, build_deps
from trainers.jobs import outbox
from trainers.jobs.cards import ended_card, progress_card
from trainers.jobs.ledger import move, read
from trainers.jobs.service import Place
from trainers.spec import TrainingSpec
from trainers.tables import Job

JOBS = 30
PEOPLE = tuple(Person(workspace_id=ADA.workspace_id, user_id=name) for name in ("U0ADA", "U0BEN", "U0CHI"))
CHANNELS = ("C0ASK", "C0GENERAL", "C0TUNING")


class Counted(WebClient):
    """A client that remembers which calls Slack refused for their number, and when each post went out."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.limited: list[str] = []
        self.edits = 0

    def api_call(self, api_method: str, **more: Any) -> Any:
        self.edits += api_method == UPDATE
        try:
            return super().api_call(api_method, **more)
        except Exception as refused:
            self.limited.append(f"{api_method}: {refused}")
            raise


class Hall:
    """Thirty jobs, a local Slack with limits, a messenger, and one clock."""

    def __init__(self, folder: Path, engine: Engine) -> None:
        self.now = NOW
        self.slack = LocalSlack(folder / "console", rate_limits=True, now=lambda: self.now.timestamp())
        self.deps = build_deps(engine, folder, cast(Index, None), self.slack, lambda: self.now)
        self.client = Counted(self.slack.bot_token, base_url=f"{self.slack.url}/api/", retry_handlers=[])
        self.messenger = Messenger(deps=self.deps, slack=lambda _: self.client, folder=folder, clock=lambda: self.now)

    def start(self) -> list[Job]:
        """Begin thirty jobs and show them, however long that takes."""
        jobs, started = self.deps.jobs, []
        dataset = jobs.datasets.example("tickets", ADA, self.now).dataset
        for number in range(JOBS):
            place = Place(CHANNELS[number % len(CHANNELS)])
            person = PEOPLE[number % len(PEOPLE)]
            job = jobs.propose(dataset, TrainingSpec(backend="rehearsal"), person=person, now=self.now, place=place)
            jobs.approve(job.id, job.quote_hash, person, self.now)
            held = jobs.ledger.claim(job.id, f"w{number}", self.now)
            assert held is not None
            started.append(held)
        self.pass_time(60)
        return started

    def pass_time(self, seconds: float, every: float = 0.5) -> None:
        """Let the messenger look again and again."""
        for _ in range(int(seconds / every)):
            self.now += timedelta(seconds=every)
            self.messenger.drain()

    def report(self, jobs: list[Job], step: int) -> None:
        """Write a step's progress as workers do, though in one transaction: thirty commits a step take seconds."""
        figures = {"step": step, "steps": 100}
        with self.deps.jobs.ledger.transaction() as connection:
            for job in jobs:
                self.deps.jobs.ledger.progress(connection, job, "training", figures)
                outbox.put(connection, job, progress_card(job, "training", figures), self.now)

    def end(self, job: Job) -> None:
        """End a job as a worker does: its last progress, and a reply of its own."""
        with self.deps.jobs.ledger.transaction() as connection:
            assert move(connection, job, "failed", "w", self.now, fenced=True, error_what="Ended.")
            ended = read(connection, job.id)
            outbox.put(
                connection, ended, progress_card(ended, "", json.loads(ended.progress), state="failed"), self.now
            )
            outbox.put(connection, ended, ended_card(ended, "failed", "Ended.", "Look."), self.now, key="ended-1")

    def texts(self) -> str:
        """All that stands in the channels and in the threads below their messages."""
        told = []
        for channel in CHANNELS:
            for message in self.slack.messages(channel):
                told += self.slack.messages(channel, message["ts"]) if message.get("reply_count") else [message]
        return json.dumps(told)


@pytest.fixture
def hall(tmp_path: Path, engine: Engine) -> Iterator[Hall]:
    made = Hall(tmp_path, engine)
    yield made
    made.slack.stop()


def test_thirty_jobs_show_their_progress_within_slacks_limits(hall: Hall) -> None:
    """In a minute of 30 jobs at a step a second Slack refuses nothing and every job's message moves; then all end.

    Each simulated minute is some hundred real calls, which takes several seconds.
    """
    running = hall.start()
    hall.client.edits = 0
    for step in range(1, 61):
        hall.report(running, step)
        hall.pass_time(1)
    assert hall.client.limited == []
    assert 25 <= hall.client.edits <= 45
    first, *others = running
    hall.end(first)
    hall.pass_time(4)
    assert f"job #{first.number}) failed" in hall.texts()
    for job in others:
        hall.end(job)
    hall.pass_time(90)
    assert hall.client.limited == []
    shown = hall.texts()
    twice = 2 * JOBS  # in the blocks and in the text beside them
    assert shown.count("*Failed: ") == twice
    assert shown.count(") failed. ") == twice


def test_a_result_goes_before_progress(hall: Hall) -> None:
    """With thirty edits due the post that somebody waits for is the first call."""
    running = hall.start()
    hall.pass_time(60, every=30)
    hall.report(running, 1)
    hall.end(running[-1])
    kinds = [row.kind for row in outbox.due(hall.deps.engine, hall.now + timedelta(minutes=1))]
    assert kinds[0] == "ended"
    assert kinds[1:] == ["progress"] * JOBS


def test_edits_slow_down_as_jobs_run_and_never_below_slacks_own_pace(engine: Engine) -> None:
    """One job is edited every 3 s, ten every 15 s, a hundred every 150 s."""
    pacing = Pacing(engine=engine, rates=load_rates())
    assert [pacing.between_edits(number).total_seconds() for number in (0, 1, 10, 100)] == [3, 3, 15, 150]


def test_a_share_of_the_edits_is_kept_from_progress(engine: Engine) -> None:
    """When progress has used up its 40 edits of a minute, ten more go to other messages, and then none."""
    pacing = Pacing(engine=engine, rates=load_rates())
    progress, other = call_of("T1", UPDATE, "C1", progress=True), call_of("T1", UPDATE, "C1")
    for _ in range(40):
        assert pacing.allows([progress], NOW)
        pacing.made(progress, NOW)
    assert not pacing.allows([progress], NOW)
    for _ in range(10):
        assert pacing.allows([other], NOW)
        pacing.made(other, NOW)
    assert not pacing.allows([other], NOW)
    assert pacing.allows([call_of("T2", UPDATE, "C1")], NOW)
    assert pacing.allows([progress], NOW + timedelta(minutes=1))


def test_posts_are_limited_by_channel(engine: Engine) -> None:
    """Five posts at once in one channel, then one a second on average; another channel is not held up."""
    pacing = Pacing(engine=engine, rates=replace(load_rates(), methods={}))
    here, there = call_of("T1", POST, "C1"), call_of("T1", POST, "C2")
    for _ in range(5):
        assert pacing.allows([here], NOW)
        pacing.made(here, NOW)
    assert not pacing.allows([here], NOW + timedelta(seconds=4.9))
    assert pacing.allows([there], NOW)
    assert pacing.allows([here], NOW + timedelta(seconds=5))
