"""A job of the API that is cancelled, paused and resumed from several sides, and whose process dies in between."""

import threading
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

import pytest
from sqlalchemy.exc import OperationalError

from tests.trainers.api.by_hand import ByHand
from tests.trainers.api.shop import ADA, now
from trainers.api import runs
from trainers.jobs.service import Jobs, Outcome
from trainers.openai_api.objects import Verb
from trainers.openai_api.refusals import ApiError


def busy(*_: object, **__: object) -> Outcome:
    """Stand for a database that does not answer in time."""
    raise OperationalError("UPDATE", {}, Exception("database is locked"))


def paused(hand: ByHand) -> str:
    """Return a job that was paused over the API, and whose worker has stopped."""
    job = hand.begin()
    assert hand.change(job, "pause") == "queued"
    hand.halt(job)
    return job


def resume_in_slack(hand: ByHand, job: str) -> None:
    """Let its run go on by a click."""
    assert hand.shop.jobs.resume(hand.run_id(job), ADA, now()).changed


def stop_in_slack(hand: ByHand, job: str) -> None:
    """Stop its run by a click, and let the worker do so."""
    assert hand.shop.jobs.stop(hand.run_id(job), ADA, now()).changed
    if hand.run(job).state == "running":
        hand.halt(job)


def test_a_cancel_that_breaks_half_way_has_not_happened(hand: ByHand, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the run could not be stopped the job is not called cancelled, and the next cancel stops it."""
    job = hand.begin()
    with monkeypatch.context() as patch:
        patch.setattr(Jobs, "stop_within", busy)
        with pytest.raises(OperationalError):
            hand.change(job, "cancel")
    assert (hand.status(job), hand.run(job).stop_requested_by) == ("running", "")
    assert hand.change(job, "cancel") == "cancelled"
    assert hand.run(job).stop_requested_by == ADA.user_id


@pytest.mark.parametrize("by", ["tending", "cancel"])
def test_a_job_that_was_left_cancelled_while_its_run_goes_on_is_stopped(hand: ByHand, by: str) -> None:
    """Whoever tends the jobs stops such a run, and so does one more cancel."""
    job = hand.begin()
    with hand.shop.engine.begin() as connection:  # as an older version could leave it
        runs.change(connection, job, cancelled_at=now())
    if by == "tending":
        hand.tend()
    else:
        assert hand.change(job, "cancel") == "cancelled"
    assert hand.run(job).stop_requested_by == ADA.user_id
    hand.halt(job)
    hand.tend()
    assert hand.told(job) == ["cancelled"]


@pytest.mark.parametrize("verb", ["resume", "pause"])
def test_a_cancel_that_meets_another_wish_comes_before_or_after_it(hand: ByHand, verb: Verb) -> None:
    """A cancel that arrives while a resume or a pause is being decided ends the job, and its end is told."""
    meet(hand, verb)


def meet(hand: ByHand, verb: Verb) -> None:
    """Let a cancel arrive just as another wish has looked at the job."""
    job = paused(hand) if verb == "resume" else hand.begin()
    cancel = threading.Thread(target=hand.change, args=(job, "cancel"))

    def meanwhile() -> datetime:
        if not cancel.ident:
            cancel.start()
            cancel.join(0.3)  # it is done by then, unless it has to wait for the one who decides
        return now()

    replace(hand.shop.changes, clock=meanwhile).change(hand.made.key, job, verb)
    cancel.join()
    if hand.run(job).state == "running":
        hand.halt(job)
    hand.tend()
    assert (hand.status(job), hand.run(job).state, hand.told(job)) == ("cancelled", "cancelled", ["cancelled"])


def test_the_same_on_postgres(hand_on_postgres: ByHand) -> None:
    """There, where transactions run side by side, rows are held; ends, pauses and resumes read the same."""
    hand = hand_on_postgres
    for verb in ("resume", "pause"):
        meet(hand, verb)
    job = paused(hand)
    resume_in_slack(hand, job)
    stop_in_slack(hand, job)
    hand.tend()
    resume_in_slack(hand, job)
    hand.finish(job)
    hand.tend()
    assert hand.told(job) == ["cancelled", "succeeded"]
    job = hand.begin()
    with hand.shop.engine.begin() as connection:
        runs.change(connection, job, cancelled_at=now())
    hand.tend()
    assert hand.run(job).stop_requested_by == ADA.user_id


def test_what_comes_after_a_cancel_is_refused(hand: ByHand) -> None:
    """A cancelled job is neither paused nor resumed over the API, also while its worker has not stopped yet."""
    job = hand.begin()
    hand.change(job, "cancel")
    for verb in ("pause", "resume"):
        with pytest.raises(ApiError, match="already cancelled"):
            hand.change(job, verb)


def test_a_pause_left_beside_a_cancel_keeps_no_webhook_waiting(hand: ByHand) -> None:
    """Rows of an older version that say both are told as cancelled."""
    job = paused(hand)
    with hand.shop.engine.begin() as connection:
        runs.change(connection, job, cancelled_at=now())
    hand.tend()
    assert (hand.status(job), hand.told(job)) == ("cancelled", ["cancelled"])


def test_a_pause_after_a_resume_in_slack_stops_the_run_again(hand: ByHand) -> None:
    """The first pause is over once somebody let the run go on, so the second one is carried out, and so its resume."""
    job = paused(hand)
    resume_in_slack(hand, job)
    hand.claim(job)
    assert hand.status(job) == "running"
    assert hand.change(job, "pause") == "queued"
    assert hand.run(job).stop_requested_by == ADA.user_id
    assert hand.change(job, "pause") == "queued"  # once more: nothing changes
    hand.halt(job)
    hand.tend()
    assert hand.told(job) == []
    assert hand.change(job, "resume") == "running"  # it had begun before
    hand.finish(job)
    hand.tend()
    assert (hand.status(job), hand.told(job)) == ("succeeded", ["succeeded"])


def test_a_stop_in_slack_after_a_pause_ended_there_is_told(hand: ByHand) -> None:
    """A paused run that somebody lets go on and stops in Slack is cancelled, not queued for ever."""
    job = paused(hand)
    resume_in_slack(hand, job)
    stop_in_slack(hand, job)
    hand.tend()
    assert (hand.status(job), hand.told(job)) == ("cancelled", ["cancelled"])


def test_a_job_that_is_being_stopped_in_slack_is_not_paused(hand: ByHand) -> None:
    """The stop is somebody's decision: a pause on top of it is refused and the end is told."""
    job = hand.begin()
    hand.shop.jobs.stop(hand.run_id(job), ADA, now())
    with pytest.raises(ApiError, match="stopped this job in Slack"):
        hand.change(job, "pause")
    hand.halt(job)
    hand.tend()
    assert (hand.status(job), hand.told(job)) == ("cancelled", ["cancelled"])


@pytest.mark.parametrize("seen", [True, False])
def test_a_run_that_goes_on_after_its_end_was_told_is_told_anew(hand: ByHand, seen: bool) -> None:
    """Stopped, told, resumed in Slack and trained: there is a result file and a second webhook, each once.

    That holds too where nobody looked while the run went on, as when the server was down.
    """
    job = hand.begin()
    stop_in_slack(hand, job)
    hand.tend()
    assert hand.told(job) == ["cancelled"]
    resume_in_slack(hand, job)
    if seen:
        hand.tend()
        assert hand.status(job) == "running"
    hand.finish(job)
    for _ in range(2):
        hand.tend()
        assert hand.told(job) == ["cancelled", "succeeded"]
    assert hand.row(job).result_file


def test_a_cancelled_job_that_a_person_lets_go_on_goes_on(hand: ByHand) -> None:
    """A resume in Slack after a cancel over the API is a newer decision: it is not stopped, and can be paused again."""
    job = hand.begin()
    hand.change(job, "cancel")
    hand.halt(job)
    hand.tend()
    resume_in_slack(hand, job)
    hand.tend()
    assert (hand.status(job), hand.run(job).stop_requested_by) == ("running", "")
    hand.claim(job)
    assert hand.change(job, "pause") == "queued"
    hand.halt(job)
    hand.tend()
    assert (hand.status(job), hand.told(job)) == ("queued", ["cancelled"])
    assert hand.change(job, "cancel") == "cancelled"
    hand.tend()
    assert hand.told(job) == ["cancelled", "cancelled"]


def test_looking_at_a_job_that_is_over_writes_nothing(hand: ByHand, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its results are put down once; whoever looks afterwards opens no transaction that writes."""
    job = hand.begin()
    stop_in_slack(hand, job)
    hand.tend()
    resume_in_slack(hand, job)
    hand.finish(job)
    assert hand.shop.changes.one(hand.made.key, job).job.result_file
    monkeypatch.setattr(type(hand.shop.changes), "close", busy)
    for _ in range(2):
        assert hand.status(job) == "succeeded"


def test_a_busy_database_delays_a_job_by_one_turn(hand: ByHand, monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be written down now is given back at once, for this or another process to take."""
    job = hand.take()
    with monkeypatch.context() as patch:
        patch.setattr(Jobs, "propose", busy)
        with suppress(OperationalError):
            hand.tend()
    assert (hand.status(job), hand.lease(job)) == ("validating_files", None)
    hand.tend()
    assert hand.status(job) == "queued"
