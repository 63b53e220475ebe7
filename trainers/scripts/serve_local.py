"""A resident local model behind a private unix socket, shaped like OpenAI's chat API; it keeps nothing that it is told.

Run as ``python -m trainers.scripts.serve_local --socket PATH --base DIR --adapters ROOT --idle SECONDS``.
``GET /v1/models`` and ``POST /v1/chat/completions``; ``model`` is "base" or the absolute path of an adapter's folder
below ROOT. The base is loaded once, adapters come and go beside it, many answers are written at once, whole or as a
stream; without a ``temperature`` each token is the likeliest.
Prints ``{"event": "ready"}`` when it listens, and ends when nobody asked for a while or its stdin ends.
"""

import argparse
import asyncio
import contextlib
import json
import os
import socket
import threading
import time
import uuid
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route

from trainers.scripts.child import Child, ScriptError, guarded, leave, only_one

ADAPTERS_KEPT = 16
"""Adapters held beside the base, 20 MB each at rank 16; the one unused the longest leaves first."""
BODY_LIMIT = 1_000_000
"""Bytes of a request; a conversation that fits the model is far smaller."""
CONTEXT_TOKENS = 4096
"""Most tokens of prompt and answer together; on two CPU cores this already takes seconds to read."""
OFFERED: dict[str, tuple[object, ...]] = {"n": (None, 1), "tools": (None, [])}
"""Values that mean what this server does; any other would be a promise it does not keep."""
DEFAULT_TOKENS = 128
"""New tokens where the request names no limit."""


class ApiError(Exception):
    """A request that cannot be answered, in the shape that OpenAI's clients expect."""

    def __init__(self, message: str, *, param: str | None, code: str, status: int = 400) -> None:
        """Take what is wrong with which parameter; ``code`` is one of OpenAI's where it has one."""
        self.status = status
        self.body = {"error": {"message": message, "type": "invalid_request_error", "param": param, "code": code}}
        super().__init__(message)


class Ask(NamedTuple):
    """A checked request."""

    model: str
    """"base" or an adapter's folder."""
    messages: list[dict[str, str]]
    """The conversation; the last turn is not the assistant's."""
    max_tokens: int
    """Most tokens of the answer; 0: as many as there is room for."""
    temperature: float = 0.0
    top_p: float = 1.0
    seed: int | None = None
    stop: tuple[str, ...] = ()
    stream: bool = False


class Said(NamedTuple):
    """A part of an answer; the last one has a finish reason."""

    text: str
    finish_reason: str
    """"stop", "length" when the limit cut it off, or "" while it goes on."""
    prompt_tokens: int
    completion_tokens: int


class LocalModel:
    """The base and the adapters that were asked for lately."""

    def __init__(self, base: Path, adapters: Path, threads: int, precision: str) -> None:
        """Load the base."""
        from trainers.scripts.chat import stop_ids
        from trainers.scripts.local_model import choose_runtime, context_tokens, load_base
        from trainers.scripts.writing import Adapters

        self.runtime = choose_runtime(precision, threads)
        self._base, self._root = base, adapters.resolve()
        self._plain, self.tokenizer = load_base(base, self.runtime)
        self.context = min(CONTEXT_TOKENS, context_tokens(self._plain) or CONTEXT_TOKENS)
        self.ends = stop_ids(self.tokenizer, self._plain)
        self._adapters = Adapters(self._plain, self.runtime.autocast)
        self._names: OrderedDict[tuple[str, int], str] = OrderedDict()

    @property
    def loaded(self) -> list[str]:
        """The names that a request may use without waiting."""
        return ["base", *(path for path, _ in list(self._names))]

    def prompt(self, ask: Ask) -> tuple[list[int], int]:
        """Return a conversation's tokens and how many the answer may have."""
        from trainers.scripts.chat import prompt_ids

        ids = prompt_ids(self.tokenizer, ask.messages)
        room = self.context - len(ids)
        if room < max(1, ask.max_tokens):
            raise ApiError(
                f"Prompt ({len(ids)}) and answer ({ask.max_tokens or 1}) exceed {self.context} tokens, shorten it.",
                param="messages",
                code="context_length_exceeded",
            )
        return ids, ask.max_tokens or room

    def forward(self, names: Sequence[str], **inputs: Any) -> Any:
        """Run the model, each row with the adapter of its name."""
        return self._adapters.forward(names, **inputs)

    def check(self, name: str) -> str:
        """Return the name of "base", or of an adapter's folder if it lies below the root and is one of ours."""
        if name == "base":
            return name
        folder = Path(name).resolve()
        if not Path(name).is_absolute() or not folder.is_relative_to(self._root) or folder == self._root:
            raise ApiError("There is no such model here.", param="model", code="model_not_found", status=404)
        if not (folder / "adapter_model.safetensors").is_file() or not (folder / "adapter_config.json").is_file():
            raise ApiError("There is no adapter in that folder.", param="model", code="model_not_found", status=404)
        made_for = _base_hash(folder / "training.json", "base", "sha256")
        if made_for and made_for != _base_hash(self._base / "luthier.json", "sha256"):
            raise ApiError("That adapter was trained on another base model.", param="model", code="wrong_base")
        return str(folder)

    def use(self, model: str, busy: set[str]) -> str:
        """Return the name under which an adapter is loaded; those in `busy` stay."""
        from trainers.scripts.writing import BASE

        if model == "base":
            return BASE
        folder = Path(model)
        key = (str(folder), (folder / "adapter_model.safetensors").stat().st_mtime_ns)
        if key not in self._names:
            self._names[key] = self._load(folder)
        self._names.move_to_end(key)
        idle = [old for old, name in self._names.items() if name not in busy and old != key]
        for old in idle[: max(0, len(self._names) - ADAPTERS_KEPT)]:
            self._adapters.drop(self._names.pop(old))
        return self._names[key]

    def _load(self, folder: Path) -> str:
        name = f"a{uuid.uuid4().hex[:12]}"
        try:
            self._adapters.load(folder, name)
        except (ValueError, RuntimeError, KeyError, TypeError) as error:
            raise ApiError("That adapter does not fit this base.", param="model", code="wrong_base") from error
        return name


class Answer:
    """One answer on its way from the model's thread to its reader."""

    def __init__(self, model: LocalModel, ask: Ask) -> None:
        """Check what can be checked before anybody waits."""
        from trainers.scripts.writing import Row

        self._model, self._ask = model, ask
        self._loop, self._heard = asyncio.get_running_loop(), asyncio.Queue[int | BaseException | None]()
        ids, self._limit = model.prompt(ask)
        self.prompt_tokens = len(ids)
        self.row = Row(
            model=model.check(ask.model),
            ids=ids,
            max_tokens=self._limit,
            tell=self._tell,
            temperature=ask.temperature,
            top_p=ask.top_p,
            seed=ask.seed,
        )

    async def parts(self) -> AsyncIterator[Said]:
        """Yield text as it comes, ended by a finish reason; raises ApiError."""
        ids: list[int] = []
        shown, held = 0, max((len(word) for word in self._ask.stop), default=1) - 1
        try:
            while isinstance(token := await self._heard.get(), int):
                ids.append(token)
                text = self._model.tokenizer.decode(ids, skip_special_tokens=True)
                stop = min((place for word in self._ask.stop if (place := text.find(word)) >= 0), default=-1)
                if stop >= 0:
                    yield self._said(text[shown:stop], "stop", ids)
                    return
                ready = len(text) - held
                if ready > shown and not text.endswith("\ufffd"):  # half a character waits for its other half
                    yield self._said(text[shown:ready], "", ids)
                    shown = ready
        finally:
            self.row.dropped = True
        if isinstance(token, BaseException):
            raise token if isinstance(token, ApiError) else _broken(token)
        text = self._model.tokenizer.decode(ids, skip_special_tokens=True)
        yield self._said(text[shown:], "length" if len(ids) == self._limit else "stop", ids)

    def _said(self, text: str, reason: str, ids: list[int]) -> Said:
        return Said(text, reason, self.prompt_tokens, len(ids))

    def _tell(self, token: int | BaseException | None) -> None:
        with contextlib.suppress(RuntimeError):  # the loop has ended: nobody reads any more
            self._loop.call_soon_threadsafe(self._heard.put_nowait, token)


class Service:
    """The HTTP side: checks requests, hands them to the writer, remembers when it was last asked."""

    def __init__(self, model: LocalModel) -> None:
        """Serve this model."""
        from trainers.scripts.writing import Writer

        self.model = model
        self.last_asked = time.monotonic()
        self._busy = 0
        self.writer = Writer(models=model, ends=model.ends, device=model.runtime.device)
        threading.Thread(target=self.writer.run, daemon=True, name="writer").start()
        routes = [Route("/v1/models", self._models), Route("/v1/chat/completions", self._complete, methods=["POST"])]
        self.app = Starlette(routes=routes, exception_handlers={ApiError: _as_openai})

    def idle_for(self) -> float:
        """Return the seconds since the last answer, 0 while one is being written."""
        return 0.0 if self._busy else time.monotonic() - self.last_asked

    async def _models(self, request: Request) -> JSONResponse:
        models = [{"id": name, "object": "model", "created": 0, "owned_by": "local"} for name in self.model.loaded]
        return JSONResponse({"object": "list", "data": models})

    async def _complete(self, request: Request) -> Response:
        ask = read_ask(await _body(request))
        answer = Answer(self.model, ask)
        self.writer.asked.put(answer.row)
        parts = self._counted(answer)
        if not ask.stream:
            text, last = "", None
            async for last in parts:
                text += last.text
            assert last is not None  # noqa: S101  # an answer ends with a part that says why
            return JSONResponse(_completion(ask, last._replace(text=text)))
        first = await anext(parts)  # what goes wrong before the first word still has a status
        return StreamingResponse(_lines(ask, first, parts), media_type="text/event-stream")

    async def _counted(self, answer: Answer) -> AsyncIterator[Said]:
        self._busy += 1
        try:
            async for part in answer.parts():
                yield part
        finally:
            answer.row.dropped = True
            self._busy -= 1
            self.last_asked = time.monotonic()


class Server(uvicorn.Server):
    """uvicorn without its signal handlers: ours hear the parent in more ways."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Capture none."""
        yield


def read_ask(document: Any) -> Ask:
    """Check a chat completion request; what this server does not do is refused rather than ignored."""
    if not isinstance(document, dict):
        raise ApiError("The body is not a JSON object.", param=None, code="invalid_json")
    model, messages = document.get("model"), document.get("messages")
    if not isinstance(model, str) or not model:
        raise ApiError("Name a model.", param="model", code="missing_required_parameter")
    if not isinstance(messages, list) or not messages or not all(map(_is_message, messages)):
        raise ApiError("Give messages with a role and text.", param="messages", code="invalid_value")
    if messages[-1]["role"] == "assistant":
        raise ApiError("The last message must not be the assistant's.", param="messages", code="invalid_value")
    for name, allowed in OFFERED.items():
        if document.get(name) not in allowed:
            what = f"This server does not offer {name}; leave it out."
            raise ApiError(what, param=name, code="unsupported_value")
    limit = document.get("max_completion_tokens") or document.get("max_tokens") or DEFAULT_TOKENS
    if limit != "room" and (not isinstance(limit, int) or isinstance(limit, bool) or not 0 < limit < CONTEXT_TOKENS):
        raise ApiError(f"max_tokens must be from 1 to {CONTEXT_TOKENS - 1}.", param="max_tokens", code="invalid_value")
    return Ask(
        model,
        [{"role": m["role"], "content": m["content"]} for m in messages],
        0 if limit == "room" else limit,
        temperature=_number(document, "temperature", 0.0, 2.0),
        top_p=_number(document, "top_p", 1.0, 1.0),
        seed=document.get("seed") if isinstance(document.get("seed"), int) else None,
        stop=tuple(str(word) for word in document.get("stop") or () if word),
        stream=bool(document.get("stream")),
    )


async def serve(child: Child, options: argparse.Namespace) -> None:
    """Load, listen, answer until nobody asks any more."""
    service = Service(LocalModel(options.base, options.adapters, options.threads, options.precision))
    listener = _listen(options.socket)
    config = uvicorn.Config(service.app, log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=5)
    server = Server(config)
    task = asyncio.create_task(server.serve(sockets=[listener]))
    while not server.started and not task.done():
        await asyncio.sleep(0.01)
    child.emit("ready", precision=service.model.runtime.precision, device=service.model.runtime.device)
    while not child.stopping and service.idle_for() < options.idle and not task.done():
        await asyncio.sleep(0.2)
    server.should_exit = True
    await task
    options.socket.unlink(missing_ok=True)
    child.emit("stopped", reason="asked" if child.stopping else "idle")


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--socket", type=Path, required=True)
    parser.add_argument("--base", type=Path, required=True)
    parser.add_argument("--adapters", type=Path, required=True)
    parser.add_argument("--idle", type=float, default=600.0)
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--precision", default="auto")
    options = parser.parse_args()
    child = Child()

    def work() -> None:
        with only_one(options.socket.with_name(f".{options.socket.name}.lock")):
            asyncio.run(serve(child, options))

    guarded(child, work)


def _listen(path: Path) -> socket.socket:
    """Bind the socket so that only this user can ever connect; what lies there is left from a dead process."""
    if len(os.fsencode(path)) > 100:
        raise ScriptError("The socket's path is longer than the system allows.", "Use a folder with a shorter path.")
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        listener.bind(str(path))
    finally:
        os.umask(before)
    listener.listen(128)
    return listener


async def _body(request: Request) -> Any:
    data = b""
    async for part in request.stream():
        data += part
        if len(data) > BODY_LIMIT:
            raise ApiError("The request is too large.", param=None, code="request_too_large", status=413)
    try:
        return json.loads(data)
    except (json.JSONDecodeError, UnicodeDecodeError, RecursionError):
        raise ApiError("The body is not valid JSON.", param=None, code="invalid_json") from None


def _is_message(message: Any) -> bool:
    if not isinstance(message, dict) or message.get("role") not in ("system", "user", "assistant"):
        return False
    return isinstance(message.get("content"), str) and bool(message["content"].strip())


def _number(document: dict[str, Any], name: str, default: float, most: float) -> float:
    value = document.get(name)
    if value is None:
        return default
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= most:
        raise ApiError(f"{name} must be from 0 to {most:g}.", param=name, code="invalid_value")
    return float(value)


async def _lines(ask: Ask, first: Said, rest: AsyncIterator[Said]) -> AsyncIterator[bytes]:
    """Write the events of a stream: parts with the usage so far; a failure on the way is the last one."""
    try:
        yield _line(_part(ask, first))
        async for said in rest:
            yield _line(_part(ask, said))
    except ApiError as error:
        yield _line(error.body)
    yield b"data: [DONE]\n\n"


def _line(told: dict[str, Any]) -> bytes:
    return b"data: " + json.dumps(told).encode() + b"\n\n"


def _part(ask: Ask, said: Said) -> dict[str, Any]:
    whole = _completion(ask, said)
    choice = {"index": 0, "delta": {"content": said.text}, "finish_reason": said.finish_reason or None}
    return {**whole, "object": "chat.completion.chunk", "choices": [choice]}


def _broken(error: BaseException) -> ApiError:
    what = f"The model could not answer ({type(error).__name__})."
    return ApiError(what, param=None, code="server_error", status=500)


def _completion(ask: Ask, said: Said) -> dict[str, Any]:
    message = {"role": "assistant", "content": said.text}
    return {
        "id": f"chatcmpl-{uuid.uuid4().hex}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": ask.model,
        "choices": [{"index": 0, "message": message, "finish_reason": said.finish_reason}],
        "usage": {
            "prompt_tokens": said.prompt_tokens,
            "completion_tokens": said.completion_tokens,
            "total_tokens": said.prompt_tokens + said.completion_tokens,
        },
    }


async def _as_openai(request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, ApiError)  # noqa: S101  # Starlette calls this for ApiError alone
    return JSONResponse(error.body, status_code=error.status)


def _base_hash(card: Path, *keys: str) -> str:
    """Return a hash from a card that we wrote beside weights, or "" where there is none."""
    try:
        value: Any = json.loads(card.read_text(encoding="utf-8"))
        for key in keys:
            value = value[key]
    except (OSError, ValueError, KeyError, TypeError):
        return ""
    return str(value)


if __name__ == "__main__":
    main()
    leave(0)
