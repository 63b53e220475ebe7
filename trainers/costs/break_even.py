"""Knows from which volume and day on a tuned model costs less than a base with a longer prompt; it draws nothing."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import ROUND_CEILING, Decimal
from typing import Any, NamedTuple

from trainers.costs.money import Money, said
from trainers.costs.parts import Case, cached_share, hosting, requests, storage
from trainers.costs.units import Hours


class Day(NamedTuple):
    """What has been paid by the end of a day, and how often it was trained until then."""

    on: date
    tuned: Money
    base: Money
    trainings: int


@dataclass(frozen=True, kw_only=True)
class BreakEven:
    """One comparison; figures are the expected ones."""

    against: str
    caching: bool
    """Whether the base's longer part is read from the cache."""
    base_request: Money
    tuned_request: Money
    hosting_a_day: Money
    once: Money
    """One training and its evaluation: paid at the start, and again when the base retires."""
    asked_a_day: Decimal
    """The volume that is assumed."""
    requests_in_all: int | None
    """Requests that earn back one training; None where no request saves anything, and where a deployment is paid by
    the hour: there it depends on how many come in a day."""
    requests_a_day: int | None
    """From so many on it pays within those days, hosting included; None where it never does."""
    life_days: int
    """Days on which the model trained today answers beside the base: tomorrow until the day before one of them goes."""
    on: date | None
    """The day on which it has paid at the assumed volume; None where it does not while both answer, or in the days
    looked ahead."""
    trainings: int
    """Trainings paid until then, or in all days that count."""
    sentence: str

    @property
    def saving(self) -> Money:
        """What one request costs less than with the base; below zero it costs more."""
        return self.base_request - self.tuned_request

    @property
    def gain_a_day(self) -> Money:
        """What a day costs less than with the base at the assumed volume, hosting included; below zero it loses."""
        return Money(self.saving.amount * self.asked_a_day, self.saving.currency) - self.hosting_a_day

    def to_json(self) -> dict[str, Any]:
        """Return plain data."""
        return {
            "against": self.against,
            "caching": self.caching,
            "base_per_1000_requests": _thousand(self.base_request),
            "tuned_per_1000_requests": _thousand(self.tuned_request),
            "saving_per_1000_requests": _thousand(self.saving),
            "hosting_per_day": float(self.hosting_a_day.amount),
            "gain_per_day": float(round(self.gain_a_day.amount, 6)),
            "training_and_evaluation": float(round(self.once.amount, 6)),
            "currency": self.once.currency,
            "requests_in_all": self.requests_in_all,
            "requests_a_day": self.requests_a_day,
            "life_days": self.life_days,
            "date": None if self.on is None else self.on.isoformat(),
            "trainings": self.trainings,
            "sentence": self.sentence,
        }


@dataclass(frozen=True, kw_only=True)
class Race:
    """A tuned model and a base, day by day."""

    tuned: Case
    base: Case
    once: Money
    today: date
    caching: bool

    def sums(self) -> "_Sums | None":
        """Return what a request and a day cost; None where a price is unknown."""
        more = self.base.number("extra_prompt_tokens")
        hit = more * self.base.share("cache_hit_percent") / (more + self.base.workload.prompt_tokens)
        base = requests(self.base, "base", Decimal(1), more=more, cached=hit if self.caching else Decimal(0))
        tuned = requests(self.tuned, "tuned", Decimal(1), cached=cached_share(self.tuned))
        day, kept = hosting(self.tuned, Hours.exactly(24)), storage(self.tuned)
        if base is None or tuned is None or day is None or kept is None:
            return None
        return _Sums(base.money, tuned.money, day.money + Money(kept.expected / 30, kept.currency))

    def life(self) -> int:
        """Return in how many days a model trained today goes dark."""
        dark = self.tuned.offer.line.dark_on
        assumed = int(self.tuned.number("life_days"))
        return assumed if dark is None else max(0, (dark - self.today).days)

    def base_gone(self) -> int | None:
        """Return in how many days the base answers no more; None where no end was announced."""
        line = self.base.offer.line
        return None if line.base_retires is None or line.floor else max(0, (line.base_retires - self.today).days)

    def trained_again(self) -> bool:
        """Say whether anybody may still train there on the day on which the first model goes dark."""
        until = self.tuned.offer.line.training_until
        return until is None or until > self.today + timedelta(days=self.life())

    def answers(self) -> int:
        """Return the days on which a model trained today answers beside the base: from tomorrow, so one fewer."""
        gone = self.base_gone()
        return max(0, (self.life() if gone is None else min(self.life(), gone)) - 1)

    def spans(self, last: int) -> Iterator[tuple[int, int, int]]:
        """Yield (first day, last day, trainings by then) up to `last` or the base's end.

        When it goes dark it is trained once more, where that can be done then; else it ends there.
        """
        life, again, gone = max(1, self.life()), int(self.tuned.number("life_days")), self.base_gone()
        last = last if gone is None else min(last, max(0, gone - 1))
        first, end, trainings = 0, life - 1, 1
        while first <= last:
            yield first, min(end, last), trainings
            if not self.trained_again():
                return
            first, end, trainings = end + 1, end + again, trainings + 1

    def day(self, sums: "_Sums", number: int, trainings: int) -> Day:
        """Return what has been paid by the end of a day."""
        asked, currency = self.tuned.number("requests_per_day"), self.once.currency
        tuned = self.once.amount * trainings + (sums.tuned.amount * asked + sums.hosting.amount) * number
        base = sums.base.amount * asked * number
        return Day(self.today + timedelta(days=number), Money(tuned, currency), Money(base, currency), trainings)

    def days(self, sums: "_Sums", last: int) -> Iterator[Day]:
        """Yield each day, for a chart."""
        for first, end, trainings in self.spans(last):
            yield from (self.day(sums, number, trainings) for number in range(first, end + 1))

    def paid(self, sums: "_Sums", last: int) -> Day | None:
        """Return the first day on which the base has cost as much; None where there is none while both answer."""
        asked = self.tuned.number("requests_per_day")
        gained = (sums.base.amount - sums.tuned.amount) * asked - sums.hosting.amount
        for first, end, trainings in self.spans(last) if gained > 0 else ():
            number = max(first, 1, _ceiling(self.once.amount * trainings / gained))
            if number <= end:
                return self.day(sums, number, trainings)
        return None


class _Sums(NamedTuple):
    base: Money
    tuned: Money
    hosting: Money


def break_even(race: Race) -> BreakEven | None:
    """Say when a tuned model has paid; None where a price is unknown."""
    sums = race.sums()
    if sums is None:
        return None
    saving = (sums.base - sums.tuned).amount  # raises MixedCurrencies
    days = race.answers()
    own = race.tuned.offer.is_own  # what its electricity and the machine cost is unknown, so no day can be named
    in_all = None if saving <= 0 or own or _by_the_hour(race) else _ceiling(race.once.amount / saving)
    never = saving <= 0 or days == 0 or own
    a_day = None if never else _ceiling((race.once.amount + sums.hosting.amount * days) / (saving * days))
    horizon = int(race.tuned.number("horizon_days"))
    paid, trainings = None if own else race.paid(sums, horizon), [trained for _, _, trained in race.spans(horizon)][-1]
    found = BreakEven(
        against=race.base.offer.title,
        caching=race.caching,
        base_request=sums.base,
        tuned_request=sums.tuned,
        hosting_a_day=sums.hosting,
        once=race.once,
        asked_a_day=race.tuned.number("requests_per_day"),
        requests_in_all=in_all,
        requests_a_day=a_day,
        life_days=days,
        on=None if paid is None else paid.on,
        trainings=paid.trainings if paid else trainings,
        sentence="",
    )
    return BreakEven(**{**found.__dict__, "sentence": _sentence(found, race)})


def _by_the_hour(race: Race) -> bool:
    rent = hosting(race.tuned, Hours.exactly(1))
    return rent is not None and rent.expected > 0


def _sentence(found: BreakEven, race: Race) -> str:
    cached = "with its longer prompt cached" if found.caching else "with a longer prompt, uncached"
    return f"Against {found.against} {cached}: {_verdict(found, race)}."


def _verdict(found: BreakEven, race: Race) -> str:
    """Say whether it pays: what a day gains or loses, hosting included, comes before what a request saves."""
    if found.saving.amount <= 0:
        return _never(found)
    if race.tuned.offer.is_own:
        saved = f"1,000 requests save {said(_many(found.saving, Decimal(1000)))} in fees"
        return f"{saved}; whether that pays for {race.tuned.offer.provider.left_out} is not known"
    if found.requests_a_day is None:
        return "it pays at no volume, as there is no day left on which both answer"
    asked, volume = _a_day(found.asked_a_day), _a_day(found.requests_a_day)
    volume = f"it takes {volume} to pay within the {found.life_days} days on which both answer"
    if found.gain_a_day.amount <= 0:
        return f"{_loses(found, asked)}; {volume}"
    gains = f"1,000 requests save {said(_many(found.saving, Decimal(1000)))}"
    if found.hosting_a_day.amount:
        gains = f"it saves {said(found.gain_a_day)} a day, the {said(found.hosting_a_day)} for keeping it included"
    if found.on is None:
        return f"{gains}; {_too_late(race, asked)}; {volume}"
    again = f", {found.trainings} trainings included" if found.trainings > 1 else ""
    return f"{gains}; it has paid on {found.on.isoformat()} at {asked}{again}; {volume}"


def _a_day(count: Decimal | int) -> str:
    return "1 request a day" if count == 1 else f"{Decimal(count):,f} requests a day"


def _never(found: BreakEven) -> str:
    more = f"{said(_many(found.saving, Decimal(-1000)))} more" if found.saving.amount else "the same"
    kept = f", and keeping it costs {said(found.hosting_a_day)} a day" if found.hosting_a_day.amount else ""
    return f"never. 1,000 requests cost {more} when tuned{kept}"


def _loses(found: BreakEven, asked: str) -> str:
    """Say that a day's requests do not bring in what keeping the model costs."""
    if not found.asked_a_day:
        return "without requests it saves nothing"
    saved, loss = _many(found.saving, found.asked_a_day), Money(-found.gain_a_day.amount, found.saving.currency)
    kept = f"the requests save {said(saved)}, keeping it costs {said(found.hosting_a_day)}"
    return f"it loses {said(loss)} a day at {asked}: {kept}"


def _many(money: Money, count: Decimal) -> Money:
    return Money(money.amount * count, money.currency)


def _too_late(race: Race, asked: str) -> str:
    """Say what ends first: the model's life, the base's, or the days looked ahead."""
    line, gone, horizon = race.tuned.offer.line, race.base_gone(), int(race.tuned.number("horizon_days"))
    if not race.trained_again() and race.life() <= min(horizon, race.life() if gone is None else gone):
        dark = (race.today + timedelta(days=race.life())).isoformat()
        return (
            f"not within its life at {asked}: it goes dark on {dark}, and training there ends on {line.training_until}"
        )
    if gone is not None and gone <= horizon:
        return f"not before the base retires on {race.base.offer.line.base_retires}, at {asked}"
    return f"not within {horizon} days at {asked}"


def _ceiling(value: Decimal) -> int:
    return int(value.to_integral_value(rounding=ROUND_CEILING))


def _thousand(money: Money) -> float:
    return float(round(money.amount * 1000, 6))
