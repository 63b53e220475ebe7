"""A lease that a thread keeps: until a call is back, also after somebody has asked to stop."""

import time

import pytest

from trainers.backends.base import StopRequested
from trainers.jobs.alive import kept_alive


class Hold:
    """A hold of a job that is to be stopped."""

    beats = 0

    def keep(self) -> None:
        self.beats += 1
        raise StopRequested("U0ADA")


def test_a_stop_does_not_end_the_heartbeat_while_a_call_is_out(monkeypatch: pytest.MonkeyPatch) -> None:
    """Otherwise the lease runs out and another worker ends the job while this one still pays."""
    monkeypatch.setattr("trainers.jobs.alive.LOOK", 0.01)
    hold = Hold()
    with kept_alive(hold) as check:
        end = time.monotonic() + 20
        while hold.beats < 3 and time.monotonic() < end:
            time.sleep(0.01)
        assert hold.beats >= 3
        with pytest.raises(StopRequested):
            check()
