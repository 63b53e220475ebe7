"""Parts of an estimate where a deployment is paid by the hour, and where a model does not fit on a card."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from trainers.costs.book import Listed
from trainers.costs.epochs import recommend
from trainers.costs.estimate import Estimate, estimate, shipped_shelf
from trainers.costs.memory import memory_needed
from trainers.costs.names import find_model
from trainers.costs.offers import Shelf
from trainers.costs.units import read_price
from trainers.costs.workload import Workload

LOAD = Workload(examples=500, prompt_tokens=Decimal(500), completion_tokens=Decimal(100), epochs=3)


def priced(model: str, provider: str, **changes: str) -> Estimate:
    return estimate(LOAD, model, provider=provider, today=date(2026, 11, 30), changes=changes)


def test_a_second_evaluation_deploys_a_second_time() -> None:
    """At most two evaluations are twice the hours as well as twice the tokens."""
    once, twice = (priced("qwen3-8b", "fireworks", evaluation_passes=count).evaluation for count in ("1", "2"))
    assert once is not None
    assert twice is not None
    assert (twice.low, twice.expected, twice.high) == (once.low, once.expected, once.high * 2)


def test_a_base_on_the_same_deployment_has_its_longer_prompt() -> None:
    """At Fireworks the base answers on the tune's deployment; nowhere else is that taken for granted."""
    books = shipped_shelf()
    fireworks, (sheet, *_) = books.books["fireworks"], books.books["fireworks"].sheets
    rest = {name: price for name, price in sheet.prices.items() if not name.startswith("base")}
    dearer = {**rest, "tuned_input": Listed(price=read_price("1.00 USD per 1M tokens"), source=rest["training"].source)}
    alone = replace(fireworks, sheets=(replace(sheet, prices=dearer),))
    shelf = Shelf(books={**books.books, "fireworks": alone}, lines=books.lines)
    made = estimate(LOAD, sheet.model, provider="fireworks", today=date(2026, 11, 30), shelf=shelf)
    assert made.evaluation is not None
    assert made.evaluation.expected == 8 + (100 * Decimal(500) + 100 * Decimal(2000)) / 1_000_000
    assert priced("qwen3-8b", "together").evaluation is None
    assert priced("gpt-oss-20b", "azure").evaluation is None


@pytest.mark.parametrize(
    ("model", "card", "said"),
    [
        ("llama-3.3-70b-instruct", "rtx-4090", "does not fit on one rtx-4090 (24 GB)"),
        ("llama-3.3-70b-instruct", "l40s", ""),
        ("qwen-32b", "l4", "may not fit on one l4"),
        ("qwen3-8b", "t4", ""),
    ],
)
def test_a_model_too_large_for_a_card_is_not_priced_on_it(model: str, card: str, said: str) -> None:
    """Where even the least that sources name exceeds the card nothing is priced; where only the most, it is said."""
    made = priced(model, "rented_gpu", gpu=card)
    tight = [warning for warning in made.warnings if " fit on one " in warning]
    assert said in " ".join(tight)
    assert bool(tight) == bool(said)
    fits = "does not" not in said
    assert [cost is not None for cost in (made.training, made.evaluation, made.serving)] == [fits] * 3


def test_memory_grows_with_the_model() -> None:
    """Each next size takes at least as much; what has no size has no need."""
    sizes = [memory_needed(find_model(name)) for name in ("smollm2-135m-instruct", "qwen3-8b", "qwen-32b")]
    assert None not in sizes
    assert sizes == sorted(size for size in sizes if size)
    assert memory_needed(find_model("gpt-4.1")) is None


def test_what_is_not_counted_is_said() -> None:
    """Validation at Together, graders at OpenAI and storage on Bedrock are named beside the sums."""
    for model, provider, part in (
        ("qwen3-8b", "together", "validation rows"),
        ("o4-mini", "openai", "model that grades"),
        ("nova-micro", "bedrock", "keeping a custom model"),
        ("qwen3-8b", "own_gpu", "electricity"),
    ):
        assert any(
            warning.startswith("Not counted") and part in warning for warning in priced(model, provider).warnings
        )


@pytest.mark.parametrize(
    ("examples", "why"),
    [(2, "25 passes, 50 rows in all"), (30_000, "one pass"), (12_000, "2 passes"), (20, "5 passes")],
)
def test_the_reason_for_the_epochs_names_what_goes_through(examples: int, why: str) -> None:
    """The reason says how many passes and rows it comes to, not the rule's round figure."""
    assert why in recommend(examples).why
