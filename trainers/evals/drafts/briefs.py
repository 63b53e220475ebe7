"""Drafts for tasks that write, in a voice or freely: briefs without answers, which only people can give."""

import random
import re
from collections.abc import Iterator, Sequence

from trainers.data.jsonl import Row
from trainers.evals.drafts.base import DraftKind
from trainers.evals.drafts.recipe import Piece, Recipe, in_turn, recipe, shuffled
from trainers.evals.plans.body import EvalPlan


def system_prompt(plan: EvalPlan) -> str:
    """Return the prompt of every row."""
    return str(recipe("briefs")["prompt"][_manner(plan)].format(task=f"{plan.instruction.rstrip('.')}."))


def streams(plan: EvalPlan, examples: Sequence[Row], draw: random.Random) -> dict[DraftKind, Iterator[Piece]]:
    """Return the drafts of each kind; briefs are of the medium that the task names."""
    table, reveals = recipe("briefs"), recipe("briefs")["reveals"][_manner(plan)]
    medium = _medium(plan.instruction)
    name = medium["words"][0] if medium["words"] else "anything"
    return {
        "easy": _texts("easy", medium["easy"], reveals["easy"], f"easy/{name}", draw),
        "boundary": _texts("boundary", medium["boundary"], reveals["boundary"], f"boundary/{name}", draw),
        "edge": _parts("edge", table["edge"], medium.get("edge", {}), draw),
        "refusal": _parts("refusal", table["refusal"], medium.get("refusal", {}), draw),
        "out_of_scope": _texts(
            "out_of_scope", table["out_of_scope"]["texts"], table["out_of_scope"]["reveals"], "out_of_scope", draw
        ),
    }


def _manner(plan: EvalPlan) -> str:
    return "style" if plan.kind == "style" else "generation"


def _medium(task: str) -> Recipe:
    """Return what the task's words name: the longest name counts; else what fits any task."""
    media: Sequence[Recipe] = recipe("briefs")["medium"]
    found = [
        (len(word), place)
        for place, medium in enumerate(media)
        for word in medium["words"]
        if re.search(rf"\b{re.escape(word)}\b", task, re.IGNORECASE)
    ]
    return media[max(found)[1] if found else -1]


def _parts(kind: DraftKind, table: Recipe, own: Recipe, draw: random.Random) -> Iterator[Piece]:
    """One text of each part in turn; a medium's own texts replace those that fit any."""
    return in_turn(
        [
            _texts(kind, own.get(name, part["texts"]), part["reveals"], f"{kind}/{name}", draw)
            for name, part in shuffled(table.items(), draw)
        ]
    )


def _texts(kind: DraftKind, texts: Sequence[str], reveals: str, source: str, draw: random.Random) -> Iterator[Piece]:
    for text in shuffled(texts, draw):
        yield Piece(kind, text, reveals, "", f"recipe {source}")
