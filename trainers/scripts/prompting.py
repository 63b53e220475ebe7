"""Knows honest ways to prompt the base model with examples, and how to choose among them; does not know the test rows.

A candidate is how many examples, which ones, in what order and form, and whether the instruction lists the labels.
Each is tried on training rows, every row answered without itself among the examples. The half that does best goes on to
more rows (successive halving), so that most of the time goes into telling the good candidates apart.
"""

import random
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from trainers.scripts.chat import Message

Row = list[Message]
ROUNDS = (20, 40)
"""Training rows in the first and second round of the choice."""


class Candidate(NamedTuple):
    """One way to prompt."""

    pick: str
    """Which examples: "similar", "each_label" (the most similar of every label) or "balanced" (fixed, seeded)."""
    shown: int
    """Examples shown; for "each_label" and "balanced" per label."""
    form: str
    """"turns" (each example a user and an assistant turn) or "text" (all examples in one user message)."""
    labels: bool
    """Whether the instruction ends with the list of allowed answers."""

    def words(self) -> str:
        """Say it for a person."""
        which = {
            "similar": f"the {self.shown} most similar training rows, most similar last",
            "each_label": f"the {self.shown} most similar training rows of every label, most similar last",
            "balanced": f"{self.shown} fixed training rows of every label",
        }[self.pick]
        form = "as earlier turns" if self.form == "turns" else "as text in one message"
        return f"{which}, {form}" + (", labels listed in the instruction" if self.labels else "")


CANDIDATES = (
    Candidate("similar", 4, "turns", False),
    Candidate("similar", 8, "turns", False),
    Candidate("similar", 8, "turns", True),
    Candidate("similar", 8, "text", True),
    Candidate("each_label", 1, "turns", False),
    Candidate("each_label", 1, "text", True),
    Candidate("balanced", 2, "turns", False),
)


class Trial(NamedTuple):
    """How a candidate did on training rows."""

    candidate: Candidate
    score: float
    """Mean score over the rows of its last round."""
    rows: int
    """Rows of its last round."""


class Examples:
    """The training rows, searchable by similarity of the user's text."""

    def __init__(self, rows: Sequence[Row], labels: Sequence[str] | None, seed: int) -> None:
        """Index the rows by TF-IDF of words and of characters."""
        self.rows, self.labels, self._seed = list(rows), labels, seed
        texts = [question(row) for row in rows]
        self._vectors = text_vectors().fit(texts)
        self._matrix = self._vectors.transform(texts)

    def prompt(self, candidate: Candidate, row: Row, leave_out: int | None = None) -> Row:
        """Return the messages that ask for the row's answer the candidate's way."""
        examples = [self.rows[i] for i in self._picked(candidate, row, leave_out)]
        system = [dict(m) for m in row[:-1] if m["role"] == "system"]
        if candidate.labels and self.labels:
            listed = "Answer with exactly one of these labels and nothing else: " + ", ".join(self.labels) + "."
            if system:
                system[-1]["content"] += "\n" + listed
            else:
                system = [{"role": "system", "content": listed}]
        if candidate.form == "text":
            blocks = [f"Input: {question(r)}\nAnswer: {answer(r)}" for r in examples]
            return [*system, {"role": "user", "content": "\n\n".join([*blocks, f"Input: {question(row)}\nAnswer:"])}]
        turns = [m for r in examples for m in r if m["role"] != "system"]
        return [*system, *turns, *(m for m in row[:-1] if m["role"] != "system")]

    def _picked(self, candidate: Candidate, row: Row, leave_out: int | None) -> list[int]:
        if candidate.pick == "balanced":
            order = list(range(len(self.rows)))
            random.Random(self._seed).shuffle(order)  # noqa: S311  # an order, not a secret
        else:
            likeness = (self._matrix @ self._vectors.transform([question(row)]).T).toarray()[:, 0]
            order = sorted(range(len(self.rows)), key=lambda i: (-likeness[i], i))
        order = [i for i in order if i != leave_out]
        if candidate.pick == "similar":
            return order[: candidate.shown][::-1]
        taken: Counter[str] = Counter()
        picked = []
        for i in order:
            label = answer(self.rows[i])
            if taken[label] < candidate.shown:
                taken[label] += 1
                picked.append(i)
        return picked[::-1]


def choose(examples: Examples, score: Callable[[list[Row], list[Row]], list[float]], seed: int) -> list[Trial]:
    """Return all trials, the chosen one first; ``score(prompts, rows)`` answers and marks a batch of rows."""
    order = list(range(len(examples.rows)))
    random.Random(seed).shuffle(order)  # noqa: S311  # a sample, not a secret
    closed = examples.labels is not None
    field = [c for c in CANDIDATES if closed or (c.pick == "similar" and not c.labels)]
    marks: dict[Candidate, list[float]] = {candidate: [] for candidate in field}
    begin = 0
    for size in ROUNDS:
        sample = order[begin : begin + size]
        for candidate in field:
            rows = [examples.rows[i] for i in sample]
            prompts = [examples.prompt(candidate, examples.rows[i], leave_out=i) for i in sample]
            marks[candidate] += score(prompts, rows)
        field = sorted(field, key=lambda c: -_mean(marks[c]))[: (len(field) + 1) // 2]
        begin += size
    trials = [Trial(c, _mean(m), len(m)) for c, m in marks.items()]
    return sorted(trials, key=lambda t: (-t.rows, -t.score))


def planned_answers(row_count: int, closed: bool) -> int:
    """Return how many answers the choice will take, for a progress bar."""
    left = sum(1 for c in CANDIDATES if closed or (c.pick == "similar" and not c.labels))
    total = begin = 0
    for size in ROUNDS:
        total += left * min(size, max(0, row_count - begin))
        left, begin = (left + 1) // 2, begin + size
    return total


def question(row: Row) -> str:
    """Return the last thing the user says in a row."""
    return next(str(m["content"]) for m in reversed(row) if m["role"] == "user")


def answer(row: Row) -> str:
    """Return the reply that a row expects."""
    return str(row[-1]["content"])


def text_vectors() -> Any:
    """Return an unfitted TF-IDF of word pairs and character runs: spelling mistakes still match."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_union

    return make_union(
        TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True),
        TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True),
    )


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
