"""How a frozen evaluation plan becomes the rule of a job, and what no longer fits it; it makes no plan."""

import hashlib
import json
from datetime import datetime
from pathlib import Path

from sqlalchemy import Engine

from knowledge.errors import UserError
from knowledge.tenancy import Person
from trainers.data.review import Reviews
from trainers.data.review_finish import finished
from trainers.evals.guardrails import guardrails
from trainers.evals.plan_store import Plans, StoredPlan, changed_since
from trainers.evals.plans.body import EvalPlan
from trainers.evals.rule import SuccessRule
from trainers.tables import Review

NO_PLAN = "The evaluation plan that this rule comes from is gone, so nobody can say whether its rows are the same."


def rule_of(plan: EvalPlan, *, judge: bool = False) -> SuccessRule:
    """Return the rule that a plan asks for; where it would only detect change and there is a `judge`, that decides."""
    metric = "judged" if judge and plan.metric == "chrf" else plan.metric
    return SuccessRule(
        metric=metric,
        useful_effect=plan.useful_effect,
        level=plan.level,
        minimum_rows=plan.minimum_rows,
        target=plan.target,
        labels=plan.labels,
        schema=plan.schema,
        options={"task": plan.task},
        guardrails=guardrails(rail.name for rail in plan.guardrails),
        plan=plan.digest,
    )


def plan_for(engine: Engine, workspace_id: str, test: Path) -> StoredPlan | None:
    """Return the newest frozen plan whose test rows are exactly this file's bytes, if there is one."""
    sha256 = hashlib.sha256(test.read_bytes()).hexdigest()
    frozen = (stored for stored in Plans(engine=engine).listing(workspace_id) if stored.frozen)
    return next((stored for stored in frozen if stored.plan.test_sha256 == sha256), None)


def frozen(engine: Engine, workspace_id: str, name: str) -> StoredPlan:
    """Return a frozen plan by its name or id; raises UserError where there is none or it was never frozen."""
    stored = Plans(engine=engine).get(workspace_id, name)
    if not stored.frozen:
        raise UserError(f"The plan {stored.name!r} was never frozen.", "Freeze it with its test rows first.")
    return stored


def freeze_reviewed(
    engine: Engine, reviews: Reviews, review: Review, person: Person, now: datetime
) -> StoredPlan | None:
    """Freeze the plan that a finished review of test rows was drafted for, with these rows; None where it has none.

    The same review again finds what it froze before.
    """
    plan = json.loads(review.spec).get("plan")
    if plan is None or review.purpose != "test" or review.state != "finished":
        return None
    plans, name = Plans(engine=engine), " ".join(f"{review.title[:60]} ({review.id[-6:]})".split())
    found = next((stored for stored in plans.listing(person.workspace_id) if stored.name == name), None)
    if found is None or not found.frozen:
        plans.save(EvalPlan.from_json(plan), name=name, person=person, now=now)
        found = plans.freeze(person.workspace_id, name, finished(reviews, review).rows, now)
    return found


def changed(engine: Engine, workspace_id: str, rule: SuccessRule, test: Path) -> str:
    """Say what is no longer as the rule's plan froze it; "" where all is, and for a rule without a plan."""
    if not rule.plan:
        return ""
    stored = next((one for one in Plans(engine=engine).listing(workspace_id) if one.digest == rule.plan), None)
    if stored is None:
        return NO_PLAN
    applied = rule.to_json() | ({"metric": stored.plan.metric} if rule.metric == "judged" else {})
    return changed_since(stored, test, applied)
