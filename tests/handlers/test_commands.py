"""The sub-commands of /tune over a real local Slack: answered to who typed them, and to nobody else."""

import json
import re

import pytest

from handlers.blocks.listing import COMMANDS
from handlers.commands import SKILLS
from tests.handlers.world import World


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("/tune", "What I can do"),
        ("/tune help", "/tune advise"),
        ("/tune HELP", "/tune advise"),
        ("/tune trian", "Did you mean `/tune train`?"),
        ("/tune <!channel> everyone", "I don't know"),
        ("/tune ask What is QLoRA?", "Sources:"),
        ("/tune ask", "That question is empty"),
        (
            "/tune advise we sort tickets into 4 queues, have 120 labelled rows, data must stay on our laptop",
            "Confidence",
        ),
        ("/tune advise", "Tell me about your case"),
        ("/tune advise two things: sort tickets into 4 queues, and answer questions from our wiki", "You told 2 use"),
        ("/tune compare", "Tell me about your case"),
        ("/tune eval-plan Sort tickets into billing, returns, other", "Measure `accuracy`"),
        ("/tune eval-plan", "The task is empty"),
        ("/tune jobs", "No jobs yet"),
        ("/tune models", "No tuned models yet"),
        ("/tune cancel", "Which job?"),
        ("/tune cancel 7", "There is no job 7"),
        ("/tune cancel #<@U0BEN>", "There is no job"),
        ("/tune lint", "Which rows?"),
        ("/tune lint tickets", "ready to train"),
        ("/tune lint nothing", "There is no data set called nothing"),
    ],
)
def test_every_command_answers_only_who_typed_it(world: World, line: str, expected: str) -> None:
    """Whatever is typed gets a useful answer that nobody else sees."""
    assert world.slack.command(line)["ok"]
    world.slack.wait_message(expected)
    assert world.slack.messages("C0ASK", user="U0BEN") == []


def test_help_names_every_command_that_works() -> None:
    """The list and what is behind it cannot drift apart."""
    assert set(COMMANDS) == set(SKILLS)


def test_errors_name_commands_as_slack_knows_them(world: World) -> None:
    """What lower layers call `jobs` is `/tune jobs` here."""
    world.slack.command("/tune cancel 7")
    assert "`/tune jobs`" in world.slack.wait_message("There is no job 7")["text"]


def test_private_advice_leads_to_training_in_the_channel(world: World) -> None:
    """Advice by command is private; its button opens the form, and the training that follows begins a thread."""
    world.slack.command(
        "/tune advise we sort tickets into 4 queues, have 120 labelled rows, data must stay on our laptop"
    )
    card = world.slack.wait_message("Train on our rows")
    assert card["is_ephemeral"]
    world.slack.click(card, "Compare all options")
    assert "points" in json.dumps(world.slack.wait_view(title="All options"))
    world.slack.click(card, "Train on our rows")
    world.slack.submit(world.slack.wait_view(title="Train a model"))
    world.slack.wait_message("wants to train", user="U0BEN")


def test_compare_opens_all_options_side_by_side(world: World) -> None:
    """/tune compare shows ranks in five columns to who typed it, with dated figures."""
    world.slack.command("/tune compare sort tickets into 12 queues, 800 labelled")
    view = json.dumps(world.slack.wait_view(title="All options"))
    assert all(column in view for column in ("Likely quality", "Cost to implement", "Time", "Maintenance", "Ease of"))
    assert "hosting costs $0 to $7,264 a month" in view


def test_a_secret_is_shown_once_to_whoever_asked(world: World) -> None:
    """A key made in Slack shows its secret in a message that only its maker sees; the list and others never do."""
    world.slack.command("/tune keys create nightly training read train")
    shown = world.slack.wait_message("nightly training")
    secret = re.search(r"sk-luthier-[\w-]+", json.dumps(shown["blocks"]))
    assert secret is not None
    assert world.slack.messages("C0ASK", user="U0BEN") == []
    key = world.deps.keys.known(secret[0], world.now)
    assert key is not None
    assert (key.owner, key.channel, key.scopes) == ("U0ADA", "C0ASK", "read train")
    world.slack.command("/tune keys")
    listed = world.slack.wait_message("Keys of the fine-tuning API")
    assert key.id in json.dumps(listed["blocks"])
    assert secret[0] not in json.dumps(listed["blocks"])
    world.slack.command(f"/tune keys revoke {key.id}")
    world.slack.wait_message("is revoked")
    world.slack.command(f"/tune keys grant {key.id} 25")
    world.slack.wait_message("Only an approver")
    world.slack.command("/tune keys revoke everything")
    world.slack.wait_message("Which key?")
