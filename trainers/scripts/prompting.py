"""Knows honest ways to prompt the base model with examples, and how to choose among them; does not know the test rows.

A candidate is how many examples, which ones, in what order and form, and whether the instruction says what an answer
looks like; one shows no examples at all, since they can mislead a small model.
Each is tried on training rows, every row answered without itself among the examples. The half that does best goes on to
more rows (successive halving), so that most of the time goes into telling the good candidates apart.
"""

import random
import re
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from trainers.scripts.chat import Message
from trainers.scripts.marking import form_of, parsed

Row = list[Message]
ROUNDS = (20, 40)
"""Training rows in the first and second round of the choice."""


class Candidate(NamedTuple):
    """One way to prompt."""

    pick: str
    """Which examples: "similar", "each_label" (the most similar of every label), "balanced" (fixed, seeded, of every
    label), "fixed" (fixed, seeded) or "none"."""
    shown: int
    """Examples shown; for "each_label" and "balanced" per label."""
    form: str
    """"turns" (each example a user and an assistant turn) or "text" (all examples in one user message)."""
    told: bool
    """Whether the instruction ends with a sentence on the form of the answer: the labels, the keys of the JSON."""

    def words(self) -> str:
        """Say it for a person."""
        if self.pick == "none":
            return "no examples, the form of the answer said in the instruction"
        which = {
            "similar": f"the {self.shown} most similar training rows, most similar last",
            "each_label": f"the {self.shown} most similar training rows of every label, most similar last",
            "balanced": f"{self.shown} fixed training rows of every label",
            "fixed": f"{self.shown} fixed training rows",
        }[self.pick]
        form = "as earlier turns" if self.form == "turns" else "as text in one message"
        return f"{which}, {form}" + (", the form of the answer said in the instruction" if self.told else "")


NO_EXAMPLES = Candidate("none", 0, "turns", True)
CLOSED = (
    NO_EXAMPLES,
    Candidate("similar", 4, "turns", False),
    Candidate("similar", 8, "turns", False),
    Candidate("similar", 8, "turns", True),
    Candidate("similar", 8, "text", True),
    Candidate("each_label", 1, "turns", False),
    Candidate("each_label", 1, "text", True),
    Candidate("balanced", 2, "turns", False),
)
"""Ways to ask for one of a closed set of labels."""
OPEN = (
    NO_EXAMPLES,
    Candidate("similar", 2, "turns", True),
    Candidate("similar", 4, "turns", False),
    Candidate("similar", 4, "text", True),
    Candidate("similar", 8, "turns", True),
    Candidate("fixed", 4, "turns", True),
)
"""Ways to ask for JSON or free text."""
Fits = Callable[[Row], bool]
"""Whether a prompt and its answer fit the model's context."""


class Trial(NamedTuple):
    """How a candidate did on training rows."""

    candidate: Candidate
    score: float
    """Mean score over the rows of its last round."""
    rows: int
    """Rows of its last round."""


class Choice(NamedTuple):
    """What came of trying all candidates."""

    trials: list[Trial]
    """Best first."""
    dropped: dict[str, str]
    """Candidate in words -> why it was not tried."""


class Asked(NamedTuple):
    """A prompt that fits."""

    messages: Row
    left_out: int
    """Examples that had to go because the context is too short for them."""


class Examples:
    """The training rows, searchable by similarity of the user's text."""

    def __init__(self, rows: Sequence[Row], labels: Sequence[str] | None, seed: int) -> None:
        """Index the rows by TF-IDF of words and of characters."""
        self.rows, self.labels, self.seed = list(rows), labels, seed
        texts = [question(row) for row in rows]
        self._vectors = text_vectors(texts).fit(texts)
        self._matrix = self._vectors.transform(texts)
        self._told = form_in_words([answer(row) for row in rows], labels)

    def candidates(self) -> tuple[Candidate, ...]:
        """Return the ways to ask that suit the task and the number of rows: no row can be its own example."""
        most = len(self.rows) - 1
        field = [c._replace(shown=min(c.shown, most)) for c in (CLOSED if self.labels else OPEN)]
        return tuple(dict.fromkeys(c for c in field if c.shown or c.pick == "none"))

    def prompt(self, candidate: Candidate, row: Row, leave_out: int | None = None) -> Row:
        """Return the messages that ask for the row's answer the candidate's way."""
        return self._written(candidate, row, self._picked(candidate, row, leave_out))

    def fitted(self, candidate: Candidate, row: Row, fits: Fits, leave_out: int | None = None) -> Asked:
        """Return the candidate's prompt without as many of its first examples as the context is too short for."""
        picked = self._picked(candidate, row, leave_out)
        for gone in range(len(picked) + 1):
            prompt = self._written(candidate, row, picked[gone:])
            if fits(prompt):
                break
        return Asked(prompt, gone)

    def _written(self, candidate: Candidate, row: Row, picked: list[int]) -> Row:
        examples = [self.rows[i] for i in picked]
        system = [dict(m) for m in row[:-1] if m["role"] == "system"]
        if candidate.told and system:
            system[-1]["content"] += "\n" + self._told
        elif candidate.told:
            system = [{"role": "system", "content": self._told}]
        if candidate.form == "text":
            blocks = [f"Input: {question(r)}\nAnswer: {answer(r)}" for r in examples]
            return [*system, {"role": "user", "content": "\n\n".join([*blocks, f"Input: {question(row)}\nAnswer:"])}]
        turns = [m for r in examples for m in r if m["role"] != "system"]
        return [*system, *turns, *(m for m in row[:-1] if m["role"] != "system")]

    def _picked(self, candidate: Candidate, row: Row, leave_out: int | None) -> list[int]:
        if candidate.pick == "none":
            return []
        if candidate.pick in ("balanced", "fixed"):
            order = list(range(len(self.rows)))
            random.Random(self.seed).shuffle(order)  # noqa: S311  # an order, not a secret
        else:
            likeness = (self._matrix @ self._vectors.transform([question(row)]).T).toarray()[:, 0]
            order = sorted(range(len(self.rows)), key=lambda i: (-likeness[i], i))
        order = [i for i in order if i != leave_out]
        if candidate.pick in ("similar", "fixed"):
            return order[: candidate.shown][::-1]
        taken: Counter[str] = Counter()
        picked = []
        for i in order:
            label = answer(self.rows[i])
            if taken[label] < candidate.shown:
                taken[label] += 1
                picked.append(i)
        return picked[::-1]


def choose(
    examples: Examples, score: Callable[[list[Row], list[Row]], list[float]], fits: Fits = lambda prompt: True
) -> Choice:
    """Try the candidates on training rows; ``score(prompts, rows)`` answers and marks a batch of rows.

    A candidate that must leave out examples in most prompts is another way of asking than it says, so it is dropped.
    """
    order = list(range(len(examples.rows)))
    random.Random(examples.seed).shuffle(order)  # noqa: S311  # a sample, not a secret
    field = list(examples.candidates())
    dropped = {}
    marks: dict[Candidate, list[float]] = {candidate: [] for candidate in field}
    begin = 0
    for size in ROUNDS:
        sample = order[begin : begin + size]
        for candidate in field:
            asked = [examples.fitted(candidate, examples.rows[i], fits, leave_out=i) for i in sample]
            if sum(a.left_out > 0 for a in asked) * 2 > len(asked):
                dropped[candidate.words()] = "Its examples do not fit the model's context."
                continue
            marks[candidate] += score([a.messages for a in asked], [examples.rows[i] for i in sample])
        field = [c for c in field if c.words() not in dropped]
        field = sorted(field, key=lambda c: -_mean(marks[c]))[: (len(field) + 1) // 2]
        begin += size
    trials = [Trial(c, _mean(m), len(m)) for c, m in marks.items() if c.words() not in dropped]
    return Choice(sorted(trials, key=lambda t: (-t.rows, -t.score)), dropped)


def planned_answers(row_count: int, closed: bool) -> int:
    """Return how many answers the choice will take, for a progress bar."""
    left = len(CLOSED if closed else OPEN)
    total = begin = 0
    for size in ROUNDS:
        total += left * min(size, max(0, row_count - begin))
        left, begin = (left + 1) // 2, begin + size
    return total


def form_in_words(answers: Sequence[str], labels: Sequence[str] | None) -> str:
    """Tell a model what an answer must look like, from the labels or from the training rows' replies."""
    if labels:
        return "Answer with exactly one of these labels and nothing else: " + ", ".join(labels) + "."
    if form_of(answers, None) == "text":
        most = max(len(reply.split()) for reply in answers)
        return f"Answer in at most {most} words, with nothing before or after the answer."
    values = [parsed(reply) for reply in answers]
    if not all(isinstance(value, dict) for value in values):
        return "Answer with JSON alone, with nothing before or after it."
    keys = dict.fromkeys(key for value in values for key in value)
    return "Answer with one JSON object and nothing else. Its keys: " + ", ".join(keys) + "."


def question(row: Row) -> str:
    """Return the last thing the user says in a row."""
    return next(str(m["content"]) for m in reversed(row) if m["role"] == "user")


def answer(row: Row) -> str:
    """Return the reply that a row expects."""
    return str(row[-1]["content"])


def text_vectors(texts: Sequence[str]) -> Any:
    """Return an unfitted TF-IDF of word pairs and character runs: spelling mistakes still match."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.pipeline import make_union

    runs = TfidfVectorizer(analyzer="char_wb", ngram_range=(2, 5), sublinear_tf=True)
    if not any(re.search(r"\w\w", text) for text in texts):
        return make_union(runs)  # signs only: there is no word to learn
    return make_union(TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True), runs)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
