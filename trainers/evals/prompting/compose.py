"""Writes a system prompt for a task by filling our template; it asks no model, and says what a person has to decide."""

import json
import tomllib
from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from trainers.data.jsonl import Row
from trainers.evals.drafts import Draft, draft
from trainers.evals.drafts.classification import rest_of
from trainers.evals.drafts.made_up import filled
from trainers.evals.drafts.recipe import as_sentence
from trainers.evals.plans.body import EvalPlan
from trainers.evals.prompting.body import Example, SystemPrompt
from trainers.evals.prompting.keys import absence_of, keys_of
from trainers.evals.style.content import facts

FILLED = "This is our template, filled with your task; no language model wrote it."

_DRAFTS = 10
_SHOWN = 12


def compose_prompt(plan: EvalPlan, *, seed: int, examples: Sequence[Row] = ()) -> SystemPrompt:
    """Fill the template of the plan's kind of task; `examples` are rows of yours, which lend their words."""
    template, always = table()[plan.kind], table()["all"]
    rest = rest_of(plan.labels)
    known = {
        "task": as_sentence(plan.instruction),
        "labels": ", ".join(plan.labels),
        "rest": rest or "the label that comes nearest",
        "keys": keys_of(plan.schema) if plan.schema else "",
    }
    edge, absent = template["edge"], absence_of(plan.schema) if plan.schema else "null"
    lines = edge[absent] if plan.kind == "extraction" else edge
    notes = [FILLED]
    if plan.kind == "classification" and not rest:
        notes.append(template["decide_no_rest"])
    if plan.kind == "extraction" and absent == "whole":
        notes.append(template["decide_whole"])
    made, more = _examples(plan, seed, examples)
    return SystemPrompt(
        role=template["role"].format(**known),
        output_format=tuple(line.format(**known) for line in template["format"]),
        edge_cases=tuple(line.format(**known) for line in lines),
        consistency=(*template["consistency"], *always["consistency"]),
        examples=made,
        notes=(*notes, *more),
    )


@cache
def table() -> dict[str, Any]:
    """Return prompts.toml."""
    return tomllib.loads(Path(__file__).with_name("prompts.toml").read_text("utf-8"))


def _examples(plan: EvalPlan, seed: int, given: Sequence[Row]) -> tuple[tuple[Example, ...], list[str]]:
    """Choose three drafts that teach different things, those with a certain reply first."""
    if (plan.kind == "classification" and not plan.labels) or (plan.kind == "extraction" and not plan.schema):
        what = "labels" if plan.kind == "classification" else "fields"
        return (), [f"Name the {what}, and three examples come with it."]
    filled_in = (
        plan if plan.schema is None or plan.kind != "extraction" else replace(plan, schema=filled(plan.schema, seed))
    )
    drafts = draft(filled_in, count=_DRAFTS, seed=seed, examples=given).drafts
    chosen: list[Draft] = []
    for kinds in (("easy",), ("edge", "boundary", "refusal"), ("out_of_scope", "edge", "boundary", "easy")):
        fitting = [each for each in drafts if each.kind in kinds and each not in chosen]
        chosen += sorted(fitting, key=lambda each: _order(plan, each, chosen))[:1]
    made = tuple(_example(plan, each) for each in chosen[: int(table()["examples"])])
    waiting = sum(not each.ready for each in made)
    return made, [f"{waiting} of {len(made)} ideal replies wait for a person."] if waiting else []


def _order(plan: EvalPlan, each: Draft, chosen: Sequence[Draft]) -> tuple[bool, bool, int]:
    """Put what has a reply first, among these a label that no example shows yet, and a plain paper that says most."""
    json_wanted = plan.kind == "extraction" and plan.schema is not None
    shown = bool(plan.labels) and each.target in {other.target for other in chosen}
    said = -len(json.loads(each.target)) if json_wanted and each.kind == "easy" and each.target else 0
    return not _example(plan, each).ready, shown, said


def _example(plan: EvalPlan, each: Draft) -> Example:
    if each.target:
        return Example(each.input, each.target, each.reveals, ready=True)
    replies = table()["replies"]
    if plan.kind == "refusal" and each.provenance.endswith(("/must", "/trick")):
        return Example(each.input, replies["declined"], each.reveals, ready=True)
    if plan.kind in ("style", "generation") and (found := sorted(facts(each.input).all)):
        return Example(
            each.input, replies[plan.kind].format(facts=", ".join(found[:_SHOWN])), each.reveals, ready=False
        )
    return Example(each.input, replies["open"].format(reveals=each.reveals), each.reveals, ready=False)
