"""Knows what /tune cost, its form and its charts do, and what can be said without rows; it computes no costs."""

import json
from collections.abc import Mapping
from decimal import Decimal
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from slack_bolt import Ack, App, BoltContext
from slack_sdk import WebClient
from slack_sdk.webhook import WebhookClient

from handlers.blocks.cost import (
    ASKED,
    CHANGE,
    CHARTS,
    FORM,
    change_form,
    charts_view,
    cost_blocks,
    cost_text,
    empty_form,
    entered,
    names_in,
)
from handlers.blocks.forms import note_view
from handlers.blocks.job import tokens
from handlers.blocks.parts import Block
from handlers.blocks.words import count, minutes, money
from handlers.deps import Deps
from handlers.escape import mrkdwn
from handlers.people import person_of, place_of
from handlers.posting import whisper
from knowledge.errors import UserError
from knowledge.tenancy import Person
from trainers.costs.assumptions import Assumptions
from trainers.costs.estimate import Estimate, estimate
from trainers.costs.offers import Shelf
from trainers.costs.overlay import shelf_in
from trainers.costs.workload import Workload, figure, whole
from trainers.data.examples import EXAMPLES
from trainers.data.jsonl import read_rows
from trainers.data.tokens import Split, split
from trainers.evals.cost_charts import charts_of
from trainers.quotes import quote
from trainers.spec import TrainingSpec

Json = dict[str, Any]

SHORT = {"rows": "examples", "in": "prompt", "out": "completion", "requests": "requests_per_day", "by": "provider"}
"""Words of /tune cost for longer names."""

HOW = "Write `/tune cost gpt-4.1-mini rows=500 in=500 out=100 epochs=3 requests=1000`, or it alone for a form."


def register(app: App, deps: Deps) -> None:
    """Listen for the card's buttons and the form."""
    app.action(CHANGE)(partial(open_change, deps))
    app.action(CHARTS)(partial(show_charts, deps))
    app.view(FORM)(partial(submit, deps))


def open_change(deps: Deps, ack: Ack, body: Json, action: Json, context: BoltContext, client: WebClient) -> None:
    """Open the form of an estimate's assumptions."""
    ack()
    asked = json.loads(action["value"])
    opened = {"channel": place_of(body).channel, "response_url": str(body.get("response_url") or "")}
    form = change_form(reckon(deps, person_of(context), asked, counting=False), asked, opened)
    client.views_open(trigger_id=body["trigger_id"], view=form)


def submit(deps: Deps, ack: Ack, view: Json, context: BoltContext, client: WebClient) -> None:
    """Reckon anew with what was entered; what makes no sense is told at its field."""
    asked, person, opened = entered(view["state"]["values"]), person_of(context), json.loads(view["private_metadata"])
    try:
        reckon(deps, person, asked, counting=False)  # Slack waits three seconds, and counting a file may take longer
    except UserError as wrong:
        next_step = "" if wrong.next_step == HOW else wrong.next_step  # how to write a command is no help in a form
        words = f"{wrong.what} {next_step}".strip()[:300]
        ack(response_action="errors", errors={_field_of(asked, wrong): words})
        return
    ack()
    draw(client, person, opened, reckon(deps, person, asked), asked)


def show_charts(deps: Deps, ack: Ack, body: Json, action: Json, context: BoltContext, client: WebClient) -> None:
    """Draw the charts of an estimate into a modal."""
    ack()
    opened = client.views_open(trigger_id=body["trigger_id"], view=note_view("Cost", "⏳ Drawing…"))
    made = reckon(deps, person_of(context), json.loads(action["value"]))
    client.views_update(view_id=opened["view"]["id"], view=charts_view(upload_charts(client, made)))


def asked_in(text: str) -> dict[str, str]:
    """Read `gpt-4.1-mini rows=500 in=500 out=100`; raises UserError for a word that means nothing."""
    asked: dict[str, str] = {}
    for word in text.split():
        name, equals, value = word.partition("=")
        if not equals and "model" not in asked:
            asked["model"] = word
        elif not equals and "dataset" not in asked:
            asked["dataset"] = word
        elif equals and value:
            meant = SHORT.get(name.lower(), name.lower())
            if meant in asked:
                raise UserError(f"{meant.replace('_', ' ')} was said twice, last as {word[:40]!r}.", HOW)
            asked[meant] = value
        else:
            raise UserError(f"I can't read {word[:40]!r} there.", HOW)
    return asked


def reckon(deps: Deps, person: Person, asked: Mapping[str, str], *, counting: bool = True) -> Estimate:
    """Estimate what was asked; raises UserError. Without `counting` tokens are made up, to check all the rest."""
    if not asked.get("model"):
        raise UserError("Which base model shall I price?", HOW)
    shelf, changes = shelf_in(deps.datasets.folder), {name: asked[name] for name in names_in(asked)}
    load, today = workload(deps, person, asked, shelf, counting), deps.clock().date()
    return estimate(load, asked["model"], provider=asked.get("provider", ""), changes=changes, today=today, shelf=shelf)


def workload(deps: Deps, person: Person, asked: Mapping[str, str], shelf: Shelf, counting: bool) -> Workload:
    """Read the work from a data set, by its name, or from numbers; raises UserError."""
    epochs = whole("epochs", asked["epochs"]) if "epochs" in asked else None
    if "dataset" in asked:
        return from_dataset(deps, person, asked, shelf, epochs, counting)
    lacking = [label for name, label, *_ in ASKED[3:6] if name not in asked]
    if lacking:
        raise UserError(f"I need {', '.join(label.lower() for label in lacking)}, or a data set.", HOW)
    return Workload(
        examples=whole("examples", asked["examples"]),
        prompt_tokens=figure("prompt_tokens", asked["prompt"]),
        completion_tokens=figure("completion_tokens", asked["completion"]),
        epochs=epochs,
    )


def from_dataset(
    deps: Deps, person: Person, asked: Mapping[str, str], shelf: Shelf, epochs: int | None, counting: bool
) -> Workload:
    """Count the tokens of a data set of the workspace or of the shipped example; raises UserError."""
    name, (model, provider) = asked["dataset"], shelf.asked(asked["model"], asked.get("provider", ""))
    sets = {dataset.name: dataset for dataset in reversed(deps.datasets.listing(person.workspace_id))}
    if name not in sets and name not in EXAMPLES:
        raise UserError(f"There is no data set called {name[:60]}.", f"I know {', '.join(sorted({*sets, *EXAMPLES}))}.")
    path = deps.datasets.folder / sets[name].train_path if name in sets else EXAMPLES[name].train
    sheet = shelf.books[provider].sheet(model)
    encoding, rows = sheet.tokenizer if sheet else "", read_rows(path).rows if counting else ()
    counted = split((row.messages for row in rows), encoding) if counting else Split(1, 1, bool(encoding), "")
    many = len(rows) or 1
    return Workload(
        examples=many,
        prompt_tokens=Decimal(counted.prompt) / many,
        completion_tokens=Decimal(counted.completion) / many,
        epochs=epochs,
        test_rows=sets[name].test_rows if name in sets else None,
        counted="exact" if counted.exact else "estimated",
        basis=f"{name}, {counted.basis}",
    )


def draw(
    client: WebClient, person: Person, opened: Mapping[str, str], made: Estimate, asked: Mapping[str, str]
) -> None:
    """Replace the card in place; where there is none, or Slack no longer lets us, show it anew."""
    text, blocks = cost_text(made), cost_blocks(made, json.dumps(dict(asked)))
    if opened.get("response_url"):
        answer = WebhookClient(opened["response_url"]).send(text=text, blocks=blocks, replace_original=True)
        if answer.status_code == 200:
            return
    whisper(client, opened.get("channel") or person.user_id, person.user_id, text, blocks)


def upload_charts(client: WebClient, made: Estimate) -> list[tuple[str, str, str]]:
    """Upload each chart; gives file id, title and what it shows."""
    shown = []
    with TemporaryDirectory() as folder:
        for chart in charts_of(made):
            path = Path(folder) / f"{chart.name}.png"
            path.write_bytes(chart.png)
            sent = client.files_upload_v2(file=str(path), filename=path.name, title=chart.title, alt_txt=chart.alt)
            shown.append((str(sent["files"][0]["id"]), chart.title, chart.alt))
    return shown


def cost_form(channel: str) -> Block:
    """Draw the form that asks what to price."""
    return empty_form({"channel": channel, "response_url": ""})


def cost_view(deps: Deps, person: Person) -> Block:
    """Draw the quote of the shipped example for scale, and how to get one for one's own rows."""
    name = next(iter(EXAMPLES))
    dataset, spec = deps.datasets.example(name, person, deps.clock()).dataset, TrainingSpec()
    offer = quote(
        dataset, spec, deps.jobs.rule, folder=deps.datasets.folder, tokenizer=deps.jobs.tokenizer(spec.base),
        past=deps.jobs.past_runs(spec, person),
    )  # fmt: skip
    data = offer.to_json()
    rows = f"{count(offer.train_rows, 'row')}, {tokens(data)}, {mrkdwn(spec.base, 60)}"
    return note_view(
        "What would it cost?",
        "It depends on your rows: I count their tokens. `/tune train` takes a JSONL file and shows the quote; nothing "
        "starts before you approve it. `/tune cost` prices it at hosted trainers, side by side.",
        f"*For scale, the shipped example* ({rows}, on this machine):\n"
        f"Training {minutes(offer.training_minutes)}, {money(data['training_cost'])} · "
        f"evaluation {minutes(offer.evaluation_minutes)}, {money(data['evaluation_cost'])} · "
        f"serving {money(data['serving_cost_30_days'])} for 30 days.",
        f"Times {mrkdwn(offer.time_basis, 300)}. Costs: {mrkdwn(offer.cost_basis, 200)}.",
    )


def _field_of(asked: Mapping[str, str], wrong: UserError) -> str:
    """Name the field that an error is about: each assumption is tried alone, else the words decide."""
    for name in names_in(asked):
        try:
            Assumptions.of({name: asked[name]})
        except UserError:
            return name
    named = {"examples": "examples", "prompt": "prompt", "completion": "completion", "epochs": "epochs"}
    known = {**named, "data set": "dataset", "provider": "provider", "offer": "provider"}
    return next((block for word, block in known.items() if word in wrong.what), "model")
