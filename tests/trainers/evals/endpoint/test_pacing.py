"""How many calls go out at once, and how long is waited, by a clock that tests move."""

import time
from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainers.evals.endpoint.limits import Limits
from trainers.evals.endpoint.pacing import Pace
from trainers.evals.endpoint.wire import LONGEST_TOLD, retry_after


def pace(**other: float) -> Pace:
    return Pace(Limits.shipped(**{"concurrency": 8, **other}), lambda: 0.5)


def test_refusals_of_one_burst_halve_the_window_once() -> None:
    """Eight refusals of calls sent together are one sign; a refusal of a later call is another."""
    one = pace()
    for _ in range(8):
        one.refused(now=1.0, sent=0.5, told=2.0)
    assert one.window == 4
    one.refused(now=4.0, sent=3.5, told=2.0)
    assert one.window == 2


def test_a_window_of_answers_adds_one() -> None:
    """The window grows by one in as many answers as it holds, up to the concurrency that was asked for."""
    one = pace()
    one.refused(now=1.0, sent=0.5, told=None)
    for _ in range(4):
        one.answered()
    assert 4.9 < one.window < 5.1
    for _ in range(100):
        one.answered()
    assert one.window == 8


def test_nothing_is_sent_before_the_wait_is_over() -> None:
    """Retry-After is a lower bound, and the next moment is at most a twentieth later."""
    one = pace()
    one.refused(now=10.0, sent=9.0, told=20.0)
    assert not one.may_send(29.9, 0)
    assert one.may_send(31.0, 3)
    assert not one.may_send(31.0, 4)


def test_waits_without_a_word_double_up_to_a_minute() -> None:
    """1, 2, 4 … 60 seconds, each spread by chance."""
    one, now, waits = pace(), 0.0, []
    for _ in range(9):
        one.refused(now=now, sent=now, told=None)
        waits.append(one.until - now)
        now = one.until
    assert waits[:4] == [1, 2, 4, 8]
    assert waits[-1] == 60


def test_an_answer_renews_the_patience() -> None:
    """Only an unbroken time without any answer counts."""
    one = pace(patience=100)
    one.refused(now=0.0, sent=0.0, told=60.0)
    assert not one.out_of_patience(60.0)
    one.answered()
    one.refused(now=90.0, sent=89.0, told=60.0)
    assert not one.out_of_patience(150.0)
    one.refused(now=155.0, sent=154.0, told=60.0)
    assert one.out_of_patience(155.0)


def test_a_date_counts_from_the_endpoints_own_clock() -> None:
    """A server whose clock is an hour ahead still means ten seconds."""
    ahead = time.time() + 3600
    headers = {"retry-after": formatdate(ahead + 10, usegmt=True), "date": formatdate(ahead, usegmt=True)}
    assert retry_after(headers, time.time()) == pytest.approx(10, abs=1.1)
    assert retry_after({"retry-after": "7"}, 0) == 7
    assert retry_after({"retry-after": "0.5"}, 0) == 0.5
    assert retry_after({}, 0) is None


@given(st.text(max_size=40), st.text(max_size=40))
def test_no_header_breaks_the_wait(said: str, date: str) -> None:
    """Whatever an endpoint writes, the wait is None or from 0 to an hour."""
    wait = retry_after({"retry-after": said, "date": date}, 1_800_000_000.0)
    assert wait is None or 0 <= wait <= LONGEST_TOLD
