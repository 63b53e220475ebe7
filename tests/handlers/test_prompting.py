"""A system prompt asked for in Slack: private at first, and shared by whoever asked for it."""

import json
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from handlers.blocks.prompting import LEFT_BEHIND, checked_view
from handlers.prompting import asked_to_check, prompt_ticket, ticket_of
from handlers.sharing import VALUE
from knowledge.errors import UserError
from knowledge.tenancy import Person
from tests.console import wait_for
from tests.handlers.world import ADA, World, serve
from tests.trainers.evals.test_prompting_read import Reader
from trainers.evals.generating.price import ChatPrice
from trainers.evals.metrics.operations import TokenPrices
from trainers.evals.plan import make_plan
from trainers.evals.prompting.compose import compose_prompt

NOISE = "".join(chr(0x4E00 + place * 7919 % 20_000) for place in range(3_000))
TOLD = compose_prompt(make_plan("Sort tickets into billing, returns, other"), seed=7).to_json()


def test_a_private_prompt_is_shared_by_who_asked_for_it(world: World) -> None:
    """Share posts the prompt with its examples and who shares it, and takes the private one away."""
    world.slack.command("/tune system-prompt sort tickets into billing, returns, other")
    said = world.slack.wait_message("Output format")
    assert "Output format" not in json.dumps(world.slack.messages(user="U0BEN"))
    world.slack.click(said, "Share in channel")
    shared = json.dumps(world.slack.wait_message("shares a system prompt", user="U0BEN"))
    assert all(words in shared for words in ("<@U0ADA>", "billing, returns, other", "Example 3"))


def test_a_prompt_of_one_s_own_is_checked_in_a_form(world: World) -> None:
    """What is missing comes first, with what to do; nothing of it stands in a channel."""
    world.slack.command("/tune system-prompt --check You are a helpful assistant.")
    view = world.slack.wait_view(title="Check a system prompt")
    assert "You are a helpful assistant." in json.dumps(view)
    typed = {
        "check_prompt_text": "You are a helpful assistant.",
        "check_prompt_task": "Sort mail into billing, returns",
    }
    answer = json.dumps(world.slack.submit(view, typed), ensure_ascii=False)
    told = (
        answer if "to mend" in answer else json.dumps(world.slack.wait_view(title="System prompt"), ensure_ascii=False)
    )
    assert all(words in told for words in ("to mend", "would fit any model", "does not name billing, returns"))
    assert "helpful assistant" not in json.dumps(world.slack.messages(user="U0BEN"))


@pytest.mark.parametrize(
    ("dollars", "said"), [(0, "reader-1 reads a contradiction"), (1, "To let reader-1 read it may cost money")]
)
def test_a_language_model_that_costs_nothing_reads_a_checked_prompt_too(world: World, dollars: int, said: str) -> None:
    """The form shows at once what words tell, and then what the model says; a check has no quote."""
    reader = Reader({"pairs": [{"one": "Never tell the price.", "other": "End with what it costs."}]}, seconds=1.0)
    price = ChatPrice(prices=TokenPrices(Decimal(dollars), Decimal(dollars)), basis="of a test")
    world.deps = replace(world.deps, model=reader, model_price=lambda: price)  # type: ignore[arg-type]  # as needed
    serve(world)
    world.slack.command("/tune system-prompt --check")
    form = world.slack.wait_view(title="Check a system prompt")
    world.slack.submit(form, {"check_prompt_text": "You answer. Never tell the price. End with what it costs."})

    def told() -> bool:
        return said in json.dumps(world.slack.wait_view(title="System prompt"))

    wait_for(told, 20, what="what the model reads")
    assert bool(reader.asked) == (dollars == 0)


@pytest.mark.parametrize("typed", ["—check", "--check You sort.", "check my spelling"])
def test_only_the_option_opens_the_form(typed: str) -> None:
    """Phones turn two dashes into one; a task may begin with the word."""
    assert (asked_to_check(typed) is None) == (typed == "check my spelling")


def test_a_prompt_that_somebody_else_was_given_is_not_shared() -> None:
    """A button's value in other hands shares nothing."""
    with pytest.raises(UserError, match="somebody else"):
        ticket_of(Person(workspace_id=ADA.workspace_id, user_id="U0BEN"), prompt_ticket(ADA, "C0ASK", TOLD))


@pytest.mark.parametrize(
    ("told", "examples", "notes"),
    [
        (TOLD, 3, TOLD["notes"]),
        (
            {**TOLD, "examples": [{**TOLD["examples"][0], "user": NOISE}]},
            0,
            [*TOLD["notes"], LEFT_BEHIND],
        ),
    ],
)
def test_a_share_button_holds_what_slack_keeps(told: dict[str, Any], examples: int, notes: list[str]) -> None:
    """Examples that are too long stay behind, and the notes say so."""
    value = prompt_ticket(ADA, "C0ASK", told)
    assert 0 < len(value) <= VALUE
    read = ticket_of(ADA, value)
    assert (len(read.examples), read.notes, read.prompt) == (examples, notes, told["prompt"])


def test_there_is_no_button_where_it_would_be_of_no_use() -> None:
    """A prompt that is too long, or asked for in direct messages, cannot be shared by a click."""
    assert prompt_ticket(ADA, "C0ASK", {**TOLD, "prompt": NOISE}) == ""
    assert prompt_ticket(ADA, "D0ADA", TOLD) == ""


def test_hundreds_of_findings_are_no_view_that_slack_refuses() -> None:
    """Slack takes 100 blocks."""
    found = [{"aspect": "role", "ok": False, "says": str(n), "fix": ""} for n in range(582)]
    view = checked_view(found)
    assert len(view["blocks"]) < 100
    assert "And 542 more" in str(view["blocks"])
