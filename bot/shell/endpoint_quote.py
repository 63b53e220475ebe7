"""How the quote of an evaluation over an endpoint reads in a terminal, and the plan of any; it computes nothing."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any


def read_endpoint_quote(offer: dict[str, Any], minutes: Callable[[Any], str]) -> str:
    """Lay out the quote of an evaluation over an endpoint; `minutes` writes a span of them."""
    from trainers.data.findings import plural
    from trainers.evals.rule import SuccessRule
    from trainers.policy import dollars

    asked, cost = offer["endpoint"], offer["evaluation_cost"]
    bill, money = asked["bill"], "unknown" if cost is None else f"{dollars(Decimal(cost))} at most"
    parts = ", ".join(f"{part.replace('_', ' ')} {count}" for part, count in bill["parts"].items())
    low, expected, most = (f"{count:,}" for count in bill["prompt_tokens"])
    least, likely, longest = (f"{count:,}" for count in bill["output_tokens"])
    return "\n".join(
        [
            f"{offer['dataset']}: {asked['tuned']} against {asked['base']} at {asked['url']}",
            f"  Cost        {money} ({offer['cost_basis']})",
            f"  Calls       {bill['calls']} ({parts})",
            f"  Tokens      in {low} to {most}, expected {expected}; out {least} to {longest}, expected {likely} "
            "(estimated: four characters a token)",
            f"  Time        {minutes(offer['evaluation_minutes'])}; times {offer['time_basis']}.",
            f"  Success is fixed now: {SuccessRule.from_json(offer['rule']).sentence}; "
            f"{plural(offer['test_rows'], 'unseen row')}.",
            *read_plan(offer),
        ]
    )


def read_plan(offer: dict[str, Any]) -> list[str]:
    """Say by which frozen plan a quote is judged, and whether on its rows; nothing where there is none."""
    from trainers.evals.judged_by import JudgedBy

    return [f"  {JudgedBy.from_json(offer['plan']).sentence}"] if offer.get("plan") else []
