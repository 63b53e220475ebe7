"""Knows what the button of an evaluation plan does: test rows are drafted and reviewed; it writes none itself."""

from functools import partial
from typing import Any

from slack_bolt import Ack, App, BoltContext
from slack_sdk import WebClient

from handlers.blocks.plan import DRAFT
from handlers.deps import Deps
from handlers.escape import mrkdwn
from handlers.people import person_of, place_of
from handlers.posting import begin_thread, whisper
from handlers.review import begin_review
from trainers.evals.drafts import draft
from trainers.evals.plan import make_plan
from trainers.evals.planned import may_draft
from trainers.jobs.service import Place

Json = dict[str, Any]

DRAFTS = 20
"""Test rows that one click drafts."""

BEGUN = (
    "A review of this plan began a moment ago, at your click: its rows come in the thread. "
    "If none do, click again in a minute."
)


def register(app: App, deps: Deps) -> None:
    """Listen for the button."""
    app.action(DRAFT)(partial(draft_rows, deps))


def draft_rows(deps: Deps, ack: Ack, body: Json, action: Json, context: BoltContext, client: WebClient) -> None:
    """Draft test rows for a plan and begin their review in a thread; a double click is one wish."""
    ack()
    person, place, plan = person_of(context), place_of(body), make_plan(str(action["value"]))
    card = f"plan {plan.digest[:12]} {place.channel} {body.get('container', {}).get('message_ts', '')}".strip()
    if not may_draft(deps.engine, person, card, str(action.get("action_ts", "")), deps.clock()):
        whisper(client, place.channel, person.user_id, BEGUN, thread_ts=place.thread_ts)
        return
    meter = deps.meter(person.workspace_id)
    made = draft(plan, count=DRAFTS, seed=int(deps.clock().timestamp()), model=deps.model, meter=meter)
    text = f"<@{person.user_id}> drafts test rows for: {mrkdwn(plan.task, 300)} {mrkdwn(made.note, 600)}".strip()
    where = Place(*begin_thread(client, place.channel, place.thread_ts, person.user_id, text))
    spec = {"task": plan.task, "labels": list(plan.labels), "plan": plan.to_json(), "name": plan.task[:60]}
    drafts = [one.to_review() for one in made.drafts]
    begin_review(client, deps, person, where, drafts, purpose="test", title=plan.task[:80], spec=spec)
