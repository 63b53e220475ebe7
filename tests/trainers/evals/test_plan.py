"""A plan is read from a task in words, says what it assumed, and its numbers hold against oracles."""

import json
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from statsmodels.stats.power import TTestPower

from knowledge.errors import UserError
from trainers.data.jsonl import Message, Row
from trainers.evals.metrics import METRICS
from trainers.evals.plan import EvalPlan, make_plan, plan_text
from trainers.evals.plans.choices import KINDS, choice
from trainers.evals.plans.costs import Costs, Failure, break_even, read_costs
from trainers.evals.plans.kinds import read_fields
from trainers.evals.plans.power import detectable, power_table, right_needed, rows_for
from trainers.evals.stats import bonett_price, wilson

TICKETS = "Sort support tickets into billing, returns, technical, other"


@pytest.mark.parametrize(
    ("task", "kind", "labels"),
    [
        (TICKETS, "classification", ("billing", "returns", "technical", "other")),
        ("Sort tickets into 12 queues; we have 800 labelled", "classification", ()),
        ("Classify reviews as positive, negative or neutral.", "classification", ("positive", "negative", "neutral")),
        ("Route e-mails to sales, support or press", "classification", ("sales", "support", "press")),
        ("Tell whether a comment is spam or ham", "classification", ("spam", "ham")),
        ("Tag bug reports with bug, feature request and question so that triage is faster", "classification",
         ("bug", "feature request", "question")),
        ("Sort mail into complaint, request for a quote, other", "classification",
         ("complaint", "request for a quote", "other")),
        ("Sort mail into a slot, refill, other for a vet clinic", "classification", ("slot", "refill", "other")),
        ("Extract invoice number, date and total from supplier e-mails as JSON", "extraction", ()),
        ("Turn order mails into JSON with customer and items", "extraction", ()),
        ("Write release notes in our voice", "style", ()),
        ("Rewrite customer mails in the tone of our brand", "style", ()),
        ("Answer questions from our docs", "qa", ()),
        ("Answer employees' questions from our handbook and say so if it isn't in there", "qa", ()),
        ("Refuse requests for medical advice", "refusal", ()),
        ("Write product descriptions", "generation", ()),
        ("Summarise meeting notes", "generation", ()),
    ],
)  # fmt: skip
def test_kind_and_labels_are_read_from_words(task: str, kind: str, labels: tuple[str, ...]) -> None:
    """What the words say decides; a plan names its metric, its guardrails and how to correct what it assumed."""
    plan = make_plan(task)
    assert (plan.kind, plan.labels) == (kind, labels)
    assert plan.metric in METRICS
    assert set(plan.secondary) <= set(METRICS)
    assert all(assumption.correct for assumption in plan.assumptions)
    assert len(plan.assumptions) >= 2


def test_data_speaks_louder_than_words() -> None:
    """Labels make it classification, a schema extraction, rows with few answers classification, a named kind itself."""
    rows = [Row(n, (Message("user", f"text {n}"), Message("assistant", ("a", "b")[n % 2]))) for n in range(1, 9)]
    schema = {"type": "object", "properties": {"total": {"type": "number"}}}
    assert make_plan("Do it", labels=["a", "b"]).kind == "classification"
    assert make_plan("Do it", schema=schema).kind == "extraction"
    assert make_plan("Do it", rows=rows).labels == ("a", "b")
    assert make_plan(TICKETS, kind="generation").kind == "generation"


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_is_judged_by_a_metric_that_exists(name: Any) -> None:
    """The table of choices names no metric that Luthier does not have."""
    assert {choice(name).metric, *choice(name).secondary} <= set(METRICS)
    assert all(0 <= rail.margin < 1 for rail in choice(name).guardrails)


def test_fields_that_a_task_names_become_a_schema() -> None:
    """Amounts are numbers, lists are lists, everything may be null, and the plan says that it guessed."""
    plan = make_plan("Extract vendor, items, amount and due date into JSON")
    assert plan.schema is not None
    types = {name: node["type"] for name, node in plan.schema["properties"].items()}
    assert types == {
        "vendor": ["string", "null"],
        "items": ["array", "null"],
        "amount": ["number", "null"],
        "due_date": ["string", "null"],
    }
    assert any("vendor, items, amount, due_date" in assumption.says for assumption in plan.assumptions)
    assert read_fields("Pull out the name from a CV") == ("name",)


def test_a_plan_survives_json_and_its_digest_sees_every_change() -> None:
    """Reading back gives an equal plan; another effect, label or test file gives another digest."""
    plan = make_plan(TICKETS, have=60, costs=read_costs("20", None, ["0.95:40", "0.05:1000"]))
    assert EvalPlan.from_json(json.loads(json.dumps(plan.to_json()))) == plan
    others = [make_plan(TICKETS), make_plan(TICKETS, useful_effect=Decimal("0.1")), plan.with_test("ab" * 32)]
    assert len({plan.digest, *(other.digest for other in others)}) == 4
    assert make_plan(TICKETS).digest == make_plan(TICKETS).digest


def test_break_even_by_hand() -> None:
    """The published example: a success earns 20, a failure costs 0.95 x 40 + 0.05 x 1000 = 88; 88 / 108 = 81.5%."""
    costs = read_costs("20", None, ["0.95:40", "5%:1,000"])
    assert costs is not None
    assert costs.loss == 88
    assert round(break_even(Decimal(20), Decimal(88)) * 100, 1) == Decimal("81.5")
    assert costs.target == Decimal("0.815")
    assert make_plan(TICKETS, costs=costs).target == Decimal("0.815")
    assert break_even(Decimal(1), Decimal(1)) == Decimal("0.5")
    assert Costs.from_json(costs.to_json()) == costs


@pytest.mark.parametrize(
    "wrong",
    [
        lambda: break_even(Decimal(-1), Decimal(1)),
        lambda: break_even(Decimal(1), Decimal("-0.01")),
        lambda: break_even(Decimal(0), Decimal(0)),
        lambda: break_even(Decimal("NaN"), Decimal(1)),
        lambda: break_even(Decimal(1), Decimal("1e40")),
        lambda: read_costs("20", None, ()),
        lambda: read_costs(None, "5", ()),
        lambda: read_costs("20", "5", ["0.5:1"]),
        lambda: read_costs("20", None, ["0.9:1", "0.2:1"]),
        lambda: read_costs("20", None, ["forty"]),
        lambda: read_costs("20", None, ["0:40"]),
        lambda: read_costs("twenty", "5", ()),
        lambda: read_costs("20", "5", (), "dollars"),
        lambda: Costs(gain=Decimal(1), failures=(Failure(share=Decimal(1), loss=Decimal("-3")),)),
    ],
)
def test_absurd_costs_are_refused_in_words(wrong: Any) -> None:
    """Negative, endless and contradictory amounts name what to do instead."""
    with pytest.raises(UserError) as refused:
        wrong()
    assert refused.value.next_step


def test_rows_of_the_table_and_what_they_can_show_agree() -> None:
    """What n rows can detect needs n rows, whatever the spread, for both kinds of scores."""
    for binary in (True, False):
        for spread, counts in power_table(binary=binary, level=0.95, power=0.8):
            for effect, rows in zip((0.05, 0.1, 0.15, 0.2), counts, strict=True):
                assert rows == rows_for(effect, spread, binary=binary, level=0.95, power=0.8)
                assert detectable(rows, spread, binary=binary, level=0.95, power=0.8) <= effect + 1e-6


@pytest.mark.parametrize(("sd", "effect"), [(0.2, 0.05), (0.3, 0.05), (0.3, 0.15), (0.4, 0.2), (0.2, 0.2)])
def test_graded_rows_agree_with_statsmodels(sd: float, effect: float) -> None:
    """The corrected normal formula is within two rows of the exact power of the paired t-test."""
    exact = TTestPower().solve_power(effect_size=effect / sd, alpha=0.05, power=0.8)
    assert abs(rows_for(effect, sd, binary=False, level=0.95, power=0.8) - exact) <= 2


@pytest.mark.parametrize(("discordance", "effect"), [(0.15, 0.1), (0.25, 0.1), (0.35, 0.15)])
def test_binary_rows_give_the_promised_power(discordance: float, effect: float) -> None:
    """On simulated pairs the interval that verdicts use excludes 0 in about 80 of 100 cases with the rows named."""
    rows = rows_for(effect, discordance, binary=True, level=0.95, power=0.8)
    gain, loss = (discordance + effect) / 2, (discordance - effect) / 2
    drawn = np.random.default_rng(7).multinomial(rows, [gain, loss, 1 - gain - loss], size=2000)
    found = sum(bonett_price(int(up), int(down), rows).low > 0 for up, down, _ in drawn)
    assert 0.75 <= found / 2000 <= 0.86


def test_a_target_says_how_many_rows_must_be_right() -> None:
    """The number named is the least whose Wilson bound reaches the target; few rows go by the share, some never do."""
    right = right_needed(Decimal("0.815"), 200, 0.95)
    assert right is not None
    assert wilson(right, 200).low >= 0.815 > wilson(right - 1, 200).low
    assert right_needed(Decimal("0.9"), 30, 0.95) == 27
    assert right_needed(Decimal("0.999"), 60, 0.95) is None


def test_the_page_says_what_a_person_needs() -> None:
    """Metric, rivals, rows for what they have, target, guardrails and assumptions stand in the text."""
    text = plan_text(make_plan(TICKETS, have=60, costs=read_costs("20", "88", ())))
    for words in ("`accuracy`", "best few-shot prompt", "With the 60 you have", "81.5%", "General skills", "*Wrong?*"):
        assert words in text
    assert "Fewer than 20 can never pass" in plan_text(make_plan(TICKETS, have=12))


@pytest.mark.parametrize(
    ("words", "call"),
    [
        ("empty", {"task": ""}),
        ("empty", {"task": "  \n ?!"}),
        ("one label", {"task": "Sort", "labels": ["a"]}),
        ("one label", {"task": "Sort", "labels": ["a", "A ", "a."]}),
        ("more than I can plan for", {"task": "Sort", "labels": [f"l{n}" for n in range(1001)]}),
        ("longer than", {"task": "Sort", "labels": ["a", "b" * 81]}),
        ("above 0", {"task": TICKETS, "useful_effect": Decimal(0)}),
        ("above 0", {"task": TICKETS, "useful_effect": Decimal(1)}),
        ("above 0", {"task": TICKETS, "useful_effect": Decimal("NaN")}),
        ("discordance", {"task": TICKETS, "discordance": 0.0}),
        ("discordance", {"task": TICKETS, "discordance": float("nan")}),
        ("test rows", {"task": TICKETS, "have": -1}),
        ("kind", {"task": TICKETS, "kind": "telepathy"}),
        ("target", {"task": TICKETS, "target": Decimal("1.2")}),
        ("schema", {"task": "x", "schema": []}),
        ("schema", {"task": "x", "schema": {"type": "string"}}),
        ("schema", {"task": "x", "schema": {"properties": {}}}),
        ("schema", {"task": "x", "schema": {"properties": {"a": {"type": "date"}}}}),
        ("schema", {"task": "x", "schema": {"properties": {"a": 3}}}),
        ("schema", {"task": "x", "schema": {"properties": {"a": {"type": {}}}}}),
        ("schema", {"task": "x", "schema": {"properties": {"a": {}}, "required": ["b"]}}),
        ("schema", {"task": "x", "schema": {"properties": {"a": {}}, "required": [3]}}),
    ],
)
def test_bad_input_gets_kind_words(words: str, call: dict[str, Any]) -> None:
    """Nothing of this crashes; each answer says what is wrong and what to do."""
    with pytest.raises(UserError) as refused:
        make_plan(**call)
    assert words in refused.value.what
    assert refused.value.next_step


def test_long_tasks_and_many_labels_are_planned_for() -> None:
    """Of 20,000 characters the first 2,000 count and that is said; 200 labels, some twice, ask for rows of each."""
    plan = make_plan("Write things. " * 1500)
    assert len(plan.task) <= 2000
    assert "2,000 characters" in plan.assumptions[0].says
    many = make_plan("Sort", labels=[*(f"label {n}" for n in range(200)), "Label 7"])
    assert len(many.labels) == 200
    assert many.rows_planned == 400
    assert any("twice" in assumption.says for assumption in many.assumptions)


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=120), st.lists(st.text(max_size=90), max_size=3))
def test_any_text_gives_a_plan_or_kind_words(task: str, labels: list[str]) -> None:
    """Whatever is typed, there is a plan that survives JSON, or a refusal in words."""
    try:
        plan = make_plan(task, labels=labels)
    except UserError:
        return
    assert EvalPlan.from_json(json.loads(json.dumps(plan.to_json()))) == plan
    assert plan_text(plan)
