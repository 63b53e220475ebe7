"""The price book as shipped: every figure has a unit, a day and a source, and what is unknown stays unknown."""

from datetime import date, timedelta
from decimal import Decimal

import pytest

from trainers.costs.book import all_sheets, books, checked
from trainers.costs.estimate import estimate, shipped_shelf
from trainers.costs.facts import OLD_AFTER, Source
from trainers.costs.money import MixedCurrencies
from trainers.costs.names import PROVIDERS, UnknownName, find_model, find_provider, models
from trainers.costs.offers import COMPARABLE
from trainers.costs.overlay import Change, laid_over
from trainers.costs.units import per_million, read_price
from trainers.costs.workload import BadFigure, Workload

TODAY = date(2026, 11, 30)
LOAD = Workload(examples=500, prompt_tokens=Decimal(500), completion_tokens=Decimal(100), epochs=3)


def test_every_route_of_the_guide_has_a_book() -> None:
    """All ten routes are there, each with at least one sheet and its terms of hosting in words."""
    assert set(books()) == set(PROVIDERS) == set(COMPARABLE)
    assert all(book.sheets and book.hosting_terms for book in books().values())


def test_every_price_names_day_and_source() -> None:
    """No price is of the future, and each says where it stands."""
    listed = [price for sheet in all_sheets(books()) for price in sheet.prices.values()]
    assert len(listed) > 150
    assert all(price.source.name and price.source.url and price.source.as_of <= TODAY for price in listed)


def test_every_model_of_a_book_is_known_by_name() -> None:
    """A name in a book, or a rented card, is one that people can ask for."""
    named = {sheet.model for sheet in all_sheets(books()) if sheet.provider not in ("rented_gpu", "own_gpu")}
    assert named <= set(models())


def test_caching_is_never_dearer_in_the_book() -> None:
    """A cached token costs at most what a fresh one costs, in batches too."""
    for sheet in all_sheets(books()):
        for kind in ("base", "tuned", "base_batch", "tuned_batch"):
            fresh, cached = sheet.price(f"{kind}_input"), sheet.price(f"{kind}_cached")
            if fresh is not None and cached is not None:
                assert per_million(cached).cost.high <= per_million(fresh).cost.high


@pytest.mark.parametrize(
    ("provider", "model"),
    [("vertex", "gemini-3.5-flash"), ("nebius", "llama-3.1-8b"), ("bedrock", "nova-micro"), ("azure", "qwen-32b")],
)
def test_a_price_that_nobody_confirmed_is_unknown(provider: str, model: str) -> None:
    """Rates that the research could not confirm are absent: the training is unknown, said so, and not free."""
    found = estimate(LOAD, model, provider=provider, today=TODAY)
    assert found.training is None
    assert "training" in found.unknown
    assert found.to_json()["training"]["expected"] is None
    assert any("unknown, not free" in warning for warning in found.warnings)


def test_a_unit_that_does_not_fit_its_field_is_refused() -> None:
    """Training by the hour cannot slip into the field of training by the token, nor the other way round."""
    for name, text in (
        ("training", "5 USD per hour"),
        ("hosting", "5 USD per 1M tokens"),
        ("storage", "1 USD per hour"),
    ):
        with pytest.raises(ValueError, match="cannot be priced"):
            checked(name, read_price(text))


def test_a_price_past_sixty_days_is_warned_about() -> None:
    """An estimate on the day after the limit says how old its oldest price is; on the limit it does not."""
    newest = min(price.source.as_of for price in books()["tinker"].sheets[0].prices.values())
    on_limit, past = newest + timedelta(days=OLD_AFTER), newest + timedelta(days=OLD_AFTER + 1)
    assert not any("older than 60" in w for w in estimate(LOAD, "inkling", today=on_limit).warnings)
    assert any(f"the oldest is of {newest}" in w for w in estimate(LOAD, "inkling", today=past).warnings)


@pytest.mark.parametrize(
    ("said", "name"),
    [
        ("GPT-4.1-mini", "gpt-4.1-mini"),
        ("gpt-4o-mini-2024-07-18", "gpt-4o-mini"),
        ("ft:gpt-4.1-mini-2025-04-14:acme:support:abc", "gpt-4.1-mini"),
        ("gpt-4.1-mini-2025-04-14.ft-0a1b", "gpt-4.1-mini"),
        ("Qwen/Qwen3-8B", "qwen3-8b"),
        ("azure/gpt-4o", "gpt-4o"),
        ("azure/gpt-4o-2024-08-06.ft-0a1b", "gpt-4o"),
        ("vertex_ai/gemini-3.5-flash", "gemini-3.5-flash"),
        ("gpt-4o-2024-11-20", "gpt-4o-2024-11-20"),
    ],
)
def test_a_model_is_known_by_each_of_its_names(said: str, name: str) -> None:
    """Snapshots, capitals, hub names and the names of tunes lead to the same base."""
    assert find_model(said).name == name


def test_an_unknown_name_offers_the_nearest() -> None:
    """A slip is answered with names that look like it, and with some that many know where nothing does."""
    with pytest.raises(UnknownName, match=r"Nearest: gpt-4\.1-mini"):
        find_model("gpt4.1-mini")
    with pytest.raises(UnknownName, match=r"None looks like it\. I know gpt-4\.1-mini, .*lists them all"):
        find_model("?" * 500)
    for slip in ("azur", "nobody"):
        with pytest.raises(UnknownName, match=", ".join(PROVIDERS)):
            find_provider(slip)
    with pytest.raises(UnknownName, match="Who does: openai, azure"):
        estimate(LOAD, "gpt-4.1-mini", provider="together", today=TODAY)


def test_the_maker_is_asked_first() -> None:
    """A model's maker trains it by default; an open model goes to the first trainer with a known price."""
    shelf = shipped_shelf()
    expected = {
        "gpt-4.1": "openai",
        "gemini-3.5-flash": "vertex",
        "qwen3-8b": "tinker",
        "smollm2-135m-instruct": "own_gpu",
    }
    assert {name: shelf.default_provider(find_model(name)) for name in expected} == expected


@pytest.mark.parametrize(
    ("model", "provider", "asked"),
    [
        ("azure/gpt-4o", "", "azure"),
        ("gpt-4o", "", "openai"),
        ("gpt-4o", "Azure OpenAI", "azure"),
        ("azure/gpt-4o", "azure", "azure"),
        ("openai/gpt-oss-20b", "", "azure"),
        ("together_ai/qwen3-8b", "", "together"),
    ],
)
def test_a_provider_before_the_models_name_is_meant(model: str, provider: str, asked: str) -> None:
    """`azure/gpt-4o` is Azure's; where an open model's own name has a maker before it, that is no provider."""
    assert estimate(LOAD, model, provider=provider, today=TODAY).offer.provider.key == asked


def test_two_providers_for_one_model_are_refused() -> None:
    """A name and an option that contradict: nobody could tell which one was meant."""
    with pytest.raises(BadFigure, match=r"names Azure OpenAI.*OpenAI was named besides"):
        estimate(LOAD, "azure/gpt-4o", provider="openai", today=TODAY)


def test_a_snapshot_that_azure_does_not_tune_is_not_priced_as_the_one_that_it_does() -> None:
    """gpt-4o of 2024-11-20 has no rate of training anywhere, and cannot be tuned at Azure, whose table says so."""
    azure = estimate(LOAD, "gpt-4o-2024-11-20", provider="azure", today=TODAY)
    openai = estimate(LOAD, "gpt-4o-2024-11-20", today=TODAY)
    assert (azure.training, openai.training) == (None, None)
    assert (azure.offer.state(TODAY), openai.offer.state(TODAY)) == ("closed", "closing")
    assert "Not confirmed" in azure.offer.line.to_json(TODAY)["sentence"]
    assert estimate(LOAD, "gpt-4o-2024-08-06", provider="azure", today=TODAY).training is not None


@pytest.mark.parametrize(
    ("provider", "model", "field", "dollars"),
    [
        ("openai", "gpt-4.1", "tuned_batch_cached", "0.50"),
        ("openai", "gpt-4.1-mini", "tuned_batch_cached", "0.10"),
        ("openai", "gpt-4o", "tuned_batch_cached", "0.90"),
        ("openai", "gpt-6-luna", "base_batch_cached", "0.005"),
        ("azure", "gpt-5", "base_batch_cached", "0.0625"),
        ("openai", "gpt-4.1", "base_batch_cached", ""),
        ("tinker", "inkling", "base_input", "1.00"),
        ("tinker", "inkling", "base_output", "4.05"),
        ("tinker", "inkling", "base_cached", ""),
        ("tinker", "inkling-small", "base_input", "0.30"),
        ("tinker", "inkling-small", "training", ""),
    ],
)
def test_cached_batches_and_serverless_stand_in_the_book(provider: str, model: str, field: str, dollars: str) -> None:
    """What a source names is there per million tokens; what none names is unknown."""
    sheet = books()[provider].sheet(find_model(model))
    assert sheet is not None
    price = sheet.price(field)
    assert price is None if not dollars else price is not None and per_million(price).cost.expected == Decimal(dollars)


def test_a_book_in_two_currencies_is_said() -> None:
    """A provider priced in euros and dollars together gets a clear refusal, and spoils nobody else's estimate."""
    source = Source(name="test", url="x", as_of=TODAY)
    euros = Change(provider="azure", model="gpt-4.1-mini", field="hosting", old="", new="1.50 EUR per hour")
    shelf = laid_over(shipped_shelf(), [euros], source)
    with pytest.raises(MixedCurrencies, match="one currency"):
        estimate(LOAD, "gpt-4.1-mini", provider="azure", today=TODAY, shelf=shelf)
    made = estimate(LOAD, "gpt-4.1-mini", today=TODAY, shelf=shelf)
    (azure,) = [row for row in made.comparison if row.offer.provider.key == "azure"]
    assert azure.training is not None
    assert azure.total is None


@pytest.mark.parametrize(
    ("provider", "model", "field"),
    [
        ("together", "qwen3-8b", "training"),
        ("together", "qwen3-8b", "tuned_input"),
        ("fireworks", "qwen3-8b", "tuned_input"),
        ("tinker", "qwen3-8b", "base_cached"),
        ("vertex", "gemini-2.5-pro", "training"),
        ("nebius", "llama-3.1-8b-instruct", "hosting"),
    ],
)
def test_what_nobody_confirmed_says_so(provider: str, model: str, field: str) -> None:
    """A third party's figure and an inference of our own are marked, and the estimate says which."""
    sheet = books()[provider].sheet(find_model(model))
    assert sheet is not None
    assert sheet.prices[field].source.unverified
    if field in ("training", "tuned_input"):
        made = estimate(LOAD, model, provider=provider, today=TODAY)
        assert any("Not confirmed" in warning for warning in made.warnings)


@pytest.mark.parametrize(("card", "old"), [("rtx-4090", True), ("a100", True), ("t4", False)])
def test_rents_are_as_old_as_they_were_checked(card: str, old: bool) -> None:
    """Rents checked on 2026-09-25 are past sixty days on 2026-11-30, and that is warned about."""
    made = estimate(LOAD, "qwen3-8b", provider="rented_gpu", today=TODAY, changes={"gpu": card})
    assert any("older than 60" in warning for warning in made.warnings) == old


def test_a_promotion_is_not_the_high_figure() -> None:
    """Inkling at half price for a while: the high figure is the whole price."""
    sheet = books()["tinker"].sheet(find_model("inkling"))
    assert sheet is not None
    for field, high in (("training", "11.22"), ("tuned_input", "3.74"), ("tuned_output", "9.36")):
        assert (sheet.prices[field].price.cost.expected * 2, sheet.prices[field].price.cost.high) == (
            Decimal(high),
        ) * 2
