"""Drafts of test rows for a plan: composed offline or written by a model, apart from training and from each other."""

from collections.abc import Sequence

from knowledge.errors import UserError
from knowledge.models import ChatModel, Meter
from trainers.data.jsonl import Row
from trainers.data.likeness import canonical
from trainers.evals.drafts.base import DRAFT_KINDS, Draft, Drafted, DraftKind
from trainers.evals.drafts.classification import unknown_labels
from trainers.evals.drafts.compose import compose, quota, system_prompt
from trainers.evals.drafts.disjoint import Disjoint, disjoint
from trainers.evals.drafts.extraction import unknown_fields
from trainers.evals.drafts.recipe import recipe
from trainers.evals.drafts.written import write
from trainers.evals.plans.body import EvalPlan

__all__ = ["DRAFT_KINDS", "Disjoint", "Draft", "DraftKind", "Drafted", "disjoint", "draft", "draft_rows", "most_drafts"]

_SPARE = 1.6  # so many more are composed than asked for, as some repeat others


def draft_rows(
    plan: EvalPlan,
    *,
    count: int,
    seed: int,
    examples: Sequence[Row] = (),
    avoid: Sequence[Row] = (),
    model: ChatModel | None = None,
    meter: Meter | None = None,
) -> list[Draft]:
    """Return up to `count` drafts; see `draft`, which also says what was thrown away and why there are fewer."""
    return list(draft(plan, count=count, seed=seed, examples=examples, avoid=avoid, model=model, meter=meter).drafts)


def draft(
    plan: EvalPlan,
    *,
    count: int,
    seed: int,
    examples: Sequence[Row] = (),
    avoid: Sequence[Row] = (),
    model: ChatModel | None = None,
    meter: Meter | None = None,
) -> Drafted:
    """Draft up to `count` test rows for a plan, the same ones for the same seed where no model writes them.

    `examples` lend words and their system prompt; rows of `avoid` (training) are repeated by no draft. A model is only
    asked through its meter; where it stops, recipes go on. Raises UserError for a count out of range and for a plan
    that names no labels or fields.
    """
    most = most_drafts()
    if not 1 <= count <= most:
        raise UserError(f"I draft from 1 to {most} rows at a time.", "Ask for 20, look at them, then for more.")
    _check(plan)
    known = {canonical(row.prompt) for row in (*avoid, *examples)}
    system = system_prompt(plan, examples)
    written: list[Draft] = []
    rejected: dict[str, int] = {}
    notes = []
    if model is not None and meter is not None:
        told = write(
            plan,
            quota(count),
            system=system,
            seed=seed,
            taken=lambda text: canonical(text) in known,
            model=model,
            meter=meter,
        )
        left = disjoint(told.drafts, avoid)
        written, rejected = list(left.drafts), dict(told.rejected)
        _count(rejected, left)
        notes += [told.stopped] if told.stopped else []
    return _completed(plan, count, seed, examples, avoid, known, written, rejected, notes, by_model=model is not None)


def most_drafts() -> int:
    """Return how many are drafted at a time."""
    return int(recipe("model")["most_rows"])


def _completed(
    plan: EvalPlan,
    count: int,
    seed: int,
    examples: Sequence[Row],
    avoid: Sequence[Row],
    known: set[str],
    written: list[Draft],
    rejected: dict[str, int],
    notes: list[str],
    *,
    by_model: bool,
) -> Drafted:
    """Fill up with recipes what is missing, and order all by kind."""
    missing = count - len(written)
    if missing:
        composed = compose(
            plan,
            count=round(missing * _SPARE),
            seed=seed,
            examples=examples,
            taken=lambda text: canonical(text) in known,
        )
        left = disjoint([*written, *composed], avoid)
        _count(rejected, left)
        drafts = _share_out(left.drafts, count)
        if by_model:
            notes.append(f"{sum(each.provenance.startswith('recipe') for each in drafts)} drafts are from recipes.")
    else:
        drafts = tuple(written)
    notes += _unknown(plan, examples)
    if len(drafts) < count:
        notes.append(
            f"{len(drafts)} of {count}: the recipes hold no more for this task. "
            + ("Ask again later." if by_model else "With a language model (LUTHIER_MODEL) there is no such limit.")
        )
    return Drafted(drafts=drafts, rejected=rejected, note=" ".join(notes))


def _share_out(drafts: Sequence[Draft], count: int) -> tuple[Draft, ...]:
    """Keep `count` drafts with the kinds in their shares as far as there are enough."""
    parts = quota(count)
    kept = {kind: [each for each in drafts if each.kind == kind] for kind in DRAFT_KINDS}
    chosen = [each for kind in DRAFT_KINDS for each in kept[kind][: parts[kind]]]
    spare = [each for kind in DRAFT_KINDS for each in kept[kind][parts[kind] :]]
    chosen += spare[: count - len(chosen)]
    return tuple(sorted(chosen, key=lambda each: DRAFT_KINDS.index(each.kind)))


def _count(rejected: dict[str, int], left: Disjoint) -> None:
    for reason, number in (
        ("too near to a training row", left.in_training),
        ("too near to another draft", left.repeated),
    ):
        if number:
            rejected[reason] = rejected.get(reason, 0) + number


def _unknown(plan: EvalPlan, examples: Sequence[Row]) -> list[str]:
    """Say of which fields and labels the recipes know nothing."""
    said = []
    if fields := unknown_fields(plan):
        what = f"No recipe knows what stands in {', '.join(fields[:8])}: no draft fills it."
        said.append(f"{what} Give `examples` in a schema.")
    if labels := unknown_labels(plan, examples):
        said.append(
            f"I don't know what {', '.join(labels[:8])} {'means' if len(labels) == 1 else 'mean'}: "
            "give two example rows of each, and drafts use their words."
        )
    return said


def _check(plan: EvalPlan) -> None:
    if plan.kind == "classification" and not plan.labels:
        raise UserError("I can't draft rows before I know the labels.", "Name them: into billing, returns, other.")
    if plan.kind == "extraction" and not plan.schema:
        raise UserError("I can't draft rows before I know the fields.", "Name them, or give a JSON Schema.")
