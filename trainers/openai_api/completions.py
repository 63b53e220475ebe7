"""Knows how OpenAI's API writes an answer of a chat model, whole or as a stream of events; it knows no model."""

import json
import logging
import uuid
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from trainers.openai_api import shapes
from trainers.openai_api.objects import ChatAsk, Piece, Usage
from trainers.openai_api.refusals import ApiError, broken

log = logging.getLogger("luthier.openai_api")


@dataclass(frozen=True, kw_only=True)
class Writer:
    """Writes one answer."""

    ask: ChatAsk
    fingerprint: str
    at: float
    """When it was asked for."""
    id: str

    async def whole(self, pieces: AsyncIterator[Piece]) -> dict[str, Any]:
        """Return a `chat.completion`."""
        text, last = "", Piece("")
        async for last in pieces:
            text += last.text
        message: dict[str, Any] = {"role": "assistant", "content": text, "refusal": None, "annotations": []}
        choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": last.finish or "stop"}
        return {
            **self._head("chat.completion"),
            "choices": [choice],
            "usage": shapes.usage(last.usage or Usage(0, 0)),
        }

    async def stream(self, first: Piece, rest: AsyncIterator[Piece]) -> AsyncIterator[bytes]:
        """Yield server-sent events with `chat.completion.chunk`s; a failure on the way is the last event."""
        try:
            yield self._line(self._chunk({"role": "assistant", "content": "", "refusal": None}))
            last = first
            for line in self._lines(first):
                yield line
            async for last in rest:
                for line in self._lines(last):
                    yield line
            if self.ask.with_usage:
                counted = shapes.usage(last.usage or Usage(0, 0))
                yield self._line({**self._head("chat.completion.chunk"), "choices": [], "usage": counted})
        except ApiError as refusal:
            yield self._line(refusal.body)
        except Exception:  # the answer has begun, so that no status can say it any more; its reason is in our log
            log.exception("an answer broke off")
            yield self._line(broken().body)
        yield b"data: [DONE]\n\n"

    def _lines(self, piece: Piece) -> list[bytes]:
        text = [self._chunk({"content": piece.text})] if piece.text else []
        return [self._line(chunk) for chunk in text + ([self._chunk({}, piece.finish)] if piece.finish else [])]

    def _chunk(self, delta: dict[str, Any], finish: str = "") -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish or None}
        made = {**self._head("chat.completion.chunk"), "choices": [choice]}
        return {**made, "usage": None} if self.ask.with_usage else made

    def _head(self, kind: str) -> dict[str, Any]:
        return {
            "id": self.id,
            "object": kind,
            "created": int(self.at),
            "model": self.ask.model,
            "service_tier": "default",
            "system_fingerprint": self.fingerprint,
        }

    def _line(self, told: dict[str, Any]) -> bytes:
        return b"data: " + json.dumps(told, separators=(",", ":")).encode() + b"\n\n"


def writer(ask: ChatAsk, fingerprint: str, at: float) -> Writer:
    """Begin an answer."""
    return Writer(ask=ask, fingerprint=fingerprint, at=at, id=f"chatcmpl-{uuid.uuid4().hex}")
