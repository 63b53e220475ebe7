"""Break-even at the ends: who is trained again, when a base is gone, and what a volume and a day have in common."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

import pytest

from trainers.costs.estimate import Estimate, estimate, shipped_shelf
from trainers.costs.lifecycle import Line
from trainers.costs.offers import Shelf
from trainers.costs.workload import Workload

TODAY = date(2026, 11, 30)
LOAD = Workload(examples=500, prompt_tokens=Decimal(500), completion_tokens=Decimal(100), epochs=3)


def shelf(provider: str = "openai", **days: date | None) -> Shelf:
    """The books with other days of gpt-4.1-mini at a provider."""

    def line(known: Line) -> Line:
        ours = (known.provider, known.model) == (provider, "gpt-4.1-mini")
        return replace(known, **days) if ours else known  # type: ignore[arg-type]  # days by their names

    shipped = shipped_shelf()
    return Shelf(books=shipped.books, lines=tuple(line(known) for known in shipped.lines))


def priced(requests: int, books: Shelf, provider: str = "openai", **changes: str) -> Estimate:
    given = {"requests_per_day": str(requests), **changes}
    return estimate(LOAD, "gpt-4.1-mini", provider=provider, today=TODAY, changes=given, shelf=books)


def test_nobody_trains_again_where_training_has_ended() -> None:
    """OpenAI trains until 2027-01-06 and its tunes go dark on 2027-01-14: what has not paid by then never pays."""
    found = priced(434, shelf()).break_even[0]
    assert (found.on, found.trainings) == (None, 1)
    assert (
        "not within its life at 434 requests a day: it goes dark on 2027-01-14, and training there ends on 2027-01-06"
        in found.sentence
    )


def test_training_again_at_retirement_is_counted() -> None:
    """A model that goes dark in 45 days and may be trained then is trained then, and every year after."""
    books = shelf(training_until=None, base_retires=None)
    race = priced(1, books).races[0]
    sums = race.sums()
    assert sums is not None
    by_day = {(day.on - TODAY).days: day.trainings for day in race.days(sums, 730)}
    assert [by_day[number] for number in (0, 44, 45, 409, 410, 730)] == [1, 1, 2, 2, 3, 3]
    assert priced(1, books).break_even[0].trainings == 3
    paid = priced(434, books).break_even[0]
    assert (paid.on, paid.trainings) == (date(2027, 2, 28), 2)
    assert "2 trainings included" in paid.sentence


@pytest.mark.parametrize("left", [2, 3, 30, 45, 400])
def test_a_volume_and_a_day_say_the_same(left: int) -> None:
    """At the volume named it pays within the first life, on its last day at the latest; with one request fewer not."""
    dark = TODAY + timedelta(days=left)
    books = shelf(training_until=dark, base_retires=dark, tunes_retire=dark)
    named = priced(1, books).break_even[0]
    assert named.life_days == left - 1
    assert named.requests_a_day is not None
    enough = priced(named.requests_a_day, books).break_even[0]
    assert enough.on is not None
    assert enough.on < dark
    assert priced(named.requests_a_day - 1, books).break_even[0].on is None


@pytest.mark.parametrize("left", [0, 1])
def test_no_day_left_is_no_volume(left: int) -> None:
    """What goes dark today or tomorrow pays at no volume, and the sentence says why."""
    dark = TODAY + timedelta(days=left)
    made = priced(10**6, shelf(training_until=dark, base_retires=dark, tunes_retire=dark)).break_even
    assert all((found.requests_a_day, found.on) == (None, None) for found in made)
    assert left == 0 or "no day left" in made[0].sentence


def test_a_base_is_charged_until_it_retires() -> None:
    """Azure's tune outlives its base: against that base nothing is counted after its last day; the cheap one stays."""
    books = shelf("azure", base_retires=TODAY + timedelta(days=10))
    own, _, cheap, _ = priced(1, books, "azure").races
    sums = own.sums()
    assert sums is not None
    assert [day.on for day in own.days(sums, 730)][-1] == TODAY + timedelta(days=9)
    assert "not before the base retires on 2026-12-10" in priced(69_000, books, "azure").break_even[0].sentence
    assert cheap.base_gone() is None


def test_without_a_cached_price_there_is_no_figure_with_caching() -> None:
    """A base whose cached token has no known price has an uncached figure only, and that is said."""
    books = shipped_shelf()
    azure = books.books["azure"]
    bare = tuple(
        replace(sheet, prices={name: price for name, price in sheet.prices.items() if not name.endswith("_cached")})
        for sheet in azure.sheets
    )
    without = Shelf(books={**books.books, "azure": replace(azure, sheets=bare)}, lines=books.lines)
    made = priced(1000, without, "azure", cached_percent="50")
    told = made.to_json()
    assert told["break_even"]["uncached"] is not None
    assert told["break_even"]["cached"] is None
    assert "no figure with caching" in told["break_even"]["note"]
    assert any("at full price" in warning for warning in made.warnings)


def test_a_verdict_counts_the_hosting() -> None:
    """At Azure 1,000 requests a day save less than the hour of hosting costs: it loses, and nothing says it saves."""
    found = priced(1000, shelf("azure"), "azure").break_even[0]
    assert found.gain_a_day.amount == found.saving.amount * 1000 - found.hosting_a_day.amount
    assert found.gain_a_day.amount < 0
    assert found.on is None
    assert found.requests_in_all is None
    for part in ("it loses $40.20 a day at 1,000 requests a day", "the requests save $0.60", "keeping it costs $40.80"):
        assert part in found.sentence, found.sentence
    assert "1,000 requests save" not in found.sentence


@pytest.mark.parametrize("asked", [0, 1, 1000, 68_000, 10**6])
@pytest.mark.parametrize("provider", ["openai", "azure"])
def test_no_sentence_contradicts_its_day(provider: str, asked: int) -> None:
    """A day on which it has paid is named where each day gains, and a loss where each day loses."""
    for found in priced(asked, shelf(provider), provider).break_even:
        gains = found.gain_a_day.amount > 0
        assert ("it loses" in found.sentence or "never" in found.sentence or "saves nothing" in found.sentence) != gains
        assert ("it has paid on" in found.sentence) == (found.on is not None)
        assert gains or found.on is None


def test_a_machine_of_ones_own_is_not_said_to_have_paid() -> None:
    """What electricity and the machine cost is unknown: fees saved are named, and neither a day nor a volume."""
    made = estimate(LOAD, "qwen3-8b", provider="own_gpu", today=TODAY)
    assert made.break_even
    for found in made.break_even:
        assert (found.on, found.requests_a_day, found.requests_in_all) == (None, None, None)
        assert "in fees; whether that pays for electricity and the machine itself is not known" in found.sentence


def test_a_longer_prompt_of_nothing_costs_the_same() -> None:
    """With no tokens more before the base's prompt, and its price for the tune, nothing can pay."""
    (found, *_) = priced(1000, shelf("azure"), "azure", extra_prompt_tokens="0").break_even
    assert "1,000 requests cost the same when tuned, and keeping it costs $40.80 a day" in found.sentence
