"""Drafts training rows by recipe: as many of each case as the grid asks for, none alike; it asks no language model."""

from collections.abc import Iterator, Sequence

from knowledge.errors import UserError
from trainers.data.jsonl import Message, Row
from trainers.data.likeness import canonical, near_pairs
from trainers.evals.drafts.base import QUESTION
from trainers.evals.drafts.classification import unknown_labels
from trainers.evals.drafts.fields import fields_of
from trainers.evals.generating.coverage import CASE, LABEL, Grid, plan_grid
from trainers.evals.generating.document_rows import few_passages, orders_note
from trainers.evals.generating.form import doubts, unused_wishes
from trainers.evals.generating.format_rows import known
from trainers.evals.generating.rows import Generated, Piece, TrainingDraft
from trainers.evals.generating.spec import RowSpec
from trainers.evals.generating.streams import Streams, headings_of, streams, system_of
from trainers.evals.generating.table import most_rows, table
from trainers.evals.generating.voice_rows import left_out

OFFLINE = "Recipes steer what a row is there for and its label; channel, person and length need a language model."

_KNOWN = frozenset({CASE, LABEL, "channel", "person", "length"})
"""Lines that OFFLINE names or that recipes follow."""

_SPARE = 2
_NAMED = 8
"""Labels that a note names."""


def compose_rows(
    spec: RowSpec, *, count: int, seed: int, grid: Grid | None = None, avoid: Sequence[Row] = ()
) -> Generated:
    """Draft up to `count` rows, the same ones for the same seed; none asks what a row of `avoid` asks.

    Raises UserError for a count out of range, or where recipes can compose nothing for the task.
    """
    check_count(count)
    chosen = grid or plan_grid(spec)
    wanted = [cell.get(CASE, "typical") for cell in chosen.cells(count, seed)]
    pieces = _chosen(_wished(spec, chosen, seed), wanted, avoid)
    if not pieces:
        raise UserError("My recipes can compose nothing for this task.", _instead(spec))
    system = system_of(spec)
    drafts = tuple(_draft(piece, system) for piece in pieces)
    missing = sorted(set(wanted) - {piece.case for piece in pieces}, key=list(table()["shares"]).index)
    notes = [*_notes(spec, count, len(drafts)), *_unused(chosen), *([_left_to_people(missing)] if missing else [])]
    answers = [*(row.target for row in avoid), *(piece.target for piece in pieces)]
    notes += filter(None, [left_out(spec, answers, short=len(drafts) < count)])
    return Generated(drafts=drafts, notes=tuple(notes))


def check_count(count: int) -> None:
    """Raise UserError for a number of rows that nobody would look through; before anything is asked or spent."""
    most = most_rows()
    if not 1 <= count <= most:
        raise UserError(f"I draft from 1 to {most} rows at a time.", "Ask for 10, look at them, then for more.")


def _wished(spec: RowSpec, grid: Grid, seed: int) -> dict[str, Iterator[Piece]]:
    """Return the pieces of each case; where the grid names some of the labels only, those of these labels."""
    labels, found = grid.dimensions.get(LABEL, ()), streams(spec, seed)
    if not labels or set(labels) == set(spec.labels):
        return dict(found)
    return {case: (piece for piece in pieces if piece.label in labels) for case, pieces in found.items()}


def _chosen(found: Streams, wanted: Sequence[str], avoid: Sequence[Row]) -> list[Piece]:
    """Take pieces by case, typical ones for what runs dry; near copies of each other or of `avoid` are left out."""
    taken = [row.prompt for row in avoid]
    kept: list[Piece] = []
    for case in (*wanted, *(["typical"] * len(wanted) * _SPARE), *(case for _ in wanted for case in found)):
        if len(kept) == len(wanted):
            break
        piece = _next(found.get(case, iter(())), [*taken, *(each.text for each in kept)])
        if piece is not None:
            kept.append(piece)
    order = list(table()["shares"])
    return sorted(kept, key=lambda piece: order.index(piece.case))


def _next(stream: Iterator[Piece], taken: Sequence[str]) -> Piece | None:
    for piece in stream:
        if not _near(piece.text, taken) and not _near(_question(piece), [_asked(text) for text in taken]):
            return piece
    return None


def _near(text: str, taken: Sequence[str]) -> bool:
    """Say whether a text is, exactly or nearly, one of those that are taken."""
    if canonical(text) in set(map(canonical, taken)):
        return True
    return any(pair.later == len(taken) for pair in near_pairs([*taken, text]))


def _question(piece: Piece) -> str:
    return _asked(piece.text)


def _asked(text: str) -> str:
    """Return the question alone: passages may be shared by many rows."""
    return text.rpartition(QUESTION)[2]


def _draft(piece: Piece, system: str) -> TrainingDraft:
    messages = (Message("system", system), Message("user", piece.text), Message("assistant", piece.target))
    cell = {CASE: piece.case, **({LABEL: piece.label} if piece.label else {})}
    return TrainingDraft(messages, cell, piece.why, piece.source)


def _notes(spec: RowSpec, count: int, made: int) -> Iterator[str]:
    yield OFFLINE
    yield from doubts(spec)
    yield from filter(None, (unused_wishes(spec), _without_recipe(spec), orders_note(spec)))
    if spec.kind == "voice" and not spec.texts:
        yield "These answers are in a manner of ours: give texts of your brand, and they become the answers."
    if spec.kind == "documents" and not spec.passages:
        yield "The passages are invented: put your own in their place, the cases stay the same."
    if spec.kind == "format" and (strange := [heading for heading in headings_of(spec) if not known(heading)]):
        yield f"No recipe knows what stands under {', '.join(strange)}: it says none there."
    if made < count:
        yield f"{made} of {count}: recipes hold no more for this task. A language model has no such limit."


def _without_recipe(spec: RowSpec) -> str:
    labels = unknown_labels(spec.plan, ()) if spec.labels else []
    if not labels:
        return ""
    named = ", ".join(labels[:_NAMED])
    return f"No recipe for {named}: such rows are templates that only name the label. Rewrite them, or add your own."


def _unused(grid: Grid) -> Iterator[str]:
    """Name the lines of a coverage that somebody added and that steered nothing."""
    for name, values in grid.dimensions.items():
        if name not in _KNOWN:
            yield f"Not used by recipes: the line {name}: {', '.join(values)}."


def _left_to_people(cases: Sequence[str]) -> str:
    listed = " or ".join(case.replace("_", " ") for case in cases)
    return f"No row for the case {listed}: what is right there is for people to say, so add some of your own."


def _instead(spec: RowSpec) -> str:
    if spec.kind == "format":
        return "Name headings such as Done, Next, Blockers, or set LUTHIER_MODEL."
    if spec.kind == "extraction":
        named = ", ".join(field.key for field in fields_of(spec.schema or {}))
        return f"No recipe knows the fields {named}: set LUTHIER_MODEL, or write rows yourself."
    if spec.kind == "documents" and spec.passages:
        return " ".join(filter(None, (few_passages(spec), orders_note(spec))))
    return " ".join(filter(None, (left_out(spec, (), short=True), "Give example texts, or set LUTHIER_MODEL.")))
