"""Knows what can honestly be said of cost before there are rows; it does not compute costs."""

from handlers.blocks.forms import note_view
from handlers.blocks.job import tokens
from handlers.blocks.parts import Block
from handlers.blocks.words import count, minutes, money
from handlers.deps import Deps
from handlers.escape import mrkdwn
from knowledge.tenancy import Person
from trainers.data.examples import EXAMPLES
from trainers.quotes import quote
from trainers.spec import TrainingSpec


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
        "starts before you approve it.",
        f"*For scale, the shipped example* ({rows}, on this machine):\n"
        f"Training {minutes(offer.training_minutes)}, {money(data['training_cost'])} · "
        f"evaluation {minutes(offer.evaluation_minutes)}, {money(data['evaluation_cost'])} · "
        f"serving {money(data['serving_cost_30_days'])} for 30 days.",
        f"Times {mrkdwn(offer.time_basis, 300)}. Costs: {mrkdwn(offer.cost_basis, 200)}. "
        "I have no prices of hosted trainers yet, so I name none.",
    )
