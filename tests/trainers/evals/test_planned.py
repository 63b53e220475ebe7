"""A frozen plan becomes the rule of a job, and a report learns what no longer fits it."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from knowledge.errors import UserError
from knowledge.tenancy import Person
from trainers.data.review import Key, Reviews
from trainers.data.review_finish import finish
from trainers.data.store import Datasets
from trainers.evals import planned
from trainers.evals.plan import EvalPlan, make_plan
from trainers.evals.plan_store import Plans, StoredPlan
from trainers.evals.plans.choices import KINDS
from trainers.tables import EvalPlanRow, Review

NOON = datetime(2026, 11, 12, 12, 0, tzinfo=UTC)
ADA = Person(workspace_id="T1", user_id="U0ADA")
PLAN = make_plan("Sort tickets into billing, returns, other", target=Decimal("0.9"))
WORDED = make_plan("Answer letters of customers kindly", kind="generation")


@pytest.fixture
def test_file(tmp_path: Path) -> Path:
    """Test rows that wait for nothing."""
    path = tmp_path / "test.jsonl"
    lines = [
        {"messages": [{"role": "user", "content": f"ticket {n}"}, {"role": "assistant", "content": "billing"}]}
        for n in range(20)
    ]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


def keep(engine: Engine, path: Path, plan: EvalPlan = PLAN, name: str = "tickets", now: datetime = NOON) -> StoredPlan:
    """Save a plan and freeze it with a file."""
    plans = Plans(engine=engine)
    plans.save(plan, name=name, person=ADA, now=now)
    return plans.freeze("T1", name, path, now)


@pytest.mark.parametrize("kind", KINDS)
def test_the_rule_is_what_the_plan_says(kind: str) -> None:
    """Every kind of plan gives a rule with its metric, bounds, labels, guardrails and digest."""
    plan = make_plan("Sort tickets into billing, returns, other", kind=kind, target=Decimal("0.8"))
    rule = planned.rule_of(plan)
    for name in ("metric", "useful_effect", "level", "minimum_rows", "target", "labels", "schema"):
        assert getattr(rule, name) == getattr(plan, name)
    assert rule.plan == plan.digest
    assert [rail.name for rail in rule.guardrails] == [rail.name for rail in plan.guardrails]
    assert [rail.margin for rail in rule.guardrails] == [rail.margin for rail in plan.guardrails]
    assert rule.options == {"task": plan.task}
    assert planned.rule_of(plan, judge=True).metric == ("judged" if plan.metric == "chrf" else plan.metric)


def test_a_plan_is_found_by_its_rows(engine: Engine, test_file: Path, tmp_path: Path) -> None:
    """The newest frozen plan with these very bytes is found, however many others there are, and in no other place."""
    assert planned.plan_for(engine, "T1", test_file) is None
    Plans(engine=engine).save(PLAN, name="open", person=ADA, now=NOON)
    assert planned.plan_for(engine, "T1", test_file) is None
    keep(engine, test_file, name="older")
    newest = keep(engine, test_file, name="newer", now=NOON + timedelta(hours=1))
    assert planned.plan_for(engine, "T1", test_file) == newest
    assert planned.plan_for(engine, "T2", test_file) is None
    other = tmp_path / "other.jsonl"
    other.write_bytes(test_file.read_bytes() + b"\n")
    assert planned.plan_for(engine, "T1", other) is None


def test_a_plan_is_found_behind_a_hundred_newer_ones(engine: Engine, test_file: Path) -> None:
    """The listing ends after 100 plans; the rows and the rule of an older one still find it."""
    stored = keep(engine, test_file)
    body, later = json.dumps(PLAN.to_json()), NOON + timedelta(hours=1)
    newer = [
        EvalPlanRow(
            id=f"p{n}", workspace_id="T1", name=f"p{n}", body=body, digest="d", created_by="U0ADA", created_at=later
        )
        for n in range(101)
    ]
    with Session(engine) as session:
        session.add_all(newer)
        session.commit()
    assert stored not in Plans(engine=engine).listing("T1")
    assert planned.plan_for(engine, "T1", test_file) == stored
    assert planned.changed(engine, "T1", planned.rule_of(stored.plan), test_file) == ""


def test_only_a_frozen_plan_can_be_chosen(engine: Engine, test_file: Path) -> None:
    """A plan is chosen by name or id; one that was never frozen, or is not there, is refused."""
    Plans(engine=engine).save(PLAN, name="tickets", person=ADA, now=NOON)
    with pytest.raises(UserError, match="'tickets' was never frozen"):
        planned.frozen(engine, "T1", "tickets")
    with pytest.raises(UserError, match="no evaluation plan"):
        planned.frozen(engine, "T1", "none")
    stored = Plans(engine=engine).freeze("T1", "tickets", test_file, NOON)
    assert planned.frozen(engine, "T1", "tickets") == planned.frozen(engine, "T1", stored.id) == stored


def test_what_changed_since_is_named(engine: Engine, test_file: Path) -> None:
    """Edited rows, a lower bar, a dropped target and a plan that is gone are told; nothing is said of nothing."""
    rule = planned.rule_of(keep(engine, test_file).plan)
    assert planned.changed(engine, "T1", rule, test_file) == ""
    assert planned.changed(engine, "T1", replace(rule, plan=""), test_file) == ""
    assert planned.changed(engine, "T1", replace(rule, plan="f" * 64), test_file) == planned.NO_PLAN
    assert planned.changed(engine, "T2", rule, test_file) == planned.NO_PLAN
    looser = replace(rule, useful_effect=Decimal("0.01"), target=None)
    assert planned.changed(engine, "T1", looser, test_file) == (
        "The rule changed after it was frozen on 12 Nov 2026: the smallest useful effect 0.05 → 0.01, "
        "the target 0.9 → none."
    )
    assert "the metric accuracy → judged" in planned.changed(engine, "T1", replace(rule, metric="judged"), test_file)
    test_file.write_text(test_file.read_text().replace("ticket 3", "ticket three"))
    assert planned.changed(engine, "T1", rule, test_file).startswith("The test rows changed after they were frozen")


def test_a_judge_in_place_of_chrf_is_no_change(engine: Engine, test_file: Path) -> None:
    """Where a plan would only detect change, a judge decides without a false alarm."""
    stored = keep(engine, test_file, WORDED)
    rule = planned.rule_of(stored.plan, judge=True)
    assert rule.metric == "judged"
    assert planned.changed(engine, "T1", rule, test_file) == ""
    assert planned.changed(engine, "T1", planned.rule_of(stored.plan), test_file) == ""


def reviewed(reviews: Reviews, title: str, purpose: str = "test", plan: EvalPlan | None = PLAN) -> Review:
    """Draft, keep and finish two rows."""
    drafts = [
        {"messages": [{"role": "user", "content": f"ticket {n}"}, {"role": "assistant", "content": "billing"}]}
        for n in range(2)
    ]
    spec = {} if plan is None else {"plan": plan.to_json()}
    where = {"channel": "C0ASK", "thread_ts": "1.1"}
    made = reviews.begin(drafts, purpose=purpose, title=title, spec=spec, person=ADA, **where, now=NOON)  # type: ignore[arg-type]  # one of the two
    for place in (1, 2):
        reviews.keep(ADA, Key(made.id, place, 1), NOON)
    return finish(reviews, ADA, made.id, NOON).review


TITLES = (
    "tickets",
    "Sort tickets\ninto  three queues",
    f"{'x' * 59} y",
    "x" * 200,
    "sort \u202e\u200btickets",
    "\u202e",
)


def test_reviewed_rows_freeze_their_plan_once(engine: Engine, tmp_path: Path) -> None:
    """Whatever a task looks like, its plan is frozen with the kept rows, and again is the same plan."""
    reviews = Reviews(engine=engine, datasets=Datasets(engine, tmp_path))
    for title in TITLES:
        review = reviewed(reviews, title)
        first = planned.freeze_reviewed(engine, reviews, review, ADA, NOON)
        assert first is not None
        assert first.frozen
        assert first.plan.test_sha256 == json.loads(review.result)["sha256"]
        assert planned.freeze_reviewed(engine, reviews, review, ADA, NOON + timedelta(days=1)) == first
    assert len(Plans(engine=engine).listing("T1")) == len(TITLES)


def test_other_reviews_freeze_nothing(engine: Engine, tmp_path: Path) -> None:
    """Rows without a plan, and a review that is not finished, freeze nothing."""
    reviews = Reviews(engine=engine, datasets=Datasets(engine, tmp_path))
    assert planned.freeze_reviewed(engine, reviews, reviewed(reviews, "tickets", plan=None), ADA, NOON) is None
    opened = reviews.begin(
        [], purpose="test", title="t", spec={"plan": PLAN.to_json()}, person=ADA, channel="C", thread_ts="1", now=NOON
    )
    assert planned.freeze_reviewed(engine, reviews, opened, ADA, NOON) is None
    assert Plans(engine=engine).listing("T1") == []
