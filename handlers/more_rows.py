"""Knows how a review of training rows gets the rows that training needs, also after its end; not how they look."""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from hashlib import sha256
from typing import Any

from slack_bolt import Ack, App, BoltContext
from slack_sdk import WebClient

from handlers.blocks import review as card
from handlers.blocks.words import count
from handlers.deps import Deps
from handlers.escape import mrkdwn
from handlers.people import aside_of, person_of
from handlers.posting import permalink, whisper
from handlers.review import begin_review, draw, explain, of_newest_card, say_by_recipe
from knowledge.models import ChatModel
from knowledge.tenancy import Person
from trainers.data.enough import missing
from trainers.data.review import Look
from trainers.errors import ReviewNotFound
from trainers.evals.generating.another import further_rows
from trainers.evals.generating.rows import BY_MODEL
from trainers.evals.planned import may_draft
from trainers.jobs.service import Place
from trainers.tables import ReviewRow

Json = Mapping[str, Any]

BEGUN = "More rows are being drafted, at your click a moment ago: the card shows them. If none come, try in a minute."


def register(app: App, deps: Deps) -> None:
    """Listen for the buttons."""
    listeners: dict[str, Callable[..., None]] = {card.ENOUGH: fill_up, card.AGAIN: begin_again}
    for action_id, listener in listeners.items():
        app.action(action_id, middleware=[partial(of_newest_card, deps)])(partial(listener, deps))


def fill_up(deps: Deps, ack: Ack, body: Json, action: Json, context: BoltContext, client: WebClient) -> None:
    """Draft as many rows as training needs into an open review; a double click is one wish."""
    ack()
    who = person_of(context)
    look = deps.reviews.look(who, str(action["value"]))
    wanted = missing(len(card.alive(look)))
    if wanted and _first(deps, body, action, who, f"more {look.review.id} {len(look.rows)}", client):
        if writer := _free(deps):
            _say(client, body, who, drawn_text(wanted, writer.name))
        drafts = _drafted(deps, who, look, look.rows, wanted)
        outcome = deps.reviews.extend(who, look.review.id, drafts, deps.clock())
        explain(client, body, who, outcome)
        say_by_recipe(client, deps, body, who, outcome)
        if writer and (words := filled_text(drafts, writer.name)):
            _say(client, body, who, words)
    draw(client, deps, who, look.review)


def begin_again(deps: Deps, ack: Ack, body: Json, action: Json, context: BoltContext, client: WebClient) -> None:
    """Begin a review with the kept rows of a finished one and the rows that are missing; once for each review."""
    ack()
    who, old = person_of(context), deps.reviews.look(person_of(context), str(action["value"]))
    next_id = f"rev_{sha256(f'again {old.review.id}'.encode()).hexdigest()[:12]}"
    try:
        newer = deps.reviews.look(who, next_id)
    except ReviewNotFound:
        if _first(deps, body, action, who, f"again {old.review.id}", client):
            _begin(deps, client, who, old, next_id)
        return
    point_to(client, body, who, newer)


def point_to(client: WebClient, body: Json, who: Person, newer: Look) -> None:
    """Tell whoever clicked where the card is that goes on from theirs."""
    place = aside_of(body)
    link = permalink(client, newer.review.channel, newer.review.card_ts) if newer.review.card_ts else ""
    whisper(client, place.channel, who.user_id, card.newer_text(link), thread_ts=place.thread_ts)


def _begin(deps: Deps, client: WebClient, who: Person, old: Look, review_id: str) -> None:
    kept = [row for row in old.rows if row.status == "kept"]
    more = _drafted(deps, who, old, kept, missing(len(kept))) if missing(len(kept)) else []
    drafts = [*map(card.draft_of, kept), *more]
    where = Place(old.review.channel, old.review.thread_ts or old.review.card_ts)
    told: dict[str, Any] = {"purpose": "train", "title": old.review.title, "spec": old.spec}
    begin_review(client, deps, who, where, drafts, kept=len(kept), review_id=review_id, **told)


def _drafted(deps: Deps, who: Person, look: Look, rows: Sequence[ReviewRow], wanted: int) -> list[Json]:
    """Draft rows that none of `rows` asks, with a language model where nobody is billed; outside of any transaction."""
    return further_rows(look.review, rows, wanted, model=_free(deps), meter=deps.meter(who.workspace_id))


def drawn_text(wanted: int, writer: str) -> str:
    """Say that a language model is at work, which takes minutes."""
    return f"{mrkdwn(writer, 60)} drafts up to {count(wanted, 'more row')}. The card shows them when they are there."


def filled_text(drafts: Sequence[Json], writer: str) -> str:
    """Say how many of some drafts a language model did not write; "" where it wrote all."""
    by_model = sum(str(draft["provenance"]).startswith(BY_MODEL) for draft in drafts)
    recipes = len(drafts) - by_model
    if not recipes:
        return ""
    named = mrkdwn(writer, 60)
    said = f"{count(recipes, 'row')} of these {len(drafts)} by recipe: {named} wrote {by_model} that passed."
    return f"{said} *See it all* names where a row is from."


def _free(deps: Deps) -> ChatModel | None:
    """Return the language model where nobody is billed for it: a click has no quote."""
    return deps.model if deps.model is not None and deps.model_price().free else None


def _say(client: WebClient, body: Json, who: Person, words: str) -> None:
    place = aside_of(body)
    whisper(client, place.channel, who.user_id, words, thread_ts=place.thread_ts)


def _first(deps: Deps, body: Json, action: Json, who: Person, card_of: str, client: WebClient) -> bool:
    """Say whether this is a wish of its own; else tell whoever clicked that it is being carried out."""
    if may_draft(deps.engine, who, card_of, str(action.get("action_ts", "")), deps.clock()):
        return True
    _say(client, body, who, BEGUN)
    return False
