"""A small chat server that speaks OpenAI's protocol without a language model behind it, for tests and demos.

It repeats sentences of the numbered passages in the request, so that everything between us and a real endpoint can be
rehearsed: the wire, streaming, errors, and what happens to sentences that no passage supports. Its `model` field says
what it is, whatever name was asked for. Start it with `python -m knowledge.rehearsal --port 8088 [--mode slow]`; it
knows the model `rehearsal`, or those of `--model NAME`, and answers 404 for any other.
"""

import argparse
import asyncio
import html
import json
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from knowledge.keywords import terms
from knowledge.rehearsal_embeddings import embeddings
from knowledge.rehearsal_judge import JudgeMode, rule
from knowledge.rerank import SCHEMA
from knowledge.sentences import sentences

MODEL = "rehearsal (no language model)"
"""What every reply names as its model."""

NAME = "rehearsal"
"""The model that a started server knows where no other is named."""

Mode = Literal["good", "unauthorized", "busy", "broken", "slow", "malformed", "cut", "unsupported", "empty", "plain"]
"""good: answers. unauthorized: 401. busy: 429 with Retry-After 7. broken: 500. slow: waits. malformed: no chat
completion. cut: a stream that ends half-way, any other answer at its length limit. unsupported: adds sentences that no
passage holds. empty: no text. plain: 400 for a request with a response format."""

_PASSAGE = re.compile(r'<passage n="(\d+)"[^>]*>\n(.*?)\n</passage>', re.DOTALL)
_QUESTION = re.compile(r"^Question: (.*)$", re.MULTILINE)
_UNSUPPORTED = (
    "This sentence carries no mark.",
    "This one cites a passage that was never given [99].",
    "This one adds the number 987654321 to what the passage says [1].",
    "This one names ZyxQ7 as a source [1].",
    "The passage says \u201cpurple elephants train faster\u201d [1].",
    "Read more at https://example.invalid/elsewhere [1].",
)


@dataclass
class Rehearsal:
    """What the server does next and what it was asked; tests read and change it while it runs."""

    mode: Mode = "good"
    """How it behaves."""
    delay: float = 30.0
    """Seconds that the mode slow waits."""
    judge: JudgeMode | None = None
    """How it compares answers; None: it repeats passages."""
    refusals: int = 0
    """Such requests that it still answers with 429 before it goes on as its mode says."""
    pause: str = "7"
    """Retry-After of a 429."""
    script: list[str] = field(default_factory=list)
    """Texts that it answers next, word for word and one a request, before it goes on as its mode says."""
    usage: bool = True
    """Whether it says what an answer took."""
    requests: list[dict[str, Any]] = field(default_factory=list)
    """Bodies of the requests for answers and for embeddings so far."""
    models: Sequence[str] = ()
    """Names that it knows, any other gets a 404; none: it takes any."""
    hits: int = 0
    """Requests of any kind so far, also to addresses that it does not have."""
    headers: list[Mapping[str, str]] = field(default_factory=list)
    """Their headers, names in lower case."""


def build_app(rehearsal: Rehearsal) -> ASGIApp:
    """Return the ASGI application: GET /v1/models, POST /v1/chat/completions and /v1/embeddings."""

    async def models(_: Request) -> Response:
        return await _misbehave(rehearsal, {}) or JSONResponse(listed(rehearsal.models or (MODEL,)))

    async def chat(request: Request) -> Response:
        body = await request.json()
        rehearsal.requests.append(body)
        rehearsal.headers.append(dict(request.headers))
        refusal = unknown_model(rehearsal.models, body) or await _misbehave(rehearsal, body)
        if refusal is not None:
            return refusal
        text = "" if rehearsal.mode == "empty" else _text(body, rehearsal)
        if body.get("stream"):
            asks = (body.get("stream_options") or {}).get("include_usage") and rehearsal.usage
            usage = _completion(text, body.get("messages", []), "stop")["usage"] if asks else None
            pieces = _pieces(text, usage, cut=rehearsal.mode == "cut")
            return StreamingResponse(pieces, media_type="text/event-stream")
        answer = _completion(text, body.get("messages", []), "length" if rehearsal.mode == "cut" else "stop")
        return JSONResponse(answer if rehearsal.usage else answer | {"usage": None})

    async def embed(request: Request) -> Response:
        body = await request.json()
        rehearsal.requests.append(body)
        rehearsal.headers.append(dict(request.headers))
        return await _misbehave(rehearsal, body) or JSONResponse(embeddings(body, MODEL))

    routes = [
        Route("/v1/models", models),
        Route("/v1/chat/completions", chat, methods=["POST"]),
        Route("/v1/embeddings", embed, methods=["POST"]),
    ]
    app = Starlette(routes=routes)

    async def counted(scope: Scope, receive: Receive, send: Send) -> None:
        rehearsal.hits += scope["type"] == "http"
        await app(scope, receive, send)

    return counted


def reply(messages: Sequence[Mapping[str, Any]], mode: Mode = "good") -> str:
    """Return the sentences of the request's passages that share most words with its question, each with its mark."""
    prompt = "\n".join(str(message.get("content", "")) for message in messages)
    passages = {int(number): html.unescape(text) for number, text in _PASSAGE.findall(prompt)}
    if not passages:
        return "This is a rehearsal without a language model, and the request holds no numbered passages to repeat."
    asked = _QUESTION.search(prompt)
    wanted = set(terms(asked[1] if asked else prompt[-500:]))
    rated = [
        (len(wanted & set(terms(sentence))), -number, sentence)
        for number, text in passages.items()
        for sentence in sentences(text)
    ]
    best = sorted((entry for entry in rated if entry[0]), reverse=True)[:3]
    if not best:
        return "NO_SOURCE"
    told = [f"{sentence.rstrip('.')} [{-number}]." for _, number, sentence in best]
    return " ".join([*told, *_UNSUPPORTED] if mode == "unsupported" else told)


def listed(models: Sequence[str]) -> dict[str, Any]:
    """Return the reply to GET /models."""
    return {"object": "list", "data": [{"id": name, "object": "model", "owned_by": "luthier"} for name in models]}


def unknown_model(models: Sequence[str], body: Mapping[str, Any]) -> Response | None:
    """Return OpenAI's 404 for a model that is none of `models`; None where it is one of them, or there are none."""
    name = str(body.get("model") or "")
    if not models or name in models:
        return None
    message = f"The model `{name}` does not exist or you do not have access to it."
    error = {"message": message, "type": "invalid_request_error", "param": None, "code": "model_not_found"}
    return JSONResponse({"error": error}, 404)


def order(messages: Sequence[Mapping[str, Any]]) -> str:
    """Return the numbers of the request's passages by how many words they share with its question."""
    prompt = "\n".join(str(message.get("content", "")) for message in messages)
    asked = _QUESTION.search(prompt)
    wanted = set(terms(asked[1] if asked else ""))
    shared = {int(n): len(wanted & set(terms(html.unescape(text)))) for n, text in _PASSAGE.findall(prompt)}
    return json.dumps({"order": sorted((n for n in shared if shared[n]), key=lambda n: (-shared[n], n))})


def _text(body: Mapping[str, Any], rehearsal: Rehearsal) -> str:
    messages = body.get("messages", [])
    if rehearsal.script:
        return rehearsal.script.pop(0)
    if body.get("response_format", {}).get("json_schema", {}).get("name") == SCHEMA["title"]:
        return order(messages)
    return rule(messages, rehearsal.judge) if rehearsal.judge else reply(messages, rehearsal.mode)


async def _misbehave(rehearsal: Rehearsal, body: Mapping[str, Any]) -> Response | None:
    """Return the reply of a mode that refuses to answer; None to go on."""
    if rehearsal.refusals > 0:
        rehearsal.refusals -= 1
        return _error(429, "Rate limit reached.", "rate_limit_exceeded", {"Retry-After": rehearsal.pause})
    match rehearsal.mode:
        case "unauthorized":
            return _error(401, "Incorrect API key provided.", "invalid_api_key")
        case "busy":
            return _error(429, "Rate limit reached.", "rate_limit_exceeded", {"Retry-After": rehearsal.pause})
        case "broken":
            return _error(500, "The server had an error.", "server_error")
        case "malformed":
            return PlainTextResponse('{"object": "chat.completion", "choices": "none"}', media_type="application/json")
        case "plain" if "response_format" in body:
            return _error(400, "Unknown parameter: response_format.", "unknown_parameter")
        case "slow":
            await asyncio.sleep(rehearsal.delay)
    return None


def _error(status: int, message: str, code: str, headers: Mapping[str, str] | None = None) -> Response:
    return JSONResponse({"error": {"message": message, "type": code, "code": code}}, status, headers=headers)


def _completion(text: str, messages: Sequence[Mapping[str, Any]], finish: str) -> dict[str, Any]:
    asked, said = sum(len(str(message.get("content", "")).split()) for message in messages), len(text.split())
    return {
        "id": "chatcmpl-rehearsal",
        "object": "chat.completion",
        "created": 0,
        "model": MODEL,
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": finish}],
        "usage": {"prompt_tokens": asked, "completion_tokens": said, "total_tokens": asked + said},
    }


async def _pieces(text: str, usage: Mapping[str, int] | None, *, cut: bool) -> AsyncIterator[str]:
    """Yield server-sent events, a word each, and one with what it took; a cut stream ends in the middle of an event."""
    words = re.findall(r"\S+\s*", text)
    for word in words[: len(words) // 2] if cut else words:
        yield _event({"content": word}, None)
    if cut:
        yield 'data: {"id": "chatcmpl-rehea'
        return
    yield _event({}, "stop")
    if usage:
        yield _event({}, None, usage)
    yield "data: [DONE]\n\n"


def _event(delta: Mapping[str, str], finish: str | None, usage: Mapping[str, int] | None = None) -> str:
    """Return an event; the one that says what the answer took has no choices."""
    choices = [] if usage else [{"index": 0, "delta": delta, "finish_reason": finish}]
    chunk = {"id": "chatcmpl-rehearsal", "object": "chat.completion.chunk", "created": 0, "model": MODEL}
    return f"data: {json.dumps(chunk | {'choices': choices, 'usage': usage})}\n\n"


def main(arguments: Sequence[str] | None = None) -> None:
    """Serve until interrupted."""
    import uvicorn

    parser = argparse.ArgumentParser(prog="python -m knowledge.rehearsal", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--port", type=int, default=8088, help="port on 127.0.0.1 (default: 8088)")
    parser.add_argument("--mode", choices=get_args(Mode), default="good", help="how to behave (default: good)")
    parser.add_argument("--judge", choices=get_args(JudgeMode), help="how to compare answers (default: not at all)")
    parser.add_argument("--model", action="append", help="name that it knows, repeatable (default: rehearsal)")
    options = parser.parse_args(arguments)
    models = options.model or [NAME]
    app = build_app(Rehearsal(mode=options.mode, judge=options.judge, models=models))
    uvicorn.run(app, host="127.0.0.1", port=options.port, log_level="warning")


if __name__ == "__main__":
    main()
