"""Knows how a run is priced at several places before anybody decides, and how a waiting quote is changed in place."""

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, NamedTuple

from knowledge.errors import LuthierError, UserError
from knowledge.tenancy import Person
from trainers import policy
from trainers.backends import QUEUES
from trainers.costs.epochs import recommend
from trainers.evals.plan_store import Plans
from trainers.jobs import accounts, approval
from trainers.jobs.ledger import move, read
from trainers.jobs.service import Jobs, Outcome, spec_of
from trainers.quotes import VALID_FOR, Quote
from trainers.spec import Hyperparameters, Method, TrainingSpec, usual
from trainers.tables import Dataset, Job

KNOBS = ("epochs", "rank", "learning_rate", "learning_rate_multiplier")
"""What people may change of a run."""


class Priced(NamedTuple):
    """What a run would take at one place."""

    backend: str
    quote: Quote | None
    why_not: str = ""
    """Why there is no quote."""


def spec_for(base: str, backend: str, rows: int, *, pairs: bool = False, **knobs: Any) -> TrainingSpec:
    """Return a run on `rows` rows, or preference `pairs`, with the usual knobs of its place, and those chosen."""
    chosen = {name: value for name, value in knobs.items() if value is not None}
    if backend == "local":
        method = Method.DPO if pairs else Method.LORA
        return TrainingSpec(base=base, backend=backend, method=method, hyperparameters=replace(usual(method), **chosen))
    method = Method.DPO if pairs else Method.SUPERVISED
    hosted = replace(Hyperparameters(epochs=recommend(rows).epochs), **chosen)
    return TrainingSpec(base=base, backend=backend, method=method, hyperparameters=hosted)


def priced(
    jobs: Jobs, dataset: Dataset, specs: Sequence[TrainingSpec], person: Person, now: datetime, plan: str = ""
) -> list[Priced]:
    """Quote a run at several places, the cheapest known price first; nothing is kept and nothing begins."""
    made = [_priced(jobs, dataset, spec, person, now, plan) for spec in specs]

    def order(each: Priced) -> tuple[bool, bool, Any]:
        total = None if each.quote is None else each.quote.total
        return each.quote is None, total is None, total or 0

    return sorted(made, key=order)


def change(jobs: Jobs, job_id: str, knobs: dict[str, Any], person: Person, now: datetime) -> Outcome:
    """Quote a job anew with other knobs, in its place; approvals of the quote before are worth nothing then.

    Raises NotAllowed for somebody who may not, UserError where the quote no longer waits, or for a knob out of range.
    """
    job = jobs.ledger.get(job_id)
    policy.check_workspace(job, person)
    if job.state not in approval.OPEN or job.kind != "train":
        raise UserError(f"Quote #{job.number} is {job.state.replace('_', ' ')}.", "Ask for a new one with `train`.")
    spec = changed(spec_of(job), knobs)
    plan = str(json.loads(job.quote)["rule"].get("plan", ""))
    offer = jobs.offer(jobs.datasets.get(job.dataset_id), spec, person, "train", _plan_id(jobs, job, plan), now)
    fresh: dict[str, Any] = {
        "spec": json.dumps(spec.to_json()),
        "quote": json.dumps(offer.to_json()),
        "quote_hash": offer.hash,
        "queue": QUEUES.get(spec.backend, "cpu"),
        "asked_at": None,
        "reminded_at": None,
        "expires_at": now + VALID_FOR,
    }
    with jobs.ledger.transaction() as connection:
        held = read(connection, job_id, lock=True)
        rules = policy.rules_of(connection, job.workspace_id)
        policy.check_stop(held, person, rules)
        if held.quote_hash == offer.hash:
            return Outcome(held, changed=False)
        if held.state not in approval.OPEN or not move(connection, held, "quoted", person.user_id, now, **fresh):
            return Outcome(read(connection, job_id), changed=False)
        after = read(connection, job_id)
        cost = accounts.cost_of(after)
        told = {"quote": after.quote_hash, "dollars": None if cost is None else str(cost)}
        accounts.tell(connection, after, person.user_id, "changed the quote", now, **told)
        approval.show(connection, after, rules, now)
        return Outcome(after, changed=True)


def changed(spec: TrainingSpec, knobs: dict[str, Any]) -> TrainingSpec:
    """Return a spec with other knobs; raises UserError for one that does not exist or is out of range."""
    if unknown := set(knobs) - set(KNOBS):
        raise UserError(f"{', '.join(sorted(unknown))} cannot be changed.", f"Choose among {', '.join(KNOBS)}.")
    return replace(spec, hyperparameters=replace(spec.hyperparameters, **knobs))


def _priced(jobs: Jobs, dataset: Dataset, spec: TrainingSpec, person: Person, now: datetime, plan: str) -> Priced:
    try:
        return Priced(spec.backend, jobs.offer(dataset, spec, person, "train", plan, now))
    except LuthierError as problem:
        return Priced(spec.backend, None, f"{problem.what} {problem.next_step}".strip())


def _plan_id(jobs: Jobs, job: Job, digest: str) -> str:
    if not digest:
        return ""
    stored = Plans(engine=jobs.ledger.engine, folder=jobs.datasets.folder).frozen_as(job.workspace_id, digest=digest)
    return stored.id if stored else ""
