"""How long a judge is waited for: pauses, silence, time-outs, refusals and a person who says stop."""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from knowledge.models import Message, ModelBusy, ModelUnavailable, Used
from tests.chat_server import ChatServer
from trainers.backends.base import StopRequested
from trainers.evals.judges.asking import Asked, Limits, Question, ask_all
from trainers.evals.judges.judge import Judge

TEN = [Question(str(n), "pairwise", [Message("user", str(n))]) for n in range(10)]


class Moments:
    """A clock that only sleeping moves, shared by threads."""

    def __init__(self) -> None:
        self.now = 100.0
        self.lock = threading.Lock()

    def clock(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        with self.lock:
            self.now += seconds


class Scripted:
    """A model that does what a function says, and counts 10 tokens an answer."""

    name = "scripted"

    def __init__(self, act: Callable[[int], str]) -> None:
        self.act = act
        self.calls = 0
        self.lock = threading.Lock()

    def complete(self, messages: Sequence[Message], *, count: Callable[[Used], None], **_: Any) -> str:
        with self.lock:
            self.calls += 1
            number = self.calls
        said = self.act(number)
        count(Used(10, estimated=False))
        return said


def ask(model: Scripted, moments: Moments, limits: Limits | None = None, **more: Any) -> Asked:
    limits = limits or Limits(at_once=1)
    judge = Judge(model)  # type: ignore[arg-type]  # it never streams
    return ask_all(TEN, str, judge, limits=limits, clock=moments.clock, sleep=moments.sleep, **more)


def failing(error: ModelUnavailable, until: int = 10**9) -> Callable[[int], str]:
    def act(number: int) -> str:
        if number <= until:
            raise error
        return "1"

    return act


def test_a_pause_is_waited_for_and_costs_no_try() -> None:
    """Twenty refusals with Retry-After 7 are sat out, and every question is answered."""
    moments = Moments()
    busy = ModelBusy("Busy.", temporary=True, retry_after=7)
    asked = ask(Scripted(failing(busy, until=20)), moments)
    assert len(asked.rulings) == 10
    assert (asked.failed, asked.stopped) == (0, "")
    assert 140 <= moments.now - 100 < 150


def test_a_judge_that_is_busy_for_ever_is_given_up() -> None:
    """After the silence that the limits allow, nothing more is asked and the reason is said."""
    moments = Moments()
    model = Scripted(failing(ModelBusy("It is busy.", temporary=True, retry_after=30)))
    asked = ask(model, moments)
    assert asked.rulings == {}
    assert asked.stopped == "scripted gave no answer for 600 seconds: It is busy."
    assert moments.now - 100 < 660
    assert model.calls < 25


def test_a_pause_longer_than_patience_is_not_begun() -> None:
    """A judge that wants an hour is given up at once."""
    moments = Moments()
    asked = ask(Scripted(failing(ModelBusy("Busy.", temporary=True, retry_after=3600))), moments)
    assert "no answer" in asked.stopped
    assert moments.now == 100


def test_a_pause_of_nothing_is_no_reason_to_hammer() -> None:
    """Retry-After 0 is taken as the usual pause."""
    moments = Moments()
    model = Scripted(failing(ModelBusy("Busy.", temporary=True, retry_after=0)))
    ask(model, moments)
    assert model.calls <= 302


def test_a_question_that_times_out_is_tried_thrice_and_left() -> None:
    """Two time-outs are made good; a question that never answers has no ruling, and the others have theirs."""
    slow = ModelUnavailable("It did not answer in 60 seconds.", temporary=True)
    assert len(ask(Scripted(failing(slow, until=2)), Moments()).rulings) == 10
    asked = ask(Scripted(failing(slow, until=3)), Moments())
    assert (len(asked.rulings), asked.failed, asked.stopped) == (9, 1, "")
    assert asked.problem == slow.what


def test_a_refused_key_ends_it_after_a_few_questions() -> None:
    """What waiting does not mend is not asked again and again."""
    model = Scripted(failing(ModelUnavailable("The key was refused.")))
    asked = ask(model, Moments())
    assert model.calls == 5
    assert asked.stopped == "The key was refused."


def test_the_whole_asking_has_an_end() -> None:
    """A judge that answers, but slowly, is left with what it said."""
    moments = Moments()

    def slow(number: int) -> str:
        moments.sleep(50)
        return "1"

    asked = ask(Scripted(slow), moments, Limits(at_once=1, seconds=240))
    assert len(asked.rulings) == 5
    assert asked.stopped == "The 240 seconds for judging are over."


def test_progress_is_heard_and_ends_at_the_whole() -> None:
    """Whoever waits hears how many of how many are done, never fewer than before."""
    heard: list[tuple[int, int]] = []
    ask(Scripted(lambda _: "1"), Moments(), hear=lambda done, of: heard.append((done, of)))
    assert heard == sorted(heard)
    assert heard[-1] == (10, 10)
    assert {of for _, of in heard} == {10}


def test_a_stop_is_passed_on_while_calls_hang() -> None:
    """What the stop raises is raised at once, though the judge answers to nobody; a stop that returns gives a part."""
    over = threading.Event()

    def hang(number: int) -> str:
        if number > 3:
            over.wait(20)
        return "1"

    def stop() -> None:
        raise StopRequested("U0ADA")

    began = time.monotonic()
    with pytest.raises(StopRequested):
        ask(Scripted(hang), Moments(), stop=stop)
    model = Scripted(hang)
    asked = ask(model, Moments(), stop=lambda: model.calls > 3)
    assert (len(asked.rulings), asked.stopped) == (3, "It was stopped.")
    assert time.monotonic() - began < 10
    over.set()


def test_what_breaks_in_a_thread_is_raised() -> None:
    """A bug is not mistaken for a judge without an answer."""

    def broken(number: int) -> str:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        ask(Scripted(broken), Moments(), Limits())


def test_several_are_asked_at_once() -> None:
    """Four calls are out together, never five."""
    out, most, lock = 0, 0, threading.Lock()

    def busy(number: int) -> str:
        nonlocal out, most
        with lock:
            out, most = out + 1, max(most, out + 1)
        time.sleep(0.05)
        with lock:
            out -= 1
        return "1"

    ask(Scripted(busy), Moments(), Limits())
    assert most == 4


@pytest.mark.parametrize("mode", ["slow", "broken", "unauthorized", "malformed", "empty"])
def test_over_the_wire_a_judge_that_cannot_judge_is_no_judge(chat_server: ChatServer, judge: Judge, mode: Any) -> None:
    """Every way in which an endpoint fails ends in no rulings and a reason, soon."""
    chat_server.rehearsal.mode = mode
    limits = Limits(backoff=0.01, timeout=0.2 if mode == "slow" else 5, tries=2, failures=2)
    asked = ask_all(TEN, str, judge, limits=limits)
    assert asked.rulings == {}
    assert asked.stopped


def test_over_the_wire_a_429_is_sat_out(chat_server: ChatServer, judge: Judge) -> None:
    """Refusals with Retry-After over a real socket cost time and nothing else."""
    chat_server.rehearsal.judge = "first"
    chat_server.rehearsal.refusals, chat_server.rehearsal.pause = 6, "0.1"
    asked = ask_all(TEN, str, judge, limits=Limits(backoff=0.05, tries=1))
    assert len(asked.rulings) == 10
    assert chat_server.rehearsal.hits == 16
