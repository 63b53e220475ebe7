"""What becomes of a quote that the API asked for: changed, refused for now, refused for good, its key revoked."""

import time
from datetime import datetime, timedelta
from decimal import Decimal

import pytest

from tests.trainers.api.by_hand import ByHand
from tests.trainers.api.shop import ADA, BEN, now
from trainers.api import runs
from trainers.jobs import requoting
from trainers.jobs.requoting import change
from trainers.jobs.service import spec_of
from trainers.openai_api.objects import Method
from trainers.openai_api.refusals import ApiError

LONG = Method(n_epochs=50)


@pytest.fixture
def granted(hand: ByHand) -> ByHand:
    """A key that approves its own jobs up to five cents, by Ben's grant."""
    hand.shop.rules(approvers=("U0BEN",))
    hand.shop.keys.grant(hand.made.key.id, Decimal("0.05"), BEN, now())
    return hand


@pytest.fixture
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let what waits be tried again at the next turn."""
    monkeypatch.setattr(runs, "ASK_AGAIN", timedelta(0))


def test_a_quote_that_was_changed_is_approved_by_a_click_alone(granted: ByHand) -> None:
    """Dearer than the grant it waits; made cheaper in Slack it waits on, until a person says yes to that quote."""
    job = granted.take("paid", method=LONG)
    granted.tend()
    assert granted.run(job).state == "awaiting_approval"
    change(granted.shop.jobs, granted.run_id(job), {"epochs": 2}, ADA, now())
    for _ in range(2):
        granted.tend()
    run = granted.run(job)
    assert (run.state, run.approved_by) == ("quoted", "")
    granted.shop.jobs.approve(run.id, run.quote_hash, BEN, now())
    granted.finish(job)
    assert granted.status(job) == "succeeded"


def test_a_quote_that_changes_as_it_is_put_forward_is_left_to_a_click(
    granted: ByHand, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The grant says yes to the quote that was read, and to no newer one."""
    job, living = granted.take("paid", method=Method(n_epochs=2)), granted.shop.keys.get

    def meanwhile(key_id: str) -> object:
        if granted.row(job).job_id:
            monkeypatch.undo()
            change(granted.shop.jobs, granted.run_id(job), {"epochs": 3}, ADA, now())
        return living(key_id)

    monkeypatch.setattr(granted.shop.keys, "get", meanwhile)
    for _ in range(2):
        granted.tend()
    assert (granted.run(job).state, granted.run(job).approved_by) == ("quoted", "")


def test_a_quote_within_the_grant_is_still_approved_by_it(granted: ByHand) -> None:
    """What nobody changed goes on as before."""
    job = granted.take("paid", method=Method(n_epochs=2))
    granted.tend()
    assert (granted.run(job).state, granted.run(job).approved_by) == ("queued", "U0BEN")


def test_a_revoked_key_begins_nothing(granted: ByHand) -> None:
    """What was taken and not looked into fails with the reason, and nothing is proposed."""
    job = granted.take()
    granted.shop.keys.revoke(granted.made.key.id, ADA, now())
    granted.tend()
    row = granted.row(job)
    assert (granted.status(job), row.error_code, row.error_param) == ("failed", "key_revoked", "")
    assert "was revoked" in row.error_message
    assert granted.shop.jobs.ledger.listing("T1") == []
    assert granted.told(job) == ["failed"]


@pytest.mark.usefixtures("at_once")
def test_a_key_that_is_revoked_while_its_quote_waits_begins_nothing(hand: ByHand) -> None:
    """The quote is closed, so that no click starts it either."""
    job = hand.take()
    hand.shop.rules(paused=True)
    hand.tend()
    hand.shop.keys.revoke(hand.made.key.id, ADA, now())
    hand.shop.rules()
    hand.tend()
    assert (hand.status(job), hand.row(job).error_code, hand.run(job).state) == ("failed", "key_revoked", "cancelled")


@pytest.mark.usefixtures("at_once")
def test_one_job_too_many_waits_for_its_turn(hand: ByHand) -> None:
    """Above what one person may have at once a job is queued, says once why, and starts as soon as one ends."""
    hand.shop.rules(jobs_per_person=1)
    first, second = hand.take(), hand.take()
    for _ in range(3):
        hand.tend()
    assert (hand.run(first).state, hand.run(second).state) == ("queued", "quoted")
    assert (hand.status(second), hand.told(second)) == ("queued", [])
    said = [note.message for note in hand.notes(second) if note.message.startswith("Waiting")]
    assert len(said) == 1
    assert "one person may have 1" in said[0]
    hand.finish(first)
    hand.tend()
    hand.finish(second)
    assert hand.status(second) == "succeeded"


@pytest.mark.usefixtures("at_once")
def test_the_kill_switch_delays_what_was_taken_before(granted: ByHand) -> None:
    """While the workspace is paused a job waits, the grant's included; lifted, the grant says yes."""
    jobs = granted.take(), granted.take("paid", method=Method(n_epochs=2))
    granted.shop.rules(approvers=("U0BEN",), paused=True)
    granted.tend()
    assert [(granted.status(job), granted.run(job).state) for job in jobs] == [("queued", "quoted")] * 2
    granted.shop.rules(approvers=("U0BEN",))
    granted.tend()
    assert [granted.run(job).state for job in jobs] == ["queued", "queued"]
    assert granted.run(jobs[1]).approved_by == "U0BEN"


def test_what_waits_is_asked_about_again_only_after_a_while(hand: ByHand) -> None:
    """A quote that may not begin yet is no reason to hurry: tending it changed nothing, and it is left alone."""
    hand.shop.rules(jobs_per_person=1)
    jobs = [hand.take() for _ in range(3)]
    assert hand.shop.preparing.tend() == 4  # three were prepared, one was approved
    assert hand.shop.preparing.tend() == 0
    assert hand.shop.changes.runs.unapproved(now()) == []
    later = hand.shop.changes.runs.unapproved(now() + runs.ASK_AGAIN)
    assert [job.id for job, _ in later] == jobs[1:]


@pytest.mark.usefixtures("at_once")
def test_a_job_that_waits_can_be_cancelled(hand: ByHand) -> None:
    """Its quote is closed with it."""
    hand.shop.rules(jobs_per_person=1)
    _, job = hand.take(), hand.take()
    hand.tend()
    assert hand.change(job, "cancel") == "cancelled"
    hand.tend()
    assert (hand.run(job).state, hand.told(job)) == ("cancelled", ["cancelled"])


def test_an_expired_quote_keeps_nobody_waiting(hand: ByHand, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is neither approved nor an error of whoever tends the others."""
    job = hand.take()
    monkeypatch.setattr(requoting, "VALID_FOR", timedelta(0))
    monkeypatch.setattr("trainers.jobs.service.VALID_FOR", timedelta(0))
    hand.tend()
    other = hand.take()
    monkeypatch.undo()
    hand.tend()
    assert (hand.run(job).state, hand.run(other).state) == ("quoted", "queued")
    hand.shop.jobs.tend_quotes(now())
    hand.tend()
    assert (hand.run(job).state, hand.status(job), hand.told(job)) == ("cancelled", "failed", ["failed"])


def test_a_long_look_at_rows_keeps_its_lease(hand: ByHand, monkeypatch: pytest.MonkeyPatch) -> None:
    """A lease is short, so that a process that died is replaced soon, and renewed as long as the work goes on."""
    job, propose = hand.take(), type(hand.shop.jobs).propose
    leases: list[datetime] = []
    monkeypatch.setattr(runs, "LEASE", timedelta(seconds=0.4))

    def slow(*args: object, **more: object) -> object:
        give_up = time.monotonic() + 10
        while len(leases) < 3 and time.monotonic() < give_up:
            until = hand.lease(job)
            assert until is not None
            if until not in leases:
                leases.append(until)
        return propose(*args, **more)  # type: ignore[arg-type]  # passed on as they come

    monkeypatch.setattr(type(hand.shop.jobs), "propose", slow)
    hand.tend()
    assert len(leases) == 3
    assert leases == sorted(leases)
    assert (hand.status(job), hand.lease(job)) == ("queued", None)


def test_a_job_that_another_process_took_over_is_not_failed(hand: ByHand, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two processes at one file make one run; the slower one leaves the job to the other."""
    job, real = hand.take(), type(hand.shop.jobs).propose

    def twice(*args: object, **more: object) -> object:
        real(*args, **more)  # type: ignore[arg-type]  # passed on as they come
        return real(*args, **more)  # type: ignore[arg-type]  # the same

    monkeypatch.setattr(type(hand.shop.jobs), "propose", twice)
    hand.tend()
    assert (hand.status(job), hand.row(job).error_code) == ("queued", "")
    assert len(hand.shop.jobs.ledger.listing("T1")) == 1


def test_a_pause_waits_until_the_job_does(hand: ByHand) -> None:
    """What has no worker to wait for yet cannot be paused, and the refusal says so."""
    job = hand.take()
    with pytest.raises(ApiError, match="cannot be paused before"):
        hand.change(job, "pause")


@pytest.mark.parametrize("seed", [0, 2**31 - 1])
def test_a_seed_is_kept_to_both_ends_of_its_range(hand: ByHand, seed: int) -> None:
    """OpenAI's whole range trains, 0 included, and is shown as it was asked for."""
    job = hand.take(seed=seed)
    hand.tend()
    assert spec_of(hand.run(job)).hyperparameters.seed == seed
    assert hand.shop.changes.one(hand.made.key, job).as_job(now()).seed == seed
