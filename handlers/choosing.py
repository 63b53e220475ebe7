"""Knows how people choose where to train and change a run before they approve it; it prices and approves nothing."""

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any

from slack_bolt import Ack, App, BoltContext
from slack_sdk import WebClient

from handlers.blocks import choosing as card
from handlers.blocks.parts import Block
from handlers.deps import Deps
from handlers.people import person_of, place_of
from handlers.posting import edit, post
from knowledge.errors import LuthierError, UserError
from knowledge.tenancy import Person
from trainers.backends.bases import Where, able, title_of
from trainers.backends.traits import all_traits
from trainers.data import keeping
from trainers.jobs import requoting
from trainers.jobs.service import Place, spec_of
from trainers.spec import TrainingSpec
from trainers.tables import Dataset

Json = Mapping[str, Any]


@dataclass(frozen=True)
class Choice:
    """Rows and a base, before a place is chosen."""

    dataset_id: str
    base: str
    plan: str = ""
    knobs: dict[str, Any] = field(default_factory=dict)
    """What somebody changed."""
    backend: str = ""

    def token(self, backend: str = "") -> str:
        """Return what a button carries."""
        return json.dumps({**asdict(self), "backend": backend or self.backend})


def register(app: App, deps: Deps) -> None:
    """Listen for the card's buttons, the quote's Change and the form."""
    app.action(re.compile(rf"{card.TAKE}-\d+"))(partial(take, deps))
    app.action(card.CHANGE)(partial(open_change, deps))
    app.action(card.CHANGE_QUOTE)(partial(open_quote_change, deps))
    app.view(card.FORM)(partial(submit_knobs, deps))


def offer_places(client: WebClient, deps: Deps, person: Person, place: Place, choice: Choice) -> None:
    """Post the places that train a base side by side into the thread."""
    text, blocks = drawn(deps, person, choice)
    post(client, place.channel, text, blocks, thread_ts=place.thread_ts)


def take(deps: Deps, ack: Ack, body: Json, action: Json, context: BoltContext, client: WebClient) -> None:
    """Ask for the quote of one place; its card comes through the outbox."""
    ack()
    person, choice = person_of(context), Choice(**json.loads(action["value"]))
    dataset = keeping.seen(deps.datasets, person, choice.dataset_id)
    spec = _spec(choice, dataset, choice.backend)
    deps.jobs.propose(dataset, spec, person=person, now=deps.clock(), place=place_of(body), plan=choice.plan)


def open_change(deps: Deps, ack: Ack, body: Json, action: Json, context: BoltContext, client: WebClient) -> None:
    """Open the form of a choice's knobs."""
    ack()
    person, choice = person_of(context), Choice(**json.loads(action["value"]))
    dataset = keeping.seen(deps.datasets, person, choice.dataset_id)
    places, _ = _places(deps, choice, dataset)
    opened = {"choice": choice.token(), "channel": place_of(body).channel, "ts": str(body["message"]["ts"])}
    knobs = _knobs(_spec(choice, dataset, places[0].backend))
    client.views_open(trigger_id=body["trigger_id"], view=card.knobs_form(knobs, json.dumps(opened)))


def open_quote_change(deps: Deps, ack: Ack, body: Json, action: Json, context: BoltContext, client: WebClient) -> None:
    """Open the form of a waiting quote's knobs."""
    ack()
    job = deps.jobs.ledger.find(person_of(context).workspace_id, str(action["value"]))
    form = card.knobs_form(_knobs(spec_of(job)), json.dumps({"job": job.id}))
    client.views_open(trigger_id=body["trigger_id"], view=form)


def submit_knobs(deps: Deps, ack: Ack, view: Json, context: BoltContext, client: WebClient) -> None:
    """Quote again with what was entered, in place; what makes no sense is told at its field."""
    opened, person = json.loads(view["private_metadata"]), person_of(context)
    try:
        knobs = entered(view["state"]["values"])
        if "job" in opened:
            requoting.change(deps.jobs, opened["job"], knobs, person, deps.clock())
            ack()
            return
        before = Choice(**json.loads(opened["choice"]))
        text, blocks = drawn(deps, person, Choice(before.dataset_id, before.base, before.plan, knobs))
    except LuthierError as error:
        first = next(iter(view["state"]["values"]))
        ack(response_action="errors", errors={_field(error, first): f"{error.what} {error.next_step}"[:300]})
        return
    ack()
    edit(client, opened["channel"], opened["ts"], text, blocks)


def drawn(deps: Deps, person: Person, choice: Choice) -> tuple[str, list[Block]]:
    """Price a choice at every place that trains it and draw them; raises UserError where nobody does."""
    dataset = keeping.seen(deps.datasets, person, choice.dataset_id)
    places, others = _places(deps, choice, dataset)
    specs = [_spec(choice, dataset, each.backend) for each in places]
    found = requoting.priced(deps.jobs, dataset, specs, person, deps.clock(), choice.plan)
    stands = {each.backend: each.lasts(deps.clock().date()) for each in places}
    offered = [_offered(deps, each, stands[each.backend], choice) for each in found]
    name, pretended = f"{dataset.name} v{dataset.version}", any(each.backend in deps.jobs.pretending for each in found)
    epochs, token = specs[0].hyperparameters.epochs, choice.token()
    blocks = card.places_blocks(name, choice.base, epochs, offered, token, pretended=pretended, others=others)
    return card.places_text(name, choice.base), blocks


def entered(values: Json) -> dict[str, Any]:
    """Read the form; raises UserError for what is no number."""
    found: dict[str, Any] = {}
    for name, block in values.items():
        text = str((block.get(name) or {}).get("value") or "").strip()
        try:
            number = float(text) if text else None
        except ValueError:
            raise UserError(f"{name} is {text[:20]!r}.", "Give a number.") from None
        if name in ("epochs", "rank"):
            if number is None or number != int(number):
                raise UserError(f"{name} is {text[:20]!r}.", "Give a whole number.")
            found[name] = int(number)
        else:
            found[name] = number
    return found


def _offered(deps: Deps, each: requoting.Priced, stands: str, choice: Choice) -> card.Offered:
    title = title_of(each.backend) + (" (rehearsal)" if each.backend in deps.jobs.pretending else "")
    if each.quote is None:
        return card.Offered(title, None, None, None, each.why_not)
    data = each.quote.to_json()
    costs = (data["training_cost"], data["evaluation_cost"], data["serving_cost_30_days"])
    unknown = " Nobody can approve it while its price is unknown." if None in costs[:2] else ""
    return card.Offered(title, *costs, f"{stands}{unknown}".strip(), choice.token(each.backend))


def _spec(choice: Choice, dataset: Dataset, backend: str) -> TrainingSpec:
    return requoting.spec_for(choice.base, backend, dataset.train_rows, pairs=dataset.pairs, **choice.knobs)


def _places(deps: Deps, choice: Choice, dataset: Dataset) -> tuple[list[Where], list[str]]:
    """Return the places that train a base on such rows, and why others do not."""
    found = deps.bases().get(choice.base)
    if not found:
        raise UserError(f"Nobody here trains {choice.base} any more.", "`train` lists what can be trained today.")
    return able(found, choice.base, pairs=dataset.pairs, calls=dataset.calls, pictures=dataset.pictures)


def _knobs(spec: TrainingSpec) -> dict[str, Any]:
    """Return the knobs that a place has: rank and rate of a LoRA run, or a multiplier of the provider's own rate."""
    traits, knobs = all_traits().get(spec.backend), spec.hyperparameters
    names = ["epochs"]
    if traits is None or traits.lora:
        names += ["rank", "learning_rate"]
    elif traits.multiplier is not None:
        names += ["learning_rate_multiplier"]
    return {name: getattr(knobs, name) for name in names}


def _field(error: LuthierError, first: str) -> str:
    return next((name for name in reversed(card.LABELS) if error.what.startswith(name)), first)
