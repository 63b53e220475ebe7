"""Knows how somebody is greeted who opens our direct messages; it does not know what they will ask."""

from functools import partial
from typing import Any

from slack_bolt import App, BoltContext
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from handlers.blocks.answer import HELLO, prompts, welcome_blocks
from handlers.deps import Deps
from handlers.people import person_of
from handlers.posting import post, status
from knowledge.conversations import Conversations, Thread
from knowledge.tenancy import Person


def register(app: App, deps: Deps) -> None:
    """Listen for new assistant threads and for Slack's own Stop button."""
    app.event("assistant_thread_started")(partial(started, deps))
    app.event("agent_session_stopped")(stopped)


def started(deps: Deps, event: dict[str, Any], context: BoltContext, client: WebClient) -> None:
    """Greet in a new assistant thread."""
    thread = event["assistant_thread"]
    person = Person(workspace_id=person_of(context).workspace_id, user_id=str(thread["user_id"]))
    welcome_once(client, deps, person, str(thread["channel_id"]), str(thread["thread_ts"]))


def stopped(event: dict[str, Any], client: WebClient) -> None:
    """Clear the status of a thread whose Stop was pressed: our answers are short, and jobs have their own Stop."""
    status(client, str(event["channel"]), str(event["thread_ts"]), "")


def welcome_once(client: WebClient, deps: Deps, person: Person, channel: str, thread_ts: str = "") -> None:
    """Offer first messages, and say hello the first time."""
    shown = suggest(client, channel, thread_ts)
    conversations, place = Conversations(deps.engine), Thread(person.workspace_id, channel, thread_ts)
    if conversations.find(place) is None:
        conversations.join(place, "welcome", deps.clock())  # first: two quick openings must not give two hellos
        post(client, channel, HELLO, welcome_blocks(buttons=not shown), thread_ts=thread_ts)


def suggest(client: WebClient, channel: str, thread_ts: str = "") -> bool:
    """Let Slack offer first messages; False where it cannot."""
    try:
        client.assistant_threads_setSuggestedPrompts(channel_id=channel, thread_ts=thread_ts or None, prompts=prompts())
    except SlackApiError:
        return False
    return True
