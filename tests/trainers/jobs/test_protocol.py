"""The protocol of paid calls against every interleaving, and the interleavings against spoilt protocols."""

from dataclasses import replace

import pytest

from knowledge.errors import UserError
from tests.trainers.jobs.protocol_model import MUTANTS, Budget, Rules, flaw, search
from trainers.backends.base import Timing
from trainers.jobs.ledger import LEASE
from trainers.jobs.protocol import check_timing, seconds_left

DEATH = Budget(crashes=1, jumps=0)
JUMP = Budget(crashes=0, jumps=1)
SPOILS = (replace(JUMP, stop=False), replace(DEATH, stop=False), JUMP)
"""Without a stop first, so that what is caught is the paying."""


def test_no_interleaving_pays_twice_or_loses_a_job_or_forgets_a_stop() -> None:
    """Two workers, a death between any two steps, late, hidden and lost calls: over 100,000 states, no promise broken.

    Takes about 5 s because it visits them all.
    """
    found = search(Rules(), DEATH)
    assert found.problems == {}
    assert found.states > 100_000


@pytest.mark.slow  # a million states and more
@pytest.mark.parametrize(
    "budget", [Budget(), JUMP, Budget(jumps=0, bans=1, answers=1), Budget(workers=3, crashes=0, jumps=0)]
)
def test_no_interleaving_of_more_breaks_a_promise(budget: Budget) -> None:
    """The same with a clock that jumps, with spending forbidden and a person who decides, and with three workers."""
    assert search(Rules(), budget).problems == {}


@pytest.mark.parametrize("name", MUTANTS)
def test_a_spoilt_protocol_is_caught(name: str) -> None:
    """Leave one line of the protocol out, and some interleaving pays twice, loses the job or ignores the stop."""
    assert any(flaw(MUTANTS[name], budget) for budget in SPOILS)


@pytest.mark.parametrize("timing", [Timing(20, 60, 80), Timing(20, 60, 10), Timing(0, 1, 90), Timing(10, 5, 0)])
def test_waits_that_are_too_short_are_refused_at_start(timing: Timing) -> None:
    """No worker starts where another could look for a call that may still arrive; the message says what to set."""
    with pytest.raises(UserError, match="LUTHIER_PROVIDER_GRACE"):
        check_timing(timing, LEASE.total_seconds())


@pytest.mark.parametrize("timing", [Timing(20, 60, 90), Timing(10, 4, 0), Timing(1, 0, 2)])
def test_waits_that_are_long_enough_are_taken(timing: Timing) -> None:
    """The longer of lease and grace counts."""
    check_timing(timing, LEASE.total_seconds())


def test_a_process_that_slept_sends_nothing() -> None:
    """Once the call's whole time has passed since the intent, none is left."""
    assert seconds_left(20.0, Timing(20, 60, 90)) == 0
    assert seconds_left(25.0, Timing(20, 60, 90)) < 0
