"""Knows what it takes to evaluate a model that a provider trains and serves, before it is trained; it asks nobody."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from trainers.costs.estimate import Estimate
from trainers.costs.own_prices import OwnPrices
from trainers.costs.units import Hours, PerMillionTokens, Price, per_million
from trainers.data.jsonl import Row
from trainers.evals.endpoint.contest import Contest, bill
from trainers.evals.metrics.operations import TokenPrices
from trainers.evals.probes import load_probes
from trainers.evals.rule import SuccessRule

BASE, TUNED = "base", "tuned"
"""How the two models are called before either has its name at the provider."""

Both = dict[str, TokenPrices]
"""Prices of base and tuned model."""


def contest_of(
    train: Sequence[Row],
    test: Sequence[Row],
    rule: SuccessRule,
    labels: Sequence[str],
    base: str = BASE,
    tuned: str = TUNED,
) -> Contest:
    """Return the contest of a hosted model: the rows, and the probes that the rule's guardrails need."""
    wanted = {rail.name for rail in rule.guardrails}
    probes = tuple(probe for probe in load_probes() if probe.suite in wanted)
    return Contest(base=base, tuned=tuned, train=train, test=test, labels=rule.labels or tuple(labels), probes=probes)


def quoted_answers(contest: Contest, prices: Both | None, hosting: Decimal | None) -> dict[str, Any]:
    """Return what answering takes and costs at most, with what a deployment costs meanwhile, as a quote keeps it.

    `most` is None where a price is unknown.
    """
    found = bill(contest, prices)
    most = None if found.dollars is None or hosting is None else found.dollars[2] + hosting
    return {
        "bill": found.to_json(),
        "prices": prices and {name: [str(price.prompt), str(price.output)] for name, price in prices.items()},
        "hosting": None if hosting is None else str(hosting),
        "most": None if most is None else str(most),
    }


def prices_of(made: Estimate) -> Both | None:
    """Return what a million tokens of base and tuned model cost at most there; None where one is unknown."""
    found = {name: _prices(made, name) for name in (BASE, TUNED)}
    known = {name: price for name, price in found.items() if price is not None}
    return known if len(known) == len(found) else None


def hosting_of(made: Estimate, hours: int) -> Decimal | None:
    """Return what a deployment costs at most that stands so long for an evaluation; None where that is unknown."""
    sheet = made.offer.sheet
    price: Price[Hours] | None = sheet.price("evaluation_hosting") or sheet.price("hosting")
    return None if price is None else (price * Hours.exactly(hours)).high


def own_prices_of(own: OwnPrices) -> Both:
    """Return the same prices for both models."""
    return dict.fromkeys((BASE, TUNED), TokenPrices(own.prompt, own.output))


def _prices(made: Estimate, kind: str) -> TokenPrices | None:
    found: list[Any] = [made.offer.sheet.price(f"{kind}_{side}") for side in ("input", "output")]
    known: list[PerMillionTokens] = [per_million(price) for price in found if price is not None]
    return TokenPrices(known[0].cost.high, known[1].cost.high) if len(known) == len(found) else None
