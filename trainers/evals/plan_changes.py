"""How a plan changes by what somebody enters in its form, and what is wrong with that; it draws no form."""

from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import NamedTuple, TypeVar

from knowledge.errors import UserError
from trainers.evals.plan import make_plan
from trainers.evals.plans.body import EvalPlan
from trainers.evals.plans.costs import Costs, amount, read_costs
from trainers.evals.plans.inputs import check_effect, check_have, tidy_labels

_Value = TypeVar("_Value")

_LEAST_POINTS = Decimal("0.5")
"""Points below which an effect is taken for a share: to show it takes hundreds of thousands of rows."""

_NO_LABELS = "Labels are for classification: choose that kind above, or leave these as they were."
_BOTH = "A break-even needs both sides: what a right answer earns and what a wrong one costs."


class Entered(NamedTuple):
    """What stands in the form, as typed; "" where nothing does."""

    kind: str
    labels: str | None
    """With commas or lines between them; None where the form had no room for them: they stay."""
    target: str
    """Percent."""
    effect: str
    """Points."""
    have: str
    gain: str
    loss: str


def changed_plan(plan: EvalPlan, entered: Entered) -> tuple[EvalPlan | None, dict[str, str]]:
    """Return the plan as changed; or none, and by field of `Entered` why not.

    What was entered counts, not what the task's own words say of target and effect.
    """
    wrong: dict[str, str] = {}

    def read(name: str, text: str, reader: Callable[[str], _Value]) -> _Value | None:
        try:
            return reader(text.strip()) if text.strip() else None
        except UserError as refused:
            wrong[name] = f"{refused.what} {refused.next_step}".strip()
            return None

    labels = plan.labels if entered.labels is None else read("labels", entered.labels, _labels) or ()
    target, effect = read("target", entered.target, _percent), read("effect", entered.effect, _points)
    have, costs = read("have", entered.have, _rows), _costs(plan, entered, read, wrong)
    if entered.kind != "classification" and labels not in ((), plan.labels):
        wrong.setdefault("labels", _NO_LABELS)
    if wrong:
        return None, wrong
    made = make_plan(
        plan.task,
        labels=labels if entered.kind == "classification" else (),
        schema=plan.schema if entered.kind == plan.kind and not plan.schema_guessed else None,
        have=have,
        useful_effect=effect,
        costs=costs,
        target=target,
        kind=entered.kind,
        words_count=False,
    )
    return made, {}


def entered_from(plan: EvalPlan) -> Entered:
    """Return what stands in the form of a plan before anybody changes it."""
    costs = plan.costs
    own = plan.target is not None and (costs is None or plan.target != costs.target)
    return Entered(
        kind=plan.kind,
        labels="\n".join(plan.labels),
        target=_plain(plan.target * 100) if plan.target is not None and own else "",
        effect=_plain(plan.useful_effect * 100),
        have="" if plan.rows_had is None else str(plan.rows_had),
        gain="" if costs is None else _plain(costs.gain),
        loss="" if costs is None else _plain(costs.loss),
    )


def _costs(
    plan: EvalPlan,
    entered: Entered,
    read: Callable[[str, str, Callable[[str], Decimal]], Decimal | None],
    wrong: dict[str, str],
) -> Costs | None:
    gain, loss = read("gain", entered.gain, _money), read("loss", entered.loss, _money)
    if "gain" in wrong or "loss" in wrong or (gain is None and loss is None):
        return None
    if gain is None or loss is None:
        wrong["gain" if gain is None else "loss"] = _BOTH
        return None
    if gain == 0:
        wrong["gain"] = "Where a right answer earns nothing, no accuracy pays. Say what it earns or saves, such as 20."
        return None
    if plan.costs is not None and (gain, loss) == (plan.costs.gain, plan.costs.loss):
        return plan.costs  # with its kinds of failure, which the form does not show
    return read_costs(str(gain), str(loss), (), plan.costs.currency if plan.costs else "USD")


def _labels(text: str) -> tuple[str, ...]:
    return tidy_labels(text.replace("\n", ",").split(","))[0]


def _percent(text: str) -> Decimal:
    value = _number(text.removesuffix("%"))
    if 0 < value < 1:
        meant = _plain(value * 100)
        raise UserError(f"{value} would be {value} percent.", f"Write {meant} for {meant}%.")
    if not 0 < value <= 100:
        raise UserError("A target is above 0 and at most 100 percent.", "Write 90 for 90%.")
    return value / 100


def _points(text: str) -> Decimal:
    value = _number(text.removesuffix("points").removesuffix("%"))
    if 0 < value < _LEAST_POINTS:
        meant = _plain(value * 100)
        raise UserError(f"{value} would be {value} points.", f"Write {meant} for {meant} points.")
    return check_effect(value / 100)


def _rows(text: str) -> int:
    value = _number(text.replace(",", "").replace(" ", ""))
    if value != value.to_integral_value():
        raise UserError("Rows come in whole numbers.", "Write one such as 60.")
    check_have(int(value) if abs(value) < 10**12 else 10**12)
    return int(value)


def _money(text: str) -> Decimal:
    value = amount(text)
    if not value.is_finite() or not 0 <= value <= 10**12:
        raise UserError("That is no amount that one answer can earn or cost.", "Write 0 or more, such as 4.50.")
    return value


def _number(text: str) -> Decimal:
    """Read a number with a point or a comma before its decimals."""
    try:
        value = Decimal(text.strip().replace(",", "."))
    except InvalidOperation:
        raise UserError(f"“{text.strip()[:40]}” is no number.", "Write one such as 90.") from None
    if not value.is_finite():
        raise UserError("That is no number to plan with.", "Write one such as 90.")
    return value


def _plain(value: Decimal) -> str:
    return f"{value.normalize():f}"
