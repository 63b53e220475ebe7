"""Knows how an event reaches an address: only where it may go, signed, never redirected; it does not know why."""

import asyncio
import logging
import socket
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import urlsplit

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
        parts = urlsplit(url)
        if self._is_inside(url):
            return
        if parts.scheme != "https":
            raise bad("Invalid 'url': https only, but for hosts that the operator named.", "invalid_value", "url")
        if parts.hostname in ("localhost",) or not self._public(url):
            raise bad("Invalid 'url': it does not lead to the public internet.", "invalid_value", "url")

    def send(self, hook: ApiHook, told: signing.Told, clock: Clock) -> int:
        """Send once; returns the status, 0 where nobody answered or it may not go there any more.

        The connection goes to the very address that was looked at: a name that answers differently the second time
        leads nowhere else.
        """
        parts = urlsplit(hook.url)
        host, port = str(parts.hostname), parts.port or (443 if parts.scheme == "https" else 80)
        found = [each for each in self.look(host, port) if self._is_inside(hook.url) or is_public(each)]
        if not found or (parts.scheme != "https" and not self._is_inside(hook.url)):
            return 0
        address = f"[{found[0]}]" if ":" in found[0] else found[0]
        now = clock()
        headers = {**signing.signed(told, secrets_of(hook, now), now.timestamp()), "host": parts.netloc}
        headers["user-agent"] = "Luthier webhooks"
        try:
            return asyncio.run(_post(parts._replace(netloc=f"{address}:{port}").geturl(), host, headers, told.body))
        except (httpx.HTTPError, TimeoutError) as error:
            log.warning("webhook %s did not answer: %s", hook.id, type(error).__name__)
            return 0

    def _is_inside(self, url: str) -> bool:
        parts = urlsplit(url)
        return parts.netloc in self.inside or (parts.hostname or "") in self.inside

    def _public(self, url: str) -> bool:
        parts = urlsplit(url)
        found = self.look(str(parts.hostname), parts.port or 443)
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


async def _post(url: str, host: str, headers: Mapping[str, str], body: bytes) -> int:
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
