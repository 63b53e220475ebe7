"""Knows which clicks were followed a moment ago, so that a double click is one wish; it does not know what they do."""

import threading
from datetime import datetime, timedelta

AGAIN = timedelta(seconds=20)
"""After that the same click is a new wish."""


class Once:
    """Clicks of this process: there is one web process for an installation."""

    def __init__(self) -> None:
        """Remember none."""
        self._lock = threading.Lock()
        self._begun: dict[str, datetime] = {}

    def first(self, click: str, now: datetime) -> bool:
        """Say whether nobody made this click within the last seconds, and remember it."""
        with self._lock:
            self._begun = {each: at for each, at in self._begun.items() if at > now - AGAIN}
            if click in self._begun:
                return False
            self._begun[click] = now
            return True
