"""Knows how many questions are answered over an endpoint, patiently and within what was approved; it judges none.

Calls run in threads, everything else in the caller's: pace, money and journal need no locks.
"""

import queue
import random
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple

from knowledge.errors import ServiceError, UserError
from trainers.evals.endpoint.journal import Journal
from trainers.evals.endpoint.limits import Limits
from trainers.evals.endpoint.pacing import Pace
from trainers.evals.endpoint.spending import Meter
from trainers.evals.endpoint.wire import Dialect, Endpoint, Fate, Question, Reply, Told, ask, open_client
from trainers.policy import dollars

TICK = 0.1
"""Seconds between two looks at the clock while nothing arrives."""
HUNG = 5.0
"""Seconds after its timeout at which a call that told nothing is given up."""


class Standing(NamedTuple):
    """How far it is."""

    done: int
    """Questions answered in this call, with those known before."""
    total: int
    spent: Decimal
    """Dollars so far, over all calls with the same meter."""
    busy: int
    """Refusals so far because the endpoint was busy."""
    waits: float
    """Seconds until anything is sent again; 0 where nothing is waited for."""


class Outcome(NamedTuple):
    """What came of many questions."""

    replies: Mapping[str, Reply]
    """Answers by the question's key."""
    missing: Mapping[str, str]
    """Key -> why there is no answer, in a sentence."""
    ended: str
    """Why nothing more will be asked, in a sentence, or ""."""
    sent: int
    """Calls made."""
    reused: int
    """Questions answered before, by an earlier worker or the same question of another arm."""
    busy: int
    """Calls refused because the endpoint was busy."""
    lost: int
    """Answers lost on the way; each counts as paid."""
    refused: frozenset[str]
    """Keys of questions that the endpoint would not take: that is an outcome, and no answer that was lost."""


class _Flight(NamedTuple):
    """A call under way."""

    question: Question
    held: Decimal
    sent: float


def answer_over(
    endpoint: Endpoint,
    questions: Sequence[Question],
    *,
    limits: Limits,
    meter: Meter,
    journal: Journal,
    hear: Callable[[Standing], None] = lambda standing: None,
    stop: Callable[[], None] = lambda: None,
    clock: Callable[[], float] = time.monotonic,
    draw: Callable[[], float] = random.random,
) -> Outcome:
    """Let the endpoint answer; equal questions are asked once, known answers not at all.

    `stop` is called several times a second and raises what is to end the work: calls under way get `limits.grace`
    seconds, since they are paid. Where money or patience ends, the rest is missing and `ended` says why. Raises
    UserError where no question would be taken (key, model, account) and ServiceError where the endpoint is gone.
    """
    return _Run(endpoint, limits, meter, journal, clock, draw).all(questions, hear, stop)


class _Run:
    """The state of one `answer_over`."""

    def __init__(
        self,
        endpoint: Endpoint,
        limits: Limits,
        meter: Meter,
        journal: Journal,
        clock: Callable[[], float],
        draw: Callable[[], float],
    ) -> None:
        self.endpoint, self.limits, self.meter, self.journal = endpoint, limits, meter, journal
        self.clock, self.pace, self.dialect = clock, Pace(limits, draw), Dialect()
        self.waiting: deque[tuple[str, Question]] = deque()
        self.flying: dict[str, _Flight] = {}
        self.arrived: queue.SimpleQueue[tuple[str, Told]] = queue.SimpleQueue()
        self.missing: dict[str, str] = {}
        self.ended = ""
        self.refused: set[str] = set()
        self.sent = self.busy = self.lost = self.lost_in_a_row = self.answers = 0

    def all(self, questions: Sequence[Question], hear: Callable[[Standing], None], stop: Callable[[], None]) -> Outcome:
        asked = {question.key(self.endpoint.host): question for question in questions}
        new = [(key, question) for key, question in asked.items() if key not in self.journal.replies]
        for key, question in new:
            if self.journal.lost.get(key, 0) > self.limits.lost_again:
                self.missing[key] = "Its answer was lost on the way before."
            else:
                self.waiting.append((key, question))
        client = open_client(self.endpoint, self.limits.timeout, self.limits.concurrency)
        try:
            while self.waiting or self.flying:
                stop()
                self._send(client)
                hear(self._standing(len(asked)))
                self._take(TICK)
        finally:  # also where `stop` or an answer ends it: what is under way is paid
            self._drain()
            client.close()
        replies = {key: self.journal.replies[key] for key in asked if key in self.journal.replies}
        reused = len(questions) - len(new)
        return Outcome(
            replies, self.missing, self.ended, self.sent, reused, self.busy, self.lost, frozenset(self.refused)
        )

    def _standing(self, total: int) -> Standing:
        done = total - len(self.waiting) - len(self.flying)
        waits = max(0.0, self.pace.until - self.clock()) if self.waiting else 0.0
        return Standing(done, total, self.meter.spent, self.busy, waits)

    def _send(self, client: object) -> None:
        while self.waiting and self.pace.may_send(self.clock(), len(self.flying)):
            key, question = self.waiting[0]
            held = self.meter.reserve(question)
            if held is None:
                if not self.flying:
                    self._end(f"The approved {dollars(self.meter.limit)} do not hold another call.")
                return
            self.waiting.popleft()
            self.journal.asked(key, held)
            self.flying[key] = _Flight(question, held, self.clock())
            self.sent += 1
            threading.Thread(target=self._call, args=(client, key, question, self.dialect), daemon=True).start()

    def _call(self, client: object, key: str, question: Question, dialect: Dialect) -> None:
        """Run in a thread of its own and always tell something."""
        told = Told(Fate.LOST, why="Something broke on the way to the endpoint.")
        try:
            told = ask(client, self.endpoint, question, dialect, self.limits.most_bytes)  # type: ignore[arg-type]  # httpx is known to wire alone
        finally:
            self.arrived.put((key, told))

    def _take(self, wait: float) -> None:
        """Deal with what arrives within so many seconds."""
        try:
            key, told = self.arrived.get(timeout=wait)
            self._hear(key, told)
            while True:
                self._hear(*self.arrived.get_nowait())
        except queue.Empty:
            self._give_up_hung()

    def _hear(self, key: str, told: Told) -> None:
        flight = self.flying.pop(key, None)
        if flight is None:  # given up long ago, and counted as paid
            return
        {
            Fate.ANSWERED: self._answered,
            Fate.LOST: self._lost,
            Fate.BUSY: self._busy,
            Fate.UNSENT: self._unsent,
            Fate.REFUSED: self._refused,
            Fate.DIALECT: self._another_way,
            Fate.FATAL: self._fatal,
        }[told.fate](key, flight, told)

    def _answered(self, key: str, flight: _Flight, told: Told) -> None:
        assert told.reply is not None  # noqa: S101  # an answer has one
        cost = self.meter.settle(flight.question, flight.held, (told.reply.prompt_tokens, told.reply.output_tokens))
        self.journal.answered(key, told.reply, cost)
        self.pace.answered()
        self.lost_in_a_row, self.answers = 0, self.answers + 1

    def _lost(self, key: str, flight: _Flight, told: Told) -> None:
        self.meter.lose(flight.held)
        self.journal.gone(key, told.why)
        self.lost, self.lost_in_a_row = self.lost + 1, self.lost_in_a_row + 1
        if self.lost_in_a_row > 1:  # one is bad luck
            self.pace.lost(self.clock())
        if self.journal.lost[key] > self.limits.lost_again:
            self.missing[key] = told.why
        else:
            self._again(key, flight)
        if self.lost_in_a_row >= self.limits.most_lost:
            raise ServiceError(
                f"{self.lost_in_a_row} answers in a row were lost. The last time: {told.why}",
                "`resume` continues when the endpoint is well; answers that arrived are kept.",
            )

    def _busy(self, key: str, flight: _Flight, told: Told) -> None:
        self._was_free(key, flight)
        self.busy += 1
        self.pace.refused(self.clock(), flight.sent, told.wait)
        self._again(key, flight)
        if self.pace.out_of_patience(self.clock()):
            minutes = self.limits.patience / 60
            self._end(f"{self.endpoint.host} answered nothing but that it is busy for {minutes:g} min.")

    def _unsent(self, key: str, flight: _Flight, told: Told) -> None:
        self._was_free(key, flight)
        self.pace.unreachable(self.clock())
        self._again(key, flight)
        if self.pace.gone(self.clock()):
            raise ServiceError(told.why, "`resume` continues when it is back; answers that arrived are kept.")

    def _refused(self, key: str, flight: _Flight, told: Told) -> None:
        self._was_free(key, flight)
        self.missing[key] = told.why
        self.refused.add(key)
        if not self.answers and len(self.refused) >= self.limits.most_refused:
            raise UserError(f"No question was taken. {told.why}", "Check the model's name and the rows.")

    def _another_way(self, key: str, flight: _Flight, told: Told) -> None:
        self._was_free(key, flight)
        if told.dialect is not None:  # of an older call, perhaps: what was learned since stays
            limit = told.dialect.limit if told.dialect.limit != Dialect().limit else self.dialect.limit
            self.dialect = Dialect(limit, self.dialect.temperature and told.dialect.temperature)
        self._again(key, flight)

    def _fatal(self, key: str, flight: _Flight, told: Told) -> None:
        self._was_free(key, flight)
        raise UserError(told.why, "Put that right, then `resume`; answers that arrived are kept.")

    def _was_free(self, key: str, flight: _Flight) -> None:
        self.meter.release(flight.held)
        self.journal.free(key)

    def _again(self, key: str, flight: _Flight) -> None:
        if self.ended:
            self.missing[key] = self.ended
        else:
            self.waiting.appendleft((key, flight.question))

    def _end(self, why: str) -> None:
        self.ended = self.ended or why
        self.missing |= {key: self.ended for key, _ in self.waiting}
        self.waiting.clear()

    def _give_up_hung(self) -> None:
        """Take calls for lost that tell nothing long after their timeout, whatever keeps them."""
        late = self.clock() - self.limits.timeout - HUNG
        for key in [key for key, flight in self.flying.items() if flight.sent < late]:
            self._hear(key, Told(Fate.LOST, why=f"{self.endpoint.host} kept a call open beyond its time."))

    def _drain(self) -> None:
        """Write down what still arrives of the calls under way, within the grace; the rest counts as paid."""
        until = time.monotonic() + self.limits.grace
        self.waiting.clear()
        while self.flying and (left := until - time.monotonic()) > 0:
            try:
                key, told = self.arrived.get(timeout=left)
            except queue.Empty:
                return
            flight = self.flying.pop(key, None)
            if flight is not None and told.fate is Fate.ANSWERED:
                self._answered(key, flight, told)
            elif flight is not None and told.fate is Fate.LOST:
                self.meter.lose(flight.held)
                self.journal.gone(key, told.why)
            elif flight is not None:
                self._was_free(key, flight)
