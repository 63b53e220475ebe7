"""Knows the states of jobs and paid submissions, and which job state may follow which; it knows no SQL, no people."""

from typing import Final

TRANSITIONS: Final[dict[str, frozenset[str]]] = {
    "draft": frozenset({"quoted", "cancelled"}),
    "quoted": frozenset({"quoted", "awaiting_approval", "queued", "cancelled"}),
    "awaiting_approval": frozenset({"quoted", "queued", "cancelled"}),
    "queued": frozenset({"queued", "running", "cancelled"}),
    "running": frozenset({"running", "queued", "succeeded", "failed", "cancelled"}),
    "failed": frozenset({"queued"}),
    "cancelled": frozenset({"queued"}),
    "succeeded": frozenset(),
}
"""From each state the states that may follow; running -> queued is a wait (a poll not due, a tool still installing);
queued -> queued is the wish to stop a job that has something running at a provider, which has to be ended first."""

STATES: Final = tuple(TRANSITIONS)
"""Every state, in the order a job meets them."""

LIVE: Final = ("queued", "running")
"""States in which somebody is expected to work on the job."""

ENDED: Final = ("succeeded", "failed", "cancelled")
"""States in which nobody works on the job."""

RESUMABLE: Final = ("failed", "cancelled")
"""States from which a person's `resume` queues a job again, if it was approved before."""


def allowed(old: str, new: str) -> bool:
    """Say whether a job may go from `old` to `new`."""
    return new in TRANSITIONS[old]


SUBMISSION_STATES: Final = ("intended", "accepted", "refused", "abandoned", "asking")
"""intended: may or may not be at the provider. accepted: is there. refused: was never made. abandoned: was not made, or
is over and gone. asking: a person has to say whether to try once more."""
