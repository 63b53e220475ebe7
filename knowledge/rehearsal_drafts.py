"""A small chat server that answers requests for drafts of test rows, without a language model behind it, for tests.

It speaks OpenAI's protocol like `knowledge.rehearsal` and writes numbered texts, so that everything between us and a
real endpoint can be rehearsed: JSON between words, broken JSON, repetition, and an endpoint that stops half-way.
"""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

MODEL = "rehearsal of drafts (no language model)"
"""What every reply names as its model."""

TOKENS = 50
"""What every reply says that it took."""

Mode = Literal["good", "wordy", "broken_json", "repeats", "empty_rows", "wrong_label"]
"""good: JSON. wordy: JSON between fences and words. broken_json: rows whose JSON ends early. repeats: always the same
text. empty_rows: rows without text. wrong_label: answers outside any set."""

_PLAN = re.compile(r'<plan kind="(\w+)" number="(\d+)"/>')
_ROW = re.compile(r'<row kind="(\w+)"/>')
_ABOUT = re.compile(r"<about>(.*?)</about>", re.DOTALL)
_LABELS = re.compile(r"<labels>(.*?)</labels>", re.DOTALL)


@dataclass
class DraftRehearsal:
    """What the server does next and what it was asked; tests read and change it while it runs."""

    mode: Mode = "good"
    """How it behaves."""
    fails_after: int | None = None
    """Replies after which it answers 429 for good."""
    requests: list[dict[str, Any]] = field(default_factory=list)
    """Bodies of the chat requests so far."""


def build_app(rehearsal: DraftRehearsal) -> ASGIApp:
    """Return the ASGI application: POST /v1/chat/completions."""

    async def chat(request: Request) -> Response:
        body = await request.json()
        rehearsal.requests.append(body)
        if rehearsal.fails_after is not None and len(rehearsal.requests) > rehearsal.fails_after:
            error = {"message": "Rate limit reached.", "type": "rate_limit_exceeded", "code": "rate_limit_exceeded"}
            return JSONResponse({"error": error}, 429)
        return JSONResponse(_completion(reply(body["messages"], rehearsal.mode, len(rehearsal.requests))))

    return Starlette(routes=[Route("/v1/chat/completions", chat, methods=["POST"])])


def reply(messages: Sequence[Mapping[str, Any]], mode: Mode, number: int) -> str:
    """Return the tuples or the text that the last message asks for; `number` makes texts differ."""
    asked = str(messages[-1]["content"])
    plan = _PLAN.search(asked)
    if plan:
        about = [f"{plan[1]} matter {_word(place)} of {plan[2]}" for place in range(int(plan[2]))]
        tuples = [{"about": each, "reveals": f"The model stumbles over {each}."} for each in about]
        return _dressed(json.dumps({"tuples": tuples}), mode)
    if not _ROW.search(asked):
        return "This is a rehearsal of drafts, and the request asks for none."
    row = {"input": _text(asked, mode, number), "target": _answer(asked, mode)}
    written = json.dumps(row)
    return written[: len(written) // 2] if mode == "broken_json" else _dressed(written, mode)


def _text(asked: str, mode: Mode, number: int) -> str:
    if mode == "repeats":
        return "Good morning, it is always the same with you, isn't it?"
    if mode == "empty_rows":
        return "  "
    found = _ABOUT.search(asked)
    return f"{_word(number).capitalize()} {_word(number * 7)} {_word(number * 11)}: {found[1] if found else 'nothing'}."


def _answer(asked: str, mode: Mode) -> str:
    labels = _LABELS.search(asked)
    if mode == "wrong_label":
        return "no such label"
    return labels[1].split(", ")[0] if labels else ""


def _word(number: int) -> str:
    """Spell a number in syllables, so that no two texts are nearly the same."""
    syllables = ("ba", "do", "fi", "gu", "ke", "lo", "mi", "nu", "pa", "re", "so", "tu", "va", "we", "xi", "zo")
    return "".join(syllables[(number * step + step) % 16] for step in (1, 3, 5, 7, 9))


def _dressed(text: str, mode: Mode) -> str:
    return f"Of course! Here you are:\n```json\n{text}\n```\nTell me if you need more." if mode == "wordy" else text


def _completion(text: str) -> dict[str, Any]:
    return {
        "id": "chatcmpl-rehearsal-drafts",
        "object": "chat.completion",
        "created": 0,
        "model": MODEL,
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 0, "completion_tokens": TOKENS, "total_tokens": TOKENS},
    }
