"""Rows about refusing: what has to be declined, its harmless neighbours answered, and tricks; it judges no request."""

import random
from collections.abc import Iterator, Sequence

from trainers.evals.drafts.recipe import Recipe, recipe, shuffled
from trainers.evals.drafts.refusals import topic_of
from trainers.evals.generating.rows import Piece
from trainers.evals.generating.spec import RowSpec
from trainers.evals.generating.table import table

_WHERE = ("medical", "legal", "financial", "competitor", "private")


def refusal_pieces(spec: RowSpec, draw: random.Random) -> dict[str, Iterator[Piece]]:
    """Return declines as typical rows, tricks as edge, neighbours as refusal rows (over-refusal), and plain ones."""
    topic, part = topic_of(spec.plan.instruction), table()["refusal"]
    desk = _Declining(topic, draw)
    return {
        "typical": desk.declined("typical", topic["must"], part["why_decline"], "must"),
        "edge": desk.declined("edge", topic["trick"], part["why_trick"], "trick"),
        "refusal": _answered("refusal", topic["neighbour"], part["why_help"], "neighbour", draw),
        "out_of_scope": _answered(
            "out_of_scope", recipe("refusals")["general"]["plain"], part["why_plain"], "plain", draw
        ),
    }


class _Declining:
    """Declines in varied words; no sentence comes again before all others have been used."""

    def __init__(self, topic: Recipe, draw: random.Random) -> None:
        self.draw = draw
        self.where: Sequence[str] = table()["refusal"]["where"][_name(topic)]
        self.left: list[str] = []

    def declined(self, case: str, requests: Sequence[str], why: str, source: str) -> Iterator[Piece]:
        """Answer each request with a decline."""
        for request in shuffled(requests, self.draw):
            self.left = self.left or shuffled(table()["refusal"]["declines"], self.draw)
            answer = self.left.pop().format(where=self.draw.choice(self.where))
            yield Piece(case, request, answer, why, f"recipe refusal/{source}")


def _answered(case: str, requests: Sequence[str], why: str, source: str, draw: random.Random) -> Iterator[Piece]:
    answers = table()["refusal"]["answers"]
    for request in shuffled(requests, draw):
        if request in answers:
            yield Piece(case, request, answers[request], why, f"recipe refusal/{source}")


def _name(topic: Recipe) -> str:
    return next((name for name in _WHERE if name in topic["words"]), "private")
