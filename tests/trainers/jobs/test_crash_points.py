"""A process ends after its k-th SQL statement, commit, HTTP or Redis call: for every k the rest of Luthier recovers.

The short form takes some of the points, other ones on either database; the long form (`make soak`) takes all of them.
"""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import Engine, text

from tests.console import LocalSlack
from tests.trainers.jobs.crash import CHANNEL, Nursery, Ward, clicks, nursery
from tests.trainers.rehearsal.provider import ThreadProvider
from tests.valkey import running_valkey

MOST_CALLS = 2000
"""More calls than any act makes."""

ENDS = {
    "propose": {"quoted"},
    "approve": {"quoted", "succeeded"},
    "stop_quoted": {"quoted", "cancelled"},
    "stop_queued": {"succeeded", "cancelled"},
    "stop_running": {"succeeded", "cancelled"},
    "stopped_at_work": {"cancelled"},
    "resume": {"cancelled", "succeeded"},
    "work": {"succeeded"},
    "take_over": {"succeeded"},
    "sweeping": {"succeeded"},
    "post": {"quoted"},
    "post_an_end": {"succeeded"},
    "edit": {"cancelled"},
    "click": {"quoted", "succeeded"},
    "pay": {"succeeded"},
    "ask": {"succeeded"},
    "call_off": {"succeeded", "cancelled"},
    "fail": {"failed"},
    "wait": {"succeeded"},
}
"""By act: the states in which its job may be once everything has settled."""


@pytest.fixture(scope="session")
def dying() -> Iterator[Nursery]:
    with nursery() as made:
        yield made


@pytest.fixture(scope="module")
def slack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalSlack]:
    made = LocalSlack(tmp_path_factory.mktemp("console"))
    yield made
    made.stop()


@pytest.fixture(scope="module")
def queue(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_valkey(tmp_path_factory.mktemp("queue")) as address:
        yield address


@pytest.fixture
def ward(
    dying: Nursery, engine: Engine, slack: LocalSlack, queue: str, provider: ThreadProvider, tmp_path: Path
) -> Ward:
    return Ward.build(dying, engine, slack, tmp_path / "data", queue, provider)


def at_point(ward: Ward, act: str, k: int) -> bool:
    """Die at the k-th call of an act, recover and judge; False where the act was over before that."""
    before, clicked = ward.newest(), clicks(ward)
    alive = not ward.die(act, k)
    taken = clicks(ward) > clicked
    ward.recover(act)
    job, ends = ward.newest(), ENDS[act]
    assert job != before or (act == "propose" and not alive), "a job is lost"
    if job != before:
        state = ward.judge(job)
        allowed = ends - {"quoted"} if (alive or taken) and len(ends) > 1 else ends
        assert state in allowed, f"{state} after death at call {k} of {act}"
    return not alive


def some_point(act: str, engine: Engine) -> int:
    """One point of an act, another one on the other database."""
    return random.Random(f"{act} {engine.dialect.name}").randint(1, 30)


def test_acts_survive_death_at_some_calls(ward: Ward) -> None:
    """States and history are legal, each message is in Slack once, no job, click or payment is lost or doubled."""
    died = [at_point(ward, act, some_point(act, ward.engine)) for act in ENDS]
    assert sum(died) > len(ENDS) / 2


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("act", ENDS)
def test_every_act_survives_death_at_every_call(ward: Ward, act: str) -> None:
    """The same for all k, one after the other, until the act comes to its end alive."""
    died = next(k for k in range(1, MOST_CALLS) if not at_point(ward, act, k)) - 1
    print(f"{act} on {ward.engine.dialect.name}: died at each of {died} calls")
    assert died > 5


def test_a_broken_promise_would_be_noticed(ward: Ward) -> None:
    """The judge is no rubber stamp: a history with a gap, an unsent message and a doubled post are each found."""
    assert not ward.die("work", MOST_CALLS)
    ward.recover("work")
    job = ward.newest()
    ward.judge(job)
    again = f"{job}:report-1"
    meta = {"event_type": "luthier_job", "event_payload": {"key": again}}
    ward.slack.web.chat_postMessage(channel=CHANNEL, text="again", metadata=meta)
    with pytest.raises(AssertionError, match=f"'{again}': 2"):
        ward.judge(job)
    for change, found in (
        ("update outbox_message set version = version + 1 where key = 'quote'", "not sent"),
        ("insert into job_event(job_id, at, old_state, new_state, fence, who, note) values"
         " (:id, 1, 'queued', 'cancelled', 1, '', '')", "no path"),
    ):  # fmt: skip
        with ward.engine.begin() as connection:
            connection.execute(text(change), {"id": job} if ":id" in change else {})
        with pytest.raises(AssertionError, match=found):
            ward.judge(job)
