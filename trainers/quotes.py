"""Knows what a job will take and cost before it starts, frozen and hashed; it does not know who approves it."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

from knowledge.errors import UserError
from trainers.backends import HOSTED
from trainers.backends.bases import check_contents
from trainers.backends.traits import traits_of
from trainers.costs.estimate import Estimate, prices_used
from trainers.costs.estimate import estimate as estimate_hosted
from trainers.costs.gate import PROVIDER_OF, check_base
from trainers.costs.local import PastRun, estimate
from trainers.costs.money import Cost, rounded_up
from trainers.costs.names import UnknownName, find_model
from trainers.costs.offers import Shelf
from trainers.costs.own_prices import OwnPrices
from trainers.costs.rehearsal import price
from trainers.costs.workload import Workload
from trainers.data.enough import few
from trainers.data.jsonl import Row, read_rows
from trainers.data.suiting import check_fit
from trainers.data.tokens import TokenCount, count, split
from trainers.errors import DatasetRejected
from trainers.evals.arms import labels_of
from trainers.evals.endpoint.contest import Contest
from trainers.evals.endpoint.hosted import contest_of, hosting_of, own_prices_of, prices_of, quoted_answers
from trainers.evals.judged_by import JudgedBy
from trainers.evals.rule import SuccessRule
from trainers.spec import Method, TrainingSpec
from trainers.tables import Dataset

VALID_FOR = timedelta(hours=24)
"""How long a quote may be approved."""


@dataclass(frozen=True, kw_only=True)
class Quote:
    """What a person approves: data, model, method, time, money and the rule of success."""

    dataset: str
    """Name and version of the data set, for people."""
    data_sha256: str
    """Hash over the training and test files."""
    train_rows: int
    test_rows: int
    train_tokens: int
    """Tokens through the model, all epochs."""
    tokens_exact: bool
    """Whether the model's own tokenizer counted, or characters were divided by four."""
    spec: TrainingSpec
    rule: SuccessRule
    """Fixed now, before training."""
    training_minutes: tuple[float, float]
    """Wall time, (low, high)."""
    evaluation_minutes: tuple[float, float]
    """Wall time of all arms, (low, high)."""
    time_basis: str
    """Where the times come from."""
    training_cost: Decimal | None
    """US dollars; None means unknown, never 0."""
    evaluation_cost: Decimal | None
    serving_cost_30_days: Decimal | None
    cost_basis: str
    """Where the costs come from."""
    plan: JudgedBy | None = None
    """The frozen plan that the rule comes from, and whether its rows are the test; None where there is none."""
    rehearsal: bool = False
    """Whether the trainer was only a rehearsal of it: such a yes is none to the real one."""
    answering: Mapping[str, Any] | None = None
    """Of a model that its trainer serves: what evaluating it takes and costs at most, and the prices of that."""
    estimate: Mapping[str, Any] | None = None
    """At a hosted trainer: ranges, every price with its day and source, assumptions, lifecycle; all of it is hashed."""

    @property
    def total(self) -> Decimal | None:
        """Training plus evaluation in US dollars; None as soon as one of them is unknown."""
        if self.training_cost is None or self.evaluation_cost is None:
            return None
        return self.training_cost + self.evaluation_cost

    def to_json(self) -> dict[str, Any]:
        """Return plain data, money as decimal strings."""
        data = {**asdict(self), "spec": self.spec.to_json(), "rule": self.rule.to_json()}
        for name in ("training_cost", "evaluation_cost", "serving_cost_30_days"):
            data[name] = None if data[name] is None else str(data[name])
        for name in ("estimate", "answering", "rehearsal"):
            if not data[name]:
                del data[name]  # quotes that were given before there were estimates keep their hash
        return data

    @property
    def hash(self) -> str:
        """SHA-256 over the canonical JSON: what approval binds to."""
        return hash_of(self.to_json())


def hash_of(offer: Mapping[str, Any]) -> str:
    """Return the hash of a quote's plain data; it is the same after a way through JSON."""
    canonical = json.dumps(offer, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def repriced(offer: Mapping[str, Any], shelf: Shelf, own: OwnPrices | None = None) -> tuple[str, ...]:
    """Name what a quote's plain data was reckoned with and is otherwise by now, each with both figures.

    `own` are the operator's prices for its backend. Nothing where a quote rests on no price, as on this machine.
    """
    if offer["spec"]["backend"] == "hosted_rehearsal":
        now, before = str(price(offer["train_tokens"]).dollars), offer["training_cost"]
        return () if now == before else (f"training: {before} USD then, {now} USD now",)
    told, own_then, own_now = offer.get("estimate"), (offer.get("answering") or {}).get("own"), own and own.to_json()
    if own_then != own_now:
        return (f"prices set for {offer['spec']['backend']}: {own_then or 'none'} then, {own_now or 'none'} now",)
    if told is None:
        return ()
    try:
        at = shelf.offer(find_model(told["model"]), told["provider"], "")
    except UnknownName as gone:
        return (gone.what,)
    then = {name: f"{listed['price']} of {listed['as_of']}" for name, listed in told["prices"].items()}
    now_by = {name: f"{listed.price.text} of {listed.source.as_of}" for name, listed in prices_used(at).items()}
    names = [name for name in {**then, **now_by} if then.get(name) != now_by.get(name)]
    return tuple(
        f"{name.replace('_', ' ')}: {then.get(name, 'unknown')} then, {now_by.get(name, 'unknown')} now"
        for name in names
    )


def quote(
    dataset: Dataset,
    spec: TrainingSpec,
    rule: SuccessRule,
    *,
    folder: Path,
    tokenizer: Path | None,
    past: Sequence[PastRun] = (),
    training: bool = True,
    today: date | None = None,
    shelf: Shelf | None = None,
    own: OwnPrices | None = None,
) -> Quote:
    """Quote a run; `folder` is the data folder that the data set's paths start from.

    A `rule` that comes from no plan takes the metric that suits the rows. `training=False` quotes an evaluation of a
    model that exists already. A place that does not train the base on such rows, or takes no such knob, raises
    UserError. Where `today` is given, a base that its provider trains no more raises NotTrainable; a hosted trainer is
    quoted on a day only, from the prices of `shelf`, or from `own` ones where an operator set some.
    """
    if not dataset.test_rows:
        what = f"{dataset.name} v{dataset.version} has no rows to test on: {dataset.train_rows} were too few to divide."
        short = few(dataset.train_rows) or "Too few of them have different inputs."
        raise DatasetRejected(what, f"{short} Add rows, or give a test file.")
    check_contents(dataset, spec.backend)
    if training:
        _check(dataset, spec, today, shelf)
    rows, test = (read_rows(folder / path).rows for path in (dataset.train_path, dataset.test_path))
    rule = _fitted(dataset, spec, rule, rows, test)
    once = _once(rows, spec, tokenizer)
    tokens = once.tokens * spec.hyperparameters.epochs if training else 0
    return Quote(
        dataset=f"{dataset.name} v{dataset.version}",
        data_sha256=dataset.sha256,
        train_rows=dataset.train_rows,
        test_rows=dataset.test_rows,
        train_tokens=tokens,
        tokens_exact=once.exact,
        spec=spec,
        rule=rule,
        **_costs(_Asked(dataset, spec, rule, rows, test, tokens, past, training, today, shelf, own)),
    )


def _once(rows: Sequence[Row], spec: TrainingSpec, tokenizer: Path | None) -> TokenCount:
    """Count the tokens of rows once through, as the model that is trained reads them where that is known here."""
    sides = [side for row in rows for side in (row.billed, row.rejected) if side]
    if not _encoding(spec):
        return count(sides, tokenizer)
    told = split(sides, _encoding(spec))
    return TokenCount(told.prompt + told.completion, told.exact)


def _encoding(spec: TrainingSpec) -> str:
    """Return the vocabulary of a hosted model; "" where its provider tells of none that is at hand."""
    return "o200k_base" if spec.backend in ("openai", "azure") else ""


def _check(dataset: Dataset, spec: TrainingSpec, today: date | None, shelf: Shelf | None) -> None:
    """Raise UserError where nobody trains that base any more, or not on those rows, or not with those knobs."""
    if today is not None:
        check_base(spec.backend, spec.base, today, None if shelf is None else shelf.lines)
    check_fit(dataset, spec)
    if spec.backend in HOSTED:
        traits_of(spec.backend).check(spec)


def _fitted(
    dataset: Dataset, spec: TrainingSpec, rule: SuccessRule, rows: Sequence[Row], test: Sequence[Row]
) -> SuccessRule:
    """Return the rule by which the model is judged; raises UserError for a plan that pairs cannot be judged by."""
    if dataset.pairs and spec.backend in ("local", "rehearsal"):  # a provider does not tell how likely an answer is
        if rule.plan:
            what = "An evaluation plan judges answers, and no answers are written where pairs are trained on here."
            raise UserError(what, "Leave the plan out, or train at a hosted trainer, where answers are compared.")
        return rule.of_pairs()
    return rule if rule.plan else rule.fitted(rows, test)


class _Asked(NamedTuple):
    """What is to be priced."""

    dataset: Dataset
    spec: TrainingSpec
    rule: SuccessRule
    rows: Sequence[Row]
    test: Sequence[Row]
    tokens: int
    past: Sequence[PastRun]
    training: bool
    today: date | None
    shelf: Shelf | None
    own: OwnPrices | None


def _costs(asked: _Asked) -> dict[str, Any]:
    """Return time and money of a run where it is to run."""
    backend = asked.spec.backend
    if backend == "hosted_rehearsal":
        return _pretended(asked.tokens)
    if backend in HOSTED and (asked.own is not None or backend not in PROVIDER_OF):
        return _at_own_prices(asked)
    if backend in PROVIDER_OF and asked.today is not None:
        made = estimate_rows(asked.dataset, asked.spec, asked.rows, asked.today, asked.shelf)
        return _hosted(made, asked)
    return _here(asked)


def estimate_rows(
    dataset: Dataset, spec: TrainingSpec, rows: Sequence[Row], today: date, shelf: Shelf | None = None
) -> Estimate:
    """Estimate a run on a data set at a hosted trainer, with the model's own tokenizer where it is at hand."""
    sides = [side for row in rows for side in (row.billed, row.rejected) if side]  # of a pair at most both count
    counted = split(sides, _encoding(spec))
    load = Workload(
        examples=len(sides),
        prompt_tokens=Decimal(counted.prompt) / len(sides),
        completion_tokens=Decimal(counted.completion) / len(sides),
        epochs=spec.hyperparameters.epochs,
        test_rows=dataset.test_rows,
        counted="exact" if counted.exact else "estimated",
        basis=counted.basis,
    )
    return estimate_hosted(load, spec.base, provider=PROVIDER_OF[spec.backend], today=today, shelf=shelf)


def _hosted(made: Estimate, asked: _Asked) -> dict[str, Any]:
    """Return money of a run at a hosted trainer: approved is the most that it may cost, rounded up to a cent."""
    days = [listed.source.as_of for listed in made.prices.values()]
    told, uncounted = made.to_json(), _uncounted(asked.spec)
    basis = f"{made.offer.title}, at most; prices as of {min(days)} to {max(days)}" if days else "unknown"
    answering = None
    if asked.spec.backend in HOSTED:  # whose models we evaluate ourselves
        hours = traits_of(asked.spec.backend).deployment_hours or 1
        answering = quoted_answers(_contest(asked), prices_of(made), hosting_of(made, hours))
    return {
        **_ELSEWHERE,
        "training_cost": None if uncounted else _most(made.training),
        "evaluation_cost": _most(made.evaluation) if answering is None else _cents(answering["most"]),
        "serving_cost_30_days": _most(made.serving),
        "cost_basis": f"{basis}{f'; {UNCOUNTED}' if uncounted else ''}",
        "answering": answering,
        "estimate": {name: told[name] for name in _ESTIMATED} | (_UNCOUNTED if uncounted else {}),
    }


UNCOUNTED = "which tokens of preference pairs are billed is published nowhere, so nobody knows what training costs"
_UNCOUNTED = {"training": None, "per_epoch": None}


def _uncounted(spec: TrainingSpec) -> bool:
    return spec.method == Method.DPO and not traits_of(spec.backend).counts_pairs


def _at_own_prices(asked: _Asked) -> dict[str, Any]:
    """Return money of a run at a server whose prices only its operator knows; unset they are unknown, not 0."""
    own, title = asked.own, traits_of(asked.spec.backend).title
    answering = quoted_answers(_contest(asked), None if own is None else own_prices_of(own), Decimal(0))
    tokens = asked.tokens + (_held_out(asked) if traits_of(asked.spec.backend).validates else 0)
    training = None if own is None else _cents(str(own.training * tokens * _OWN_SPREAD / 1_000_000))
    basis = f"{title}; prices as set in {own.setting}" if own else f"{title}: its prices are not set, so nobody knows"
    return {
        **_ELSEWHERE,
        "training_cost": training,
        "evaluation_cost": _cents(answering["most"]),
        "serving_cost_30_days": None,  # nobody said how often it will be asked
        "cost_basis": basis,
        "answering": answering | {"own": own.to_json() if own else None},
    }


def _held_out(asked: _Asked) -> int:
    """Return the tokens of held-out rows that a server may count too, as they go with the job: all epochs."""
    if not asked.training:
        return 0
    sides = (side for row in asked.test for side in (row.billed, row.rejected))
    return count(sides, None).tokens * asked.spec.hyperparameters.epochs


_OWN_SPREAD = Decimal("1.3")
"""By how much a count of four characters a token may fall short."""

_ELSEWHERE = {
    "training_minutes": (0.0, 0.0),
    "evaluation_minutes": (0.0, 0.0),
    "time_basis": "are the provider's: it names none before it starts",
}


def _contest(asked: _Asked) -> Contest:
    return contest_of(asked.rows, asked.test, asked.rule, labels_of(asked.dataset.labels))


def _cents(amount: str | None) -> Decimal | None:
    return None if amount is None else rounded_up(Decimal(amount))


_ESTIMATED = (
    "provider", "model", "date", "epochs", "per_epoch", "training", "evaluation", "serving_30_days", "prices",
    "unknown", "assumptions", "lifecycle", "warnings",
)  # fmt: skip
"""What of an estimate a quote holds, and its hash covers; comparisons and charts are not approved."""


def _most(cost: Cost | None) -> Decimal | None:
    return None if cost is None else rounded_up(cost.high)


def _here(asked: _Asked) -> dict[str, Any]:
    """Return time and money of a run on this machine."""
    work = asked.tokens
    if asked.spec.method == Method.DPO and not asked.past:  # past runs of the method have it in their time
        work = round(work * REFERENCE_WORK)
    time = estimate(asked.spec.base, work, asked.dataset.test_rows, asked.past)
    testing = time.evaluation
    if asked.dataset.pairs and asked.training and not asked.past:  # both models read the pairs, and write nothing
        read = asked.tokens / asked.spec.hyperparameters.epochs / asked.dataset.train_rows * asked.dataset.test_rows
        testing = estimate(asked.spec.base, round(2 * read), 0, ()).training
    return {
        "training_minutes": time.training if asked.training else (0.0, 0.0),
        "evaluation_minutes": testing,
        "time_basis": time.basis,
        "training_cost": Decimal(0),
        "evaluation_cost": Decimal(0),
        "serving_cost_30_days": Decimal(0),
        "cost_basis": "runs on this machine; electricity not counted",
    }


REFERENCE_WORK = Decimal(4) / 3
"""Work of a step on preferences beside one on answers: the reference is read too, without a gradient."""


def _pretended(tokens: int) -> dict[str, Any]:
    """Return time and money of the rehearsal provider, which leaves no model to evaluate or to serve."""
    pretend = price(tokens)
    return {
        "training_minutes": pretend.minutes,
        "evaluation_minutes": (0.0, 0.0),
        "time_basis": "are pretend: nothing is trained",
        "training_cost": pretend.dollars,
        "evaluation_cost": Decimal(0),
        "serving_cost_30_days": Decimal(0),
        "cost_basis": pretend.basis,
    }
