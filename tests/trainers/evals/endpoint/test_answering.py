"""Questions over a real socket to the shipped fake: pace, patience, money, kills and whatever an endpoint may say."""

import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from knowledge.errors import ServiceError, UserError
from tests.trainers.evals.endpoint.fake import Fake, running
from trainers.evals.endpoint import Endpoint, Journal, Limits, Meter, Outcome, Question, Standing, answer_over
from trainers.evals.endpoint.journal import InUse, spent_in
from trainers.evals.metrics.operations import TokenPrices
from trainers.rehearsal.chat_models import BASE, TUNED

RIGHT = {f"Where is parcel {n}?": "delivery" for n in range(200)}
PRICES = {model: TokenPrices(Decimal(1), Decimal(2)) for model in (BASE, TUNED, "no-such-model")}
"""The fake's own."""


@pytest.fixture
def fake(tmp_path: Path) -> Iterator[Fake]:
    with running(tmp_path, RIGHT) as made:
        yield made


def asked(count: int, model: str = TUNED) -> list[Question]:
    return [Question(model, (("user", text),), 16) for text in list(RIGHT)[:count]]


class Desk:
    """Asks, with a journal that outlives each call."""

    def __init__(self, fake: Fake, folder: Path) -> None:
        self.fake, self.path = fake, folder / "answers.jsonl"

    def ask(
        self,
        questions: list[Question],
        *,
        budget: str = "10",
        key: str = "",
        stop: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
        hear: Callable[[Standing], None] = lambda _: None,
        **limits: float,
    ) -> Outcome:
        journal = Journal(self.path)
        self.meter = Meter(PRICES, Decimal(budget), journal.spent)
        try:
            return answer_over(
                Endpoint(url=self.fake.url, key=key),
                questions,
                limits=Limits.shipped(**{"timeout": 5.0, "first_wait": 0.05, "grace": 1.0, **limits}),
                meter=self.meter,
                journal=journal,
                hear=hear,
                stop=stop,
                clock=clock,
                draw=lambda: 0.5,
            )
        finally:
            journal.close()

    def settled(self) -> Decimal:
        """What the journal says was spent; never less than what was charged, never more than approved."""
        spent = spent_in(self.path)
        assert spent >= self.fake.charged()
        assert self.meter.spent == spent or self.meter.held
        return spent


@pytest.fixture
def desk(fake: Fake, tmp_path: Path) -> Desk:
    return Desk(fake, tmp_path)


def test_all_questions_are_answered_and_the_spend_is_what_was_charged(desk: Desk, fake: Fake) -> None:
    """Without faults each question is paid once, and both sides agree to the last micro-dollar."""
    heard: list[Standing] = []
    outcome = desk.ask(asked(40), hear=heard.append)
    assert (len(outcome.replies), outcome.missing, outcome.ended, outcome.sent) == (40, {}, "", 40)
    reply = next(iter(outcome.replies.values()))
    assert (reply.output, reply.model, reply.finish_reason) == ("delivery", TUNED, "stop")
    assert reply.prompt_tokens == 10
    assert reply.output_tokens == 3
    assert desk.settled() == fake.charged() > 0
    assert fake.rehearsal.most_under_way <= 4
    assert heard[-1].total == 40


def test_equal_questions_are_asked_once(desk: Desk, fake: Fake) -> None:
    """Two arms that ask the same share one answer."""
    outcome = desk.ask([*asked(5), *asked(5)])
    assert (len(outcome.replies), outcome.sent, outcome.reused, fake.twice()) == (5, 5, 5, 0)


def test_a_busy_endpoint_is_asked_again_when_it_said(desk: Desk, fake: Fake) -> None:
    """Every question is answered in the end, no sooner than Retry-After, and refusals cost nothing."""
    fake.now(script=["busy"] * 3, retry_after=0.3)
    started = time.monotonic()
    outcome = desk.ask(asked(12))
    assert time.monotonic() - started >= 0.3
    assert (len(outcome.replies), outcome.busy, fake.twice()) == (12, 3, 0)
    assert desk.settled() == fake.charged()


def test_a_date_as_retry_after_is_understood(desk: Desk, fake: Fake) -> None:
    """An HTTP date counts from the endpoint's own clock."""
    fake.now(script=["busy"], retry_after=2, retry_by_date=True)
    started = time.monotonic()
    assert len(desk.ask(asked(2)).replies) == 2
    assert 0.9 <= time.monotonic() - started < 5


def test_busy_for_minutes_ends_honestly(desk: Desk, fake: Fake) -> None:
    """Past the patience the rest is missing with a reason, what was answered stays, and nothing crashes."""
    fake.now(script=[""] * 6, busy=1.0, retry_after=60)

    def fast() -> float:
        return time.monotonic() * 400

    started = time.monotonic()
    outcome = desk.ask(asked(30), clock=fast, timeout=2000.0)
    assert time.monotonic() - started < 10
    assert (len(outcome.replies), len(outcome.missing)) == (6, 24)
    assert "busy for 10 min" in outcome.ended
    assert set(outcome.missing.values()) == {outcome.ended}
    assert desk.settled() == fake.charged()


def test_a_wait_longer_than_the_patience_is_not_begun(desk: Desk, fake: Fake) -> None:
    """An endpoint that asks for an hour is told no at once."""
    fake.now(busy=1.0, retry_after=3600)
    started = time.monotonic()
    outcome = desk.ask(asked(10))
    assert time.monotonic() - started < 3
    assert len(outcome.missing) == 10
    assert fake.charged() == 0


@pytest.mark.parametrize("budget", ["0.0003", "0.0017", "0.0031"])
def test_the_spend_stops_before_the_budget(desk: Desk, fake: Fake, budget: str) -> None:
    """What is charged never passes the approved amount, even with lost answers and whatever is under way."""
    fake.now(drop_after=0.1, malformed=0.05, error=0.05, no_usage=0.2)
    outcome = desk.ask(asked(200), budget=budget, concurrency=8)
    assert 0 < len(outcome.replies) < 200
    assert f"approved ${budget}" in outcome.ended
    assert fake.charged() <= desk.settled() <= Decimal(budget)
    assert len(outcome.replies) + len(outcome.missing) == 200


def test_a_lost_answer_is_asked_once_more_and_counted_twice(desk: Desk, fake: Fake) -> None:
    """A connection that breaks after the answer was computed is paid for; the second time the row is given up."""
    fake.now(script=["drop_after", "drop_after"])
    outcome = desk.ask(asked(1))
    assert (len(outcome.replies), len(outcome.missing), outcome.sent, outcome.lost) == (0, 1, 2, 2)
    assert desk.settled() >= fake.charged() > 0
    fake.now(script=["drop_after"])
    assert len(desk.ask(asked(2)[1:]).replies) == 1
    assert fake.twice() == 2


def test_an_endpoint_that_loses_everything_fails_the_job(desk: Desk, fake: Fake) -> None:
    """Answers lost in a row are a broken endpoint, not missing rows: what follows would be paid for nothing."""
    fake.now(drop_after=1.0)
    with pytest.raises(ServiceError, match="in a row"):
        desk.ask(asked(50))
    assert len(fake.lines()) <= 12
    desk.settled()


def test_a_slow_answer_is_cut_off(desk: Desk, fake: Fake) -> None:
    """A call that takes longer than its timeout counts as paid, and is asked once more."""
    fake.now(script=["slow"], slow_seconds=3)
    outcome = desk.ask(asked(3), timeout=0.5)
    assert (len(outcome.replies), outcome.lost) == (3, 1)
    assert fake.twice() == 1


@pytest.mark.parametrize(
    ("fault", "said"), [("unauthorized", "refused the key"), ("quota", "account at .* is spent"), ("", "no model")]
)
def test_what_no_retry_heals_stops_at_once(desk: Desk, fake: Fake, fault: str, said: str) -> None:
    """A wrong key, a wrong name and an empty account are said in words after the first calls."""
    fake.now(**({fault: 1.0} if fault else {}))
    with pytest.raises(UserError, match=said):
        desk.ask(asked(50, TUNED if fault else "no-such-model"))
    assert fake.calls <= 8
    assert desk.settled() == 0


def test_a_key_that_is_echoed_is_not_repeated(desk: Desk, fake: Fake, tmp_path: Path) -> None:
    """The key is in no message and in no file."""
    fake.rehearsal.key = "sk-another"
    with pytest.raises(UserError) as caught:
        desk.ask(asked(3), key="sk-secret-of-mine")
    files = "".join(path.read_text() for path in tmp_path.rglob("*.jsonl"))
    assert "sk-secret-of-mine" not in str(caught.value) + repr(Endpoint(url=fake.url, key="sk-secret-of-mine")) + files


def test_one_question_that_is_refused_is_only_missing(desk: Desk, fake: Fake) -> None:
    """A prompt that is too long costs its own row and nothing else."""
    fake.now(script=["", "too_long"])
    outcome = desk.ask(asked(8), concurrency=1)
    assert (len(outcome.replies), len(outcome.missing)) == (7, 1)
    assert "maximum context length" in next(iter(outcome.missing.values()))


def test_another_name_for_a_parameter_is_learned(desk: Desk, fake: Fake) -> None:
    """An endpoint that wants max_completion_tokens gets it, for all further calls."""
    fake.now(wants_other=1.0)
    outcome = desk.ask(asked(12))
    assert len(outcome.replies) == 12
    assert fake.calls <= 12 + 4


def test_nobody_there_is_an_error_after_a_while(desk: Desk, fake: Fake) -> None:
    """An address at which nothing answers fails the job, for nothing."""
    fake.url = "http://127.0.0.1:9/v1"
    with pytest.raises(ServiceError, match="Nothing answers"):
        desk.ask(asked(3), unreachable=0.3)
    assert spent_in(desk.path) == 0


class Enough(Exception):
    """Somebody asked to stop."""


def test_a_stop_is_heard_and_keeps_what_was_paid(desk: Desk, fake: Fake) -> None:
    """The stop takes effect within the grace; calls under way are written down, and nothing is paid twice later."""
    fake.now(latency=0.1)

    def stop() -> None:
        if len(fake.lines()) > 8:
            raise Enough

    with pytest.raises(Enough):
        desk.ask(asked(100), stop=stop)
    before = len(fake.lines())
    assert 8 < before < 60
    fake.now()
    outcome = desk.ask(asked(100))
    assert (len(outcome.replies), outcome.reused, fake.twice()) == (100, before, 0)
    assert desk.settled() == fake.charged()


def test_a_stop_does_not_wait_for_what_hangs(desk: Desk, fake: Fake) -> None:
    """A call that does not return within the grace is left; it counts as paid, and is asked again later."""
    fake.now(latency=30)
    heard: list[float] = []

    def stop() -> None:
        if len(fake.lines()) == 4:
            heard.append(time.monotonic())
            raise Enough

    with pytest.raises(Enough):
        desk.ask(asked(10), stop=stop, grace=0.3)
    assert time.monotonic() - heard[0] < 2
    assert spent_in(desk.path) >= fake.charged() > 0
    fake.now()
    assert len(desk.ask(asked(10)).replies) == 10
    assert fake.twice() == 4


def test_two_workers_never_ask_at_once(desk: Desk, tmp_path: Path) -> None:
    """While one has the journal, the other is told so, and a half-written last line is forgotten."""
    desk.path.write_text('{"event": "asked", "key": "k", "dollars": "0.5"}\n{"event": "answ')
    held = Journal(desk.path)
    with pytest.raises(InUse):
        Journal(desk.path)
    held.close()
    again = Journal(desk.path)
    assert (again.spent, again.unaccounted) == (Decimal("0.5"), 1)
    again.close()
    assert desk.path.read_text().endswith("}\n")


def test_a_free_server_needs_no_budget(desk: Desk, fake: Fake) -> None:
    """A price of 0 is a price: nothing is counted and nothing stops it."""
    journal = Journal(desk.path)
    free = TokenPrices(Decimal(0), Decimal(0))
    outcome = answer_over(
        Endpoint(url=fake.url),
        asked(5),
        limits=Limits.shipped(),
        meter=Meter({TUNED: free}, Decimal(0)),
        journal=journal,
    )
    journal.close()
    assert len(outcome.replies) == 5
