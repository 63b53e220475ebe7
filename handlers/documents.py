"""Knows how a workspace's documents are listed, read and removed in Slack; it does not know how they look."""

import json
import re
from collections.abc import Sequence
from difflib import get_close_matches
from functools import partial
from typing import Any

from slack_bolt import Ack, App, BoltContext, Respond
from slack_sdk import WebClient

from handlers.blocks import documents as drawn
from handlers.blocks.forms import note_view
from handlers.blocks.parts import Block, section
from handlers.deps import Deps
from handlers.errors import words_for
from handlers.escape import mrkdwn
from handlers.home import guide_note
from handlers.people import aside_of, person_of
from handlers.posting import whisper, withdraw
from knowledge.errors import LuthierError
from knowledge.places import Place
from knowledge.tables import DocumentRow
from knowledge.tenancy import Person

Json = dict[str, Any]


def register(app: App, deps: Deps) -> None:
    """Listen for the buttons of the list and of a document."""
    app.action(drawn.ALL)(partial(opened, deps))
    app.action(drawn.READ)(partial(read, deps))
    app.action(drawn.FORGET)(partial(forget, deps))
    app.action(re.compile(f"^{drawn.PAGE}:"))(partial(turned, deps))
    app.action(re.compile(f"^{drawn.READ_ON}:"))(partial(read_on, deps))


def list_view(deps: Deps, person: Person, page: int = 0, note: str = "") -> Block:
    """Draw a page of the list."""
    return drawn.sources_view(deps.library.documents(person.workspace_id), guide_note(), page, note)


def opened(deps: Deps, ack: Ack, body: Json, context: BoltContext, client: WebClient) -> None:
    """Open the list."""
    ack()
    client.views_open(trigger_id=body["trigger_id"], view=list_view(deps, person_of(context)))


def turned(deps: Deps, ack: Ack, body: Json, action: Json, context: BoltContext, client: WebClient) -> None:
    """Turn a page of the list."""
    ack()
    client.views_update(view_id=body["view"]["id"], view=list_view(deps, person_of(context), int(action["value"])))


def read(deps: Deps, ack: Ack, body: Json, action: Json, context: BoltContext, client: WebClient) -> None:
    """Open a document over what is open."""
    ack()
    document_id, start = json.loads(action["value"])
    view = document_view(deps, person_of(context), str(document_id), int(start))
    call = client.views_push if body.get("view", {}).get("type") == "modal" else client.views_open
    call(trigger_id=body["trigger_id"], view=view)


def read_on(deps: Deps, ack: Ack, body: Json, action: Json, context: BoltContext, client: WebClient) -> None:
    """Turn a page of a document."""
    ack()
    document_id, start = json.loads(action["value"])
    client.views_update(
        view_id=body["view"]["id"], view=document_view(deps, person_of(context), str(document_id), int(start))
    )


def forget(
    deps: Deps, ack: Ack, body: Json, action: Json, context: BoltContext, client: WebClient, respond: Respond
) -> None:
    """Remove a document; the dialogue has asked before."""
    ack()
    person, (document_id, page) = person_of(context), json.loads(action["value"])
    try:
        gone = deps.learning.forget(str(document_id), person, deps.clock())
        said = drawn.forgotten_text(gone) if gone else drawn.GONE
    except LuthierError as refused:
        gone, said = None, words_for(refused)
    try:
        _tell(client, deps, person, body, int(page), said)
        if gone is not None and not body.get("view"):
            withdraw(respond)
    finally:  # also where Slack does not take our words, such as for a view that was closed
        if gone is not None:  # may wait for a job that indexes the same collection: one thread does, nobody else
            deps.library.settle_next(Place(person.workspace_id, gone.collection))


def _tell(client: WebClient, deps: Deps, person: Person, body: Json, page: int, said: str) -> None:
    if body.get("view"):
        client.views_update(view_id=body["view"]["id"], view=list_view(deps, person, page, said))
    else:
        place = aside_of(body)
        whisper(client, place.channel, person.user_id, said, thread_ts=place.thread_ts)


def document_view(deps: Deps, person: Person, document_id: str, start: int) -> Block:
    """Draw a page of a document of this person's workspace."""
    row = deps.library.find(person.workspace_id, document_id)
    if row is None:
        return note_view("Document", drawn.GONE)
    start = max(0, start)
    return drawn.document_view(row, deps.library.passages(row, start, drawn.READABLE), start)


def forget_named(deps: Deps, person: Person, name: str) -> tuple[str, list[Block]]:
    """Ask whether the document of a name is to go; offer the nearest names where there is none."""
    rows = deps.library.documents(person.workspace_id)
    if not name:
        return "Which document? `/tune forget refunds.md` removes one; `/tune sources` lists them.", []
    found = deps.learning.named(person, name)
    if found:
        return f"Remove {mrkdwn(found[0].name, 150)}?", drawn.forget_blocks(found)
    text = f"There is no document called *{mrkdwn(name, 150)}*."
    near = _nearest(name, rows)
    if not near:
        return f"{text} `/tune sources` lists them.", []
    return f"{text} Did you mean one of these?", [
        section(f"{text} Did you mean one of these?"),
        *drawn.forget_blocks(near),
    ]


def _nearest(name: str, rows: Sequence[DocumentRow]) -> list[DocumentRow]:
    known = {row.name.casefold(): row for row in rows}
    return [known[each] for each in get_close_matches(name.casefold(), known, n=3, cutoff=0.5)]
