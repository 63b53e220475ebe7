"""Which kinds of cases training rows are to cover, as a grid that people can edit; it writes no rows.

A grid has dimensions with values; each row gets one value of every dimension. Values come in turn, in a seeded order,
so that with enough rows each comes up, and pairs of values spread.
"""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from knowledge.errors import UserError
from trainers.evals.drafts.classification import rest_of
from trainers.evals.drafts.recipe import recipe
from trainers.evals.generating.spec import RowSpec
from trainers.evals.generating.table import table

Cell = Mapping[str, str]
"""Dimension -> value."""

CASE: Final = "case"
"""The dimension of what a row is there for."""

LABEL: Final = "label"
_MOST_DIMENSIONS: Final = 8
_MOST_VALUES: Final = 60
_LONGEST: Final = 60


@dataclass(frozen=True)
class Grid:
    """What rows are to cover."""

    dimensions: Mapping[str, tuple[str, ...]]

    @property
    def text(self) -> str:
        """One line for each dimension, as `read_grid` reads it."""
        return "\n".join(f"{name}: {', '.join(values)}" for name, values in self.dimensions.items())

    def cells(self, count: int, seed: int) -> list[Cell]:
        """Return a cell for each of so many rows."""
        draw = random.Random(seed)  # noqa: S311  # a fair draw, no secret
        columns = {name: _in_turn(values, count, draw) for name, values in self.dimensions.items() if name != CASE}
        if CASE in self.dimensions:
            columns[CASE] = _shared_out(self.dimensions[CASE], count)
        if CASE in columns and (rest := rest_of(self.dimensions.get(LABEL, ()))):
            columns[LABEL] = _with_rest(columns[LABEL], columns[CASE], rest)
        return [{name: columns[name][at] for name in self.dimensions} for at in range(count)]


def plan_grid(spec: RowSpec, *, own_documents: bool = False) -> Grid:
    """Return the grid that fits a spec: what rows are there for, labels if there are any, and who writes how.

    `own_documents`: rows will show passages of the team's, though the spec does not hold them yet.
    """
    dimensions = {CASE: _cases(spec, own_documents or bool(spec.passages))}
    if spec.labels:
        dimensions[LABEL] = spec.labels
    if spec.kind not in ("voice", "documents"):
        asked = recipe("model")["dimensions"]
        dimensions |= {"channel": tuple(asked["channel"]), "person": tuple(asked["person"])}
    return Grid({**dimensions, "length": ("one sentence", "two or three sentences", "a paragraph")})


def read_grid(text: str, spec: RowSpec) -> Grid:
    """Read a grid that somebody edited, `name: value, value` on each line. Raises UserError that names the line."""
    found: dict[str, tuple[str, ...]] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        name, colon, listed = line.partition(":")
        values = tuple(dict.fromkeys(value.strip() for value in listed.split(",") if value.strip()))
        if not colon or not name.strip() or not values:
            raise UserError(f"Line {number} of the coverage is no dimension.", "Write it as: channel: e-mail, chat")
        own = name.strip().casefold() == LABEL and set(values) <= set(spec.labels)  # as many and as long as they are
        if not own and (len(values) > _MOST_VALUES or max(map(len, (name, *values))) > _LONGEST):
            raise UserError(f"Line {number} of the coverage is too long.", f"At most {_MOST_VALUES} short values.")
        found[name.strip().casefold()] = values
    if not found:
        raise UserError("The coverage is empty.", "Write a line for each dimension, such as: case: typical, edge")
    if len(found) > _MOST_DIMENSIONS:
        raise UserError(f"A coverage has 1 to {_MOST_DIMENSIONS} dimensions.", "Keep those that matter most.")
    _check(found, spec)
    return Grid(found)


def counted(cells: Sequence[Cell], grid: Grid) -> dict[str, dict[str, int]]:
    """Return how many rows have each value, also those that none has."""
    return {
        name: {value: Counter(cell.get(name) for cell in cells)[value] for value in values}
        for name, values in grid.dimensions.items()
    }


def lacking(grid: Grid, count: int, cells: Sequence[Cell]) -> dict[str, tuple[str, ...]]:
    """Return the cases that `count` rows were to cover and the labels of which no row is, by dimension."""
    wanted = {CASE: {cell.get(CASE, "") for cell in grid.cells(count, 0)}, LABEL: set(grid.dimensions.get(LABEL, ()))}
    found = {
        name: tuple(value for value in grid.dimensions.get(name, ()) if value in wanted[name] - _had(name, cells))
        for name in (CASE, LABEL)
    }
    return {name: values for name, values in found.items() if values}


def _had(name: str, cells: Sequence[Cell]) -> set[str]:
    return {cell.get(name, "") for cell in cells}


def _cases(spec: RowSpec, own_documents: bool) -> tuple[str, ...]:
    """Return the cases that rows of a task can have: nothing is out of scope where no label is for the rest."""
    left_out = set(table()["left_out"].get(spec.kind, ()))
    if spec.kind == "documents" and own_documents:
        left_out.add("refusal")
    if spec.labels and not rest_of(spec.labels):
        left_out.add("out_of_scope")
    return tuple(case for case in table()["shares"] if case not in left_out)


def _check(found: Mapping[str, tuple[str, ...]], spec: RowSpec) -> None:
    strange = [value for value in found.get(CASE, ()) if value not in table()["shares"]]
    if strange:
        raise UserError(f"{strange[0]!r} is no case.", f"Cases are {', '.join(table()['shares'])}.")
    unknown = [value for value in found.get(LABEL, ()) if value not in spec.labels]
    if unknown:
        raise UserError(
            f"{unknown[0]!r} is none of the task's labels.", f"They are {', '.join(spec.labels) or 'none'}."
        )


def _in_turn(values: Sequence[str], count: int, draw: random.Random) -> list[str]:
    """Return values for so many rows, each used up before one comes again."""
    found: list[str] = []
    while len(found) < count:
        found += draw.sample(list(values), len(values))
    return found[:count]


def _with_rest(labels: Sequence[str], cases: Sequence[str], rest: str) -> list[str]:
    """Give what is out of scope the label for the rest, and the labels in their turns to all else."""
    turns = iter(labels)
    return [rest if case == "out_of_scope" else next(turns) for case in cases]


def _shared_out(cases: Sequence[str], count: int) -> list[str]:
    """Divide rows among cases by their shares; each has one where there is room, the first has the rest."""
    shares = {case: float(table()["shares"][case]) for case in cases}
    total = sum(shares.values())
    first = max(shares, key=lambda case: shares[case])
    numbers = {case: max(1, int(count * share / total)) for case, share in shares.items() if case != first}
    rest = [case for case in numbers for _ in range(numbers[case])][: max(0, count - 1)]
    return [*[first] * (count - len(rest)), *rest]
