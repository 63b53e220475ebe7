"""Knows until when a call may still be sent, by a clock that nobody can set; it does not know what is sent."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from knowledge.clock import since_boot


@dataclass(frozen=True)
class Deadline:
    """A moment after which nothing is sent any more, however long the process was stopped meanwhile."""

    until: float
    """In seconds of `clock`."""
    clock: Callable[[], float] = since_boot

    @classmethod
    def after(cls, seconds: float) -> "Deadline":
        """Return the moment so many seconds from now."""
        return cls(since_boot() + seconds)

    def left(self) -> float:
        """Return the seconds that are left; raises TimeoutError where there are none."""
        left = self.until - self.clock()
        if left <= 0:
            raise TimeoutError
        return left

    def guard(self, blocks: Iterable[bytes]) -> Iterator[bytes]:
        """Yield `blocks`, looking at the clock just before each: TimeoutError leaves the receiver without its end.

        Looking names, connecting and the handshake come before the first block, so a process that was stopped in any
        of them has sent a request without a body, which creates nothing.
        """
        for block in blocks:
            self.left()
            yield block
