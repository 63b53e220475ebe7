"""Knows how an evaluation over an endpoint is quoted, runs as a job and is paid for; it does not know the calls.

A job of kind "evaluate" with the backend "endpoint". Its quote holds where and whom to ask, at which prices, and the
name of the variable with the key, never the key. What it may cost at most is approved and set aside; it stops before.
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from decimal import Decimal, InvalidOperation
from json import loads
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from knowledge.errors import UserError
from knowledge.tenancy import Person
from trainers import budgets
from trainers.backends.base import Keeper, Waiting
from trainers.data.jsonl import read_rows
from trainers.errors import DatasetRejected
from trainers.evals import metrics
from trainers.evals.arms import labels_of
from trainers.evals.assemble import assemble
from trainers.evals.endpoint.arms import Asking, Told
from trainers.evals.endpoint.contest import Bill, Contest, bill, journal_path
from trainers.evals.endpoint.journal import InUse, Journal, spent_in
from trainers.evals.endpoint.limits import Limits
from trainers.evals.endpoint.spending import Meter
from trainers.evals.endpoint.wire import Endpoint
from trainers.evals.evidence import Evidence
from trainers.evals.metrics import Setup
from trainers.evals.metrics.operations import TokenPrices
from trainers.evals.probes import SUITES, load_probes
from trainers.evals.rule import SuccessRule
from trainers.jobs.accounts import cost_of
from trainers.jobs.evaluating import Bench, Evaluated, write_files
from trainers.jobs.judging import judgement
from trainers.jobs.many_calls import SECONDS_A_CALL, TURN
from trainers.jobs.service import NOWHERE, Jobs, Place
from trainers.policy import dollars
from trainers.quotes import Quote
from trainers.spec import TrainingSpec
from trainers.tables import Dataset, Job

BACKEND = "endpoint"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Whom to ask, where, at what price."""

    url: str
    base: str
    tuned: str
    prices: Mapping[str, TokenPrices] | None
    """By model, in dollars per million tokens; None where nobody knows, which can be quoted but not approved."""
    key_env: str = ""
    """Name of the environment variable that holds the key; "" for none."""
    concurrency: int = 4
    probes: bool = True
    """Whether the shipped probes are asked too; the rule keeps their guardrails, which stay open without them."""
    budget: Decimal | None = None
    """Dollars that may be spent, if less than all may cost at most."""

    def to_json(self) -> dict[str, Any]:
        """Return plain data, money as decimal strings."""
        given = self.prices
        prices = None if given is None else {name: [str(p.prompt), str(p.output)] for name, p in given.items()}
        return {**asdict(self), "prices": prices, "budget": None if self.budget is None else str(self.budget)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "Asked":
        """Read what `to_json` wrote."""
        known = {name: data[name] for name in cls.__dataclass_fields__}
        prices = known["prices"] and {name: TokenPrices(*map(Decimal, p)) for name, p in known["prices"].items()}
        return cls(**known | {"prices": prices, "budget": known["budget"] and Decimal(known["budget"])})


@dataclass(frozen=True, kw_only=True)
class EndpointQuote(Quote):
    """A quote of calls."""

    endpoint: Mapping[str, Any]
    """`Asked.to_json()`, and under `bill` what it will take."""


def read_price(text: str) -> Decimal:
    """Read dollars per million tokens; raises UserError."""
    try:
        price = Decimal(text.strip().removeprefix("$"))
    except InvalidOperation:
        price = Decimal(-1)
    if not price.is_finite() or price < 0:
        raise UserError(
            f"{text!r} is no price.", "Give dollars per million tokens, such as 0.15; 0 for your own server."
        )
    return price


def propose(
    jobs: Jobs, dataset: Dataset, asked: Asked, *, person: Person, now: datetime, place: Place = NOWHERE
) -> Job:
    """Quote an evaluation over an endpoint; nothing is asked and nothing is spent.

    Raises UserError for an address or names that mean nothing.
    """
    Endpoint(url=asked.url)
    Limits.shipped(concurrency=asked.concurrency)
    spec = TrainingSpec(base=asked.base, backend=BACKEND)
    offer = quote_of(dataset, asked, spec, jobs.rule_for(dataset), jobs.datasets.folder)
    offer = replace(offer, plan=jobs.judged_by(dataset, training=False))
    return jobs.propose(dataset, spec, person=person, now=now, place=place, kind="evaluate", offer=offer)


def quote_of(dataset: Dataset, asked: Asked, spec: TrainingSpec, rule: SuccessRule, folder: Path) -> EndpointQuote:
    """Work out what asking will take and cost; `folder` is the data folder. Raises DatasetRejected for pictures."""
    if dataset.pictures:
        what = f"{dataset.name} v{dataset.version} holds pictures, and nobody knows how many tokens each is billed as."
        raise DatasetRejected(what, "Judge on rows without pictures, or describe them in words.")
    train, test = (read_rows(folder / path).rows for path in (dataset.train_path, dataset.test_path))
    rule = rule if rule.plan else rule.fitted(train, test)
    contest = _contest(dataset, asked, rule, folder)
    found = bill(contest, asked.prices)
    per_minute = asked.concurrency * 60
    low, high = (found.calls * seconds / per_minute for seconds in SECONDS_A_CALL)
    cost = None if found.dollars is None else found.dollars[2]
    return EndpointQuote(
        dataset=f"{dataset.name} v{dataset.version}",
        data_sha256=dataset.sha256,
        train_rows=dataset.train_rows,
        test_rows=dataset.test_rows,
        train_tokens=0,
        tokens_exact=False,
        spec=spec,
        rule=rule,
        training_minutes=(0.0, 0.0),
        evaluation_minutes=(low, high),
        time_basis=f"are a guess: 0.5 to 5 s a call, {asked.concurrency} at a time; a busy endpoint takes longer",
        training_cost=Decimal(0),
        evaluation_cost=cost if asked.budget is None or cost is None else min(cost, asked.budget),
        serving_cost_30_days=None,
        cost_basis=_basis(asked, found, rule, contest.prompts.drawn),
        endpoint={**asked.to_json(), "bill": found.to_json()},
    )


def evaluate_over(
    job: Job, dataset: Dataset, bench: Bench, keeper: Keeper, secret: Callable[[str], str]
) -> Evaluated | Waiting:
    """Let the models of an approved job answer and judge them; continues where an earlier worker was.

    `secret` returns the value of a named environment variable. Raises Interrupted and LeaseLost as the keeper does,
    UserError and ServiceError where the endpoint takes no questions.
    """
    offer = loads(job.quote)
    asked, rule = Asked.from_json(offer["endpoint"]), SuccessRule.from_json(offer["rule"])
    endpoint = Endpoint(url=asked.url, key=secret(asked.key_env) if asked.key_env else "")
    run = Run(
        contest=_contest(dataset, asked, rule, bench.data),
        endpoint=endpoint,
        prices=asked.prices or {},
        limit=cost_of(job) or Decimal(0),
        calls=offer["endpoint"]["bill"]["calls"],
        wanted=asked.tuned,
        concurrency=asked.concurrency,
    )
    told = answer(job, run, rule, bench, keeper)
    return (
        told
        if isinstance(told, Waiting)
        else judged(job, told, run, rule, bench.data / dataset.test_path, bench, keeper)
    )


@dataclass(frozen=True, kw_only=True)
class Run:
    """Answers that are to be asked for, and what they may cost."""

    contest: Contest
    endpoint: Endpoint
    prices: Mapping[str, TokenPrices]
    limit: Decimal
    """Dollars that all answers together may cost."""
    calls: int
    """Calls that were quoted, for the progress."""
    wanted: str
    """Name that answers of the tuned model have to carry."""
    spent: str = "spent"
    """What the money is called that answers cost."""
    concurrency: int = 4
    losses: Path | None = None
    """Record of the training's losses, if it was ours."""
    epochs: int = 0


def answer(job: Job, run: Run, rule: SuccessRule, bench: Bench, keeper: Keeper) -> Told | Waiting:
    """Let both models answer over an endpoint, going on where an earlier worker was; raises as `evaluate_over`."""
    folder = bench.data / "jobs" / job.id / "evaluation"
    try:
        journal = Journal(journal_path(folder))
    except InUse as other:
        return Waiting(again_in=TURN, note=other.what)
    try:
        asking = Asking(
            endpoint=run.endpoint,
            contest=run.contest,
            metric=_metric(run.contest, rule),
            limits=Limits.shipped(concurrency=run.concurrency),
            meter=Meter(run.prices, run.limit, journal.spent),
            journal=journal,
            keeper=keeper,
            calls=run.calls,
            spent=run.spent,
        )
        return asking.all(folder)
    finally:
        journal.close()


def paid(connection: Connection, job: Job, data: Path) -> Decimal | None:
    """Return the dollars of this life of a job: what its journal holds beside what was counted before.

    None where the journal cannot be read: nobody knows.
    """
    whole = spent_in(journal_path(data / "jobs" / job.id / "evaluation"))
    return None if whole is None else max(Decimal(0), whole - budgets.spent_by(connection, job.id))


def _contest(dataset: Dataset, asked: Asked, rule: SuccessRule, folder: Path) -> Contest:
    wanted = {rail.name for rail in rule.guardrails} if asked.probes else set()
    return Contest(
        base=asked.base,
        tuned=asked.tuned,
        train=read_rows(folder / dataset.train_path).rows,
        test=read_rows(folder / dataset.test_path).rows,
        labels=rule.labels or labels_of(dataset.labels),
        probes=tuple(probe for probe in load_probes() if probe.suite in wanted),
    )


def _metric(contest: Contest, rule: SuccessRule) -> metrics.Metric:
    setup = Setup(labels=contest.labels, schema=rule.schema, train=contest.train, options=rule.options)
    return metrics.load(rule.metric, setup)


def judged(job: Job, told: Told, run: Run, rule: SuccessRule, test: Path, bench: Bench, keeper: Keeper) -> Evaluated:
    """Let the judge compare, if there is one, and make the report."""
    keeper.progress("reporting", {})
    where, contest = told.answered.predictions.parent, run.contest
    court = judgement(
        bench.court, rule, contest.test, where, base=contest.base, workspace=job.workspace_id, keeper=keeper
    )
    prices = set(run.prices.values())
    trained: dict[str, Any] = {"losses": run.losses, "epochs": run.epochs} if run.losses else {}
    evidence = Evidence(
        predictions=told.answered.predictions,
        rows=contest.test,
        rule=rule,
        train=contest.train,
        labels=contest.labels or None,
        arms=told.answered.arms,
        probes=told.answered.probes,
        prices=prices.pop() if len(prices) == 1 else None,  # where the two models differ no single one is right
        judging=court and court.judging,
        card=court and court.card,
        wanted_model=run.wanted,
        # an answer may name the deployment that was asked, or the model behind it
        answered_by=tuple(run.wanted if name == contest.tuned else name for name in told.answered_by),
        changed=bench.changed(job.workspace_id, rule, test),
        lost=told.lost,
        **trained,
    )
    made = assemble(evidence)
    report = replace(made.report, notices=(*told.notices, *made.report.notices))
    return Evaluated(report, told.answered, write_files(made._replace(report=report), evidence, job, bench.data))


def _basis(asked: Asked, found: Bill, rule: SuccessRule, drawn: str) -> str:
    """Say where the price comes from, how it relates to what is expected, and what is not asked."""
    gates = [rail for rail in rule.guardrails if rail.gate and rail.name in SUITES and not asked.probes]
    left = "; the probes are not asked, so guardrails stay open and no PASS is possible" if gates else ""
    if asked.prices is None or found.dollars is None:
        free = "--price 0 for your own server"
        return f"the endpoint's prices are not known: give --price-in and --price-out, or {free}{left}"
    each = " and ".join(f"{dollars(p.prompt)} and {dollars(p.output)} ({name})" for name, p in asked.prices.items())
    short = asked.budget is not None and asked.budget < found.dollars[1]
    warned = "; the budget is below that: rows will be missing" if short else ""
    choice = f"{found.choosing} of {found.calls} calls choose the base's prompt{drawn}"
    prices = f"prices as you gave them, for a million tokens in and out: {each}"
    return f"about {dollars(found.dollars[1])} is expected{warned}{left}; {choice}; {prices}"
