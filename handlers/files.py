"""Knows how a file that somebody gave us in Slack comes onto this machine safely; it does not know what is in it."""

import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPException
from ipaddress import ip_address
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from handlers.deps import Deps
from knowledge.errors import ServiceError, UserError

SECONDS = 60.0
"""A download that takes longer is given up."""

MODES = ("hosted", "snippet")
"""Files whose bytes Slack keeps; external ones and posts are only links."""


KINDS = frozenset(("jsonl", "ndjson", "json", "txt", "csv", "tsv", "xlsx", "xlsm"))
"""Ends of the names of files that may hold rows."""


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """A downloaded file; it is removed when the block that asked for it ends."""

    path: Path
    name: str
    """Its name in Slack."""


@contextmanager
def fetched(client: WebClient, file_id: str, deps: Deps) -> Iterator[Fetched]:
    """Download a file of Slack into a temporary folder.

    Raises UserError where it is not a file we take (too large, a link, gone), ServiceError where Slack keeps it back.
    """
    file = _info(client, file_id)
    url = checked_url(file, deps)
    home = deps.datasets.folder / "incoming"
    home.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=home) as folder:
        name = str(file.get("name") or "file")
        path = Path(folder) / stored_as(name)
        _download(url, client.token or "", path, deps.file_limit)
        yield Fetched(path=path, name=name)


def stored_as(name: str) -> str:
    """Return under which name a file is read: only the kind that it says it is of is taken from its own name.

    >>> stored_as("../My rows.CSV"), stored_as("notes.d/../../x")
    ('file.csv', 'file')
    """
    kind = name.lower().rpartition(".")[2]
    return f"file.{kind}" if kind in KINDS else "file"


def checked_url(file: Mapping[str, Any], deps: Deps) -> str:
    """Return the address of a file's bytes, if our token may be sent there; raises UserError otherwise."""
    if file.get("mode") not in MODES or file.get("is_external"):
        raise UserError("That file is only a link to another place.", "Upload the file itself.")
    size = int(file.get("size") or 0)
    if size > deps.file_limit:
        raise too_large(size, deps.file_limit)
    url = str(file.get("url_private_download") or file.get("url_private") or "")
    if not _trusted(url, deps.file_hosts):
        raise UserError("That file lies on a server that I don't send my key to.", "Upload the file itself to Slack.")
    return url


def too_large(size: int, limit: int) -> UserError:
    """Say that a file is over the cap, and what to do."""
    what = f"That file has {size / 1_000_000:,.1f} MB; I take up to {limit / 1_000_000:,.0f} MB."
    return UserError(what, "A few thousand good rows are plenty: send a smaller file.")


def _info(client: WebClient, file_id: str) -> Mapping[str, Any]:
    try:
        file: Mapping[str, Any] = client.files_info(file=file_id)["file"]
    except SlackApiError as error:
        code = error.response["error"]
        if code in {"file_not_found", "file_deleted"}:
            raise UserError("I can't open that file any more.", "Upload it again.") from error
        raise ServiceError(
            f"Slack does not let me read that file ({code}).", "Invite me to its channel and try again."
        ) from error
    except (SlackClientError, OSError, HTTPException) as error:  # no network, no answer in time, half an answer
        raise ServiceError("Slack did not answer when I asked for that file.", "Try again in a minute.") from error
    return file


def _trusted(url: str, hosts: frozenset[str]) -> bool:
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return False
    if "@" in parts.netloc or not host:
        return False
    named = host if port in (None, 443) else f"{host}:{port}"
    return named in hosts and (parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(host)))


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _download(url: str, token: str, path: Path, limit: int) -> None:
    until = time.monotonic() + SECONDS
    try:
        # No proxy settings and no redirects: the token goes to the checked host and nowhere else.
        with (
            httpx.Client(trust_env=False, follow_redirects=False, timeout=SECONDS) as web,
            web.stream("GET", url, headers={"Authorization": f"Bearer {token}"}) as answer,
        ):
            _check_answer(answer)
            _write(answer, path, limit, until)
    except httpx.HTTPError as error:
        raise ServiceError("Slack did not give me that file.", "Try again in a minute, or upload it again.") from error


def _check_answer(answer: httpx.Response) -> None:
    if answer.status_code != httpx.codes.OK:
        raise ServiceError(f"Slack did not give me that file (status {answer.status_code}).", "Upload it again.")
    if "text/html" in answer.headers.get("content-type", ""):
        # Slack sends its sign-in page, with status 200, to an app without the scope files:read.
        raise ServiceError(
            "Slack sent a sign-in page instead of that file.", "Ask an admin to give me the scope files:read."
        )


def _write(answer: httpx.Response, path: Path, limit: int, until: float) -> None:
    size = 0
    with path.open("wb") as out:
        for chunk in answer.iter_bytes():
            size += len(chunk)
            if size > limit:
                raise too_large(size, limit)
            if time.monotonic() > until:
                raise ServiceError(
                    f"That file did not arrive within {SECONDS:.0f} seconds.", "Try again, or send a smaller one."
                )
            out.write(chunk)
