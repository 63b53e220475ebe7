"""Drafts for extraction: papers written from invented values, so that the right answer is known; it checks no model."""

import json
import random
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from trainers.data.jsonl import Row
from trainers.evals.drafts.base import DraftKind
from trainers.evals.drafts.classification import misspelt
from trainers.evals.drafts.currencies import currency_beside, one_currency, without_currency
from trainers.evals.drafts.fields import Deck, Field, Value, fields_of, fits
from trainers.evals.drafts.recipe import Piece, in_turn, recipe, shuffled, upper_first
from trainers.evals.drafts.schemas import plain_schema
from trainers.evals.plans.body import EvalPlan

EMPTY: Mapping[str, Value] = {}
_EACH = 24  # papers of one shape at most
_MOST_CHOICES = 20  # of one field, that the system prompt names


def system_prompt(plan: EvalPlan) -> str:
    """Return the prompt of every row."""
    part, fields = recipe("extraction")["prompt"], _fields(plan)
    keys = ", ".join(field.key for field in fields) or "those of the schema"
    whole = fields and not any(field.nullable or field.optional for field in fields)
    absent = part["null" if all(field.nullable for field in fields) else "whole" if whole else "left_out"]
    choices = "".join(part["choice"].format(key=field.key, choices=choices) for field, choices in _choices(fields))
    told = {"task": f"{plan.instruction.rstrip('.')}.", "keys": keys, "absent": absent, "choices": choices}
    return str(part["system"].format(**told))


def _fields(plan: EvalPlan) -> list[Field]:
    return fields_of(plain_schema(plan.schema)) if plan.schema else []


def _choices(fields: Sequence[Field]) -> Iterator[tuple[Field, str]]:
    """Return the fields that hold one of a few values, with these."""
    for field in fields:
        listed = field.node.get("enum")
        if isinstance(listed, list) and len(listed) <= _MOST_CHOICES:
            named = ", ".join(str(each) for each in listed if isinstance(each, str | int | float))
            if named:
                yield field, named


def streams(plan: EvalPlan, examples: Sequence[Row], draw: random.Random) -> dict[DraftKind, Iterator[Piece]]:
    """Return the drafts of each kind, best first; nothing where no field is known."""
    if plan.schema is None:
        return {}
    desk = _Desk(_fields(plan), draw)
    if not desk.known:
        return {"out_of_scope": desk.out_of_scope()}
    return {
        "easy": desk.easy(),
        "boundary": in_turn([desk.decoys(), desk.open(), desk.corrected()]),
        "edge": in_turn([desk.missing(), desk.hard(), desk.injection(), desk.long(), desk.typos(), desk.caps()]),
        "refusal": desk.private(),
        "out_of_scope": desk.out_of_scope(),
    }


def unknown_fields(plan: EvalPlan) -> list[str]:
    """Return the keys of which nobody knows what may stand in them: no draft fills these."""
    deck = Deck(random.Random(0))  # noqa: S311  # a try, no secret
    return [field.key for field in _fields(plan) if field.draw(deck) is None]


class _Paper(NamedTuple):
    """One set of values and the text made of them."""

    text: str
    answers: dict[str, Any]


class _Desk:
    """Writes the papers of one plan."""

    def __init__(self, fields: Sequence[Field], draw: random.Random) -> None:
        self.recipe, self.draw, self.deck = recipe("extraction"), draw, Deck(draw)
        self.fields = list(fields)
        self.known = [field for field in fields if field.draw(Deck(random.Random(0)))]  # noqa: S311  # a try, no secret
        self.scalars = [field for field in self.known if field.scalar]

    def easy(self) -> Iterator[Piece]:
        """Plain papers, as forms and as letters."""
        for turn in range(_EACH):
            paper = self._paper(letter=turn % 2 == 1)
            yield self._piece("easy", paper.text, self.recipe["easy"]["reveals"], paper, "easy")

    def decoys(self) -> Iterator[Piece]:
        """Something near a field that is not asked for."""
        part = self.recipe["boundary"]["decoy"]
        titles = {field.title for field in self.fields}
        for field in self._in_turn([f for f in self.scalars if "decoy" in (f.known or {})]):
            decoy, value = (field.known or {})["decoy"], field.draw(self.deck)
            paper = self._paper(put={field.key: value} if value else EMPTY)
            if not any(decoy.lower().startswith(title) for title in titles):
                text = self.draw.choice((f"{decoy}\n{paper.text}", f"{paper.text}\n{decoy}"))
                yield self._piece("boundary", text, part["reveals"].format(title=field.title), paper, "boundary/decoy")

    def open(self) -> Iterator[Piece]:
        """Values that no rule settles; a person decides."""
        part = self.recipe["boundary"]["open"]
        for field in self._in_turn([f for f in self.scalars if "open" in (f.known or {})]):
            value = self.draw.choice((field.known or {})["open"])
            if (beside := currency_beside(self.fields, value)) is None:
                continue
            paper = self._paper(odd={field.key: Value(value, None)}, put=beside)
            yield Piece(
                "boundary",
                paper.text,
                part["reveals"].format(title=field.title, value=value),
                "",
                "recipe boundary/open",
            )

    def corrected(self) -> Iterator[Piece]:
        """A value that the text itself takes back."""
        part = self.recipe["boundary"]["corrected"]
        for field in self._in_turn(self.scalars):
            first, second = self._plainly(field), self._plainly(field)
            if first and second and first.text != second.text:
                note = self.draw.choice(part["texts"]).format(title=field.title, value=second.text)
                paper = self._paper(odd={field.key: first})
                paper = paper._replace(answers={**paper.answers, field.key: second.answer})
                piece = self._piece(
                    "boundary",
                    f"{paper.text}\n\n{note}",
                    part["reveals"].format(title=field.title),
                    paper,
                    "boundary/corrected",
                )
                yield piece._replace(target="", suggestion=piece.target)

    def missing(self) -> Iterator[Piece]:
        """One field is left out."""
        part = self.recipe["edge"]["missing"]
        for field in self._in_turn(self.known):
            if len(self.known) > 1:
                paper = self._paper(without=field.key)
                yield self._piece("edge", paper.text, part["reveals"].format(title=field.title), paper, "edge/missing")

    def hard(self) -> Iterator[Piece]:
        """Odd spellings of a value."""
        part = self.recipe["edge"]["hard"]
        for field in self._in_turn([f for f in self.scalars if "hard" in (f.known or {})]):
            text, answer = self.draw.choice((field.known or {})["hard"])
            beside = currency_beside(self.fields, text)
            if answer != "" and fits(field.node, answer) and beside is not None:
                paper = self._paper(odd={field.key: Value(text, answer)}, put=beside)
                reveals = part["reveals"].format(title=field.title, value=text)
                yield self._piece("edge", paper.text, reveals, paper, "edge/hard")

    def injection(self) -> Iterator[Piece]:
        """The paper gives orders."""
        part = self.recipe["edge"]["injection"]
        for pattern in self._in_turn(part["texts"]):
            paper = self._paper()
            order = pattern.format(title=self.known[0].title)
            yield self._piece("edge", f"{paper.text}\n\n{order}", part["reveals"], paper, "edge/injection")

    def long(self) -> Iterator[Piece]:
        """The facts stand inside chatter."""
        part = self.recipe["edge"]["long"]
        paper = self._paper(letter=True, bare=True)
        yield self._piece("edge", f"{part['before']} {paper.text} {part['after']}", part["reveals"], paper, "edge/long")

    def typos(self) -> Iterator[Piece]:
        """The labels of the form are misspelt, the values are not."""
        for _ in range(3):
            values = one_currency(self._values())
            lines = [f"{upper_first(misspelt(f.title, self.draw))}: {v.text}" for f, v in values if v]
            paper = _Paper("\n".join(lines), self._answers(values))
            yield self._piece("edge", paper.text, self.recipe["edge"]["typos"]["reveals"], paper, "edge/typos")

    def caps(self) -> Iterator[Piece]:
        """All in capitals; whether they are kept is open."""
        yield Piece("edge", self._paper().text.upper(), self.recipe["edge"]["caps"]["reveals"], "", "recipe edge/caps")

    def private(self) -> Iterator[Piece]:
        """Papers that call themselves secret; reading them is the task all the same."""
        part = self.recipe["refusal"]["private"]
        for turn, head in enumerate(self._in_turn(part["texts"])):
            paper = self._paper(letter=turn % 2 == 1)
            yield self._piece("refusal", f"{head}\n\n{paper.text}", part["reveals"], paper, "refusal/private")

    def out_of_scope(self) -> Iterator[Piece]:
        """Texts that hold no field."""
        part = self.recipe["out_of_scope"]
        target = self._target({field.key: None for field in self.fields})
        reveals = part["reveals"] if target else part["reveals_open"]
        for text in shuffled(part["texts"], self.draw):
            yield Piece("out_of_scope", text, reveals, target, "recipe out_of_scope")

    def _in_turn(self, things: Sequence[Any]) -> Iterator[Any]:
        for turn in range(_EACH if things else 0):
            yield things[turn % len(things)]

    def _paper(
        self,
        *,
        letter: bool = False,
        bare: bool = False,
        without: str = "",
        put: Mapping[str, Value] = EMPTY,
        odd: Mapping[str, Value] = EMPTY,
    ) -> _Paper:
        """Write a paper; it holds the values of `put`, and those of `odd` as they are written."""
        values = one_currency(self._values(without, {**put, **odd}), odd)
        said = [(field, value) for field, value in values if value]
        layout, line = self.recipe["layout"], self.draw.choice(self.recipe["layout"]["line"])
        lines = "\n".join(line.format(Title=upper_first(f.title), value=v.text) for f, v in said)
        says = " ".join(self._say(field, value) for field, value in said)
        pattern = "{says}" if bare else self.draw.choice(layout["letter" if letter else "form"])
        return _Paper(pattern.format(lines=lines, says=says), self._answers(values))

    def _plainly(self, field: Field) -> Value | None:
        """Draw a value whose amount has no currency: it stands beside others of any."""
        drawn = field.draw(self.deck)
        return without_currency(drawn) if drawn else None

    def _values(self, without: str = "", put: Mapping[str, Value] = EMPTY) -> list[tuple[Field, Value | None]]:
        """Draw a value of each field; a key that may lack or be null is left out now and then, never all of them."""
        drawn = [(field, put.get(field.key) or field.draw(self.deck)) for field in self.fields]
        told = [(field, None if field.key == without else value) for field, value in drawn]
        kept = [(field, value if field.key in put or not field.left_out(self.draw) else None) for field, value in told]
        return kept if any(value for _, value in kept) else told

    def _say(self, field: Field, value: Value) -> str:
        says = (field.known or {}).get("says") if field.scalar else None
        pattern = self.draw.choice(says) if says else self.recipe["layout"]["plain_says"]
        text = str(pattern.format(title=field.title, Title=upper_first(field.title), value=value.text))
        return text.removesuffix(".") if text.endswith("..") else text

    def _answers(self, values: Sequence[tuple[Field, Value | None]]) -> dict[str, Any]:
        return {field.key: value.answer if value else None for field, value in values}

    def _piece(self, kind: DraftKind, text: str, reveals: str, paper: _Paper, source: str) -> Piece:
        return Piece(kind, text, reveals, self._target(paper.answers), f"recipe {source}")

    def _target(self, answers: dict[str, Any]) -> str:
        """Write the answer; "" where a field that may not be null has no value."""
        kept = {}
        for field in self.fields:
            answer = answers[field.key]
            if answer is None and not field.nullable:
                if not field.optional:
                    return ""
                continue
            kept[field.key] = answer
        return json.dumps(kept, ensure_ascii=False) if kept else ""
