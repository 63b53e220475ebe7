"""Knows how two answers look when a person compares them blind; it does not know whose they are."""

from collections.abc import Sequence
from typing import NamedTuple

from handlers.blocks.parts import Block, actions, button, context, divider, modal, rich, run, section
from handlers.blocks.words import count
from handlers.escape import plain
from trainers.evals.judges.agreement import Agreement

START, PICK = "label_start", "label_pick"
"""Action ids: the button under a report; the buttons under a pair, followed by `:a`, `:b`, `:tie` or `:skip`."""

TITLE = "Which is better?"
LONGEST = 2500
"""Characters of one text; longer ones say how much is missing."""

_PICKS = (("A is better", "a"), ("B is better", "b"), ("Same", "tie"), ("Skip", "skip"))


class Shown(NamedTuple):
    """One pair as a person sees it."""

    row: int
    system: str
    asked: str
    left: str
    right: str


def label_button(job_id: str) -> Block:
    """Draw the button that opens the labelling of a job's answers."""
    return button("Label 20 pairs", START, job_id)


def pair_view(shown: Shown, place: int, of: int, metadata: str) -> Block:
    """Draw one pair; `place` counts from 1, `metadata` comes back with every click."""
    texts = [("Asked", shown.asked), ("Answer A", shown.left), ("Answer B", shown.right)]
    if shown.system:
        texts.insert(0, ("Instructions", shown.system))
    picks = [button(label, f"{PICK}:{place_of}", str(shown.row)) for label, place_of in _PICKS]
    return modal(
        TITLE,
        [
            context(f"{place} of {of} · one answer is the base's, one the tuned model's; which is which is not shown"),
            *[block for name, text in texts for block in (section(f"*{name}*"), _text(text))],
            divider(),
            *actions(picks, block_id=f"pair-{shown.row}"),
        ],
        metadata=metadata,
    )


def thanks_view(mine: int, skipped: int, people: Agreement | None, judge: Agreement | None) -> Block:
    """Draw the end: how many were labelled, and how far people and judge agree so far."""
    left_out = f", {skipped} skipped" if skipped else ""
    lines = [f"Thank you. You labelled {count(mine, 'pair')}{left_out}."]
    lines.append(_agreement("People", people) if people else "Nobody else has labelled the same pairs yet.")
    lines.append(_agreement("The judge and people", judge) if judge else "No judge has compared these pairs.")
    return modal(TITLE, [section("\n".join(lines))])


def _agreement(who: str, found: Agreement) -> str:
    level = "" if found.kappa is None else f" (κ {found.kappa:.2f})"
    return f"{who} agree in {found.agreed} of {count(found.labels, 'comparison')}{level}."


def _text(text: str) -> Block:
    lines: Sequence[Block] = [run(plain(text, LONGEST).strip() or "(nothing)")]
    return rich(lines)
