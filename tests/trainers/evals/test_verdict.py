"""Verdicts follow the rule, do not pass by luck, and say what would settle them."""

import json
import random
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from knowledge.errors import UserError
from trainers.evals.rule import SuccessRule
from trainers.evals.verdict import Pair, Verdict, decide, points

RULE = SuccessRule()


def pairs(gained: int, lost: int, n: int) -> list[Pair]:
    same = n - gained - lost
    return [Pair(False, True)] * gained + [Pair(True, False)] * lost + [Pair(True, True)] * same


@pytest.mark.parametrize(
    ("gained", "lost", "n", "outcome"),
    [
        (28, 1, 40, "PASS"),
        (12, 2, 60, "PASS"),
        (6, 3, 40, "INCONCLUSIVE"),
        (2, 10, 40, "FAIL"),
        (0, 0, 400, "FAIL"),  # surely less than five points
        (0, 0, 40, "INCONCLUSIVE"),
        (19, 0, 19, "INCONCLUSIVE"),  # fewer than 20 rows never pass
        (20, 0, 20, "PASS"),
        (3, 0, 3, "INCONCLUSIVE"),
        (0, 0, 0, "INCONCLUSIVE"),
        (60, 20, 1000, "INCONCLUSIVE"),  # surely better, but four points are less than the useful five
        (70, 20, 1000, "PASS"),
    ],
)
def test_the_rule(gained: int, lost: int, n: int, outcome: str) -> None:
    """PASS needs an interval above 0, five points and 20 rows; FAIL an interval below five points."""
    assert decide(pairs(gained, lost, n), RULE).outcome == outcome


def test_exactly_the_useful_effect_is_enough() -> None:
    """Five points are five points: 50 of 1,000 passes, 49 does not, whatever floats make of 0.05."""
    assert decide(pairs(50, 0, 1000), RULE).outcome == "PASS"
    assert decide(pairs(49, 0, 1000), RULE).outcome != "PASS"


def test_the_sentence_has_every_number() -> None:
    """A verdict names difference, interval and rows; an open one how many more rows would settle it."""
    passed = decide(pairs(28, 1, 40), RULE)
    assert passed.sentence == "Difference +68 points (95% interval +47 to +82), 40 unseen rows."
    assert passed.rows_needed is None
    assert passed.rows_more is None
    opened = decide(pairs(6, 3, 40), RULE)
    assert opened.rows_needed is not None
    assert opened.rows_more == opened.rows_needed - 40
    assert opened.sentence.startswith("Not proven. +8 points (95% interval −8 to +22), 40 unseen rows. About ")
    assert "ruled out" in decide(pairs(2, 10, 40), RULE).sentence
    assert "nothing to compare" in decide([], RULE).sentence


def test_with_the_rows_it_asks_for_a_verdict_is_usually_reached() -> None:
    """A real 12-point gain, open on 40 rows, passes on the number of rows asked for in most draws."""
    wanted = decide(pairs(8, 3, 40), RULE).rows_needed
    assert wanted is not None
    draw, passed = random.Random(5), 0
    for _ in range(200):
        parts = [draw.random() for _ in range(wanted)]
        drawn = [Pair(0.2 <= part < 0.275, part < 0.2) for part in parts]
        passed += decide(drawn, RULE).outcome == "PASS"
    assert passed / 200 > 0.7


def test_a_worse_model_fails_on_the_rows_asked_for() -> None:
    """A tuned model that really is 7 points worse, open on 30 rows, fails on the number asked for in most draws."""
    wanted = decide(pairs(3, 5, 30), RULE).rows_needed
    assert wanted is not None
    assert wanted < 250
    draw, failed = random.Random(6), 0
    for _ in range(200):
        parts = [draw.random() for _ in range(wanted)]
        failed += decide([Pair(part < 0.17, 0.17 <= part < 0.27) for part in parts], RULE).outcome == "FAIL"
    assert failed / 200 > 0.7


@pytest.mark.parametrize("n", [20, 40, 100])
@pytest.mark.parametrize("change", [0.02, 0.1, 0.3])
def test_no_effect_rarely_passes(n: int, change: float) -> None:
    """A tuned model that is no better passes in at most 2.5% of 2,000 draws (and a half for chance)."""
    draw, passed = random.Random(n), 0
    for _ in range(2000):
        parts = [draw.random() for _ in range(n)]
        gained = sum(part < change for part in parts)
        lost = sum(change <= part < 2 * change for part in parts)
        passed += decide(pairs(gained, lost, n), RULE).outcome == "PASS"
    assert passed / 2000 <= 0.03


@given(st.integers(0, 300), st.integers(0, 300), st.integers(0, 300))
def test_any_counts_give_a_verdict_that_survives_json(gained: int, lost: int, same: int) -> None:
    """Whatever the counts, the interval holds together, open verdicts ask for more rows, and JSON loses nothing."""
    verdict = decide(pairs(gained, lost, gained + lost + same), RULE)
    assert -1 <= verdict.low <= verdict.high <= 1
    assert (verdict.outcome == "INCONCLUSIVE") == (verdict.rows_needed is not None)
    assert verdict.rows_needed is None or verdict.rows_needed > verdict.n
    assert Verdict.from_json(json.loads(json.dumps(verdict.to_json()))) == verdict


def test_points_are_short_and_signed() -> None:
    """Whole points with a sign; a small difference keeps a decimal so that it does not read as none."""
    assert [points(x) for x in (0.676, -0.034, 0.0, 0.004, -0.0004)] == ["+68", "−3", "0", "+0.4", "0"]


def test_a_rule_is_fixed_by_its_digest() -> None:
    """A rule survives JSON with its digest, and every change changes the digest."""
    again = SuccessRule.from_json(json.loads(json.dumps(RULE.to_json())))
    assert again == RULE
    assert again.digest == RULE.digest
    assert SuccessRule(useful_effect=Decimal("0.1")).digest != RULE.digest
    assert RULE.sentence == "accuracy on unseen rows, at least 5 points above the best-prompted base"


@pytest.mark.parametrize(
    "wrong", [{"metric": "vibes"}, {"useful_effect": Decimal(1)}, {"level": 0.2}, {"level": 1.0}, {"minimum_rows": 5}]
)
def test_a_rule_that_proves_nothing_is_refused(wrong: dict[str, object]) -> None:
    """Unknown metrics, impossible effects and levels, and fewer than 20 rows are user errors."""
    with pytest.raises(UserError):
        SuccessRule(**wrong)  # type: ignore[arg-type]  # wrong on purpose
