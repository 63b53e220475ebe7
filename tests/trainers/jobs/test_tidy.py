"""What the sweep ends at a provider and what it leaves alone, judged by the provider's own ledger."""

import json
from decimal import Decimal

import pytest

from tests.trainers.jobs.conftest import ADA
from tests.trainers.jobs.paid import Bench, Killed, is_legal
from tests.trainers.rehearsal.provider import ENDLESS, ThreadProvider
from trainers import audit, budgets
from trainers.backends.base import Made
from trainers.backends.deadline import Deadline
from trainers.backends.wire import json_body
from trainers.jobs import outbox
from trainers.jobs.accounts import cost_of
from trainers.jobs.service import Jobs
from trainers.jobs.submission import change
from trainers.jobs.tidy import KEEP, tidy
from trainers.tables import Job


@pytest.fixture
def bench(jobs: Jobs, provider: ThreadProvider) -> Bench:
    return Bench(jobs=jobs, provider=provider)


def failed_here(bench: Bench) -> Job:
    """A job that failed because the provider forbade a look at it once, while its run goes on at the provider."""
    bench.provider.now(ENDLESS)
    job = bench.finish(bench.approved(), until=lambda job: bool(bench.provider.count("created")))
    bench.provider.now(ENDLESS, script={"read": ["forbidden"]})
    job = bench.turn(job)
    assert job.state == "failed"
    return job


def sweep(bench: Bench) -> int:
    return tidy(bench.jobs.ledger, bench.backend(), bench.clock())


def said(bench: Bench, job: Job, key: str) -> str:
    """What the thread is told under a key."""
    owed = outbox.due(bench.jobs.ledger.engine, bench.clock() + KEEP)
    return next((json.dumps(json.loads(row.payload)) for row in owed if row.job_id == job.id and row.key == key), "")


def test_the_run_of_a_failed_job_is_kept_for_its_resume_and_ended_after_that(bench: Bench) -> None:
    """The thread hears at once what becomes of the run; an hour later it is cancelled, and the thread hears that."""
    job = failed_here(bench)
    assert "What rehearsal provider still runs of it I end in 1 h unless it is resumed." in job.error_next
    assert "unless it is resumed" in said(bench, job, f"ended-{job.fence}")
    bench.clock.skip(KEEP.total_seconds() - 30)
    assert sweep(bench) == 0
    bench.clock.skip(31)
    assert sweep(bench) == 3  # the run and its two files
    assert bench.provider.count("cancelled") == bench.provider.count("created")
    assert bench.provider.count("deleted") == bench.provider.count("uploaded")
    assert "Nobody resumed it for 1 h" in said(bench, job, f"run-ended-{job.fence}")
    assert sweep(bench) == 0


def test_a_failed_job_without_a_run_promises_nothing(bench: Bench) -> None:
    """Where the provider took no job, or it died there, the thread hears of no run that would go on."""
    bench.provider.now(script={"start": ["forbidden"]})
    assert "unless it is resumed" not in bench.finish(bench.approved()).error_next
    bench.provider.now(script={"start": ["dies"]})
    assert "unless it is resumed" not in bench.finish(bench.approved()).error_next


def test_a_resume_in_time_keeps_the_run(bench: Bench) -> None:
    """Taken up again, the run is nobody's to end however long ago the failure was, and it is paid for once."""
    job = failed_here(bench)
    assert bench.jobs.resume(job.id, ADA, bench.clock()).changed
    bench.clock.skip(2 * KEEP.total_seconds())
    assert sweep(bench) == 0
    bench.turn(job)
    assert bench.provider.count("cancelled") == {}
    assert list(bench.provider.count("created").values()) == [1]


def test_a_resume_after_the_end_of_the_run_starts_anew(bench: Bench) -> None:
    """What was ended is not waited for: the resumed job gets a submission of its own and succeeds."""
    job = failed_here(bench)
    bench.clock.skip(KEEP.total_seconds() + 1)
    sweep(bench)
    assert bench.jobs.resume(job.id, ADA, bench.clock()).changed
    assert json.loads(said(bench, job, f"run-ended-{job.fence}"))["state"] == "queued"
    bench.provider.now()
    assert bench.finish(job).state == "succeeded"
    assert sum(bench.provider.count("created").values()) == 2
    assert is_legal(bench.provider)


def test_a_sweep_that_dies_before_the_provider_heard_of_it_is_finished_by_the_next(bench: Bench) -> None:
    """What was given up in SQL goes at the provider too, also where somebody resumed the job in between."""
    job = failed_here(bench)
    bench.clock.skip(KEEP.total_seconds() + 1)
    keeper = bench.backend()
    keeper.remove = killed  # type: ignore[method-assign]  # dies between the two
    with pytest.raises(Killed):
        tidy(bench.jobs.ledger, keeper, bench.clock())
    assert bench.provider.count("deleted") == {}
    files = (bench.row(job, kind) for kind in ("upload", "validation"))
    [given_up] = (row for row in files if row is not None and row.state == "abandoned")
    assert bench.jobs.resume(job.id, ADA, bench.clock()).changed
    assert sweep(bench) == 1
    assert bench.provider.count("deleted") == {given_up.id: 1}  # its other file is wanted again
    bench.provider.now()
    assert bench.finish(job).state == "succeeded"
    assert bench.provider.count("deleted") == bench.provider.count("uploaded")


def killed(kind: str, provider_id: str) -> None:
    raise Killed


def running(bench: Bench) -> Job:
    """A job that its provider has accepted and that runs on there."""
    bench.provider.now(ENDLESS)
    return bench.finish(bench.approved(), until=lambda job: getattr(bench.row(job), "state", "") == "accepted")


def second_run(bench: Bench, job: Job) -> str:
    """Let the provider have one more run under the job's submission id, as a call that it had hidden for too long."""
    row, rows = bench.row(job), bench.jobs.datasets.folder / bench.jobs.datasets.get(job.dataset_id).train_path
    assert row is not None
    file = bench.api.upload("somebody-elses", rows, Deadline.after(5))
    return bench.api.start(row.id, Deadline.after(5), model="rehearsal-small", training_file=file)


def spent(bench: Bench) -> Decimal:
    """What this month's budget of the workspace has counted as spent."""
    return sum((each.spent for each in budgets.standing(bench.jobs.ledger.engine, "T1", bench.clock())[:1]), Decimal(0))


def told(bench: Bench) -> list[str]:
    """The audit's verbs about what was found, the oldest first."""
    entries = audit.listing(bench.jobs.ledger.engine, "T1")
    return [entry.what for entry in reversed(entries) if entry.what in ("ended its run", "spent")]


def test_a_second_run_is_told_once_and_counted_once(bench: Bench) -> None:
    """Thread, audit and budget hear of a second run and what it may have cost, however often it is met."""
    job = running(bench)
    run = second_run(bench, job)
    keeper = bench.backend()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keeper, "remove", killed)
        for _ in range(2):  # dies after it was written down and before the provider hears of it
            with pytest.raises(Killed):
                tidy(bench.jobs.ledger, keeper, bench.clock())
    assert sweep(bench) == 1
    assert sweep(bench) == 0
    card = json.loads(said(bench, job, f"leftover-{run}"))
    cost = cost_of(job)
    assert cost
    assert (card["second"], card["run"], Decimal(card["dollars"])) == (True, run, cost)
    assert told(bench) == ["ended its run", "spent"]
    assert spent(bench) == cost


def test_a_run_that_came_after_the_stop_is_told_and_counted(bench: Bench) -> None:
    """Looked up in vain, given up and stopped, a run that shows all the same is ended, and the thread hears of it."""
    bench.provider.now(ENDLESS, script={"start": ["drop_before"]})
    job = bench.finish(bench.approved(), until=lambda job: bench.row(job) is not None)
    bench.jobs.stop(job.id, ADA, bench.clock())
    assert bench.finish(job).state == "cancelled"
    bench.provider.now(ENDLESS)
    run = second_run(bench, job)
    assert sweep(bench) >= 1
    card = json.loads(said(bench, job, f"leftover-{run}"))
    assert (card["second"], Decimal(card["dollars"])) == (False, cost_of(job))
    assert spent(bench) == cost_of(job)
    assert sweep(bench) == 0


def test_a_list_that_lags_behind_our_own_cancellation_alarms_nobody(bench: Bench) -> None:
    """A run that was cancelled with its job may be listed for some minutes; only after that somebody hears of it."""
    job = running(bench)
    bench.jobs.stop(job.id, ADA, bench.clock())
    assert bench.finish(job).state == "cancelled"
    row, own = bench.row(job), spent(bench)
    assert row is not None
    keeper = bench.backend()
    stale = Made(str(row.provider_id), row.id)
    keeper.listing = lambda kind: [stale] if kind == "job" else []  # type: ignore[method-assign]  # as a lagging list
    bench.clock.skip(120)
    tidy(bench.jobs.ledger, keeper, bench.clock())
    assert said(bench, job, f"leftover-{row.provider_id}") == ""
    bench.clock.skip(600)
    for _ in range(2):
        tidy(bench.jobs.ledger, keeper, bench.clock())
    assert json.loads(said(bench, job, f"leftover-{row.provider_id}"))["second"] is False
    assert spent(bench) == own


def test_rows_that_were_left_are_removed_without_a_word(bench: Bench) -> None:
    """A file costs nothing, so its late removal is no news."""
    bench.provider.now(script={"delete": ["forbidden"]})
    job = bench.finish(bench.approved())
    bench.clock.skip(61)
    assert sweep(bench) == 1
    assert (job.state, told(bench)) == ("succeeded", ["spent"])  # by the job itself


@pytest.mark.parametrize("call", ["delete", "read"])
def test_what_the_provider_refuses_keeps_nothing_else_from_going(bench: Bench, call: str) -> None:
    """A file that cannot be deleted, or a list that cannot be read, hinders neither the rest nor the next sweep."""
    failed_here(bench)
    bench.clock.skip(KEEP.total_seconds() + 1)
    bench.provider.now(ENDLESS, script={call: ["forbidden"]})
    at_once = sweep(bench)
    assert bench.provider.count("cancelled") == bench.provider.count("created")
    assert at_once + sweep(bench) == 3  # the run and its two files
    assert bench.provider.count("deleted") == bench.provider.count("uploaded")


def test_a_run_without_metadata_is_a_strangers_where_ours_have_theirs(bench: Bench) -> None:
    """Somebody of the same account trains on our file: that is no run of ours, whether ours is there or not."""
    job = running(bench)
    file = bench.row(job, "upload")
    assert file is not None
    theirs = {"model": "rehearsal-small", "training_file": str(file.provider_id)}
    bench.api._create("POST", "/fine_tuning/jobs", Deadline.after(5), json_body(theirs))
    assert sweep(bench) == 0
    with bench.jobs.ledger.transaction() as connection:
        row = bench.row(job)
        assert row is not None
        assert change(connection, row, state="abandoned", provider_id=None, detail="nobody heard of it")
    assert sweep(bench) == 1  # ours, by its metadata
    assert len(bench.provider.count("cancelled")) == 1


def test_a_sweep_of_one_provider_takes_nothing_for_what_another_one_made(bench: Bench) -> None:
    """Two providers may give the same id to two things."""
    job = failed_here(bench)
    row = bench.row(job)
    assert row is not None
    bench.clock.skip(KEEP.total_seconds() + 1)
    keeper = bench.backend()
    keeper.provider = "another one"
    keeper.listing = lambda kind: [Made(str(row.provider_id), "", "f")] if kind == "job" else []  # type: ignore[method-assign]  # with an id of ours
    assert tidy(bench.jobs.ledger, keeper, bench.clock()) == 0
