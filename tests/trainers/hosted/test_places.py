"""What can be trained where today, at which price, and what is unknown or refused before anybody approves."""

from dataclasses import replace
from datetime import date
from decimal import Decimal

import pytest

from knowledge.errors import UserError
from tests.trainers.hosted.shop import BASE, TODAY, Shop
from tests.trainers.jobs.conftest import ADA
from trainers.backends import HOSTED
from trainers.backends.bases import able, bases, check_choice
from trainers.backends.traits import traits_of
from trainers.costs.own_prices import read_own_prices
from trainers.errors import NotAllowed
from trainers.jobs import requoting
from trainers.jobs.service import spec_of
from trainers.spec import Method

PLACES = ("local", "openai", "azure", "nebius", "compatible")


def test_only_what_somebody_still_trains_is_offered() -> None:
    """Each base with its places; on the day on which OpenAI ends, its bases are Azure's alone."""
    today = bases(PLACES, TODAY, own={"compatible": ["mine"]})
    assert [each.backend for each in today[BASE]] == ["openai", "azure"]
    assert [each.backend for each in today["mine"]] == ["compatible"]
    assert "gpt-3.5-turbo" not in today
    later = bases(PLACES, date(2027, 1, 6))
    assert [each.backend for each in later[BASE]] == ["azure"]
    assert BASE not in bases(PLACES, date(2027, 10, 14))
    assert "2027-01-06" in today[BASE][0].lasts(TODAY)
    with pytest.raises(UserError, match="cannot be trained at Nebius"):
        check_choice(BASE, "nebius", today)


def test_places_are_priced_side_by_side_the_cheapest_first(shop: Shop) -> None:
    """Known prices come first, in order; a place without a price stands last and says so by having none."""
    dataset = shop.few_rows()
    specs = [requoting.spec_for(BASE, name, dataset.train_rows) for name in ("azure", "openai")]
    specs.append(requoting.spec_for("llama-3.1-8b-instruct", "nebius", dataset.train_rows))
    found = requoting.priced(shop.jobs, dataset, specs, ADA, shop.clock())
    totals = [each.quote.total if each.quote else None for each in found]
    assert totals[-1] is None
    assert sorted(total for total in totals if total is not None) == [total for total in totals if total is not None]
    assert shop.jobs.ledger.listing("T1") == []


def test_a_place_that_does_not_train_on_pairs_is_no_choice_for_them() -> None:
    """OpenAI and Azure name the bases that they train on pairs; Nebius trains none so. What is left out says why."""
    open_today = bases(PLACES, TODAY, own={"compatible": ["mine"]})
    found, others = able(open_today["gpt-4o"], "gpt-4o", pairs=True)
    assert [each.backend for each in found] == ["azure"]
    assert others == ["OpenAI does not train gpt-4o on preference pairs (DPO), only gpt-4.1 and gpt-4.1-mini."]
    assert able(open_today["gpt-4o"], "gpt-4o", pairs=False)[1] == []
    assert [each.backend for each in able(open_today[BASE], BASE, pairs=True)[0]] == ["openai", "azure"]
    assert able(open_today["mine"], "mine", pairs=True)[1] == []
    llama = "llama-3.1-8b-instruct"
    with pytest.raises(UserError, match="Nebius Token Factory does not train on preference pairs"):
        able(open_today[llama], llama, pairs=True)
    assert traits_of("azure").why_not("gpt-4o-mini-2024-07-18", Method.DPO)  # by the API's name too
    assert not traits_of("azure").why_not("gpt-4o-2024-08-06", Method.DPO)


@pytest.mark.parametrize("backend", ["nebius", "compatible"])
def test_what_has_no_price_cannot_be_approved_until_one_is_set(shop: Shop, backend: str) -> None:
    """Unknown is not 0: nobody's click approves it; prices of the operator's make it a quote like any other."""
    dataset = shop.few_rows()
    base = "llama-3.1-8b-instruct" if backend == "nebius" else "mine"
    spec = requoting.spec_for(base, backend, dataset.train_rows)
    job = shop.jobs.propose(dataset, spec, person=ADA, now=shop.clock())
    with pytest.raises(NotAllowed, match="not known"):
        shop.jobs.approve(job.id, job.quote_hash, ADA, shop.clock())
    own = read_own_prices("3 0.10 0.40", "LUTHIER_X_PRICES")
    assert own is not None
    priced = replace(shop.jobs, own_prices={backend: own})
    offer = priced.offer(dataset, spec, ADA, "train", "", shop.clock())
    assert offer.total is not None
    assert offer.training_cost is not None
    assert offer.training_cost >= Decimal(3) * offer.train_tokens / 1_000_000
    assert "LUTHIER_X_PRICES" in offer.cost_basis
    free = replace(shop.jobs, own_prices={backend: read_own_prices("0 0 0", "X")})  # type: ignore[dict-item]
    assert free.offer(dataset, spec, ADA, "train", "", shop.clock()).total == 0


def test_every_place_has_usual_passes_of_its_own(shop: Shop) -> None:
    """A hosted run begins with as many passes as so many rows are usually given, not with this machine's eight."""
    assert requoting.spec_for(BASE, "openai", 500).hyperparameters.epochs == 3
    assert requoting.spec_for(BASE, "openai", 500, epochs=5).hyperparameters.epochs == 5
    assert requoting.spec_for("smollm2-135m-instruct", "local", 500).hyperparameters.epochs == 8
    assert set(HOSTED) >= {"openai", "azure", "nebius", "compatible"}


def test_a_changed_quote_needs_its_own_yes(shop: Shop) -> None:
    """Other knobs are another hash, so a yes to the one before is none; the same knobs again change nothing."""
    dataset = shop.few_rows()
    job = shop.jobs.propose(dataset, shop.spec, person=ADA, now=shop.clock())
    done = requoting.change(shop.jobs, job.id, {"epochs": 4}, ADA, shop.clock())
    assert (done.changed, done.job.quote_hash != job.quote_hash) == (True, True)
    assert spec_of(done.job).hyperparameters.epochs == 4
    assert not requoting.change(shop.jobs, job.id, {"epochs": 4}, ADA, shop.clock()).changed
    with pytest.raises(UserError, match="cannot be changed"):
        requoting.change(shop.jobs, job.id, {"seed": 1}, ADA, shop.clock())
    with pytest.raises(UserError, match="Choose a value"):
        requoting.change(shop.jobs, job.id, {"epochs": 99}, ADA, shop.clock())
    shop.jobs.stop(job.id, ADA, shop.clock())
    with pytest.raises(UserError, match="is cancelled"):
        requoting.change(shop.jobs, job.id, {"epochs": 5}, ADA, shop.clock())
