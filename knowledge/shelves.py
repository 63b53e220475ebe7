"""Keeps one keyword index a collection, each in a folder of its own; it does not know who may search which."""

import fcntl
import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from knowledge.errors import ServiceError
from knowledge.keywords import KeywordIndex
from knowledge.places import Place

_LOCK_SECONDS = 3600.0


class Shelves:
    """The keyword indexes of one installation; safe to share by threads."""

    def __init__(self, folder: Path) -> None:
        """Take the folder of all indexes; nothing is read yet."""
        self._folder = folder
        self._lock = threading.Lock()
        self._open: dict[Place, KeywordIndex] = {}
        self._waiting: set[Place] = set()

    def at(self, place: Place) -> KeywordIndex:
        """Return the index of one collection, which may not be written yet."""
        with self._lock:
            if place not in self._open:
                self._open[place] = KeywordIndex(self._folder / place.digest)
            return self._open[place]

    def drop(self, place: Place) -> None:
        """Remove all files of one collection."""
        self.at(place).drop()
        with self._lock:
            self._open.pop(place, None)

    @contextmanager
    def alone(self, place: Place) -> Iterator[None]:
        """Hold the collection, so that two processes or threads never index it at once."""
        locks = self._folder / "locks"
        locks.mkdir(parents=True, exist_ok=True)
        # The lock file stays when its collection is removed: whoever waits for it must wait for the same one.
        with (locks / place.digest).open("a") as handle:
            _wait(handle.fileno())
            yield

    @contextmanager
    def next_alone(self, place: Place) -> Iterator[bool]:
        """Hold the collection as `alone` does; give False at once where a thread of this process waits so already.

        Whoever holds it has to look only then at what there is to do: so one that waits does the work of all who came.
        """
        with self._lock:
            first = place not in self._waiting
            self._waiting.add(place)
        if not first:
            yield False
            return
        with ExitStack() as held:
            try:
                held.enter_context(self.alone(place))
            finally:  # from now on somebody may come whose work we have not seen
                with self._lock:
                    self._waiting.discard(place)
            yield True

    def remove_old(self) -> None:
        """Remove the one index for all workspaces that older versions wrote beside this folder."""
        shutil.rmtree(self._folder.with_name("keywords"), ignore_errors=True)


def _wait(lock: int) -> None:
    give_up = time.monotonic() + _LOCK_SECONDS
    while True:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > give_up:
                raise ServiceError(
                    "Another process has been indexing this collection for an hour.", "Stop it, then try again."
                ) from None
            time.sleep(0.05)
