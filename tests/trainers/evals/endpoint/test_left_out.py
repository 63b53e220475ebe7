"""Which rows are compared where answers of one side were lost."""

from decimal import Decimal
from pathlib import Path

from trainers.backends.base import Keeper
from trainers.data.jsonl import Message, Row
from trainers.evals import metrics
from trainers.evals.endpoint import Endpoint, Journal, Limits, Meter
from trainers.evals.endpoint.arms import Asking
from trainers.evals.endpoint.contest import Contest
from trainers.evals.endpoint.wire import Reply
from trainers.evals.metrics import Setup
from trainers.evals.predictions import PLAIN, RIVAL, TUNED, pairs, read_answers, read_outputs
from trainers.evals.probes import load_probes


class Alone(Keeper):
    """Nobody else works on the job."""


ROWS = [Row(n, (Message("user", f"q{n}"), Message("assistant", "a"))) for n in range(1, 6)]


def test_a_lost_answer_counts_against_neither_side(tmp_path: Path) -> None:
    """Rows and probes with a lost answer are left out and counted; one that is empty or refused was given."""
    contest = Contest(base="b", tuned="t", train=ROWS, test=ROWS, labels=("a", "c"), probes=load_probes()[:2])
    metric = metrics.load("accuracy", Setup(labels=contest.labels))
    journal, endpoint = Journal(tmp_path / "answers.jsonl"), Endpoint(url="http://nobody/v1")
    asked = {PLAIN: contest.plain("b"), RIVAL: contest.plain("b"), TUNED: contest.plain("t")}
    probed = {"base": contest.probing("b"), "tuned": contest.probing("t")}
    refused = asked[TUNED][2].key(endpoint.host)
    said = {RIVAL: ["a", "a", "a", None, "a"], TUNED: ["a", "", None, "a", None]}
    for arm, outputs in said.items():
        for question, output in zip(asked[arm], outputs, strict=True):
            if output is not None:
                journal.answered(question.key(endpoint.host), Reply(output, 1.0, model=question.model), Decimal(0))
    for question in (*probed["base"], probed["tuned"][0]):
        journal.answered(question.key(endpoint.host), Reply("x", 1.0, model=question.model), Decimal(0))
    asking = Asking(
        endpoint=endpoint,
        contest=contest,
        metric=metric,
        limits=Limits.shipped(),
        meter=Meter({}, Decimal(1)),
        journal=journal,
        keeper=Alone(),
        calls=1,
        _refused=frozenset([refused]),
        _missing={asked[RIVAL][3].key(endpoint.host): "It took too long."},
    )
    told = asking._publish(tmp_path, asked, {arm: asking._notes(asked[arm], "") for arm in asked}, probed)
    journal.close()
    kept = [row for row in ROWS if row.line not in told.lost]
    assert [row.line for row in kept] == [1, 2, 3]
    assert told.lost == {
        4: "the best-prompted base's answer is missing: It took too long.",
        5: "the tuned model's answer is missing: It was not asked for.",
    }
    answers = read_answers(told.answered.predictions, ROWS, metric)
    assert [(pair.rival, pair.tuned) for pair in pairs(answers, kept)] == [(1, 1), (1, 0), (1, 0)]
    assert told.notices[0].startswith("2 of 5 rows left out of the comparison")
    assert told.notices[1].startswith("1 of 2 probes left out of the comparison")
    assert (tmp_path / "probes.jsonl").read_text().count("\n") == 2
    assert set(read_outputs(tmp_path / "predictions.jsonl", ROWS)[RIVAL]) == {1, 2, 3, 5}
    assert told.answered_by == ("t",) * 4
