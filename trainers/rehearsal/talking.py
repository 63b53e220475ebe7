"""Knows what the rehearsal says in a chat: that it is one, or the right answer where it was given rows; not HTTP."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from trainers.openai_api.objects import ChatAsk, Piece, Usage
from trainers.rehearsal.chat_models import BASE, TUNED, Pretender, tokens

SAID = "This is a rehearsal: nothing was trained, and no language model answers."


@dataclass(frozen=True, kw_only=True)
class Talker:
    """Pretends to be a base and a tuned model."""

    rows: Pretender | None = None
    """Right answers by question; None: it only says what it is."""

    def pieces(self, ask: ChatAsk, *, tuned: bool) -> Iterator[Piece]:
        """Answer word by word, as far as the limit and the stop words let it."""
        text = self._text(ask, tuned)
        ends = [text.find(word) for word in ask.stop if word in text]
        text = text[: min(ends)] if ends else text
        words = re.findall(r"\s*\S+", text)
        shown = words if ask.max_tokens is None else words[: ask.max_tokens]
        for word in shown:
            yield Piece(word)
        usage = Usage(tokens(ask.messages), len(shown))
        yield Piece("", "stop" if len(shown) == len(words) else "length", usage)

    def _text(self, ask: ChatAsk, tuned: bool) -> str:
        if self.rows is None or not self.rows.knows(ask.messages):
            return SAID
        said = self.rows.answer(TUNED if tuned else BASE, ask.messages)
        return said if isinstance(said, str) else json.dumps(said)
