"""How a frozen evaluation plan becomes the rule of a job, and what does not fit it; it makes no plan."""

import hashlib
import json
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, NamedTuple

from sqlalchemy import Engine, select

from knowledge.errors import UserError
from knowledge.tenancy import Person
from trainers import audit
from trainers.data.findings import name_lines
from trainers.data.jsonl import read_rows
from trainers.data.review import Look, Reviews
from trainers.data.review_finish import finished
from trainers.data.review_rows import turns_of
from trainers.data.titles import at_word
from trainers.errors import AnswersUnknown
from trainers.evals.metrics.confusion import LabelReader
from trainers.evals.plan_store import Plans, StoredPlan
from trainers.evals.plans.body import EvalPlan
from trainers.evals.plans.fitting import remarks
from trainers.evals.rule import SuccessRule
from trainers.tables import AuditEntry, Job, ModelVersion, Review, ReviewRow

_jobs = Job.__table__  # type: ignore[attr-defined]  # SQLModel adds it at class creation
_models = ModelVersion.__table__  # type: ignore[attr-defined]  # the same
_log = AuditEntry.__table__  # type: ignore[attr-defined]  # the same

NO_PLAN = "The evaluation plan that this rule comes from is gone, so nobody can say whether its rows are the same."

DRAFTING = "had test rows drafted"
"""What the audit calls it: a language model may be asked for them."""

MOMENT = timedelta(minutes=1)
"""A second click on the same card within this is the same wish."""

NAMED = 12
"""Labels that a sentence spells out."""

_PARTS = {
    "metric": "the metric",
    "useful_effect": "the smallest useful effect",
    "level": "the confidence level",
    "minimum_rows": "the least number of rows",
    "target": "the target",
    "labels": "the labels",
}
"""Parts of a rule that are told with their values."""

_WHOLE = {"schema": "the schema", "options": "the setting of the metric"}
"""Parts that are too long for that."""


class Short(NamedTuple):
    """A review that keeps fewer test rows than its plan can ever pass with."""

    kept: int
    left: int
    """Rows that nobody has decided about."""
    minimum: int

    @property
    def missing(self) -> int:
        """Rows that are to be kept besides."""
        return self.minimum - self.kept


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
        guardrails=plan.guardrails,
        plan=plan.digest,
    )


def plan_for(engine: Engine, workspace_id: str, test: Path) -> StoredPlan | None:
    """Return the plan that was frozen first and whose test rows are exactly this file's bytes, if there is one."""
    sha256 = hashlib.sha256(test.read_bytes()).hexdigest()
    return Plans(engine=engine).frozen_as(workspace_id, test_sha256=sha256)


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
    plan = _plan_of(review)
    if plan is None or review.state != "finished":
        return None
    plans, name = Plans(engine=engine, folder=reviews.datasets.folder), _name(review)
    rows = finished(reviews, review).rows
    plans.ensure(plan, name=name, person=person, now=now)  # somebody else who finishes may freeze it at any moment
    return plans.freeze(person.workspace_id, name, rows, now)


def frozen_remarks(reviews: Reviews, review: Review, plan: EvalPlan) -> str:
    """Say what the kept rows of a finished review can show under their plan; "" if all is well."""
    return remarks(plan, read_rows(finished(reviews, review).rows).rows)


def too_few(look: Look) -> Short | None:
    """Return how far an open review is from the rows that its plan needs to ever pass; None where it has them."""
    plan, kept = _plan_of(look.review), sum(row.status == "kept" for row in look.rows)
    if plan is None or look.review.state != "open" or not 0 < kept < plan.minimum_rows:
        return None
    return Short(kept, sum(row.status == "draft" for row in look.rows), plan.minimum_rows)


def answer_refused(review: Review, target: str) -> str:
    """Say why a plan that a review of test rows is for could not be frozen with this answer; "" where it could."""
    labels = _labels(review)
    if not labels or LabelReader(labels).label(target) is not None:
        return ""
    return f"The plan has no such label, so it could not be frozen. Use {_one_of(labels)}."


def check_answers(review: Review, kept: Sequence[ReviewRow]) -> None:
    """Raise AnswersUnknown where a plan could not be frozen with the rows that are kept, while they can be mended."""
    labels = _labels(review)
    reader = LabelReader(labels)
    places = [row.place for row in kept if labels and reader.label(turns_of(row)[-1].content) is None]
    if not places:
        return
    rows = name_lines(places).replace("line", "row", 1)
    have = "has an answer" if len(places) == 1 else "have answers"
    raise AnswersUnknown(
        f"{rows[0].upper()}{rows[1:]} {have} that the plan does not know, so it could not be frozen. The review stays "
        "open.",
        f"The card shows row {places[0]}: use Edit ({_one_of(labels)}) or Drop, then Finish. If a label is missing in "
        "the plan, plan again with all of them.",
        place=places[0],
    )


def _labels(review: Review) -> Sequence[str]:
    """Return the labels of the plan that a review of test rows is for; none where it is for no such plan."""
    plan = _plan_of(review)
    return plan.labels if plan is not None else ()


def _one_of(labels: Sequence[str]) -> str:
    more = f", or another of its {len(labels):,} labels" if len(labels) > NAMED else ""
    return f"one of: {', '.join(labels[:NAMED])}{more}"


def may_draft(engine: Engine, person: Person, card: str, click: str, now: datetime) -> bool:
    """Note that a person has test rows drafted from a plan's card; False where a click of theirs did a moment ago.

    The same click again may: the process that had it may have died.
    """
    who = (_log.c.workspace_id == person.workspace_id) & (_log.c.who == person.user_id)
    same = who & (_log.c.what == DRAFTING) & (_log.c.subject == card) & (_log.c.at > now - MOMENT)
    with engine.begin() as connection:
        audit.take_turn(connection, person.workspace_id)
        noted = connection.execute(select(_log.c.detail).where(same).limit(1)).scalar()
        if noted is None:
            audit.write(connection, person.workspace_id, person.user_id, DRAFTING, card, now, click=click)
        return noted is None or json.loads(noted)["click"] == click


def _plan_of(review: Review) -> EvalPlan | None:
    """Return the plan that a review of test rows was drafted for."""
    plan = json.loads(review.spec).get("plan")
    return EvalPlan.from_json(plan) if plan is not None and review.purpose == "test" else None


def _name(review: Review) -> str:
    """Call a review's plan by its title, on one line and without signs that nobody sees, and the end of its id."""
    title = "".join(sign if sign.isprintable() else " " for sign in review.title)
    return f"{at_word(title, 60)} ({review.id[-6:]})".strip()


def changed(engine: Engine, workspace_id: str, rule: SuccessRule, test: Path, model_id: str = "") -> str:
    """Say what is no longer as the rule's plan froze it; "" where all is, and for a rule without a plan.

    `model_id` is an earlier model that is judged: of its training the plan may know nothing.
    """
    if not rule.plan:
        return ""
    stored = Plans(engine=engine).frozen_as(workspace_id, digest=rule.plan)
    if stored is None:
        return NO_PLAN
    return f"{_too_late(engine, stored, workspace_id, model_id)} {changed_since(stored, test, rule)}".strip()


def changed_since(stored: StoredPlan, test: Path, rule: SuccessRule) -> str:
    """Say for a report what differs from what was frozen: the test rows, the rule that decides; "" if nothing does."""
    if stored.frozen_at is None:
        return "The plan was never frozen, so nothing proves that rows and rule are those planned."
    when = _day(stored.frozen_at)
    said = []
    now = hashlib.sha256(test.read_bytes()).hexdigest() if test.is_file() else ""
    if now != stored.plan.test_sha256:
        became = f"{now[:4]}…" if now else "the file is gone"
        said.append(
            f"The test rows changed after they were frozen on {when} (hash {stored.plan.test_sha256[:4]}… → {became})."
        )
    moved = ", ".join(_moved(stored.plan, rule))
    if moved:
        said.append(f"The rule changed after it was frozen on {when}: {moved}.")
    if stored.digest != stored.plan.digest:
        said.append(f"The plan no longer matches its digest of {when}.")
    return " ".join(said)


def _too_late(engine: Engine, stored: StoredPlan, workspace_id: str, model_id: str) -> str:
    """Say that a plan was frozen when the training of the model that it judges had been approved already."""
    ours = (_models.c.id == model_id) & (_models.c.workspace_id == workspace_id)
    query = select(_jobs.c.approved_at, _jobs.c.created_at).join(_models, _models.c.job_id == _jobs.c.id).where(ours)
    with engine.execution_options(reading=True).connect() as connection:
        row = connection.execute(query).one_or_none()
    began = None if row is None else row.approved_at or row.created_at
    if began is None or stored.frozen_at is None or stored.frozen_at <= began:
        return ""
    return (
        f"The plan was frozen on {_day(stored.frozen_at)}, after the training of this model had begun on {_day(began)}:"
        " it was not fixed beforehand."
    )


def _moved(plan: EvalPlan, rule: SuccessRule) -> Iterator[str]:
    """Name each part of a rule that is not as planned; a judge in place of chrF, which only detects change, is."""
    planned = rule_of(plan, judge=rule.metric == "judged").to_json()
    applied = rule.to_json()
    for key, name in _PARTS.items():
        if planned[key] != applied[key]:
            yield f"{name} {_value(planned[key])} → {_value(applied[key])}"
    yield from (f"{name} is another" for key, name in _WHOLE.items() if planned[key] != applied[key])
    before, after = ({rail.name: rail for rail in rails} for rails in (plan.guardrails, rule.guardrails))
    for name in dict.fromkeys((*before, *after)):
        was, now = before.get(name), after.get(name)
        if was is None or now is None:
            yield f"the guardrail {name} was {'left out' if now is None else 'added'}"
        elif was.margin != now.margin:
            yield f"the margin of the guardrail {name} {was.margin} → {now.margin}"
        elif was != now:
            yield f"the guardrail {name} is another"


def _value(value: Any) -> str:
    return (" / ".join(value) if isinstance(value, list) else str(value or "")) or "none"


def _day(moment: datetime) -> str:
    return f"{moment.day} {moment:%b %Y}"
