"""What people hear when something fails, and what stays out of the log."""

import dataclasses
import logging
from typing import Any

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web import SlackResponse

from handlers.errors import told, words_for
from knowledge.errors import ServiceError, UserError
from tests.handlers.world import World, serve

BOT = "<@U0LUTHIER>"
SECRET = "my secret words"


class BrokenIndex:
    """An index that fails as told."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def built(self) -> bool:
        return True

    def search(self, *_: Any, **__: Any) -> Any:
        raise self.error


def broken(world: World, error: Exception) -> None:
    """Let every answer fail from now on."""
    world.deps = dataclasses.replace(world.deps, index=BrokenIndex(error))  # type: ignore[arg-type]
    world.hands = serve(world)


def test_a_failure_in_a_thread_is_told_there_with_the_next_step(world: World) -> None:
    """A service that is away is named in the thread, with what to do; the event counts as done."""
    broken(world, ServiceError("The index is away.", "Ask again in a minute."))
    asked = world.slack.send(f"{BOT} What is QLoRA?")
    world.slack.wait_message("The index is away. Ask again in a minute.", thread_ts=asked["ts"])
    assert set(world.hands.statuses) <= {200}


def test_an_unforeseen_failure_gives_a_reference_and_logs_no_content(
    world: World, caplog: pytest.LogCaptureFixture
) -> None:
    """A bug is owned up to with a reference that the log has too; what people wrote is in neither."""
    broken(world, ValueError(SECRET))
    with caplog.at_level(logging.ERROR):
        asked = world.slack.send(f"{BOT} What is {SECRET}?")
        said = world.slack.wait_message("Something broke on my side", thread_ts=asked["ts"])
    reference = said["text"].rsplit("`")[-2]
    assert any(reference in record.getMessage() for record in caplog.records)
    assert SECRET not in said["text"] + caplog.text


def test_where_slack_does_not_take_our_words_the_event_is_kept(world: World) -> None:
    """An event whose answer Slack refused is not counted as done, so that the inbox tries it again."""
    refusal = SlackResponse(client=None, http_verb="POST", api_url="", req_args={}, data={"error": "internal_error"},
                            headers={}, status_code=500)  # fmt: skip
    broken(world, SlackApiError("refused", refusal))
    asked = world.slack.send("Words follow")
    event = {
        "type": "app_mention",
        "user": "U0ADA",
        "channel": "C0ASK",
        "ts": asked["ts"],
        "text": f"{BOT} What is QLoRA?",
    }
    assert world.event(event) == 500


def test_markup_in_an_error_is_harmless() -> None:
    """A name that somebody chose cannot ring a channel through an error message."""
    assert told("No data set <!channel>.", "Use `train`.") == "No data set &lt;!channel&gt;. Use `/tune train`."
    assert words_for(UserError("Row <b>.", "Fix it.")) == "Row &lt;b&gt;. Fix it."
