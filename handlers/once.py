"""Knows which clicks were followed a moment ago, so that a double click is one wish; it does not know what they do."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

AGAIN = timedelta(seconds=20)
"""How long most clicks are remembered: what they start takes seconds to show."""


class Once:
    """Clicks of this process: there is one web process for an installation."""

    def __init__(self, again: timedelta = AGAIN) -> None:
        """Remember none; after `again` the same click is a new wish."""
        self._again = again
        self._lock = threading.Lock()
        self._begun: dict[str, datetime] = {}

    def first(self, click: str, now: datetime) -> bool:
        """Say whether nobody made this click within the last seconds, and remember it."""
        with self._lock:
            self._begun = {each: at for each, at in self._begun.items() if at > now - self._again}
            if click in self._begun:
                return False
            self._begun[click] = now
            return True


_under_way: set[str] = set()
_lock = threading.Lock()


@contextmanager
def alone(request: str) -> Iterator[bool]:
    """Say whether nobody else in this process works on the same request, such as a form that was sent twice."""
    with _lock:
        first = request not in _under_way
        _under_way.add(request)
    try:
        yield first
    finally:
        if first:
            with _lock:
                _under_way.discard(request)
