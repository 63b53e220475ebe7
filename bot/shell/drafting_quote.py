"""How the quote of drafting rows with a language model reads in a terminal; it computes nothing."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any


def read_drafting_quote(offer: dict[str, Any], minutes: Callable[[Any], str]) -> str:
    """Lay out the quote of drafting rows; `minutes` writes a span of them. An unknown price is said to be unknown."""
    from trainers.data.findings import plural
    from trainers.jobs.drafting import read_bill

    bill, told = read_bill(offer), offer["drafting"]
    least, likely, most = (f"{number:,}" for number in bill.calls)
    return "\n".join(
        [
            f"{plural(bill.rows, 'row')}, written by {told['writer']}",
            f"  Cost        {_money(offer)} ({offer['cost_basis'].rstrip('.')})",
            f"  Calls       about {likely}, {least} to {most}",
            f"  Tokens      about {bill.prompt_tokens[1]:,} asked and {bill.output_tokens[1]:,} answered, at most "
            f"{bill.prompt_tokens[2]:,} and {bill.output_tokens[2]:,} (estimated: four characters a token)",
            f"  Time        {minutes(offer['evaluation_minutes'])}; times {offer['time_basis']}.",
            *(f"  ! {doubt}" for doubt in told["doubts"]),
        ]
    )


def _money(offer: dict[str, Any]) -> str:
    from trainers.costs.money import Money, said
    from trainers.policy import dollars

    most = offer["evaluation_cost"]
    if most is None:
        return "unknown"
    if not Decimal(most):
        return "$0, nobody is billed"
    likely = Decimal(offer["drafting"]["dollars"][1])
    return f"{dollars(Decimal(most))} at most, about {said(Money(likely, 'USD'))}"
