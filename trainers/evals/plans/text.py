"""How a plan reads as Markdown, for files and shells; it computes nothing that the plan does not."""

from collections.abc import Iterator

from trainers.evals.guardrails import Guardrail
from trainers.evals.plans.body import EvalPlan
from trainers.evals.plans.choices import reason
from trainers.evals.plans.power import effects, power_table, right_needed

_LABELS_SHOWN = 30


def plan_text(plan: EvalPlan) -> str:
    """Write the whole plan: metric, comparison, guardrails, rows, target, what was assumed."""
    return "\n".join(_lines(plan)) + "\n"


def points(share: float) -> str:
    """Write a share as points without a sign: 0.05 is `5`, 0.004 is `0.4`."""
    figure = share * 100
    return f"{figure:.0f}" if figure >= 9.95 or abs(figure - round(figure)) < 0.05 else f"{figure:.1f}"


def rows_sentences(plan: EvalPlan) -> list[str]:
    """Say how many rows the useful effect needs, what the proposed and the present number can show, and what passes."""
    low, expected, high = plan.spreads
    useful, noticed = points(float(plan.useful_effect)), f"{plan.power:.0%}"
    said = [
        f"A true gain of {useful} points is noticed {noticed} of the time with about {expected.rows:,} rows "
        f"({min(low.rows, high.rows):,} to {max(low.rows, high.rows):,}, depending on how often the models differ)."
    ]
    if plan.rows_planned < expected.rows:
        said.append(
            f"Proposed: {plan.rows_planned:,} rows, about as many as people will look at. "
            f"They show a gain of {points(plan.sees(plan.rows_planned))} points or more; "
            "a smaller one may stay unproven."
        )
    else:
        said.append(f"Proposed: {plan.rows_planned:,} rows.")
    if plan.rows_had:
        more = max(0, plan.rows_planned - plan.rows_had)
        short = "" if plan.rows_had >= plan.minimum_rows else f" Fewer than {plan.minimum_rows} can never pass."
        rest = f" {more:,} more are to be written." if more else " That is enough."
        said.append(
            f"With the {plan.rows_had:,} you have, a gain of {points(plan.sees(plan.rows_had))} points or more "
            f"can be detected.{short}{rest}"
        )
    said.append(
        f"The measured gain must itself be {useful} points or more, so a model that is better by exactly {useful} "
        "passes no more than about half of the time, whatever the number of rows."
    )
    return said


def shown_sentence(plan: EvalPlan, rows: int) -> str:
    """Say what so many test rows can show where they are fewer than planned; "" where they are enough."""
    if rows < plan.minimum_rows:
        return f"{_so_many(rows)} can never pass: a PASS needs {plan.minimum_rows} or more."
    if rows >= plan.rows_planned:
        return ""
    return (
        f"{_so_many(rows)} of {plan.rows_planned:,} planned show a gain of {points(plan.sees(rows))} points or more; "
        "a smaller one may stay unproven."
    )


def _so_many(rows: int) -> str:
    return "1 test row" if rows == 1 else f"{rows:,} test rows"


def target_sentences(plan: EvalPlan) -> list[str]:
    """Say which absolute share must be reached, and how many rows right that is."""
    if plan.target is None:
        return [f"No absolute target ({plan.target_from})."]
    right = right_needed(plan.target, plan.rows_planned, plan.level)
    sure = (
        f"To be sure of it on {plan.rows_planned:,} rows, {right:,} must be right."
        if right is not None
        else f"Not even {plan.rows_planned:,} right of {plan.rows_planned:,} rows prove it: more rows are needed."
    )
    return [f"At least {plan.target * 100:.1f}% right ({plan.target_from}). {sure}"]


def guardrail_sentences(plan: EvalPlan) -> list[str]:
    """Say how much each guardrail lets pass, and why it is one."""
    said = ((bound(rail), rail) for rail in plan.guardrails)
    return [f"{what}; {why}." if (why := reason(rail)) else f"{what}." for what, rail in said]


def bound(rail: Guardrail) -> str:
    """Say how much a guardrail lets pass, and whether it is only shown."""
    aside = "" if rail.gate else " (shown only)"
    return f"{rail.title}: at most {points(float(rail.margin))} points lost{aside}"


def _lines(plan: EvalPlan) -> Iterator[str]:
    yield from ("# Evaluation plan", "", *(f"> {line}" for line in plan.task.splitlines()), "")
    yield f"**Kind** {plan.kind}" + (f" · {len(plan.labels):,} labels: {_labels(plan)}" if plan.labels else "")
    yield from ("", f"**Primary metric** `{plan.metric}`: {plan.why}.")
    yield f"Shown besides, deciding nothing: {', '.join(f'`{name}`' for name in plan.secondary)}."
    yield from ("", f"**Comparison** {plan.comparison}.")
    yield from ("", "**Success** " + rule_sentence(plan))
    yield from ("", "**Target** " + " ".join(target_sentences(plan)))
    yield from ("", "## Rows", "", *(f"- {sentence}" for sentence in rows_sentences(plan)), "")
    yield from _table(plan)
    yield from ("", "## Must not get worse", "")
    yield from (f"- {sentence}" for sentence in guardrail_sentences(plan))
    yield from ("", "## Assumed", "")
    for says, correct in plan.assumptions:
        yield f"- {says} *Wrong?* {correct}"
    frozen = f"Test rows {plan.test_sha256[:12]}." if plan.test_sha256 else "Test rows are not frozen yet."
    yield from ("", f"Plan {plan.digest[:12]}. {frozen}")


def rule_sentence(plan: EvalPlan) -> str:
    """Say when the tuned model passes."""
    return (
        f"at least {points(float(plan.useful_effect))} points better, the {plan.level:.0%} interval of the difference "
        f"above 0, at least {plan.minimum_rows} rows, every guardrail kept."
    )


def _table(plan: EvalPlan) -> Iterator[str]:
    """Rows needed by spread and true gain."""
    head = "Rows that disagree" if plan.binary else "Spread of differences"
    yield f"| {head} | " + " | ".join(f"{points(effect)} points" for effect in effects()) + " |"
    yield "|---|" + "---|" * len(effects())
    for spread, needed in power_table(binary=plan.binary, level=plan.level, power=plan.power):
        name = f"{spread:.0%}" if plan.binary else f"{spread:.1f}"
        yield f"| {name} | " + " | ".join(f"{rows:,}" for rows in needed) + " |"


def _labels(plan: EvalPlan) -> str:
    more = len(plan.labels) - _LABELS_SHOWN
    return ", ".join(plan.labels[:_LABELS_SHOWN]) + (f" and {more:,} more" if more > 0 else "")
