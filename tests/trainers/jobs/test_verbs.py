"""Whatever anybody does with a job or with the rules leaves one entry in the log, with who and what, and no more."""

import json
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from knowledge.tenancy import LOCAL_WORKSPACE, Person
from tests.trainers.jobs.conftest import ADA, BEN, THREAD, Watch
from trainers import audit, quotes
from trainers.errors import NotAllowed, OverBudget, StaleApproval
from trainers.jobs import service
from trainers.jobs.run import Runner
from trainers.jobs.service import Jobs
from trainers.spec import TrainingSpec
from trainers.tables import Job, Submission
from trainers.workspaces import Workspaces

CHI = Person(workspace_id="T1", user_id="U0CHI")
OPERATOR = Person(workspace_id=LOCAL_WORKSPACE, user_id="root")
Entry = tuple[str, str]


class Log:
    """Reads what was added to a workspace's log since it was last read, and that the log is whole."""

    def __init__(self, jobs: Jobs) -> None:
        self.engine, self.read = jobs.ledger.engine, 0

    def new(self) -> list[Entry]:
        """Return (who, what) of the new entries; each is about the job or the rules and holds no row's text."""
        entries = list(reversed(audit.listing(self.engine, "T1", limit=500)))[self.read :]
        self.read += len(entries)
        assert audit.verify(self.engine, "T1").broken_at is None
        assert {entry.subject.partition(" ")[0] for entry in entries} <= {"job", "rules"}
        assert all("messages" not in entry.detail for entry in entries)
        return [(entry.who, entry.what) for entry in entries]


@pytest.fixture
def log(jobs: Jobs) -> Log:
    return Log(jobs)


@pytest.fixture
def dear(jobs: Jobs, watch: Watch, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Job]:
    """Propose a rehearsal that costs so many dollars."""
    dataset = jobs.datasets.example("tickets", ADA, watch()).dataset

    def propose(dollars: str) -> Job:
        def quote(*args: Any, **more: Any) -> quotes.Quote:
            return replace(quotes.quote(*args, **more), training_cost=Decimal(dollars))

        monkeypatch.setattr(service, "quote", quote)
        return jobs.propose(dataset, TrainingSpec(backend="rehearsal"), person=ADA, now=watch(), place=THREAD)

    return propose


def allow(jobs: Jobs, watch: Watch, **texts: str) -> None:
    Workspaces(engine=jobs.ledger.engine).change("T1", texts, OPERATOR, watch())


def approve(jobs: Jobs, watch: Watch, job: Job, *people: Person) -> None:
    for person in people:
        jobs.approve(job.id, job.quote_hash, person, watch())


def test_a_life_with_two_approvers_a_stop_and_a_resume(
    jobs: Jobs, dear: Callable[[str], Job], runner: Callable[[str], Runner], watch: Watch, log: Log
) -> None:
    """From the first wish to the report each act has its entry, by whom it was; every second click has none."""
    allow(jobs, watch, approvers="U0BEN,U0CHI", workspace_cap="100", one_approver_limit="50")
    assert log.new() == [("operator root", "changed rules")]
    job = dear("60")
    assert log.new() == [("U0ADA", "asked for")]
    for person, verb in ((ADA, "asked approvers"), (BEN, "approved in part"), (CHI, "approved")):
        for _ in range(2):
            approve(jobs, watch, job, person)
        assert log.new() == [(person.user_id, verb)]
    jobs.stop(job.id, BEN, watch())
    jobs.stop(job.id, ADA, watch())
    assert log.new() == [("luthier", "spent"), ("U0BEN", "cancelled")]
    for _ in range(2):
        jobs.resume(job.id, ADA, watch())
    assert log.new() == [("U0ADA", "resumed")]
    assert jobs.ledger.claim(job.id, "w1", watch())
    for person in (BEN, ADA):
        jobs.stop(job.id, person, watch())
    assert log.new() == [("U0BEN", "stop requested")]
    watch.move(seconds=16)
    runner("w2").work(job.id)
    assert log.new() == [("luthier", "spent")]
    assert json.loads(audit.listing(jobs.ledger.engine, "T1")[0].detail)["state"] == "cancelled"
    jobs.resume(job.id, ADA, watch())
    runner("w2").work(job.id)
    assert jobs.ledger.get(job.id).state == "succeeded"
    assert log.new() == [("U0ADA", "resumed"), ("luthier", "spent")]


def test_a_refusal_for_want_of_budget(jobs: Jobs, dear: Callable[[str], Job], watch: Watch, log: Log) -> None:
    """What does not fit is one entry for each try, at the approval and at the resume."""
    allow(jobs, watch, approvers="U0BEN", workspace_cap="10")
    job, second = dear("9"), dear("2")
    approve(jobs, watch, job, BEN)
    log.new()
    with pytest.raises(OverBudget):
        approve(jobs, watch, second, BEN)
    assert log.new() == [("U0BEN", "refused for budget")]
    jobs.stop(job.id, ADA, watch())
    allow(jobs, watch, workspace_cap="8")
    log.new()
    with pytest.raises(OverBudget):
        jobs.resume(job.id, ADA, watch())
    assert log.new() == [("U0ADA", "refused for budget")]


def test_a_quote_that_nobody_answers(jobs: Jobs, dear: Callable[[str], Job], watch: Watch, log: Log) -> None:
    """The reminder and the expiry are Luthier's own; a sweep more adds nothing, nor does a click that is too late."""
    allow(jobs, watch, approvers="U0BEN,U0CHI", workspace_cap="10")
    job = dear("9")
    approve(jobs, watch, job, ADA)
    log.new()
    for hours, verbs in ((4, ["reminded"]), (4, []), (16, ["expired"]), (1, [])):
        jobs.tend_quotes(watch.move(hours=hours))
        assert log.new() == [("luthier", verb) for verb in verbs]
    approve(jobs, watch, job, BEN)
    assert log.new() == []


def test_what_changes_nothing_leaves_nothing(jobs: Jobs, quoted: Job, watch: Watch, log: Log) -> None:
    """Refused for who it was, for an old quote or because it was so already: the log does not grow."""
    log.new()
    for attempt, error in (
        (lambda: jobs.approve(quoted.id, quoted.quote_hash, BEN, watch()), NotAllowed),
        (lambda: jobs.approve(quoted.id, "0" * 64, ADA, watch()), StaleApproval),
        (lambda: jobs.stop(quoted.id, BEN, watch()), NotAllowed),
        (lambda: Workspaces(engine=jobs.ledger.engine).pause("T1", ADA, watch()), NotAllowed),
        (lambda: Workspaces(engine=jobs.ledger.engine).change("T1", {"person_cap": "9"}, ADA, watch()), NotAllowed),
    ):
        with pytest.raises(error):
            attempt()
    allow(jobs, watch, workspace_cap="0")
    assert log.new() == []


def test_a_quote_that_is_dropped(jobs: Jobs, quoted: Job, watch: Watch, log: Log) -> None:
    """Cancelling what was never approved is one entry; nothing was set aside, so nothing is settled."""
    log.new()
    jobs.stop(quoted.id, ADA, watch())
    assert log.new() == [("U0ADA", "cancelled")]


def test_the_kill_switch_and_other_rules(jobs: Jobs, watch: Watch, log: Log) -> None:
    """Off and on are entries of whoever did it, with old and new; the same again is none."""
    allow(jobs, watch, approvers="U0BEN", stoppers="anyone")
    known = Workspaces(engine=jobs.ledger.engine)
    for paused in (True, True, False, False):
        known.pause("T1", BEN, watch(), paused=paused)
    assert log.new() == [("operator root", "changed rules"), ("U0BEN", "paused"), ("U0BEN", "unpaused")]
    told = json.loads(audit.listing(jobs.ledger.engine, "T1")[-1].detail)
    assert told["stoppers"] == {"old": "approvers", "new": "anyone"}


def test_a_call_that_a_person_sends_again(jobs: Jobs, approved: Job, watch: Watch, log: Log) -> None:
    """The decision to repeat a call of unknown outcome is one entry with the submission's id, however often clicked."""
    asked = Submission(
        id="s1", workspace_id="T1", job_id=approved.id, kind="job", state="asking", fence=0, provider="p",
        tried_at=watch(), created_at=watch(),
    )  # fmt: skip
    table = Submission.__table__  # type: ignore[attr-defined]  # SQLModel adds it at class creation
    with jobs.ledger.transaction() as connection:
        connection.execute(table.insert().values(**asked.model_dump()))
    log.new()
    for _ in range(2):
        jobs.resume(approved.id, ADA, watch())
    assert log.new() == [("U0ADA", "sent again")]
    assert json.loads(audit.listing(jobs.ledger.engine, "T1")[0].detail)["submission"] == "s1"
