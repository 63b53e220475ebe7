"""Knows what each button and menu does; it does not know how the cards that carry them look."""

import json
import re
from collections.abc import Callable
from functools import partial
from typing import Any

from slack_bolt import Ack, App, BoltContext
from slack_sdk import WebClient

from handlers.answering import Heard, reply
from handlers.blocks import advice as advice_card
from handlers.blocks import answer as answer_card
from handlers.blocks import approval, forms, job, lint, report
from handlers.blocks.details import details_view
from handlers.blocks.parts import Block
from handlers.commands import already, resume_words, stop_words
from handlers.costs import cost_view
from handlers.deps import Deps
from handlers.modals import open_training
from handlers.people import aside_of, person_of, place_of
from handlers.posting import post, whisper
from handlers.strangers import is_stranger
from handlers.training import train_on_upload
from trainers.jobs import elsewhere
from trainers.jobs.invoices import compared
from trainers.jobs.labelled import labelled
from trainers.jobs.messages import ReportCard
from trainers.jobs.service import Place, result_of, spec_of
from trainers.states import LIVE
from trainers.tables import Job

Json = dict[str, Any]


def register(app: App, deps: Deps) -> None:
    """Listen for clicks."""
    listeners: dict[str, Callable[..., None]] = {
        approval.APPROVE: approve,
        approval.ASK: approve,
        approval.CANCEL: stop,
        job.STOP: stop,
        job.RESUME: resume,
        job.PAUSE: pause,
        job.GO_ON: partial(pause, go_on=True),
        report.TRY: try_model,
        report.DETAILS: details,
        lint.TRAIN_ON_IT: train_file,
        lint.FORM: open_form,
        advice_card.TRAIN: open_form,
        advice_card.COST: cost,
    }
    for action_id, listener in listeners.items():
        app.action(action_id)(partial(listener, deps))
    app.action(re.compile(f"^{answer_card.PROMPT}:"))(partial(ask_prompt, deps))


def approve(deps: Deps, ack: Ack, body: Json, action: Json, context: BoltContext, client: WebClient) -> None:
    """Approve a quote; the card changes through the outbox, a late click hears what happened before."""
    ack()
    job_id, _, quote_hash = str(action["value"]).partition(":")
    outcome = deps.jobs.approve(job_id, quote_hash, person_of(context), deps.clock())
    if not outcome.changed:
        _tell(client, body, context, already(outcome))


def stop(deps: Deps, ack: Ack, body: Json, action: Json, context: BoltContext, client: WebClient) -> None:
    """Cancel a quote or stop a job."""
    ack()
    job_id = str(action["value"]).partition(":")[0]
    outcome = deps.jobs.stop(job_id, person_of(context), deps.clock())
    if not outcome.changed or outcome.job.state in LIVE:
        _tell(client, body, context, stop_words(outcome))


def resume(deps: Deps, ack: Ack, body: Json, action: Json, context: BoltContext, client: WebClient) -> None:
    """Queue a failed or stopped job again."""
    ack()
    outcome = deps.jobs.resume(str(action["value"]), person_of(context), deps.clock())
    _tell(client, body, context, resume_words(outcome))


def pause(
    deps: Deps, ack: Ack, body: Json, action: Json, context: BoltContext, client: WebClient, *, go_on: bool = False
) -> None:
    """Ask the provider of a hosted job to pause its run, or to let it go on; the progress message follows."""
    ack()
    person = person_of(context)
    found = deps.jobs.ledger.find(person.workspace_id, str(action["value"]))
    elsewhere.pause(deps.jobs, deps.backend(spec_of(found).backend), found, person, deps.clock(), go_on=go_on)


def try_model(deps: Deps, ack: Ack, body: Json, action: Json, context: BoltContext, client: WebClient) -> None:
    """Open the form that asks base and tuned model the same."""
    ack()
    model = deps.registry.get(person_of(context).workspace_id, str(action["value"]))
    client.views_open(trigger_id=body["trigger_id"], view=forms.try_form(model.name, model.id))


def details(deps: Deps, ack: Ack, body: Json, action: Json, context: BoltContext, client: WebClient) -> None:
    """Show the full report."""
    ack()
    person, channel = person_of(context), place_of(body).channel
    found = deps.jobs.ledger.find(person.workspace_id, str(action["value"]), seen_by=person.user_id, channel=channel)
    found = labelled(deps.engine, deps.datasets.folder, found)
    errors = [one.sentence for one in compared(deps.jobs.ledger, found)]
    view = details_view(report_of(found), json.loads(found.quote), channel, errors)
    client.views_open(trigger_id=body["trigger_id"], view=view)


def train_file(deps: Deps, ack: Ack, body: Json, action: Json, context: BoltContext, client: WebClient) -> None:
    """Take the rows of a file that came with a message: the confirmation said that they are ours."""
    ack()
    train_on_upload(client, deps, person_of(context), place_of(body), str(action["value"]))


def open_form(deps: Deps, ack: Ack, body: Json, context: BoltContext, client: WebClient) -> None:
    """Open the training form; from Home its thread begins in direct messages."""
    ack()
    person, place = person_of(context), place_of(body)
    at_home = Place(person.user_id, private=True)
    open_training(client, deps, person, place if place.channel else at_home, body["trigger_id"])


def cost(deps: Deps, ack: Ack, body: Json, context: BoltContext, client: WebClient) -> None:
    """Say what can be said of cost now: the shipped example's quote, and how to get one's own."""
    ack()
    opened = client.views_open(
        trigger_id=body["trigger_id"], view=forms.note_view("What would it cost?", "⏳ Working it out…")
    )
    client.views_update(view_id=opened["view"]["id"], view=cost_view(deps, person_of(context)))


def ask_prompt(deps: Deps, ack: Ack, body: Json, action: Json, context: BoltContext, client: WebClient) -> None:
    """Answer a suggested first message in the thread of the hello."""
    ack()
    person, place, text = person_of(context), place_of(body), str(action["value"])
    ts = post(client, place.channel, f"<@{person.user_id}> asks: {text}", thread_ts=place.thread_ts)
    heard = Heard(
        person=person,
        channel=place.channel,
        ts=ts,
        thread_ts=place.thread_ts or ts,
        text=text,
        stranger=is_stranger(context),
        shared=not place.channel.startswith("D"),  # a click does not tell, so it is taken to be
    )
    reply(client, deps, heard)


def report_of(found: Job) -> ReportCard:
    """Read a finished job's report."""
    result, offer = result_of(found), json.loads(found.quote)
    quoted = [a + b for a, b in zip(offer["training_minutes"], offer["evaluation_minutes"], strict=True)]
    return ReportCard(
        job_id=found.id,
        number=found.number,
        title=found.title,
        requested_by=found.requested_by,
        model_id=result.get("model_id") or "",
        report=result.get("report"),
        seconds=float(result["seconds"]),
        billed=str(result.get("billed") or ""),
        quoted_minutes=(quoted[0], quoted[1]),
    )


def _tell(client: WebClient, body: Json, context: BoltContext, words: str, blocks: list[Block] | None = None) -> None:
    place, user = aside_of(body), context.user_id or ""
    if place.channel:
        whisper(client, place.channel, user, words, blocks or (), thread_ts=place.thread_ts)
    else:
        post(client, user, words, blocks or ())
