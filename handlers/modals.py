"""Knows what happens when a form is opened or submitted; it does not know how forms look."""

import json
import time
from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple

from slack_bolt import Ack, App, BoltContext
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from handlers.blocks import forms
from handlers.blocks.datasets import waits
from handlers.deps import Deps
from handlers.errors import told
from handlers.escape import mrkdwn
from handlers.files import too_large
from handlers.people import is_private, person_of
from handlers.posting import CLOSED, post, send
from handlers.training import Aim, named_after, train_on_known, train_on_upload
from knowledge.conversations import Conversations, Thread
from knowledge.errors import LuthierError
from knowledge.tenancy import Person
from trainers.data.enough import few
from trainers.data.examples import EXAMPLES
from trainers.jobs.service import Place
from trainers.serving import as_messages
from trainers.tables import ModelVersion

Json = Mapping[str, Any]

SETTLE = 0.4
"""Seconds: an update of a view that overtakes the view in our own acknowledgement would be overwritten by it."""


class Wish(NamedTuple):
    """What was entered in the training form."""

    choice: str
    """`example:NAME`, `dataset:ID` or ""."""
    train: Json | None
    """Slack's file object of the uploaded rows."""
    test: Json | None
    ours: bool
    name: str
    announced: bool
    """Whether a job that was begun in private may be announced and listed like any other."""
    plan: str
    """Id of a frozen evaluation plan, or ""."""
    base: str = ""
    """Base model, "" where there was no choice."""


def register(app: App, deps: Deps) -> None:
    """Listen for submitted forms."""
    app.view(forms.TRAIN)(partial(submit_training, deps))
    app.view(forms.TRY)(partial(submit_try, deps))


def open_training(
    client: WebClient,
    deps: Deps,
    person: Person,
    place: Place,
    trigger_id: str,
    chosen: str = "",
    *,
    above: bool = False,
) -> None:
    """Open the training form, with a data set `chosen`; what it leads to goes to `place`. `above`: over a modal."""
    sets, note = deps.datasets.listing(person.workspace_id, seen_by=person.user_id), deps.install_note()
    if chosen:  # first, so that it is among those that the menu has room for
        sets = sorted(sets, key=lambda each: each.id != chosen)
    plans = [stored for stored in deps.plans.listing(person.workspace_id) if stored.frozen]
    form = forms.train_form(
        sets, json.dumps(place), note, private=place.private, plans=plans, chosen=chosen, bases=deps.bases()
    )
    (client.views_push if above else client.views_open)(trigger_id=trigger_id, view=form)


def submit_training(deps: Deps, ack: Ack, view: Json, context: BoltContext, client: WebClient) -> None:
    """Check the form, then lint and quote in the thread."""
    wish = read_wish(view["state"]["values"])
    errors = problems(wish, deps.file_limit) or too_few(wish, deps)
    if errors:
        ack(response_action="errors", errors=errors)
        return
    ack()
    person = person_of(context)
    place = announce(client, deps, person, Place(*json.loads(view["private_metadata"])), wish)
    place = place._replace(private=place.private and not wish.announced)
    try:
        carry_out(client, deps, person, place, wish)
    except LuthierError as error:
        words = f"{told(error.what, error.next_step)} Nothing was started."
        post(client, place.channel, words, thread_ts=place.thread_ts)


def submit_try(deps: Deps, ack: Ack, view: Json, context: BoltContext, client: WebClient) -> None:
    """Ask base and tuned model, and show both answers in the modal."""
    asked = str(view["state"]["values"][forms.INPUT][forms.INPUT]["value"] or "").strip()
    try:
        model = deps.registry.get(person_of(context).workspace_id, view["private_metadata"])
    except LuthierError as error:
        ack(response_action="errors", errors={forms.INPUT: f"{error.what} {error.next_step}"})
        return
    if not asked:
        ack(response_action="errors", errors={forms.INPUT: "Type something for both models to answer."})
        return
    ack(response_action="update", view=forms.asking(model.name, asked))
    client.views_update(view_id=view["id"], view=ask_both(deps, model, asked))


def read_wish(values: Json) -> Wish:
    """Read the training form's inputs."""
    chosen = values[forms.ROWS][forms.ROWS].get("selected_option") or {}
    files = [(values[name][name].get("files") or [None])[0] for name in (forms.TRAIN_FILE, forms.TEST_FILE)]
    ours = bool(values[forms.OURS][forms.OURS].get("selected_options"))
    name = values[forms.NAME][forms.NAME].get("value") or ""
    announced = bool(values.get(forms.ANNOUNCE, {}).get(forms.ANNOUNCE, {}).get("selected_options"))
    choice = str(chosen.get("value") or "")
    plan = str(((values.get(forms.PLAN, {}).get(forms.PLAN) or {}).get("selected_option") or {}).get("value") or "")
    base = str(((values.get(forms.BASE, {}).get(forms.BASE) or {}).get("selected_option") or {}).get("value") or "")
    return Wish(choice, files[0], files[1], ours, name.strip(), announced, plan, base)


def problems(wish: Wish, file_limit: int) -> dict[str, str]:
    """Return what is wrong with the form, by block id; only what can be told without reading the files."""
    if wish.train is None and not wish.choice:
        if wish.test is not None:
            return {forms.TRAIN_FILE: "Choose rows above or upload some here; test rows alone cannot train a model."}
        return {forms.ROWS: "Choose rows here, or upload your own below."}
    if wish.train is None and wish.test is None:
        return {}
    found = {} if wish.ours else {forms.OURS: "Tick this for an upload: I train only on files that were made for it."}
    for block_id, file in ((forms.TRAIN_FILE, wish.train), (forms.TEST_FILE, wish.test)):
        size = int((file or {"size": 1}).get("size") or 0)
        if size == 0:
            found[block_id] = "That file is empty. Upload one with a row on each line."
        elif size > file_limit:
            found[block_id] = str(too_large(size, file_limit))
    return found


def too_few(wish: Wish, deps: Deps) -> dict[str, str]:
    """Return that the chosen data set waits for more rows, by block id; with test rows or a plan it need not."""
    kind, _, name = wish.choice.partition(":")
    if kind != "dataset" or wish.train or wish.test or wish.plan:
        return {}
    dataset = deps.datasets.get(name)
    ways = "Upload test rows below, or add rows: More rows or Draft rows in /tune data."
    return {forms.ROWS: f"{few(dataset.train_rows)} {ways}"} if waits(dataset) else {}


def announce(client: WebClient, deps: Deps, person: Person, place: Place, wish: Wish) -> Place:
    """Begin a thread for a training that was not asked for in one; where we may not write, in direct messages."""
    if place.thread_ts:
        return place
    text = f"<@{person.user_id}> wants to train on *{rows_name(wish, deps)}*. What I found in them is in the thread."
    try:
        begun = send(client, place.channel, text)
    except SlackApiError as error:
        if error.response["error"] not in CLOSED:
            raise
        begun = send(client, person.user_id, text)
    begun = begun._replace(private=place.private or is_private(begun.channel, ""))
    Conversations(deps.engine).join(Thread(person.workspace_id, *begun[:2]), "training", deps.clock())
    return begun


def rows_name(wish: Wish, deps: Deps) -> str:
    """Name the chosen rows for people."""
    if wish.train is not None:
        return mrkdwn(wish.name or named_after(str(wish.train.get("name") or "")), 80)
    kind, _, name = wish.choice.partition(":")
    return mrkdwn(EXAMPLES[name].name if kind == "example" else deps.datasets.get(name).name, 80)


def carry_out(client: WebClient, deps: Deps, person: Person, place: Place, wish: Wish) -> None:
    """Turn the form into a quote in its thread."""
    test = str(wish.test["id"]) if wish.test else ""
    if wish.train is None:
        train_on_known(client, deps, person, place, wish.choice, Aim(wish.plan, wish.base), test)
    else:
        aim = Aim(wish.plan, wish.base)
        train_on_upload(client, deps, person, place, str(wish.train["id"]), test, wish.name, aim)


def ask_both(deps: Deps, model: ModelVersion, asked: str) -> dict[str, Any]:
    """Return the form with both answers, or with what went wrong."""
    started = time.monotonic()
    messages = as_messages(model.system_prompt, asked)
    try:
        said = deps.speakers.both(model, messages)
        form = forms.try_form(model.name, model.id, asked, said)
    except LuthierError as error:
        form = forms.try_form(model.name, model.id, asked, problem=f"{error.what} {error.next_step}")
    time.sleep(max(0.0, SETTLE - (time.monotonic() - started)))
    return form
