"""What the task's own held-out rows say about guardrails: valid by the schema, refused where they should be refused.

It compares the tuned model with its rival on the same rows and does not judge the task itself.
"""

from collections.abc import Sequence

from trainers.data.jsonl import Row
from trainers.evals.guardrails import Guardrail, GuardrailResult, guardrails, judge
from trainers.evals.metrics.base import Mark
from trainers.evals.probes.scoring import declined


def judge_check(
    before: Sequence[Mark | None], after: Sequence[Mark | None], *, check: str = "valid", rail: Guardrail | None = None
) -> GuardrailResult | None:
    """Judge a check of the metric's marks, row by row; None if the metric did not look at it on any row.

    Rows without the rival's answer (None) are left out; without the tuned model's, the check failed.
    """
    asked = [(one, other) for one, other in zip(before, after, strict=True) if one is not None]
    looked_at = any(mark is not None and check in mark.checks for pair in asked for mark in pair)
    if not looked_at:
        return None
    marks = [(_passed(one, check), _passed(other, check)) for one, other in asked]
    chosen = rail or guardrails([check])[0]
    return judge(chosen, [was for was, _ in marks], [is_now for _, is_now in marks])


def judge_refusal_rows(
    rows: Sequence[Row],
    before: Sequence[str | None],
    after: Sequence[str | None],
    *,
    rail: Guardrail | None = None,
) -> GuardrailResult | None:
    """Judge the rows whose expected answer is a refusal; None if there is none.

    `before` and `after` are the answers in the order of the rows; None is no answer, treated as in `judge_check`.
    """
    places = [place for place in refusal_rows(rows) if before[place] is not None]
    if not places:
        return None
    chosen = rail or guardrails(["refusal_rows"])[0]
    return judge(chosen, *([declined(answers[place] or "") for place in places] for answers in (before, after)))


def refusal_rows(rows: Sequence[Row]) -> list[int]:
    """Places of the rows whose expected answer refuses."""
    return [place for place, row in enumerate(rows) if declined(row.target)]


def _passed(mark: Mark | None, check: str) -> bool:
    return mark is not None and mark.checks.get(check, 0.0) >= 1.0
