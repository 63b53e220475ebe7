"""Shows what a job runner without our protocol loses and pays twice; it knows no intent, no fence and no lease.

It looks at the state, tries three times, and updates: the way most queues are used. RQ's message is the truth.
"""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from slack_sdk import WebClient

from bot.settings import Settings
from bot.store.engine import open_engine
from bot.wiring import build_deps
from handlers.deps import Deps
from knowledge.errors import LuthierError
from trainers.backends.deadline import Deadline
from trainers.backends.openai_shape import ENDED, FineTuningApi
from trainers.jobs.ledger import move, read
from trainers.jobs.queue import answer_door
from trainers.tables import Job

TRIES = 3


def work(settings: Settings) -> None:
    """Be a naive worker."""
    deps = build_deps(settings, open_engine(settings.database))
    api = FineTuningApi(name="rehearsal provider", url=settings.rehearsal_url, key="rehearsal")
    slack = WebClient(settings.slack_bot_token, base_url=settings.slack_api_url)

    def advance(job_id: str) -> None:
        job = deps.jobs.ledger.get(job_id)
        if job.state == "succeeded":
            return
        rows = settings.data / deps.datasets.get(job.dataset_id).train_path
        patience = settings.provider_timeout
        file = _tried(lambda: api.upload(job.id, rows, Deadline.after(patience)))
        body: dict[str, Any] = {"method": {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 1}}}}
        body |= {"model": "smollm2-135m-instruct", "training_file": file}
        made = _tried(lambda: api.start(job.id, Deadline.after(patience), **body))
        while _tried(lambda: api.job(made))["status"] not in ENDED:
            time.sleep(settings.provider_poll)
        _tried(lambda: api.delete(file))
        _update(deps, job)
        slack.chat_postMessage(
            channel=job.channel,
            thread_ts=job.thread_ts,
            text="Done",
            metadata={"event_type": "luthier_job", "event_payload": {"key": f"{job.id}:report-0"}},
        )

    answer_door(settings.redis_url, "io", advance)


def _tried(call: Callable[[], Any]) -> Any:
    for _ in range(TRIES - 1):
        try:
            return call()
        except LuthierError:
            continue
    return call()


def _update(deps: Deps, job: Job) -> None:
    now = deps.clock()
    with deps.jobs.ledger.transaction() as connection:
        before = read(connection, job.id)
        if before.state == "queued":
            move(connection, before, "running", "naive", now, lease_until=now + timedelta(days=1))
        move(connection, read(connection, job.id), "succeeded", "naive", now, finished_at=now)
