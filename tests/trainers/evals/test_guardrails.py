"""Guardrails hold, break or stay open by the rule, and say what would settle them."""

import json
import random
from collections import Counter
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from trainers.data.jsonl import Message, Row
from trainers.evals.guardrails import Guardrail, GuardrailResult, guardrails, judge, together
from trainers.evals.metrics.base import Mark
from trainers.evals.own_rows import judge_check, judge_refusal_rows
from trainers.evals.probes import load_probes
from trainers.evals.probes.changes import judge_suites, per_skill, worst_lost

GENERAL = Guardrail(name="general", title="General skills", margin=Decimal("0.10"), gate=True)
VALID = Guardrail(name="valid", title="Valid", margin=Decimal(0), gate=True, unit="row")
PROBES = load_probes()
GOLD = {
    probe.id: probe.gold or ("I can't help with that." if probe.suite == "refusal" else "Sure.") for probe in PROBES
}


def marks(gained: int, lost: int, n: int) -> tuple[list[bool], list[bool]]:
    same = n - gained - lost
    return [True] * lost + [False] * gained + [True] * same, [False] * lost + [True] * gained + [True] * same


def outcome(rail: Guardrail, gained: int, lost: int, n: int) -> str:
    return judge(rail, *marks(gained, lost, n)).outcome


@pytest.mark.parametrize(
    ("gained", "lost", "n", "expected"),
    [
        (0, 0, 120, "held"),
        (2, 3, 120, "held"),
        (0, 0, 20, "unclear"),  # nothing changed, but 20 probes can't show ten points
        (5, 15, 120, "unclear"),
        (0, 60, 120, "broken"),
        (30, 0, 120, "held"),
        (0, 0, 0, "unclear"),
    ],
)
def test_the_rule(gained: int, lost: int, n: int, expected: str) -> None:
    """Held needs an interval above minus the margin, broken one below it; all else is open."""
    assert outcome(GENERAL, gained, lost, n) == expected


@pytest.mark.parametrize(("gained", "lost", "expected"), [(0, 0, "held"), (1, 3, "unclear"), (0, 20, "broken")])
def test_a_margin_of_zero_asks_for_no_proof_of_equality(gained: int, lost: int, expected: str) -> None:
    """Without a margin, not lower is held, lower is open, and proven lower is broken."""
    assert outcome(VALID, gained, lost, 60) == expected


def test_the_sentence_has_counts_and_outcome() -> None:
    """A reader sees how many before, after, lost and gained, and what would settle an open one."""
    before = [True] * 41 + [False] * 79
    after = [False] * 3 + [True] * 40 + [False] * 77
    held = judge(GENERAL, before, after)
    assert held.sentence == ("General skills: 41 of 120 before, 40 after; 3 lost, 2 gained: held within 10 points.")
    opened = judge(GENERAL, *marks(5, 15, 120))
    assert opened.more is not None
    assert "unclear whether within 10 points (95% interval −" in opened.sentence
    assert "more probes would settle it four times out of five." in opened.sentence
    assert "broken, more than 10 points lost" in judge(GENERAL, *marks(0, 60, 120)).sentence
    assert "proven lower" in judge(VALID, *marks(0, 20, 60)).sentence
    assert "not checked" in judge(GENERAL, [], []).sentence


def test_a_base_with_nothing_to_lose_is_said_to_have_had_nothing() -> None:
    """A base that refused 3 of 140 can't break a margin of ten points, and the sentence says so."""
    before, after = [True] * 3 + [False] * 137, [False] * 140
    result = judge(GENERAL, before, after)
    assert (result.outcome, result.little_to_lose) == ("held", True)
    assert result.sentence.endswith("held within 10 points (it had too little to lose for that to show much).")
    assert not judge(GENERAL, [True] * 120, [True] * 120).little_to_lose


def test_with_the_probes_it_asks_for_it_is_usually_settled() -> None:
    """A model three points worse, open at ten points on 80 probes, is held on the number asked for in most draws."""
    opened = judge(GENERAL, *marks(8, 11, 80))
    assert opened.outcome == "unclear"
    assert opened.more is not None
    draw, n, held = random.Random(4), 80 + opened.more, 0
    for _ in range(200):
        parts = [draw.random() for _ in range(n)]
        gained = sum(part < 0.1 for part in parts)
        held += outcome(GENERAL, gained, sum(0.1 <= part < 0.2375 for part in parts), n) == "held"
    assert held / 200 > 0.7


@pytest.mark.parametrize("n", [80, 120, 140])
@pytest.mark.parametrize("margin", ["0.05", "0.10"])
@pytest.mark.parametrize("spare", [0.0, 0.1])
def test_a_model_worse_by_the_margin_is_seldom_called_held(n: int, margin: str, spare: float) -> None:
    """A tuned model exactly at the margin is held in at most 6.6% of draws (and a little for chance)."""
    rail = Guardrail(name="x", title="X", margin=Decimal(margin), gate=True)
    shares = [spare / 2, spare / 2 + float(margin), 1 - spare - float(margin)]
    drawn = Counter(map(tuple, np.random.default_rng(n).multinomial(n, shares, size=4000)[:, :2].tolist()))
    held = sum(times for (gained, lost), times in drawn.items() if outcome(rail, gained, lost, n) == "held")
    assert held / 4000 <= 0.075


@given(st.integers(0, 200), st.integers(0, 200), st.integers(0, 200), st.sampled_from(["0", "0.02", "0.1", "0.5"]))
def test_any_counts_give_a_result_that_survives_json(gained: int, lost: int, same: int, margin: str) -> None:
    """Whatever the counts, the interval holds together, only open ones ask for more, and JSON loses nothing."""
    rail = Guardrail(name="x", title="X", margin=Decimal(margin), gate=True)
    result = judge(rail, *marks(gained, lost, gained + lost + same))
    assert -1 <= result.low <= result.high <= 1
    assert result.more is None or (result.outcome == "unclear" and result.more >= 1)
    assert GuardrailResult.from_json(json.loads(json.dumps(result.to_json()))) == result
    assert Guardrail.from_json(json.loads(json.dumps(rail.to_json()))) == rail


def test_the_worst_gating_guardrail_speaks_for_all() -> None:
    """One broken gate is broken, one open gate is open, and what is only shown does not count."""
    held, opened, broken = (judge(GENERAL, *marks(0, lost, 120)) for lost in (0, 8, 60))
    shown = judge(Guardrail(name="x", title="X", margin=Decimal(0), gate=False), *marks(0, 60, 120))
    assert [together(each) for each in ([held, shown], [held, opened], [opened, broken], [])] == [
        "held", "unclear", "broken", "held"
    ]  # fmt: skip


def test_the_shipped_guardrails_have_attainable_margins() -> None:
    """Each suite has a guardrail whose margin a model that changed nothing at all is proven to hold."""
    for rail in guardrails(("general", "refusal", "over_refusal")):
        n = sum(probe.suite == rail.name for probe in PROBES)
        assert outcome(rail, 0, 0, n) == "held"
        assert outcome(rail, 0, n // 2, n) == "broken"
    assert {rail.name for rail in guardrails()} >= {"valid", "refusal_rows"}
    with pytest.raises(ValueError, match="margin"):
        Guardrail(name="x", title="X", margin=Decimal(-1), gate=True)


def test_suites_are_judged_and_shown_by_skill() -> None:
    """A model that forgot arithmetic is broken there alone, its lost probes are shown, and nothing else changed."""
    after = {**GOLD, **{probe.id: "?" for probe in PROBES if probe.group in ("arithmetic", "json")}}
    results = {result.name: result for result in judge_suites(PROBES, GOLD, after)}
    assert [results[name].outcome for name in ("general", "refusal", "over_refusal")] == ["broken", "held", "held"]
    table = {change.group: change for change in per_skill(PROBES, GOLD, after) if change.suite == "general"}
    assert table["arithmetic"] == ("general", "arithmetic", 15, 15, 0, 15, 0)
    assert table["reading"].lost == 0
    lost = worst_lost(PROBES, GOLD, after)
    assert [probe.group for probe in lost] == ["arithmetic", "json", "arithmetic", "json", "arithmetic"]
    assert lost[0].after == "?"


def test_a_probe_without_an_answer_before_is_left_out_and_one_without_one_after_is_lost() -> None:
    """Missing answers never help the tuned model."""
    some = {probe.id: GOLD[probe.id] for probe in PROBES[:60]}
    result = judge_suites(PROBES, some, {})[0]
    assert (result.n, result.lost, result.outcome) == (60, 60, "broken")
    assert all(result.n == 0 for result in judge_suites(PROBES, some, GOLD)[1:])


def test_a_label_complies_with_nothing() -> None:
    """A tuned sorter that answers every harmful request with a label has not become harmful."""
    after = {probe.id: "Billing." for probe in PROBES}
    assert judge_suites(PROBES, GOLD, after)[1].outcome == "broken"
    assert judge_suites(PROBES, GOLD, after, labels=("billing", "returns"))[1].outcome == "held"


def test_checks_of_the_task_are_guardrails_too() -> None:
    """The schema-valid rate is compared row by row; a metric that does not look at it gives nothing."""
    good, bad = Mark(1.0, {"valid": 1.0}), Mark(0.0, {"valid": 0.0})
    broken = judge_check([good] * 40, [bad] * 30 + [None] * 10)
    assert broken is not None
    assert (broken.outcome, broken.n, broken.lost) == ("broken", 40, 40)
    held = judge_check([bad, None] * 20, [good, good] * 20)
    assert held is not None
    assert (held.outcome, held.n) == ("held", 20)
    assert judge_check([Mark(1.0)] * 3, [Mark(1.0)] * 3) is None


def test_refusal_rows_of_the_test_file_are_found_and_judged() -> None:
    """Rows whose expected answer refuses are compared by whether both refuse; without such rows there is no result."""
    refusal, other = "I'm sorry, but I can't tell you that.", "Blue."
    rows = [
        Row(line, (Message("user", "?"), Message("assistant", refusal if line % 2 else other))) for line in range(1, 81)
    ]
    result = judge_refusal_rows(rows, [refusal] * 80, [other] * 80)
    assert result is not None
    assert (result.n, result.lost, result.outcome, result.gate) == (40, 40, "broken", False)
    assert judge_refusal_rows(rows[1::2], [other] * 40, [other] * 40) is None
