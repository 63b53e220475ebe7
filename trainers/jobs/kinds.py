"""Knows what kinds of jobs are called that neither train nor evaluate, and which command asks for a job again."""

from typing import Final

DRAFTING: Final = "drafting"
"""Kind (and backend) of the jobs in which a language model writes training rows."""

AS_IT_GOES: Final = ("endpoint", DRAFTING)
"""Backends that pay for many small calls, each kept in the job's own folder, and not for one run at a provider."""


def again(kind: str) -> str:
    """Name the command by which a job of this kind is asked for, as lower layers write it."""
    return "`data generate`" if kind == DRAFTING else "`train`"
