"""Turns text into vectors at an OpenAI-compatible endpoint; it knows the wire and its troubles, not what texts are."""

import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import httpx
import numpy as np

from knowledge.certificates import needed
from knowledge.embeddings import EmbeddingsUnavailable, Vectors
from knowledge.errors import UserError
from knowledge.models import DEFAULT_BASE_URL

_TEXTS, _CHARACTERS = 64, 60_000
"""Most of each in one request: providers refuse more than a few hundred thousand tokens."""
_AT_ONCE = 4
"""Requests under way at the same time."""
_AGAIN = frozenset({408, 409, 429, 500, 502, 503, 504})
"""Answers after which the same request may be sent again."""


class Patience(NamedTuple):
    """How long to insist."""

    tries: int
    timeout: float
    """Seconds for one answer."""
    longest_pause: float
    """Seconds to wait at most between two tries, whatever the endpoint asks for."""


QUESTION, DOCUMENTS = Patience(2, 8.0, 1.0), Patience(6, 60.0, 30.0)
"""A person waits for a question, and keywords answer without; documents may take their time."""


def open_remote_embeddings(model: str, base_url: str = "", api_key: str = "") -> "RemoteEmbeddings":
    """Return the model named `model` at an endpoint; raise UserError for an address or a lack of key that cannot be."""
    url = base_url or DEFAULT_BASE_URL
    if not url.startswith(("http://", "https://")):
        raise UserError(f"The embeddings' address {url!r} is no http address.", "Set LUTHIER_EMBEDDINGS_URL to one.")
    if not api_key and url == DEFAULT_BASE_URL:
        raise UserError(
            f"The embedding model {model} needs a key.", "Set LUTHIER_EMBEDDINGS_KEY or LUTHIER_EMBEDDINGS_URL."
        )
    return RemoteEmbeddings(model=model.strip(), url=url.rstrip("/"), key=api_key)


class RemoteEmbeddings:
    """An embedding model behind `POST /embeddings`; connected at the first call, safe to share by threads."""

    def __init__(self, *, model: str, url: str, key: str) -> None:
        """Take what the endpoint is asked for and where; nothing is sent yet."""
        self._model, self._url, self._key = model, url, key
        self._client: httpx.Client | None = None
        self._lock = threading.Lock()
        self._dimension = 0

    @property
    def name(self) -> str:
        """Name of model and host: the same name elsewhere may be another model, and vectors of two never mix."""
        return f"{self._model}@{urlsplit(self._url).netloc.rpartition('@')[2]}"

    @property
    def dimension(self) -> int:
        """Length of each vector; the endpoint is asked where nothing has been embedded yet."""
        if not self._dimension:
            self.embed(["dimension"])
        return self._dimension

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return one unit vector per text, in the order given; raise EmbeddingsUnavailable."""
        if not texts:
            return np.zeros((0, self._dimension), dtype=np.float32)
        if len(texts) == 1:
            return self._unit(self._ask(texts, QUESTION))
        batches = list(_batches(texts))
        with ThreadPoolExecutor(min(_AT_ONCE, len(batches))) as pool:
            parts = list(pool.map(lambda batch: self._ask(batch, DOCUMENTS), batches))
        if len({part.shape[1] for part in parts}) > 1:
            raise self._trouble("sent vectors of different lengths")
        return self._unit(np.concatenate(parts))

    def close(self) -> None:
        """Close the connections; a later call opens them again."""
        with self._lock:
            if self._client is not None:
                self._client.close()
            self._client = None

    def _ask(self, texts: Sequence[str], patience: Patience) -> Vectors:
        """Send one request until it is answered or patience ends."""
        # Endpoints refuse an empty text, and a passage may be one character that they strip.
        body = {"model": self._model, "input": [text.strip() or "-" for text in texts], "encoding_format": "float"}
        reason = ""
        for attempt in range(patience.tries):
            pause = 0.5 * 2**attempt
            try:
                answer = self._connected().post(f"{self._url}/embeddings", json=body, timeout=patience.timeout)
            except httpx.TimeoutException:
                reason = f"did not answer within {patience.timeout:g} s"
            except httpx.HTTPError as error:
                reason = f"cannot be reached ({type(error).__name__})"
            else:
                if answer.status_code not in _AGAIN:
                    return self._vectors(answer, len(texts))
                reason = f"answers {answer.status_code}"
                pause = _asked_pause(answer) or pause
            if attempt + 1 < patience.tries:
                time.sleep(min(pause, patience.longest_pause))
        raise self._trouble(reason)

    def _vectors(self, answer: httpx.Response, count: int) -> Vectors:
        if answer.status_code in (401, 403):
            raise self._trouble("refuses the key", "Check LUTHIER_EMBEDDINGS_KEY.")
        if answer.status_code != httpx.codes.OK:
            raise self._trouble(f"answers {answer.status_code}", "Check LUTHIER_EMBEDDINGS and its address.")
        try:
            rows = sorted(answer.json()["data"], key=lambda row: int(row["index"]))
            vectors = np.array([row["embedding"] for row in rows], dtype=np.float32)
        except (ValueError, KeyError, TypeError) as error:
            raise self._trouble("answers with something that is no embeddings") from error
        if vectors.ndim != 2 or len(vectors) != count or not np.isfinite(vectors).all():
            raise self._trouble("answers with something that is no embeddings")
        return vectors

    def _unit(self, vectors: Vectors) -> Vectors:
        if self._dimension not in (0, vectors.shape[1]):
            raise self._trouble("sent vectors of another length than before")
        self._dimension = vectors.shape[1]
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        return np.asarray(vectors / np.maximum(lengths, 1e-12), dtype=np.float32)

    def _connected(self) -> httpx.Client:
        with self._lock:
            if self._client is None:
                headers = {"Authorization": f"Bearer {self._key}"} if self._key else {}
                self._client = httpx.Client(headers=headers, verify=needed(self._url))
            return self._client

    def _trouble(self, what: str, next_step: str = "Try again later, or look at LUTHIER_EMBEDDINGS_URL.") -> Exception:
        return EmbeddingsUnavailable(f"The embedding model {self._model} {what}.", next_step)


def _batches(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    start = length = 0
    for row, text in enumerate(texts):
        if row > start and (row - start == _TEXTS or length + len(text) > _CHARACTERS):
            yield texts[start:row]
            start, length = row, 0
        length += len(text)
    yield texts[start:]


def _asked_pause(answer: httpx.Response) -> float | None:
    """Return the seconds of a Retry-After header; a date, which no endpoint sends, counts as none."""
    value: Any = answer.headers.get("retry-after", "")
    return float(value) if value.replace(".", "", 1).isdecimal() else None
