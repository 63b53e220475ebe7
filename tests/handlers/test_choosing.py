"""Choosing a base and a place in Slack, and changing a quote in place, through the local Slack's own API."""

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.console import wait_for
from tests.handlers.test_training import form, job_in, quote_for
from tests.handlers.world import ADA, World, serve
from tests.trainers.data.test_pairs import as_trl
from trainers.errors import StaleApproval
from trainers.jobs.service import spec_of

Json = dict[str, Any]
BASE = "gpt-4.1-mini"


def elsewhere(world: World, *places: str, pretending: tuple[str, ...] = ()) -> None:
    """Let hosted places be set up."""
    jobs = replace(world.deps.jobs, pretending=pretending)
    world.deps = replace(world.deps, places=("local", *places), jobs=jobs)
    serve(world)


def side_by_side(world: World) -> Json:
    """Go through the form with the shipped example and a hosted base; gives the card of its places."""
    world.slack.submit(form(world), {"base": BASE})
    root = world.slack.wait_message("wants to train", channel="C0ASK")
    return world.slack.wait_message("Where to train", channel="C0ASK", thread_ts=root["ts"])


def again(world: World, card: Json) -> str:
    """The card as it is now."""
    shown = world.slack.messages(card["channel"], card["thread_ts"], user="U0ADA")
    return json.dumps(next(each for each in shown if each["ts"] == card["ts"]), ensure_ascii=False)


def test_the_form_asks_for_no_base_where_there_is_no_choice(world: World) -> None:
    """On this machine alone there is one base, so the form has no menu of them."""
    assert "Base model" not in json.dumps(form(world))


def test_the_form_lists_what_can_be_trained_today(world: World) -> None:
    """With hosted places set up it asks for a base, among those that somebody still trains."""
    elsewhere(world, "openai", "azure")
    shown = json.dumps(form(world))
    assert "Base model" in shown
    assert "gpt-4.1-mini" in shown
    assert "gpt-3.5-turbo" not in shown


def test_places_stand_side_by_side_and_one_is_quoted(world: World) -> None:
    """Both places with prices and lifecycle; a click asks for one quote, and nothing else has begun."""
    elsewhere(world, "openai", "azure")
    card = side_by_side(world)
    told = json.dumps(card, ensure_ascii=False)
    assert "2027-01-06" in told
    assert "2027-10-14" in told
    assert world.deps.jobs.ledger.listing("T0NORTHWIND") == []
    world.slack.click(card, "Quote: OpenAI")
    job = job_in(world, "quoted")
    assert (spec_of(job).backend, spec_of(job).base) == ("openai", BASE)
    world.deliver()
    quote = json.dumps(world.slack.wait_message("Quote #1", channel="C0ASK", thread_ts=card["thread_ts"]))
    assert "OpenAI" in quote
    assert "under 1 min" not in quote


def test_a_place_that_does_not_train_on_pairs_has_no_row(world: World) -> None:
    """Of preference pairs only places are shown that train the base on such; below stands why another is not."""
    elsewhere(world, "openai", "azure")
    pairs = "".join(json.dumps(as_trl(number)) + "\n" for number in range(60)).encode()
    file = world.slack.upload("pairs.jsonl", pairs)
    world.slack.submit(form(world), {"base": "gpt-4o", "train_file": [file], "ours": ["yes"]})
    root = world.slack.wait_message("wants to train", channel="C0ASK")
    card = world.slack.wait_message("Where to train", channel="C0ASK", thread_ts=root["ts"])
    shown = next(block for block in card["blocks"] if block["type"] == "table")
    assert ["OpenAI" in json.dumps(row) for row in shown["rows"]] == [False, True]
    assert "Quote: Azure OpenAI" in json.dumps(card)
    assert "Quote: OpenAI" not in json.dumps(card)
    assert "OpenAI does not train gpt-4o on preference pairs (DPO)" in json.dumps(card)


def test_change_prices_the_places_again_in_the_same_message(world: World) -> None:
    """Other epochs, another price, the same card; what is no number is told at its field."""
    elsewhere(world, "openai")
    card = side_by_side(world)
    before = again(world, card)
    world.slack.click(card, "Change")
    view = world.slack.wait_view(title="Change the run")
    refused = world.slack.submit(view, {"epochs": "many"})
    assert "number" in json.dumps(refused)
    world.slack.submit(view, {"epochs": "9"})
    after = wait_for(lambda: now if (now := again(world, card)) != before else None, what="an edited card")
    assert "9 epochs" in after


def test_a_rehearsed_place_says_so_on_every_card(world: World) -> None:
    """The places, the quote and the job's title all say that it is a rehearsal."""
    elsewhere(world, "openai", pretending=("openai",))
    card = side_by_side(world)
    assert "A rehearsal: nothing is trained" in json.dumps(card)
    world.slack.click(card, "Quote: OpenAI (rehearsal)")
    job = job_in(world, "quoted")
    assert job.title.startswith("[rehearsal] ")
    world.deliver()
    quote = world.slack.wait_message("Quote #1", channel="C0ASK", thread_ts=card["thread_ts"])
    assert "nothing is trained and nothing is charged" in json.dumps(quote)


def test_a_waiting_quote_is_changed_in_place(world: World) -> None:
    """Change quotes anew in the same message; the approval that was clicked for the one before is worth nothing."""
    card = quote_for(world)
    before = world.deps.jobs.ledger.listing("T0NORTHWIND")[0]
    world.slack.click(card, "Change")
    view = world.slack.wait_view(title="Change the run")
    world.slack.submit(view, {"epochs": "3", "rank": "8", "learning_rate": "0.002"})
    job = wait_for(
        lambda: now if (now := job_in(world, "quoted")).quote_hash != before.quote_hash else None, what="a new quote"
    )
    knobs = spec_of(job).hyperparameters
    assert (knobs.epochs, knobs.rank, knobs.learning_rate) == (3, 8, 0.002)
    assert world.deliver()
    assert "3 epochs, LoRA rank 8" in again(world, card)
    with pytest.raises(StaleApproval):
        world.deps.jobs.approve(job.id, before.quote_hash, ADA, world.now)
    assert job_in(world, "quoted").id == job.id


@pytest.mark.parametrize("values", [{"epochs": "500"}, {"rank": "0"}, {"learning_rate": "7"}])
def test_a_knob_out_of_range_changes_nothing(world: World, values: dict[str, str]) -> None:
    """It is told in the form, and the quote stays as it was."""
    card = quote_for(world)
    before = world.deps.jobs.ledger.listing("T0NORTHWIND")[0]
    world.slack.click(card, "Change")
    refused = world.slack.submit(world.slack.wait_view(title="Change the run"), values)
    assert "errors" in json.dumps(refused)
    assert job_in(world, "quoted").quote_hash == before.quote_hash
