"""Webhooks of a provider: verified, taken once, and never more than a ring."""

import time
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from openai import OpenAI
from sqlalchemy import Engine
from starlette.applications import Starlette
from starlette.testclient import TestClient

from bot.hooks import PATH, Hooks
from bot.store.inbox import Inbox
from tests.trainers.jobs.conftest import ADA, Bell, Watch, bell, jobs, quoted, watch
from trainers.jobs.ledger import move
from trainers.jobs.service import Jobs
from trainers.openai_api import signing
from trainers.tables import Job, Submission

__all__ = ["bell", "jobs", "quoted", "watch"]

SECRET = signing.new_secret()
RUN = "ftjob-1"


@pytest.fixture
def waiting(jobs: Jobs, quoted: Job, watch: Watch) -> Job:
    """A job whose run is at a provider, to be asked after in an hour."""
    job = jobs.approve(quoted.id, quoted.quote_hash, ADA, watch()).job
    row = {"id": "s1", "workspace_id": "T1", "job_id": job.id, "kind": "job", "state": "accepted", "fence": 1}
    row |= {"provider": "OpenAI", "provider_id": RUN, "created_at": watch()}
    with jobs.ledger.transaction() as connection:
        connection.execute(Submission.__table__.insert().values(**row))  # type: ignore[attr-defined]
        assert move(connection, job, "queued", "w", watch(), wake_at=watch() + timedelta(hours=1))
    return jobs.ledger.get(job.id)


@pytest.fixture
def web(engine: Engine, jobs: Jobs, watch: Watch) -> Iterator[TestClient]:
    made = Hooks(f"other {SECRET}", jobs, Inbox(engine), watch)
    with TestClient(Starlette(routes=list(made.routes))) as client:
        yield client


def send(web: TestClient, watch: Watch, secret: str = SECRET, at: float = 0, **changed: str) -> httpx.Response:
    told = signing.event(changed.get("event", "evt_1"), changed.get("type", "fine_tuning.job.succeeded"), RUN, 0)
    headers = signing.signed(told, [secret], watch().timestamp() + at)
    body = changed.get("body", told.body.decode()).encode()
    return web.post(PATH, content=body, headers=headers | changed.get("headers", {}))  # type: ignore[operator]


def test_a_signed_webhook_makes_the_job_due_and_rings(
    web: TestClient, watch: Watch, waiting: Job, jobs: Jobs, bell: Bell
) -> None:
    """The job that would be asked after in an hour is due now."""
    before = len(bell.rings)
    assert send(web, watch).status_code == 200
    assert jobs.ledger.get(waiting.id).wake_at == watch()
    assert bell.rings[before:] == [(waiting.id, waiting.queue)]


def test_the_same_webhook_again_rings_nobody(web: TestClient, watch: Watch, waiting: Job, bell: Bell) -> None:
    """Byte for byte the same delivery is acknowledged and forgotten; another one about the same job counts."""
    before = len(bell.rings)
    assert [send(web, watch).status_code for _ in range(3)] == [200] * 3
    assert len(bell.rings) - before == 1


FORGED: dict[str, dict[str, Any]] = {
    "another secret": {"secret": signing.new_secret()},
    "too old": {"at": -301},
    "from the future": {"at": 301},
    "another body": {"body": '{"type": "fine_tuning.job.succeeded", "data": {"id": "ftjob-2"}}'},
    "no signature": {"headers": {"webhook-signature": ""}},
    "a stamp that is none": {"headers": {"webhook-timestamp": "9" * 400}},
    "letters that are none": {"headers": {"webhook-signature": b"v1,\xc3\xa9"}},
}


@pytest.mark.parametrize("how", FORGED)
def test_what_is_forged_or_replayed_is_refused(
    web: TestClient, watch: Watch, waiting: Job, jobs: Jobs, bell: Bell, how: str
) -> None:
    """401, no ring, and the job waits on."""
    before = len(bell.rings)
    assert send(web, watch, **FORGED[how]).status_code == 401
    assert (bell.rings[before:], jobs.ledger.get(waiting.id).wake_at) == ([], waiting.wake_at)


@pytest.mark.parametrize("body", ["", "[", "null", '{"type": 1}', "[" * 50_000, '{"type": "batch.completed"}'])
def test_what_is_about_nothing_of_ours_changes_nothing(
    web: TestClient, watch: Watch, waiting: Job, bell: Bell, body: str
) -> None:
    """Signed nonsense is acknowledged, as it would only come again, and nobody is rung for."""
    before = len(bell.rings)
    told = signing.Told("evt_2", body.encode())
    answer = web.post(PATH, content=told.body, headers=signing.signed(told, [SECRET], watch().timestamp()))
    assert (answer.status_code, bell.rings[before:]) == (200, [])


def test_too_much_is_not_read(web: TestClient, watch: Watch) -> None:
    """More than a webhook ever needs is cut off."""
    assert web.post(PATH, content=b"x" * 100_000).status_code == 413


def test_without_a_secret_there_is_no_route(jobs: Jobs, engine: Engine, watch: Watch) -> None:
    """Nothing listens where nothing can be verified."""
    assert Hooks("", jobs, Inbox(engine), watch).routes == []


def test_the_released_sdk_agrees_about_what_is_genuine(tmp_path: Path) -> None:
    """What the official client verifies is what these tests send: the signature is not only ours."""
    told = signing.event("evt_1", "fine_tuning.job.succeeded", RUN, time.time())
    headers = signing.signed(told, [SECRET], time.time())
    event = OpenAI(api_key="k").webhooks.unwrap(told.body, headers, secret=SECRET)
    assert (event.type, event.data.id) == ("fine_tuning.job.succeeded", RUN)  # type: ignore[union-attr]
