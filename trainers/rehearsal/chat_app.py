"""Knows HTTP as OpenAI's chat endpoint speaks it, charges for answers, and breaks on request; no model is behind it."""

import asyncio
import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from email.utils import formatdate
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from trainers.rehearsal.chat_faults import ChatFaults
from trainers.rehearsal.chat_models import BASE, NOT_ME, TUNED, Pretender, tokens
from trainers.rehearsal.hang_up import HangUp, able_to_hang_up

_REFUSALS: Mapping[str, tuple[int, str, str]] = {
    "overloaded": (503, "The engine is currently overloaded.", "server_overloaded"),
    "error": (500, "The server had an error while processing your request.", "server_error"),
    "unauthorized": (401, "Incorrect API key provided.", "invalid_api_key"),
    "quota": (429, "You exceeded your current quota.", "insufficient_quota"),
    "too_long": (400, "This model's maximum context length is 10 tokens.", "context_length_exceeded"),
}


@dataclass(kw_only=True)
class ChatRehearsal:
    """The endpoint: its models, its faults, its prices and its list of charges."""

    models: Pretender
    charges: Path
    """JSON lines, one for each answer that was computed, written before it leaves."""
    faults: ChatFaults = field(default_factory=ChatFaults)
    price_in: Decimal = Decimal(1)
    """Dollars per million prompt tokens."""
    price_out: Decimal = Decimal(2)
    """Dollars per million output tokens."""
    key: str = ""
    """The key that it takes; empty: any."""
    under_way: int = 0
    most_under_way: int = 0

    async def chat(self, request: Request) -> Response:
        """POST /v1/chat/completions."""
        if self.key and request.headers.get("authorization") != f"Bearer {self.key}":
            return _error(*_REFUSALS["unauthorized"])
        body = await request.json()
        if body.get("model") not in (BASE, TUNED):
            return _error(404, f"The model {body.get('model')} does not exist.", "model_not_found")
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        try:
            return await self._answer(body)
        finally:
            self.under_way -= 1

    async def _answer(self, body: Mapping[str, Any]) -> Response:
        fault = self.faults.choose(time.monotonic())
        refusal = self._refusal(fault, body)
        if refusal is not None:
            return refusal
        said = self.models.answer(body["model"], body["messages"])
        most = int(body.get("max_tokens") or body.get("max_completion_tokens") or 16)
        calls = said if isinstance(said, list) and body.get("tools") else None
        text = json.dumps(said) if isinstance(said, list) else said[: most * 3]
        usage = {"prompt_tokens": tokens(body["messages"]), "completion_tokens": -(-len(text) // 3)}
        self._charge(body, usage)
        await asyncio.sleep(self.faults.slow_seconds if fault == "slow" else self.faults.latency)
        told = {"content": None, "tool_calls": calls} if calls else {"content": text}
        return self._shaped(fault, body, told, usage)

    def _refusal(self, fault: str, body: Mapping[str, Any]) -> Response | None:
        """Return what a fault answers before anything is computed; None to go on."""
        if fault == "busy":
            seconds = self.faults.retry_after
            said = formatdate(time.time() + seconds, usegmt=True) if self.faults.retry_by_date else f"{seconds:g}"
            return _error(429, "Rate limit reached.", "rate_limit_exceeded", {"Retry-After": said})
        if fault == "drop_before":
            return HangUp()
        if fault == "wants_other" and "max_tokens" in body:
            return _error(400, "Unsupported parameter: use 'max_completion_tokens' instead.", "unsupported_parameter")
        return _error(*_REFUSALS[fault]) if fault in _REFUSALS else None

    def _shaped(
        self, fault: str, body: Mapping[str, Any], told: Mapping[str, Any], usage: Mapping[str, int]
    ) -> Response:
        if fault == "drop_after":
            return HangUp()
        if fault == "malformed":
            return PlainTextResponse('{"object": "chat.completion", "choices": "none"}', media_type="application/json")
        answer = {
            "id": "chatcmpl-rehearsal",
            "object": "chat.completion",
            "created": 0,
            "model": NOT_ME if fault == "other_model" else body["model"],
            "choices": [{"index": 0, "message": {"role": "assistant", **told}, "finish_reason": "stop"}],
        }
        total = sum(usage.values())
        return JSONResponse(answer if fault == "no_usage" else {**answer, "usage": {**usage, "total_tokens": total}})

    def _charge(self, body: Mapping[str, Any], usage: Mapping[str, int]) -> None:
        asked = json.dumps([body["model"], body["messages"]], sort_keys=True)
        cost = (self.price_in * usage["prompt_tokens"] + self.price_out * usage["completion_tokens"]) / 1_000_000
        line = {"model": body["model"], "asked": hashlib.sha256(asked.encode()).hexdigest(), "dollars": str(cost)}
        with self.charges.open("a", encoding="utf-8") as file:
            file.write(json.dumps({**line, **usage}) + "\n")


def build_app(rehearsal: ChatRehearsal) -> ASGIApp:
    """Return the ASGI application: GET /v1/models and POST /v1/chat/completions."""

    async def models(_: Request) -> Response:
        listed = [{"id": name, "object": "model", "owned_by": "rehearsal"} for name in (BASE, TUNED)]
        return JSONResponse({"object": "list", "data": listed})

    routes = [Route("/v1/models", models), Route("/v1/chat/completions", rehearsal.chat, methods=["POST"])]
    return able_to_hang_up(Starlette(routes=routes))


def _error(status: int, message: str, code: str, headers: Mapping[str, str] | None = None) -> Response:
    return JSONResponse({"error": {"message": message, "type": code, "code": code}}, status, headers=headers)
