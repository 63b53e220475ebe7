"""Composes pieces of training rows by recipe, case by case; every piece has its answer, or it is not used."""

import random
from collections.abc import Iterator, Mapping
from dataclasses import replace

from trainers.evals.drafts import draft, most_drafts
from trainers.evals.drafts.base import Draft
from trainers.evals.drafts.classification import NAMED
from trainers.evals.drafts.compose import system_prompt
from trainers.evals.drafts.recipe import in_turn as _in_turn
from trainers.evals.drafts.recipe import lower_first
from trainers.evals.generating.document_rows import document_pieces
from trainers.evals.generating.format_rows import format_pieces
from trainers.evals.generating.labels import names_itself
from trainers.evals.generating.plain_values import filled
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
_DRAWS, _LEAST_DRAWS = 12, 3
_EACH = 3  # drafts of a label in one draw, where there are many labels


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
        case _:
            return _from_drafts(spec, seed)


def system_of(spec: RowSpec) -> str:
    """Return the system prompt of every row."""
    if spec.kind == "format":
        task = f"{spec.plan.instruction.rstrip('.')}."
        return str(table()["format"]["system"].format(task=task, headings=", ".join(headings_of(spec))))
    return system_prompt(spec.plan)


def headings_of(spec: RowSpec) -> tuple[str, ...]:
    """Return the headings of a fixed format, those of a status report where none are named."""
    return spec.headings or ("Done", "Next", "Blockers")


def _from_drafts(spec: RowSpec, seed: int) -> Streams:
    """Take what is drafted for tests, as far as the right answer is certain."""
    found: dict[str, list[Piece]] = {case: [] for case in _CASES.values()}
    seen: set[str] = set()
    pool = min(max(_POOL, _EACH * len(spec.labels)), most_drafts())
    turns = max(_LEAST_DRAWS, _DRAWS * _POOL // pool)
    drawn = (draft(_plan(spec, seed + turn), count=pool, seed=seed + turn) for turn in range(turns))
    for each in (each for drafts in drawn for each in drafts.drafts):
        if each.target and each.input not in seen:
            seen.add(each.input)
            found[_CASES[each.kind]].append(_piece(each, spec))
    by_label = {case: _by_label(pieces) for case, pieces in found.items()} if spec.labels else {}
    return {case: by_label[case] if by_label else iter(pieces) for case, pieces in found.items()}


def _plan(spec: RowSpec, seed: int) -> EvalPlan:
    """Return the plan with made-up values in its schema: other ones for each draw."""
    return spec.plan if spec.schema is None else replace(spec.plan, schema=filled(spec.schema, seed))


def _piece(each: Draft, spec: RowSpec) -> Piece:
    label = each.target if spec.labels else ""
    why = f"A template, to be rewritten: it only names the label \u201c{label}\u201d, which no recipe knows."
    said = why if each.provenance == NAMED else _why(each.reveals)
    return Piece(_CASES[each.kind], each.input, each.target, said, each.provenance, label)


def _why(reveals: str) -> str:
    """Turn the failure that a test row shows into why a training row helps."""
    if reveals.startswith("The model "):
        return f"Without such rows {lower_first(reveals)}"
    return f"It teaches this: {lower_first(reveals)}"


def _by_label(pieces: list[Piece]) -> Iterator[Piece]:
    """Take one of each label in turn."""
    labels = dict.fromkeys(piece.label for piece in pieces)
    pieces = sorted(pieces, key=lambda piece: names_itself(piece.label, piece.text))  # better in other words
    return in_turn([iter([piece for piece in pieces if piece.label == label]) for label in labels])


def in_turn(each: list[Iterator[Piece]]) -> Iterator[Piece]:
    """Take one piece of each stream in turn until all have ended."""
    return _in_turn(each)  # type: ignore[arg-type,return-value]  # it passes on whatever it is given
