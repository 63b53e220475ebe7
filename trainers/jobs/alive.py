"""Keeps a lease from a thread while the work in hand cannot, as one call or one file may take a minute."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from trainers.backends.base import StopRequested

LOOK = 0.5
"""Seconds between two looks of the thread that keeps the lease."""


class Kept(Protocol):
    """The worker's hold on the job."""

    def keep(self) -> None:
        """Renew the lease; raises StopRequested, WorkerLeaving or LeaseLost."""


@contextmanager
def kept_alive(hold: Kept) -> Iterator[Callable[[], None]]:
    """Renew the lease until the end of the block; gives what raises its findings in our thread."""
    over, found = threading.Event(), list[Exception]()

    def beat() -> None:
        while not over.wait(LOOK):
            try:
                hold.keep()
            except StopRequested as wish:  # the call that is out is ours until it is back
                found[:] = [wish]
            except Exception as error:  # whatever it is, it is for the thread that works
                found.append(error)
                return

    def check() -> None:
        if found:
            raise found[-1]

    beating = threading.Thread(target=beat, daemon=True, name="lease")
    beating.start()
    try:
        yield check
    finally:
        over.set()
        beating.join()
