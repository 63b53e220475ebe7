"""What training rows are wanted: the task in a team's words and all that drives rows and judge; it drafts none."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Final, Literal, get_args

from knowledge.errors import UserError
from trainers.data.limits import target_names
from trainers.data.rules.credentials import secrets_in
from trainers.data.titles import at_word
from trainers.evals.generating.orders import Sifted, sift
from trainers.evals.generating.table import table
from trainers.evals.metrics.schemas import check_schema
from trainers.evals.plan import make_plan, schema_of
from trainers.evals.plans.body import EvalPlan
from trainers.evals.plans.choices import Kind
from trainers.evals.plans.kinds import read_kind
from trainers.evals.prompting.contradictions import contradictions
from trainers.evals.prompting.opposites import opposites

RowKind = Literal["classification", "extraction", "voice", "documents", "format", "refusal"]
"""Kinds of rows that recipes can draft."""

ROW_KINDS: tuple[RowKind, ...] = get_args(RowKind)

DEFAULT_COUNT: Final = 10
DEFAULT_SEED: Final = 7

ROWS: Final = "rows"
"""Key of a review's spec under which a RowSpec stands."""


_SAY_WHAT: Final = (
    "Say what comes in and what goes out (Sort mail into billing, returns; Extract date, total from invoices), or name "
    f"the kind: {', '.join(ROW_KINDS)}."
)
_KEEP_ONE: Final = "Keep one, or say when each holds."


class Contradiction(UserError):
    """What was named does not go together, or names nothing."""


class OppositeWishes(Contradiction):
    """Two sentences of what is wanted rule each other out."""


LONGEST_PROMPT: Final = 12_000
"""Characters of a system prompt of the team's own."""

WITHHELD: Final = "(withheld)"
"""Stands in place of a text that holds a key or password."""

MOST_MATERIAL: Final = 500
"""Texts of a brand, and passages of documents, that are read."""

_OF_PLAN: Mapping[Kind, RowKind] = {
    "classification": "classification",
    "extraction": "extraction",
    "style": "voice",
    "qa": "documents",
    "generation": "format",
    "refusal": "refusal",
}


@dataclass(frozen=True, kw_only=True)
class RowSpec:
    """What is wanted."""

    task: str
    kind: RowKind
    labels: tuple[str, ...] = ()
    schema: Mapping[str, Any] | None = None
    headings: tuple[str, ...] = ()
    """Of a fixed format, in order."""
    writers: str = ""
    """Who writes the inputs in production, and where."""
    style: str = ""
    good: str = ""
    """What makes a good example here: drives both the writer and the judge."""
    target: str = ""
    """Where a model is to be trained on the rows: a target of the linter; "" for this machine."""
    system: str = ""
    """The team's own system prompt, word for word in every row; "" for the one that the task makes."""
    texts: tuple[str, ...] = ()
    """The brand's own texts, which become answers word for word."""
    passages: tuple[tuple[str, str], ...] = ()
    """Titles and texts of the team's documents, as they are."""

    @cached_property
    def sifted(self) -> Sifted:
        """The passages that rows may show, and the orders to a model that were cut out of them."""
        return sift(self.passages)

    @cached_property
    def plan(self) -> EvalPlan:
        """The same as an evaluation plan, which knows labels, fields and how drafts are composed."""
        kind = next(kind for kind, rows in _OF_PLAN.items() if rows == self.kind)
        return make_plan(self.task, labels=self.labels, schema=self.schema, kind=kind, labels_apart=True)

    def to_json(self) -> dict[str, Any]:
        """Plain data that `from_json` reads back to an equal spec."""
        told = asdict(self)
        told["model"] = told.pop("target")  # wishes from before these had a use stay the same to the letter
        if not self.system:
            del told["system"]
        return json.loads(json.dumps(told))  # type: ignore[no-any-return]  # it is an object again

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> "RowSpec":
        """Read what `to_json` wrote."""
        lists = {name: tuple(data[name]) for name in ("labels", "headings", "texts")}
        passages = tuple((str(title), str(text)) for title, text in data["passages"])
        named = {("target" if name == "model" else name): value for name, value in data.items()}
        return cls(**{**named, **lists, "passages": passages})


def row_spec(
    task: str,
    *,
    kind: str = "",
    labels: Sequence[str] = (),
    schema: Mapping[str, Any] | None = None,
    headings: Sequence[str] = (),
    texts: Sequence[str] = (),
    passages: Sequence[tuple[str, str]] = (),
    **told: str,
) -> RowSpec:
    """Read a task in words; what is not named is read from them. Raises UserError where no rows can be drafted.

    `told` are `writers`, `style`, `good`, `target` and `system`. What contradicts each other is refused, not guessed.
    """
    plan_kind = _plan_kind(kind) if kind else None
    plan = make_plan(task, labels=labels, schema=schema, kind=plan_kind, labels_apart=True)
    found = _OF_PLAN[plan.kind]
    if plan_kind is None and found == "format" and not headings and _says_nothing(task):
        raise UserError(f"I can't tell from \u201c{at_word(task, 60)}\u201d what rows are wanted.", _SAY_WHAT)
    _check(found, plan, headings, labels, schema)
    _check_material(found, plan, passages)
    _check_wishes(task, "\n".join((told.get("style", ""), told.get("good", ""))))
    _check_system(told.get("system", ""))
    if target := told.get("target"):
        _check_target(target)
    return RowSpec(
        task=task,
        kind=found,
        labels=plan.labels,
        schema=plan.schema,
        headings=tuple(heading.strip().rstrip(":") for heading in headings if heading.strip()),
        texts=without_secrets(texts[:MOST_MATERIAL]),
        passages=tuple(passages[:MOST_MATERIAL]),
        **told,
    )


def without_secrets(texts: Sequence[str]) -> tuple[str, ...]:
    """Return texts with a word in place of each that holds a key or password: it is kept and shown nowhere."""
    return tuple(WITHHELD if secrets_in(text) else text for text in texts)


def _plan_kind(kind: str) -> Kind:
    """Return the kind of plan of a kind of rows, by either name: `voice` and `style` are one."""
    found = next((each for each, rows in _OF_PLAN.items() if kind.lower() in (each, rows)), None)
    if found is None:
        raise Contradiction(f"I don't know rows of the kind {kind[:40]!r}.", f"Choose one of {', '.join(ROW_KINDS)}.")
    return found


def _says_nothing(task: str) -> bool:
    """Say whether a task has no word of any kind of rows, nor of any text that is to be written."""
    return not read_kind(task)[1] and not re.search(table()["written"], task, re.IGNORECASE)


def _check(
    kind: RowKind, plan: EvalPlan, headings: Sequence[str], labels: Sequence[str], schema: Mapping[str, Any] | None
) -> None:
    named = [label for label in labels if label.strip()]
    if kind != "classification" and named:
        raise Contradiction(f"Labels were named, and the rows are of the kind {kind}.", "Leave one of them out.")
    if kind != "extraction" and schema is not None:
        raise Contradiction(f"A schema was given, and the rows are of the kind {kind}.", "Leave one of them out.")
    if kind != "format" and headings:
        raise Contradiction(f"Headings were named, and the rows are of the kind {kind}.", "Leave one of them out.")
    if kind == "classification" and not plan.labels:
        raise UserError("I can't draft rows before I know the labels.", "Name them: into billing, returns, other.")
    if kind == "extraction" and not plan.schema:
        raise UserError("I can't draft rows before I know the fields.", "Name them, or give a JSON Schema.")


def read_fields(text: str) -> Mapping[str, Any]:
    """Return the schema that somebody typed: a JSON Schema, or names of fields with commas or lines between them."""
    if text.lstrip().startswith(("{", "[")):
        try:
            found = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise Contradiction(f"The schema isn't JSON: {error}.", "Or give names: date, total, vendor.") from None
        return found  # type: ignore[no-any-return]  # whatever it is, `make_plan` checks it
    names = [name.strip() for name in text.replace("\n", ",").split(",") if name.strip()]
    return schema_of(names)


def other_kind(kind: RowKind) -> Contradiction:
    """Return the refusal of documents for rows that show none."""
    what = f"A collection of documents was named, and the rows are of the kind {kind}."
    return Contradiction(what, "Leave it out, or choose the kind documents.")


def _check_material(kind: RowKind, plan: EvalPlan, passages: Sequence[tuple[str, str]]) -> None:
    """Raise for documents that no row would show, and for a schema that no answer can be checked by."""
    if kind != "documents" and passages:
        raise other_kind(kind)
    if plan.schema is not None:
        check_schema(plan.schema)


def _check_target(target: str) -> None:
    """Raise for a place of training that nobody knows."""
    if target not in target_names():
        raise Contradiction(f"I don't know the target {target[:40]!r}.", f"Use one of: {', '.join(target_names())}.")


def _check_system(prompt: str) -> None:
    """Raise for a system prompt that no row may hold: it would stand in each, and with whoever trains on it."""
    if secrets_in(prompt):
        raise Contradiction("The system prompt holds what looks like a key or password.", "Take it out, and change it.")
    if len(prompt) > LONGEST_PROMPT:
        what = f"The system prompt has {len(prompt):,} characters, and it stands in every row."
        raise Contradiction(what, f"Shorten it to {LONGEST_PROMPT:,}.")


def _check_wishes(task: str, wishes: str) -> None:
    """Raise for opposite sentences, and for wishes of rows that rule each other out.

    A task names inputs too (formal letters, made casual): what only it makes contradict is a doubt, not an error.
    """
    both = [
        f"\u201c{at_word(one, 80)}\u201d and \u201c{at_word(other, 80)}\u201d"
        for one, other in opposites(f"{task}\n{wishes}")
    ]
    if both:
        raise OppositeWishes(f"These contradict each other: {both[0]}.", _KEEP_ONE)
    for found in contradictions(wishes):
        raise OppositeWishes(found.sentence, _KEEP_ONE)
