"""Knows how many questions are put to a judge: at once, patiently, within the budget; not what they are about.

A pause that the judge asks for holds everybody. Whoever is asked to end ends at once: calls that are out then still
count what they use, and what they bring is kept for the next time.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from knowledge.models import Message, Meter, ModelBusy, ModelUnavailable, Used
from trainers.evals.judges.brief import Kind, again, prompts
from trainers.evals.judges.judge import Judge
from trainers.evals.judges.kept import Kept, Ruling

Clock = Callable[[], float]
"""Seconds that only grow."""
Stop = Callable[[], bool | None]
"""Asked several times a second: raises, or returns True, to end the asking."""
Hear = Callable[[int, int], None]
"""Hears how many questions are done, of how many."""

_GLANCE = 0.1
_NAP = 1.0


@dataclass(frozen=True, kw_only=True)
class Limits:
    """How much a judge is asked at once, and how long it is waited for."""

    at_once: int = 4
    timeout: float = 60.0
    """Seconds of one call."""
    tries: int = 3
    """Calls for one question that may time out or break; a pause that was asked for is no try."""
    failures: int = 5
    """Questions in a row without any answer after which the judge is given up."""
    silence: float = 600.0
    """Seconds without any answer, pauses included, after which the judge is given up."""
    seconds: float = 3600.0
    """Seconds of the whole asking."""
    backoff: float = 2.0
    """Seconds before a second try, doubled for a third; a pause that the judge asks for is at least as long."""


class Question(NamedTuple):
    """One thing to ask a judge."""

    key: str
    kind: Kind
    messages: Sequence[Message]


class Asked(NamedTuple):
    """What came of asking."""

    rulings: Mapping[str, Ruling]
    """By the question's key; a question that is missing has no answer."""
    failed: int
    """Questions that were given up after all tries."""
    stopped: str
    """Why not every question was asked, in a sentence; "" where all were."""
    problem: str
    """The newest failure in a sentence, or ""."""


def ask_all(
    questions: Sequence[Question],
    read: Callable[[str], str | None],
    judge: Judge,
    *,
    meter: Meter | None = None,
    hear: Hear = lambda done, of: None,
    stop: Stop = lambda: None,
    limits: Limits | None = None,
    kept: Path | None = None,
    clock: Clock = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Asked:
    """Ask every question that `kept` does not answer yet; `read` turns a reply into a ruling, None where it is none.

    A reply that cannot be read is asked for once more. Whatever `stop` or `meter` raises passes through. The budget
    may be exceeded by the calls that are out when it closes, at most `limits.at_once`.
    """
    wanted = {question.key: question for question in questions}
    file = Kept(kept)
    left = deque(question for key, question in wanted.items() if key not in file.rulings)
    asking = _Asking(left, read, judge, meter, limits or Limits(), file, clock, sleep)
    try:
        asking.run(stop, lambda open_: hear(len(wanted) - open_, len(wanted)))
    finally:
        asking.end("The asking was ended.")
    with asking.lock:
        rulings = {key: file.rulings[key] for key in wanted if key in file.rulings}
        stopped = asking.stopped if len(rulings) + asking.failed < len(wanted) else ""
        return Asked(rulings, asking.failed, stopped, asking.problem)


class _Asking:
    """One round of questions: what its threads share."""

    def __init__(
        self,
        left: deque[Question],
        read: Callable[[str], str | None],
        judge: Judge,
        meter: Meter | None,
        limits: Limits,
        kept: Kept,
        clock: Clock,
        sleep: Callable[[float], None],
    ) -> None:
        self.lock = threading.RLock()
        self.stopped = self.problem = ""
        self.failed = 0
        self._left, self._read, self._judge, self._meter = left, read, judge, meter
        self._limits, self._kept, self._clock, self._sleep = limits, kept, clock, sleep
        self._open = len(left)
        self._in_a_row = 0
        self._started = self._heard = clock()
        self._frozen_until = self._started
        self._broken: list[Exception] = []

    def run(self, stop: Stop, hear: Callable[[int], None]) -> None:
        """Work the questions off, with a glance at `stop` now and then; threads that hang keep nobody."""
        threads = [threading.Thread(target=self._work, daemon=True) for _ in range(self._limits.at_once)]
        for thread in threads[: len(self._left)]:
            thread.start()
        told = -1
        for thread in threads:
            while thread.ident is not None and thread.is_alive():
                thread.join(_GLANCE)
                if self._open != told:
                    told = self._open
                    hear(told)
                if stop():
                    self.end("It was stopped.")
                    return
        hear(self._open)
        if self._broken:
            raise self._broken[0]

    def end(self, why: str) -> None:
        """Let nobody ask another question."""
        with self.lock:
            self.stopped = self.stopped or why

    def _work(self) -> None:
        try:
            while not self.stopped:
                with self.lock:
                    if not self._left:
                        return
                    question = self._left.popleft()
                self._ask(question)
        except Exception as error:  # a thread's boundary: whoever waits raises it, a traceback here would reach nobody
            self._broken.append(error)
            self.end("Something broke.")

    def _ask(self, question: Question) -> None:
        """Ask one question, and once more where the reply is none."""
        took: list[Used] = []
        said, messages = None, question.messages
        for _ in range(2):
            reply = self._reply(messages, took)
            if reply is None:
                return
            said = self._read(reply)
            if said is not None:
                break
            messages = again(question.kind, question.messages, reply)
        tokens, estimated = sum(used.tokens for used in took), any(used.estimated for used in took)
        with self.lock:
            self._kept.add(question.key, Ruling(said, tokens, estimated))
            self._open -= 1

    def _reply(self, messages: Sequence[Message], took: list[Used]) -> str | None:
        """Return the judge's reply; None where there is none, or none was asked for any more."""
        tries, most = 0, int(prompts()["limits"]["answer_tokens"])
        while self._may_ask():
            try:
                text = self._judge.model.complete(
                    messages, max_tokens=most, timeout=self._limits.timeout, count=lambda used: self._count(used, took)
                )
            except ModelUnavailable as error:
                busy = isinstance(error, ModelBusy)
                tries += not busy
                if not error.temporary or tries >= self._limits.tries:
                    self._fail(error)
                    return None
                self._freeze(error, max(0, tries - 1))
            else:
                with self.lock:
                    self._heard, self._in_a_row = self._clock(), 0
                return text
        return None

    def _may_ask(self) -> bool:
        """Wait while the judge wants quiet; say whether it is to be asked at all."""
        while not self.stopped:
            now = self._clock()
            with self.lock:
                silent, wait = now - self._heard, self._frozen_until - now
                if silent > self._limits.silence or self._frozen_until - self._heard > self._limits.silence:
                    seconds = f"{self._limits.silence:,.0f} seconds"
                    self.end(f"{self._judge.name} gave no answer for {seconds}: {self.problem}".removesuffix(": "))
                elif now - self._started > self._limits.seconds:
                    self.end(f"The {self._limits.seconds:,.0f} seconds for judging are over.")
            if wait <= 0 or self.stopped:
                break
            self._sleep(min(wait, _NAP))
        if not self.stopped and self._meter is not None:
            closed = self._meter.closed()
            if closed:
                self.end(closed)
        return not self.stopped

    def _count(self, used: Used, took: list[Used]) -> None:
        took.append(used)
        if self._meter is not None:
            with self.lock:
                self._meter.count(used)

    def _freeze(self, error: ModelUnavailable, tries: int) -> None:
        pause = max(self._limits.backoff * 2**tries, error.retry_after or 0.0)
        with self.lock:
            self.problem = error.what
            self._frozen_until = max(self._frozen_until, self._clock() + pause)

    def _fail(self, error: ModelUnavailable) -> None:
        with self.lock:
            self.problem = error.what
            self.failed += 1
            self._open -= 1
            self._in_a_row += 1
            if self._in_a_row >= self._limits.failures:
                self.end(error.what)
