"""A hosted job through deaths, stops and every fault of its provider, judged by the provider's own ledger."""

import json
import time
from decimal import Decimal

import pytest

from tests.trainers.jobs.conftest import ADA, BEN
from tests.trainers.jobs.paid import Bench, is_legal
from tests.trainers.rehearsal.provider import ENDLESS, ThreadProvider
from trainers import budgets
from trainers.backends.deadline import Deadline
from trainers.errors import NotAllowed
from trainers.jobs import accounts
from trainers.jobs.ledger import move
from trainers.jobs.service import Jobs
from trainers.jobs.tidy import tidy
from trainers.policy import Rules, set_rules


@pytest.fixture
def bench(jobs: Jobs, provider: ThreadProvider) -> Bench:
    return Bench(jobs=jobs, provider=provider)


def test_a_hosted_job_runs_to_its_end(bench: Bench) -> None:
    """One upload, one start, polls without a worker, the rows deleted at the end."""
    job = bench.finish(bench.approved())
    assert (job.state, json.loads(job.result)["trained_tokens"] > 0) == ("succeeded", True)
    row = bench.row(job)
    assert row is not None
    assert bench.provider.count("created") == {row.id: 1}
    assert bench.provider.count("uploaded") == bench.provider.count("deleted")


FAULTS = ("drop_before", "drop_after", "error_before", "error_after", "busy")


@pytest.mark.parametrize("call", ["upload", "start"])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_at_a_paid_call_pays_once(bench: Bench, call: str, fault: str) -> None:
    """Whether the provider kept it or not, what breaks leads to exactly one upload and one job, and to the end."""
    bench.provider.now(script={call: [fault]})
    job = bench.finish(bench.approved())
    assert job.state == "succeeded"
    assert is_legal(bench.provider)
    assert sum(bench.provider.count("created").values()) == 1
    assert bench.provider.count("uploaded") == bench.provider.count("deleted")


@pytest.mark.parametrize("fault", ["slow", "late"])
def test_an_answer_after_the_timeout_is_found_again(bench: Bench, fault: str) -> None:
    """What is kept while, or after, our client gave up is adopted, not sent again."""
    bench.provider.now(script={"start": [fault]}, slow_seconds=3, late_seconds=1.2, list_lag=0.2)
    job = bench.approved()
    while bench.row(job) is None:
        bench.turn(job)
    time.sleep(1.5)  # the skipping clock does not move the provider
    assert bench.finish(job).state == "succeeded"
    assert list(bench.provider.count("created").values()) == [1]


def die_and_finish(jobs: Jobs, provider: ThreadProvider, moment: int) -> bool:
    """Let a job's worker die at its n-th commit or call, judge the end, and say whether there was such a moment."""
    bench = Bench(jobs=jobs, provider=provider)
    job = bench.approved()
    struck = bench.die_at(moment)
    done = bench.finish(job)
    row = bench.row(job)
    assert done.state == "succeeded"
    assert row is not None
    assert provider.count("created")[row.id] == 1
    assert is_legal(provider)
    return struck()


@pytest.mark.parametrize("moment", [3, 6, 9, 12, 15, 18])
def test_a_death_leaves_one_job(jobs: Jobs, provider: ThreadProvider, moment: int) -> None:
    """A worker dies between two steps: the next one ends the job with one paid submission."""
    assert die_and_finish(jobs, provider, moment)


@pytest.mark.slow  # one whole job for each of some forty moments
def test_every_death_leaves_one_job(jobs: Jobs, provider: ThreadProvider) -> None:
    """A worker dies after the first, second, … commit or call, for all of them."""
    moment = 1
    while die_and_finish(jobs, provider, moment):
        moment += 1
    assert moment > 20


@pytest.mark.parametrize(
    ("fault", "said"), [("forbidden", "not able to create"), ("unauthorized", "Incorrect API key")]
)
def test_a_refusal_fails_in_words_and_deletes_the_rows(bench: Bench, fault: str, said: str) -> None:
    """Where the provider says no, the job fails with its words, nothing is sent twice, and the rows are deleted."""
    bench.provider.now(script={"start": [fault]})
    job = bench.finish(bench.approved())
    assert job.state == "failed"
    assert said in job.error_what
    assert bench.provider.count("created") == {}
    assert bench.provider.count("uploaded") == bench.provider.count("deleted") != {}


def test_a_resume_after_a_refusal_is_a_new_submission(bench: Bench) -> None:
    """Only a person's resume mints a second id, and it is accepted once."""
    bench.provider.now(script={"start": ["forbidden"]})
    job = bench.finish(bench.approved())
    first = bench.row(job)
    assert bench.jobs.resume(job.id, ADA, bench.clock()).changed
    job = bench.finish(job)
    second = bench.row(job)
    assert job.state == "succeeded"
    assert first is not None
    assert second is not None
    assert (first.life, second.life, first.id != second.id) == (0, 1, True)
    assert bench.provider.count("created") == {second.id: 1}


def test_a_job_that_dies_at_the_provider_fails_and_starts_anew_when_resumed(bench: Bench) -> None:
    """The provider's death ends the job in its words; a resume may pay again, because a person said so."""
    bench.provider.now(script={"start": ["dies"]})
    job = bench.finish(bench.approved())
    assert job.state == "failed"
    assert "internal error" in job.error_what
    assert sum(bench.provider.count("created").values()) == 1
    bench.jobs.resume(job.id, ADA, bench.clock())
    assert bench.finish(job).state == "succeeded"
    assert sorted(bench.provider.count("created").values()) == [1, 1]
    assert bench.provider.count("uploaded") == bench.provider.count("deleted")


def test_a_resume_finds_the_job_that_still_runs(bench: Bench) -> None:
    """A job that failed on our side while the provider's ran on is taken up again, not paid for again."""
    bench.provider.now(ENDLESS)
    job = bench.finish(bench.approved(), until=lambda job: bool(bench.provider.count("created")))
    bench.clock.skip(2)
    mine = bench.jobs.ledger.claim(job.id, "w", bench.clock())
    assert mine is not None
    with bench.jobs.ledger.transaction() as connection:
        assert move(connection, mine, "failed", "w", bench.clock(), fenced=True)
    assert bench.jobs.resume(job.id, ADA, bench.clock()).changed
    for _ in range(3):
        bench.turn(job)
    assert json.loads(bench.get(job).progress)["note"].startswith("rehearsal provider: ")
    assert list(bench.provider.count("created").values()) == [1]


def test_a_resume_that_watches_an_old_run_pays_for_no_second_one(bench: Bench) -> None:
    """A job fails here while its run goes on, and is resumed for nothing; the run dies: no second one without a yes.

    An approver's resume then starts one, and both are counted.
    """
    bench.provider.now(ENDLESS)
    job = bench.finish(bench.approved(), until=lambda job: bool(bench.provider.count("created")))
    bench.clock.skip(2)
    taken = bench.jobs.ledger.claim(job.id, "w", bench.clock())
    assert taken is not None
    bench.runner()._end(taken, "failed", "The worker died.", "")
    cost, run = accounts.cost_of(job), bench.row(job)
    assert cost
    assert run is not None
    assert run.provider_id
    with bench.jobs.ledger.transaction() as connection:
        assert budgets.spent_by(connection, job.id) == cost
        set_rules(
            connection,
            "T1",
            Rules(approvers=("U0BEN",), one_approver_limit=Decimal(50), workspace_cap=None),
            bench.clock(),
        )
    assert bench.jobs.resume(job.id, ADA, bench.clock()).changed
    bench.api.cancel(run.provider_id)
    failed = bench.finish(job)
    assert (failed.state, len(bench.provider.count("created"))) == ("failed", 1)
    with pytest.raises(NotAllowed):
        bench.jobs.resume(job.id, ADA, bench.clock())
    bench.provider.now()
    assert bench.jobs.resume(job.id, BEN, bench.clock()).changed
    assert bench.finish(job).state == "succeeded"
    assert sorted(bench.provider.count("created").values()) == [1, 1]
    with bench.jobs.ledger.reading() as connection:
        assert budgets.reserved_for(connection, job.id) == 0
    assert budgets.standing(bench.jobs.ledger.engine, "T1", bench.clock())[0].spent == 2 * cost


def test_a_stop_cancels_at_the_provider(bench: Bench) -> None:
    """A stopped job is cancelled there first, its rows are deleted, and only then does it say cancelled."""
    bench.provider.now(ENDLESS)
    job = bench.finish(bench.approved(), until=lambda job: bool(bench.provider.count("created")))
    assert bench.jobs.stop(job.id, ADA, bench.clock()).changed
    assert not bench.jobs.stop(job.id, ADA, bench.clock()).changed
    assert bench.get(job).state == "queued"
    job = bench.finish(job)
    assert job.state == "cancelled"
    assert bench.provider.count("cancelled") == bench.provider.count("created")
    assert bench.provider.count("deleted") == bench.provider.count("uploaded")


@pytest.mark.parametrize("fault", ["drop_after", "drop_before", "late"])
def test_a_stop_during_the_submission_is_honoured(bench: Bench, fault: str) -> None:
    """Stopped while nobody knows whether the provider took it: it is looked up, cancelled if there, and never sent."""
    bench.provider.now(ENDLESS, script={"start": [fault]}, late_seconds=1.2)
    job = bench.finish(bench.approved(), until=lambda job: bench.row(job) is not None)
    bench.jobs.stop(job.id, ADA, bench.clock())
    time.sleep(1.3 if fault == "late" else 0)
    assert bench.finish(job).state == "cancelled"
    assert bench.provider.count("cancelled") == bench.provider.count("created")
    assert sum(bench.provider.count("created").values()) == (fault != "drop_before")


def test_without_leave_to_spend_a_person_is_asked(bench: Bench) -> None:
    """An unknown call that the provider does not show is not repeated once spending is forbidden; a person decides."""
    bench.provider.now(script={"start": ["drop_before"]})
    allowed: list[str] = [""]
    bench.may_spend = lambda *_: allowed[0]
    job = bench.finish(bench.approved(), until=lambda job: bench.row(job) is not None)
    allowed[0] = "spending is switched off"
    bench.finish(job, until=lambda job: (row := bench.row(job)) is not None and row.state == "asking")
    row = bench.row(job)
    assert row is not None
    assert "spending is switched off" in row.detail
    assert bench.provider.count("created") == {}
    allowed[0] = ""
    for _ in range(3):
        bench.turn(job)
    assert bench.provider.count("created") == {}
    row = bench.row(job)
    assert row is not None
    assert bench.jobs.resume(job.id, ADA, bench.clock()).changed
    assert not bench.jobs.resume(job.id, ADA, bench.clock()).changed
    assert bench.finish(job).state == "succeeded"
    assert bench.provider.count("created") == {row.id: 1}


def test_the_sweep_removes_what_was_left_and_nothing_else(bench: Bench) -> None:
    """Rows whose deletion failed go once their job has ended a while; a stranger's file and a live job's stay."""
    bench.provider.now(script={"delete": ["forbidden", "forbidden"]})
    done = bench.finish(bench.approved())
    assert done.state == "succeeded"
    assert bench.provider.count("deleted") == {}
    bench.provider.now(ENDLESS)
    living = bench.finish(bench.approved(), until=lambda job: len(bench.provider.count("created")) == 2)
    stranger = bench.jobs.datasets.folder / "rows.jsonl"
    stranger.write_text("{}")
    bench.api.upload("somebody-elses", stranger, Deadline.after(5))
    keeper = bench.backend()
    assert tidy(bench.jobs.ledger, keeper, bench.clock()) == 0
    bench.clock.skip(61)
    assert tidy(bench.jobs.ledger, keeper, bench.clock()) == 2
    for kind in ("upload", "validation"):
        left, gone = bench.row(living, kind), bench.row(done, kind)
        assert gone is not None
        assert left is not None
        assert bench.provider.count("deleted")[gone.id] == 1
        assert (gone.state, left.state) == ("abandoned", "accepted")
    assert bench.provider.count("deleted").total() == 2


def test_the_sweep_cancels_a_second_run_of_one_submission(bench: Bench) -> None:
    """Had a provider hidden a run for too long, the second one is found by its id and cancelled; the first runs."""
    bench.provider.now(ENDLESS)
    job = bench.finish(bench.approved(), until=lambda job: bool(bench.provider.count("created")))
    row, file = bench.row(job), bench.row(job, "upload")
    assert row is not None
    assert file is not None
    second = bench.api.start(row.id, Deadline.after(5), model="rehearsal-small", training_file=str(file.provider_id))
    assert tidy(bench.jobs.ledger, bench.backend(), bench.clock()) == 1
    cancelled = [line["id"] for line in bench.provider.lines() if line["event"] == "cancelled"]
    assert cancelled == [second]
