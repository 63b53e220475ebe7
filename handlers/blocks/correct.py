"""Knows the form in which assumptions are corrected; it does not weigh what comes of it."""

import json

from handlers.blocks.parts import Block, field, modal, option, section, select
from handlers.escape import plain
from knowledge.advice.facts import Facts, Value, known
from knowledge.advice.rubric import load_rubric, word

CORRECT = "correct_form"
"""Callback id; the block id and action id of each menu is the fact's name."""

UNKNOWN = "null"
"""Value of the choice that makes a fact unknown again."""


def correct_form(facts: Facts, metadata: str) -> Block:
    """Draw one menu for each fact that is known, set to what is assumed now."""
    menus = [_menu(name, value) for name, value in known(facts).items()]
    lead = section("What I assumed, from your words and answers. Correct it, and the card above changes.")
    return modal("Correct these", [lead, *menus], callback_id=CORRECT, submit="Weigh again", metadata=metadata)


def said(name: str, value: Value) -> str:
    """Say a fact as the card says it."""
    words = load_rubric().facts[name].said
    return words["number"].replace("#", f"{value:,}") if "number" in words else words[word(value)]


def _menu(name: str, value: Value) -> Block:
    text = load_rubric().facts[name]
    now = option(f"As now: {said(name, value)}", json.dumps(value))
    others = [option(choice.label, json.dumps(choice.value)) for choice in text.choices if choice.value != value]
    choices = [now, *others, option("Not known", UNKNOWN)]
    return field(plain(text.ask or said(name, value), 150), select(name, "Choose", choices, now), block_id=name)
