"""Knows what each button and form of a review does; it does not know how they look or how rows are kept.

Whoever can click the card can decide: it stands in a channel, and Slack shows it to that channel's members only. The
workspace is checked on every click.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from datetime import timedelta
from functools import partial
from typing import Any, Literal

from slack_bolt import Ack, App, BoltContext, BoltResponse
from slack_sdk import WebClient

from handlers.blocks import review as card
from handlers.blocks import review_forms as forms
from handlers.blocks.parts import section
from handlers.blocks.words import person
from handlers.deps import Deps
from handlers.once import Once, alone
from handlers.people import aside_of, person_of
from handlers.posting import edit, permalink, post, whisper
from knowledge.errors import UserError
from knowledge.tenancy import Person
from trainers.data.review import Key, Maker, Outcome
from trainers.data.review_rows import Draft, turns_of
from trainers.errors import ReviewNotFound
from trainers.evals.generating.form import as_declared, edit_doubt, edit_refused
from trainers.evals.planned import answer_refused
from trainers.jobs.service import Place
from trainers.tables import Review

Json = Mapping[str, Any]

OVER = "This review ended meanwhile, so nothing was changed."

NO_ANSWER = "Say what the right answer is: without it the row cannot be kept. Cancel leaves everything as it was."

ONE_MORE = "One more row is being drafted: the card shows it in some seconds."

MOST_ERROR = 300
"""Characters of an error under a field: more is hard to read in a form."""

REDRAWS = 5
"""How often a card is drawn again because it changed while Slack took the drawing."""

_clicks = Once(timedelta(seconds=2))  # who wants two more rows clicks again soon


def register(app: App, deps: Deps) -> None:
    """Listen for clicks on cards and for submitted forms."""
    listeners: dict[str, Callable[..., None]] = {
        card.KEEP: decide,
        card.DROP: decide,
        card.UNDO: decide,
        card.BACK: turn_page,
        card.ON: turn_page,
        card.WHOLE: show_whole,
        card.EDIT: open_edit,
        card.ADD: open_add,
        card.LIKE: another,
        card.REST: keep_rest,
    }
    for action_id, listener in listeners.items():
        app.action(action_id, middleware=[partial(of_newest_card, deps)])(partial(listener, deps))
    app.view(forms.EDIT_FORM)(partial(submit_edit, deps))
    app.view(forms.ADD_FORM)(partial(submit_add, deps))


def of_newest_card(
    deps: Deps, body: Json, action: Json, context: BoltContext, client: WebClient, next: Callable[[], Any]
) -> BoltResponse | None:
    """Let a click pass that was made on the review's newest card; an older one says where that is, and does nothing.

    A card is posted twice where nobody could know whether the first one had arrived.
    """
    seen = str(body.get("container", {}).get("message_ts") or "")
    try:
        review = deps.reviews.look(person_of(context), str(action.get("value")).partition(":")[0]).review
    except ReviewNotFound:
        next()  # the listener says so
        return None
    if not seen or not review.card_ts or seen == review.card_ts:
        next()
        return None
    link = permalink(client, review.channel, review.card_ts)
    edit(client, review.channel, seen, card.newer_text(link), [section(card.newer_text(link))])
    return BoltResponse(status=200)


def begin_review(
    client: WebClient,
    deps: Deps,
    person: Person,
    place: Place,
    drafts: Sequence[Json],
    *,
    purpose: Literal["test", "train"],
    title: str,
    spec: Json,
    kept: int = 0,
    review_id: str = "",
) -> None:
    """Put drafts before people in the thread `place`, the first `kept` as kept already.

    A draft has `messages` (the last assistant turn is the expected answer, or missing), `kind`, `why`, `provenance`.
    `spec` says what the rows are for; `labels` in it are counted, `name` names the data set. Raises RowRefused.
    """
    where: dict[str, Any] = {"channel": place.channel, "thread_ts": place.thread_ts, "person": person}
    where |= {"kept": kept, "review_id": review_id}
    begun = deps.reviews.begin(drafts, purpose=purpose, title=title, spec=spec, now=deps.clock(), **where)
    with ExitStack() as failed:
        failed.callback(deps.reviews.discard, person, begun.id, deps.clock())  # nobody could end it without its card
        look = deps.reviews.look(person, begun.id)
        ts = post(client, place.channel, card.review_text(look), card.review_blocks(look), thread_ts=place.thread_ts)
        failed.pop_all()
    deps.reviews.at_card(begun.id, ts)


def decide(deps: Deps, ack: Ack, body: Json, action: Json, context: BoltContext, client: WebClient) -> None:
    """Keep or drop the row that was shown, or take its last change back."""
    ack()
    who, key = person_of(context), card.key_of(str(action["value"]))
    verbs = {card.KEEP: deps.reviews.keep, card.DROP: deps.reviews.drop, card.UNDO: deps.reviews.undo}
    outcome = verbs[str(action["action_id"])](who, key, deps.clock())
    draw(client, deps, who, outcome.review)
    explain(client, body, who, outcome)


def turn_page(deps: Deps, ack: Ack, action: Json, context: BoltContext, client: WebClient) -> None:
    """Show another row, for everybody; a second click on the same button goes to the same row."""
    ack()
    who, key = person_of(context), card.key_of(str(action["value"]))
    draw(client, deps, who, deps.reviews.show(who, key.review_id, key.place).review)


def show_whole(deps: Deps, ack: Ack, body: Json, action: Json, context: BoltContext, client: WebClient) -> None:
    """Show a row in full to one person."""
    ack()
    key = card.key_of(str(action["value"]))
    look = deps.reviews.look(person_of(context), key.review_id)
    client.views_open(trigger_id=body["trigger_id"], view=card.whole_view(look, look.row(key.place)))


def open_edit(deps: Deps, ack: Ack, body: Json, action: Json, context: BoltContext, client: WebClient) -> None:
    """Open the form with the row as it is now, whatever the card showed."""
    ack()
    key = card.key_of(str(action["value"]))
    look = deps.reviews.look(person_of(context), key.review_id)
    client.views_open(trigger_id=body["trigger_id"], view=forms.edit_form(look, look.row(key.place)))


def open_add(deps: Deps, ack: Ack, body: Json, action: Json, context: BoltContext, client: WebClient) -> None:
    """Open the empty form."""
    ack()
    look = deps.reviews.look(person_of(context), str(action["value"]))
    client.views_open(trigger_id=body["trigger_id"], view=forms.add_form(look))


def another(deps: Deps, ack: Ack, body: Json, action: Json, context: BoltContext, client: WebClient) -> None:
    """Draft one more row like the one that is shown; where nothing drafts, the form with its words to change."""
    ack()
    who, key = person_of(context), card.key_of(str(action["value"]))
    if deps.more_rows is None:
        look = deps.reviews.look(who, key.review_id)
        client.views_open(trigger_id=body["trigger_id"], view=forms.add_form(look, look.row(key.place)))
        return
    outcome = _one_more(deps, who, key, deps.more_rows, lambda: _say_begun(client, body, who))
    if outcome is not None:
        draw(client, deps, who, outcome.review)
        explain(client, body, who, outcome)
        say_by_recipe(client, deps, body, who, outcome)


def keep_rest(deps: Deps, ack: Ack, body: Json, action: Json, context: BoltContext, client: WebClient) -> None:
    """Keep all that nobody has decided about."""
    ack()
    who = person_of(context)
    outcome = deps.reviews.keep_rest(who, str(action["value"]), deps.clock())
    draw(client, deps, who, outcome.review)
    explain(client, body, who, outcome)


def submit_edit(deps: Deps, ack: Ack, view: Json, context: BoltContext, client: WebClient) -> None:
    """Save a row's new words; where somebody was first, show both texts and keep the form open."""
    who, key, values = person_of(context), forms.where(view), view["state"]["values"]
    look = deps.reviews.look(who, key.review_id)
    row = look.row(key.place)
    draft = as_declared(look.review, forms.entered(values, turns_of(row), row.provenance))
    if wrong := _wrong_answer(look.review, draft, values):
        ack(response_action="errors", errors=wrong)
        return
    try:
        outcome = deps.reviews.edit(who, key, draft, deps.clock())
    except UserError as refused:
        ack(response_action="errors", errors={forms.question(draft.messages): f"{refused.what} {refused.next_step}"})
        return
    if outcome.changed or outcome.why == "same":
        ack()
        draw(client, deps, who, outcome.review)
        if turns_of(row) != draft.messages:
            _doubt(client, outcome, draft, who)
        return
    _answer_late(deps, ack, who, outcome, draft)


def submit_add(deps: Deps, ack: Ack, view: Json, context: BoltContext, client: WebClient) -> None:
    """Add a row that somebody wrote."""
    who, key, values = person_of(context), forms.where(view), view["state"]["values"]
    look = deps.reviews.look(who, key.review_id)
    written = forms.entered(values, forms.blank(look, values), f"written in Slack by {who.user_id}")
    draft = as_declared(look.review, written)
    if wrong := _wrong_answer(look.review, draft, values):
        ack(response_action="errors", errors=wrong)
        return
    try:
        outcome = deps.reviews.add(who, key.review_id, draft, deps.clock())
    except UserError as refused:
        ack(response_action="errors", errors={forms.question(draft.messages): f"{refused.what} {refused.next_step}"})
        return
    if outcome.changed:
        ack()
    else:
        ack(response_action="errors", errors={forms.question(draft.messages): OVER})
    draw(client, deps, who, outcome.review)


def draw(client: WebClient, deps: Deps, who: Person, review: Review) -> None:
    """Edit the card to what is true now.

    Two who draw at once may reach Slack in the wrong order; each looks again afterwards, so the last one is right.
    """
    look, drawn = deps.reviews.look(who, review.id), -1
    for _ in range(REDRAWS):
        if look.review.revision == drawn or not look.review.card_ts:
            return
        drawn = look.review.revision
        edit(client, look.review.channel, look.review.card_ts, card.review_text(look), card.review_blocks(look))
        look = deps.reviews.look(who, review.id)


def explain(client: WebClient, body: Json, who: Person, outcome: Outcome) -> None:
    """Tell whoever clicked, and nobody else, why nothing came of it; a double click of one's own needs no words."""
    row, place = outcome.row, aside_of(body)
    if outcome.why == "closed" and outcome.review.finished_by != who.user_id:
        whisper(client, place.channel, who.user_id, _over(outcome.review), thread_ts=place.thread_ts)
    elif outcome.why == "stale" and row is not None and row.changed_by != who.user_id:
        words = f"{person(row.changed_by)} changed row {row.place} before your click; the card shows it as it is now."
        whisper(client, place.channel, who.user_id, words, thread_ts=place.thread_ts)


def say_by_recipe(client: WebClient, deps: Deps, body: Json, who: Person, outcome: Outcome) -> None:
    """Tell whoever clicked that the language model was not asked, where asking it may cost money."""
    if outcome.changed and deps.model is not None and not deps.model_price().free:
        place = aside_of(body)
        these = "This row is from a recipe" if outcome.changes == 1 else "These rows are from recipes"
        words = f"{these}: to ask {deps.model.name} may cost money, and a click has no quote."
        whisper(client, place.channel, who.user_id, words, thread_ts=place.thread_ts)


def _say_begun(client: WebClient, body: Json, who: Person) -> None:
    place = aside_of(body)
    whisper(client, place.channel, who.user_id, ONE_MORE, thread_ts=place.thread_ts)


def _one_more(deps: Deps, who: Person, key: Key, make: Maker, begun: Callable[[], None]) -> Outcome | None:
    """Draft one row for a click, none for its double."""
    click = f"{who.workspace_id}:{who.user_id}:{key.review_id}:{key.place}"
    with alone(click) as first:
        if not (first and _clicks.first(click, deps.clock())):
            return None
        begun()
        return deps.reviews.another_like(who, key, make, deps.clock())


def _wrong_answer(review: Review, draft: Draft, values: Json) -> dict[str, str]:
    """Say under the answer why the row could not be kept or frozen with it; after Finish it would be too late."""
    block = forms.answer(values, draft.messages)
    said = draft.messages[-1].content
    form = answer_refused(review, said) or edit_refused(review, said, draft.messages[-2].content)
    why = form if draft.answered else NO_ANSWER
    return {block: why[:MOST_ERROR]} if block and why else {}


def _doubt(client: WebClient, outcome: Outcome, draft: Draft, who: Person) -> None:
    """Ask whoever edited a row about figures that its text does not have; the row stays as they wrote it."""
    review, turns = outcome.review, draft.messages
    if words := edit_doubt(review, turns[-1].content, turns[-2].content):
        whisper(client, review.channel, who.user_id, words, thread_ts=review.thread_ts)


def _answer_late(deps: Deps, ack: Ack, who: Person, outcome: Outcome, draft: Draft) -> None:
    if outcome.why == "closed" or outcome.row is None:
        words = f"{OVER} Your text stays in the row's history."
        ack(response_action="errors", errors={forms.question(draft.messages): words})
        return
    look = deps.reviews.look(who, outcome.review.id)
    ack(response_action="update", view=forms.edit_form(look, outcome.row, draft))


def _over(review: Review) -> str:
    ended = {"finishing": "is finishing", "discarded": "discarded"}.get(review.state, "finished")
    return f"{person(review.finished_by)} {ended} this review, so nothing was changed."
