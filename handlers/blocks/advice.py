"""Knows how advice looks in a thread and in full; it does not weigh anything."""

import json

from handlers.blocks.answer import DISCLAIMER, feedback
from handlers.blocks.parts import Block, actions, button, context, divider, modal, option, section, select, table
from handlers.blocks.words import day
from handlers.escape import from_markdown, mrkdwn, plain
from knowledge.advice.advise import Advice, Question
from knowledge.advice.citations import Source
from knowledge.advice.facts import known
from knowledge.advice.options import OptionView

FACT, TRAIN, COMPARE = "advice_fact", "advice_train", "advice_compare"
COST, CORRECT = "advice_cost", "advice_correct"
"""Action ids; a question's menu is `advice_fact:` and the fact's name."""

TUNED = {"fine_tuning", "rag+fine_tuning"}
"""Recommendations that include training."""

VALUE = 2000
"""Characters that a button may carry."""


def advice_blocks(advice: Advice, *, editable: bool = True) -> list[Block]:
    """Draw advice; `editable` where answers to its questions can be put into the same message."""
    if advice.needs_more:
        return [section(f"*{mrkdwn(advice.headline, 300)}*\n{from_markdown(advice.why, 1500)}"), _sources(advice)]
    return [
        section(
            f"*{mrkdwn(advice.headline, 300)}* Confidence: {advice.confidence}.\n{from_markdown(advice.why, 1500)}"
        ),
        table([["Option", "Fits?", "Effort", "Main reason"], *map(_row, advice.options)], bold=_place(advice)),
        *_weighed(advice, editable),
        *([_ask(question) for question in advice.questions] if editable else []),
        *actions(_buttons(advice), block_id="advice-buttons"),
        _sources(advice),
        context(f"{_made(advice)} {DISCLAIMER}"),
        *([feedback()] if editable else []),
    ]


def advice_text(advice: Advice) -> str:
    """Say the advice in a sentence, for notifications and screen readers."""
    return f"{advice.headline} Confidence: {advice.confidence}." if not advice.needs_more else advice.headline


def compare_view(advice: Advice) -> Block:
    """Draw every option with its score, the reasons that counted, and all sources with their addresses."""
    ranked = sorted(advice.options, key=lambda view: -view.score)
    reasons = [f"• {mrkdwn(each.text, 400)} ({each.weight:+g}; {mrkdwn(each.source, 200)})" for each in advice.reasons]
    return modal(
        "All options",
        [
            section(f"*{mrkdwn(advice.headline, 300)}* Confidence: {advice.confidence}."),
            *[section(_full(view)) for view in ranked],
            divider(),
            *([section("*What counted, in points:*\n" + "\n".join(reasons))] if reasons else []),
            section("*Sources*\n" + "\n".join(map(_source_line, advice.sources))),
            context(f"Rubric of {day(advice.as_of)}. Signs come from the sources; the sizes of the points are ours."),
        ],
    )


def _made(advice: Advice) -> str:
    """Say who read the case and what weighed it."""
    if advice.read_by:
        return f"Read by {mrkdwn(advice.read_by, 60)}, weighed by a fixed rubric of {day(advice.as_of)}."
    return f"Weighed by a fixed rubric of {day(advice.as_of)}, without a language model."


def _row(view: OptionView) -> list[str]:
    reason = view.main_reason[:1].upper() + view.main_reason[1:]
    return [plain(text, 400) for text in (view.name, view.fits, view.complexity, reason)]


def _place(advice: Advice) -> int:
    return 1 + next(place for place, view in enumerate(advice.options) if view.option == advice.recommendation)


def _weighed(advice: Advice, editable: bool) -> list[Block]:
    correct = button("Correct these", CORRECT) if editable else None
    assumed = f"*I assumed:* {mrkdwn(' · '.join(advice.assumptions), 1200)}"
    lines = []
    if advice.would_change:
        lines.append(
            "*What would change my mind:*\n" + "\n".join(f"• {mrkdwn(change, 400)}" for change in advice.would_change)
        )
    lines += [f"_{mrkdwn(note, 300)}_" for note in advice.notes]
    lines.append(f"*Next:* {mrkdwn(advice.next_step, 500)}")
    blocks = [section(line) for line in lines]
    return [section(assumed, accessory=correct), *blocks] if advice.assumptions else blocks


def _ask(question: Question) -> Block:
    choices = [option(label, json.dumps(value)) for label, value in question.choices]
    return section(mrkdwn(question.text, 300), accessory=select(f"{FACT}:{question.fact}", "Choose", choices))


def _buttons(advice: Advice) -> list[Block]:
    facts = json.dumps(known(advice.facts), separators=(",", ":"))
    carried = facts if len(facts) <= VALUE else ""
    train = [button("Train on our rows", TRAIN, style="primary")] if advice.recommendation in TUNED else []
    return [*train, button("Compare all options", COMPARE, carried), button("What would it cost?", COST)]


def _sources(advice: Advice) -> Block:
    named = " · ".join(f"{source.n} *{mrkdwn(source.title, 120)}*" for source in advice.sources)
    return context(f"Sources: {named}")


def _full(view: OptionView) -> str:
    head = f"*{mrkdwn(view.name, 80)}* · {mrkdwn(view.fits, 200)} · {view.complexity} · {view.score:+g} points"
    return f"{head}\n{mrkdwn(view.main_reason, 600)}"


def _source_line(source: Source) -> str:
    behind = f"<{source.url}|{mrkdwn(source.origin, 150)}>" if source.url else mrkdwn(source.origin, 150)
    return f"{source.n} *{mrkdwn(source.title, 120)}*: {behind}"
