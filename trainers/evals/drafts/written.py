"""Drafts written by a language model: subjects first, then each text in a call of its own; answers are suggestions."""

import html
import json
import random
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from knowledge.errors import ServiceError
from knowledge.models import ChatModel, Meter, object_in
from knowledge.models import Message as Turn
from trainers.data.jsonl import Message
from trainers.data.likeness import canonical
from trainers.evals.drafts.base import DRAFT_KINDS, Draft, DraftKind
from trainers.evals.drafts.recipe import recipe
from trainers.evals.plans.body import EvalPlan

_REVEALS = 300  # characters
_ABOUT = 300


class Written(NamedTuple):
    """What a model wrote."""

    drafts: list[Draft]
    rejected: Counter[str]
    """Answers that were thrown away, by reason."""
    stopped: str
    """Why it ended early, or ""."""


class _Tuple(NamedTuple):
    kind: DraftKind
    about: str
    reveals: str


class _Stopped(Exception):
    """The meter is closed or the model does not answer; the text says which."""


def write(
    plan: EvalPlan,
    wanted: Mapping[DraftKind, int],
    *,
    system: str,
    seed: int,
    taken: Callable[[str], bool],
    model: ChatModel,
    meter: Meter,
) -> Written:
    """Let the model write the `wanted` number of each kind; it ends early where the meter closes or the model fails."""
    writer = _Writer(plan, model, meter, random.Random(seed))  # noqa: S311  # a fair draw, no secret
    drafts: list[Draft] = []
    seen: set[str] = set()
    try:
        for kind in DRAFT_KINDS:
            for each in writer.tuples(kind, wanted.get(kind, 0)):
                draft = writer.draft(each, system)
                if draft is None:
                    continue
                key = canonical(draft.input)
                if key in seen or taken(draft.input):
                    writer.rejected["repeats another row"] += 1
                    continue
                seen.add(key)
                drafts.append(draft)
    except _Stopped as stopped:
        return Written(drafts, writer.rejected, str(stopped))
    return Written(drafts, writer.rejected, "")


class _Writer:
    """Asks the model and checks what it says."""

    def __init__(self, plan: EvalPlan, model: ChatModel, meter: Meter, draw: random.Random) -> None:
        self.plan, self.model, self.meter, self.draw = plan, model, meter, draw
        self.recipe = recipe("model")
        self.rejected: Counter[str] = Counter()
        self.frame = _frame(plan, self.recipe["frame"])

    def tuples(self, kind: DraftKind, number: int) -> Iterator[_Tuple]:
        """Ask what rows of one kind may be about."""
        if number <= 0:
            return
        told = self._ask("plan", self.recipe["plan_tokens"], kind=kind, number=str(number))
        listed = told.get("tuples") if told else None
        if told and not isinstance(listed, list):
            self.rejected["no list of tuples"] += 1
        for item in (listed if isinstance(listed, list) else [])[:number]:
            about, reveals = (_text(item, name) for name in ("about", "reveals"))
            if about and reveals:
                yield _Tuple(kind, about[:_ABOUT], reveals[:_REVEALS])
            else:
                self.rejected["a tuple without subject or failure"] += 1

    def draft(self, each: _Tuple, system: str) -> Draft | None:
        """Ask for one text; None where it is no good."""
        drawn = {name: self.draw.choice(values) for name, values in self.recipe["dimensions"].items()}
        told = self._ask("row", self.recipe["row_tokens"], kind=each.kind, about=html.escape(each.about), **drawn)
        if told is None:
            return None
        text = _text(told, "input")
        if not text:
            self.rejected["no text"] += 1
            return None
        if len(text) > self.recipe["text_characters"]:
            self.rejected["a text that is too long"] += 1
            return None
        messages = (Message("system", system), Message("user", text))
        source = f"model {self.model.name}, {drawn['person']}, {drawn['channel']}, {drawn['length']}"
        return Draft(messages, each.kind, each.reveals, "", source, self._suggestion(_text(told, "target")))

    def _suggestion(self, target: str) -> str:
        """Return the model's answer if it could be one; a label that is none is dropped and counted."""
        if self.plan.kind != "classification" or not target:
            return target
        known = {canonical(label): label for label in self.plan.labels}
        if canonical(target) not in known:
            self.rejected["a suggested label outside the set"] += 1
        return known.get(canonical(target), "")

    def _ask(self, name: str, tokens: int, **known: str) -> dict[str, Any] | None:
        """Ask and read the JSON of the answer; None where there is none. Raises _Stopped."""
        closed = self.meter.closed()
        if closed:
            raise _Stopped(closed)
        meaning = self.recipe["kinds"][known["kind"]]
        part = self.recipe[name]
        text = part["user"].format(task=html.escape(self.plan.instruction), frame=self.frame, meaning=meaning, **known)
        asked = [Turn("system", part["system"]), Turn("user", text.strip())]
        try:
            answer = self.model.complete(asked, temperature=0.9, max_tokens=tokens, count=self.meter.count)
        except ServiceError as error:
            raise _Stopped(error.what) from error
        found = object_in(answer)
        if found is None:
            self.rejected["an answer that is no JSON object"] += 1
        return found


def _frame(plan: EvalPlan, frame: Mapping[str, str]) -> str:
    if plan.labels:
        return frame["labels"].format(labels=html.escape(", ".join(plan.labels)))
    if plan.schema:
        return frame["schema"].format(keys=html.escape(", ".join(plan.schema["properties"])))
    return ""


def _text(item: Any, name: str) -> str:
    """Return a text of an object without what no row may hold; "" where there is none."""
    value = item.get(name) if isinstance(item, dict) else None
    if isinstance(value, dict | list) and name == "target":
        value = json.dumps(value, ensure_ascii=False)
    if not isinstance(value, str):
        return ""
    return value.encode("utf-8", "ignore").decode().replace("\x00", "").strip()
