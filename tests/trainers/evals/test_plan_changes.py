"""A plan is changed by what somebody enters in its form; what cannot be is told at its field."""

from decimal import Decimal

import pytest

from trainers.evals.plan import make_plan
from trainers.evals.plan_changes import changed_plan, entered_from
from trainers.evals.plans.costs import read_costs

TASK = "Sort support tickets into billing, returns, other, at least 80% right"
PLAN = make_plan(TASK, have=60)


def test_a_form_that_nobody_touched_changes_no_number() -> None:
    """What stands in the form is what the plan says: target, effect, labels, rows, and costs with their failures."""
    for plan in (PLAN, make_plan(TASK), make_plan("Sort into a, b", costs=read_costs("20", None, ["0.5:40", "0.1:9"]))):
        made, wrong = changed_plan(plan, entered_from(plan))
        assert made is not None
        assert wrong == {}
        for name in ("task", "kind", "labels", "target", "useful_effect", "rows_had", "rows_planned", "costs"):
            assert getattr(made, name) == getattr(plan, name)


def test_what_is_entered_counts_before_the_words() -> None:
    """A cleared target is none although the words name one; numbers may have a comma and a sign."""
    now = entered_from(PLAN)
    cleared, _ = changed_plan(PLAN, now._replace(target="", effect=""))
    assert cleared is not None
    assert (cleared.target, cleared.useful_effect) == (None, Decimal("0.05"))
    made, _ = changed_plan(PLAN, now._replace(target="92,5 %", effect="10", have="1,000", labels="a, b\nc"))
    assert made is not None
    assert (made.target, made.useful_effect, made.rows_had) == (Decimal("0.925"), Decimal("0.1"), 1000)
    assert made.labels == ("a", "b", "c")
    paid, _ = changed_plan(PLAN, now._replace(target="", gain="1", loss="3"))
    assert paid is not None
    assert paid.target == Decimal("0.75")


def test_another_kind_leaves_the_labels() -> None:
    """With another kind the labels go, without a complaint about those that stood there."""
    made, wrong = changed_plan(PLAN, entered_from(PLAN)._replace(kind="generation"))
    assert made is not None
    assert wrong == {}
    assert (made.kind, made.metric, made.labels) == ("generation", "chrf", ())


@pytest.mark.parametrize(
    ("field", "value", "says"),
    [
        ("target", "most", "no number"),
        ("target", "0.9", "Write 90"),
        ("target", "0", "above 0"),
        ("target", "101", "at most 100"),
        ("target", "nan", "no number"),
        ("effect", "0.05", "Write 5"),
        ("effect", "100", "below 100"),
        ("effect", "-3", "above 0"),
        ("labels", "billing", "one label"),
        ("labels", "a, " + "b" * 81, "longer than"),
        ("have", "12.5", "whole"),
        ("have", "-1", "test rows"),
        ("have", "1e40", "test rows"),
        ("gain", "twenty", "no amount"),
        ("gain", "20", ""),
        ("loss", "-3", "no amount"),
        ("loss", "3", ""),
    ],
)
def test_each_mistake_is_told_at_its_field(field: str, value: str, says: str) -> None:
    """Nothing is planned; the words name what to write, and half a break-even blames the half that lacks."""
    made, wrong = changed_plan(PLAN, entered_from(PLAN)._replace(**{field: value}))
    assert made is None
    blamed = {"gain": "loss", "loss": "gain"}.get(field, field) if says == "" else field
    assert set(wrong) == {blamed}
    assert says in wrong[blamed]


def test_mistakes_are_told_all_at_once() -> None:
    """Two wrong fields give two errors; new labels for another kind are one of them."""
    made, wrong = changed_plan(PLAN, entered_from(PLAN)._replace(kind="style", labels="x, y", target="x"))
    assert made is None
    assert set(wrong) == {"labels", "target"}
