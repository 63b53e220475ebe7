"""Composes pieces of training rows by recipe, case by case; every piece has its answer, or it is not used."""

import random
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from trainers.data.review_rows import TEMPLATE
from trainers.evals.drafts import classification, draft
from trainers.evals.drafts.base import DraftKind
from trainers.evals.drafts.classification import NAMED
from trainers.evals.drafts.compose import system_prompt
from trainers.evals.drafts.made_up import filled
from trainers.evals.drafts.recipe import lower_first
from trainers.evals.generating.document_rows import document_pieces
from trainers.evals.generating.format_rows import format_pieces
from trainers.evals.generating.refusal_rows import refusal_pieces
from trainers.evals.generating.rows import Piece
from trainers.evals.generating.spec import RowSpec
from trainers.evals.generating.table import table
from trainers.evals.generating.voice_rows import voice_pieces
from trainers.evals.plans.body import EvalPlan

Streams = Mapping[str, Iterator[Piece]]

_CASES = {
    "easy": "typical",
    "boundary": "boundary",
    "edge": "edge",
    "refusal": "refusal",
    "out_of_scope": "out_of_scope",
}
_POOL = 30  # drafts of one draw: a larger one uses plain cases up to make odd ones of them
_DRAWS = 12
_TURNS: Mapping[DraftKind, int] = {"easy": 4, "edge": 4, "refusal": 12, "out_of_scope": 1}
"""Draws of each kind for labels: more would show one text in ever more shapes. Boundary cases have no sure label."""
_TEMPLATES = {"typical": 7, "edge": 3}
"""Messages of a label that no recipe knows, by case: more than a topic has texts would drown the other labels."""


def streams(spec: RowSpec, seed: int) -> Streams:
    """Return the pieces of each case; a stream that ends has no more."""
    draw = random.Random(seed)  # noqa: S311  # a fair draw, no secret
    match spec.kind:
        case "voice":
            return voice_pieces(spec, draw)
        case "format":
            return format_pieces(spec, draw)
        case "refusal":
            return refusal_pieces(spec, draw)
        case "documents" if spec.passages:
            return document_pieces(spec, draw)
        case "classification":
            return _by_labels(spec, seed)
        case _:
            return _from_drafts(spec, seed)


def system_of(spec: RowSpec) -> str:
    """Return the system prompt of every row: the team's own, else one that the task makes."""
    if spec.system.strip():
        return spec.system.strip()
    if spec.kind == "format":
        task = f"{spec.plan.instruction.rstrip('.')}."
        return str(table()["format"]["system"].format(task=task, headings=", ".join(headings_of(spec))))
    return system_prompt(spec.plan)


def headings_of(spec: RowSpec) -> tuple[str, ...]:
    """Return the headings of a fixed format, those of a status report where none are named."""
    return spec.headings or ("Done", "Next", "Blockers")


def _from_drafts(spec: RowSpec, seed: int) -> Streams:
    """Take what is drafted for tests, as far as the right answer is certain."""
    drawn = (draft(_plan(spec, seed + turn), count=_POOL, seed=seed + turn).drafts for turn in range(_DRAWS))
    drafted = (each for drafts in drawn for each in drafts)
    return _certain((_CASES[each.kind], each.input, each.target, each.reveals, each.provenance) for each in drafted)


def _plan(spec: RowSpec, seed: int) -> EvalPlan:
    """Return the plan with made-up values in its schema: other ones for each draw."""
    return spec.plan if spec.schema is None else replace(spec.plan, schema=filled(spec.schema, seed))


def _by_labels(spec: RowSpec, seed: int) -> Streams:
    """Take all that recipes say of the labels; each case is drawn by itself, so that none uses up another's texts."""
    drawn = (
        piece
        for kind, turns in _TURNS.items()
        for turn in range(turns)
        for piece in classification.streams(spec.plan, (), random.Random(seed + turn))[kind]  # noqa: S311
    )
    return _certain(
        ((_CASES[each.kind], each.text, each.target, each.reveals, each.source) for each in drawn), labelled=True
    )


def _certain(drawn: Iterable[tuple[str, str, str, str, str]], *, labelled: bool = False) -> Streams:
    """Keep each text once whose answer is known; the five are case, text, answer, what it reveals, and source."""
    found: dict[str, list[Piece]] = {case: [] for case in _CASES.values()}
    seen: set[str] = set()
    named: Counter[tuple[str, str]] = Counter()
    for case, text, target, reveals, source in drawn:
        if target and text not in seen:
            seen.add(text)
            template = source.startswith(NAMED)
            named[target, case] += template
            if template and named[target, case] > _TEMPLATES.get(case, 0):
                continue
            label = target if labelled else ""
            found[case].append(Piece(case, text, target, _said(reveals, source, label), source, label))
    return {case: iter(pieces) for case, pieces in found.items()}


def _said(reveals: str, source: str, label: str) -> str:
    """Say why a row helps, or that it is a template."""
    if source.startswith(NAMED):
        return f"{TEMPLATE}: it only names the label \u201c{label}\u201d, which no recipe knows."
    return _why(reveals)


def _why(reveals: str) -> str:
    """Turn the failure that a test row shows into why a training row helps."""
    if reveals.startswith("The model "):
        return f"Without such rows {lower_first(reveals)}"
    return f"It teaches this: {lower_first(reveals)}"
