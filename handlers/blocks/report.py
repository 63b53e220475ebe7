"""Knows how an evaluation's result looks in a thread; it does not judge anything itself.

`data` is everywhere the JSON of `trainers.evals.report.Report`.
"""

from collections.abc import Mapping
from typing import Any

from handlers.blocks.cases import folded_cases
from handlers.blocks.labels import label_button
from handlers.blocks.parts import BLOCK_CHARACTERS, Block, actions, button, characters, context, picture, section, table
from handlers.blocks.words import duration, minutes, person
from handlers.escape import mrkdwn, plain
from trainers.evals.judges.pairing import WORDED
from trainers.evals.rule import PREFERENCE
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
    frame = [
        section(report_text(card)),
        table(arm_rows(data), bold=_place_of(data, "tuned")),
        *because(data),
        *doubts(data, DOUBTS),
        context(" ".join(filter(None, (guarded(data), mrkdwn(data["contamination"], 400), took(card))))),
        *[picture(file_ids[image["path"]], image["title"], image["alt"]) for image in shown],
    ]
    buttons = [button("Try it", TRY, card.model_id)] if card.model_id else []
    labels = [label_button(card.job_id)] if worded(data) else []
    last = actions([*buttons, button("Details", DETAILS, card.job_id), *labels], block_id=f"report-{card.job_id}")
    return [*frame, *folded_cases(data, BLOCK_CHARACTERS - characters([*frame, *last])), *last]


def worded(data: Mapping[str, Any]) -> bool:
    """Say whether answers may be worded in many ways, so that people's opinion of pairs says more than marks."""
    return data["rule"]["metric"] in WORDED


def report_text(card: ReportCard) -> str:
    """Say the result in one or two sentences."""
    if card.report is None:
        done = f"Rehearsed {mrkdwn(card.title, 200)}: every step ran, nothing was trained."
        took_it = f"It took {duration(card.seconds)}."
        return " ".join(filter(None, (f"{person(card.requested_by)} *{done}*", took_it, mrkdwn(card.billed, 300))))
    sentence = card.report["verdict"]["sentence"].removeprefix("Not proven. ")
    return f"{person(card.requested_by)} *{headline(card)}* {mrkdwn(sentence, 600)}"


def headline(card: ReportCard) -> str:
    """Say verdict and scores: `PASS. tickets-v2 gets 36/40 right, the best-prompted base 9/40.`"""
    data = card.report or {}
    graded = any(not arm.get("binary", True) for arm in data["arms"])
    told = data["rule"]["metric"] == PREFERENCE or (data["rule"]["metric"] == "judged" and data.get("judge"))
    if graded or told:
        return f"{VERDICTS[data['verdict']['outcome']]} {mrkdwn(card.title, 200)}: {mrkdwn(data['headline'], 300)}"
    arms = {arm["arm"]: shown(arm) for arm in data["arms"]}
    scores = f"{arms['tuned']} {mrkdwn(data.get('measure', 'right'), 60)}, the best-prompted base {arms[data['rival']]}"
    return f"{VERDICTS[data['verdict']['outcome']]} {mrkdwn(card.title, 200)} gets {scores}."


def arm_rows(data: Mapping[str, Any]) -> list[list[str]]:
    """Return the table of arms, head first."""
    head = ["", "Score", f"{data['verdict']['level']:.0%} interval", "Median time"]
    return [head, *([plain(a["title"], 100), shown(a), interval(a), speed(a)] for a in data["arms"])]


def because(data: Mapping[str, Any]) -> list[Block]:
    """Say what decided beside the score: a broken guardrail, a missed target, too few sources, a changed plan."""
    reasons = [*data["verdict"].get("because", ()), *filter(None, (data.get("changed", ""),))]
    return [section("\n".join(f"• {mrkdwn(reason, 500)}" for reason in reasons[:DOUBTS]))] if reasons else []


def guarded(data: Mapping[str, Any]) -> str:
    """Sum the guardrails up: `Guardrails: general skills 41/120 → 40/120, held · ...`; "" where there are none."""
    results = data.get("guardrails", ())
    said = [
        f"{mrkdwn(one['title'][:1].lower() + one['title'][1:], 80)} {round(one['before'] * one['n'])}/{one['n']} → "
        f"{round(one['after'] * one['n'])}/{one['n']}, {one['outcome']}{'' if one['gate'] else ' (shown only)'}"
        for one in results
    ]
    return f"Guardrails: {' · '.join(said)}." if said else ""


def doubts(data: Mapping[str, Any], most: int) -> list[Block]:
    """List what a reader should know before believing the verdict."""
    lines = [f"• {mrkdwn(notice, 600)}" for notice in data["notices"][:most]]
    return [section("\n".join(lines))] if lines else []


def shown(arm: Mapping[str, Any]) -> str:
    """Write an arm's score: `36/40`, or `71.5` of 100 where answers are graded."""
    return str(arm.get("shown") or f"{arm['right']}/{arm['n']}")


def interval(arm: Mapping[str, Any]) -> str:
    """Write the interval of an arm's share right: `30-48%`."""
    return f"{arm['low'] * 100:.0f}-{arm['high'] * 100:.0f}%"


def speed(arm: Mapping[str, Any]) -> str:
    """Write the median time of an arm's answers."""
    took_ms = arm["median_ms"]
    if took_ms is None:
        return "not measured"
    return f"{took_ms:.1f} ms" if took_ms < 10 else f"{took_ms:.0f} ms" if took_ms < 1000 else f"{took_ms / 1000:.1f} s"


def took(card: ReportCard) -> str:
    """Compare the time that a job took with its quote."""
    quoted = f" (quoted {minutes(card.quoted_minutes)})" if any(card.quoted_minutes) else ""
    return " ".join(filter(None, (f"Took {duration(card.seconds)}{quoted}.", mrkdwn(card.billed, 300))))


def _place_of(data: Mapping[str, Any], name: str) -> int:
    return 1 + next(place for place, arm in enumerate(data["arms"]) if arm["arm"] == name)
