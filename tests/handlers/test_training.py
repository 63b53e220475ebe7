"""From /tune train to an approved quote over a real local Slack."""

from tests.handlers.world import ADA, World
from trainers.data.examples import EXAMPLES

TICKETS = EXAMPLES["tickets"].train.read_bytes()


def quote_for(world: World, channel: str = "C0ASK") -> dict:
    """Go through the form with the shipped example; gives the quote's card."""
    world.slack.command("/tune train", channel=channel)
    world.slack.submit(world.slack.wait_view(title="Train a model"))
    root = world.slack.wait_message("wants to train", channel=channel)
    world.slack.wait_message("ready to train", channel=channel, thread_ts=root["ts"])
    wait_job(world)
    assert world.deliver()
    return world.slack.wait_message("Quote #1", channel=channel, thread_ts=root["ts"])


def wait_job(world: World, state: str = "quoted") -> None:
    """Wait until the newest job is in this state."""
    from tests.console import wait_for

    wait_for(lambda: [j for j in world.deps.jobs.ledger.listing(ADA.workspace_id) if j.state == state], what=state)


def test_the_shipped_example_gets_findings_and_a_quote_in_a_thread(world: World) -> None:
    """Choosing the example begins a thread with the findings, then the quote with two buttons."""
    card = quote_for(world)
    assert "Success is fixed now" in str(card["blocks"])
    assert len(world.slack.messages("C0ASK", card["thread_ts"])) == 3


def test_a_second_click_on_approve_hears_who_approved(world: World) -> None:
    """The first click queues the job and the card says who approved; a click on the old card explains that privately."""
    card = quote_for(world)
    world.slack.click(card, "Approve and start")
    wait_job(world, "queued")
    world.slack.click(card, "Approve and start")
    world.slack.wait_message("approved this at", thread_ts=card["thread_ts"])
    world.deliver()
    edited = world.slack.wait_message("Approved by", thread_ts=card["thread_ts"])
    assert "Approve and start" not in str(edited["blocks"])
    assert edited["ts"] == card["ts"]
