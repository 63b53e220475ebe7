"""Keeps vectors in a Chroma server; it knows ids, numbers and whose they are, never a text."""

import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from knowledge.embeddings import Vectors
from knowledge.errors import ServiceError

TIMEOUT_SECONDS = 5.0
"""Longest wait for one answer of the server; about 2 ms is usual."""
_REST_SECONDS = 5.0
"""After a silence no call is tried for this long, or every waiting thread would wait the full time in turn."""
_PAGE = 1_000


class VectorsUnavailable(ServiceError):
    """The vector server does not answer."""


class Near(NamedTuple):
    """One vector near the question's."""

    id: str
    cosine: float


class Entry(NamedTuple):
    """One vector to keep."""

    id: str
    workspace: str
    collection: str
    content_hash: str


class ChromaVectors:
    """One Chroma collection, opened at the first call and again after the server was replaced; safe for threads."""

    def __init__(self, url: str, name: str) -> None:
        """Take the server's address and the collection's name."""
        self._url = url
        self._name = name
        self._lock = threading.Lock()
        self._client: Any = None
        self._collection: Any = None
        self._rests_until = 0.0

    def close(self) -> None:
        """Close the connections; the next call opens them again."""
        with self._lock:
            if self._client is not None:
                # Its own close leaves the connections open.
                self._client._server._session.close()
                self._client.close()
            self._client = self._collection = None

    def stored(self, workspace: str, collection: str) -> dict[str, str]:
        """Return the content hash by id of every vector kept for one collection of a workspace."""
        where = {"$and": [{"workspace": workspace}, {"collection": collection}]}
        hashes: dict[str, str] = {}
        while True:
            found = self._ask("get", where=where, include=["metadatas"], limit=_PAGE, offset=len(hashes))
            hashes.update(zip(found["ids"], (entry["hash"] for entry in found["metadatas"]), strict=True))
            if len(found["ids"]) < _PAGE:
                return hashes

    def put(self, entries: Sequence[Entry], vectors: Vectors) -> None:
        """Add or replace `entries`, one row of `vectors` each."""
        if not entries:
            return
        ids = [entry.id for entry in entries]
        facts = [
            {"workspace": entry.workspace, "collection": entry.collection, "hash": entry.content_hash}
            for entry in entries
        ]
        self._ask("upsert", ids=ids, embeddings=vectors, metadatas=facts)

    def remove(self, ids: Sequence[str]) -> None:
        """Forget the vectors with these ids."""
        for start in range(0, len(ids), _PAGE):
            self._ask("delete", ids=list(ids[start : start + _PAGE]))

    def search(self, vector: Vectors, k: int, workspaces: Sequence[str]) -> list[Near]:
        """Return up to `k` vectors of `workspaces`, nearest first; `vector` has shape (dimension,)."""
        where = {"workspace": {"$in": list(workspaces)}}
        found = self._ask("query", query_embeddings=[vector], n_results=k, where=where, include=["distances"])
        # Chroma's cosine distance is 1 - cosine.
        return [Near(key, 1 - float(far)) for key, far in zip(found["ids"][0], found["distances"][0], strict=True)]

    def _ask(self, method: str, **arguments: Any) -> Any:
        """Call the collection's `method`; a server that was wiped meanwhile gets a new collection and a second try."""
        import httpx
        from chromadb.errors import NotFoundError

        with _translated(self._url):
            try:
                return getattr(self._open(), method)(**arguments)
            except NotFoundError:
                with self._lock:
                    self._collection = None
                return getattr(self._open(), method)(**arguments)
            except httpx.TimeoutException:
                self._rests_until = time.monotonic() + _REST_SECONDS
                raise

    def _open(self) -> Any:
        with self._lock:
            if time.monotonic() < self._rests_until:
                raise _unavailable(self._url, "silent a moment ago")
            if self._client is None:
                self._client = _client(self._url)
            if self._collection is None:
                self._collection = self._client.get_or_create_collection(
                    self._name, embedding_function=None, configuration={"hnsw": {"space": "cosine"}}
                )
            return self._collection


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


def _client(url: str) -> Any:
    """Return a client without telemetry whose calls end after TIMEOUT_SECONDS."""
    import chromadb
    import httpx
    from chromadb.config import Settings

    # Chroma 1.5.9 waits for ever, already while its client is made, and has no setting for it.
    httpx.get(f"{url.rstrip('/')}/api/v2/heartbeat", timeout=TIMEOUT_SECONDS).raise_for_status()
    parts = urlsplit(url)
    secure = parts.scheme == "https"
    # Without `_env_file=None` Chroma reads any `.env` in the working folder and refuses keys that it does not know.
    settings = Settings(_env_file=None, anonymized_telemetry=False)
    client = chromadb.HttpClient(
        host=parts.hostname or "127.0.0.1", port=parts.port or (443 if secure else 80), ssl=secure, settings=settings
    )
    # Its HTTP sessions are private: one needs a limit, the other has checked the tenant and is done.
    inside: Any = client
    inside._server._session.timeout = TIMEOUT_SECONDS
    inside._admin_client._server._session.close()
    return client
