"""Tells open pages what changed, each person only what they may see. Knows subscribers, not what an event means."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable

from bot.console.wire import Json

BACKLOG = 2000
"""Events that a page may lag behind before it is told to reload everything."""

END: Json = {"type": "end"}
"""The last event of a stream."""


class Hub:
    """One queue for each open page."""

    def __init__(self) -> None:
        self.seq = 0
        """Events told so far; an answer that carries it says up to which event it is up to date."""
        self._queues: dict[str, set[asyncio.Queue[Json]]] = defaultdict(set)

    def subscribe(self, user: str) -> asyncio.Queue[Json]:
        """A new queue of events for this person's page."""
        queue: asyncio.Queue[Json] = asyncio.Queue()
        self._queues[user].add(queue)
        return queue

    def unsubscribe(self, user: str, queue: asyncio.Queue[Json]) -> None:
        """The page has gone."""
        self._queues[user].discard(queue)

    def tell(self, users: Iterable[str], event: Json) -> None:
        """Queue an event for every open page of these people."""
        self.seq += 1
        event = {**event, "seq": self.seq}
        for user in users:
            for queue in self._queues.get(user, ()):
                if queue.qsize() < BACKLOG:
                    queue.put_nowait(event)
                elif queue.qsize() == BACKLOG:
                    queue.put_nowait({"type": "reload"})

    def end(self) -> None:
        """End every open stream; the pages connect anew and ask for everything again."""
        for queues in self._queues.values():
            for queue in queues:
                queue.put_nowait(END)
