"""Drafts for classification, composed from what labels mean and from examples; it decides no boundary case."""

import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import chain, combinations
from typing import Any

from trainers.data.jsonl import Row
from trainers.data.likeness import canonical
from trainers.evals.drafts.base import DraftKind
from trainers.evals.drafts.recipe import (
    Filler,
    Piece,
    as_sentence,
    first_sentence,
    in_turn,
    lower_first,
    recipe,
    shuffled,
    upper_first,
)
from trainers.evals.plans.body import EvalPlan

Concept = Mapping[str, Any]

NAMED = "recipe easy/named: a template, to be rewritten"
"""Where a text comes from that only names a label which no recipe knows."""

_SENTENCE = 5
"""Words from which on a label is a sentence."""

_WORD = re.compile(r"(\W+)")


def system_prompt(plan: EvalPlan) -> str:
    """Return the prompt of every row."""
    prompt, label = recipe("classification")["prompt"], rest_of(plan.labels)
    rest = prompt["rest"].format(label=label) if label else ""
    task = f"{plan.instruction.rstrip('.')}."
    return str(prompt["system"].format(task=task, labels=", ".join(plan.labels), rest=rest))


def rest_of(labels: Sequence[str]) -> str:
    """Return the label for what belongs to none of the others, or ""."""
    catch_all = set(recipe("classification")["catch_all"])
    return next((label for label in labels if canonical(label) in catch_all), "")


def streams(plan: EvalPlan, examples: Sequence[Row], draw: random.Random) -> dict[DraftKind, Iterator[Piece]]:
    """Return the drafts of each kind, best first; nothing where the labels are not known."""
    if not plan.labels:
        return {}
    desk = _Desk(plan.labels, examples, draw)
    return {
        "easy": desk.easy(),
        "boundary": desk.boundary(),
        "edge": desk.edge(),
        "refusal": desk.refusal(),
        "out_of_scope": desk.out_of_scope(),
    }


def unknown_labels(plan: EvalPlan, examples: Sequence[Row]) -> list[str]:
    """Return the labels that no recipe knows and no example shows: their plain cases can only name them."""
    rest, known = set(recipe("classification")["catch_all"]), _concepts(plan.labels)
    strange = [label for label in plan.labels if canonical(label) not in rest and label not in known]
    return [label for label in strange if len(_sentences(examples, label)) < 2]


class _Desk:
    """Composes the drafts of one plan; no text of the recipes is used twice."""

    def __init__(self, labels: Sequence[str], examples: Sequence[Row], draw: random.Random) -> None:
        self.recipe, self.draw = recipe("classification"), draw
        self.filler = Filler(self.recipe["slots"], draw)
        self.rest = rest_of(labels)
        self.labels = [label for label in labels if label != self.rest]
        self.concepts = {label: concept for label, concept in _concepts(labels).items() if label != self.rest}
        self.spoken = {label: _sentences(examples, label) for label in self.labels}
        self.texts = {label: shuffled(concept["texts"], draw) for label, concept in self.concepts.items()}
        self.texts |= {self.rest: self._strange()} if self.rest else {}
        self.named = self._named(_templates(draw))

    def easy(self) -> Iterator[Piece]:
        """One of each label in turn."""
        return in_turn([*(self._easy(label) for label in self.labels), self._rest()])

    def _strange(self) -> list[str]:
        """Return what reaches an inbox and is meant for none of its labels."""
        used = {concept["words"][0] for concept in self.concepts.values()}
        strange = [c for c in self.recipe["concept"] if c["words"][0] in {"press", "hr"} - used]
        inbox = used & set(self.recipe["inbox"])
        return shuffled([text for concept in strange for text in concept["texts"]] if inbox else (), self.draw)

    def _rest(self) -> Iterator[Piece]:
        """Plain cases of the label for the rest."""
        reveals = self.recipe["easy"]["reveals"].format(label=self.rest)
        while self.texts.get(self.rest):
            yield Piece("easy", self._text(self.rest), reveals, self.rest, "recipe easy/press, hr")

    def _easy(self, label: str) -> Iterator[Piece]:
        reveals = self.recipe["easy"]["reveals"].format(label=label)
        concept = self.concepts.get(label, {})
        lent = self._lent(label, reveals) if "joined" not in concept else iter(())  # headlines are no letters
        own = self._own(label, reveals)
        return in_turn([lent, own]) if concept else chain(lent, own)

    def _lent(self, label: str, reveals: str) -> Iterator[Piece]:
        """One row's sentence in each, inside what people write around such a thing."""
        left: list[str] = []
        for line, text in self.spoken[label]:
            left = left or shuffled(self.recipe["easy"]["lent"], self.draw)
            framed = left.pop().format(text=as_sentence(text))
            yield Piece("easy", framed, reveals, label, f"words of your row {line}")

    def _own(self, label: str, reveals: str) -> Iterator[Piece]:
        while self.texts.get(label):
            yield Piece("easy", self._text(label), reveals, label, f"recipe easy/{self.concepts[label]['words'][0]}")
        reveals = self.recipe["easy"]["named"]["reveals"].format(label=label)
        yield from (Piece("easy", text, reveals, label, NAMED) for text in self.named.get(label, ()))

    def _named(self, templates: Sequence[str]) -> dict[str, list[str]]:
        """Return messages that only name a label, for each that no recipe knows; each template names one label."""
        strange = [label for label in self.labels if label not in self.concepts]
        return {
            label: [text.format(label=_in_words(label)) for text in templates[at :: len(strange)]]
            for at, label in enumerate(strange)
        }

    def boundary(self) -> Iterator[Piece]:
        """Two labels' cues in one message; which wins is left open."""
        yield from self._met()
        known = [label for label in self.labels if self._halves(label)]
        for turn in range(6):
            for one, two in shuffled(combinations(known, 2), self.draw):
                pair = (one, two) if self.draw.random() < 0.5 else (two, one)
                yield self._both(*pair, turn)

    def _met(self) -> Iterator[Piece]:
        """Messages written for two labels that meet, a pair of labels after the other."""
        by_concept = {concept["words"][0]: label for label, concept in self.concepts.items()}
        met = [pair for pair in self.recipe["pair"] if set(pair["of"]) <= set(by_concept)]
        yield from in_turn([self._pair(pair, [by_concept[name] for name in pair["of"]]) for pair in met])

    def _pair(self, pair: Mapping[str, Any], labels: Sequence[str]) -> Iterator[Piece]:
        reveals = self.recipe["boundary"]["reveals"].format(one=labels[0], two=labels[1])
        for text in shuffled(pair["texts"], self.draw):
            yield Piece("boundary", self.filler.fill(text), reveals, "", f"recipe {' + '.join(pair['of'])}")

    def _both(self, one: str, two: str, turn: int) -> Piece:
        first, second = (self._halves(label) for label in (one, two))
        (a, source_a), (b, source_b) = first[turn % len(first)], second[(turn // 2) % len(second)]
        a, b = self.filler.fill(a), self.filler.fill(b)
        if one in self.concepts and two in self.concepts:
            joined = self.concepts[one].get("joined")
            pattern = f"{{One}}{joined}{{two}}." if joined else self.draw.choice(self.recipe["boundary"]["joins"])
            text = pattern.format(one=lower_first(a), One=upper_first(a), two=lower_first(b))
        else:  # lent words are whole sentences, and no clause of another
            text = self.draw.choice(self.recipe["boundary"]["lent"]).format(one=as_sentence(a), two=as_sentence(b))
        reveals = self.recipe["boundary"]["reveals"].format(one=one, two=two)
        return Piece("boundary", text, reveals, "", f"{source_a} + {source_b}")

    def edge(self) -> Iterator[Piece]:
        """Odd shapes of plain messages, and messages with nothing in them."""
        shapes = [self._caps, self._injection, self._typos, self._long, self._language, self._quoted]
        labels = shuffled(self._shapeable(), self.draw)  # else the first draft of a shape always has the same label
        turns = [[labels[(at + turn) % len(labels)] for turn in range(2 * len(labels))] for at in range(len(shapes))]
        plain = in_turn([self._shaped(shape, turn) for shape, turn in zip(shapes, turns, strict=True)])
        return in_turn([plain, plain, plain, in_turn([self._bare("short"), self._bare("number")])])

    def _shaped(self, shape: Callable[[str], Piece | None], labels: Sequence[str]) -> Iterator[Piece]:
        return (piece for label in labels if (piece := shape(label)) is not None)

    def _shapeable(self) -> list[str]:
        """Return the labels of which there are texts to reshape, or templates that name them."""
        return [label for label in (*self.labels, self.rest) if self.texts.get(label) or self.named.get(label)]

    def _bare(self, name: str) -> Iterator[Piece]:
        part = self.recipe["edge"][name]
        for text in shuffled(part["texts"], self.draw):
            yield Piece("edge", self.filler.fill(text), part["reveals"], "", f"recipe edge/{name}")

    def _caps(self, label: str) -> Piece | None:
        return self._edge("caps", label, lambda text: text.upper())

    def _typos(self, label: str) -> Piece | None:
        return self._edge("typos", label, lambda text: misspelt(text, self.draw))

    def _long(self, label: str) -> Piece | None:
        part = self.recipe["edge"]["long"]
        before, after = self.draw.choice(part["before"]), self.draw.choice(part["after"])
        return self._edge("long", label, lambda text: f"{before} {text} {after}.")

    def _injection(self, label: str) -> Piece | None:
        others = [other for other in (*self.labels, self.rest) if other and other != label]
        wrong = self.draw.choice(others) if others else ""
        pattern = self.draw.choice(self.recipe["edge"]["injection"]["texts"])
        return self._edge("injection", label, lambda text: pattern.format(text=text, wrong=wrong), wrong=wrong)

    def _quoted(self, label: str) -> Piece | None:
        pattern = self.draw.choice(self.recipe["edge"]["quoted"]["texts"])
        piece = self._edge("quoted", label, lambda text: pattern.format(text=text))
        return piece and piece._replace(target="")

    def _language(self, label: str) -> Piece | None:
        told = self.concepts.get(label, {})
        tongues = [told[name] for name in ("german", "spanish") if name in told]
        if not tongues:
            return None
        text = self.filler.fill(self.draw.choice(tongues))
        reveals = self.recipe["edge"]["language"]["reveals"].format(label=label)
        return Piece("edge", text, reveals, label, "recipe edge/language")

    def _edge(self, name: str, label: str, shape: Any, **known: str) -> Piece | None:
        reveals = self.recipe["edge"][name]["reveals"].format(label=label, **known)
        if self.texts.get(label):
            return Piece("edge", shape(self._text(label)), reveals, label, f"recipe edge/{name}")
        if self.named.get(label) and name != "typos":  # from their end; nobody knows a label by its misspelt name
            return Piece("edge", shape(self.named[label].pop()), reveals, label, f"{NAMED}, as edge/{name}")
        return None

    def refusal(self) -> Iterator[Piece]:
        """Harmless messages in words that trip refusals."""
        shapes = [(name, part, text) for name, part in self.recipe["refusal"].items() for text in part["texts"]]
        labels = shuffled(self._shapeable(), self.draw)
        for place, (name, part, pattern) in enumerate(shuffled(shapes, self.draw)):
            label = labels[place % len(labels)] if labels else ""
            if self.texts.get(label):
                text = pattern.format(text=self._text(label))
                yield Piece("refusal", text, part["reveals"].format(label=label), label, f"recipe refusal/{name}")

    def out_of_scope(self) -> Iterator[Piece]:
        """Messages that belong to no label; the label for the rest is theirs if there is one."""
        part = self.recipe["out_of_scope"]
        rule = part["known"].format(label=self.rest) if self.rest else part["unknown"]
        for text in shuffled(part["texts"], self.draw):
            yield Piece("out_of_scope", text, part["reveals"].format(rule=rule), self.rest, "recipe out_of_scope")

    def _text(self, label: str) -> str:
        return self.filler.fill(self.texts[label].pop())

    def _halves(self, label: str) -> list[tuple[str, str]]:
        """Clauses of a label, or sentences that rows lend it, each with where it comes from."""
        concept = self.concepts.get(label)
        if concept:
            return [(half, f"recipe {concept['words'][0]}") for half in concept["halves"]]
        return [(text, f"words of your row {line}") for line, text in self.spoken[label][:4]]


def most_named() -> int:
    """Return for how many labels that no recipe knows there is a template."""
    part = recipe("classification")["easy"]
    return len(part["named"]["texts"]) * (1 + len(part["lent"]))


def _templates(draw: random.Random) -> list[str]:
    """Return the messages that name a label, plain ones first, then each inside what people write around it."""
    part = recipe("classification")["easy"]
    plain: list[str] = shuffled(part["named"]["texts"], draw)
    frames = shuffled(part["lent"], draw)
    # Neighbours differ in message and frame: the templates of one label are every so many of these.
    framed = [
        frames[(at + turn) % len(frames)].format(text=text)
        for turn in range(len(frames))
        for at, text in enumerate(plain)
    ]
    return [*plain, *framed]


def misspelt(text: str, draw: random.Random) -> str:
    """Swap two letters inside every second long word, as fingers do."""
    words = _WORD.split(text)
    long_ones = [place for place, word in enumerate(words) if len(word) > 4 and word.isalpha()]
    for place in long_ones[:: 1 if len(long_ones) < 4 else 2]:
        word = words[place]
        at = draw.randrange(1, len(word) - 2)
        words[place] = word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    return "".join(words)


def _concepts(labels: Sequence[str]) -> dict[str, Concept]:
    """Find what labels mean; a concept belongs to the label that names it nearest alone, so no text has two labels."""
    concepts = recipe("classification")["concept"]
    named = [
        (distance, place, at)
        for place, label in enumerate(labels)
        for at, concept in enumerate(concepts)
        if (distance := _distance(label, concept)) is not None
    ]
    found: dict[int, int] = {}
    for _, place, at in sorted(named):
        if place not in found and at not in found.values():
            found[place] = at
    return {labels[place]: concepts[at] for place, at in sorted(found.items())}


def _distance(label: str, concept: Concept) -> int | None:
    """Say how far down a concept's words a label stands, further without its filler; None where it is none of them."""
    name = canonical(label).replace("_", " ").replace("-", " ")
    bare = " ".join(word for word in name.split() if word not in recipe("classification")["filler"])
    listed: list[str] = concept["words"]
    found = [listed.index(each) for each in (canonical(label), name) if each in listed]
    if found:
        return min(found)
    return len(listed) + listed.index(bare) if bare in listed else None


def _sentences(examples: Sequence[Row], label: str) -> list[tuple[int, str]]:
    """Return the lines and first sentences of a label's examples."""
    mine = [row for row in examples if canonical(row.target) == canonical(label)]
    return [(row.line, sentence) for row in mine if (sentence := first_sentence(row))]


def _in_words(label: str) -> str:
    """Write a label inside a sentence; one that is a sentence itself stands in quotation marks."""
    named = " ".join(label.replace("_", " ").split())
    return named if len(named.split()) < _SENTENCE else f"\u201c{named.rstrip('.!?')}\u201d"
