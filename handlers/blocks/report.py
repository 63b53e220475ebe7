"""Knows how an evaluation's result looks in a thread and in its details; it does not judge anything itself.

`data` is everywhere the JSON of `trainers.evals.report.Report`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from handlers.blocks.parts import (
    BLOCK_CHARACTERS,
    Block,
    actions,
    button,
    characters,
    container,
    context,
    divider,
    header,
    modal,
    picture,
    rich,
    run,
    section,
    table,
)
from handlers.blocks.words import duration, minutes, money, person, points
from handlers.escape import mrkdwn, plain
from trainers.jobs.messages import ReportCard

TRY, DETAILS = "model_try", "report_details"
"""Action ids of the buttons under a report."""

VERDICTS = {"PASS": "PASS.", "FAIL": "FAIL.", "INCONCLUSIVE": "Not proven."}
DOUBTS = 4
"""Notices shown in the thread; the details show all."""


def report_blocks(card: ReportCard, file_ids: Mapping[str, str]) -> list[Block]:
    """Draw what came of a job; `file_ids` gives the uploaded file of each picture by its path."""
    if card.report is None:
        return [section(report_text(card))]
    data = card.report
    shown = [image for image in card.images if image["path"] in file_ids]
    buttons = [button("Try it", TRY, card.model_id)] if card.model_id else []
    buttons.append(button("Details", DETAILS, card.job_id))
    frame = [
        section(f"{person(card.requested_by)} *{headline(card)}* {_difference(data)}"),
        table(arm_rows(data), bold=_place_of(data, "tuned")),
        *(
            [section("\n".join(f"• {mrkdwn(notice, 600)}" for notice in data["notices"][:DOUBTS]))]
            if data["notices"]
            else []
        ),
        context(f"{mrkdwn(data['contamination'], 400)} {_took(card)}"),
        *[picture(file_ids[image["path"]], image["title"], image["alt"]) for image in shown],
        *actions(buttons, block_id=f"report-{card.job_id}"),
    ]
    return [*frame[:-1], *_cases(data, BLOCK_CHARACTERS - characters(frame)), frame[-1]]


def report_text(card: ReportCard) -> str:
    """Say the result in one or two sentences, for notifications and screen readers."""
    if card.report is None:
        took = f"It took {duration(card.seconds)}."
        return f"{person(card.requested_by)} *Rehearsed {mrkdwn(card.title, 200)}: every step ran, nothing was trained.* {took}"
    return f"{person(card.requested_by)} {headline(card)} {_difference(card.report)}"


def headline(card: ReportCard) -> str:
    """Say verdict and scores: `PASS. tickets-v2 gets 36/40 right, the best-prompted base 9/40.`"""
    data = card.report or {}
    tuned, rival = _arm(data, "tuned"), _arm(data, data["rival"])
    verdict = VERDICTS[data["verdict"]["outcome"]]
    scores = f"{tuned['right']}/{tuned['n']} right, the best-prompted base {rival['right']}/{rival['n']}"
    return f"{verdict} {mrkdwn(card.title, 200)} gets {scores}."


def arm_rows(data: Mapping[str, Any]) -> list[list[str]]:
    """Return the table of arms, head first."""
    head = ["", "Right", f"{data['verdict']['level']:.0%} interval", "Half of the answers within"]
    return [head, *([_name(arm), f"{arm['right']}/{arm['n']}", _interval(arm), _speed(arm)] for arm in data["arms"])]


def details_view(title: str, card: ReportCard, quote: Mapping[str, Any]) -> Block:
    """Draw the full report as a modal."""
    data = card.report or {}
    verdict = data["verdict"]
    lines = [
        header(plain(title, 140)),
        section(f"*{headline(card)}*\n{mrkdwn(verdict['sentence'], 600)}"),
        section("\n".join(_arm_line(arm) for arm in data["arms"])),
        section(_statistics(verdict)),
        context(f"Rule, fixed before training: {mrkdwn(_rule(data['rule']), 300)}"),
        *[section(f"• {mrkdwn(notice, 900)}") for notice in data["notices"]],
        section(f"{mrkdwn(data['contamination'], 600)}\n{_took(card)}"),
        context(
            f"Data {mrkdwn(str(quote['dataset']), 120)}, SHA-256 {str(quote['data_sha256'])[:16]}… · cost {money(quote['training_cost'])}"
        ),
        divider(),
        *_case_blocks("Better", data["wins"], 40_000),
        *_case_blocks("Still wrong or worse", data["misses"], 40_000),
    ]
    return modal("Full report", lines)


def _difference(data: Mapping[str, Any]) -> str:
    return mrkdwn(data["verdict"]["sentence"].removeprefix("Not proven. "), 600)


def _arm(data: Mapping[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(arm for arm in data["arms"] if arm["arm"] == name)
    return found


def _place_of(data: Mapping[str, Any], name: str) -> int:
    return 1 + next(place for place, arm in enumerate(data["arms"]) if arm["arm"] == name)


def _name(arm: Mapping[str, Any]) -> str:
    return plain(str(arm["title"]), 100)


def _interval(arm: Mapping[str, Any]) -> str:
    return f"{arm['low'] * 100:.0f}-{arm['high'] * 100:.0f}%"


def _speed(arm: Mapping[str, Any]) -> str:
    took = arm["median_ms"]
    if took is None:
        return "not measured"
    return f"{took:,.0f} ms" if took < 1000 else f"{took / 1000:.1f} s"


def _arm_line(arm: Mapping[str, Any]) -> str:
    named = f" · names the right label in {arm['named']}" if arm["named"] is not None else ""
    return f"*{mrkdwn(str(arm['title']), 100)}* {arm['right']}/{arm['n']} · {_interval(arm)}{named} · half of the answers within {_speed(arm)}"


def _statistics(verdict: Mapping[str, Any]) -> str:
    span = f"{points(verdict['low'])} to {points(verdict['high'])}"
    return (
        f"Tuned minus best-prompted base: *{points(verdict['difference'])} points* ({verdict['level']:.0%} interval {span}, paired, "
        f"Bonett-Price) · McNemar mid-p {verdict['p_value']:.3g} · only tuned right {verdict['gained']}, only base right {verdict['lost']}, "
        f"of {verdict['n']} rows."
    )


def _rule(rule: Mapping[str, Any]) -> str:
    return f"{rule['metric']}, at least {float(rule['useful_effect']) * 100:g} points above the best-prompted base, {rule['minimum_rows']} rows or more"


def _took(card: ReportCard) -> str:
    return f"Took {duration(card.seconds)} (quoted {minutes(card.quoted_minutes)})."


def _cases(data: Mapping[str, Any], room: int) -> list[Block]:
    groups = [("Better", data["wins"]), ("Still wrong or worse", data["misses"])]
    shown = [(name, cases) for name, cases in groups if cases]
    return [block for name, cases in shown for block in _case_blocks(name, cases, room // len(shown))]


def _case_blocks(name: str, cases: Sequence[Mapping[str, Any]], room: int) -> list[Block]:
    """Fold up to three cases under a title; `room` characters are shared fairly and what is cut says so."""
    if not cases:
        return []
    each = max(120, (room - 200) // (4 * len(cases)) - 20)
    return [container(f"{name}: {len(cases)} in full", [_case(case, min(each, 2500)) for case in cases])]


def _case(case: Mapping[str, Any], room: int) -> Block:
    def line(label: str, text: str) -> list[Block]:
        return [run(f"{label} ", bold=True), run(plain(text, room) or "(nothing)")]

    lost = " · the base had this right" if case["regression"] else ""
    return rich(
        [run(f"Test row {case['row']}{lost}", bold=True)],
        line("Asked:", case["input"]),
        line("Right:", case["expected"]),
        line("Base said:", case["base"]),
        line("Tuned said:", case["tuned"]),
    )
