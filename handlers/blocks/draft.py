"""Knows how drafting rows with a language model looks in its thread: its quote, and what came of it; it drafts none."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from handlers.blocks.parts import Block, context, section
from handlers.blocks.words import count, duration, in_slack, minutes, money, person
from handlers.escape import mrkdwn
from trainers.costs.money import Money, said
from trainers.jobs.drafting import read_bill
from trainers.jobs.messages import DraftedCard

_REASONS = 6
"""Reasons that one card names."""


def quote_lines(offer: Mapping[str, Any], title: str) -> list[Block]:
    """Draw what a run takes and costs before it starts; a price that nobody knows is said to be unknown."""
    span = minutes(tuple(offer["evaluation_minutes"]))
    warned = "".join(f"\n⚠️ {mrkdwn(doubt, 400)}" for doubt in offer["drafting"]["doubts"])
    small = f"Times {offer['time_basis']}. Costs: {offer['cost_basis'].rstrip('.')}. Tokens: four characters each."
    head = section(f"{price_line(offer)} · {span}\n{calls_line(offer)}{in_slack(warned)}")
    return [section(title), head, context(mrkdwn(small, 600))]


def price_line(offer: Mapping[str, Any]) -> str:
    """Say what it costs: `$0.02 at most, about $0.004`."""
    most = offer["evaluation_cost"]
    if most is None:
        return "Cost *unknown*: nobody can approve it before its price is set"
    if not Decimal(most):
        return "*$0*: nobody is billed"
    return f"*{money(most)}* at most, about {_exact(offer['drafting']['dollars'][1])}; it stops before it costs more"


def calls_line(offer: Mapping[str, Any]) -> str:
    """Say how many calls and tokens it takes."""
    bill = read_bill(offer)
    least, likely, most = (f"{number:,}" for number in bill.calls)
    tokens = f"{bill.prompt_tokens[1]:,} tokens asked and {bill.output_tokens[1]:,} answered"
    return f"{count(bill.rows, 'row')}: about {likely} calls ({least} to {most}), about {tokens}."


def drafted_blocks(card: DraftedCard) -> list[Block]:
    """Draw what a language model wrote, what was thrown away and why, and what it cost."""
    small = [mrkdwn(note, 300) for note in card.notes[:4]]
    reasons = [f"{mrkdwn(why, 80)} {number}" for why, number in list(card.rejected.items())[:_REASONS]]
    if reasons:
        more = len(card.rejected) - _REASONS
        small.append(f"Thrown away: {' · '.join(reasons)}{f' · {more} more reasons' if more > 0 else ''}")
    return [section(drafted_text(card)), *([context(*small)] if small else [])]


def drafted_text(card: DraftedCard) -> str:
    """Say in one message what came of it."""
    recipes = f", {card.from_recipes:,} of them by recipes" if card.from_recipes else ""
    thrown = sum(card.rejected.values())
    dropped = f" {count(thrown, 'answer')} {'was' if thrown == 1 else 'were'} thrown away." if thrown else ""
    who, rows = person(card.requested_by), f"*{count(card.rows, 'draft row')}*"
    told = f"{who} {rows}, written by {mrkdwn(card.written_by, 80)}{recipes}. Read each before you train on it."
    return in_slack(f"{told}{dropped} {_cost(card)} Done in {duration(card.seconds)}.")


def _cost(card: DraftedCard) -> str:
    if card.dollars is None:
        return f"What it cost nobody knows, at most the approved {money(card.approved)}."
    if not Decimal(card.approved):
        return "Nobody is billed."
    return f"It cost {_exact(card.dollars)} of the approved {money(card.approved)}, as we count."


def _exact(dollars: str) -> str:
    """Write a small amount with the figures that count: $0.0031 is not $0.00."""
    return said(Money(Decimal(dollars), "USD"))
