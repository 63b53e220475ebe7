"""Knows how a model that its trainer serves is evaluated within its quote, and what its run cost; not the calls."""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from knowledge.errors import UserError
from trainers.backends.base import Keeper, Served, Trained, Waiting
from trainers.costs.money import rounded_up
from trainers.costs.overlay import shelf_in
from trainers.costs.own_prices import OwnPrices
from trainers.costs.units import Tokens, read_price
from trainers.data.jsonl import read_rows
from trainers.evals.arms import labels_of
from trainers.evals.endpoint.contest import journal_path
from trainers.evals.endpoint.hosted import BASE, TUNED, contest_of
from trainers.evals.endpoint.journal import spent_in
from trainers.evals.endpoint.wire import Endpoint
from trainers.evals.metrics.operations import TokenPrices
from trainers.evals.rule import SuccessRule
from trainers.jobs import accounts
from trainers.jobs.endpoint_job import Run, answer, judged
from trainers.jobs.evaluating import Bench, Evaluated
from trainers.jobs.sealed import check_rows
from trainers.jobs.service import spec_of
from trainers.policy import dollars
from trainers.quotes import quote
from trainers.tables import Dataset, Job

COMPARED = (
    "It was trained on preference pairs. A provider does not tell how likely a given answer is to its models, so base "
    "and tuned model wrote answers of their own, and these were compared with the better answers of the held-out pairs."
)


def evaluate_served(
    job: Job, dataset: Dataset, served: Served, bench: Bench, keeper: Keeper, *, judge: bool
) -> Evaluated | Waiting | None:
    """Let base and tuned model answer at their provider and judge them by the job's rule, on the job's own quote.

    Without `judge` the answers are only rehearsed, and None comes of them. Raises Interrupted and LeaseLost as the
    keeper does, UserError and ServiceError where no questions are taken, StaleApproval where the rows have changed.
    """
    check_rows(job, dataset, bench.data)
    offer = json.loads(job.quote)
    rule, answering = SuccessRule.from_json(offer["rule"]), offer["answering"]
    train, test = (read_rows(bench.data / path).rows for path in (dataset.train_path, dataset.test_path))
    losses = bench.data / "jobs" / job.id / "train" / "losses.jsonl"
    prices = {kind: TokenPrices(*map(Decimal, price)) for kind, price in (answering["prices"] or {}).items()}
    run = Run(
        contest=contest_of(train, test, rule, labels_of(dataset.labels), served.base, served.tuned),
        endpoint=Endpoint(url=served.url, key=served.key),
        prices={served.base: prices[BASE], served.tuned: prices[TUNED]},
        limit=Decimal(answering["most"]) - Decimal(answering["hosting"]),
        calls=answering["bill"]["calls"],
        wanted=served.model_id,
        spent="spent" if judge else "that would be spent; this is a rehearsal",
        losses=None if dataset.pairs else losses,  # what a loss says of learning by heart is said of tokens
        epochs=spec_of(job).hyperparameters.epochs,
    )
    told = answer(job, run, rule, bench, keeper)
    if isinstance(told, Waiting):
        return told
    if dataset.pairs:
        told = told._replace(notices=(COMPARED, *told.notices))
    return judged(job, told, run, rule, bench.data / dataset.test_path, bench, keeper) if judge else None


@dataclass(frozen=True, kw_only=True)
class Cover:
    """What an approved quote has to be compared with before anything is sent."""

    job: Job
    dataset: Dataset
    folder: Path
    today: date
    own_prices: Mapping[str, OwnPrices]
    pretending: Collection[str]
    """Backends that only pretend here."""

    def check(self) -> None:
        """Raise UserError where the yes was to something else: a rehearsal, or lower prices than today's."""
        offer, spec, approved = json.loads(self.job.quote), spec_of(self.job), accounts.cost_of(self.job)
        if offer.get("rehearsal", False) != (spec.backend in self.pretending):
            was = "a rehearsal" if offer.get("rehearsal") else "the real thing"
            raise UserError(f"This was approved as {was}, which it would not be now.", "Ask for a new quote: `train`.")
        if approved is None or "answering" not in offer:
            return
        fresh = self._quoted_today(SuccessRule.from_json(offer["rule"]))
        if fresh is None or fresh > approved:
            now_costs = "nobody knows how much" if fresh is None else dollars(fresh)
            what = f"Prices changed since this was approved at {dollars(approved)}: now it is {now_costs}."
            raise UserError(what, "Ask for a new quote with `train`.")

    def _quoted_today(self, rule: SuccessRule) -> Decimal | None:
        spec = spec_of(self.job)
        own, shelf = self.own_prices.get(spec.backend), shelf_in(self.folder)
        asked: dict[str, Any] = {"tokenizer": None, "today": self.today, "shelf": shelf, "own": own}
        return quote(self.dataset, spec, rule, folder=self.folder, **asked).total


def reckoned(job: Job, trained_tokens: int, bench: Bench) -> Decimal | None:
    """Return what a hosted run that succeeded cost by the prices of its quote, in dollars, rounded up to a cent.

    That is the tokens that the provider counted, the answers as they were counted, and a deployment for as long as it
    was quoted. None where a figure is missing: then all that was set aside counts.
    """
    offer = json.loads(job.quote)
    answering, price = offer.get("answering"), training_price(offer)
    if answering is None or price is None or not trained_tokens:
        return None
    answered = spent_in(journal_path(bench.data / "jobs" / job.id / "evaluation"))
    if answered is None or answering["hosting"] is None:
        return None
    return rounded_up(price * trained_tokens / 1_000_000 + answered + Decimal(answering["hosting"]))


def billed(job: Job, trained: Trained, cost: Decimal | None) -> str:
    """Say what a hosted run cost beside what was approved; "" for one that ran here."""
    if trained.served is None:
        return ""
    told = f"{trained.trained_tokens:,} trained tokens by the provider's count, and the answers of the test"
    approved = dollars(accounts.cost_of(job) or Decimal(0))
    if trained.pretended:
        return f"Nothing was charged; {approved} would have been approved for it."
    if cost is None:
        return f"What it cost is not known, so all of the approved {approved} counts: look at the bill."
    return f"Cost {dollars(cost)} of the approved {approved}: {told}."


def training_price(offer: Mapping[str, Any]) -> Decimal | None:
    """Return the dollars of a million trained tokens at most, as a quote holds them; None where it holds none."""
    own = (offer.get("answering") or {}).get("own")
    if own is not None:
        return Decimal(own["training"])
    listed = ((offer.get("estimate") or {}).get("prices") or {}).get("training")
    if listed is None:
        return None
    return Decimal((read_price(listed["price"]) * Tokens.exactly(1_000_000)).high)
