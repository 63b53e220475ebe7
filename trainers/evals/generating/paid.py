"""Asks a language model below a limit in dollars, each call written down before it is made; it does not know for what.

A process that dies between a call and its answer leaves the call in the journal, where it counts as paid in full.
"""

from collections.abc import Callable, Sequence
from decimal import Decimal

from knowledge.errors import ServiceError
from knowledge.models import Message, ModelUnavailable, Used
from trainers.evals.endpoint.journal import Journal
from trainers.evals.endpoint.spending import Meter
from trainers.evals.endpoint.wire import Question, Reply
from trainers.evals.generating.written import Writer
from trainers.policy import dollars


class Spent(ServiceError):
    """What was approved would not hold the next call."""


class PaidWriter:
    """A language model that costs something."""

    def __init__(self, model: Writer, meter: Meter, journal: Journal | None = None) -> None:
        """Take the model, what may be spent, and where calls are written down; without that they die with us."""
        self.name = model.name
        self._model, self._meter, self._journal, self._number = model, meter, journal, 0

    def complete(
        self,
        messages: Sequence[Message],
        *,
        temperature: float = 0,
        max_tokens: int,
        count: Callable[[Used], None] | None = None,
    ) -> str:
        """Return the answer; raises Spent where it might cost more than is left, ModelUnavailable as the model does."""
        question = Question(self.name, tuple((turn.role, turn.content) for turn in messages), max_tokens)
        held = self._meter.reserve(question)
        if held is None:
            raise Spent(f"The approved {dollars(self._meter.limit)} would not hold another call.")
        self._number += 1
        key = str(self._number)
        if self._journal is not None:
            self._journal.asked(key, held)
        used: list[Used] = []
        try:
            return self._model.complete(messages, temperature=temperature, max_tokens=max_tokens, count=used.append)
        except ModelUnavailable as trouble:
            if not used:
                self._lost(key, held, trouble)
            raise
        finally:
            for each in used:
                prompt, output = (None, None) if each.estimated else (each.prompt, each.tokens - each.prompt)
                cost = self._meter.settle(question, held, (prompt, output))
                if self._journal is not None:
                    self._journal.answered(key, Reply("", 0.0, prompt, output, model=self.name), cost)
                if count is not None:
                    count(each)

    def _lost(self, key: str, held: Decimal, trouble: ModelUnavailable) -> None:
        """Count a call that no answer came of: nothing where the endpoint said no, else all that it may have cost."""
        if trouble.refused:
            self._meter.release(held)
        else:
            self._meter.lose(held)
        if self._journal is not None and trouble.refused:
            self._journal.free(key)
        elif self._journal is not None:
            self._journal.gone(key, type(trouble).__name__)
