"""Keeps vectors in a Chroma server, one collection of it for each of ours; it knows ids and numbers, never a text."""

import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import numpy as np

from knowledge.certificates import needed
from knowledge.embeddings import Vectors
from knowledge.errors import ServiceError
from knowledge.places import Place

TIMEOUT_SECONDS = 5.0
"""Longest wait for one answer of the server; about 2 ms is usual."""
_WRITE_SECONDS = 120.0
"""The same for what changes vectors: now and then the server puts thousands into its graph first."""
_REST_SECONDS = 5.0
"""After a silence no call is tried for this long, or every waiting thread would wait the full time in turn."""
_MAKES = frozenset({"upsert"})
"""What makes a collection where there is none."""
_WRITES = frozenset({"upsert", "delete"})
_PAGE = 1_000
_PUT = 256
_HNSW = {"hnsw": {"space": "cosine", "ef_construction": 200, "ef_search": 200}}
"""Twice Chroma's own 100 and 100: large collections lose fewer of the nearest."""


class VectorsUnavailable(ServiceError):
    """The vector server does not answer."""


class Near(NamedTuple):
    """One vector near the question's."""

    id: str
    cosine: float


class Entry(NamedTuple):
    """One vector to keep."""

    id: str
    document_id: str
    """Document that it goes with; empty for the guide."""
    content_hash: str


class ChromaVectors:
    """The vectors of one model, opened at the first call and again after the server was replaced; safe for threads.

    Each place is a Chroma collection of its own: a filter over a shared one took 30 ms at 6,000 vectors, and a
    collection that is dropped is gone whole.
    """

    def __init__(self, url: str, name: str) -> None:
        """Take the server's address and the first part of its collections' names, which names the model."""
        self._url = url
        self._name = re.sub(r"[^A-Za-z0-9-]+", "-", name).strip("-")[:200]
        self._lock = threading.Lock()
        self._clients: dict[bool, Any] = {}
        """One for writing and one for reading, which differ in how long they wait."""
        self._collections: dict[tuple[Place, bool], Any] = {}
        self._rests_until = 0.0

    def close(self) -> None:
        """Close the connections; the next call opens them again."""
        with self._lock:
            for client in self._clients.values():
                # Its own close leaves the connections open.
                client._server._session.close()
                client.close()
            self._clients.clear()
            self._collections.clear()

    def count(self, place: Place) -> int:
        """Return how many vectors are kept for one place."""
        return int(self._ask(place, "count", default=0))

    def stored(self, place: Place) -> dict[str, str]:
        """Return the content hash by id of every vector kept for one place."""
        hashes: dict[str, str] = {}
        nothing: dict[str, list[Any]] = {"ids": [], "metadatas": []}  # where there is no collection
        while True:
            found = self._ask(place, "get", default=nothing, include=["metadatas"], limit=_PAGE, offset=len(hashes))
            hashes.update(zip(found["ids"], (entry["hash"] for entry in found["metadatas"]), strict=True))
            if len(found["ids"]) < _PAGE:
                return hashes

    def all(self, place: Place) -> tuple[list[str], Vectors]:
        """Return the ids of one place and its vectors, shape (ids, dimension): for the guide, which is small."""
        nothing: dict[str, Any] = {"ids": [], "embeddings": np.zeros((0, 0), np.float32)}
        ids: list[str] = []
        parts: list[Vectors] = []
        while True:
            found = self._ask(place, "get", default=nothing, include=["embeddings"], limit=_PAGE, offset=len(ids))
            ids += found["ids"]
            parts.append(np.asarray(found["embeddings"], np.float32))
            if len(found["ids"]) < _PAGE:
                return ids, np.concatenate([part for part in parts if part.size] or parts[:1])

    def put(self, place: Place, entries: Sequence[Entry], vectors: Vectors) -> None:
        """Add or replace `entries`, one row of `vectors` each."""
        for start in range(0, len(entries), _PUT):
            part = entries[start : start + _PUT]
            facts = [{"document": entry.document_id, "hash": entry.content_hash} for entry in part]
            ids = [entry.id for entry in part]
            self._ask(place, "upsert", ids=ids, embeddings=vectors[start : start + _PUT], metadatas=facts)

    def remove(self, place: Place, ids: Sequence[str]) -> None:
        """Forget the vectors with these ids."""
        for start in range(0, len(ids), _PAGE):
            self._ask(place, "delete", ids=list(ids[start : start + _PAGE]))

    def remove_document(self, place: Place, document_id: str) -> None:
        """Forget the vectors of one document."""
        self._ask(place, "delete", where={"document": document_id})

    def drop(self, place: Place) -> None:
        """Forget all of one place, whichever model made its vectors."""
        self._drop(lambda name: name.endswith(f".{place.digest}"))

    def drop_of_other_models(self, place: Place) -> None:
        """Forget what other models made of one place, and the one collection for all that older versions kept."""
        mine = self._named(place)
        self._drop(lambda name: (name.endswith(f".{place.digest}") and name != mine) or name == self._name)

    def search(self, place: Place, vector: Vectors, k: int) -> list[Near]:
        """Return up to `k` vectors of one place, nearest first; `vector` has shape (dimension,)."""
        nothing: dict[str, list[list[Any]]] = {"ids": [[]], "distances": [[]]}
        found = self._ask(
            place, "query", default=nothing, query_embeddings=[vector], n_results=k, include=["distances"]
        )
        # Chroma's cosine distance is 1 - cosine.
        return [Near(key, 1 - float(far)) for key, far in zip(found["ids"][0], found["distances"][0], strict=True)]

    def _named(self, place: Place) -> str:
        return f"{self._name}.{place.digest}"

    def _ask(self, place: Place, method: str, *, default: Any = None, **arguments: Any) -> Any:
        """Call a method of a place's collection; where there is none, only `upsert` makes it, others give `default`.

        A collection that another process or a wipe of the server took away is opened anew once.
        """
        import httpx
        from chromadb.errors import NotFoundError

        with _translated(self._url):
            for _ in range(2):
                try:
                    return getattr(self._open(place, method), method)(**arguments)
                except NotFoundError:
                    self._forget(place)
                except httpx.TimeoutException:
                    self._rests_until = time.monotonic() + _REST_SECONDS
                    raise
        if method in _MAKES:
            raise _unavailable(self._url, "its collections come and go")
        return default

    def _open(self, place: Place, method: str) -> Any:
        writing = method in _WRITES
        with self._lock:
            client = self._connected(writing)
            key = (place, writing)
            if key not in self._collections:
                open_it = client.get_or_create_collection if method in _MAKES else client.get_collection
                settings = {"configuration": _HNSW} if method in _MAKES else {}
                self._collections[key] = open_it(self._named(place), embedding_function=None, **settings)
            return self._collections[key]

    def _forget(self, place: Place) -> None:
        with self._lock:
            for writing in (False, True):
                self._collections.pop((place, writing), None)

    def _connected(self, writing: bool) -> Any:
        """Return a client; the caller holds the lock."""
        if time.monotonic() < self._rests_until:
            raise _unavailable(self._url, "silent a moment ago")
        if writing not in self._clients:
            self._clients[writing] = _client(self._url, _WRITE_SECONDS if writing else TIMEOUT_SECONDS)
        return self._clients[writing]

    def _drop(self, chosen: Callable[[str], bool]) -> None:
        from chromadb.errors import NotFoundError

        with _translated(self._url), self._lock:
            client = self._connected(True)
            for name in [each.name for each in client.list_collections() if chosen(each.name)]:
                with suppress(NotFoundError):  # another process was faster
                    client.delete_collection(name)


@contextmanager
def _translated(url: str) -> Iterator[None]:
    """Turn whatever the client raises for a server that is gone, silent or strange into VectorsUnavailable."""
    import httpx
    from chromadb.errors import ChromaError

    try:
        yield
    except VectorsUnavailable:
        raise
    except (httpx.HTTPError, ChromaError, ValueError) as error:
        raise _unavailable(url, type(error).__name__) from error
    except Exception as error:
        # chromadb raises a bare Exception for an answer that it cannot read; any subclass is a bug and goes on.
        if type(error) is not Exception:
            raise
        raise _unavailable(url, type(error).__name__) from error


def _unavailable(url: str, reason: str) -> VectorsUnavailable:
    return VectorsUnavailable(
        f"The vector server at {url} does not answer ({reason}).",
        "Restart it (`make run` does) or check CHROMA_URL.",
    )


def _client(url: str, timeout: float) -> Any:
    """Return a client without telemetry whose calls end after `timeout` seconds."""
    import chromadb
    import httpx
    from chromadb.config import Settings

    # Chroma 1.5.9 waits for ever, already while its client is made, and has no setting for it.
    heartbeat = f"{url.rstrip('/')}/api/v2/heartbeat"
    httpx.get(heartbeat, timeout=TIMEOUT_SECONDS, verify=needed(url)).raise_for_status()
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    # Without `_env_file=None` Chroma reads any `.env` in the working folder and refuses keys that it does not know.
    checks = None if secure else False
    settings = Settings(_env_file=None, anonymized_telemetry=False, chroma_server_ssl_verify=checks)
    client = chromadb.HttpClient(
        host=parts.hostname or "127.0.0.1", port=parts.port or (443 if secure else 80), ssl=secure, settings=settings
    )
    # Its HTTP sessions are private: one needs a limit, the other has checked the tenant and is done.
    inside: Any = client
    inside._server._session.timeout = timeout
    inside._admin_client._server._session.close()
    return client
