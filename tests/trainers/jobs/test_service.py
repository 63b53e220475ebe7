"""What people may do with jobs, and what a second click, a stranger or a stale card changes: nothing."""

import json
import threading

import pytest

from knowledge.errors import UserError
from knowledge.tenancy import Person
from tests.trainers.jobs.conftest import ADA, BEN, THREAD, Bell, Watch
from trainers.errors import NotAllowed, StaleApproval
from trainers.jobs import outbox
from trainers.jobs.service import Jobs
from trainers.spec import TrainingSpec
from trainers.tables import Job


def test_a_proposal_starts_nothing(jobs: Jobs, quoted: Job, bell: Bell, watch: Watch) -> None:
    """A quoted job owes one quote card, rings nobody and is due for nobody."""
    assert quoted.state == "quoted"
    assert quoted.number == 1
    assert bell.rings == []
    assert jobs.ledger.due(watch()) == []
    owed = outbox.due(jobs.ledger.engine, watch())
    assert [(message.kind, message.channel, message.thread_ts) for message in owed] == [("quote", *THREAD[:2])]


def test_the_requesters_click_queues_and_rings(jobs: Jobs, quoted: Job, bell: Bell, watch: Watch) -> None:
    """Approval queues the job, rings its queue once and says so in the thread."""
    outcome = jobs.approve(quoted.id, quoted.quote_hash, ADA, watch())
    assert outcome.changed
    assert outcome.job.state == "queued"
    assert outcome.job.approved_by == "U0ADA"
    assert bell.rings == [(quoted.id, "io")]
    kinds = {message.kind: json.loads(message.payload) for message in outbox.due(jobs.ledger.engine, watch())}
    assert kinds["quote"]["decided_by"] == "U0ADA"
    assert kinds["progress"]["note"] == "Queued, next in line"


def test_a_double_click_changes_nothing(jobs: Jobs, quoted: Job, bell: Bell, watch: Watch) -> None:
    """The second approval of the same card finds the job approved and rings nobody."""
    jobs.approve(quoted.id, quoted.quote_hash, ADA, watch())
    again = jobs.approve(quoted.id, quoted.quote_hash, ADA, watch.move(seconds=1))
    assert not again.changed
    assert len(bell.rings) == 1


def test_eight_simultaneous_clicks_queue_once(jobs: Jobs, quoted: Job, bell: Bell, watch: Watch) -> None:
    """Of eight approvals at the same moment exactly one changes the job."""
    changed: list[bool] = []
    start = threading.Barrier(8)

    def click() -> None:
        start.wait()
        changed.append(jobs.approve(quoted.id, quoted.quote_hash, ADA, watch()).changed)

    clicks = [threading.Thread(target=click) for _ in range(8)]
    for thread in clicks:
        thread.start()
    for thread in clicks:
        thread.join()
    assert sorted(changed) == [False] * 7 + [True]
    assert len(bell.rings) == 1


@pytest.mark.parametrize("stranger", [BEN, Person(workspace_id="T2", user_id="U0ADA")])
def test_nobody_else_may_approve_or_stop(jobs: Jobs, quoted: Job, stranger: Person, watch: Watch) -> None:
    """Another person, or the same id in another workspace, is refused and the job stays quoted."""
    with pytest.raises(NotAllowed):
        jobs.approve(quoted.id, quoted.quote_hash, stranger, watch())
    with pytest.raises(NotAllowed):
        jobs.stop(quoted.id, stranger, watch())
    assert jobs.ledger.get(quoted.id).state == "quoted"


def test_an_approval_binds_to_the_quote(jobs: Jobs, quoted: Job, watch: Watch) -> None:
    """A click on a card with another quote's hash is refused."""
    with pytest.raises(StaleApproval):
        jobs.approve(quoted.id, "0" * 64, ADA, watch())


def test_a_quote_expires_after_a_day(jobs: Jobs, quoted: Job, watch: Watch) -> None:
    """A click after 24 hours is refused and names the next step."""
    with pytest.raises(StaleApproval) as refused:
        jobs.approve(quoted.id, quoted.quote_hash, ADA, watch.move(hours=24))
    assert "new one" in refused.value.next_step


def test_a_cancelled_quote_cannot_be_approved(jobs: Jobs, quoted: Job, bell: Bell, watch: Watch) -> None:
    """After Cancel, a late Approve changes nothing."""
    assert jobs.stop(quoted.id, ADA, watch()).job.state == "cancelled"
    assert not jobs.approve(quoted.id, quoted.quote_hash, ADA, watch()).changed
    assert bell.rings == []


def test_numbers_count_up_within_a_workspace(jobs: Jobs, quoted: Job, watch: Watch) -> None:
    """The second job of a workspace is #2, the first of another workspace is #1."""
    second = jobs.propose(jobs.datasets.get(quoted.dataset_id), TrainingSpec(), person=ADA, now=watch())
    eve = Person(workspace_id="T9", user_id="U0EVE")
    elsewhere = jobs.propose(
        jobs.datasets.example("tickets", eve, watch()).dataset, TrainingSpec(), person=eve, now=watch()
    )
    assert (second.number, elsewhere.number) == (2, 1)


def test_the_same_rows_are_one_version(jobs: Jobs, watch: Watch) -> None:
    """Registering the shipped example twice gives the same data set."""
    first = jobs.datasets.example("tickets", ADA, watch()).dataset
    assert jobs.datasets.example("tickets", BEN, watch()).dataset.id == first.id
    assert (first.train_rows, first.test_rows) == (120, 60)


def test_the_quote_is_free_here_and_hashes_what_it_says(jobs: Jobs, quoted: Job, watch: Watch) -> None:
    """Two quotes of the same thing have the same hash; one more epoch gives another hash and more tokens."""
    dataset = jobs.datasets.get(quoted.dataset_id)
    same = jobs.propose(dataset, TrainingSpec(backend="rehearsal"), person=BEN, now=watch())
    assert same.quote_hash == quoted.quote_hash
    offer = json.loads(quoted.quote)
    assert offer["training_cost"] == "0"
    assert offer["training_minutes"][0] < offer["training_minutes"][1]


def test_an_unknown_backend_leaves_no_job(jobs: Jobs, quoted: Job, watch: Watch) -> None:
    """A backend that nobody knows is refused before anything is written."""
    with pytest.raises(UserError, match="no backend called foo"):
        jobs.propose(jobs.datasets.get(quoted.dataset_id), TrainingSpec(backend="foo"), person=ADA, now=watch())
    assert len(jobs.ledger.listing("T1")) == 1


def test_another_workspace_learns_nothing_of_an_approved_job(jobs: Jobs, approved: Job, watch: Watch) -> None:
    """A click from elsewhere on a job that runs already is refused like any other."""
    with pytest.raises(NotAllowed):
        jobs.approve(approved.id, approved.quote_hash, Person(workspace_id="T2", user_id="U0ADA"), watch())


def test_a_stop_after_the_claim_is_a_wish_and_not_a_cancellation(jobs: Jobs, approved: Job, watch: Watch) -> None:
    """A click on an old card of a job that a worker has just taken reaches that worker."""
    held = jobs.ledger.claim(approved.id, "w1", watch())
    assert held is not None
    outcome = jobs.stop(approved.id, ADA, watch())
    assert (outcome.changed, outcome.job.state) == (True, "running")
    assert jobs.ledger.keep(held, watch()) == "U0ADA"


def test_a_second_resume_changes_nothing(jobs: Jobs, approved: Job, bell: Bell, watch: Watch) -> None:
    """Two clicks on Resume queue the job once."""
    jobs.stop(approved.id, ADA, watch())
    assert [jobs.resume(approved.id, ADA, watch()).changed for _ in range(2)] == [True, False]
    assert len(bell.rings) == 2
