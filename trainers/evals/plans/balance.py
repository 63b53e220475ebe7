"""What follows where one label takes most rows: accuracy then says little; it counts rows and judges no model."""

from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal

from trainers.data.jsonl import Row
from trainers.data.likeness import canonical
from trainers.evals.plans.body import Assumption
from trainers.evals.plans.choices import table

_NAMED = 5


def lopsided(
    rows: Sequence[Row], labels: Sequence[str], *, whose: str, planned: int | None = None, target: Decimal | None = None
) -> Assumption | None:
    """Say what always answering the commonest label would reach, and what to go by besides; None where none dominates.

    `whose` says which rows these are: `your rows`; `planned` how many test rows are to be drawn like them, None where
    they are the test rows themselves.
    """
    names = {canonical(label): label for label in labels}
    counts = Counter(names[folded] for row in rows if (folded := canonical(row.target)) in names)
    if not counts:
        return None
    label, most = counts.most_common(1)[0]
    share = Decimal(most) / counts.total()
    if share <= Decimal(table()["rule"]["dominant"]):
        return None
    reached = "" if target is None or share < target else f" That alone would reach the target of {target:.0%}."
    says = (
        f"{share:.0%} of {whose} are “{label}”: always answering it is right that often, so accuracy alone says little."
        f"{reached}{_rare(labels, counts, planned)}"
    )
    return Assumption(says, "Go by macro-F1 too, which reports show beside accuracy, and add rows of the rare labels.")


def _rare(labels: Sequence[str], counts: Mapping[str, int], planned: int | None) -> str:
    """Name the labels of which a test would have too few rows for a figure of their own."""
    least, total = int(table()["rule"]["per_label"]), sum(counts.values())
    rare = [label for label in labels if counts[label] * (planned or total) < least * total]
    if not rare:
        return ""
    more = f" and {len(rare) - _NAMED:,} others" if len(rare) > _NAMED else ""
    drawn = f"Of {planned:,} test rows drawn alike, fewer than {least}" if planned else f"Fewer than {least} each"
    return f" {drawn} are {', '.join(rare[:_NAMED])}{more}: too few for a figure of a label's own."
