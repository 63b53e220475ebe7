"""What a plan demands of a model, from options, words and costs in this order, and what was assumed of it."""

from decimal import Decimal
from typing import NamedTuple

from knowledge.errors import UserError
from trainers.evals.plans.body import Assumption
from trainers.evals.plans.choices import table
from trainers.evals.plans.costs import Costs
from trainers.evals.plans.goals import Goals
from trainers.evals.plans.inputs import check_effect

_SAY_SO = "Press Change on the card, or name it in the shell"


class Demands(NamedTuple):
    """What must be reached."""

    useful_effect: Decimal
    target: Decimal | None
    target_from: str


def demands(
    goals: Goals | None, effect: Decimal | None, target: Decimal | None, costs: Costs | None, *, binary: bool
) -> tuple[Demands, list[Assumption]]:
    """Settle smallest useful effect and target, and say what was read for them.

    `goals` are what the task's own words say; None where these don't count.
    Raises UserError for shares that nothing could reach or show.
    """
    notes = _read(goals, effect, target, binary) if goals else []
    useful = effect if effect is not None else goals.effect if goals else None
    smallest = check_effect(Decimal(table()["rule"]["useful_effect"]) if useful is None else useful)
    if target is not None:
        if not target.is_finite() or not 0 < target <= 1:
            raise UserError("A target must be above 0 and at most 100 percent.", "Use 90 for 90%.")
        return Demands(smallest, target, "named by you"), notes
    if goals and goals.target is not None and binary:
        return Demands(smallest, goals.target, f"you wrote “{goals.target_words}”"), notes
    if costs is not None and costs.target > 0 and binary:
        return Demands(smallest, costs.target, costs.sentence), notes
    return Demands(smallest, None, _why_none(goals, costs)), notes


def _why_none(goals: Goals | None, costs: Costs | None) -> str:
    """Say why there is no target; a graded metric has none by right answers."""
    if goals and goals.target is not None:
        return f"you wrote “{goals.target_words}”, which a graded metric can't tell"
    if costs is None:
        return "none named: better than the best-prompted base is the only demand"
    if costs.target == 0:
        return "a failure costs nothing, so every accuracy pays and no target follows"
    return f"{costs.sentence}: {costs.target:.1%} of answers must be usable, which a graded metric can't tell"


def _read(goals: Goals, effect: Decimal | None, target: Decimal | None, binary: bool) -> list[Assumption]:
    """Tell what was read in the task's words, as far as no option says otherwise."""
    notes = []
    if goals.target is not None and target is None and binary:
        says = f"The target is {_percent(goals.target)} right: you wrote “{goals.target_words}”."
        notes.append(Assumption(says, f"{_SAY_SO} (--target)."))
    if goals.effect is not None and effect is None:
        says = f"The smallest useful effect is {_number(goals.effect)} points: you wrote “{goals.effect_words}”."
        notes.append(Assumption(says, f"{_SAY_SO} (--effect)."))
    if goals.unread:
        listed = ", ".join(f"“{words}”" for words in goals.unread[:4])
        says = f"A plan has one target and one smallest useful effect, so I left out {listed}."
        notes.append(Assumption(says, f"{_SAY_SO} (--target, --effect)."))
    return notes


def _percent(share: Decimal) -> str:
    return f"{_number(share)}%"


def _number(share: Decimal) -> str:
    return f"{(share * 100).normalize():f}"
