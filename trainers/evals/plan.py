"""How an evaluation plan is made from a task in words: offline, the same for the same input, with what it assumed."""

import re
from collections.abc import Sequence
from decimal import Decimal
from math import ceil
from typing import Any

from trainers.data.jsonl import Row
from trainers.data.labels import closed_labels
from trainers.evals.plans.balance import lopsided
from trainers.evals.plans.body import Assumption, EvalPlan
from trainers.evals.plans.choices import Kind, choice, comparison, kind_named, table
from trainers.evals.plans.costs import Costs
from trainers.evals.plans.demands import Demands, demands
from trainers.evals.plans.goals import read_goals
from trainers.evals.plans.inputs import check_have, check_schema, tidy_labels, tidy_task
from trainers.evals.plans.kinds import read_fields, read_kind, read_labels
from trainers.evals.plans.power import Spread, spreads
from trainers.evals.plans.text import plan_text

__all__ = ["EvalPlan", "make_plan", "plan_text"]

_RULE = table()["rule"]
_LEVEL, _POWER = float(_RULE["level"]), float(_RULE["power"])
_MINIMUM, _MOST, _PER_LABEL = int(_RULE["minimum_rows"]), int(_RULE["most_rows"]), int(_RULE["per_label"])
_NUMBERS = re.compile(r"\b(amount|total|price|quantity|number of|count|sum|tax|net|gross|percent|age)\b", re.IGNORECASE)

_LISTS = re.compile(
    r"\b(items|products|articles|positions|goods|skills|tags|keywords|topics|languages|attendees|participants|people"
    r"|names|authors|contacts|owners)$",
    re.IGNORECASE,
)


def make_plan(
    task: str,
    *,
    labels: Sequence[str] = (),
    schema: Any = None,
    rows: Sequence[Row] | None = None,
    have: int | None = None,
    discordance: float | None = None,
    useful_effect: Decimal | None = None,
    costs: Costs | None = None,
    target: Decimal | None = None,
    kind: str | None = None,
    words_count: bool = True,
    labels_apart: bool = False,
) -> EvalPlan:
    """Plan how a model tuned for `task` will be judged.

    `rows` are training or example rows, from which labels are read where none are named; `have` is the number of test
    rows at hand; `discordance` the expected share of rows on which exactly one model is right (for graded metrics the
    standard deviation of paired differences). `useful_effect` and `target` are shares; where none are given, the task's
    words may name them, unless `words_count` is false. With `labels_apart` labels that differ in case or marks alone
    stay apart; metrics take them for one. Raises UserError for input that no plan can be made of.
    """
    text, cut = tidy_task(task)
    notes = [Assumption(cut, "Shorten the task.")] if cut else []
    goals = read_goals(text)
    found_kind = _kind(goals.task, kind, labels, schema, rows, notes)
    found_labels = _labels(goals.task, found_kind, labels, rows, notes, apart=labels_apart)
    answers, chosen = _schema(goals.task, found_kind, schema, notes), choice(found_kind)
    must, read = demands(goals if words_count else None, useful_effect, target, costs, binary=chosen.binary)
    notes += read
    sizes = _sizes(must, chosen.binary, discordance, check_have(have), found_labels, notes)
    notes += _lopsided(rows, found_labels, sizes["rows_planned"], must.target)
    return EvalPlan(
        task=text,
        kind=found_kind,
        labels=found_labels,
        **answers,
        **chosen._asdict(),
        comparison=comparison(found_kind),
        level=_LEVEL,
        power=_POWER,
        minimum_rows=_MINIMUM,
        **must._asdict(),
        costs=costs,
        **sizes,
        assumptions=tuple(notes),
    )


def _kind(
    text: str,
    named: str | None,
    labels: Sequence[str],
    schema: Any,
    rows: Sequence[Row] | None,
    notes: list[Assumption],
) -> Kind:
    """Take the kind that was named, else read it from labels, schema, words and rows, in this order."""
    fix = "Say so in the task, press Change on the card, or name the kind in the shell (--kind)."
    if named:
        return kind_named(named)
    if any(label.strip() for label in labels):
        return "classification"
    if schema is not None:
        return "extraction"
    read, why = read_kind(text)
    if why:
        notes.append(Assumption(f"This is {_WITH_ARTICLE[read]}, because you wrote “{why}”.", fix))
        return read
    if rows and closed_labels(rows):
        notes.append(Assumption("This is classification, because the rows' answers are a closed set of labels.", fix))
        return "classification"
    notes.append(Assumption("This is free text (generation): nothing said that it is another kind of task.", fix))
    return read


_WITH_ARTICLE = {
    "classification": "classification",
    "extraction": "extraction into JSON",
    "style": "a matter of style and voice",
    "qa": "question answering from documents",
    "generation": "free text (generation)",
    "refusal": "a matter of refusing the right things",
}


def _labels(
    text: str,
    kind: Kind,
    given: Sequence[str],
    rows: Sequence[Row] | None,
    notes: list[Assumption],
    *,
    apart: bool,
) -> tuple[str, ...]:
    if kind != "classification":
        return ()
    fix = "List them in the task (into a, b, c), press Change on the card, or use --labels a,b,c in the shell."
    labels, doubles = tidy_labels(given, apart=apart)
    if doubles:
        notes.append(Assumption(f"Labels that were named twice count once ({doubles} left out).", fix))
    if not labels:
        labels, _ = tidy_labels(read_labels(text), apart=apart)
        if labels:
            notes.append(Assumption(f"The labels are {_listed(labels)}: I read them in your words.", fix))
    if not labels and rows:
        labels = tuple(closed_labels(rows) or ())
        if labels:
            notes.append(Assumption(f"The labels are {_listed(labels)}: your rows use these.", fix))
    if not labels:
        notes.append(
            Assumption("The labels are not known yet, so test rows can only be drafted after you name them.", fix)
        )
    return labels


def _schema(text: str, kind: Kind, given: Any, notes: list[Assumption]) -> dict[str, Any]:
    """Return the schema that was given, else one by the fields that the task names, and whether it was guessed."""
    if given is not None:
        return {"schema": check_schema(given)}
    if kind != "extraction":
        return {}
    fields = read_fields(text)
    if not fields:
        notes.append(
            Assumption(
                "The fields are not known yet: no schema, and the task names none.",
                "List them in the task, or give a JSON Schema (--schema in the shell).",
            )
        )
        return {}
    made = schema_of(fields)
    notes.append(
        Assumption(
            f"The fields are {_listed(tuple(made['properties']))}; each may be null where a text doesn't hold it.",
            "Give a JSON Schema (--schema in the shell).",
        )
    )
    return {"schema": made, "schema_guessed": True}


def schema_of(fields: Sequence[str]) -> dict[str, Any]:
    """Return the schema of an object with these fields; their types are guessed from their names, each may be null."""
    properties = {_key(name): _node(name) for name in fields}
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def _key(name: str) -> str:
    return re.sub(r"\W+", "_", name.strip().lower()).strip("_") or "field"


def _node(name: str) -> dict[str, Any]:
    """Guess the type of a field from its name."""
    if _LISTS.search(name):
        return {"type": ["array", "null"], "items": {"type": "string"}}
    number = _NUMBERS.search(name) and not name.strip().lower().endswith(" number")
    return {"type": ["number" if number else "string", "null"]}


def _sizes(
    must: Demands,
    binary: bool,
    discordance: float | None,
    had: int | None,
    labels: Sequence[str],
    notes: list[Assumption],
) -> dict[str, Any]:
    """Say how many rows the smallest useful effect needs, and how many are proposed."""
    wide = spreads(float(must.useful_effect), binary=binary, expected=discordance, level=_LEVEL, power=_POWER)
    _assume_spread(wide, discordance, binary, notes)
    return {"spreads": wide, "rows_planned": _planned(wide[1].rows, had, len(labels)), "rows_had": had}


def _lopsided(
    rows: Sequence[Row] | None, labels: Sequence[str], planned: int, target: Decimal | None
) -> list[Assumption]:
    told = lopsided(rows or (), labels, whose="your rows", planned=planned, target=target)
    return [told] if told else []


def _assume_spread(wide: Sequence[Spread], given: float | None, binary: bool, notes: list[Assumption]) -> None:
    if given is not None:
        return
    low, expected, high = (spread.value for spread in wide)
    what = (
        f"The two models will disagree about right and wrong on about {expected:.0%} of the rows "
        f"({low:.0%} to {high:.0%} are usual)."
        if binary
        else f"Scores of the two models will differ from row to row by about {expected:.1f} (standard deviation; "
        f"{low:.1f} to {high:.1f} are usual, on a scale from 0 to 1)."
    )
    notes.append(Assumption(what, "Give what an earlier report measured (--discordance in the shell)."))


def _planned(needed: int, had: int | None, labels: int) -> int:
    """Propose a number of test rows: what the useful effect needs, within what people can look at."""
    wanted = max(ceil(needed / 10) * 10, _MINIMUM, min(labels * _PER_LABEL, _MOST))
    return max(min(wanted, _MOST), min(had or 0, wanted))


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:12])
    return f"{shown} and {len(names) - 12} more" if len(names) > 12 else shown
