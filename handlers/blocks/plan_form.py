"""Knows the form in which a plan is changed; it does not know what comes of what is entered, and it keeps nothing.

Block id and action id of an input are the name of the field of `trainers.evals.plan_changes.Entered`.
"""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from handlers.blocks.parts import Block, context, field, modal, option, plain_text, section, select, typed_in
from handlers.blocks.words import count
from handlers.escape import mrkdwn, plain
from trainers.evals.plan import EvalPlan
from trainers.evals.plan_changes import Entered, entered_from
from trainers.evals.plans.choices import KINDS

CHANGE_FORM = "plan_change_form"
"""Callback id."""

MOST_CHARACTERS = 3000
"""Of one input, by Slack's rule."""

TASK_SHOWN = 400

MEANING = {
    "classification": "one label for each input",
    "extraction": "fields of a text, as JSON",
    "style": "in a voice",
    "qa": "answers from documents",
    "generation": "free text",
    "refusal": "what to decline",
}


class Opened(NamedTuple):
    """Which plan a form was opened for, and where its card is."""

    plan_id: str
    channel: str
    response_url: str
    """Slack's address at which the card, which one person sees, can be replaced for half an hour."""


def change_form(plan: EvalPlan, opened: Opened) -> Block:
    """Draw the form with what the plan says now."""
    now = entered_from(plan)
    kinds = [option(kind, kind, MEANING[kind]) for kind in KINDS]
    chosen = next(choice for choice in kinds if choice["value"] == plan.kind)
    currency = plan.costs.currency if plan.costs else "USD"
    blocks = [
        section(f"*Task:* {mrkdwn(plan.task, TASK_SHOWN)}"),
        field("Kind of task", select("kind", "Choose", kinds, chosen), block_id="kind"),
        _labels(plan, now),
        _field("target", "Target: percent right", now.target, "Besides being better than prompting; empty for none."),
        _field("effect", "Smallest useful effect: points", now.effect, "5 points where you leave it empty."),
        _field("have", "Test rows at hand", now.have, "How many there are already; empty if none."),
        _field("gain", f"What a right answer earns or saves ({currency})", now.gain, "With the next one: break-even."),
        _field("loss", f"What a wrong answer costs ({currency})", now.loss, "Used as the target where none is named."),
    ]
    metadata = json.dumps(opened, ensure_ascii=False)
    return modal("Change the plan", blocks, callback_id=CHANGE_FORM, submit="Change", close="Cancel", metadata=metadata)


def entered(values: Mapping[str, Any]) -> Entered:
    """Read the form."""
    kind = ((values["kind"]["kind"]).get("selected_option") or {}).get("value") or ""
    labels = typed_in(values, "labels") if "labels" in values else None
    return Entered(kind, labels, *(typed_in(values, name) for name in ("target", "effect", "have", "gain", "loss")))


def where(view: Mapping[str, Any]) -> Opened:
    """Read which plan the form was opened for."""
    return Opened(*json.loads(view["private_metadata"]))


def _labels(plan: EvalPlan, now: Entered) -> Block:
    listed = now.labels or ""
    if len(plain(listed, MOST_CHARACTERS + 1)) > MOST_CHARACTERS:
        return context(f"{count(len(plan.labels), 'label')}, more than a form takes: they stay as they are.")
    element = _text("labels", listed) | {"multiline": True}
    hint = "With commas, or one a line. Only for classification."
    return field("Labels", element, block_id="labels", optional=True, hint=hint)


def _field(name: str, label: str, value: str, hint: str) -> Block:
    return field(label, _text(name, value), block_id=name, optional=True, hint=hint)


def _text(name: str, value: str) -> Block:
    made: Block = {"type": "plain_text_input", "action_id": name, "max_length": MOST_CHARACTERS}
    return made | ({"initial_value": value} if value else {"placeholder": plain_text("Write here", 150)})
