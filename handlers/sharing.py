"""Knows how a private answer gets into its channel: it travels in its own button, and nothing of it is kept here."""

import base64
import json
import zlib
from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

from slack_bolt import Ack, App, BoltContext, Respond
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from handlers.blocks.answer import SHARE, answer_text, shared_blocks
from handlers.blocks.parts import Block
from handlers.deps import Deps
from handlers.people import person_of, place_of
from handlers.posting import CLOSED, answer_privately, post, withdraw
from knowledge.answer import Answer
from knowledge.citations import Citation, cite
from knowledge.conversations import Conversations, Thread
from knowledge.errors import UserError
from knowledge.feedback import Receipt, hash_of
from knowledge.index import Index
from knowledge.tenancy import Person
from trainers.jobs.service import Place

VALUE = 2000
"""Characters that Slack keeps with a button."""

_UNPACKED = 20_000
"""Characters of an answer as it travels, unpacked; no button of ours holds so much."""

CHANGED = "A source of that answer has been changed or removed since."
NOT_YOURS = "That answer was given to somebody else."


class Ticket(NamedTuple):
    """A private answer, as its Share button carries it."""

    user_id: str
    """Who was given the answer, and alone may share it."""
    question: str
    """What they asked; empty where it was too long to travel along."""
    text: str
    written_by: str
    cited: list[tuple[str, str]]
    """Ids of the passages in the order of their numbers, each with the sentence that was cited."""
    thread_ts: str = ""
    """Thread of the question; empty where it was asked in none."""


def register(app: App, deps: Deps) -> None:
    """Listen for the button."""
    app.action(SHARE)(partial(share, deps))


def share(
    deps: Deps,
    ack: Ack,
    body: dict[str, Any],
    action: dict[str, Any],
    context: BoltContext,
    client: WebClient,
    respond: Respond,
) -> None:
    """Post a private answer to its channel or thread, and take the private one away."""
    ack()
    person, ticket, place = person_of(context), unpacked(str(action["value"])), place_of(body)
    said = recalled(deps.index, person, ticket)
    receipt = Receipt(hash_of(person.workspace_id, ticket.question), tuple(key for key, _ in ticket.cited))
    blocks = shared_blocks(said, ticket.question, person.user_id, receipt)
    place = place._replace(thread_ts=ticket.thread_ts)
    put(deps, client, respond, person, place, answer_text(said), blocks, kind="answer")


def put(
    deps: Deps,
    client: WebClient,
    respond: Respond,
    person: Person,
    place: Place,
    text: str,
    blocks: Sequence[Block],
    *,
    kind: str,
) -> None:
    """Post what was private, and take the private message away; where we may not write, say so and leave it."""
    try:
        ts = post(client, place.channel, text, blocks, thread_ts=place.thread_ts)
    except SlackApiError as error:
        if error.response["error"] not in CLOSED:
            raise
        answer_privately(respond, "I can't write in this channel. Add me with `/invite`, then share it again.")
        return
    thread = Thread(person.workspace_id, place.channel, place.thread_ts or ts)
    Conversations(deps.engine).join(thread, kind, deps.clock())
    withdraw(respond)


def ticket_for(person: Person, channel: str, question: str, said: Answer, thread_ts: str = "") -> str:
    """Return what a Share button carries; "" where there is nothing to share, nobody to share with, or no room."""
    if said.abstained or channel.startswith("D"):  # in direct messages there is nobody else
        return ""
    cited = [(citation.passage_id, citation.quote) for citation in said.citations]
    whole = Ticket(person.user_id, question, said.text, said.written_by, cited, thread_ts)
    values = (packed(ticket) for ticket in (whole, whole._replace(question="")))
    return next((value for value in values if len(value) <= VALUE), "")


def unpacked(value: str) -> Ticket:
    """Read what a Share button carries."""
    user_id, question, text, written_by, cited, *thread_ts = unpacked_json(value)
    return Ticket(user_id, question, text, written_by, [(key, quote) for key, quote in cited], *thread_ts)


def recalled(index: Index, person: Person, ticket: Ticket) -> Answer:
    """Return the answer for whoever was given it, with its sources as they are now; raises UserError."""
    if person.user_id != ticket.user_id:
        raise UserError(NOT_YOURS, "Ask for your own with `/tune ask`.")
    citations: list[Citation] = []
    for n, (key, quote) in enumerate(ticket.cited, start=1):
        passage = index.passage(key, person.workspace_id)
        if passage is None:
            raise UserError(CHANGED, "Ask again, then share what I answer now.")
        citations.append(cite(passage, n, quote))
    return Answer(
        text=ticket.text, citations=tuple(citations), written_by=ticket.written_by, confidence=1.0, seconds=0.0
    )


def packed(ticket: tuple[Any, ...]) -> str:
    """Return a ticket as a button's value, which may be longer than Slack keeps."""
    plain = json.dumps(ticket, ensure_ascii=False).encode("utf-8", "replace")
    return base64.urlsafe_b64encode(zlib.compress(plain, 9)).decode()


def unpacked_json(value: str) -> list[Any]:
    """Read the fields that a button carries."""
    inflated = zlib.decompressobj().decompress(base64.urlsafe_b64decode(value), _UNPACKED)
    return list(json.loads(inflated))
