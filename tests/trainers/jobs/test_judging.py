"""A job's answers are compared by a judge over a real socket, within its budget, and no row is paid for twice."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from knowledge.models import Used
from tests.chat_server import ChatServer, chat_server
from tests.trainers.evals.evidence import row, word, write
from trainers.data.jsonl import Row
from trainers.evals.assemble import assemble
from trainers.evals.evidence import Evidence
from trainers.evals.judges.judge import Judge, open_judge
from trainers.evals.labels import read_judged
from trainers.evals.rule import SuccessRule
from trainers.jobs.judging import Court, Judgement, judgement

__all__ = ["chat_server"]

ROWS = [row(line, f"Dear customer, {word(line)} is on its way.") for line in range(1, 25)]
OUTPUTS: dict[str, list[str | None]] = {
    "base_few_shot": ["No."] * 24,
    "tuned": [f"Dear customer, {word(line, 'z')} is late." for line in range(1, 25)],
}
JUDGED = SuccessRule(guardrails=(), metric="judged", options={"task": "Answer customers.", "criteria": ["It is kind."]})


class Purse:
    """A meter that closes when its tokens are spent, as the ledger's does."""

    def __init__(self, tokens: int = 10**9) -> None:
        self.left = tokens

    def closed(self) -> str:
        return "" if self.left > 0 else "This month's tokens for judging are used up."

    def count(self, used: Used) -> None:
        self.left -= used.tokens


class Ear:
    """The part of a job's keeper that judging speaks to."""

    def __init__(self) -> None:
        self.heard: list[dict[str, Any]] = []

    def progress(self, stage: str, event: dict[str, Any]) -> None:
        self.heard.append({"stage": stage, **event})

    def keep(self) -> None:
        """Nobody asks for the job to end."""


@pytest.fixture
def judge(chat_server: ChatServer) -> Iterator[Judge]:
    """A judge that prefers the longer answer."""
    chat_server.rehearsal.judge = "longer"
    made = open_judge("some-judge", chat_server.url, "key-1")
    assert made is not None
    yield made
    made.model.close()


def ask(
    folder: Path, court: Court | None, rule: SuccessRule = JUDGED, rows: list[Row] = ROWS
) -> tuple[Judgement | None, Ear]:
    ear = Ear()
    write(folder / "predictions.jsonl", rows, OUTPUTS)
    made = judgement(court, rule, rows, folder, base="some-base", workspace="T1", keeper=ear)  # type: ignore[arg-type]  # the part of it that is asked
    return made, ear


def test_a_judge_compares_every_row_and_the_report_rests_on_it(
    tmp_path: Path, chat_server: ChatServer, judge: Judge
) -> None:
    """Each pair is asked in both orders, progress is told, verdicts are kept for people's labels, and PASS follows."""
    purse = Purse()
    asked_for: list[str] = []
    made, ear = ask(tmp_path, Court(judge=judge, meter=lambda name: asked_for.append(name) or purse))  # type: ignore[func-returns-value]  # notes the name
    assert made is not None
    assert (made.card.wins, made.card.losses, made.card.flipped) == (24, 0, 0)
    assert asked_for == ["T1"]
    assert len(chat_server.rehearsal.requests) == 48
    assert 10**9 - purse.left == made.card.tokens
    assert ear.heard[-1] == {"stage": "judging", "step": 48, "steps": 48}
    assert set(read_judged(tmp_path / "judged.json").values()) == {"tuned"}
    assert "It is kind." in json.dumps(chat_server.rehearsal.requests[0])
    evidence = Evidence(predictions=tmp_path / "predictions.jsonl", rows=ROWS, rule=JUDGED)
    report = assemble(Evidence(**{**vars(evidence), "judging": made.judging, "card": made.card})).report
    assert (report.verdict.outcome, report.verdict.n) == ("PASS", 24)
    again, _ = ask(tmp_path, Court(judge=judge, meter=lambda _: purse))
    assert again is not None
    assert again.card == made.card
    assert len(chat_server.rehearsal.requests) == 48


def test_a_budget_that_ends_half_way_ends_the_asking(tmp_path: Path, chat_server: ChatServer, judge: Judge) -> None:
    """What was judged counts, what was not is said, and hardly more is spent than there was."""
    purse = Purse(4000)
    made, _ = ask(tmp_path, Court(judge=judge, meter=lambda _: purse))
    assert made is not None
    assert 0 < made.card.judged < 24
    assert "tokens for judging are used up" in made.card.sentence
    assert purse.left > -4 * 400  # at most the calls that were out
    report = assemble(
        Evidence(
            predictions=tmp_path / "predictions.jsonl",
            rows=ROWS,
            rule=JUDGED,
            judging=made.judging,
            card=made.card,
        )
    ).report
    assert report.verdict.n == made.card.judged
    assert f"no verdict on {24 - made.card.judged}" in report.headline
    sent = len(chat_server.rehearsal.requests)
    more, _ = ask(tmp_path, Court(judge=judge, meter=lambda _: Purse()))
    assert more is not None
    assert more.card.judged == 24
    assert len(chat_server.rehearsal.requests) == 48
    assert sent < 48


def test_without_budget_nothing_is_asked_and_nothing_proven(
    tmp_path: Path, chat_server: ChatServer, judge: Judge
) -> None:
    """A closed purse sends no request; the verdict is open and says why."""
    made, _ = ask(tmp_path, Court(judge=judge, meter=lambda _: Purse(0)))
    assert made is not None
    assert chat_server.rehearsal.requests == []
    assert "used up" in made.card.unusable


@pytest.mark.parametrize("metric", ["accuracy", "json_exact", "field_f1", "refusal"])
def test_what_can_be_marked_is_not_judged(tmp_path: Path, chat_server: ChatServer, judge: Judge, metric: str) -> None:
    """Labels, JSON and refusals need no second opinion; and without a judge nobody is asked."""
    assert (
        ask(tmp_path, Court(judge=judge, meter=lambda _: Purse()), SuccessRule(guardrails=(), metric=metric))[0] is None
    )
    assert ask(tmp_path, None)[0] is None
    assert chat_server.rehearsal.requests == []
