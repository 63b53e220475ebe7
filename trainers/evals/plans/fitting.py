"""What of a plan its own test rows contradict, found before both are frozen; it reads no files and keeps nothing."""

from collections.abc import Sequence
from dataclasses import replace

from knowledge.errors import UserError
from trainers.data.findings import name_lines, plural
from trainers.data.jsonl import Row
from trainers.evals.metrics.confusion import LabelReader
from trainers.evals.metrics.json_answers import read_json
from trainers.evals.metrics.schemas import accepts
from trainers.evals.plans.balance import lopsided
from trainers.evals.plans.body import Assumption, EvalPlan
from trainers.evals.plans.text import shown_sentence


def fitted(plan: EvalPlan, rows: Sequence[Row]) -> EvalPlan:
    """Return the plan as it can be kept with these rows: a guessed schema that right answers break is left out.

    What one label that dominates them means for accuracy is noted.

    Raises UserError where targets are outside the plan's labels, or break a schema that somebody gave.
    """
    reader = LabelReader(plan.labels)
    outside = [row.line for row in rows if plan.labels and reader.label(row.target) is None]
    if outside:
        fix = f"Use {', '.join(plan.labels[:12])}, or name all labels in the plan (--labels a,b,c in the shell)."
        raise UserError(_refused(outside, "outside the plan's labels"), fix)
    broken = _broken(plan, rows)
    if broken and not plan.schema_guessed:
        raise UserError(
            _refused(broken, "that breaks the plan's schema"), "Mend these rows, or plan with another schema."
        )
    return _weighed(_without_schema(plan, broken) if broken else plan, rows)


def remarks(plan: EvalPlan, rows: Sequence[Row]) -> str:
    """Say what is worth knowing of these test rows under this plan: what they can show, what one label outweighs."""
    told = lopsided(rows, plan.labels, whose="the test rows", target=plan.target)
    said = [shown_sentence(plan, len(rows)), f"{told.says} {told.correct}" if told else ""]
    return " ".join(sentence for sentence in said if sentence)


def _weighed(plan: EvalPlan, rows: Sequence[Row]) -> EvalPlan:
    """Note where one label takes most of the test rows."""
    told = lopsided(rows, plan.labels, whose="the test rows", target=plan.target)
    return replace(plan, assumptions=(*plan.assumptions, told)) if told else plan


def _broken(plan: EvalPlan, rows: Sequence[Row]) -> list[int]:
    """Lines whose target the plan's schema does not accept."""
    if plan.schema is None:
        return []
    accepted = accepts(plan.schema)
    found = [(row.line, read_json(row.target)) for row in rows]
    return [line for line, answer in found if not (answer.parsed and accepted(answer.value))]


def _without_schema(plan: EvalPlan, broken: Sequence[int]) -> EvalPlan:
    """Leave a guess out, and the guardrail that stands on it: it would stop models that answer right."""
    says = f"No schema is checked: the fields that I guessed do not fit {_targets(broken)}."
    note = Assumption(says, "Plan again with a JSON Schema (--schema in the shell).")
    rails = tuple(rail for rail in plan.guardrails if rail.name != "valid")
    assumptions = (*plan.assumptions, note)
    return replace(plan, schema=None, schema_guessed=False, guardrails=rails, assumptions=assumptions)


def _refused(lines: Sequence[int], why: str) -> str:
    have = "has a target" if len(lines) == 1 else "have a target"
    return f"{plural(len(lines), 'row')} {have} {why} ({name_lines(lines)}), so nothing was frozen."


def _targets(lines: Sequence[int]) -> str:
    return f"the {'target' if len(lines) == 1 else 'targets'} of {plural(len(lines), 'row')} ({name_lines(lines)})"
