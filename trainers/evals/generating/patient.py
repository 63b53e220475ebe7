"""Asks a language model that nobody is billed for again where it failed for a moment; it does not know for what.

What is billed waits in its job instead, where a repeat is written down before it is made.
"""

import time
from collections.abc import Callable, Sequence

from knowledge.models import Message, ModelUnavailable, Used
from trainers.evals.generating.asking import asked
from trainers.evals.generating.written import Writer


class PatientWriter:
    """A language model with a few repeats for what passes: a 500, a 429, a server that starts anew."""

    def __init__(
        self,
        model: Writer,
        tell: Callable[[str], None],
        *,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take the model, who hears of each pause, and how time goes by."""
        self.name = model.name
        self._model, self._tell, self._sleep, self._clock = model, tell, sleep, clock

    def complete(
        self,
        messages: Sequence[Message],
        *,
        temperature: float = 0,
        max_tokens: int,
        count: Callable[[Used], None] | None = None,
    ) -> str:
        """Return the answer; raises ModelUnavailable for what lasts, or took longer to fail than a pause would help."""
        pauses = asked()["patience"]
        for pause in pauses["seconds"]:
            begun = self._clock()
            try:
                return self._model.complete(messages, temperature=temperature, max_tokens=max_tokens, count=count)
            except ModelUnavailable as trouble:
                wait = max(float(pause), trouble.retry_after or 0.0)
                slow = self._clock() - begun > pauses["quick"]
                if not trouble.temporary or slow or wait > pauses["longest"]:
                    raise
                self._tell(f"{trouble.what} I ask again in {wait:g} s.")
                self._sleep(wait)
        return self._model.complete(messages, temperature=temperature, max_tokens=max_tokens, count=count)
