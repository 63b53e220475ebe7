"""Knows the states of a job and which change may follow which; it knows nothing of SQL, queues or people."""

from typing import Final

TRANSITIONS: Final[dict[str, frozenset[str]]] = {
    "draft": frozenset({"quoted", "cancelled"}),
    "quoted": frozenset({"quoted", "awaiting_approval", "queued", "cancelled"}),
    "awaiting_approval": frozenset({"quoted", "queued", "cancelled"}),
    "queued": frozenset({"running", "cancelled"}),
    "running": frozenset({"running", "queued", "succeeded", "failed", "cancelled"}),
    "failed": frozenset({"queued"}),
    "cancelled": frozenset({"queued"}),
    "succeeded": frozenset(),
}
"""From each state the states that may follow; running -> queued is a wait (a poll not due, a tool still installing)."""

STATES: Final = tuple(TRANSITIONS)
"""Every state, in the order a job meets them."""

LIVE: Final = ("queued", "running")
"""States in which somebody is expected to work on the job."""

ENDED: Final = ("succeeded", "failed", "cancelled")
"""States in which nobody works on the job."""


def allowed(old: str, new: str) -> bool:
    """Say whether a job may go from `old` to `new`."""
    return new in TRANSITIONS[old]
