"""Takes pieces so that labels, and the shapes of hard cases over the labels, come about equally often; it writes none.

A model that sees every misspelt message under one label learns that misspelt is that label.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence

from trainers.evals.generating.labels import names_itself
from trainers.evals.generating.rows import Piece


class Spread:
    """The pieces that are left of each case, and what has been taken of them; the same calls take the same pieces."""

    def __init__(self, found: Mapping[str, Iterator[Piece]], wanted: Sequence[str]) -> None:
        """Read all pieces; `wanted` is the case of each row that is to come."""
        self._left = {case: [*enumerate(_other_words_first(pieces))] for case, pieces in found.items()}
        self._of_label: Counter[str] = Counter()
        self._of_case: Counter[tuple[str, str]] = Counter()
        self._of_shape: Counter[tuple[str, str]] = Counter()
        self._of_pair: Counter[tuple[str, str, str]] = Counter()
        self._settled = self._settle(Counter(wanted))

    def _settle(self, wanted: Mapping[str, int]) -> set[str]:
        """Count the rows of cases that have one label alone before they come: others make room for them."""
        settled = set()
        for case, left in self._left.items():
            labels = {piece.label for _, piece in left}
            if len(labels) == 1:
                self._of_label[labels.pop()] += min(wanted.get(case, 0), len(left))
                settled.add(case)
        return settled

    def next(self, case: str, fits: Callable[[Piece], bool]) -> Piece | None:
        """Return the piece of a case whose label and shape are rarest so far; one that does not fit is gone."""
        for entry in sorted(self._left.get(case, ()), key=lambda entry: self._taken(case, *entry)):
            self._left[case].remove(entry)
            if fits(entry[1]):
                self._count(case, entry[1])
                return entry[1]
        return None

    def _taken(self, case: str, place: int, piece: Piece) -> tuple[int, ...]:
        """Return how much there is of a piece's label and shape, the weightiest first; less is better."""
        hard = 0 if case == "typical" else self._of_case[case, piece.label]  # typical rows make up for the others
        shape = self._of_pair[case, piece.label, piece.source], self._of_shape[case, piece.source]
        return hard, self._of_label[piece.label], *shape, place

    def _count(self, case: str, piece: Piece) -> None:
        self._of_case[case, piece.label] += 1
        self._of_shape[case, piece.source] += 1
        self._of_pair[case, piece.label, piece.source] += 1
        if case not in self._settled:
            self._of_label[piece.label] += 1


def _other_words_first(pieces: Iterator[Piece]) -> list[Piece]:
    """Put what holds the words of its own label behind the rest: a model may learn the word alone."""
    return sorted(pieces, key=lambda piece: names_itself(piece.label, piece.text))
