"""Gets one page from a host that was allowed beforehand; it never reaches into our own network and sends no secret."""

import hashlib
import socket
import ssl
import threading
import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from ipaddress import IPv6Address, ip_address, ip_network
from pathlib import Path, PurePosixPath
from typing import Any
from urllib.parse import SplitResult, urljoin, urlsplit

import httpx

from knowledge.errors import ServiceError, UserError

SECONDS = 60.0
"""A page that takes longer, redirects included, is given up."""

_HOPS = 3
_LONGEST = 2000
_GLOBAL = ip_network("2000::/3")
"""All that is given out as global unicast in IPv6. Outside of it lie the forms that wrap or translate an address of
IPv4 (`::7f00:1`, `64:ff9b::/96`, `64:ff9b:1::/48`) and the old site-local ones, which Python's is_global lets pass."""
_APART = (ip_network("3fff::/20"), ip_network("192.88.99.0/24"))
"""Addresses for documentation and of relays to 6to4, which Python 3.11 calls global."""

Resolve = Callable[[str], Sequence[str]]
"""Gives the addresses of a host as `address` or `address:port`, all of which may be reached; raises UserError."""


def fetch(
    url: str,
    path: Path,
    *,
    hosts: Collection[str],
    most: int,
    resolve: Resolve | None = None,
    trust: ssl.SSLContext | None = None,
) -> None:
    """Write what is at `url` to `path`, at most `most` bytes of it.

    The host must be one of `hosts`, before and after each redirect; we connect to the very address that was checked.
    Raises UserError for what may not or cannot be had, ServiceError where the host does not answer.
    """
    until, origin = time.monotonic() + SECONDS, checked(url, hosts).hostname
    for _ in range(_HOPS + 1):
        parts = checked(url, hosts)
        if parts.hostname != origin:
            raise UserError(f"{origin} sends on to another host.", "Give the address that it leads to.")
        further = _get(parts, path, most, until, resolve or public_addresses, trust or _trusted())
        if further is None:
            return
        url = _joined(url, further)
    raise UserError(f"{origin} sends on again and again.", "Give the address that it leads to in the end.")


def checked(url: str, hosts: Collection[str]) -> SplitResult:
    """Return the parts of an https address at one of `hosts`; raises UserError for any other."""
    try:
        parts = urlsplit(url.strip())
        host, port = parts.hostname or "", parts.port
    except ValueError:
        raise _no_address() from None
    readable = url.strip().isascii() and url.strip().isprintable()
    if parts.scheme != "https" or not host or "@" in parts.netloc or len(url) > _LONGEST or not readable:
        raise _no_address()
    if port not in (None, 443) or host not in hosts:
        allowed = f"These are allowed: {', '.join(sorted(hosts))}." if hosts else "None is allowed yet."
        raise UserError(
            f"Pages of {host} may not be fetched here.",
            f"{allowed} An operator allows hosts with `luthier settings set document_hosts=…`.",
        )
    return parts


def name_of(url: str) -> str:
    """Return what a page is called: its address without query and fragment, which may hold a key.

    Pages that differ only there are told apart by six letters made of the query. They are slow to make (some 50 ms) on
    purpose, so that a short secret cannot be found by trying all that there are.
    """
    parts = urlsplit(url.strip())
    name = f"{parts.hostname or ''}{parts.path}".rstrip("/")
    if not parts.query:
        return name
    mark = hashlib.scrypt(parts.query.encode(), salt=name.encode(), n=2**14, r=8, p=1, dklen=3).hex()
    path = PurePosixPath(name)
    return str(path.with_stem(f"{path.stem} ({mark})")) if parts.path.strip("/") else f"{name} ({mark})"


def public_addresses(host: str) -> Sequence[str]:
    """Return the addresses of a host; raises UserError where one of them is not on the public internet."""
    try:
        found = sorted({str(entry[4][0]) for entry in socket.getaddrinfo(host, 443, type=socket.SOCK_STREAM)})
    except OSError as error:
        raise ServiceError(f"{host} cannot be found.", "Check the address, then add it again.") from error
    if not found or not all(is_public(address) for address in found):
        raise UserError(
            f"{host} leads to an address that is not on the public internet.", "Upload the page as a file instead."
        )
    return found


def is_public(address: str) -> bool:
    """Say whether an address lies on the public internet, whatever it is wrapped in."""
    try:
        ip = ip_address(address)
    except ValueError:  # with a scope, such as fe80::1%eth0
        return False
    if isinstance(ip, IPv6Address):
        if ip.ipv4_mapped is not None:
            return is_public(str(ip.ipv4_mapped))
        if ip.sixtofour is not None or ip.teredo is not None or ip not in _GLOBAL:
            return False
    return ip.is_global and not ip.is_multicast and not any(ip in network for network in _APART)


def _joined(url: str, further: str) -> str:
    try:
        return urljoin(url, further)
    except ValueError:
        raise _no_address() from None


def _get(
    parts: SplitResult, path: Path, most: int, until: float, resolve: Resolve, trust: ssl.SSLContext
) -> str | None:
    """Write a page to `path`; returns where it is instead, or None."""
    host = str(parts.hostname)
    # The name is sent and its certificate checked, but the connection goes to the address that was looked at: a name
    # that answers differently the second time leads nowhere else.
    with (
        _cut_off(until) as seen,
        httpx.Client(trust_env=False, follow_redirects=False, timeout=SECONDS / 3, verify=trust) as web,
    ):
        refused: httpx.HTTPError | None = None
        for address in resolve(host)[:3]:
            request = web.build_request(
                "GET",
                parts._replace(netloc=f"[{address}]" if address.count(":") > 1 else address, fragment="").geturl(),
                headers={"Host": host, "User-Agent": "Luthier", "Accept-Encoding": "identity"},
                extensions={"sni_hostname": host, "trace": seen},
            )
            try:
                answer = web.send(request, stream=True)
            except httpx.HTTPError as error:
                refused = error
                continue
            try:
                return _keep(answer, host, path, most, until)
            except httpx.HTTPError as error:
                refused = error
            finally:
                answer.close()
        raise ServiceError(
            f"{host} did not give me that page.", "Try again later, or upload it as a file."
        ) from refused


def _keep(answer: httpx.Response, host: str, path: Path, most: int, until: float) -> str | None:
    if answer.has_redirect_location:
        return answer.headers["location"]
    if answer.status_code != httpx.codes.OK or answer.headers.get("content-encoding", "identity") != "identity":
        what = f"{host} did not give me that page (status {answer.status_code})."
        raise UserError(what, "Check that it opens without signing in, or upload it as a file.")
    size = 0
    with path.open("wb") as out:
        for chunk in answer.iter_raw():
            size += len(chunk)
            if size > most:
                raise UserError(f"That page has more than {most / 1_048_576:,.0f} MiB.", "Add only the part you need.")
            if time.monotonic() > until:
                raise ServiceError(f"That page did not arrive within {SECONDS:.0f} seconds.", "Try again later.")
            out.write(chunk)
    return None


@contextmanager
def _cut_off(until: float) -> Iterator[Callable[[str, Mapping[str, Any]], None]]:
    """Give a trace for requests whose connections end at `until`: httpx bounds each wait, not their sum.

    A host that sends its headers letter by letter would hold a worker for ever.
    """
    lines: list[socket.socket] = []

    def cut() -> None:
        for line in lines:
            with suppress(OSError):  # closed already
                line.shutdown(socket.SHUT_RDWR)

    def seen(name: str, info: Mapping[str, Any]) -> None:
        if name == "connection.connect_tcp.complete":
            # A copy, because TLS takes the socket over; both are one connection.
            lines.append(info["return_value"].get_extra_info("socket").dup())
            if time.monotonic() > until:
                cut()

    timer = threading.Timer(max(0.0, until - time.monotonic()), cut)
    timer.daemon = True
    timer.start()
    try:
        yield seen
    finally:
        timer.cancel()
        for line in lines:
            line.close()


def _no_address() -> UserError:
    return UserError("That is no https address.", "Give one such as https://docs.example.com/refunds.")


@cache
def _trusted() -> ssl.SSLContext:
    return httpx.create_ssl_context(trust_env=False)
