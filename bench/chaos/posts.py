"""Knows which processes a chaos run has and what each does; it does not know when they die.

Web, workers, messenger and sweeper are the product's own. The asker proposes jobs with the verb that the handlers call;
`bench.chaos.people` approves them in Slack, through the web process.
"""

import logging
import signal
import sys
import threading
import time
from datetime import timedelta
from decimal import Decimal
from typing import Any

import uvicorn
from redis.exceptions import RedisError
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError
from sqlalchemy import func, select
from sqlalchemy.exc import OperationalError

from bench.chaos import people
from bot import messenger, sweeper, worker
from bot.app import create_app
from bot.pacing import MINUTE, Rates, Window
from bot.settings import Settings
from bot.wiring import build_deps
from handlers.deps import Deps
from knowledge.tenancy import Person
from trainers.jobs.service import Place
from trainers.policy import Rules, set_rules
from trainers.spec import TrainingSpec
from trainers.states import ENDED
from trainers.tables import Job

ADA = Person(workspace_id=people.TEAM, user_id=people.ADA)

JOBS_A_THREAD = 10
"""Jobs that share one thread."""

RULES = Rules(
    own_click_limit=Decimal(1000), one_approver_limit=Decimal(1000), workspace_cap=None, jobs_per_person=1_000_000
)
"""Budgets are not what is tried here: whoever asks may approve."""

RATES = Rates(
    methods={},
    posts_in_channel=Window(1_000_000, MINUTE),
    progress_edits=1_000_000,
    least=timedelta(seconds=0.5),
)
"""The local Slack is not paced: thousands of jobs in one channel would wait for hours."""

_jobs = Job.__table__  # type: ignore[attr-defined]  # SQLModel adds it at class creation


def serve(settings: Settings, port: int) -> None:
    """Be the web process."""
    _log()
    uvicorn.run(create_app(settings), host="127.0.0.1", port=port, log_level="warning")


def work(settings: Settings) -> None:
    """Be a worker of hosted jobs."""
    _log()
    worker.run(settings, "io")


def post(settings: Settings) -> None:
    """Be the messenger."""
    _log()
    messenger.run(settings, _until_told(), RATES)


def sweep(settings: Settings) -> None:
    """Be the sweeper."""
    _log()
    sweeper.run(settings, _until_told())


def ask(settings: Settings, count: int, at_once: int) -> None:
    """Propose jobs until there are `count`, with at most `at_once` that have not ended."""
    _log()
    over, deps = _until_told(), build_deps(settings)
    slack = WebClient(settings.slack_bot_token, base_url=settings.slack_api_url)
    with deps.jobs.ledger.transaction() as connection:
        set_rules(connection, people.TEAM, RULES, deps.clock())
    dataset = deps.datasets.example("tickets", ADA, deps.clock()).dataset
    thread = ""
    while not over.is_set():
        try:
            states = _states(deps)
            made = sum(states.values())
            if made == count or made - sum(states.get(state, 0) for state in ENDED) >= at_once:
                over.wait(0.1)
                continue
            if not thread or made % JOBS_A_THREAD == 0:
                thread = str(slack.chat_postMessage(channel=people.CHANNEL, text="Rehearsals")["ts"])
            deps.jobs.propose(
                dataset,
                TrainingSpec(backend="hosted_rehearsal"),
                person=ADA,
                now=deps.clock(),
                place=Place(people.CHANNEL, thread),
            )
        except (OperationalError, RedisError, SlackApiError, OSError) as error:
            logging.warning("asking again after %s", type(error).__name__)
            time.sleep(0.1)


def _states(deps: Deps) -> dict[str, int]:
    with deps.jobs.ledger.reading() as connection:
        rows = connection.execute(select(_jobs.c.state, func.count()).group_by(_jobs.c.state)).all()
    return {str(state): int(count) for state, count in rows}


def _until_told() -> threading.Event:
    over = threading.Event()

    def stop(*_: Any) -> None:
        over.set()

    signal.signal(signal.SIGTERM, stop)
    return over


def _log() -> None:
    logging.basicConfig(stream=sys.stderr, level=logging.WARNING, format="%(asctime)s %(name)s %(message)s")
