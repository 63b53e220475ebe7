"""Where one label takes most rows, a plan and a freeze say what accuracy then is worth."""

from decimal import Decimal

from trainers.data.jsonl import Message, Row
from trainers.evals.plan import make_plan
from trainers.evals.plans.fitting import fitted, remarks
from trainers.evals.plans.text import shown_sentence

TASK = "Sort support tickets into billing, returns, other"


def rows(**labels: int) -> list[Row]:
    targets = [label for label, count in labels.items() for _ in range(count)]
    return [Row(n, (Message("user", f"text {n}"), Message("assistant", t))) for n, t in enumerate(targets, start=1)]


def test_a_dominant_label_in_given_rows_is_an_assumption() -> None:
    """Nine of ten rows are `other`: always saying so is right 90% of the time; macro-F1 and rare rows are advised."""
    plan = make_plan(TASK, rows=rows(other=90, billing=9, returns=1), target=Decimal("0.9"))
    (told,) = [each for each in plan.assumptions if "always answering" in each.says]
    assert "90% of your rows are “other”" in told.says
    assert "would reach the target of 90%" in told.says
    assert "fewer than 8 are returns" in told.says
    assert "billing" not in told.says
    assert "macro-F1" in told.correct


def test_up_to_four_rows_of_five_nothing_is_said() -> None:
    """At 80% and below, in rows without known labels and in none at all, accuracy says enough or nothing is known."""
    for given in (rows(other=80, billing=20), rows(Other=8, strange=90, billing=2), []):
        assert not any("always answering" in each.says for each in make_plan(TASK, rows=given).assumptions)


def test_test_rows_that_one_label_dominates_are_noted_when_frozen() -> None:
    """The frozen plan keeps the note, and whoever freezes is told, with what the rows can show."""
    plan, test = make_plan(TASK), rows(other=30, billing=2)
    assert any("94% of the test rows are “other”" in each.says for each in fitted(plan, test).assumptions)
    said = remarks(plan, test)
    assert said.startswith(shown_sentence(plan, 32))
    assert "Fewer than 8 each are billing, returns" in said
    assert fitted(plan, rows(other=10, billing=10, returns=10)) == plan


def test_rows_say_what_they_can_show() -> None:
    """Too few can never pass, fewer than planned show a larger gain, enough need no words."""
    plan = make_plan(TASK)
    assert shown_sentence(plan, 13) == "13 test rows can never pass: a PASS needs 20 or more."
    assert shown_sentence(plan, 1).startswith("1 test row can never pass")
    assert f"{round(plan.sees(60) * 100)} points or more" in shown_sentence(plan, 60)
    assert "60 test rows of 400 planned" in shown_sentence(plan, 60)
    assert shown_sentence(plan, 400) == ""
