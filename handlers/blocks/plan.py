"""Knows how an evaluation plan looks in a thread; `data` is the JSON of `trainers.evals.plans.body.EvalPlan`."""

from collections.abc import Mapping
from typing import Any

from handlers.blocks.parts import Block, actions, button, context, section, table
from handlers.escape import mrkdwn, plain
from trainers.evals.plan import EvalPlan
from trainers.evals.plans.power import effects, power_table
from trainers.evals.plans.text import bound, points, rows_sentences, rule_sentence, target_sentences

DRAFT, CHANGE = "plan_draft_rows", "plan_change"
"""Action ids of the buttons; their value is the task, or the id of a plan that was changed from what its words say."""

VALUE = 2000
"""Characters that a button may carry."""

LABELS = 20
"""Labels shown."""


def plan_blocks(data: Mapping[str, Any], changed_id: str = "") -> list[Block]:
    """Draw a plan: what decides, how many rows, what must not get worse, what was assumed.

    `changed_id` is the id under which it is kept, where it is not what its task alone would give.
    """
    plan = EvalPlan.from_json(data)
    rails = [f"• {mrkdwn(bound(rail), 160)}" for rail in plan.guardrails]
    assumed = [f"• {mrkdwn(says, 400)} _Wrong?_ {mrkdwn(correct, 200)}" for says, correct in plan.assumptions]
    return [
        section(f"{plan_headline(plan)}\n{mrkdwn(_upper(plan.why), 400)}."),
        section(f"*Compared:* {mrkdwn(plan.comparison, 600)}.\n*Success:* {mrkdwn(rule_sentence(plan), 400)}"),
        section("*Target:* " + mrkdwn(" ".join(target_sentences(plan)), 800)),
        section("*Rows*\n" + "\n".join(f"• {mrkdwn(sentence, 400)}" for sentence in rows_sentences(plan))),
        table(_needed(plan)),
        section("*Must not get worse*\n" + "\n".join(rails)),
        *([section("*I assumed*\n" + "\n".join(assumed))] if assumed else []),
        *actions(_buttons(plan, changed_id), block_id="plan-buttons"),
        context(f"Plan {plan.digest[:12]}. {_frozen(plan)} Planned by fixed rules, without a language model."),
    ]


def plan_text(data: Mapping[str, Any]) -> str:
    """Say a plan in a sentence, for notifications and screen readers."""
    plan = EvalPlan.from_json(data)
    rows = f"{plan.rows_planned:,} test rows"
    return f"Evaluation plan: {plan.metric} on {rows}, at least {points(float(plan.useful_effect))} points better."


def plan_headline(plan: EvalPlan) -> str:
    """Say what is measured, and on what: `*Measure accuracy on 400 rows* · classification, 4 labels: …`."""
    labels = ""
    if plan.labels:
        more = len(plan.labels) - LABELS
        rest = f" and {more:,} more" if more > 0 else ""
        labels = f", {len(plan.labels):,} labels: {mrkdwn(', '.join(plan.labels[:LABELS]), 900)}{rest}"
    return f"*Measure `{plan.metric}` on {plan.rows_planned:,} test rows* · {plan.kind}{labels}"


def _needed(plan: EvalPlan) -> list[list[str]]:
    head = ["Models disagree on" if plan.binary else "Spread of differences"]
    rows = [
        [f"{spread:.0%} of rows" if plan.binary else f"{spread:.1f}", *(f"{count:,}" for count in counts)]
        for spread, counts in power_table(binary=plan.binary, level=plan.level, power=plan.power)
    ]
    return [[*head, *(f"+{points(effect)} points" for effect in effects())], *rows]


def _buttons(plan: EvalPlan, changed_id: str) -> list[Block]:
    ready = (plan.labels or plan.kind != "classification") and (plan.schema or plan.kind != "extraction")
    value = changed_id or plain(plan.task, VALUE)
    drafting = [button("Draft test rows", DRAFT, value, style="primary")] if ready else []
    return [*drafting, button("Change", CHANGE, value, spoken="Change the plan")]


def _frozen(plan: EvalPlan) -> str:
    return f"Test rows frozen: {plan.test_sha256[:12]}." if plan.test_sha256 else "Test rows are not frozen yet."


def _upper(text: str) -> str:
    return text[:1].upper() + text[1:]
