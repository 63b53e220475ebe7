"""Knows how an answer grows in its thread while it is written, and what is done where Slack does not let it."""

import logging
from collections.abc import Sequence

from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from handlers.blocks.answer import answer_blocks, answer_text, closing_blocks
from handlers.blocks.parts import Block
from handlers.deps import Deps
from handlers.escape import markdown
from handlers.posting import edit, grow, post, remove, start_growing, stop_growing
from knowledge.answer import Answer
from knowledge.conversations import Thread
from knowledge.feedback import Receipt
from knowledge.growing import Growing
from knowledge.tenancy import Person

log = logging.getLogger("luthier.handlers")

LATER = {"ratelimited", "rate_limited"}
"""Errors after which the next piece may bring this one along."""


class GrowingAnswer:
    """One answer in one thread."""

    def __init__(self, client: WebClient, deps: Deps, person: Person, thread: Thread, asked_ts: str) -> None:
        """Take who asked what; half an answer of a process that died over the same question goes away."""
        self._client, self._person, self._thread, self._asked = client, person, thread, asked_ts
        self._begun = Growing(deps.engine)
        self._ts = ""
        self._waiting = ""
        """What was not taken yet."""
        self._refused = self._lost = False
        """Whether Slack lets nothing grow here, or has ended what grew."""
        if half := self._begun.half(thread, asked_ts):
            remove(client, thread.channel, half)
            self._begun.ended(thread, asked_ts)

    def grow(self, text: str) -> bool:
        """Show more of the answer; False where a person pressed Stop."""
        self._waiting += markdown(text)
        if self._refused or self._lost:
            return True
        try:
            self._say()
        except SlackApiError as error:
            return self._goes_on(str(error.response["error"]))
        self._waiting = ""
        return True

    def end(self, said: Answer, receipt: Receipt, before: Sequence[Block] = ()) -> None:
        """Put sources and buttons under what has grown; what could not grow is posted whole, `before` above it."""
        if self._ts and not self._lost:
            try:
                closing = closing_blocks(said, receipt)
                stop_growing(self._client, self._thread.channel, self._ts, closing, self._waiting)
            except SlackApiError as error:
                self._goes_on(str(error.response["error"]))
                self._lost = True
        if not self._ts:
            blocks = [*before, *answer_blocks(said, receipt)]
            post(self._client, self._thread.channel, answer_text(said), blocks, thread_ts=self._thread.thread_ts)
        elif self._lost:
            self._mend(said, receipt)
        self._begun.ended(self._thread, self._asked)

    def _say(self) -> None:
        where = self._thread.channel
        if self._ts:
            grow(self._client, where, self._ts, self._waiting)
            return
        self._ts = start_growing(self._client, where, self._thread.thread_ts, self._person, self._waiting)
        self._begun.begun(self._thread, self._asked, self._ts)

    def _goes_on(self, error: str) -> bool:
        """Take in why Slack did not take a piece, and say whether the answer goes on."""
        if error == "stopped_by_user":
            self._waiting = ""
            return False
        self._refused = not self._ts
        self._lost = bool(self._ts) and error not in LATER
        if self._lost:
            log.warning("an answer stopped growing: %s", error)
        return True

    def _mend(self, said: Answer, receipt: Receipt) -> None:
        """Write the whole answer into a message that Slack has ended; one that people removed stays away."""
        try:
            edit(self._client, self._thread.channel, self._ts, answer_text(said), answer_blocks(said, receipt))
        except SlackApiError as error:
            if error.response["error"] != "message_not_found":
                raise
