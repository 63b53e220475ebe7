"""Estimates: properties that hold for every workload, and what bad figures are answered with."""

import json
from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trainers.costs.assumptions import Assumptions
from trainers.costs.epochs import recommend
from trainers.costs.estimate import Estimate, estimate
from trainers.costs.money import Cost, total
from trainers.costs.names import models
from trainers.costs.workload import BadFigure, Workload, figure, whole

TODAY = date(2026, 11, 30)
OFFERS = [
    ("gpt-4.1-mini", "openai"),
    ("gpt-4.1", "azure"),
    ("gemini-3.5-flash", "vertex"),
    ("qwen3-8b", "together"),
    ("qwen3-8b", "tinker"),
    ("llama-3.1-8b-instruct", "rented_gpu"),
    ("qwen3-8b", "own_gpu"),
]
LOADS = st.builds(
    Workload,
    examples=st.integers(1, 10**6),
    prompt_tokens=st.decimals(1, 10**5, places=1),
    completion_tokens=st.decimals(1, 10**5, places=1),
    epochs=st.integers(1, 25),
)


def priced(load: Workload, offer: tuple[str, str], **changes: str) -> Estimate:
    return estimate(load, offer[0], provider=offer[1], today=TODAY, changes=changes)


def parts(found: Estimate) -> list[Cost | None]:
    return [found.per_epoch, found.training, found.evaluation, found.serving, found.total]


def no_less(more: Estimate, less: Estimate) -> None:
    for dear, cheap in zip(parts(more), parts(less), strict=True):
        assert (dear is None) == (cheap is None)
        if dear and cheap:
            assert dear.low >= cheap.low
            assert dear.expected >= cheap.expected
            assert dear.high >= cheap.high


@settings(max_examples=20, deadline=None)
@given(LOADS, st.sampled_from(OFFERS), st.integers(0, 1000), st.integers(0, 1000), st.integers(0, 20))
def test_more_never_costs_less(load: Workload, offer: tuple[str, str], rows: int, tokens: int, passes: int) -> None:
    """With epochs given, more rows, tokens, epochs or requests never cost less, in any part, in all three figures."""
    more = Workload(
        examples=load.examples + rows,
        prompt_tokens=load.prompt_tokens + tokens,
        completion_tokens=load.completion_tokens + tokens,
        epochs=(load.epochs or 1) + passes,
    )
    no_less(priced(more, offer), priced(load, offer))
    no_less(priced(load, offer, requests_per_day=str(1000 + rows)), priced(load, offer))


@settings(max_examples=20, deadline=None)
@given(LOADS, st.sampled_from(OFFERS), st.integers(1, 30_000), st.integers(1, 1000))
def test_more_rows_with_recommended_epochs(load: Workload, offer: tuple[str, str], rows: int, more: int) -> None:
    """Without epochs given one epoch, evaluation and serving never fall; training and total not within one number."""
    few, many = (priced(replace(load, examples=each, epochs=None), offer) for each in (rows, rows + more))
    for dear, cheap in (
        (many.per_epoch, few.per_epoch),
        (many.evaluation, few.evaluation),
        (many.serving, few.serving),
    ):
        assert dear is None or (cheap is not None and dear.low >= cheap.low and dear.high >= cheap.high)
    if many.epochs == few.epochs:
        no_less(many, few)


def test_where_more_rows_cost_less_is_known() -> None:
    """Only where the recommendation drops passes: at eleven numbers of rows, as docs/prices.md says."""
    rows = range(1, 100_000)
    passed = [each * recommend(each).epochs for each in rows]
    less = [row for row, before, now in zip(rows[1:], passed, passed[1:], strict=False) if now < before]
    assert less == [6, 8, 11, 12, 13, 15, 17, 21, 26, 8334, 12501]


@settings(max_examples=20, deadline=None)
@given(LOADS, st.sampled_from(OFFERS))
def test_totals_are_the_sum_of_their_parts(load: Workload, offer: tuple[str, str]) -> None:
    """Training is so many epochs; the total is training, evaluation and serving; the comparison says the same."""
    found = priced(load, offer)
    assert found.total == total([found.training, found.evaluation, found.serving])
    if found.per_epoch and found.training and not found.offer.on_card:
        assert found.training == found.per_epoch.times(found.epochs)
    own = next(row for row in found.comparison if row.offer.provider.key == offer[1])
    assert (own.training, own.evaluation, own.serving) == (found.training, found.evaluation, found.serving)
    for row in found.comparison:
        assert row.total == total([row.training, row.evaluation, row.serving])


@settings(max_examples=20, deadline=None)
@given(LOADS, st.sampled_from(OFFERS), st.integers(0, 100))
def test_caching_never_costs_more_than_none(load: Workload, offer: tuple[str, str], percent: int) -> None:
    """Whatever share of the prompts is cached, serving costs at most as much, and the base's request too."""
    no_less(priced(load, offer), priced(load, offer, cached_percent=str(percent)))
    found = priced(load, offer).break_even
    plain = {made.against: made.base_request.amount for made in found if not made.caching}
    for made in found:
        assert made.base_request.amount <= plain[made.against]


@settings(max_examples=15, deadline=None)
@given(LOADS, st.sampled_from(OFFERS[:2]))
def test_a_break_even_is_where_the_sums_cross(load: Workload, offer: tuple[str, str]) -> None:
    """On the day named the base has cost at least as much, and on no day before; trainings at retirement count."""
    found = priced(load, offer)
    for race, said in zip(found.races, found.break_even, strict=True):
        sums = race.sums()
        assert sums is not None
        days = list(race.days(sums, 730))[1:]
        paid = [day for day in days if day.base.amount >= day.tuned.amount]
        assert said.on == (paid[0].on if paid else None)
        if said.saving.amount <= 0:
            assert said.requests_in_all is None
            assert said.on is None


@settings(max_examples=100, deadline=None)
@given(st.integers(1, 10**7))
def test_recommended_epochs_are_sane(examples: int) -> None:
    """Between 1 and 25 passes, fewer for more rows, and always with a reason."""
    found = recommend(examples)
    assert 1 <= found.epochs <= 25
    assert found.epochs >= recommend(examples + 1).epochs
    assert f"{examples:,}" in found.why or str(examples) in found.why


@pytest.mark.parametrize("model", sorted(models()))
def test_every_model_has_an_answer(model: str) -> None:
    """Nothing that has a name breaks, whoever trains it or not; data can be written as JSON without a Decimal."""
    found = estimate(Workload(examples=10, prompt_tokens=Decimal(5), completion_tokens=Decimal(5)), model, today=TODAY)
    assert json.loads(json.dumps(found.to_json()))["lifecycle"]["sentence"]


@pytest.mark.parametrize(
    "wrong",
    [
        {"examples": 0},
        {"examples": -5},
        {"examples": 10**12},
        {"prompt_tokens": Decimal(0)},
        {"prompt_tokens": Decimal("-0.5")},
        {"prompt_tokens": Decimal("nan")},
        {"completion_tokens": Decimal("inf")},
        {"completion_tokens": Decimal(10**9)},
        {"epochs": 0},
        {"epochs": 1000},
    ],
    ids=str,
)
def test_figures_that_make_no_sense_are_refused(wrong: dict[str, Any]) -> None:
    """Zero, negative, endless and absurd figures are named, with what to give instead."""
    good = {"examples": 5, "prompt_tokens": Decimal(5), "completion_tokens": Decimal(5), "epochs": 3}
    with pytest.raises(BadFigure) as refused:
        Workload(**{**good, **wrong})
    assert refused.value.next_step


@pytest.mark.parametrize("text", ["", "five", "1e999", "nan", "0x10", "1.5.2", "∞"])
def test_what_is_no_number_is_said(text: str) -> None:
    """Words and endless numbers are refused with the words themselves."""
    with pytest.raises(BadFigure):
        whole("examples", text)
    assert figure("examples", "1,000") == 1000


@pytest.mark.parametrize(
    "changes",
    [
        {"nonsense": "1"},
        {"cached_percent": "101"},
        {"cached_percent": "-1"},
        {"evaluation_rows": "1.5"},
        {"gpu": "abacus"},
        {"requests_per_day": "many"},
        {"requests_per_day": "99999999999999"},
    ],
    ids=str,
)
def test_an_assumption_that_makes_no_sense_is_refused(changes: dict[str, str]) -> None:
    """Unknown names, shares over 100 percent and unknown cards are refused with what would do."""
    with pytest.raises(BadFigure) as refused:
        Assumptions.of(changes)
    assert refused.value.next_step


def test_your_own_machine_is_not_called_free() -> None:
    """It has no fee, which is not written as $0, stands behind what has a price, and says what nobody counted."""
    load = Workload(examples=500, prompt_tokens=Decimal(500), completion_tokens=Decimal(100), epochs=3)
    found = priced(load, OFFERS[0])
    places = [row.offer.provider.key for row in found.comparison]
    own = found.comparison[places.index("own_gpu")]
    assert set(own.said) == {"no fee"}
    assert own.to_json()["not_counted"] == "electricity and the machine itself"
    assert "Your own GPU: electricity" in found.left_out
    priced_ones = [row for row in found.comparison if row.total is not None and row.state not in ("closed", "retired")]
    assert priced_ones[-1] is own
    assert places.index("own_gpu") < min(
        places.index(row.offer.provider.key) for row in found.comparison if not row.total
    )


@pytest.mark.parametrize(
    ("model", "provider", "prompt", "part"),
    [
        ("gpt-4o-mini", "openai", 128_000, "more than the 128,000 that gpt-4o-mini reads"),
        ("gpt-4o-mini", "openai", 127_000, "With its longer prompt the base would need 128,600"),
        ("gpt-4.1-mini", "openai", 127_000, "too long for qwen3-8b: their figures are arithmetic only"),
        ("gpt-4o-mini", "azure", 70_000, "65,536 that a training row may have"),
        ("gemini-3.5-flash", "vertex", 200_000, "131,072 that a training row may have"),
        ("qwen3-8b", "tinker", 50_000, "more than the 40,960"),
    ],
)
def test_a_prompt_beyond_the_context_is_said(model: str, provider: str, prompt: int, part: str) -> None:
    """What no request or row can hold is priced as arithmetic, and that is said; a usual prompt is not remarked."""
    long, usual = (
        Workload(examples=50, prompt_tokens=Decimal(each), completion_tokens=Decimal(100), epochs=3)
        for each in (prompt, 500)
    )
    assert any(part in warning for warning in priced(long, (model, provider)).warnings)
    assert not any(part[-20:] in warning for warning in priced(usual, (model, provider)).warnings)


def test_a_day_before_the_prices_is_said() -> None:
    """Prices that were read later than the day asked about are not passed off as that day's."""
    load = Workload(examples=50, prompt_tokens=Decimal(500), completion_tokens=Decimal(100), epochs=3)
    early, late = (estimate(load, "gpt-4.1-mini", today=day).warnings for day in (TODAY - timedelta(days=100), TODAY))
    assert any("what was asked then is not known" in warning for warning in early)
    assert not any("what was asked then" in warning for warning in late)
