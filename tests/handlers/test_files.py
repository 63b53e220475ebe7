"""How a file from Slack comes here: only from trusted places, only so large, and never as a sign-in page."""

import dataclasses
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from handlers.files import checked_url, fetched
from knowledge.errors import ServiceError, UserError
from tests.handlers.world import World


class FileServer:
    """Stands where Slack keeps files and answers as told, noting which keys were sent to it."""

    def __init__(self) -> None:
        self.reply: tuple[int, str, bytes, dict[str, str]] = (200, "text/plain", b"rows", {})
        self.keys: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.keys.append(self.headers.get("Authorization", ""))
                status, kind, body, headers = outer.reply
                self.send_response(status)
                self.send_header("Content-Type", kind)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Stay quiet."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.host = f"127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()


@pytest.fixture
def files() -> Iterator[FileServer]:
    made = FileServer()
    yield made
    made.server.shutdown()
    made.server.server_close()


class Client:
    """A Slack client that knows one file."""

    token = "xoxb-secret"

    def __init__(self, **file: Any) -> None:
        self.file = {"mode": "hosted", "size": 4, "name": "rows.jsonl", **file}

    def files_info(self, file: str) -> dict[str, Any]:
        return {"file": self.file}


def get(world: World, files: FileServer, **file: Any) -> bytes:
    """Fetch a file of the server; gives its bytes."""
    deps = dataclasses.replace(world.deps, file_hosts=frozenset({files.host}), file_limit=1000)
    client: Any = Client(url_private_download=f"http://{files.host}/f", **file)
    with fetched(client, "F1", deps) as found:
        return found.path.read_bytes()


def test_a_file_arrives_with_our_key_and_leaves_nothing_behind(world: World, files: FileServer) -> None:
    """The bytes come as they are; afterwards the folder is empty again."""
    assert get(world, files) == b"rows"
    assert files.keys == ["Bearer xoxb-secret"]
    assert list((world.deps.datasets.folder / "incoming").iterdir()) == []


@pytest.mark.parametrize(
    ("reply", "error", "words"),
    [
        ((200, "text/html; charset=utf-8", b"<html>sign in</html>", {}), ServiceError, "sign-in page"),
        ((302, "text/plain", b"", {"Location": "http://127.0.0.1:9/steal"}), ServiceError, "status 302"),
        ((404, "text/plain", b"", {}), ServiceError, "status 404"),
        ((200, "text/plain", b"x" * 1001, {}), UserError, "I take up to"),
    ],
)
def test_what_is_not_the_file_is_refused(
    world: World, files: FileServer, reply: Any, error: type[Exception], words: str
) -> None:
    """A sign-in page, a redirect, an error and more bytes than were announced are refused, and nothing is kept."""
    files.reply = reply
    with pytest.raises(error, match=words):
        get(world, files)
    assert list((world.deps.datasets.folder / "incoming").iterdir()) == []


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/f",
        "http://files.slack.com/f",
        "https://files.slack.com@evil.example/f",
        "https://user:pw@files.slack.com/f",
        "https://files.slack.com:8443/f",
        "https://files.slack.com.evil.example/f",
        "file:///etc/passwd",
        "https://[bad/f",
        "",
    ],
)
def test_the_key_goes_to_trusted_hosts_only(world: World, url: str) -> None:
    """Other hosts, other ports, plain http and addresses with a user in them get nothing."""
    deps = dataclasses.replace(world.deps, file_hosts=frozenset({"files.slack.com"}))
    with pytest.raises(UserError):
        checked_url({"mode": "hosted", "url_private_download": url}, deps)
    assert checked_url({"mode": "hosted", "url_private_download": "https://files.slack.com/f"}, deps)


@pytest.mark.parametrize("file", [{"mode": "external"}, {"mode": "post"}, {"mode": "hosted", "size": 2_000_000}])
def test_links_and_large_files_are_refused_before_a_byte_is_read(world: World, file: dict[str, Any]) -> None:
    """A link to elsewhere is no file of ours, and an announced size over the cap is enough to say no."""
    with pytest.raises(UserError):
        checked_url({**file, "url_private_download": "https://files.slack.com/f"}, world.deps)
