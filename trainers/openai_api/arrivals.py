"""Knows how much is arriving at this moment, and for whom; it does not know what, nor what has arrived before."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import NamedTuple

from trainers.openai_api.refusals import ApiError

AT_ONCE = 16
"""Uploads that those who share room may have under way."""


class Room(NamedTuple):
    """How many bytes may still come, for whoever shares that room."""

    whose: str
    left: int


class Crowded(ApiError):
    """Refuses an upload whose rest is still on its way."""


@dataclass
class Arrivals:
    """The uploads that are under way in this process."""

    _bytes: Counter[str] = field(default_factory=Counter)
    _uploads: Counter[str] = field(default_factory=Counter)

    @contextmanager
    def one(self, room: Room, expected: int) -> Iterator["Arrival"]:
        """Begin an upload of `expected` bytes, 0 where nobody said. Raises Crowded, 429 and 400."""
        if self._uploads[room.whose] >= AT_ONCE:
            said, again = f"{AT_ONCE} uploads are under way: wait for one to end.", {"Retry-After": "10"}
            raise Crowded(429, said, "rate_limit_exceeded", kind="requests", headers=again)
        arrival = Arrival(self._bytes, room)
        self._uploads[room.whose] += 1
        try:
            arrival.take(expected)
            yield arrival
        finally:
            self._uploads[room.whose] -= 1
            arrival.end()


@dataclass
class Arrival:
    """One upload: what it holds of the room."""

    held: Counter[str]
    room: Room
    size: int = 0

    def grow(self, size: int) -> None:
        """Hold room for `size` bytes that have come in all. Raises Crowded where there is none."""
        if size > self.size:
            self.take(size - self.size)

    def take(self, more: int) -> None:
        """Hold so much more."""
        if self.held[self.room.whose] + more > self.room.left:
            said = "The files here would exceed the room there is: delete some first."
            raise Crowded(400, said, "storage_limit_exceeded")
        self.held[self.room.whose] += more
        self.size += more

    def end(self) -> None:
        """Give back what it held: it is on disk by now and counted there, or nowhere."""
        self.held[self.room.whose] -= self.size
