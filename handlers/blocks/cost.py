"""Knows how an estimate looks: its card, the form of its assumptions, its charts, a retirement; it computes nothing."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from handlers.blocks.parts import Block, actions, button, context, field, modal, picture, plain_text, section, table
from handlers.blocks.words import count, day, person
from handlers.escape import clean, mrkdwn, plain
from trainers.costs.estimate import Estimate, break_even_note
from trainers.costs.names import provider_in
from trainers.jobs.messages import RetirementCard

CHANGE, CHARTS = "cost_change", "cost_charts"
"""Action ids of the buttons; their value is the JSON of what was asked."""

FORM = "cost_form"
"""Callback id."""

ASKED = (
    ("model", "Base model", "any name that luthier prices lists", "such as gpt-4.1-mini"),
    ("provider", "Trained by", "empty: the model's maker; of an open model, whoever trains it", "such as azure"),
    ("dataset", "Data set", "its name; or fill in the next three", "such as tickets"),
    ("examples", "Training examples", "without a data set", "such as 500"),
    ("prompt", "Tokens before an answer", "on average, per example and per request", "such as 500"),
    ("completion", "Tokens of an answer", "on average", "such as 100"),
    ("epochs", "Epochs", "empty: as recommended", "such as 3"),
)
"""Fields of the form that say what is priced: name, label, hint, an example."""

MOST_CHARACTERS = 200


def cost_text(made: Estimate) -> str:
    """Say an estimate in a sentence, for notifications and screen readers."""
    said = made.offer.said
    parts = f"training {said(made.training)}, 30 days of serving {said(made.serving)}"
    return f"{made.offer.title}: {parts}, in all {said(made.total)}."


def cost_blocks(made: Estimate, asked: str) -> list[Block]:
    """Draw an estimate; `asked` is what its buttons carry: the JSON of what was asked."""
    load, tokens = made.workload, made.workload.epoch_tokens(made.workload.prompt_tokens * 0).expected
    said, verdicts = made.offer.said, [*(found.sentence for found in made.break_even), break_even_note(made)]
    pays = [f"• {mrkdwn(sentence, 500)}" for sentence in verdicts if sentence]
    return [
        section(_headline(made)),
        section(
            f"*Training* {said(made.training)} · one epoch {said(made.per_epoch)}, "
            f"{count(made.epochs, 'epoch')}: {mrkdwn(made.epochs_why, 200)}\n"
            f"*Evaluation* {said(made.evaluation)}\n"
            f"*Serving, 30 days* {said(made.serving)} · {mrkdwn(made.offer.provider.hosting_terms, 200)}"
        ),
        *([section("\n".join(f"⚠️ {mrkdwn(warning, 500)}" for warning in made.warnings))] if made.warnings else []),
        section("*Does it pay?*\n" + "\n".join(pays)),
        table(_comparison(made), bold=None),
        *actions([button("Change", CHANGE, asked, spoken="Change what was assumed"), button("Charts", CHARTS, asked)],
                 block_id="cost-buttons"),
        context(
            f"{count(load.examples, 'example')}, {tokens:,.0f} tokens an epoch ({mrkdwn(load.basis, 120)}). "
            f"{_dates(made)} Small models of each provider, not equally good ones. {mrkdwn(made.left_out, 900)}"
        ),
    ]  # fmt: skip


def change_form(made: Estimate, asked: Mapping[str, str], opened: Mapping[str, str]) -> Block:
    """Draw the form with what was asked and every assumption; `opened` says where the card is."""
    said = {**dict(asked), "model": made.offer.model.name}
    if provider_in(asked.get("model", "")):  # it stood before the model's name, where the form shows the name alone
        said["provider"] = made.offer.provider.key
    inputs = [_input(name, label, said.get(name, ""), hint, example) for name, label, hint, example in ASKED]
    assumed = [_input(one.name, one.label, one.value if one.changed else "", one.otherwise) for one in made.assumptions]
    metadata = json.dumps(dict(opened), ensure_ascii=False)
    blocks = [*inputs, context("Assumptions: empty means as below each field."), *assumed]
    return modal("Reckoned on", blocks, callback_id=FORM, submit="Reckon again", close="Cancel", metadata=metadata)


def empty_form(opened: Mapping[str, str], model: str = "gpt-4.1-mini") -> Block:
    """Draw the form before anything was asked."""
    inputs = [
        _input(name, label, model if name == "model" else "", hint, example) for name, label, hint, example in ASKED
    ]
    inputs.append(_input("requests_per_day", "Requests a day", "", "1,000 where you leave it empty", "such as 1000"))
    metadata = json.dumps(dict(opened), ensure_ascii=False)
    return modal("What would it cost?", inputs, callback_id=FORM, submit="Reckon", close="Cancel", metadata=metadata)


def entered(values: Mapping[str, Any]) -> dict[str, str]:
    """Read the form: what somebody filled in, by name."""
    found = {name: clean(((block.get(name) or {}).get("value")) or "").strip() for name, block in values.items()}
    return {name: text for name, text in found.items() if text}


def charts_view(pictures: Sequence[tuple[str, str, str]]) -> Block:
    """Draw the charts: file id, title and what each shows in words."""
    drawn = [picture(file_id, title, alt) for file_id, title, alt in pictures]
    return modal("Cost", drawn or [section("The charts could not be uploaded.")])


def retirement_text(card: RetirementCard) -> str:
    """Say that a tuned model goes dark, when, whether that day is certain, and what can be done."""
    doubt = f" That day is not confirmed: {mrkdwn(card.unconfirmed, 300)}." if card.unconfirmed else ""
    note = f", which {card.replacement_note}" if card.replacement_note else ""
    points = f" {card.provider} points to {mrkdwn(card.replacement, 60)}{note}." if card.replacement else ""
    return (
        f"{person(card.requested_by)} *{mrkdwn(card.title, 200)}* (job #{card.number}) goes dark on "
        f"{day(card.retires_on)}, in {count(card.days_left, 'day')}: {mrkdwn(card.provider, 60)} retires "
        f"{mrkdwn(card.base, 60)} and its tunes."
        f"{doubt}{points} `/tune cost` compares who still trains."
    )


def _headline(made: Estimate) -> str:
    title, state = mrkdwn(made.offer.title, 120), made.offer.state(made.today)
    return f"*{title}*: {made.offer.said(made.total)} with 30 days of serving · {state}"


def _comparison(made: Estimate) -> list[list[str]]:
    rows = [[row.offer.title, row.state, *row.said] for row in made.comparison]
    return [["Where", "State", "Training", "Evaluation", "30 days", "In all"], *rows]


def _dates(made: Estimate) -> str:
    days = sorted({listed.source.as_of for listed in made.prices.values()})
    if not days:
        return "No price of it is known."
    span = days[0].isoformat() if days[0] == days[-1] else f"{days[0].isoformat()} to {days[-1].isoformat()}"
    return f"Prices as of {span}: `luthier prices` names their sources."


def _input(name: str, label: str, value: str, hint: str, example: str = "as below") -> Block:
    element: Block = {"type": "plain_text_input", "action_id": name, "max_length": MOST_CHARACTERS}
    if value:
        element["initial_value"] = plain(value, MOST_CHARACTERS)
    else:
        element["placeholder"] = plain_text(example, 150)
    return field(label, element, block_id=name, hint=hint, optional=name != "model")


def names_in(asked: Mapping[str, str]) -> Iterator[str]:
    """Yield the names of what was asked that are assumptions."""
    known = {name for name, *_ in ASKED}
    yield from (name for name in asked if name not in known)
