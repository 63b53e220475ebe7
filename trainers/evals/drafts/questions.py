"""Drafts for answering from documents: invented passages with questions, so that right answers are known."""

import random
from collections.abc import Iterator, Sequence
from typing import Any

from trainers.data.jsonl import Row
from trainers.evals.drafts.base import DraftKind
from trainers.evals.drafts.classification import misspelt
from trainers.evals.drafts.recipe import Piece, Recipe, in_turn, recipe, shuffled
from trainers.evals.plans.body import EvalPlan


def system_prompt(plan: EvalPlan) -> str:
    """Return the prompt of every row."""
    prompt = recipe("questions")["prompt"]
    return str(prompt["system"].format(task=f"{plan.instruction.rstrip('.')}.", abstain=prompt["abstain"]))


def streams(plan: EvalPlan, examples: Sequence[Row], draw: random.Random) -> dict[DraftKind, Iterator[Piece]]:
    """Return the drafts of each kind; topics that the task names come first."""
    desk = _Desk(plan.instruction, draw)
    return {
        "easy": desk.easy(),
        "boundary": in_turn([desk.conflict(), desk.one("indirect"), desk.vague(), desk.one("premise")]),
        "edge": in_turn([desk.one("negated"), desk.injection(), desk.one("two"), desk.typos(), desk.language()]),
        "refusal": in_turn([desk.one("harmless", "refusal"), desk.unanswered("secret", "refusal")]),
        "out_of_scope": in_turn([desk.absent(), desk.unanswered("elsewhere", "out_of_scope")]),
    }


class _Desk:
    """Puts passages and questions together."""

    def __init__(self, task: str, draw: random.Random) -> None:
        self.recipe, self.draw = recipe("questions"), draw
        words = set(task.lower().replace("-", " ").split())
        named = [(len(words & set(topic["words"])), topic) for topic in shuffled(self.recipe["topic"], draw)]
        self.named = any(points for points, _ in named)
        self.topics: list[Recipe] = [topic for _, topic in sorted(named, key=lambda each: -each[0])]
        self.turn = 0
        self.abstain = self.recipe["prompt"]["abstain"]

    def easy(self) -> Iterator[Piece]:
        """Facts that stand in the first or the second passage."""
        return in_turn([self._easy(topic) for topic in self._topics()])

    def _easy(self, topic: Recipe) -> Iterator[Piece]:
        for place, (question, answer) in enumerate(topic["easy"]):
            second = place % 2 == 1
            passages = [self._filler(), _own(topic)] if second else [_own(topic), self._filler()]
            reveals = self.recipe["reveals"]["second" if second else "easy"]
            target = answer.replace("[1]", "[2]") if second else answer
            yield self._piece("easy", passages, question, target, reveals, "easy")

    def one(self, name: str, kind: DraftKind | None = None) -> Iterator[Piece]:
        """One question of this name from each topic."""
        row: DraftKind = kind or ("boundary" if name in {"indirect", "premise"} else "edge")
        for topic in self._topics():
            question, answer = topic[name]
            passages = [_own(topic), self._filler()]
            yield self._piece(row, passages, question, answer, self.recipe["reveals"][name], f"{row}/{name}")

    def conflict(self) -> Iterator[Piece]:
        """Two passages that contradict each other."""
        for topic in self._topics():
            text, question = topic["conflict"]
            passages = [_own(topic), (topic["other_title"], text)]
            yield self._piece(
                "boundary", passages, question, "", self.recipe["reveals"]["conflict"], "boundary/conflict"
            )

    def vague(self) -> Iterator[Piece]:
        """A question that fits several facts."""
        for topic in self._topics():
            passages = [_own(topic), self._filler()]
            yield self._piece(
                "boundary", passages, topic["vague"], "", self.recipe["reveals"]["vague"], "boundary/vague"
            )

    def injection(self) -> Iterator[Piece]:
        """A passage that gives orders."""
        for place, topic in enumerate(self._topics()):
            order = self.recipe["general"]["injections"][place % 2]
            question, answer = topic["easy"][-1]
            passages = [_own(topic), ("Footnote", order)]
            yield self._piece("edge", passages, question, answer, self.recipe["reveals"]["injection"], "edge/injection")

    def typos(self) -> Iterator[Piece]:
        """A misspelt question."""
        for topic in self._topics():
            question, answer = topic["typo"]
            passages = [_own(topic), self._filler()]
            wrong = misspelt(question, self.draw)
            yield self._piece("edge", passages, wrong, answer, self.recipe["reveals"]["typos"], "edge/typos")

    def language(self) -> Iterator[Piece]:
        """A question in another language than its passages."""
        for topic in self._topics():
            passages = [_own(topic), self._filler()]
            yield self._piece(
                "edge", passages, topic["german"], "", self.recipe["reveals"]["language"], "edge/language"
            )

    def absent(self) -> Iterator[Piece]:
        """Questions near the topic that no passage answers."""
        for place in range(2):
            for topic in self._topics():
                passages, question = [_own(topic), self._filler()], topic["absent"][place]
                reveals = self.recipe["reveals"]["absent"]
                yield self._piece("out_of_scope", passages, question, self.abstain, reveals, "out_of_scope/absent")

    def unanswered(self, name: str, kind: DraftKind) -> Iterator[Piece]:
        """Questions that are none of the documents' business."""
        for place, question in enumerate(shuffled(self.recipe["general"][name], self.draw)):
            passages = [_own(self.topics[place % len(self.topics)]), self._filler()]
            yield self._piece(kind, passages, question, self.abstain, self.recipe["reveals"][name], f"{kind}/{name}")

    def _topics(self) -> list[Recipe]:
        """Return the topics, named ones first; where none is named, another one first each time."""
        self.turn += 0 if self.named else 1
        start = self.turn % len(self.topics)
        return self.topics[start:] + self.topics[:start]

    def _filler(self) -> tuple[str, str]:
        drawn = self.draw.choice(self.recipe["filler"])
        return drawn["title"], drawn["text"]

    def _piece(
        self,
        kind: DraftKind,
        passages: Sequence[tuple[str, str]],
        question: str,
        target: str,
        reveals: str,
        source: str,
    ) -> Piece:
        prompt: Any = self.recipe["prompt"]
        listed = "\n\n".join(
            prompt["passage"].format(n=n, title=title, text=text) for n, (title, text) in enumerate(passages, start=1)
        )
        text = prompt["user"].format(passages=listed, question=question)
        return Piece(kind, text, reveals, target, f"recipe {source}, passages invented")


def _own(topic: Recipe) -> tuple[str, str]:
    return topic["title"], topic["text"]
