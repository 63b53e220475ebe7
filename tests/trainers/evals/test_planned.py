"""A frozen plan becomes the rule of a job, and a report learns what no longer fits it."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine
from sqlmodel import Session

from knowledge.errors import UserError
from knowledge.tenancy import Person
from trainers.data.review import Key, Reviews
from trainers.data.review_finish import finish
from trainers.data.store import Datasets
from trainers.evals import planned
from trainers.evals.guardrails import Guardrail
from trainers.evals.plan import EvalPlan, make_plan, plan_text
from trainers.evals.plan_store import Plans, StoredPlan
from trainers.evals.plans.choices import KINDS
from trainers.tables import Dataset, EvalPlanRow, Job, ModelVersion, Review

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
    assert rule.guardrails == plan.guardrails
    assert rule.options == {"task": plan.task}
    assert planned.rule_of(plan, judge=True).metric == ("judged" if plan.metric == "chrf" else plan.metric)


def test_a_plan_is_found_by_its_rows(engine: Engine, test_file: Path, tmp_path: Path) -> None:
    """The frozen plan with these very bytes is found, and in no other place; one that is open is not."""
    assert planned.plan_for(engine, "T1", test_file) is None
    Plans(engine=engine).save(PLAN, name="open", person=ADA, now=NOON)
    assert planned.plan_for(engine, "T1", test_file) is None
    stored = keep(engine, test_file)
    assert planned.plan_for(engine, "T1", test_file) == stored
    assert planned.plan_for(engine, "T2", test_file) is None
    other = tmp_path / "other.jsonl"
    other.write_bytes(test_file.read_bytes() + b"\n")
    assert planned.plan_for(engine, "T1", other) is None


def test_of_two_frozen_plans_the_first_counts(engine: Engine, test_file: Path) -> None:
    """Where an older version froze a second plan with the same rows, it changes no rule."""
    stored = keep(engine, test_file)
    laxer = replace(stored.plan, useful_effect=Decimal("0.01"))
    later = {"created_by": "U0ADA", "created_at": NOON + timedelta(hours=1), "frozen_at": NOON + timedelta(hours=1)}
    body, sha256 = json.dumps(laxer.to_json()), laxer.test_sha256
    with Session(engine) as session:
        session.add(
            EvalPlanRow(
                id="p2", workspace_id="T1", name="p2", body=body, digest=laxer.digest, test_sha256=sha256, **later
            )
        )
        session.commit()
    assert planned.plan_for(engine, "T1", test_file) == stored


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


def test_what_a_plan_froze_of_its_guardrails_is_applied(engine: Engine, test_file: Path) -> None:
    """Margins, gates and guardrails that guardrails.toml has otherwise, or no longer, come from the plan."""
    strict = Guardrail(name="general", title="General skills", margin=Decimal("0.02"), gate=True)
    gone = Guardrail(name="manners", title="Manners", margin=Decimal("0.01"), gate=False, unit="row")
    stored = keep(engine, test_file, replace(PLAN, guardrails=(strict, gone)))
    rule = planned.rule_of(Plans(engine=engine).get("T1", "tickets").plan)
    assert rule.guardrails == (strict, gone)
    assert planned.changed(engine, "T1", rule, test_file) == ""
    assert "Manners: at most 1 points lost (shown only)." in plan_text(stored.plan)


def test_a_guardrail_of_an_older_plan_is_read(engine: Engine) -> None:
    """A plan that kept reasons and no gates is completed from guardrails.toml; one nobody knows is a gate."""
    data = PLAN.to_json()
    old = {"title": "T", "margin": "0.02", "why": "w"}
    data["guardrails"] = [{"name": "content_kept", **old}, {"name": "manners", **old}]
    read = EvalPlan.from_json(data).guardrails
    assert [(rail.margin, rail.gate, rail.unit) for rail in read] == [
        (Decimal("0.02"), False, "row"),
        (Decimal("0.02"), True, "probe"),
    ]


CHANGES = (
    ({"labels": ("billing", "other")}, "the labels billing / returns / other → billing / other"),
    ({"schema": {"type": "object"}}, "the schema is another"),
    ({"options": {"task": "x"}}, "the setting of the metric is another"),
    ({"level": 0.8}, "the confidence level 0.95 → 0.8"),
    ({"guardrails": ()}, "the guardrail general was left out, the guardrail refusal was left out"),
)


@pytest.mark.parametrize(("changes", "words"), CHANGES)
def test_every_part_of_a_rule_is_compared(engine: Engine, test_file: Path, changes: Any, words: str) -> None:
    """Labels, schema, settings and guardrails are looked at as well as the bounds."""
    rule = replace(planned.rule_of(keep(engine, test_file).plan), **changes)
    said = planned.changed(engine, "T1", rule, test_file)
    assert said == f"The rule changed after it was frozen on 12 Nov 2026: {words}."


def test_another_margin_gate_or_guardrail_is_named(engine: Engine, test_file: Path) -> None:
    """Each difference of a guardrail is told by its name."""
    rule = planned.rule_of(keep(engine, test_file).plan)
    general, refusal = rule.guardrails
    more = replace(general, name="valid")
    moved = (replace(general, margin=Decimal("0.3")), replace(refusal, gate=False), more)
    said = planned.changed(engine, "T1", replace(rule, guardrails=moved), test_file)
    assert "the margin of the guardrail general 0.10 → 0.3, the guardrail refusal is another" in said
    assert "the guardrail valid was added" in said


def test_what_no_longer_is_as_stored_is_named(engine: Engine, test_file: Path) -> None:
    """A plan that was never frozen, a missing file and a plan that was changed in place are told."""
    opened = Plans(engine=engine).save(PLAN, name="open", person=ADA, now=NOON)
    stored = keep(engine, test_file)
    rule = planned.rule_of(stored.plan)
    assert "never frozen" in planned.changed_since(opened, test_file, rule)
    assert planned.changed_since(stored, test_file, rule) == ""
    tampered = replace(stored, plan=replace(stored.plan, useful_effect=Decimal("0.01")))
    assert "no longer matches its digest" in planned.changed_since(tampered, test_file, rule)
    test_file.unlink()
    assert "the file is gone" in planned.changed_since(stored, test_file, rule)


def trained(engine: Engine, approved_at: datetime) -> str:
    """Write down a model and the job that trained it; gives the model's id."""
    dataset = Dataset(
        id="d1", workspace_id="T1", name="t", version=1, train_path="t", test_path="t", train_rows=1, test_rows=1,
        sha256="0", provenance="p", lint="{}", created_by="U0ADA", created_at=approved_at,
    )  # fmt: skip
    job = Job(
        id="job_1", workspace_id="T1", number=1, kind="train", state="quoted", title="t", queue="cpu",
        spec="{}", quote="{}", quote_hash="h", requested_by="U0ADA", dataset_id="d1",
        created_at=approved_at, approved_at=approved_at,
    )  # fmt: skip
    model = ModelVersion(
        id="model_1", workspace_id="T1", job_id=job.id, name="t", base="b", adapter_path="a", created_at=approved_at
    )
    with Session(engine) as session:
        for row in (dataset, job, model):
            session.add(row)
            session.flush()
        session.commit()
    return "model_1"


@pytest.mark.parametrize(("hours", "late"), [(-1, True), (1, False)])
def test_a_plan_that_came_after_the_training_is_told(engine: Engine, test_file: Path, hours: int, late: bool) -> None:
    """A plan that was frozen when the model was in training or done is none from before it: it is said."""
    rule = planned.rule_of(keep(engine, test_file).plan)
    model = trained(engine, NOON + timedelta(hours=hours))
    said = planned.changed(engine, "T1", rule, test_file, model)
    assert said.startswith("The plan was frozen on 12 Nov 2026, after the training of this model had begun") == late
    assert bool(said) == late
    assert planned.changed(engine, "T1", rule, test_file, "model_2") == ""


def reviewed(reviews: Reviews, title: str, purpose: str = "test", plan: EvalPlan | None = PLAN) -> Review:
    """Draft, keep and finish two rows."""
    drafts = [
        {"messages": [{"role": "user", "content": f"{title} {n}"}, {"role": "assistant", "content": "billing"}]}
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


def test_whoever_finishes_at_the_same_moment_is_told_of_the_same_plan(engine: Engine, tmp_path: Path) -> None:
    """Several clicks on Finish freeze one plan; none of them hears that it was frozen by somebody already."""
    reviews = Reviews(engine=engine, datasets=Datasets(engine, tmp_path))
    for title in map(str, range(10)):
        review, ready = reviewed(reviews, title), threading.Barrier(4)

        def freeze(review: Review = review, ready: threading.Barrier = ready) -> str:
            ready.wait()
            stored = planned.freeze_reviewed(engine, reviews, review, ADA, NOON)
            return stored.id if stored is not None and stored.frozen else ""

        with ThreadPoolExecutor(4) as pool:
            (one,) = {each.result() for each in [pool.submit(freeze) for _ in range(4)]}
        assert one


def test_other_reviews_freeze_nothing(engine: Engine, tmp_path: Path) -> None:
    """Rows without a plan, and a review that is not finished, freeze nothing."""
    reviews = Reviews(engine=engine, datasets=Datasets(engine, tmp_path))
    assert planned.freeze_reviewed(engine, reviews, reviewed(reviews, "tickets", plan=None), ADA, NOON) is None
    opened = reviews.begin(
        [], purpose="test", title="t", spec={"plan": PLAN.to_json()}, person=ADA, channel="C", thread_ts="1", now=NOON
    )
    assert planned.freeze_reviewed(engine, reviews, opened, ADA, NOON) is None
    assert Plans(engine=engine).listing("T1") == []
