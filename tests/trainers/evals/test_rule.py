"""A rule takes the metric that suits the rows, and every part of it is in its digest."""

import json
from collections.abc import Sequence
from dataclasses import fields
from decimal import Decimal
from typing import Any

import pytest

from trainers.data.jsonl import Message, Row
from trainers.evals.guardrails import guardrails
from trainers.evals.rule import SuccessRule

LONG = "Thank you for writing to us, we are sorry about parcel {} and send another one to you today."


def rows(targets: Sequence[str]) -> list[Row]:
    return [
        Row(line, (Message("user", f"question {line}"), Message("assistant", target)))
        for line, target in enumerate(targets, start=1)
    ]


def fitted(targets: Sequence[str], **given: Any) -> SuccessRule:
    half = len(targets) // 2
    return SuccessRule(**given).fitted(rows(targets[:half]), rows(targets[half:]))


@pytest.mark.parametrize(
    ("targets", "metric", "labels"),
    [
        (["billing", "returns"] * 20, "accuracy", 2),
        ([f"intent {number}" for number in range(77)] * 10, "accuracy", 77),
        ([f"intent {number}" for number in range(77)], "exact_match", 0),
        ([json.dumps({"total": number, "paid": True}) for number in range(30)], "json_exact", 0),
        ([f"Order {number}" for number in range(30)], "exact_match", 0),
        ([LONG.format(number) for number in range(30)], "chrf", 0),
        ([], "exact_match", 0),
    ],
)
def test_the_rows_choose_the_metric(targets: list[str], metric: str, labels: int) -> None:
    """Labels, also more than 50, JSON, short and long texts each get their metric; labels and schema are kept."""
    rule = fitted(targets)
    assert (rule.metric, len(rule.labels)) == (metric, labels)
    assert (rule.schema is not None) == (metric == "json_exact")
    assert SuccessRule.from_json(json.loads(json.dumps(rule.to_json()))) == rule


def test_a_judge_stays_with_texts_that_may_be_worded_in_many_ways() -> None:
    """A rule that names the judge keeps it for long free text alone."""
    assert fitted([LONG.format(number) for number in range(30)], metric="judged").metric == "judged"
    assert fitted(["billing", "returns"] * 20, metric="judged").metric == "accuracy"
    assert fitted([f"Order {number}" for number in range(30)], metric="judged").metric == "exact_match"


def test_fitting_changes_nothing_else() -> None:
    """Effect, level, least rows, target and plan stay; so do guardrails, but labels need no general skills."""
    rule = SuccessRule(useful_effect=Decimal("0.1"), level=0.9, minimum_rows=30, target=Decimal("0.8"), plan="abc")
    made = rule.fitted(rows(["a", "b"] * 20), [])
    for name in ("useful_effect", "level", "minimum_rows", "target", "plan", "options"):
        assert getattr(made, name) == getattr(rule, name)
    gates = {rail.name: rail.gate for rail in made.guardrails}
    assert (gates["general"], gates["refusal"]) == (False, True)
    assert [rail.margin for rail in made.guardrails] == [rail.margin for rail in rule.guardrails]
    assert rule.fitted(
        rows([f"A long answer about the subject number {n} of many" for n in range(40)]), []
    ).guardrails == (rule.guardrails)


OTHER: dict[str, Any] = {
    "metric": "chrf",
    "useful_effect": Decimal("0.1"),
    "level": 0.9,
    "minimum_rows": 21,
    "target": Decimal("0.9"),
    "labels": ("a", "b"),
    "schema": {"type": "object"},
    "options": {"task": "Sort."},
    "guardrails": guardrails(["general"]),
    "plan": "abc",
}


def test_every_field_is_in_the_digest() -> None:
    """Each field changes the digest and survives JSON with it."""
    assert OTHER.keys() == {field.name for field in fields(SuccessRule)}
    rules = [SuccessRule(), *(SuccessRule(**{name: value}) for name, value in OTHER.items())]
    assert len({rule.digest for rule in rules}) == len(rules)
    for rule in rules:
        again = SuccessRule.from_json(json.loads(json.dumps(rule.to_json())))
        assert (again, again.digest) == (rule, rule.digest)


def test_a_rule_of_an_older_quote_reads_back() -> None:
    """The four fields that quotes used to have are enough; such a rule has no guardrails and no target."""
    old = {"metric": "exact_match", "useful_effect": "0.05", "level": 0.95, "minimum_rows": 20}
    rule = SuccessRule.from_json(old)
    assert (rule.metric, rule.guardrails, rule.target, rule.labels, rule.plan) == ("exact_match", (), None, (), "")


def test_the_sentence_names_the_target() -> None:
    """A target is part of what a quote says."""
    assert SuccessRule(metric="json_exact", target=Decimal("0.925")).sentence == (
        "json exact on unseen rows, at least 5 points above the best-prompted base, and 92.5% or more"
    )
