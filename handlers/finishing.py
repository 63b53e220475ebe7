"""Knows what ends a review: the files, once, and the freeze of its plan; not how rows are decided about."""

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

from slack_bolt import Ack, App, BoltContext, Respond
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from handlers.blocks import review as card
from handlers.deps import Deps
from handlers.escape import mrkdwn
from handlers.people import aside_of, person_of
from handlers.posting import post, whisper, withdraw
from handlers.review import draw, explain, of_newest_card
from knowledge.errors import UserError
from knowledge.tenancy import Person
from trainers.data import review_finish
from trainers.data.review import Look
from trainers.errors import AnswersUnknown
from trainers.evals.drafts.another import more_rows
from trainers.evals.planned import check_answers, freeze_reviewed, frozen_remarks, may_draft, rule_of, too_few
from trainers.tables import Review

Json = Mapping[str, Any]

BEGUN = "More rows are being drafted, at your click a moment ago: the card shows them. If none come, try in a minute."


def register(app: App, deps: Deps) -> None:
    """Listen for the buttons."""
    listeners: dict[str, Callable[..., None]] = {
        card.FINISH: finish,
        card.ANYWAY: freeze_anyway,
        card.MORE: draft_more,
    }
    for action_id, listener in listeners.items():
        on_card = [partial(of_newest_card, deps)] if action_id == card.FINISH else []
        app.action(action_id, middleware=on_card)(partial(listener, deps))


def finish(deps: Deps, ack: Ack, body: Json, action: Json, context: BoltContext, client: WebClient) -> None:
    """End the review; where its rows are too few to ever pass, say so first and change nothing."""
    ack()
    who, place, look = person_of(context), aside_of(body), deps.reviews.look(person_of(context), str(action["value"]))
    short = too_few(look)
    if short is None:
        end(deps, body, who, look.review.id, client)
        return
    words, blocks = card.short_text(short), card.short_blocks(short, look.review.id)
    whisper(client, place.channel, who.user_id, words, blocks, thread_ts=place.thread_ts)


def freeze_anyway(
    deps: Deps, ack: Ack, body: Json, action: Json, context: BoltContext, client: WebClient, respond: Respond
) -> None:
    """End the review with as few rows as it has: whoever clicks was told what that means."""
    ack()
    withdraw(respond)
    end(deps, body, person_of(context), str(action["value"]), client)


def draft_more(
    deps: Deps, ack: Ack, body: Json, action: Json, context: BoltContext, client: WebClient, respond: Respond
) -> None:
    """Draft as many rows as are missing into the review; a double click is one wish."""
    ack()
    withdraw(respond)
    who, look = person_of(context), deps.reviews.look(person_of(context), str(action["value"]))
    if too_few(look) is None:
        draw(client, deps, who, look.review)
    elif may_draft(
        deps.engine, who, f"more {look.review.id} {len(look.rows)}", str(action.get("action_ts", "")), deps.clock()
    ):
        add_drafts(deps, body, who, look, client)
    else:
        place = aside_of(body)
        whisper(client, place.channel, who.user_id, BEGUN, thread_ts=place.thread_ts)


def add_drafts(deps: Deps, body: Json, who: Person, look: Look, client: WebClient) -> None:
    """Draft what is missing, outside of any transaction, and show it on the card."""
    short = too_few(look)
    if short is None:
        return
    meter = deps.meter(who.workspace_id)
    drafts = more_rows(look.review, look.rows, short.missing, model=deps.model, meter=meter)
    outcome = deps.reviews.extend(who, look.review.id, drafts, deps.clock())
    draw(client, deps, who, outcome.review)
    explain(client, body, who, outcome)


def end(deps: Deps, body: Json, who: Person, review_id: str, client: WebClient) -> None:
    """End the review and put its files into the thread, once; then freeze the plan that it was drafted for.

    Where kept rows have answers that the plan does not know, it stays open and the card shows the first of them.
    """
    try:
        outcome = review_finish.finish(deps.reviews, who, review_id, deps.clock(), check_answers)
    except AnswersUnknown as unknown:
        draw(client, deps, who, deps.reviews.show(who, review_id, unknown.place).review)
        raise
    posted = post_files(client, deps, who, outcome.review)
    words = freeze(deps, who, outcome.review)
    if posted and words:
        post(client, outcome.review.channel, words, thread_ts=outcome.review.thread_ts or outcome.review.card_ts)
    draw(client, deps, who, outcome.review)
    explain(client, body, who, outcome)


def post_files(client: WebClient, deps: Deps, who: Person, review: Review) -> bool:
    """Upload the frozen rows and the report into the thread; False where somebody else does or has done it."""
    if not review_finish.may_post(deps.reviews, review, deps.clock()):
        return False
    look, sent = deps.reviews.look(who, review.id), []
    files = review_finish.finished(deps.reviews, review)
    named = zip((files.rows, files.report), card.file_names(look), strict=True)
    uploads = [{"content": path.read_bytes(), "filename": name, "title": name} for path, name in named]
    try:
        answer = client.files_upload_v2(
            file_uploads=uploads, channel=review.channel, thread_ts=review.thread_ts or review.card_ts
        )
        sent = [str(file["id"]) for file in answer["files"]]
    except SlackApiError as error:
        what = f"The rows are finished, but Slack did not take the files ({error.response['error']})."
        raise UserError(what, "Click Finish again to have them posted.") from error
    finally:
        review_finish.posted(deps.reviews, review, sent)
    return True


def freeze(deps: Deps, who: Person, review: Review) -> str:
    """Freeze the plan of a finished review; gives what that means, or why it was not, "" where there is no plan."""
    try:
        frozen = freeze_reviewed(deps.engine, deps.reviews, review, who, deps.clock())
    except UserError as refused:
        return (
            f"The rows are finished and their files are here, but no plan was frozen with them. "
            f"{mrkdwn(f'{refused.what} {refused.next_step}', 1200)} You can mend the file and freeze it in a shell "
            "(`luthier eval-plan … --freeze NAME --test FILE`), or draft rows again."
        )
    if frozen is None:
        return ""
    name, rule = mrkdwn(frozen.name, 120), mrkdwn(rule_of(frozen.plan).sentence, 300)
    words = (
        f"Frozen: the plan *{name}* with these rows (`{frozen.plan.test_sha256[:12]}`), which I keep. Choose the plan "
        f"in `/tune train`: the model is then tested on them and judged by {rule}."
    )
    remarks = mrkdwn(frozen_remarks(deps.reviews, review, frozen.plan), 900)
    return f"{words}\n{remarks}" if remarks else words
