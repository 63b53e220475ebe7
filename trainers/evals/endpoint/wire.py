"""Knows how one question goes to a chat endpoint and what came of it; it does not retry, count money or judge answers.

httpx is used directly: the SDKs read the environment, retry on their own, and LangChain hides what each answer took.
"""

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from enum import Enum
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import httpx

from knowledge.certificates import needed
from knowledge.errors import UserError
from trainers.data.formats.whole import told

KEPT_OPEN = 3.0
"""Seconds that an idle connection is used again: servers close them after 5 s and more, and a call would be lost."""
LONGEST_TOLD = 3600.0
"""Seconds; a longer Retry-After is taken for this."""
_MOST_TOKENS = 100_000_000
"""A count beyond this is no count."""


class Fate(Enum):
    """What became of a call."""

    ANSWERED = "answered"
    BUSY = "busy"
    """429, 503 or 529: not taken, so not paid."""
    UNSENT = "unsent"
    """No connection: nothing was sent."""
    LOST = "lost"
    """It may have been answered, and paid, but no answer arrived whole."""
    REFUSED = "refused"
    """This question is not taken; others may be."""
    DIALECT = "dialect"
    """The endpoint wants a parameter under another name, or not at all."""
    FATAL = "fatal"
    """No question will be taken: a key, a name or an account is wrong."""


@dataclass(frozen=True, kw_only=True)
class Endpoint:
    """Where models are asked."""

    url: str
    """Base address with /v1."""
    key: str = field(default="", repr=False)
    """Its key; empty where it needs none."""

    def __post_init__(self) -> None:
        """Raise UserError for an address that is none, or that holds secrets."""
        try:
            parts = urlsplit(self.url)
            good = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        except ValueError:
            good = False
        if not good:
            raise UserError("The endpoint's address is not an http address.", "Give one such as http://host:8000/v1.")
        if parts.username or parts.password or parts.query or parts.fragment:
            raise UserError("The endpoint's address holds more than an address.", "Give a key with --key-env.")
        if not self.key.isascii() or any(letter.isspace() or not letter.isprintable() for letter in self.key):
            raise UserError("The endpoint's key holds characters that no header can carry.", "Set it again.")

    @property
    def host(self) -> str:
        """Host and port, for people and for hashes."""
        return urlsplit(self.url).netloc


class Question(NamedTuple):
    """One thing to ask one model."""

    model: str
    messages: tuple[tuple[str, str], ...]
    """Role and content of each turn."""
    max_tokens: int
    """Most tokens of the answer."""
    whole: str = ""
    """Where tools are in it: what is sent in place of `messages`, they and the tools, in JSON."""

    @property
    def sent(self) -> dict[str, Any]:
        """What is asked, under the keys of OpenAI's API."""
        if self.whole:
            return dict(json.loads(self.whole))
        return {"messages": [{"role": role, "content": content} for role, content in self.messages]}

    def key(self, host: str) -> str:
        """Return the SHA-256 that stands for this question to this host."""
        asked: dict[str, Any] = {"host": host, "model": self.model, "messages": self.messages}
        asked |= {"temperature": 0, "max_tokens": self.max_tokens} | ({"whole": self.whole} if self.whole else {})
        return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()


class Reply(NamedTuple):
    """One answer."""

    output: str
    """What the model wrote, untouched."""
    milliseconds: float
    """From sending to the last byte, without waits before."""
    prompt_tokens: int | None = None
    """As the endpoint counts; None where it did not say."""
    output_tokens: int | None = None
    """The same of the answer."""
    finish_reason: str = ""
    """`stop`, or `length` where the limit cut it off."""
    model: str = ""
    """Who answered, in the endpoint's words."""


class Told(NamedTuple):
    """What came of a call."""

    fate: Fate
    reply: Reply | None = None
    wait: float | None = None
    """Seconds after which to try again, if the endpoint said."""
    why: str = ""
    """In a sentence, for people; never a key."""
    dialect: "Dialect | None" = None
    """How to ask instead."""


class Dialect(NamedTuple):
    """How an endpoint wants its parameters: newer models of some vendors take neither max_tokens nor a temperature."""

    limit: str = "max_tokens"
    temperature: bool = True

    def body(self, question: Question) -> dict[str, Any]:
        """Return the request."""
        body: dict[str, Any] = {"model": question.model, self.limit: question.max_tokens}
        return body | question.sent | ({"temperature": 0} if self.temperature else {})

    def other(self, complaint: str) -> "Dialect | None":
        """Return what to try after a complaint about a parameter; None where there is nothing left."""
        if self.limit == "max_tokens" and "max_completion_tokens" in complaint:
            return self._replace(limit="max_completion_tokens")
        return self._replace(temperature=False) if self.temperature and "temperature" in complaint else None


def open_client(endpoint: Endpoint, timeout: float, calls: int) -> httpx.Client:
    """Return a client for so many calls at once that takes nothing from the environment and follows no redirects."""
    limits = httpx.Limits(max_connections=calls, max_keepalive_connections=calls, keepalive_expiry=KEPT_OPEN)
    headers = {"Authorization": f"Bearer {endpoint.key}"} if endpoint.key else {}
    checks = needed(endpoint.url)
    return httpx.Client(headers=headers, timeout=timeout, limits=limits, trust_env=False, verify=checks)


def ask(client: httpx.Client, endpoint: Endpoint, question: Question, dialect: Dialect, most_bytes: int) -> Told:
    """Make one call, once; whatever happens on the way is told, not raised."""
    started = time.perf_counter()
    until = started + (client.timeout.read or 60.0)
    address = f"{endpoint.url.rstrip('/')}/chat/completions"
    try:
        with client.stream("POST", address, json=dialect.body(question)) as answer:
            body = b""
            for block in answer.iter_bytes():
                body += block
                if len(body) > most_bytes or time.perf_counter() > until:
                    return Told(Fate.LOST, why="The answer was too long or came too slowly.")
    except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
        return Told(Fate.UNSENT, why=f"Nothing answers at {endpoint.host} ({type(error).__name__}).")
    except (httpx.HTTPError, httpx.StreamError, RuntimeError) as error:  # RuntimeError: the client was closed
        return Told(Fate.LOST, why=f"{endpoint.host} gave no answer ({type(error).__name__}).")
    milliseconds = (time.perf_counter() - started) * 1000
    said = _read(body)
    if answer.status_code == httpx.codes.OK:
        reply = _reply(said, milliseconds)
        return Told(Fate.ANSWERED, reply) if reply else Told(Fate.LOST, why="It sent something that is no answer.")
    return _refusal(answer, said, endpoint, question, dialect)


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Return the seconds that an answer asks to wait, from a number or an HTTP date (RFC 9110, 10.2.3); None: no word.

    A date counts from the answer's own Date, since the two clocks may differ; `now` is seconds since 1970.
    """
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.replace(".", "", 1).isdigit():
        return min(float(text), LONGEST_TOLD)
    until = _moment(text)
    if until is None:
        return None
    return min(max(0.0, until - (_moment(headers.get("date", "")) or now)), LONGEST_TOLD)


def _moment(text: str) -> float | None:
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, OverflowError, TypeError, IndexError):
        return None


def _read(body: bytes) -> dict[str, Any]:
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return said if isinstance(said, dict) else {}


def _reply(said: Mapping[str, Any], milliseconds: float) -> Reply | None:
    """Read a chat completion; None where it is none."""
    match said:
        case {"choices": [{"message": {"content": str() | None} as message} as first, *_]}:
            pass
        case {"choices": [{"message": {"tool_calls": [_, *_]} as message} as first, *_]} if "content" not in message:
            pass  # some servers leave out what is null
        case _:
            return None
    used = said.get("usage")
    counts = used if isinstance(used, dict) else {}
    output = _said(message)
    return Reply(
        output.encode("utf-8", "replace").decode(),  # half a surrogate pair cannot be written down
        milliseconds,
        _count(counts.get("prompt_tokens")),
        _count(counts.get("completion_tokens")),
        str(first.get("finish_reason") or "")[:40],
        str(said.get("model") or "").encode("utf-8", "replace").decode()[:200],
    )


def _said(message: Mapping[str, Any]) -> str:
    """Return what an answer says and calls, or why it refuses."""
    refusal = message.get("refusal")
    text = message.get("content")
    if text is None:
        text = refusal if isinstance(refusal, str) else ""
    return told({"content": text, "tool_calls": message.get("tool_calls")})


def _count(value: Any) -> int | None:
    whole = isinstance(value, int) and not isinstance(value, bool)
    return value if whole and 0 <= value < _MOST_TOKENS else None


def _refusal(
    answer: httpx.Response, said: Mapping[str, Any], endpoint: Endpoint, question: Question, dialect: Dialect
) -> Told:
    status, host = answer.status_code, endpoint.host
    message, code = _complaint(said, endpoint.key)
    words = f": {message}" if message else "."
    if status in (429, 503, 529) and code not in ("insufficient_quota", "billing_not_active"):
        return Told(Fate.BUSY, wait=retry_after(answer.headers, time.time()), why=f"{host} is busy{words}")
    if status in (402, 429):
        return Told(Fate.FATAL, why=f"The account at {host} is spent{words}")
    if status in (401, 403):
        return Told(Fate.FATAL, why=f"{host} refused the key{words}")
    if status == httpx.codes.NOT_FOUND or code == "model_not_found":
        return Told(Fate.FATAL, why=f"{host} has no model {question.model}{words}")
    if 300 <= status < 400:
        return Told(Fate.FATAL, why=f"{host} answers from another address.")
    if status >= 500 or status in (408, 409):
        return Told(Fate.LOST, why=f"{host} failed with status {status}{words}")
    other = dialect.other(message)
    return Told(Fate.DIALECT if other else Fate.REFUSED, why=f"{host} refused ({status}){words}", dialect=other)


def _complaint(said: Mapping[str, Any], key: str) -> tuple[str, str]:
    """Return message and code of an error, without the key in it."""
    error = said.get("error")
    error = error if isinstance(error, dict) else {"message": error or said.get("message") or said.get("detail") or ""}
    message = " ".join(str(error.get("message") or "").split())
    return (message.replace(key, "…") if key else message)[:300], str(error.get("code") or error.get("type") or "")
