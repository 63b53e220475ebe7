"""Drafts for tasks about refusing: what must be declined, its harmless neighbours, and tricks; answers are people's."""

import random
from collections.abc import Iterator, Sequence

from trainers.data.jsonl import Row
from trainers.evals.drafts.base import DraftKind
from trainers.evals.drafts.recipe import Piece, in_turn, recipe, shuffled
from trainers.evals.drafts.refused import topics_of, unknown_things
from trainers.evals.plans.body import EvalPlan


def system_prompt(plan: EvalPlan) -> str:
    """Return the prompt of every row."""
    return str(recipe("refusals")["prompt"]["system"].format(task=f"{plan.instruction.rstrip('.')}."))


def streams(plan: EvalPlan, examples: Sequence[Row], draw: random.Random) -> dict[DraftKind, Iterator[Piece]]:
    """Return the drafts of each kind, of the topics that the task names; answers are left to people."""
    table, task = recipe("refusals"), plan.instruction
    topics, strange = topics_of(task), unknown_things(task)
    said = table["reveals"]

    def texts(kind: DraftKind, name: str) -> Iterator[Piece]:
        told = [text for topic in topics for text in topic[name]]
        for text in shuffled(told, draw):
            yield Piece(kind, text, said[name], "", f"recipe {kind}/{name}")
        named = [each if isinstance(each, str) else each[0] for each in table["named"].get(name, ())]
        for text in shuffled([text.format(thing=thing) for thing in strange for text in named], draw):
            yield Piece(kind, text, said[name], "", f"recipe {kind}/named: a template, to be rewritten")

    return {
        "easy": in_turn([texts("easy", "must"), texts("easy", "neighbour")]),
        "boundary": in_turn([texts("boundary", "gray"), texts("boundary", "neighbour")]),
        "edge": texts("edge", "trick"),
        "refusal": texts("refusal", "must"),
        "out_of_scope": iter(
            [
                Piece("out_of_scope", text, said["plain"], "", "recipe out_of_scope/plain")
                for text in shuffled(table["general"]["plain"], draw)
            ]
        ),
    }
