"""Knows what is looked at before the first byte goes to a provider, in which order; it sends nothing that costs.

A run that would be refused leaves rows behind where its rows are sent first. So what can be known for nothing is found
out before: the spec, the lifecycle book, the rows, what was approved, then the account itself.
"""

from datetime import date
from typing import Final

from knowledge.errors import UserError
from trainers.backends.azure_shape import DeploymentApi
from trainers.backends.base import Order
from trainers.backends.openai_shape import FineTuningApi
from trainers.backends.traits import Traits
from trainers.backends.wire import NotThere
from trainers.costs.gate import check_base
from trainers.costs.lifecycle import NotTrainable
from trainers.data.lint import lint

_ELSEWHERE: Final = "`cost` compares who still trains."


def check(traits: Traits, api: FineTuningApi, serving: DeploymentApi | None, order: Order, today: date) -> None:
    """Raise UserError where a run would be refused or not be worth its money; Refused and ServiceError of the account.

    `serving` is where its model will be deployed, if it has to be.
    """
    traits.check(order.spec)
    check_base(traits.key, order.spec.base, today)  # a quote may be a day old, and a base closed since
    check_rows(traits, order)
    order.still_covered()
    check_account(traits, api, order.spec.base, today)
    if serving is not None and not traits.pretends:
        base_deployment(traits, serving, order.spec.base)


def check_rows(traits: Traits, order: Order) -> None:
    """Raise UserError where this place would not take the rows."""
    blocking = [found for found in lint(order.train, target=traits.target).findings if found.severity == "BLOCK"]
    if traits.byte_order_mark:  # the one finding about the whole file of ours: it is put before the rows as they go
        blocking = [found for found in blocking if found.code != "format_mismatch" or found.lines]
    if blocking:
        what = f"{traits.title} would not take these rows: {blocking[0].message}"
        raise UserError(what, f"{blocking[0].fix} `lint --target {traits.target}` shows all of it.")


def no_loss(traits: Traits, order: Order) -> str:
    """Say why no held-out rows go with a job; "" where they do: where its place takes some, and would take these."""
    if not traits.validates:
        return traits.without_loss
    if order.test is None:
        return "No rows are held out."
    blocking = [each for each in lint(order.test, target=traits.target).findings if each.severity == "BLOCK"]
    few = {"too_few_rows"} | ({"format_mismatch"} if traits.byte_order_mark else set())
    taken = all(each.code in few and not each.lines for each in blocking)
    return "" if taken else f"{traits.title} would not take these held-out rows, so it tells no loss on them."


def check_account(traits: Traits, api: FineTuningApi, base: str, today: date) -> None:
    """Raise UserError where this account does not have the base, or its provider names a day that has come.

    A wrong key is found here too: Refused.
    """
    if not traits.tells_of_bases:
        return
    name = traits.model(base)
    try:
        told = api.model(name)
    except NotThere:
        what = f"{traits.title} has no model {name} for this account."
        raise NotTrainable(what, f"Choose another base. {_ELSEWHERE}") from None
    day = shutdown_day(told.get("shutdown_date"))
    if day is not None and day <= today:
        raise NotTrainable(f"{traits.title} has shut {name} down on {day}.", _ELSEWHERE)


def shutdown_day(told: object) -> date | None:
    """Read the day on which a model goes dark, as GET /models/{id} writes it; None for anything else."""
    try:
        return date.fromisoformat(told) if isinstance(told, str) else None
    except ValueError:
        return None


def base_deployment(traits: Traits, serving: DeploymentApi, base: str) -> str:
    """Return the deployment under which the base answers, to compare with; raises UserError where there is none."""
    name = serving.serving(base) or serving.serving(traits.model(base))
    if name is None:
        what = f"No deployment of {base} is there, with which the tuned model is to be compared."
        raise UserError(what, "Make one (Global Standard costs nothing while nobody asks), then `resume`.")
    return name
