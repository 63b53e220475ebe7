"""`/tune cost` in the local Slack: the card, its form, its charts, and what cannot be read."""

import json
from typing import Any

import pytest

from tests.console import wait_for
from tests.handlers.world import ADA, World
from trainers.jobs.retirements import warn

Json = dict[str, Any]
GUIDE = "/tune cost gpt-4.1-mini rows=500 in=500 out=100 epochs=3 requests=1000"


def card(world: World, words: str = GUIDE) -> Json:
    world.slack.command(words, channel="C0ASK")
    return world.slack.wait_message("Does it pay?", channel="C0ASK", user="U0ADA")


def test_the_card_shows_totals_comparison_and_break_even(world: World) -> None:
    """Training, serving, every provider, what is unknown, how it ends, and on which day it has paid."""
    drawn = json.dumps(card(world), ensure_ascii=False)
    for part in ("$4.50", "$21.60", "Tinker", "Bedrock", "unknown", "2027-01-06", "2027-01-14", "closing", "never"):
        assert part in drawn, part
    for part in ("In all", "no fee", "Your own GPU: electricity and the machine itself"):
        assert part in drawn, part


def test_assumptions_are_changed_in_place(world: World) -> None:
    """The form shows each assumption with its reason; what is entered changes the same card, and errors stand there."""
    shown = card(world)
    world.slack.click(shown, "Change")
    form = world.slack.wait_view(title="Reckoned on")
    assert "guess at a long prompt" in json.dumps(form)
    refused = json.dumps(world.slack.submit(form, {"cached_percent": "150"}))
    assert '"cached_percent"' in refused
    world.slack.submit(form, {"requests_per_day": "2000", "cached_percent": ""})
    at = {"channel": "C0ASK", "user": "U0ADA"}
    changed = world.slack.wait_message(lambda m: "$43.20" in json.dumps(m), **at)
    assert changed["ts"] == shown["ts"]


def test_the_form_alone_prices_a_data_set(world: World) -> None:
    """Without words a form opens; the shipped rows are counted with the model's own tokenizer."""
    world.slack.command("/tune cost", channel="C0ASK")
    form = world.slack.wait_view(title="What would it cost?")
    refused = json.dumps(world.slack.submit(form, {"model": "gpt-4.1-mini"}))
    assert "data set" in refused
    refused = json.dumps(world.slack.submit(form, {"model": "gpt-4.1-mimi", "dataset": "tickets"}))
    assert "Nearest" in refused
    world.slack.submit(form, {"model": "gpt-4.1-mini", "dataset": "tickets"})
    drawn = world.slack.wait_message("Does it pay?", channel="C0ASK", user="U0ADA")
    assert "o200k_base" in json.dumps(drawn)


def test_charts_are_drawn_on_request(world: World) -> None:
    """Two pictures, each with words for those who cannot see it."""
    world.slack.click(card(world), "Charts")
    drawn = lambda: (v := world.slack.wait_view(title="Cost")) and "slack_file" in json.dumps(v) and v  # noqa: E731
    view = wait_for(drawn, 15, what="the charts")
    told = [block["alt_text"] for block in view["blocks"] if block["type"] == "image"]
    assert len(told) == 2
    assert "Line chart" in told[0]
    assert "Unknown:" in told[1]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("rows=5", "Which base model"),
        ("gpt-4.1-mini rows=5", "tokens before an answer"),
        ("gpt-4.1-mini rows=many in=5 out=5", "many"),
        ("gpt-4.1-mini rows=-5 in=5 out=5", "examples"),
        ("gpt-4.1-mimi rows=5 in=5 out=5", "gpt-4.1-mini"),
        ("gpt-4.1-mini nosuchdata", "no data set"),
        ("gpt-4.1-mini rows=5 in=5 out=5 by=nobody", "provider"),
        ("gpt-4.1-mini rows=5 in=5 out=5 colour=red", "colour"),
        ("gpt-4.1-mini a b", "can't read"),
        ("gpt-4.1-mini rows=5 in=5 out=5 requests=1 requests_per_day=2", "said twice"),
    ],
)
def test_what_cannot_be_read_is_said(world: World, words: str, said: str) -> None:
    """Only who typed it hears what was wrong and what to write."""
    world.slack.command(f"/tune cost {words}", channel="C0ASK")
    world.slack.wait_message(said, channel="C0ASK", user="U0ADA")


def test_nothing_is_due_for_models_of_this_machine(world: World) -> None:
    """A model that was trained here goes dark when its owner says so."""
    assert warn(world.deps.jobs.ledger, (), world.now) == 0
    assert ADA.workspace_id
