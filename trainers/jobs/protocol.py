"""Knows what to do next about a paid call, from plain facts; it does not know SQL, clocks, HTTP or what is paid for.

These functions are the whole judgement of `trainers.jobs.submission`, and tests/trainers/jobs/protocol_model.py runs
them through every interleaving of workers, crashes, clock steps and a provider that answers late, twice or never.
"""

from enum import StrEnum
from typing import Final, NamedTuple

from knowledge.errors import UserError
from trainers.backends.base import Timing

MOST_TRIES: Final = 3
"""Calls of unknown outcome, each proven by two look-ups to have made nothing, before a person is asked."""


class Step(StrEnum):
    """What to do next about a paid call."""

    SEND = "send"
    """Write the intent, then call."""
    HOLD = "hold"
    """Do not send: spending is not allowed now."""
    WAIT = "wait"
    """An earlier call may still arrive, or may be hidden."""
    REDATE = "redate"
    """The clock was set back: count the wait from now."""
    LOOK = "look"
    """Ask the provider for the submission id, then `after_look`."""
    REMEMBER = "remember"
    """Write down that a first look found nothing, then wait."""
    ADOPT = "adopt"
    """It is there: record its provider id."""
    HAVE = "have"
    """Its provider id is recorded already."""
    CLOSED = "closed"
    """It was refused, or given up."""
    ASK = "ask"
    """Let a person decide whether to try once more."""
    GIVE_UP = "give up"
    """The job is being stopped and nothing was made: never send."""
    SILENT = "silent"
    """The provider did not answer the look-up: look later."""


class Seen(NamedTuple):
    """What is known about a paid call; seconds are those of the wall clock and negative where it was set back."""

    state: str
    """The row's state; "" where there is no row yet."""
    since_try: float | None
    """Seconds since the newest intent; None where nothing can be under way."""
    since_look: float | None
    """Seconds since a look-up first found nothing after that intent."""
    tries: int
    """Intents whose call may have arrived."""
    may_send: bool
    """Whether approval, limits and switches still allow to spend."""
    stopping: bool
    """Whether somebody asked the job to stop."""


def next_step(seen: Seen, timing: Timing, lease: float) -> Step:
    """Say what to do about a paid call before anybody looked at the provider."""
    if seen.state == "accepted":
        return Step.HAVE
    if seen.state in ("refused", "abandoned"):
        return Step.CLOSED
    if seen.since_try is None:
        return _to_send(seen)
    if seen.since_try < 0:
        return Step.REDATE  # waits longer, never shorter
    if seen.since_try <= max(lease, timing.grace):
        return Step.WAIT
    return Step.LOOK


def after_look(seen: Seen, found: bool, timing: Timing) -> Step:
    """Say what to do after a look at the provider.

    One look is not enough to send again: had the clock jumped ahead since the intent, the call could still be on its
    way. The second look comes a whole timeout + lag after the first.
    """
    if found:
        return Step.ADOPT
    if seen.since_look is None or seen.since_look < 0:
        return Step.REMEMBER
    if seen.since_look <= timing.timeout + timing.lag:
        return Step.WAIT
    return _to_send(seen)


def seconds_left(since_intent: float, timing: Timing) -> float:
    """Return how long the call may take, by a clock that nobody can set; 0 and less: do not send (zombie guard)."""
    return timing.timeout - since_intent


def _to_send(seen: Seen) -> Step:
    if seen.stopping:
        return Step.GIVE_UP
    if seen.state == "asking":
        return Step.ASK
    if seen.may_send and seen.tries < MOST_TRIES:
        return Step.SEND
    return Step.ASK if seen.tries else Step.HOLD


def check_timing(timing: Timing, lease: float) -> None:
    """Raise UserError unless whoever takes a job over waits until an earlier call can no longer arrive or hide."""
    patience = max(lease, timing.grace)
    if timing.timeout <= 0 or timing.lag < 0 or patience <= timing.timeout + timing.lag:
        raise UserError(
            f"A paid call may take {timing.timeout:g} s and stay hidden for {timing.lag:g} s more, but after "
            f"{patience:g} s another worker would look for it: it could be paid twice.",
            f"Set LUTHIER_PROVIDER_GRACE to more than {timing.timeout + timing.lag:g} seconds.",
        )
