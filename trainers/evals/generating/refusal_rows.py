"""Rows about refusing: what has to be declined, its harmless neighbours answered, and tricks; it judges no request."""

import random
from collections.abc import Iterator, Sequence
from typing import Any, Final

from trainers.data.review_rows import TEMPLATE
from trainers.evals.drafts.recipe import Recipe, recipe, shuffled
from trainers.evals.drafts.recipe import in_turn as _in_turn
from trainers.evals.drafts.refused import topics_of, unknown_things
from trainers.evals.generating.rows import Piece
from trainers.evals.generating.spec import RowSpec
from trainers.evals.generating.table import table

_WHERE = ("medical", "legal", "financial", "competitor", "private")

_NAMED: Final = "recipe refusal/named: a template, to be rewritten"
_SHOWN: Final = 8
"""Things that a note names."""


def refusal_pieces(spec: RowSpec, draw: random.Random) -> dict[str, Iterator[Piece]]:
    """Return declines as typical rows, tricks as edge, neighbours as refusal rows (over-refusal), and plain ones.

    Each thing that the task names has its turn; of one that no recipe knows there are templates that name it.
    """
    task, part = spec.plan.instruction, table()["refusal"]
    topics, strange = topics_of(task), unknown_things(task)
    desk = _Declining(draw)
    plain = recipe("refusals")["general"]["plain"]
    return {
        "typical": _turns([desk.declined("typical", topic, "must") for topic in topics], desk.named("must", strange)),
        "edge": _turns([desk.declined("edge", topic, "trick") for topic in topics], desk.named("trick", strange)),
        "refusal": _turns(
            [_answered("refusal", topic["neighbour"], part["why_help"], "neighbour", draw) for topic in topics],
            [_neighbours(thing, at, draw) for at, thing in enumerate(strange)],
        ),
        "out_of_scope": _answered("out_of_scope", plain, part["why_plain"], "plain", draw),
    }


def strange_note(spec: RowSpec) -> str:
    """Name what is to be refused and no recipe knows; "" where there is nothing."""
    things = unknown_things(spec.plan.instruction) if spec.kind == "refusal" else ()
    if not things:
        return ""
    named = ", ".join(things[:_SHOWN]) + (f" and {len(things) - _SHOWN} more" if len(things) > _SHOWN else "")
    what = f"No recipe knows {named}: such rows are templates that only name what is refused."
    return f"{what} Rewrite them, write rows of your own, or use a language model (LUTHIER_MODEL)."


class _Declining:
    """Declines in varied words; no sentence comes again before all others have been used."""

    def __init__(self, draw: random.Random) -> None:
        self.draw, self.start = draw, draw.randrange(12)
        self.left: list[str] = []

    def declined(self, case: str, topic: Recipe, source: str) -> Iterator[Piece]:
        """Answer each request of a topic with a decline."""
        why = table()["refusal"]["why_decline" if source == "must" else "why_trick"]
        for request in shuffled(topic[source], self.draw):
            yield Piece(case, request, self._answer(_name(topic)), why, f"recipe refusal/{source}")

    def named(self, source: str, things: Sequence[str]) -> list[Iterator[Piece]]:
        """Return the templates of each thing that no recipe knows, each beginning with another one."""
        return [self._named(source, thing, at) for at, thing in enumerate(things)]

    def _named(self, source: str, thing: str, at: int) -> Iterator[Piece]:
        why = table()["refusal"]["why_named"].format(template=TEMPLATE, thing=thing)
        for request in _begun_at(recipe("refusals")["named"][source], at + self.start):
            case = "typical" if source == "must" else "edge"
            yield Piece(case, request.format(thing=thing), self._answer("named"), why, _NAMED)

    def _answer(self, where: str) -> str:
        self.left = self.left or shuffled(table()["refusal"]["declines"], self.draw)
        return self.left.pop().format(where=self.draw.choice(table()["refusal"]["where"][where]))


def _neighbours(thing: str, at: int, draw: random.Random) -> Iterator[Piece]:
    why = table()["refusal"]["why_named"].format(template=TEMPLATE, thing=thing)
    for request, answer in _begun_at(recipe("refusals")["named"]["neighbour"], at + draw.randrange(3)):
        yield Piece("refusal", request.format(thing=thing), answer.format(thing=thing), why, _NAMED)


def _answered(case: str, requests: Sequence[str], why: str, source: str, draw: random.Random) -> Iterator[Piece]:
    answers = table()["refusal"]["answers"]
    for request in shuffled(requests, draw):
        if request in answers:
            yield Piece(case, request, answers[request], why, f"recipe refusal/{source}")


def _turns(known: list[Iterator[Piece]], named: list[Iterator[Piece]]) -> Iterator[Piece]:
    return _in_turn([*known, *named])


def _begun_at(items: Sequence[Any], at: int) -> list[Any]:
    """Return all items, from another one on for each thing: two things in one sentence would be near copies."""
    start = at % len(items)
    return [*items[start:], *items[:start]]


def _name(topic: Recipe) -> str:
    return next((name for name in _WHERE if name in topic["words"]), "private")
