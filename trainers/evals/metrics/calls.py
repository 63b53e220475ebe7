"""Marks calls of tools, by name and arguments; it makes no call and does not judge what is said in words.

Worked example: wanted `→ find({"n": 7})`. The same call with the keys in another order, or 7.0 for 7, is right; another
tool or other arguments are not, nor is an answer in words. Of several calls the order does not matter.

>>> from trainers.data.jsonl import Message
>>> row = Row(1, (Message("user", "Where is parcel 7?"), Message("assistant", '→ find({"n": 7})')))
>>> metric = ToolCalls(Setup())
>>> [metric.mark(row, said).score for said in ('→ find({"n": 7})', '→ find({"n": 8})', "It is in Ulm.")]
[1.0, 0.0, 0.0]
>>> metric.mark(row, '→ find({"n": 8})').note
'calls find with other arguments'
"""

from collections.abc import Sequence
from typing import ClassVar

from trainers.data.formats.whole import calls_in, name_of
from trainers.data.jsonl import Row
from trainers.evals.metrics.base import Figure, Mark, Setup
from trainers.evals.metrics.rates import checked, full_marks

_LONGEST = 60
"""Characters of a tool's name that are shown."""


class ToolCalls:
    """Right are the same tools with the same arguments, or none where none is wanted."""

    binary: ClassVar[bool] = True
    title: ClassVar[str] = "the calls of tools right"
    caution: ClassVar[str] = (
        "Only calls of tools are compared, by name and arguments. Where none is wanted, an answer in words counts as "
        "right whatever it says, so read the cases before you trust the numbers."
    )

    def __init__(self, setup: Setup) -> None:
        """Need nothing of the task."""

    def mark(self, row: Row, output: str) -> Mark:
        """Score 1 for the same calls; check `tool` is the right name, `called` whether a tool is called at all."""
        wanted, given = calls_in(row.target), calls_in(output)
        names = [sorted(map(name_of, calls)) for calls in (wanted, given)]
        checks = {"tool": float(names[0] == names[1]), "called": float(bool(wanted) is bool(given))}
        return Mark(float(wanted == given), checks, "" if wanted == given else _why(*names))

    def figures(self, rows: Sequence[Row], outputs: Sequence[str | None], marks: Sequence[Mark]) -> tuple[Figure, ...]:
        """Shares of right calls, of the right tool, and of a tool called where one should be and nowhere else."""
        return (
            full_marks("right calls", marks),
            checked("right tool", "tool", marks),
            checked("called where it should", "called", marks),
        )


def _why(wanted: Sequence[str], given: Sequence[str]) -> str:
    if not given:
        return f"calls nothing, where {_listed(wanted)} is wanted"
    if wanted == given:
        return f"calls {_listed(given)} with other arguments"
    return f"calls {_listed(given)}, where {_listed(wanted) or 'no tool'} is wanted"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(name[:_LONGEST] for name in names[:3])
