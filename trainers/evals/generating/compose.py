"""Drafts training rows by recipe: as many of each case as the grid asks for, none alike; it asks no language model."""

from collections import Counter
from collections.abc import Iterator, Sequence

from knowledge.errors import UserError
from trainers.data.jsonl import Message, Row
from trainers.data.likeness import NearTexts
from trainers.evals.drafts.base import QUESTION
from trainers.evals.drafts.classification import most_named, unknown_labels
from trainers.evals.drafts.made_up import fields_note
from trainers.evals.drafts.recipe import in_turn
from trainers.evals.generating.coverage import CASE, LABEL, Grid, lacking, plan_grid
from trainers.evals.generating.document_rows import few_passages, orders_note
from trainers.evals.generating.form import doubts, out_of_form, unused_wishes
from trainers.evals.generating.format_rows import known
from trainers.evals.generating.labels import naming_note
from trainers.evals.generating.long_rows import long_note
from trainers.evals.generating.refusal_rows import strange_note
from trainers.evals.generating.rows import Generated, Piece, TrainingDraft
from trainers.evals.generating.spec import RowSpec
from trainers.evals.generating.spread import Spread
from trainers.evals.generating.streams import Streams, headings_of, streams, system_of
from trainers.evals.generating.table import most_rows, table
from trainers.evals.generating.voice_rows import left_out

OFFLINE = "Recipes steer what a row is there for and its label; channel, person and length need a language model."

NO_LIMIT = "A language model has no such limit."

_KNOWN = frozenset({CASE, LABEL, "channel", "person", "length"})
"""Lines that OFFLINE names or that recipes follow."""

_SPARE = 2
_MANY = 20
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
    cases, labelled = chosen.dimensions.get(CASE, ()), bool(spec.labels)
    pieces = _chosen(_wished(spec, chosen, seed, avoid), wanted, cases, avoid, labelled=labelled)
    if not pieces:
        raise UserError("My recipes can compose nothing for this task.", _instead(spec))
    system = system_of(spec)
    drafts = tuple(_draft(piece, system) for piece in pieces)
    missing = lacking(chosen, count, [draft.cell for draft in drafts])
    answers = [*(row.target for row in avoid), *(piece.target for piece in pieces)]
    found = naming_note(drafts, spec.labels), left_out(spec, answers, short=len(drafts) < count)
    notes = (
        *_notes(spec, count, len(drafts)),
        *_unused(chosen),
        *filter(None, (*found, long_note(drafts, spec.target), _hard_note(drafts, wanted))),
    )
    return Generated(drafts=drafts, notes=notes, missing=missing)


def check_count(count: int) -> None:
    """Raise UserError for a number of rows that nobody would look through; before anything is asked or spent."""
    most = most_rows()
    if not 1 <= count <= most:
        raise UserError(
            f"I draft from 1 to {most} rows at a time.",
            "Ask for 10, look at them, then for more: the shell takes --avoid FILE, a review drafts further rows.",
        )


def _wished(spec: RowSpec, grid: Grid, seed: int, avoid: Sequence[Row]) -> dict[str, Iterator[Piece]]:
    """Return the pieces of each case; where the grid names some of the labels only, those of these labels."""
    labels, found = grid.dimensions.get(LABEL, ()), dict(streams(spec, seed))
    if "refusal" not in grid.dimensions.get(CASE, ()) and "refusal" in table()["left_out"].get(spec.kind, ()):
        odd = (piece._replace(case="edge") for piece in found.pop("refusal", iter(())))
        found["edge"] = in_turn([found.get("edge", iter(())), odd])
    had = {row.target for row in avoid} if spec.kind == "voice" else set()  # a text is one answer
    fitting = {case: _fit(pieces, spec, labels) for case, pieces in found.items()}
    return {case: (each for each in pieces if each.target not in had) for case, pieces in fitting.items()}


def _fit(pieces: Iterator[Piece], spec: RowSpec, labels: Sequence[str]) -> Iterator[Piece]:
    """Return the pieces of these labels, or of all where none are named, whose answer is in the form of the task."""
    chosen = set(labels) if set(labels) != set(spec.labels) else set()
    wanted = (piece for piece in pieces if not chosen or piece.label in chosen)
    return (piece for piece in wanted if not out_of_form(spec, piece.target))


def _chosen(
    found: Streams, wanted: Sequence[str], cases: Sequence[str], avoid: Sequence[Row], *, labelled: bool
) -> list[Piece]:
    """Take pieces by case, typical ones for what runs dry; near copies of each other or of `avoid` are left out.

    None is of a case that `cases`, what a coverage names, leaves out. Where rows have labels these are spread.
    """
    taken = _Taken([row.prompt for row in avoid])
    kept: list[Piece] = []
    spread = Spread(found, wanted) if labelled else None
    spare = [case for case in found if case in cases or not cases]
    typical = ["typical"] * len(wanted) * _SPARE if "typical" in spare else []
    first = wanted if labelled else _interleaved(wanted)
    for case in (*first, *typical, *(case for _ in wanted for case in spare)):
        if len(kept) == len(wanted):
            break
        piece = (
            spread.next(case, taken.leaves) if spread else next(filter(taken.leaves, found.get(case, iter(()))), None)
        )
        if piece is not None:
            kept.append(piece)
            taken.take(piece)
    order = list(table()["shares"])
    return sorted(kept, key=lambda piece: order.index(piece.case))


def _interleaved(wanted: Sequence[str]) -> list[str]:
    """Let cases choose in proportion: rows that show the same passages are near copies, so the first takes the best."""
    number, seen = Counter(wanted), Counter[str]()
    places: list[tuple[float, str]] = []
    for case in wanted:
        places.append(((seen[case] + 0.5) / number[case], case))
        seen[case] += 1
    return [case for _, case in sorted(places, key=lambda each: each[0])]


class _Taken:
    """What rows ask already: whole, and the question alone."""

    def __init__(self, texts: Sequence[str]) -> None:
        self.texts, self.questions = NearTexts(texts), NearTexts(map(_asked, texts))

    def leaves(self, piece: Piece) -> bool:
        """Say whether a piece is like nothing that is taken."""
        return not self.texts.near(piece.text) and not self.questions.near(_asked(piece.text))

    def take(self, piece: Piece) -> None:
        self.texts.add(piece.text)
        self.questions.add(_asked(piece.text))


def _asked(text: str) -> str:
    """Return the question alone: passages may be shared by many rows."""
    return text.rpartition(QUESTION)[2]


def _draft(piece: Piece, system: str) -> TrainingDraft:
    messages = (Message("system", system), Message("user", piece.text), Message("assistant", piece.target))
    cell = {CASE: piece.case, **({LABEL: piece.label} if piece.label else {})}
    return TrainingDraft(messages, cell, piece.why, piece.source)


def _hard_note(drafts: Sequence[TrainingDraft], wanted: Sequence[str]) -> str:
    """Say that most of many rows are no plain ones, as these have run out; "" where that was not wanted otherwise."""
    if wanted.count("typical") <= len(wanted) / 2:
        return ""
    hard = sum(draft.cell[CASE] != "typical" for draft in drafts)
    if len(drafts) < _MANY or hard <= len(drafts) / 2:
        return ""
    what = f"{hard} of {len(drafts)} rows are no plain cases, as recipes have no more of these."
    return f"{what} Add plain ones of your own."


def _notes(spec: RowSpec, count: int, made: int) -> Iterator[str]:
    yield OFFLINE
    yield from doubts(spec)
    yield from filter(
        None,
        (
            unused_wishes(spec),
            _without_recipe(spec),
            strange_note(spec),
            fields_note(spec.schema) if spec.schema else "",
        ),
    )
    if spec.kind == "voice" and not spec.texts:
        yield "These answers are in a manner of ours: give texts of your brand, and they become the answers."
    if spec.kind == "documents" and not spec.passages:
        yield "The passages are invented: put your own in their place, the cases stay the same."
    if spec.kind == "format" and (strange := [heading for heading in headings_of(spec) if not known(heading)]):
        what = f"No recipe knows what stands under {', '.join(strange)}: such points are templates that only name it."
        yield f"{what} Rewrite them, or add your own."
    if made < count:
        yield f"{made} of {count}: recipes hold no more for this task. {NO_LIMIT}"


def _without_recipe(spec: RowSpec) -> str:
    labels = unknown_labels(spec.plan, ()) if spec.labels else []
    if not labels:
        return ""
    named = ", ".join(labels[:_NAMED]) + (f" and {len(labels) - _NAMED} more" if len(labels) > _NAMED else "")
    most = most_named()
    beyond = f" There are templates for {most} labels." if len(labels) > most else ""
    what = f"No recipe for {named}: such rows are templates that only name the label.{beyond}"
    return f"{what} Rewrite them, or add your own."


def _unused(grid: Grid) -> Iterator[str]:
    """Name the lines of a coverage that somebody added and that steered nothing."""
    for name, values in grid.dimensions.items():
        if name not in _KNOWN:
            yield f"Not used by recipes: the line {name}: {', '.join(values)}."


def _instead(spec: RowSpec) -> str:
    if spec.kind == "extraction":
        return f"{fields_note(spec.schema or {'properties': {}})} Or set LUTHIER_MODEL, or write rows yourself.".strip()
    if spec.kind == "documents" and spec.passages:
        return " ".join(filter(None, (few_passages(spec), orders_note(spec))))
    return " ".join(filter(None, (left_out(spec, (), short=True), "Give example texts, or set LUTHIER_MODEL.")))
