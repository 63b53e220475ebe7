"""Knows how the full report of an evaluation looks in a modal; it does not judge anything itself."""

from collections.abc import Mapping, Sequence
from typing import Any

from handlers.blocks.cases import GROUPS, LONGEST, case_blocks
from handlers.blocks.job import asked_of, rival_of
from handlers.blocks.parts import Block, actions, button, context, divider, header, modal, rich, run, section
from handlers.blocks.report import because, headline, interval, shown, speed, took
from handlers.blocks.words import money, points
from handlers.escape import mrkdwn, plain
from trainers.evals.report import Prompt
from trainers.evals.rule import PREFERENCE, unit_of
from trainers.jobs.messages import ReportCard

BEFORE = "Bonett and Price, McNemar's mid-p"
"""How verdicts were reached before they said so themselves."""


FILES = "report_files"
"""Action id of the button that sends the report as files."""


def details_view(card: ReportCard, quote: Mapping[str, Any], channel: str = "", errors: Sequence[str] = ()) -> Block:
    """Draw everything that a report knows, opened in `channel`; `quote` is the JSON of the quote that was approved.

    `errors` say by how much its figures were off.
    """
    data = card.report or {}
    return modal(
        "Full report",
        [
            header(card.title),
            *actions([button("Send me the files", FILES, f"{card.job_id}:{channel}")], block_id=f"files-{card.job_id}"),
            section(f"*{headline(card)}*\n{mrkdwn(data['verdict']['sentence'], 600)}"),
            section("\n".join(map(_arm, data["arms"]))),
            section(_statistics(data["verdict"], data["rule"])),
            context(f"Rule, fixed before training: {_rule(data['rule'])}."),
            *because(data),
            *[section(f"• {mrkdwn(one['sentence'], 900)}") for one in data.get("guardrails", ())],
            *[
                section(f"• {mrkdwn(notice, 900)}")
                for notice in (data.get("judge_says", ""), data.get("proof", ""), *data["notices"])
                if notice
            ],
            section(f"{mrkdwn(data['contamination'], 600)}\n{took(card)}"),
            context(_data(quote)),
            *([context("Quote and outcome: " + mrkdwn("; ".join(errors), 1500))] if errors else []),
            *[block for name, key in GROUPS if data[key] for block in _cases(name, data[key])],
            *_prompt(data.get("prompt")),
        ],
    )


def _arm(arm: Mapping[str, Any]) -> str:
    named = f" · names the right label in {arm['named']}" if arm["named"] is not None else ""
    asked = f" · {mrkdwn(arm['asked'], 200)}" if arm.get("asked") else ""
    return f"*{mrkdwn(arm['title'], 100)}* {shown(arm)} · {interval(arm)}{named} · median {speed(arm)}{asked}"


def _statistics(verdict: Mapping[str, Any], rule: Mapping[str, Any]) -> str:
    unit = unit_of(rule["metric"])
    span = f"{points(verdict['low'])} to {points(verdict['high'])}"
    said = (
        f"Tuned minus {rival_of(rule)}: *{points(verdict['difference'])} points*, {verdict['level']:.0%} interval "
        f"{span} (paired; {mrkdwn(verdict.get('method', BEFORE), 200)}) · p {verdict['p_value']:.2g}"
    )
    if verdict["gained"] is None:
        return f"{said} · {verdict['n']} {unit}s."
    does, at = ("prefers the better answer", "in") if rule["metric"] == PREFERENCE else ("is right", "on")
    return (
        f"{said} · of {verdict['n']} {unit}s only the tuned model {does} {at} {verdict['gained']}, only the base {at} "
        f"{verdict['lost']}."
    )


def _rule(rule: Mapping[str, Any]) -> str:
    metric = "preference accuracy" if rule["metric"] == PREFERENCE else mrkdwn(rule["metric"], 60)
    return f"{metric}, {asked_of(rule)}, {rule['minimum_rows']} unseen {unit_of(rule['metric'])}s or more"


def _data(quote: Mapping[str, Any]) -> str:
    cost = f"training {money(quote['training_cost'])}, evaluation {money(quote['evaluation_cost'])}"
    return f"Data: {mrkdwn(quote['dataset'], 120)}, SHA-256 `{quote['data_sha256'][:16]}…` · {cost}"


def _prompt(prompt: Mapping[str, Any] | None) -> list[Block]:
    """Show how the best-prompted base was asked: last, as forms fold nothing, and cut, as the files hold all."""
    if not prompt:
        return []
    said = Prompt.from_json(prompt)
    room = max(120, 2 * LONGEST // len(said.turns))
    lines = [[run(f"{role}: ", bold=True), run(plain(content, room) or "(nothing)")] for role, content in said.turns]
    return [
        divider(),
        section(f"*The prompt of the best-prompted base*\n{mrkdwn(said.sentence, 900)}"),
        rich(*lines),
        context("In full, and with the prompts that did less well, in the page of `Send me the files`."),
    ]


def _cases(name: str, cases: Any) -> list[Block]:
    return [divider(), section(f"*{name}*"), *case_blocks(cases)]
