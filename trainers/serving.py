"""Knows how to get an answer from a model on this machine: one resident child, shared by all; it trains nothing."""

import asyncio
import fcntl
import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import httpx

from knowledge.certificates import needed
from knowledge.errors import ServiceError, UserError

START_LIMIT = 120.0
"""Seconds for torch and the weights to load; a cold disk was seen to take 40."""

STREAM_LIMIT = httpx.Timeout(120, read=600)
"""Seconds that a streamed answer may be silent: it may wait behind many others."""

IDLE = 600
"""Seconds without a question after which the resident model ends."""


_ADDRESS = "http://local"
"""Goes to the resident model's socket, whatever its name."""


class Said(NamedTuple):
    """A model's answer."""

    text: str
    seconds: float


class Part(NamedTuple):
    """A part of an answer that is streamed; the last one has a finish reason."""

    text: str
    finish: str
    """stop, length, or "" while it goes on."""
    prompt_tokens: int
    completion_tokens: int


class Refused(UserError):
    """The local model does not take such a question."""

    def __init__(self, error: Mapping[str, Any], status: int) -> None:
        """Take the error as OpenAI's shape has it, and its status."""
        super().__init__(str(error.get("message", "The local model refused.")))
        self.error, self.status = error, status


@dataclass(kw_only=True)
class LocalModels:
    """Base and tuned models, answered by one child that loads the base once and swaps adapters."""

    base: Path
    """Folder of the base model's safetensors."""
    adapters: Path
    """Folder below which adapters may lie."""
    socket: Path
    """Unix socket of the child; its path must stay under 108 bytes."""
    log: Path
    """Where the child's own messages go."""
    env: Mapping[str, str]
    """The environment of the child: no secrets in it."""
    threads: int
    _child: subprocess.Popen[bytes] | None = field(default=None, init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock, init=False)

    def say(self, adapter: Path | None, messages: Sequence[Mapping[str, str]], *, max_tokens: int = 128) -> Said:
        """Answer with the tuned model in `adapter`, or with the base. Raises ServiceError with what to do next."""
        self._check_base()
        self._wake()
        body = {
            "model": str(adapter) if adapter else "base",
            "messages": list(messages),
            "max_tokens": max_tokens,
            "temperature": 0,
        }
        started = time.monotonic()
        try:
            with self._client(timeout=120) as client:
                answer = client.post(f"{_ADDRESS}/v1/chat/completions", json=body)
        except httpx.HTTPError as error:
            raise _silent() from error
        return Said(_content(answer), time.monotonic() - started)

    async def stream(
        self, adapter: Path | None, messages: Sequence[Mapping[str, str]], **wish: Any
    ) -> AsyncIterator[Part]:
        """Answer in parts; `wish` holds max_tokens ("room": all there is), temperature, top_p, seed and stop.

        Raises ServiceError where no model answers, and Refused where it does not take the question.
        """
        self._check_base()
        body = {"model": str(adapter) if adapter else "base", "messages": list(messages), "stream": True, **wish}
        transport = httpx.AsyncHTTPTransport(uds=str(self.socket), verify=needed(_ADDRESS))
        async with httpx.AsyncClient(transport=transport, timeout=STREAM_LIMIT) as client:
            try:
                async with await self._begun(client, body) as answer:
                    async for part in _parts(answer):
                        yield part
            except httpx.HTTPError as error:
                raise _silent() from error

    async def _begun(self, client: httpx.AsyncClient, body: Mapping[str, Any]) -> "_Closing":
        """Ask, and where nobody listens start the child and ask once more."""
        for last in (False, True):
            request = client.build_request("POST", f"{_ADDRESS}/v1/chat/completions", json=body)
            try:
                return _Closing(await client.send(request, stream=True))
            except httpx.ConnectError:
                if last:
                    raise
                await asyncio.to_thread(self._wake)
        raise _silent()

    def close(self) -> None:
        """Let the child go if it is ours."""
        with self._lock:
            if self._child is not None and self._child.stdin is not None:
                self._child.stdin.close()
                try:
                    self._child.wait(timeout=5)
                except subprocess.TimeoutExpired:
                    self._child.kill()
                self._child = None

    def _check_base(self) -> None:
        if not (self.base / "model.safetensors").exists():
            raise ServiceError(
                "The base model is not on this machine yet.", "Train once, or run `luthier weights pull`."
            )

    def _wake(self) -> None:
        self.log.parent.mkdir(parents=True, exist_ok=True)
        self.socket.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self._lock, self.log.with_suffix(".lock").open("ab") as turn:
            fcntl.flock(turn, fcntl.LOCK_EX)
            if not self._listening():
                self._start()

    def _listening(self) -> bool:
        try:
            with socket.socket(socket.AF_UNIX) as probe:  # httpx leaves a socket open where nobody listens
                probe.settimeout(10)
                probe.connect(str(self.socket))
        except OSError:
            return False
        try:
            with self._client(timeout=10) as client:
                return client.get(f"{_ADDRESS}/v1/models").status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False

    def _client(self, timeout: float) -> httpx.Client:
        transport = httpx.HTTPTransport(uds=str(self.socket), verify=needed(_ADDRESS))
        return httpx.Client(transport=transport, timeout=timeout)

    def _start(self) -> None:
        self.socket.unlink(missing_ok=True)
        argv = [
            sys.executable,
            "-m",
            "trainers.scripts.serve_local",
            "--socket",
            str(self.socket),
            "--base",
            str(self.base),
            "--adapters",
            str(self.adapters),
            "--idle",
            str(IDLE),
            "--threads",
            str(self.threads),
        ]
        with self.log.open("ab") as log:
            # Its standard input is the lifeline: when this process dies, however it dies, the child reads EOF and ends.
            child = subprocess.Popen(
                argv,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=dict(self.env),
                cwd=Path(__file__).resolve().parent.parent,
                start_new_session=True,
            )
        self._child = child
        until = time.monotonic() + START_LIMIT
        while time.monotonic() < until and child.poll() is None:
            if self._listening():
                return
            time.sleep(0.2)
        raise ServiceError("The local model did not start.", f"Its log is {self.log.name} in the data folder.")


class _Closing:
    """A response that is closed at the end of a block."""

    def __init__(self, answer: httpx.Response) -> None:
        self._answer = answer

    async def __aenter__(self) -> httpx.Response:
        return self._answer

    async def __aexit__(self, *_: object) -> None:
        await self._answer.aclose()


async def _parts(answer: httpx.Response) -> AsyncIterator[Part]:
    """Read the events of a streamed answer; raises Refused."""
    if answer.status_code != httpx.codes.OK:
        await answer.aread()
        raise Refused(_error_in(answer), answer.status_code)
    async for line in answer.aiter_lines():
        if not line.startswith("data: {"):
            continue
        told = json.loads(line[len("data: ") :])
        if "error" in told:
            raise Refused(told["error"], httpx.codes.INTERNAL_SERVER_ERROR)
        choice, used = told["choices"][0], told["usage"]
        yield Part(
            choice["delta"]["content"], choice["finish_reason"] or "", used["prompt_tokens"], used["completion_tokens"]
        )


def _error_in(answer: httpx.Response) -> Mapping[str, Any]:
    try:
        return dict(answer.json()["error"])
    except (ValueError, KeyError, TypeError):
        return {"message": f"The local model refused (status {answer.status_code})."}


def _silent() -> ServiceError:
    return ServiceError("The local model did not answer.", "Try again in a moment; it restarts by itself.")


def _content(answer: httpx.Response) -> str:
    """Take the text out of an OpenAI-shaped answer; raises ServiceError for an error and for another shape."""
    try:
        said = answer.json()
        if answer.status_code == httpx.codes.OK:
            return str(said["choices"][0]["message"]["content"])
        why = str(said["error"]["message"])
    except (ValueError, KeyError, IndexError, TypeError):
        why = f"status {answer.status_code}"
    raise ServiceError(f"The local model refused: {why}", "Check the model and try again.")


def as_messages(system: str, text: str) -> list[dict[str, str]]:
    """Return the messages of a single question, with the system prompt that the model was trained with, if any."""
    asked = [{"role": "user", "content": text}]
    return [{"role": "system", "content": system}, *asked] if system else asked
