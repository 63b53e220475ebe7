"""Knows how an event reaches an address: only where it may go, signed, never redirected; it does not know why."""

import asyncio
import logging
import socket
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import httpx

from knowledge.clock import Clock
from knowledge.fetching import is_public
from trainers.api.hooks import Due, Hooks, secrets_of
from trainers.api.tables import ApiHook
from trainers.openai_api import signing
from trainers.openai_api.refusals import bad

log = logging.getLogger("luthier.api")

SECONDS = 10.0
"""How long an address may take to answer."""

Look = Callable[[str, int], Sequence[str]]
"""Gives the addresses of a host."""


def addresses(host: str, port: int) -> Sequence[str]:
    """Ask the system where a host is; nothing where it is not known."""
    try:
        return sorted({str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)})
    except OSError:
        return ()


@dataclass(frozen=True, kw_only=True)
class Sender:
    """Sends to the public internet over https, and to hosts of our own network that an operator named."""

    inside: Collection[str] = ()
    """Hosts, as `name` or `name:port`, that may be anywhere and may speak plain http."""
    look: Look = addresses

    def check(self, url: str) -> None:
        """Raise ApiError for an address that nothing is ever sent to."""
        try:
            read = _parsed(url)
        except (httpx.InvalidURL, ValueError):
            raise bad("Invalid 'url': it cannot be read.", "invalid_value", "url") from None
        if self._is_inside(read):
            return
        if read.scheme != "https":
            raise bad("Invalid 'url': https only, but for hosts that the operator named.", "invalid_value", "url")
        if read.host in ("localhost",) or not self._public(read):
            raise bad("Invalid 'url': it does not lead to the public internet.", "invalid_value", "url")

    def send(self, hook: ApiHook, told: signing.Told, clock: Clock) -> int:
        """Send once; returns the status, 0 where nobody answered or it may not go there any more.

        The connection goes to the very address that was looked at: a name that answers differently the second time
        leads nowhere else.
        """
        now = clock()
        try:
            url = _parsed(hook.url)
            host, port = url.raw_host.decode(), url.port or (443 if url.scheme == "https" else 80)
            found = [each for each in self.look(host, port) if self._is_inside(url) or is_public(each)]
            if not found or (url.scheme != "https" and not self._is_inside(url)):
                return 0
            headers = {**signing.signed(told, secrets_of(hook, now), now.timestamp()), "host": url.netloc.decode()}
            headers["user-agent"] = "Luthier webhooks"
            return asyncio.run(_post(url.copy_with(host=found[0], port=port), host, headers, told.body))
        except (httpx.HTTPError, httpx.InvalidURL, ValueError, TimeoutError) as error:
            log.warning("webhook %s did not answer: %s", hook.id, type(error).__name__)
            return 0

    def _is_inside(self, url: httpx.URL) -> bool:
        return url.netloc.decode() in self.inside or url.raw_host.decode() in self.inside

    def _public(self, url: httpx.URL) -> bool:
        found = self.look(url.raw_host.decode(), url.port or 443)
        return bool(found) and all(is_public(each) for each in found)


def deliver(hooks: Hooks, sender: Sender, clock: Clock) -> int:
    """Send what is due and nobody else is sending; returns how many attempts were made."""
    due = hooks.claim(clock())

    def attempt(each: Due) -> None:
        hooks.tried(each.delivery, sender.send(each.hook, _told(each), clock), clock())

    if due:  # side by side: one address that does not answer keeps no other waiting
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(attempt, due))
    return len(due)


def _parsed(url: str) -> httpx.URL:
    """Read an address. Raises InvalidURL, and ValueError for a host or a port that cannot be."""
    read = httpx.URL(url)
    read.raw_host.decode().encode("idna")  # which knows how long a name may be
    if not read.host or read.port not in (None, *range(1, 65_536)):
        raise ValueError("no such host or port")
    return read


async def _post(url: httpx.URL, host: str, headers: Mapping[str, str], body: bytes) -> int:
    """Return the status alone; the limit holds for all of it, because an answer may come a byte at a time."""
    async with (
        asyncio.timeout(SECONDS),
        httpx.AsyncClient(trust_env=False, follow_redirects=False, timeout=SECONDS) as client,
        client.stream("POST", url, content=body, headers=headers, extensions={"sni_hostname": host}) as answer,
    ):
        return answer.status_code


def _told(due: Due) -> signing.Told:
    owed = due.delivery
    at = owed.at.timestamp() if owed.at else 0
    return signing.event(owed.id, owed.event_type, owed.api_job_id, at)
