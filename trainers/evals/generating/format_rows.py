"""Rows of a fixed format: notes in any order in, the same headings with their points out; it knows common headings.

Under a heading that no recipe knows stand points that only name it, and such rows are marked as templates: a heading
under which never anything stands would be learned as empty.
"""

import random
from collections.abc import Iterator, Sequence
from typing import Any

from trainers.data.review_rows import TEMPLATE
from trainers.evals.drafts.recipe import lower_first, shuffled
from trainers.evals.generating.rows import Piece
from trainers.evals.generating.spec import RowSpec
from trainers.evals.generating.table import table

_TRIES = 60


def format_pieces(spec: RowSpec, draw: random.Random) -> dict[str, Iterator[Piece]]:
    """Return pieces with points under each heading."""
    desk = _Desk(spec.headings or ("Done", "Next", "Blockers"), draw)
    part = table()["format"]
    return {
        "typical": desk.pieces("typical", part["why"], most=2),
        "boundary": desk.pieces("boundary", part["why_unknown"], most=2, idle=True),
        "edge": desk.pieces("edge", part["why_long"], most=4, least=2),
        "out_of_scope": desk.pieces("out_of_scope", part["why_none"], most=1, empty=1),
    }


def known(heading: str) -> str:
    """Return what a heading means to the recipes, or ""."""
    name = " ".join(heading.casefold().replace("_", " ").split())
    return next((each for each, names in table()["format"]["names"].items() if name in names), "")


def _naming(heading: str, templates: Sequence[Sequence[str]]) -> list[tuple[str, str]]:
    name = heading if heading.isupper() else lower_first(heading)
    return [(note.format(heading=name, Heading=heading), point) for note, point in templates]


class _Desk:
    """Draws points for headings; no two pieces are alike."""

    def __init__(self, headings: Sequence[str], draw: random.Random) -> None:
        self.headings, self.draw = headings, draw
        self.part: dict[str, Any] = table()["format"]
        self.seen: set[str] = set()

    def pieces(
        self, case: str, why: str, *, most: int, least: int = 1, empty: int = 0, idle: bool = False
    ) -> Iterator[Piece]:
        """Yield pieces until nothing new is drawn."""
        for _ in range(_TRIES):
            left_out = set(self.draw.sample(range(len(self.headings)), min(empty, len(self.headings) - 1)))
            points = {
                at: self._points(heading, least, most) for at, heading in enumerate(self.headings) if at not in left_out
            }
            told = shuffled([(at, *each) for at, chosen in points.items() for each in chosen], self.draw)
            points = {at: [(note, point) for under, note, point in told if under == at] for at in points}
            notes = [note for _, note, _ in told]  # points stand in the order of the notes: no other could be learned
            if idle:
                notes.insert(self.draw.randint(0, len(notes)), self.draw.choice(self.part["idle"]))
            text = " ".join(notes)
            if text and text not in self.seen:
                self.seen.add(text)
                sent, reply = self.part["user"].format(notes=text), self._written(points)
                yield Piece(case, sent, reply, self._marked(points) or why, f"recipe format/{case}")

    def _marked(self, points: dict[int, list[tuple[str, str]]]) -> str:
        """Say that a piece is a template, where a point only names its heading."""
        named = [self.headings[at] for at, told in points.items() if told and not known(self.headings[at])]
        return str(self.part["why_named"].format(template=TEMPLATE, headings=", ".join(named))) if named else ""

    def _points(self, heading: str, least: int, most: int) -> list[tuple[str, str]]:
        listed = self.part["points"].get(known(heading)) or _naming(heading, self.part["named"])
        number = min(len(listed), self.draw.randint(least, most))
        return [(note, point) for note, point in self.draw.sample(listed, number)]

    def _written(self, points: dict[int, list[tuple[str, str]]]) -> str:
        lines = []
        for at, heading in enumerate(self.headings):
            lines += [f"{heading}:", *([f"- {point}" for _, point in points.get(at, [])] or ["- none"])]
        return "\n".join(lines)
