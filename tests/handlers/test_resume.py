"""Resuming a job that ended: where that may cost money its price is said and asked for once more, else it goes on."""

import json
from collections.abc import Callable
from typing import Any

from tests.console import find_element
from tests.handlers.test_life import allow, answered, rehearsed, verbs
from tests.handlers.test_training import job_in, quote_for
from tests.handlers.world import World
from trainers.jobs import outbox
from trainers.jobs.cards import ended_card
from trainers.jobs.ledger import move
from trainers.tables import Job

Json = dict[str, Any]
Price = Callable[..., None]

__all__ = ["rehearsed"]


def failed(world: World, price: Price, dollars: str) -> tuple[Json, Job]:
    """A job of this price that was approved and failed while it ran; gives the card of its end."""
    allow(world, workspace_cap="100", own_click_limit="50")
    price(dollars)
    card = quote_for(world)
    world.slack.click(card, "Approve and start")
    job = job_in(world, "queued")
    with world.deps.jobs.ledger.transaction() as connection:
        move(connection, job, "running", "w", world.now)
        running = job.model_copy(update={"state": "running"})
        move(connection, running, "failed", "w", world.now, finished_at=world.now)
        said = ended_card(job, "failed", "The disk is full.", "Free some space, then `resume`.", "")
        outbox.put(connection, job, said, world.now)
    world.deliver()
    return world.slack.wait_message("The disk is full", thread_ts=card["thread_ts"]), job


def test_a_paid_job_is_resumed_only_after_its_price_was_said(world: World, rehearsed: Price) -> None:
    """The command shows the price and changes nothing; its button asks once more, and then the job goes on."""
    _, job = failed(world, rehearsed, "12")
    offer = answered(world, f"/tune resume {job.number}", "may spend up to *$12*")
    assert job_in(world, "failed")
    assert "resumed" not in [verb for _, verb in verbs(world)]
    dialog = find_element(offer, "Resume")[1]["confirm"]
    assert "up to $12, as approved" in dialog["text"]["text"]
    world.slack.click(offer, "Resume")
    assert job_in(world, "queued").id == job.id
    world.slack.wait_message("continues from its last checkpoint")
    answered(world, f"/tune resume {job.number}", "waits in the queue; there is nothing to resume")
    assert [verb for _, verb in verbs(world)].count("resumed") == 1


def test_the_button_of_an_ended_paid_job_says_the_price(world: World, rehearsed: Price) -> None:
    """Resume under the end of a paid job asks once more, with what it may spend."""
    ended, _ = failed(world, rehearsed, "12")
    dialog = find_element(ended, "Resume")[1]["confirm"]
    assert dialog["title"]["text"] == "Resume job #1?"
    assert "up to $12, as approved" in dialog["text"]["text"]
    world.slack.click(ended, "Resume")
    assert job_in(world, "queued")


def test_a_free_job_is_resumed_at_once(world: World, rehearsed: Price) -> None:
    """Where nothing is spent nobody is asked again, neither by the button nor by the command."""
    ended, job = failed(world, rehearsed, "0")
    assert "confirm" not in find_element(ended, "Resume")[1]
    answered(world, f"/tune resume #{job.number}", "continues from its last checkpoint")
    assert job_in(world, "queued").id == job.id


def test_a_stranger_sees_no_price_and_resumes_nothing(world: World, rehearsed: Price) -> None:
    """Who may not resume a paid job is told so at once instead of being asked about a price."""
    _, job = failed(world, rehearsed, "12")
    allow(world, approvers="U0BEN")
    said = answered(world, f"/tune resume {job.number}", "Only the person who asked for this job", user="U0CHI")
    assert "$12" not in json.dumps(said)


def test_a_pause_refuses_the_button_of_the_offer(world: World, rehearsed: Price) -> None:
    """A pause that came after the offer holds: the click is refused in words and nothing is set aside."""
    _, job = failed(world, rehearsed, "12")
    offer = answered(world, f"/tune resume {job.number}", "may spend up to")
    allow(world, paused="yes")
    world.slack.click(offer, "Resume")
    world.slack.wait_message("lifts the pause")
    assert job_in(world, "failed")
