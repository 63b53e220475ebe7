"""Knows what the buttons of an evaluation plan do: its form, and drafts for review; it writes no rows itself."""

import re
from functools import partial
from typing import Any

from slack_bolt import Ack, App, BoltContext
from slack_sdk import WebClient
from slack_sdk.webhook import WebhookClient

from handlers.blocks.plan import CHANGE, DRAFT, plan_blocks, plan_text
from handlers.blocks.plan_form import CHANGE_FORM, Opened, change_form, entered, where
from handlers.deps import Deps
from handlers.escape import mrkdwn
from handlers.people import aside_of, person_of, place_of
from handlers.posting import begin_thread, whisper
from handlers.review import begin_review
from knowledge.conversations import Conversations, Thread
from knowledge.errors import UserError
from knowledge.tenancy import Person
from trainers.data.titles import REVIEW_TITLE, at_word
from trainers.evals.drafts import draft
from trainers.evals.plan import EvalPlan, make_plan
from trainers.evals.plan_changes import changed_plan
from trainers.evals.plan_store import StoredPlan
from trainers.evals.planned import may_draft
from trainers.jobs.service import Place

Json = dict[str, Any]

DRAFTS = 20
"""Test rows that one click drafts."""

MOST_ERROR = 300
"""Characters of an error under a field: more is hard to read in a form."""

BEGUN = (
    "A review of this plan began a moment ago, at your click: its rows come in the thread. "
    "If none do, click again in a minute."
)

_ID = re.compile(r"plan_[0-9a-f]{12}")


def register(app: App, deps: Deps) -> None:
    """Listen for the buttons and the form."""
    app.action(DRAFT)(partial(draft_rows, deps))
    app.action(CHANGE)(partial(open_change, deps))
    app.view(CHANGE_FORM)(partial(submit_change, deps))


def draft_rows(deps: Deps, ack: Ack, body: Json, action: Json, context: BoltContext, client: WebClient) -> None:
    """Draft test rows for a plan and begin their review in a thread; a double click is one wish."""
    ack()
    person, place = person_of(context), place_of(body)
    plan = plan_named(deps, person, str(action["value"]))
    card = f"plan {plan.digest[:12]} {place.channel} {body.get('container', {}).get('message_ts', '')}".strip()
    if may_draft(deps.engine, person, card, str(action.get("action_ts", "")), deps.clock()):
        begin_drafts(deps, client, person, place, plan)
    else:
        whisper(client, place.channel, person.user_id, BEGUN, thread_ts=aside_of(body).thread_ts)


def open_change(deps: Deps, ack: Ack, body: Json, action: Json, context: BoltContext, client: WebClient) -> None:
    """Open the form of a plan; the plan is kept, as a form has no room for it."""
    ack()
    person = person_of(context)
    plan = plan_named(deps, person, str(action["value"]))
    stored = deps.plans.keep_for_card(plan, person=person, now=deps.clock())
    opened = Opened(stored.id, place_of(body).channel, str(body.get("response_url") or ""))
    client.views_open(trigger_id=body["trigger_id"], view=change_form(plan, opened))


def submit_change(deps: Deps, ack: Ack, view: Json, context: BoltContext, client: WebClient) -> None:
    """Change the plan and its card; what cannot be is told at its field."""
    person, opened = person_of(context), where(view)
    made, wrong = changed_plan(plan_named(deps, person, opened.plan_id), entered(view["state"]["values"]))
    if made is None:
        ack(response_action="errors", errors={name: words[:MOST_ERROR] for name, words in wrong.items()})
        return
    ack()
    stored = deps.plans.keep_for_card(made, person=person, now=deps.clock())
    draw_changed(client, person, opened, stored)


def plan_named(deps: Deps, person: Person, value: str) -> EvalPlan:
    """Return the plan that a button names: by its id where somebody changed it, else by the words of its task."""
    if not _ID.fullmatch(value):
        return make_plan(value)
    stored = deps.plans.find(person.workspace_id, value)
    if stored is None:
        raise UserError("A changed plan is kept for a month, and this one is gone.", "Plan again: `/tune eval-plan`.")
    return stored.plan


def draw_changed(client: WebClient, person: Person, opened: Opened, stored: StoredPlan) -> None:
    """Replace the card; where Slack no longer lets us (after half an hour), show it anew."""
    data = stored.plan.to_json()
    text, blocks = plan_text(data), plan_blocks(data, stored.id)
    if opened.response_url:
        answer = WebhookClient(opened.response_url).send(text=text, blocks=blocks, replace_original=True)
        if answer.status_code == 200:
            return
    whisper(client, opened.channel or person.user_id, person.user_id, text, blocks)


def begin_drafts(deps: Deps, client: WebClient, person: Person, place: Place, plan: EvalPlan) -> None:
    """Draft the rows, and begin their review in a thread in which we listen from then on."""
    meter = deps.meter(person.workspace_id)
    made = draft(plan, count=DRAFTS, seed=int(deps.clock().timestamp()), model=deps.model, meter=meter)
    text = f"<@{person.user_id}> drafts test rows for: {mrkdwn(plan.task, 300)} {mrkdwn(made.note, 600)}".strip()
    thread = begin_thread(client, place.channel, place.thread_ts, person.user_id, text)
    Conversations(deps.engine).join(Thread(person.workspace_id, *thread), "plan", deps.clock())
    name = at_word(plan.instruction, 60)
    spec = {"task": plan.task, "labels": list(plan.labels), "plan": plan.to_json(), "name": name}
    drafts, title = [one.to_review() for one in made.drafts], at_word(plan.instruction, REVIEW_TITLE)
    begin_review(client, deps, person, Place(*thread), drafts, purpose="test", title=title, spec=spec)
