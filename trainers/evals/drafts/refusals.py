"""Drafts for tasks about refusing: what must be declined, its harmless neighbours, and tricks; answers are people's."""

import random
from collections.abc import Iterator, Sequence

from trainers.data.jsonl import Row
from trainers.evals.drafts.base import DraftKind
from trainers.evals.drafts.recipe import Piece, Recipe, in_turn, recipe, shuffled
from trainers.evals.plans.body import EvalPlan


def system_prompt(plan: EvalPlan) -> str:
    """Return the prompt of every row."""
    return str(recipe("refusals")["prompt"]["system"].format(task=f"{plan.instruction.rstrip('.')}."))


def streams(plan: EvalPlan, examples: Sequence[Row], draw: random.Random) -> dict[DraftKind, Iterator[Piece]]:
    """Return the drafts of each kind, of the topic that the task names; answers are left to people."""
    table, topic = recipe("refusals"), topic_of(plan.instruction)
    said = table["reveals"]

    def texts(kind: DraftKind, name: str) -> Iterator[Piece]:
        for text in shuffled(topic[name], draw):
            yield Piece(kind, text, said[name], "", f"recipe {kind}/{name}")

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


def topic_of(task: str) -> Recipe:
    """Return the topic that most of the task's words name; else what nobody may be told."""
    topics: Sequence[Recipe] = recipe("refusals")["topic"]
    lowered = f" {' '.join(''.join(sign if sign.isalnum() else ' ' for sign in task.lower()).split())} "
    points = [sum(f" {word} " in lowered for word in topic["words"]) for topic in topics]
    return topics[points.index(max(points))] if max(points) else topics[-1]
