"""Knows the whole estimate: what training, evaluating and serving cost, with whom else, and when that has paid."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

from trainers.costs.assumptions import Assumption, Assumptions
from trainers.costs.book import Listed, books
from trainers.costs.break_even import BreakEven, Race, break_even
from trainers.costs.doubts import doubts
from trainers.costs.epochs import recommend
from trainers.costs.lifecycle import lines
from trainers.costs.money import Cost, MixedCurrencies, cost_json, total
from trainers.costs.names import Model, find_model
from trainers.costs.offers import Offer, Shelf
from trainers.costs.parts import Case, evaluation, serving, training
from trainers.costs.workload import Workload

_NO = Decimal(0)

_USED = {
    "training": ("training", "training_hour"),
    "evaluation": ("tuned_input", "tuned_output", "base_input", "base_output", "evaluation_hosting"),
    "serving": ("tuned_input", "tuned_cached", "tuned_output", "hosting", "storage"),
    "break-even": ("base_cached",),
}
"""Which prices each part is reckoned with."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One provider in the comparison."""

    offer: Offer
    state: str
    training: Cost | None
    evaluation: Cost | None
    serving: Cost | None

    @property
    def said(self) -> tuple[str, ...]:
        """Training, evaluation, serving and total for people."""
        return tuple(map(self.offer.said, (self.training, self.evaluation, self.serving, self.total)))

    @property
    def total(self) -> Cost | None:
        """Training, evaluation and 30 days of serving; None too where they are in different currencies."""
        with suppress(MixedCurrencies):
            return total([self.training, self.evaluation, self.serving])
        return None

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        parts = {"training": self.training, "evaluation": self.evaluation, "serving_30_days": self.serving}
        told = {name: cost_json(cost, "USD") for name, cost in {**parts, "total": self.total}.items()}
        about = {"provider": self.offer.provider.key, "model": self.offer.model.name, "state": self.state}
        return {**about, **told, "not_counted": self.offer.provider.left_out}


@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What a fine-tune costs, and what that rests on."""

    today: date
    offer: Offer
    workload: Workload
    epochs: int
    epochs_why: str
    per_epoch: Cost | None
    training: Cost | None
    evaluation: Cost | None
    serving: Cost | None
    comparison: tuple[Row, ...]
    break_even: tuple[BreakEven, ...]
    races: tuple[Race, ...]
    """What the chart of cumulative cost is drawn from: the same base uncached and cached, then the cheap one."""
    assumptions: tuple[Assumption, ...]
    prices: Mapping[str, Listed]
    """Those that were used, by the names of their fields."""
    unknown: tuple[str, ...]
    """Names of prices that would have been needed."""

    @property
    def total(self) -> Cost | None:
        """Training, evaluation and 30 days of serving."""
        return total([self.training, self.evaluation, self.serving])

    @property
    def currency(self) -> str:
        """The currency of its prices."""
        return next((listed.price.cost.currency for listed in self.prices.values()), "USD")

    @property
    def cached_percent(self) -> Decimal:
        """Percent of the tuned model's prompt that is assumed to come from the cache."""
        return self.assumed("cached_percent")

    def assumed(self, name: str) -> Decimal:
        """Return an assumption that is a number."""
        return next(Decimal(one.value) for one in self.assumptions if one.name == name)

    @property
    def left_out(self) -> str:
        """What the sums of the comparison do not hold, by provider, as a sentence; "" where they hold all."""
        rows = {row.offer.provider.name: row.offer.provider.left_out for row in self.comparison}
        told = "; ".join(f"{name}: {left_out}" for name, left_out in rows.items() if left_out)
        return f"Not counted: {told}." if told else ""

    @property
    def warnings(self) -> tuple[str, ...]:
        """What a person should know before believing it."""
        return tuple(doubts(self))

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        named = {"per_epoch": self.per_epoch, "training": self.training, "evaluation": self.evaluation}
        parts = {**named, "serving_30_days": self.serving, "total": self.total}
        return {
            "provider": self.offer.provider.key,
            "model": self.offer.model.name,
            "date": self.today.isoformat(),
            "examples": self.workload.examples,
            "prompt_tokens": float(round(self.workload.prompt_tokens, 2)),
            "completion_tokens": float(round(self.workload.completion_tokens, 2)),
            "tokens_per_epoch": int(self.workload.epoch_tokens(self.workload.prompt_tokens * 0).expected),
            "tokens_basis": self.workload.basis,
            "epochs": self.epochs,
            "epochs_why": self.epochs_why,
            **{name: cost_json(cost, self.currency) for name, cost in parts.items()},
            "break_even": _named(self),
            "comparison": [row.to_json() for row in self.comparison],
            "assumptions": [assumption.to_json() for assumption in self.assumptions],
            "lifecycle": self.offer.line.to_json(self.today),
            "prices": {name: listed.to_json(self.today) for name, listed in self.prices.items()},
            "unknown": list(self.unknown),
            "warnings": list(self.warnings),
        }


def _named(made: Estimate) -> dict[str, Any]:
    """Name each break-even by what it is against; null where it cannot be said, with the reason."""
    told: dict[str, Any] = {"uncached": None, "cached": None, "cheap_base_uncached": None, "cheap_base_cached": None}
    for found in made.break_even:
        own = "" if found.against == made.offer.title else "cheap_base_"
        told[f"{own}{'cached' if found.caching else 'uncached'}"] = found.to_json()
    return {**told, "note": break_even_note(made)}


def break_even_note(made: Estimate) -> str:
    """Say why there is no break-even against the same base, or none with caching, or ""."""
    own = [found for found in made.break_even if found.against == made.offer.title]
    if own:
        return (
            "" if len(own) > 1 else "What a cached token of the base costs is unknown: there is no figure with caching."
        )
    if made.offer.state(made.today) == "retired":
        return "A retired model answers nobody, so nothing can pay."
    if made.training is None or made.evaluation is None:
        return "What training or evaluation costs is unknown, so no day can be named on which it has paid."
    if made.offer.on_card:
        return "The base answers on the same card at the same cost, however long its prompt is."
    if made.offer.sheet.price("base_input") is None:
        return "The base's own price per token is unknown."
    return "What serving costs is unknown."


def shipped_shelf() -> Shelf:
    """Return the books as they are shipped."""
    return Shelf(books=books(), lines=lines())


def estimate(
    workload: Workload,
    model: str,
    *,
    today: date,
    provider: str = "",
    changes: Mapping[str, str] | None = None,
    shelf: Shelf | None = None,
) -> Estimate:
    """Estimate a fine-tune of `model`; raises UnknownName and BadFigure.

    `changes` are assumptions as somebody typed them; without a `provider` the model's maker is taken.
    """
    shelf, assumptions = shelf or shipped_shelf(), Assumptions.of(changes or {})
    found, chosen = shelf.asked(model, provider)
    card = assumptions.text("gpu", workload)
    offer = shelf.offer(found, chosen, card)
    case = Case(offer=offer, workload=workload, assumptions=assumptions)
    recommended = recommend(workload.examples)
    epochs = workload.epochs or recommended.epochs
    trained, judged, served = training(case, epochs), evaluation(case), serving(case)
    races = tuple(_races(case, shelf, total([trained, judged]), today, card))
    return Estimate(
        today=today,
        offer=offer,
        workload=workload,
        epochs=epochs,
        epochs_why="you said so" if workload.epochs else recommended.why,
        per_epoch=training(case, 1),
        training=trained,
        evaluation=judged,
        serving=served,
        comparison=tuple(_compare(case, shelf, epochs, today, card)),
        break_even=tuple(made for race in races if (made := break_even(race)) is not None),
        races=races,
        assumptions=tuple(assumptions.listed(workload)),
        prices=prices_used(offer),
        unknown=_unknown(offer),
    )


def _compare(case: Case, shelf: Shelf, epochs: int, today: date, card: str) -> Iterator[Row]:
    """Yield the cheapest first, then your own machine, whose cost nobody counted, those with an unknown part, and last
    those that train nobody any more."""
    rows = [_row(Case(offer=offer, workload=case.workload, assumptions=case.assumptions), epochs, today)
            for offer in shelf.others(case.offer.model, card)]  # fmt: skip
    gone = {"closed": 1, "retired": 2}

    def order(row: Row) -> tuple[int, bool, bool, str, Decimal]:
        known, uncounted = row.total, row.offer.is_own
        cost = (known.currency, known.expected) if known else ("", _NO)
        return gone.get(row.state, 0), known is None, uncounted, *cost

    yield from sorted(rows, key=order)


def _row(case: Case, epochs: int, today: date) -> Row:
    return Row(
        offer=case.offer,
        state=case.offer.state(today),
        training=_alone(lambda: training(case, epochs)),
        evaluation=_alone(lambda: evaluation(case)),
        serving=_alone(lambda: serving(case)),
    )


def _alone(part: Callable[[], Cost | None]) -> Cost | None:
    """Return a part of somebody else's offer; one in two currencies is not to spoil the whole comparison."""
    with suppress(MixedCurrencies):
        return part()
    return None


def _races(case: Case, shelf: Shelf, once: Cost | None, today: date, card: str) -> Iterator[Race]:
    if once is None or case.offer.state(today) == "retired":
        return
    rival: Model = find_model(case.assumptions.text("rival", case.workload))
    cheap = shelf.offer(rival, shelf.default_provider(rival), card)
    offers = [] if case.offer.on_card else [case.offer]  # on a card a longer prompt costs time, no money
    for offer in [*offers, *([cheap] if cheap.model != case.offer.model else [])]:
        base = Case(offer=offer, workload=case.workload, assumptions=case.assumptions)
        for caching in (False, True) if offer.sheet.price("base_cached") else (False,):
            yield Race(tuned=case, base=base, once=once.money, today=today, caching=caching)


def prices_used(offer: Offer) -> dict[str, Listed]:
    """Return the prices that an offer's parts are reckoned with, by the names of their fields."""
    wanted = dict.fromkeys(name for names in _USED.values() for name in names)
    return {name: offer.sheet.prices[name] for name in wanted if name in offer.sheet.prices}


def _unknown(offer: Offer) -> tuple[str, ...]:
    optional = {"training_hour", "tuned_cached", "base_cached", "storage", "evaluation_hosting"}
    if offer.on_card:
        optional |= {"training", "tuned_input", "tuned_output", "base_input", "base_output"}
    needed = dict.fromkeys(name for names in _USED.values() for name in names if name not in optional)
    return tuple(name for name in needed if name not in offer.sheet.prices)
