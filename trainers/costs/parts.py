"""Knows what training, evaluation and serving cost by one sheet of prices; it does not know whether that pays.

Every function returns None where a price that it needs is unknown.
"""

import tomllib
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Any

from trainers.costs.assumptions import Assumptions
from trainers.costs.facts import HERE
from trainers.costs.memory import memory_needed
from trainers.costs.money import Cost, total
from trainers.costs.offers import Offer
from trainers.costs.units import GigabyteMonths, Hours, Tokens
from trainers.costs.workload import Workload

DAYS, HOURS_A_DAY = 30, 24


@dataclass(frozen=True, kw_only=True)
class Case:
    """One offer for one workload under some assumptions."""

    offer: Offer
    workload: Workload
    assumptions: Assumptions

    def number(self, name: str) -> Decimal:
        """Return an assumption."""
        return self.assumptions.number(name, self.workload)

    def share(self, name: str) -> Decimal:
        """Return an assumption that is a percentage, as a share."""
        return self.assumptions.share(name, self.workload)

    @property
    def spread(self) -> Decimal:
        """Share by which tokens may be off."""
        return self.share("tokens_spread_percent")


def training(case: Case, epochs: int) -> Cost | None:
    """Price so many passes over the rows."""
    tokens, sheet = case.workload.epoch_tokens(case.spread).times(epochs), case.offer.sheet
    if is_too_small(case):
        return None
    if case.offer.on_card:
        rent, hours = sheet.price("hosting"), training_hours(case, tokens)
        if case.offer.provider.key == "own_gpu" and rent is not None:
            return Cost.exactly(Decimal(0), rent.cost.currency)
        return None if rent is None or hours is None else rent * hours
    price = sheet.price("training")
    return None if price is None else price * tokens


def training_hours(case: Case, tokens: Tokens) -> Hours | None:
    """Return how long a card needs for so many tokens; None for an unknown card or size."""
    speed, billions = _speed(), case.offer.model.active_billions
    peak = speed["peak_tflops"].get(case.offer.sheet.model)
    if peak is None or billions is None:
        return None
    work = billions * 10**9 * speed["flops_per_parameter_and_token"]
    least, usual, most = (Decimal(peak) * 10**12 * use * 3600 for use in case.assumptions.gpu_use())
    return Hours(tokens.low * work / most, tokens.expected * work / usual, tokens.high * work / least)


def evaluation(case: Case) -> Cost | None:
    """Price one evaluation of the tuned model and the base with its longer prompt; at most, several of them.

    Without a price of its own the base is priced only where it answers on the tuned model's deployment.
    """
    rows, more = case.number("evaluation_rows"), case.number("extra_prompt_tokens")
    base = requests(case, "base", rows, more=more)
    if base is None and case.offer.provider.base_on_deployment:
        base = requests(case, "tuned", rows, more=more)
    field = "evaluation_hosting" if case.offer.sheet.price("evaluation_hosting") else "hosting"
    hours = Hours.exactly(case.number("evaluation_hours"))
    once = total([requests(case, "tuned", rows), base, hosting(case, hours, field)])
    return None if once is None else once.times(1, 1, case.number("evaluation_passes"))


def serving(case: Case) -> Cost | None:
    """Price 30 days of serving: requests, hosting by the hour whether anybody asks or not, and storage."""
    asked = requests(case, "tuned", case.number("requests_per_day") * DAYS, cached=cached_share(case))
    return total([asked, hosting(case, Hours.exactly(DAYS * HOURS_A_DAY)), storage(case)])


def requests(
    case: Case, kind: str, count: Decimal, *, more: Decimal = Decimal(0), cached: Decimal = Decimal(0)
) -> Cost | None:
    """Price so many requests to the `tuned` model or the `base`; a `cached` share of the prompt may cost less.

    `more` tokens stand before each prompt. A cached share at an unknown price is unknown, not full price.
    """
    sheet, load = case.offer.sheet, case.workload
    fresh_price, cached_price = sheet.price(f"{kind}_input"), sheet.price(f"{kind}_cached")
    answer_price = sheet.price(f"{kind}_output")
    if fresh_price is None or answer_price is None:
        return Cost.exactly(Decimal(0), _currency(case)) if case.offer.on_card else None
    prompts = load.prompts(count, case.spread, more)
    answers = answer_price * load.completions(count, case.spread)
    if cached == 0:
        return fresh_price * prompts + answers
    if cached_price is None:
        return None
    return fresh_price * prompts.times(1 - cached) + cached_price * prompts.times(cached) + answers


def cached_share(case: Case) -> Decimal:
    """Return the share of the tuned model's prompt read from the cache; 0, the dearest, where that price is unknown."""
    return Decimal(0) if case.offer.sheet.price("tuned_cached") is None else case.share("cached_percent")


def hosting(case: Case, hours: Hours, field: str = "hosting") -> Cost | None:
    """Price a deployment for so many hours; None also where the model does not fit on the card."""
    price = case.offer.sheet.price(field)
    return None if price is None or is_too_small(case) else price * hours.times(case.number("replicas"))


def storage(case: Case) -> Cost | None:
    """Price keeping the adapter for 30 days; nothing where the book names no such fee."""
    price = case.offer.sheet.price("storage")
    kept = GigabyteMonths.exactly(case.number("checkpoint_gb"))
    return Cost.exactly(Decimal(0), _currency(case)) if price is None else price * kept


def is_too_small(case: Case) -> bool:
    """Say whether a rented card has less memory than the least that training with QLoRA takes."""
    need, has = memory_needed(case.offer.model), case.offer.sheet.memory_gb
    return need is not None and has is not None and need[0] > has


def _currency(case: Case) -> str:
    return next((listed.price.cost.currency for listed in case.offer.sheet.prices.values()), "USD")


@cache
def _speed() -> dict[str, Any]:
    return tomllib.loads((HERE / "gpu_speed.toml").read_text("utf-8"), parse_float=Decimal)
