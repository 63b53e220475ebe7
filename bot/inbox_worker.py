"""Knows how the inbox is worked off, a few requests at a time; it does not know what they ask for."""

import json
import logging
import threading
import traceback
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial

from slack_bolt import App, BoltRequest
from sqlalchemy.exc import SQLAlchemyError

from bot.store.inbox import Inbox
from bot.store.tables import InboxRow
from knowledge.clock import Clock

log = logging.getLogger("luthier.web")

ANSWERING = 8
"""Requests from the inbox that are worked on at the same time."""

GIVEN_UP = "luthier_given_up"
"""Set in the context of a request that is not to be carried out any more; whoever sent it is told."""

PAUSE = 1.0
"""Seconds between looks into the inbox without a call, and after the database refused one."""


class InboxWorker:
    """Works through the inbox with a bounded pool of threads, oldest first."""

    def __init__(self, app: App, inbox: Inbox, clock: Clock) -> None:
        """Take the App whose dispatch waits for the listener."""
        self._app, self._inbox, self._clock = app, inbox, clock
        self._pool = ThreadPoolExecutor(ANSWERING, thread_name_prefix="inbox")
        self._free = threading.Semaphore(ANSWERING)
        self._bell, self._over = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._loop, daemon=True, name="inbox")

    @property
    def alive(self) -> bool:
        """Whether requests are being taken out of the inbox."""
        return self._thread.is_alive()

    def start(self) -> None:
        """Begin, in a thread of its own."""
        self._thread.start()

    def wake(self) -> None:
        """Look now: something arrived."""
        self._bell.set()

    def stop(self) -> None:
        """Take no more; what is under way stays in the inbox if it does not finish."""
        self._over.set()
        self._bell.set()
        self._thread.join(timeout=5 * PAUSE)
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _loop(self) -> None:
        while not self._over.is_set():
            self._bell.wait(PAUSE)
            self._bell.clear()
            try:
                while self._begin_next():
                    pass
            except SQLAlchemyError as error:
                # Its text repeats what was to be stored, so only its type is told.
                log.error("the inbox cannot be read, trying again: %s", type(error).__name__)
                self._over.wait(PAUSE)

    def _begin_next(self) -> bool:
        """Claim one request as soon as there is a thread for it; False where none is due or all threads are busy."""
        if not self._free.acquire(timeout=PAUSE):
            return False
        claimed = None
        try:
            if not self._over.is_set():
                claimed = next(iter(self._inbox.due(self._clock(), limit=1)), None)
        finally:
            if claimed is None:
                self._free.release()
        if claimed is None:
            return False
        self._pool.submit(self._work, claimed).add_done_callback(partial(self._ended, claimed))
        return True

    def _work(self, row: InboxRow) -> None:
        if self._inbox.spent(row):
            self._give_up(row)
            return
        response = self._app.dispatch(BoltRequest(body=row.body, headers=json.loads(row.headers)))
        # 404 is Bolt's word for a request that no listener wants.
        if response.status in (200, 404):
            self._inbox.done(row.key)
        else:
            self._put_back(row)

    def _give_up(self, row: InboxRow) -> None:
        """Close a request over which processes died, then tell whoever sent it: in this order, lest that kill too."""
        self._inbox.give_up(row.key)
        log.error("%s was given up: the process died over it again and again", row.key)
        self._app.dispatch(BoltRequest(body=row.body, headers=json.loads(row.headers), context={GIVEN_UP: True}))

    def _ended(self, row: InboxRow, work: Future[None]) -> None:
        error = None if work.cancelled() else work.exception()
        try:
            if error is not None:
                log.error("work on %s broke and is tried again later: %s", row.key, _what_and_where(error))
                self._put_back(row)
        except SQLAlchemyError as trouble:
            log.error("%s stays claimed for a while: %s", row.key, type(trouble).__name__)
        finally:
            self._free.release()
            self._bell.set()

    def _put_back(self, row: InboxRow) -> None:
        if not self._inbox.failed(row, self._clock()):
            log.error("a request was given up after several tries: %s", row.key)


def _what_and_where(error: BaseException) -> str:
    """Return an error's type and places without its text, which may repeat what somebody wrote."""
    frames = traceback.extract_tb(error.__traceback__)
    shown = [frame for frame in frames[:-1] if "site-packages" not in frame.filename][-5:] + frames[-1:]
    return f"{type(error).__name__} at " + " < ".join(f"{f.filename}:{f.lineno}" for f in reversed(shown))
