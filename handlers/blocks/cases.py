"""Knows how held-out rows with both answers look, in full; it does not choose them."""

from collections.abc import Mapping, Sequence
from typing import Any

from handlers.blocks.parts import Block, container, rich, run
from handlers.escape import plain

GROUPS = (("Better", "wins"), ("Still wrong or worse", "misses"))
"""Name for people, and key in a report's JSON."""

LONGEST = 2500
"""Characters of one text; longer ones say how much is missing."""


def folded_cases(data: Mapping[str, Any], room: int) -> list[Block]:
    """Fold wins and misses of a report under a title each; `room` characters are shared fairly."""
    shown = [(name, data[key]) for name, key in GROUPS if data[key]]
    count = sum(len(cases) for _, cases in shown)
    # Four texts a case, and about 120 characters of labels around them.
    each = max(120, room // max(count, 1) // 4 - 30)
    return [container(f"{name}: {len(cases)} in full", case_blocks(cases, min(each, LONGEST))) for name, cases in shown]


def case_blocks(cases: Sequence[Mapping[str, Any]], room: int = LONGEST) -> list[Block]:
    """Draw cases, each text cut to `room` characters at most."""
    return [_case(case, room) for case in cases]


def _case(case: Mapping[str, Any], room: int) -> Block:
    def line(label: str, text: str) -> list[Block]:
        return [run(f"{label} ", bold=True), run(plain(text, room) or "(nothing)")]

    lost = " · the base did better here" if case["regression"] else ""
    return rich(
        [run(f"Test row {case['row']}{lost}", bold=True)],
        line("Asked:", case["input"]),
        line("Right:", case["expected"]),
        line("Base said:", case["base"]),
        line("Tuned said:", case["tuned"]),
    )
