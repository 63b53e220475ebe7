"""Knows how advice looks in a thread; it does not weigh anything."""

import json
from collections.abc import Sequence

from handlers.blocks.answer import DISCLAIMER
from handlers.blocks.feedback import feedback
from handlers.blocks.parts import Block, actions, button, container, context, option, section, select, table
from handlers.blocks.words import day
from handlers.escape import from_markdown, mrkdwn, plain
from knowledge.advice.advise import Advice, Question
from knowledge.advice.facts import Facts, known
from knowledge.advice.options import OptionView

FACT, SKIP, CASE = "advice_fact", "advice_skip", "advice_case"
TRAIN, COMPARE, COST, FACTS = "advice_train", "advice_compare", "advice_cost", "advice_facts"
"""Action ids. An answer to a question is `advice_fact:` and the fact's name, as a button with the number of the answer
behind it; `advice_skip:` and the fact's name skips it; `advice_case:` has the number of a use case behind it."""

FACTS_BEFORE = "advice_correct"
"""Action id of the button that opens the facts on cards which an earlier version drew."""

TUNED = {"fine_tuning", "rag+fine_tuning"}
"""Recommendations that include training."""

VALUE = 2000
"""Characters that a button may carry."""

COLUMNS = ["Option", "Fits?", "Main reason", "Effort", "Cost", "Upkeep"]
"""A thread is narrow: what decides comes before what has to be scrolled to."""

BUTTONS = 2
"""Answers up to so many are buttons; more are a menu."""


def advice_blocks(advice: Advice, *, editable: bool = True, set_by: Sequence[Block] = ()) -> list[Block]:
    """Draw advice; `editable` where answers to its questions can be put into the same message.

    `set_by` says who set which fact and stands under the assumptions.
    """
    opening = f"*{mrkdwn(advice.headline, 300)}*"
    facts = button("Facts", FACTS) if editable else None
    if advice.needs_more:
        asked = section(f"{opening}\n{from_markdown(advice.why, 1500)}", accessory=facts)
        return [asked, *_notes(advice), *set_by, _sources(advice)]
    return [
        section(f"{opening} Confidence: {advice.confidence}.\n{from_markdown(advice.why, 1500)}"),
        table([COLUMNS, *map(_row, advice.options)], bold=_place(advice)),
        *_assumed(advice, facts),
        *set_by,
        *_weighed(advice, facts),
        *([block for question in advice.questions for block in _ask(question)] if editable else []),
        *actions(_buttons(advice), block_id="advice-buttons"),
        _sources(advice),
        context(f"{_made(advice)} {DISCLAIMER}"),
        *([feedback()] if editable else []),
    ]


def advice_text(advice: Advice) -> str:
    """Say the advice in a sentence, for notifications and screen readers."""
    return f"{advice.headline} Confidence: {advice.confidence}." if not advice.needs_more else advice.headline


def cases_blocks(words: str, others: Sequence[tuple[str, Facts]]) -> list[Block]:
    """Draw the word about further use cases in one message, each with a button that carries its facts."""
    blocks = [section(words)]
    for number, (told, facts) in enumerate(others, start=2):
        carried = _carried(facts)
        wish = button(f"Weigh number {number}", f"{CASE}:{number}", carried or "{}")
        missing = "" if carried else " (please tell it in a message of its own)"
        blocks.append(section(f"*{number}.* {mrkdwn(told, 200)}{missing}", accessory=wish if carried else None))
    return blocks


def _made(advice: Advice) -> str:
    """Say who read the case and what weighed it."""
    if advice.read_by:
        return f"Read by {mrkdwn(advice.read_by, 60)}, weighed by a fixed rubric of {day(advice.as_of)}."
    return f"Weighed by a fixed rubric of {day(advice.as_of)}, without a language model."


def _row(view: OptionView) -> list[str]:
    reason = view.main_reason[:1].upper() + view.main_reason[1:]
    return [plain(text, 400) for text in (view.name, view.fits, reason, view.complexity, view.cost, view.upkeep)]


def _place(advice: Advice) -> int:
    return 1 + next(place for place, view in enumerate(advice.options) if view.option == advice.recommendation)


def _assumed(advice: Advice, facts: Block | None) -> list[Block]:
    if advice.assumptions:
        return [section(f"*I assumed:* {mrkdwn(' · '.join(advice.assumptions), 1200)}", accessory=facts)]
    return [section("*I assumed nothing yet.*", accessory=facts)] if facts else []


def _weighed(advice: Advice, facts: Block | None) -> list[Block]:
    """Draw contradictions with the button that settles them, what would change the advice, notes, the next step."""
    clashes = [section(f"⚠️ {mrkdwn(clash, 400)}", accessory=facts) for clash in advice.clashes[:4]]
    turns = "\n".join(f"• {mrkdwn(change, 400)}" for change in advice.would_change)
    changing = [section(f"*What would change my mind:*\n{turns}")] if turns else []
    after = [section(f"*Next:* {mrkdwn(advice.next_step, 500)}"), _reasons(advice)]
    return [*clashes, *changing, *_notes(advice), *after]


def _reasons(advice: Advice) -> Block:
    """Fold away what a reader may want to check: reasons for and against, the runner-up, what a mistake would cost."""
    names = {view.option: view.name for view in advice.options}
    told = [
        ("For", [each for each in advice.reasons if each.weight > 0]),
        ("Against", [each for each in advice.reasons if each.weight < 0]),
    ]
    lists = [
        section(f"*{title}*\n" + "\n".join(f"• {mrkdwn(each.text, 400)} ({mrkdwn(each.source, 200)})" for each in some))
        for title, some in told
        if some
    ]
    rest = (
        f"*Next best:* {mrkdwn(names[advice.runner_up], 80)}\n"
        f"*Confidence {advice.confidence}:* {mrkdwn(advice.confidence_means, 300)}\n"
        f"*If this is wrong, it costs:* {mrkdwn(advice.if_wrong, 300)}"
    )
    return container("Reasons for and against, and the cost of being wrong", [*lists, section(rest)])


def _notes(advice: Advice) -> list[Block]:
    return [section(f"_{mrkdwn(note, 300)}_") for note in advice.notes]


def _ask(question: Question) -> list[Block]:
    """Draw a question with its answers and Skip."""
    name, choices = f"{FACT}:{question.fact}", question.choices
    if len(choices) <= BUTTONS:
        answers = [
            button(label, f"{name}:{n}", json.dumps(value), spoken=f"{label}: {question.text}")
            for n, (label, value) in enumerate(choices)
        ]
    else:
        answers = [select(name, "Choose", [option(label, json.dumps(value)) for label, value in choices])]
    skip = button("Skip", f"{SKIP}:{question.fact}", spoken=f"Skip: {question.text}")
    return [section(mrkdwn(question.text, 300)), *actions([*answers, skip], block_id=f"ask-{question.fact}")]


def _buttons(advice: Advice) -> list[Block]:
    train = [button("Train on our rows", TRAIN, style="primary")] if advice.recommendation in TUNED else []
    compared = button("Compare all options", COMPARE, _carried(advice.facts))
    return [*train, compared, button("What would it cost?", COST)]


def _carried(facts: Facts) -> str:
    """Write facts for a button; "" where Slack would refuse so many."""
    written = json.dumps(known(facts), separators=(",", ":"))
    return written if len(written) <= VALUE else ""


def _sources(advice: Advice) -> Block:
    named = " · ".join(f"{source.n} *{mrkdwn(source.title, 120)}*" for source in advice.sources)
    return context(f"Sources: {named}")
