"""Knows the ways to prompt a base with examples and how to choose one on training rows; it never sees the test rows.

The base is given its best prompt, so that a tuned model does not win against a careless one. Every way is tried on some
training rows, each row answered without itself among the examples; the better half is tried on further ones.
"""

import json
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from trainers.data.jsonl import Row
from trainers.evals.endpoint.limits import section
from trainers.evals.endpoint.similar import Similar
from trainers.evals.metrics.json_answers import read_json

Turns = tuple[tuple[str, str], ...]
"""Role and content of each turn."""


class Way(NamedTuple):
    """One way to prompt."""

    shown: int
    """Examples, as earlier turns, the most similar last."""
    told: bool
    """Whether the instruction ends with a sentence on the form of an answer: the labels, the keys of the JSON."""

    def words(self) -> str:
        """Say it for a person."""
        if not self.shown:
            return "no examples, the form of the answer said in the instruction"
        form = ", the form of the answer said in the instruction" if self.told else ""
        return f"the {self.shown} most similar training rows, most similar last, as earlier turns{form}"


WAYS = (Way(0, True), *(Way(shown, told) for shown in (2, 4, 8) for told in (False, True)))


class Trial(NamedTuple):
    """How a way did on training rows."""

    way: Way
    score: float
    """Mean score over the rows that were answered."""
    rows: int
    """How many these were."""


_TOOLS_TOLD = "Call one of the tools where it serves the request; else answer in words."

Score = Callable[[Sequence[tuple[Turns, Row]]], Sequence[float | None]]
"""Asks the base (prompt, row) for (prompt, row) and marks the answers; None where there is none."""


class Prompts:
    """The training rows as examples."""

    def __init__(self, rows: Sequence[Row], labels: Sequence[str], seed: int) -> None:
        """Index the rows by what the user says last; of very many, as many as limits.toml says, drawn with `seed`."""
        most, self.of = int(section("choosing")["most_examples"]), len(rows)
        drawn = sorted(random.Random(seed).sample(range(len(rows)), min(most, len(rows))))  # noqa: S311  # no secret
        self.rows, self.seed = [rows[place] for place in drawn], seed
        self._similar = Similar([question(row) for row in self.rows])
        self._tools = any(row.whole for row in rows)
        self._told = _TOOLS_TOLD if self._tools else form_in_words([row.target for row in rows], labels)

    def ways(self) -> tuple[Way, ...]:
        """Return the ways that so few rows allow: no row can be its own example."""
        most = len(self.rows) - 1
        return tuple(dict.fromkeys(way._replace(shown=min(way.shown, most)) for way in WAYS if most or not way.shown))

    def words(self, way: Way) -> str:
        """Say a way for a person."""
        said = way.words()
        return said.replace("as earlier turns", "in the instruction") if self._tools else said

    @property
    def drawn(self) -> str:
        """Say that examples come from a part of the rows, if they do."""
        return f"; examples come from {len(self.rows):,} of {self.of:,} rows" if len(self.rows) < self.of else ""

    def turns(self, way: Way, row: Row, leave_out: int | None = None) -> Turns:
        """Return the prompt that asks for a row's answer this way."""
        return self.turns_of([way], row, leave_out)[0]

    def turns_of(self, ways: Sequence[Way], row: Row, leave_out: int | None = None) -> list[Turns]:
        """Return the row's prompt for each way; the search is made once."""
        return next(self.turns_of_all(ways, [row], [leave_out]))

    def turns_of_all(
        self, ways: Sequence[Way], rows: Sequence[Row], leave_out: Sequence[int | None] = ()
    ) -> Iterator[list[Turns]]:
        """Yield each row's prompt for each way; hundreds are searched at once, which takes a tenth of the time.

        `leave_out` names for each row a training row that is not to be among its examples.
        """
        most = max(way.shown for way in ways) + 1
        found = self._similar.nearest_of([question(row) for row in rows], most)
        for row, near, without in zip(rows, found, leave_out or [None] * len(rows), strict=True):
            order = [place for place in near if place != without]
            yield [self._written(way, row, order[: way.shown][::-1]) for way in ways]

    def samples(self) -> tuple[list[int], list[int]]:
        """Return the places of the training rows of the first and the second round."""
        order = list(range(len(self.rows)))
        random.Random(self.seed).shuffle(order)  # noqa: S311  # a sample, not a secret
        first, second = section("choosing")["first_rows"], section("choosing")["second_rows"]
        return order[:first], order[first : first + second]

    def choose(self, score: Score) -> list[Trial]:
        """Try the ways and return how each did, the best first."""
        field, trials = list(self.ways()), dict[Way, list[float]]()
        for sample in self.samples():
            tried = [self.rows[place] for place in sample]
            asked = [
                (way, turns, row)
                for row, prompts in zip(tried, self.turns_of_all(field, tried, sample), strict=True)
                for way, turns in zip(field, prompts, strict=True)
            ]
            marks = score([(turns, row) for _, turns, row in asked])
            for (way, _, _), mark in zip(asked, marks, strict=True):
                trials.setdefault(way, []).extend([] if mark is None else [mark])
            field = sorted(field, key=lambda way: -_mean(trials.get(way, [])))[: survivors(len(field))]
        made = [Trial(way, _mean(marks), len(marks)) for way, marks in trials.items()]
        return sorted(made, key=lambda trial: (trial.way not in field, -trial.score))

    def _written(self, way: Way, row: Row, picked: Sequence[int]) -> Turns:
        before = [(turn.role, turn.content) for turn in row.messages[:-1]]
        system = [turn for turn in before if turn[0] == "system"]
        if way.told:
            said = f"{system[-1][1]}\n{self._told}" if system else self._told
            system = [*system[:-1], ("system", said)]
        if self._tools:
            return (*self._with_examples(system, picked), *(turn for turn in before if turn[0] != "system"))
        examples = [
            (turn.role, turn.content) for place in picked for turn in self.rows[place].messages if turn.role != "system"
        ]
        return (*system, *examples, *(turn for turn in before if turn[0] != "system"))

    def _with_examples(self, system: Turns | list[tuple[str, str]], picked: Sequence[int]) -> list[tuple[str, str]]:
        """Put examples into the instruction: as turns of their own, calls that nobody answers would be refused."""
        shown = [
            "\n".join(f"{turn.role}: {turn.content}" for turn in self.rows[place].messages if turn.role != "system")
            for place in picked
        ]
        if not shown:
            return list(system)
        said = "\n\n".join([*(content for _, content in system[-1:]), "Examples; `→` stands for a call:", *shown])
        return [*system[:-1], ("system", said)]


def sent_whole(row: Row, turns: Turns) -> str:
    """Return what is sent for a row with tools: the system prompt of `turns`, then its own turns and the tools.

    "" for a row of texts, whose turns are sent as they are.
    """
    if not row.whole:
        return ""
    system = [{"role": role, "content": content} for role, content in turns if role == "system"]
    own = [turn for turn in json.loads(row.whole)["messages"][:-1] if turn["role"] != "system"]
    return json.dumps({"messages": [*system, *own], **row.declared}, ensure_ascii=False, sort_keys=True)


def survivors(ways: int) -> int:
    """Return how many ways go on to the second round."""
    return (ways + 1) // 2


def question(row: Row) -> str:
    """Return what the user says last."""
    said = [turn.content for turn in row.messages[:-1] if turn.role == "user"]
    return said[-1] if said else row.prompt


def form_in_words(answers: Sequence[str], labels: Sequence[str]) -> str:
    """Tell a model what an answer must look like, from the labels or from the training rows' replies."""
    if labels:
        return "Answer with exactly one of these labels and nothing else: " + ", ".join(labels) + "."
    values = [read_json(answer).value for answer in answers if answer.lstrip()[:1] in ("{", "[")]
    if len(values) < len(answers):
        most = max(len(reply.split()) for reply in answers)
        return f"Answer in at most {most} words, with nothing before or after the answer."
    if not all(isinstance(value, dict) for value in values):
        return "Answer with JSON alone, with nothing before or after it."
    keys = Counter(key for value in values if isinstance(value, dict) for key in value)
    return "Answer with one JSON object and nothing else. Its keys: " + ", ".join(keys) + "."


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values) if values else 0.0
