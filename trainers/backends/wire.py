"""Knows how one request to a provider is made and what its answer means: yes, no, or nobody knows; not what is asked.

What cannot be answered "yes" or "nothing was created" is a ServiceError: the outcome is unknown, and nothing here tries
again.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, ClassVar, Final, NamedTuple

import httpx

from knowledge.certificates import needed
from knowledge.errors import ServiceError
from trainers.backends.deadline import Deadline
from trainers.errors import Refused

READ_SECONDS: Final = 10.0
"""A read is free, so it may be short and be asked again."""

MOST_BYTES: Final = 16 * 2**20
"""Bytes of a file that is read whole."""

_REFUSALS: Final = (400, 401, 403, 404, 405, 413, 415, 422)
"""Statuses that say nothing was created, if the provider itself wrote the body."""


class NotThere(Refused):
    """The provider has no such thing."""


class KeyRefused(Refused):
    """The provider does not take our key."""


class NotOpen(Refused):
    """The provider does not let this account do that."""


class Body(NamedTuple):
    """What a request carries."""

    blocks: Iterable[bytes]
    size: int
    kind: str
    """Its Content-Type."""


def json_body(data: Any) -> Body:
    """Return data as it is sent."""
    content = json.dumps(data).encode()
    return Body([content], len(content), "application/json")


@dataclass(kw_only=True)
class Wire:
    """One account at one server; what it understands, a subclass knows."""

    YES: ClassVar[tuple[int, ...]] = (200,)
    """Statuses of an answer that says that it was done."""
    EMPTY: ClassVar[tuple[int, ...]] = ()
    """Those that may come without a body."""

    name: str
    """What people call the provider."""
    url: str
    """Base address."""
    key: str = field(repr=False)
    key_setting: str = ""
    """Name of the setting that holds the key, for people."""
    token: Callable[[], str] | None = field(default=None, repr=False)
    """Gives what stands in for the key where that changes with time; raises as a request does."""
    _client: httpx.Client | None = field(default=None, init=False, repr=False)

    def _create(self, method: str, path: str, deadline: Deadline, body: Body) -> dict[str, Any]:
        """Send a call that creates; half of the time is for connecting and writing, half for the answer."""
        with self._in_words():
            left = deadline.left()
        timeout = httpx.Timeout(connect=left / 4, write=left / 4, read=left / 2, pool=left / 4)
        content = Deadline(deadline.until - left / 2, deadline.clock).guard(body.blocks)
        headers = {"Content-Type": body.kind, "Content-Length": str(body.size)}
        return self._answer(method, path, timeout=timeout, content=content, headers=headers)

    def _read(self, path: str) -> bytes:
        """Return what a file holds. Raises Refused as `_answer`, and ServiceError, also for one that is too large."""
        with self._in_words():
            sent = self._web().stream("GET", f"{self.url.rstrip('/')}{path}", headers=self._bearer())
            with sent as answer:
                if answer.status_code == httpx.codes.OK:
                    return self._whole(answer)
        self._refuse(answer, f"status {answer.status_code}", "")
        raise ServiceError(f"{self.name} answered with status {answer.status_code}.", "It is tried again.")

    def _whole(self, answer: httpx.Response) -> bytes:
        """Read a file block by block, no further than it may be long; one that says that it is longer, not at all."""
        told, content = answer.headers.get("Content-Length", ""), bytearray()
        size = int(told) if told.isdecimal() else 0
        blocks = answer.iter_bytes()
        while size <= MOST_BYTES and (block := next(blocks, b"")):
            content += block
            size = max(size, len(content))
        if size > MOST_BYTES:
            raise ServiceError(f"{self.name} sent a file of more than {MOST_BYTES // 2**20} MiB.", "Look at it there.")
        return bytes(content)

    def _answer(self, method: str, path: str, **request: Any) -> dict[str, Any]:
        with self._in_words():
            answer = self._ask(method, path, **request)
            body = answer.json() if "json" in answer.headers.get("content-type", "") else None
        if answer.status_code in self.YES and isinstance(body, dict):
            return body
        if answer.status_code in self.EMPTY and not answer.content:
            return {}
        error = body.get("error") if isinstance(body, dict) else None
        if isinstance(error, dict):
            self._refuse(answer, str(error.get("message", ""))[:300], str(error.get("code", "")))
        raise ServiceError(f"{self.name} answered with status {answer.status_code}.", "It is tried again.")

    def _ask(self, method: str, path: str, **request: Any) -> httpx.Response:
        headers = {**self._bearer(), **request.pop("headers", {})}
        return self._web().request(method, f"{self.url.rstrip('/')}{path}", headers=headers, **request)

    def _bearer(self) -> dict[str, str]:
        key = self.token() if self.token else self.key
        return {"Authorization": f"Bearer {key}"} if key else {}

    def _refuse(self, answer: httpx.Response, message: str, code: str) -> None:
        """Raise Refused where the provider itself says that nothing was created."""
        said = f"{self.name} refused: {message}"
        if answer.status_code == httpx.codes.TOO_MANY_REQUESTS and code != "insufficient_quota":
            raise Refused(f"{self.name} is busy", again_in=_retry_after(answer))
        if answer.status_code == httpx.codes.NOT_FOUND:
            raise NotThere(said, "Look at the provider's own page.")
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            raise KeyRefused(said, f"Set {self.key_setting or 'its key'} anew and start Luthier again, then `resume`.")
        if answer.status_code == httpx.codes.FORBIDDEN:
            elsewhere = "`cost` compares who still trains." if code == "training_not_available" else ""
            raise NotOpen(said, elsewhere or "Give the account that right, then `resume`.")
        if answer.status_code in (*_REFUSALS, httpx.codes.TOO_MANY_REQUESTS):
            raise Refused(said, "Put that right, then `resume`.")

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        try:
            yield
        except (httpx.HTTPError, httpx.InvalidURL, json.JSONDecodeError, TimeoutError) as lost:
            raise ServiceError(f"{self.name} gave no answer ({type(lost).__name__}).", "It is tried again.") from lost

    def _web(self) -> httpx.Client:
        if self._client is None:
            # One call is one request on a connection of its own: an old one may be closed by the server just then,
            # and nobody could say whether the call arrived.
            self._client = httpx.Client(
                timeout=READ_SECONDS,
                limits=httpx.Limits(max_keepalive_connections=0),
                trust_env=False,
                verify=needed(self.url),
            )
        return self._client


def _retry_after(answer: httpx.Response) -> timedelta:
    said = answer.headers.get("Retry-After", "")
    seconds = float(said) if said.replace(".", "", 1).isdecimal() else 10.0
    return timedelta(seconds=min(max(seconds, 0.1), 3600))
