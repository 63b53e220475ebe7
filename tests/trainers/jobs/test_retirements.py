"""Warnings that a tuned model goes dark: 90, 30 and 7 days ahead, in its thread, once each."""

import json
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import insert, update

from handlers.notify import render
from tests.trainers.jobs.conftest import ADA, THREAD, Watch
from trainers.costs.facts import Source
from trainers.costs.lifecycle import Line
from trainers.jobs import outbox
from trainers.jobs.messages import RetirementCard, from_json
from trainers.jobs.retirements import warn
from trainers.jobs.service import Jobs
from trainers.spec import TrainingSpec
from trainers.tables import Job, ModelVersion, OutboxMessage

SOURCE = Source(name="test", url="x", as_of=date(2026, 11, 1))
DARK = date(2027, 1, 14)
BOOK = (
    Line(provider="azure", model="gpt-4.1-mini", source=SOURCE, tunes_retire=DARK, replacement="gpt-6-luna"),
    Line(provider="vertex", model="gemini-3.5-flash", source=SOURCE, tunes_retire=DARK, floor=True),
)


def tuned(jobs: Jobs, watch: Watch, backend: str = "azure", base: str = "gpt-4.1-mini") -> Job:
    """A model in the registry that such a job made."""
    dataset = jobs.datasets.example("tickets", ADA, watch()).dataset
    job = jobs.propose(dataset, TrainingSpec(backend="rehearsal"), person=ADA, now=watch(), place=THREAD)
    spec = json.dumps(TrainingSpec(backend=backend, base=base).to_json())
    model = ModelVersion(
        id=f"model_{job.number}",
        workspace_id="T1",
        job_id=job.id,
        name="tickets",
        base=base,
        adapter_path="",
        created_at=watch(),
    )
    with jobs.ledger.transaction() as connection:
        connection.execute(update(Job.__table__).where(Job.__table__.c.id == job.id).values(spec=spec))  # type: ignore[attr-defined]
        connection.execute(insert(ModelVersion.__table__).values(**model.model_dump()))  # type: ignore[attr-defined]
    return job


def said(jobs: Jobs) -> list[OutboxMessage]:
    later = datetime(2030, 1, 1, tzinfo=UTC)
    return [row for row in outbox.due(jobs.ledger.engine, later) if row.kind == RetirementCard.KIND]


def days(rows: Sequence[OutboxMessage]) -> list[int]:
    return sorted((json.loads(row.payload)["days_left"] for row in rows), reverse=True)


def test_each_warning_is_given_once(jobs: Jobs, watch: Watch) -> None:
    """Looked at every six hours for a hundred days, the thread hears exactly three."""
    tuned(jobs, watch)
    now = datetime(2026, 10, 10, tzinfo=UTC)
    heard = 0
    while now.date() <= DARK:
        heard += warn(jobs.ledger, BOOK, now)
        now += timedelta(hours=24)
    assert heard == 3
    rows = said(jobs)
    assert days(rows) == [90, 30, 7]
    assert {(row.channel, row.thread_ts) for row in rows} == {("C1", "100.1")}
    assert {row.version for row in rows} == {1}


def test_a_late_model_hears_only_the_nearest(jobs: Jobs, watch: Watch) -> None:
    """A model that is registered 20 days before the end hears one warning then, not two at once, and the last one."""
    tuned(jobs, watch)
    first = datetime(2026, 12, 25, tzinfo=UTC)
    assert [warn(jobs.ledger, BOOK, first + timedelta(days=days)) for days in (0, 1, 13, 14, 19, 20)] == [
        1,
        0,
        1,
        0,
        0,
        0,
    ]
    assert days(said(jobs)) == [20, 7]


@pytest.mark.parametrize(
    ("backend", "base"),
    [
        ("local", "smollm2-135m-instruct"),
        ("vertex", "gemini-3.5-flash"),
        ("azure", "never-heard-of"),
        ("azure", "gpt-4o"),
    ],
)
def test_no_alarm_where_no_end_was_announced(jobs: Jobs, watch: Watch, backend: str, base: str) -> None:
    """Models of this machine, promises of "not before", and bases that nobody knows are left in peace."""
    tuned(jobs, watch, backend, base)
    assert warn(jobs.ledger, BOOK, datetime(2027, 1, 10, tzinfo=UTC)) == 0


def test_a_day_that_moves_is_worth_a_new_warning(jobs: Jobs, watch: Watch) -> None:
    """Where the provider names another day, the owner hears that one too."""
    tuned(jobs, watch)
    assert warn(jobs.ledger, BOOK, datetime(2027, 1, 10, tzinfo=UTC)) == 1
    moved = (BOOK[0].asked(None, SOURCE), Line(**{**BOOK[0].__dict__, "tunes_retire": date(2027, 1, 12)}))
    assert warn(jobs.ledger, (moved[1],), datetime(2027, 1, 10, tzinfo=UTC)) == 1
    assert len(said(jobs)) == 2


def test_the_warning_names_day_owner_and_what_next(jobs: Jobs, watch: Watch) -> None:
    """It mentions who asked for the model, the day, and where to look."""
    tuned(jobs, watch)
    warn(jobs.ledger, BOOK, datetime(2027, 1, 10, tzinfo=UTC))
    (row,) = said(jobs)
    text = render(from_json(row.kind, json.loads(row.payload))).text
    for part in ("<@U0ADA>", "14 Jan 2027", "4 days", "gpt-6-luna", "/tune cost"):
        assert part in text
    assert "not confirmed" not in text


DOUBTED = Source(name="a list; another list: 2027-02-01", url="x", as_of=date(2026, 11, 1), unverified=True)


@pytest.mark.parametrize(
    ("line", "doubted"),
    [
        (Line(provider="azure", model="gpt-4.1-mini", source=DOUBTED, tunes_retire=DARK), True),
        (Line(provider="azure", model="gpt-4.1-mini", source=SOURCE, base_source=DOUBTED, base_retires=DARK), True),
        (
            Line(
                provider="azure",
                model="gpt-4.1-mini",
                source=SOURCE,
                base_source=DOUBTED,
                base_retires=date(2027, 1, 1),
                tunes_retire=DARK,
            ),
            False,
        ),
        (
            Line(provider="azure", model="gpt-4.1-mini", source=DOUBTED, base_retires=DARK, tunes_retire=DARK).asked(
                DARK, SOURCE
            ),
            False,
        ),
    ],
    ids=["its own source", "the base's source", "the base's doubt alone", "asked since"],
)
def test_a_day_that_nobody_confirmed_is_called_so(jobs: Jobs, watch: Watch, line: Line, doubted: bool) -> None:
    """The message says that the day is not confirmed, and by whom it is named, exactly where its source is doubted."""
    tuned(jobs, watch)
    warn(jobs.ledger, (line,), datetime(2027, 1, 10, tzinfo=UTC))
    (row,) = said(jobs)
    text = render(from_json(row.kind, json.loads(row.payload))).text
    assert ("That day is not confirmed: a list; another list: 2027-02-01." in text) == doubted


def test_a_message_of_an_older_version_is_still_read(jobs: Jobs, watch: Watch) -> None:
    """What waits in the outbox from before has no such field and is said as before."""
    tuned(jobs, watch)
    warn(jobs.ledger, BOOK, datetime(2027, 1, 10, tzinfo=UTC))
    payload = json.loads(said(jobs)[0].payload)
    del payload["unconfirmed"]
    assert "14 Jan 2027" in render(from_json(RetirementCard.KIND, payload)).text
