"""How far a judge and people agree on the same rows, beyond chance; it does not know where labels come from."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from trainers.evals import stats
from trainers.evals.judges.pairwise import Side
from trainers.evals.stats import Interval, wilson


class Label(NamedTuple):
    """What one person preferred on one row."""

    row: int
    person: str
    choice: Side


class Agreement(NamedTuple):
    """How two raters' choices fit."""

    labels: int
    """Choices that both made; one person's choice on one row is one."""
    agreed: int
    kappa: float | None
    """Cohen's kappa over base, tie and tuned; None where chance alone would agree always, or nothing was rated."""
    tpr: tuple[int, int] = (0, 0)
    """Where people preferred tuned: how often the judge did, of how many."""
    tnr: tuple[int, int] = (0, 0)
    """Where people preferred base: how often the judge did, of how many."""

    @property
    def tpr_interval(self) -> Interval:
        """Wilson's interval of the rate at which tuned is recognised."""
        return wilson(*self.tpr)

    @property
    def tnr_interval(self) -> Interval:
        """Wilson's interval of the rate at which base is recognised."""
        return wilson(*self.tnr)


def with_people(judged: Mapping[int, Side], labels: Sequence[Label]) -> Agreement | None:
    """Compare a judge's verdicts (by row) with people's labels; None where they share no row."""
    both = [(judged[label.row], label.choice) for label in labels if label.row in judged]
    if not both:
        return None

    def found(side: Side) -> tuple[int, int]:
        return sum(judge == side for judge, person in both if person == side), sum(person == side for _, person in both)

    return Agreement(len(both), _agreed(both), kappa(both), found("tuned"), found("base"))


def among_people(labels: Sequence[Label]) -> Agreement | None:
    """Compare every two people on every row that both labelled; None where no row has two labels."""
    by_row: dict[int, list[Label]] = {}
    for label in sorted(labels):
        by_row.setdefault(label.row, []).append(label)
    both = [
        (one.choice, other.choice)
        for group in by_row.values()
        for place, one in enumerate(group)
        for other in group[place + 1 :]
    ]
    return Agreement(len(both), _agreed(both), kappa(both)) if both else None


def kappa(both: Sequence[tuple[str, str]]) -> float | None:
    """Agreement beyond chance, 1 at most (Cohen 1960); None for no pairs and where chance agrees always."""
    first, second = [one for one, _ in both], [other for _, other in both]
    return stats.kappa(first, second).kappa if len({*first, *second}) > 1 else None


def _agreed(both: Sequence[tuple[str, str]]) -> int:
    return sum(one == other for one, other in both)
