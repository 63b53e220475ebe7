"""Knows how a quote asks for approval, and says who gave it; it does not know who may (`trainers.policy` does)."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from handlers.blocks.choosing import CHANGE_QUOTE
from handlers.blocks.parts import Block, actions, button, section
from handlers.blocks.words import clock_time, day_and_time, money, person
from handlers.escape import mrkdwn
from trainers.jobs.messages import ApprovalRequest, QuoteCard

APPROVE, ASK, CANCEL = "quote_approve", "quote_ask", "quote_cancel"
"""Action ids of the buttons on a quote."""

DECISIONS = {
    "queued": "✅ Approved by {who} at {when}.",
    "running": "✅ Approved by {who} at {when}.",
    "succeeded": "✅ Approved by {who} at {when}; finished.",
    "failed": "✅ Approved by {who} at {when}; it failed.",
    "cancelled": "Cancelled by {who} at {when}. Nothing was spent.",
}
NUMBERS = {1: "one approval", 2: "two approvals"}


def approval_blocks(card: QuoteCard) -> list[Block]:
    """Draw what a quote still needs with its buttons, or how it was decided."""
    if card.state == "quoted":
        return [*_needs(card), *_buttons(card, ask=card.needed > 0)]
    if card.state == "awaiting_approval":
        return [section(waiting_text(card)), *_buttons(card, ask=False)]
    return [section(decision(card))]


def waiting_text(card: QuoteCard) -> str:
    """Say who has approved and who may, as their cost asks for more than the requester's click."""
    names = _either([user for user in card.approvers if user not in card.given])
    if card.given:
        return f"⏳ {len(card.given)} of {card.needed} approvals: {_both(card.given)}. Waiting for {names}."
    need = NUMBERS.get(card.needed, f"{card.needed} approvals")
    return f"⏳ Waiting for {need}: {names}."


def decision(card: QuoteCard) -> str:
    """Say how a quote was decided, by whom and when."""
    when = clock_time(card.decided_at) if card.decided_at else "an unknown time"
    if card.expired:
        anew = "data generate" if "drafting" in card.quote else "train"
        said = f"⌛ This quote expired at {when} before it was approved. Nothing was spent"
        return f"{said}; `/tune {anew}` makes a new one."
    who = _both(card.given) if len(card.given) > 1 and card.state != "cancelled" else person(card.decided_by)
    words = DECISIONS.get(card.state, "This quote is {state}.")
    return words.format(who=who, when=when, state=card.state.replace("_", " "))


def request_text(card: ApprovalRequest) -> str:
    """Ask approvers for their yes, in a line that mentions them: an edited card rings nobody."""
    names = " ".join(person(user) for user in card.approvers)
    quote = f"*Quote #{card.number} · {mrkdwn(card.title, 200)}*, *{money(card.dollars)}*"
    until = f" It expires {day_and_time(card.expires_at)}." if card.expires_at else ""
    place = "It waits on my Home tab." if card.private else "The card is above, and on my Home tab."
    if card.again:
        return (
            f"{names} nobody has approved or cancelled {quote} since {day_and_time(card.asked_at)}; "
            f"can you? {person(card.requested_by)} asked for it. {place}{until}"
        )
    return f"{names} {person(card.requested_by)} asks for your approval of {quote}. {place}{until}"


def total(offer: dict[str, Any]) -> str | None:
    """Return what a quote asks for as a decimal string; None where a part is unknown."""
    costs = (offer["training_cost"], offer["evaluation_cost"])
    return None if None in costs else str(sum(Decimal(cost) for cost in costs))


def _needs(card: QuoteCard) -> list[Block]:
    if not card.needed:
        return []
    need = NUMBERS.get(card.needed, f"{card.needed} approvals")
    cost = money(total(card.quote))
    return [section(f"{cost} is more than your own click may approve here: it needs {need}.")]


def _buttons(card: QuoteCard, *, ask: bool) -> list[Block]:
    token = f"{card.job_id}:{card.quote_hash}"
    drawn = []
    if ask and card.requested_by not in card.approvers:
        drawn.append(button("Ask for approval", ASK, token, style="primary") | _only([card.requested_by]))
    approve = button("Approve and start", APPROVE, token, style="primary")
    if not card.needed:
        drawn.append(approve)
    elif card.approvers:
        drawn.append(approve | _only([user for user in card.approvers if user not in card.given]))
    trains = card.quote["spec"]["backend"] != "endpoint" and int(card.quote["train_tokens"]) > 0
    change = [button("Change", CHANGE_QUOTE, card.job_id)] if trains else []
    return actions([*drawn, *change, button("Cancel", CANCEL, token)], block_id=f"quote-{card.job_id}")


def _only(users: Sequence[str]) -> dict[str, list[str]]:
    """Show an element to these people alone; the server checks every click all the same."""
    return {"visible_to_user_ids": list(users)}


def _either(users: Sequence[str]) -> str:
    return " or ".join(person(user) for user in users)


def _both(users: Sequence[str]) -> str:
    return " and ".join(person(user) for user in users)
