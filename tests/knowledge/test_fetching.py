"""Pages from the web: only allowed hosts, only public addresses, no redirect elsewhere, no secret; over real TLS."""

import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from knowledge import fetching
from knowledge.errors import LuthierError, ServiceError, UserError
from knowledge.fetching import checked, fetch, is_public, name_of, public_addresses

HOST = "docs.example.com"
PAGE = b"<html><body><h1>Refunds</h1><p>Within fourteen days.</p></body></html>"


class Site:
    """An https server that calls itself docs.example.com."""

    def __init__(self, folder: Path) -> None:
        self.seen: list[dict[str, str]] = []
        seen = self.seen
        key, certificate = folder / "key.pem", folder / "cert.pem"
        made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", f"/CN={HOST}"]
        made += ["-addext", f"subjectAltName=DNS:{HOST}", "-keyout", str(key), "-out", str(certificate)]
        subprocess.run(made, check=True, capture_output=True)

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                seen.append({"path": self.path, **dict(self.headers.items())})
                target = {"/away": "https://evil.example.com/", "/down": "http://docs.example.com/"}.get(self.path)
                target = "/loop" if self.path == "/loop" else target or ("/page" if self.path == "/moved" else None)
                target = "//[" if self.path == "/nowhere" else target
                if self.path == "/slow":
                    self.drip()
                self.send_response(302 if target else {"/none": 404, "/choices": 300}.get(self.path, 200))
                if target:
                    self.send_header("Location", target)
                if self.path == "/packed":
                    self.send_header("Content-Encoding", "gzip")
                body = PAGE * 5000 if self.path == "/large" else PAGE
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def drip(self) -> None:
                """Begin an answer and never come to its end."""
                self.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
                with suppress(OSError):
                    for _ in range(200):
                        self.wfile.write(b"x")
                        time.sleep(0.05)
                self.close_connection = True

            def log_message(self, *_: Any) -> None:
                """Stay quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        self.address = f"127.0.0.1:{self._server.server_port}"
        self.trust = ssl.create_default_context(cafile=str(certificate))

    def get(self, path: str, into: Path, *, host: str = HOST, most: int = 100_000) -> bytes:
        fetch(
            f"https://{host}{path}",
            into,
            hosts=(HOST, "evil.example.com"),
            most=most,
            resolve=lambda _: [self.address],
            trust=self.trust,
        )
        return into.read_bytes()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    made = Site(tmp_path_factory.mktemp("site"))
    yield made
    made.stop()


def test_a_page_is_fetched_without_any_secret(site: Site, tmp_path: Path) -> None:
    """The host gets its name and ours, and neither key nor cookie; a redirect within it is followed."""
    assert site.get("/page?x=1", tmp_path / "a") == PAGE
    assert site.get("/moved", tmp_path / "b") == PAGE
    sent = {name.lower() for name in site.seen[-1]}
    assert site.seen[-1]["Host"] == HOST
    assert not sent & {"authorization", "cookie", "referer"}


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/away", "sends on to another host"),
        ("/down", "no https address"),
        ("/loop", "again and again"),
        ("/none", "status 404"),
        ("/choices", "status 300"),
        ("/nowhere", "no https address"),
        ("/a\x7fb", "no https address"),
        ("/large", "more than"),
        ("/packed", "did not give me that page"),
    ],
)
def test_what_a_page_should_not_do_is_refused(site: Site, tmp_path: Path, path: str, words: str) -> None:
    """Redirects elsewhere or to http, endless ones, refusals, too much and packed answers end in a clear error."""
    with pytest.raises(LuthierError) as refused:
        site.get(path, tmp_path / "page")
    assert words in refused.value.what
    assert refused.value.next_step


def test_an_answer_that_never_begins_is_given_up(site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Headers that come letter by letter, each in time, do not hold a worker beyond the time of a page."""
    monkeypatch.setattr(fetching, "SECONDS", 0.6)
    begun = time.monotonic()
    with pytest.raises(ServiceError):
        site.get("/slow", tmp_path / "page")
    assert time.monotonic() - begun < 4


def test_a_host_that_cannot_prove_its_name_gives_nothing(site: Site, tmp_path: Path) -> None:
    """A server at the right address with another's certificate is not read."""
    before = len(site.seen)
    with pytest.raises(ServiceError):
        site.get("/page", tmp_path / "page", host="evil.example.com")
    assert len(site.seen) == before


@pytest.mark.parametrize(
    "url",
    [
        "http://docs.example.com/",
        "https://docs.example.com@evil.example/",
        "https://user:pass@docs.example.com/",
        "https://docs.example.com:8443/",
        "https://docs.example.com.evil.example/",
        "https://evil.example/?docs.example.com",
        "https://127.0.0.1/",
        "https://[::1]/",
        "https://docs.example.com:x/",
        "https://[docs.example.com/",
        "https://döcs.example.com/",
        "file:///etc/passwd",
        "https:///x",
        "",
        "https://docs.example.com/" + "x" * 3000,
    ],
)
def test_other_addresses_are_refused_before_anything_is_looked_up(url: str) -> None:
    """Only https on the usual port, at a host that is named exactly, without anybody's name in it."""
    with pytest.raises(UserError):
        checked(url, ("docs.example.com",))


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1",
        "fe80::1%eth0",
        "fd00::1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::a00:1",
        "2002:7f00:1::",
        "::127.0.0.1",
        "::ffff:0:127.0.0.1",
        "64:ff9b:1::a00:1",
        "fec0::1",
        "3fff::1",
        "192.88.99.1",
        "ff02::1",
        "not an address",
    ],
)
def test_addresses_inside_are_not_public(address: str) -> None:
    """Loopback, private, link-local, shared, multicast and wrapped addresses are nobody's web site."""
    assert not is_public(address)


def test_public_addresses_are_public() -> None:
    """Ordinary addresses of both kinds are."""
    assert is_public("93.184.216.34")
    assert is_public("2606:2800:220:1:248:1893:25c8:1946")


def test_a_name_that_leads_inside_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """One private address among the public ones is enough, whatever the name."""
    answers = [(2, 1, 6, "", ("93.184.216.34", 443)), (2, 1, 6, "", ("10.0.0.5", 443))]
    monkeypatch.setattr(fetching.socket, "getaddrinfo", lambda *_, **__: answers)
    with pytest.raises(UserError, match="not on the public internet"):
        public_addresses(HOST)


def test_names_of_pages_hold_no_query_and_stay_apart() -> None:
    """What stands behind ? or # may be a key; two pages that differ only there are still two, and keep their ending."""
    secret = "https://docs.example.com/a/refunds.md?token=hunter2&page=1#top"
    name, other = name_of(secret), name_of(secret.replace("page=1", "page=2"))
    assert name == name_of(secret.replace("#top", ""))
    assert name.startswith("docs.example.com/a/refunds (")
    assert name.endswith(").md")
    assert name != other
    assert [word for word in ("hunter2", "token", "page", "?", "#") if word in name + other] == []
    assert name_of("https://docs.example.com/refunds/#x") == "docs.example.com/refunds"
    assert name_of("https://docs.example.com?k=hunter2").startswith("docs.example.com (")
