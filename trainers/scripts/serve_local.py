"""A resident local model behind a private unix socket, shaped like OpenAI's chat API; it keeps nothing that it is told.

Run as ``python -m trainers.scripts.serve_local --socket PATH --base DIR --adapters ROOT --idle SECONDS``.
``GET /v1/models`` and ``POST /v1/chat/completions``; ``model`` is "base" or the absolute path of an adapter's folder
below ROOT. The base is loaded once, adapters come and go beside it, one answer is written at a time, greedily.
Prints ``{"event": "ready"}`` when it listens, and ends when nobody asked for a while or its stdin ends.
"""

import argparse
import asyncio
import contextlib
import json
import os
import socket
import time
import uuid
from collections import OrderedDict
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import uvicorn
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from trainers.scripts.child import Child, ScriptError, guarded, leave, only_one

ADAPTERS_KEPT = 4
"""Adapters held beside the base, 20 MB each at rank 16; the one unused the longest leaves first."""
BODY_LIMIT = 1_000_000
"""Bytes of a request; a conversation that fits the model is far smaller."""
CONTEXT_TOKENS = 4096
"""Most tokens of prompt and answer together; on two CPU cores this already takes seconds to read."""
OFFERED: dict[str, tuple[object, ...]] = {
    "stream": (None, False),
    "n": (None, 1),
    "temperature": (None, 0),
    "tools": (None, []),
}
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
    """The conversation; the last turn is the user's."""
    max_tokens: int
    """Most tokens of the answer."""


class Said(NamedTuple):
    """An answer."""

    text: str
    finish_reason: str
    """"stop", or "length" when the limit cut it off."""
    prompt_tokens: int
    completion_tokens: int


class LocalModel:
    """The base and the adapters that were asked for lately."""

    def __init__(self, base: Path, adapters: Path, threads: int, precision: str) -> None:
        """Load the base."""
        from trainers.scripts.chat import stop_ids
        from trainers.scripts.local_model import choose_runtime, load_base

        self.runtime = choose_runtime(precision, threads)
        self._base, self._root = base, adapters.resolve()
        self._plain, self.tokenizer = load_base(base, self.runtime)
        self._ends = stop_ids(self.tokenizer, self._plain)
        self._tuned: Any = None
        self._names: OrderedDict[tuple[str, int], str] = OrderedDict()

    @property
    def loaded(self) -> list[str]:
        """The names that a request may use without waiting."""
        return ["base", *(path for path, _ in self._names)]

    def say(self, ask: Ask) -> Said:
        """Write one answer."""
        from trainers.scripts.chat import prompt_ids
        from trainers.scripts.decoding import greedy

        folder = None if ask.model == "base" else self._folder(ask.model)
        ids = prompt_ids(self.tokenizer, ask.messages)
        if len(ids) + ask.max_tokens > CONTEXT_TOKENS:
            raise ApiError(
                f"Prompt ({len(ids)}) and answer ({ask.max_tokens}) exceed {CONTEXT_TOKENS} tokens, shorten it.",
                param="messages",
                code="context_length_exceeded",
            )
        with self._with(folder) as model:
            said = greedy(model, self.runtime, [ids], ends=self._ends, max_new_tokens=ask.max_tokens)[0]
        text = self.tokenizer.decode(said.ids, skip_special_tokens=True)
        return Said(text, "stop" if said.finished else "length", len(ids), len(said.ids))

    def _folder(self, name: str) -> Path:
        """Return the adapter's folder if it lies below the root and is one of ours."""
        folder = Path(name).resolve()
        if not Path(name).is_absolute() or not folder.is_relative_to(self._root) or folder == self._root:
            raise ApiError("There is no such model here.", param="model", code="model_not_found", status=404)
        if not (folder / "adapter_model.safetensors").is_file() or not (folder / "adapter_config.json").is_file():
            raise ApiError("There is no adapter in that folder.", param="model", code="model_not_found", status=404)
        made_for = _base_hash(folder / "training.json", "base", "sha256")
        if made_for and made_for != _base_hash(self._base / "luthier.json", "sha256"):
            raise ApiError("That adapter was trained on another base model.", param="model", code="wrong_base")
        return folder

    @contextlib.contextmanager
    def _with(self, folder: Path | None) -> Iterator[Any]:
        """Give the model with one adapter in use, or with none."""
        if folder is not None:
            self._use(folder)
            yield self._tuned
        elif self._tuned is None:
            yield self._plain
        else:
            with self._tuned.disable_adapter():
                yield self._tuned

    def _use(self, folder: Path) -> None:
        from peft import PeftModel

        key = (str(folder), (folder / "adapter_model.safetensors").stat().st_mtime_ns)
        if key not in self._names:
            name = f"a{uuid.uuid4().hex[:12]}"
            try:
                if self._tuned is None:
                    tuned = PeftModel.from_pretrained(self._plain, folder, adapter_name=name, local_files_only=True)
                    self._tuned = tuned.eval()
                else:
                    self._tuned.load_adapter(folder, adapter_name=name, local_files_only=True)
            except (ValueError, RuntimeError, KeyError, TypeError) as error:
                raise ApiError("That adapter does not fit this base.", param="model", code="wrong_base") from error
            self._names[key] = name
        self._names.move_to_end(key)
        self._tuned.set_adapter(self._names[key])
        while len(self._names) > ADAPTERS_KEPT:
            self._tuned.delete_adapter(self._names.popitem(last=False)[1])


class Service:
    """The HTTP side: checks requests, lets one through at a time, remembers when it was last asked."""

    def __init__(self, model: LocalModel) -> None:
        """Serve this model."""
        self.model = model
        self.last_asked = time.monotonic()
        self._busy = 0
        self._turn = asyncio.Lock()
        routes = [Route("/v1/models", self._models), Route("/v1/chat/completions", self._complete, methods=["POST"])]
        self.app = Starlette(routes=routes, exception_handlers={ApiError: _as_openai})

    def idle_for(self) -> float:
        """Return the seconds since the last answer, 0 while one is being written."""
        return 0.0 if self._busy else time.monotonic() - self.last_asked

    async def _models(self, request: Request) -> JSONResponse:
        models = [{"id": name, "object": "model", "created": 0, "owned_by": "local"} for name in self.model.loaded]
        return JSONResponse({"object": "list", "data": models})

    async def _complete(self, request: Request) -> JSONResponse:
        self._busy += 1
        try:
            ask = read_ask(await _body(request))
            async with self._turn:
                said = await run_in_threadpool(self.model.say, ask)
        finally:
            self._busy -= 1
            self.last_asked = time.monotonic()
        return JSONResponse(_completion(ask, said))


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
    if messages[-1]["role"] != "user":
        raise ApiError("The last message must be the user's.", param="messages", code="invalid_value")
    for name, allowed in OFFERED.items():
        if document.get(name) not in allowed:
            what = f"This server answers once, whole and greedily; leave {name} out."
            raise ApiError(what, param=name, code="unsupported_value")
    limit = document.get("max_completion_tokens") or document.get("max_tokens") or DEFAULT_TOKENS
    if not isinstance(limit, int) or isinstance(limit, bool) or not 0 < limit < CONTEXT_TOKENS:
        raise ApiError(f"max_tokens must be from 1 to {CONTEXT_TOKENS - 1}.", param="max_tokens", code="invalid_value")
    return Ask(model, [{"role": m["role"], "content": m["content"]} for m in messages], limit)


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
    listener.listen(16)
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
