"""Requests that are wrong, hostile or cut off: answered as Slack would, nothing logged, everybody else served."""

import logging
import os
import socket
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

from bot.console.limits import limit
from tests.console import APP_TOKEN, BOT_TOKEN, LocalSlack

Json = dict[str, Any]
BEARER = {"authorization": f"Bearer {BOT_TOKEN}"}
DEEP = b"[" * 10_000


class Log(logging.Handler):
    """Keeps what the server says."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.said: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep one record."""
        self.said.append(record.getMessage())


@pytest.fixture(scope="module")
def slack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalSlack]:
    started = LocalSlack(tmp_path_factory.mktemp("hostile"))
    yield started
    started.stop()


@pytest.fixture(autouse=True)
def quiet(slack: LocalSlack) -> Iterator[None]:
    """After each test: the server still works, and it has logged nothing worse than what uvicorn says of bad HTTP."""
    log = Log()
    loggers = [logging.getLogger(name) for name in ("uvicorn", "asyncio", "bot")]
    for logger in loggers:
        logger.addHandler(log)
    yield
    assert slack.http.get("/api/api.test").json() == {"ok": True}
    for logger in loggers:
        logger.removeHandler(log)
    assert [line for line in log.said if line != "Invalid HTTP request received."] == []


def post(slack: LocalSlack, path: str, body: bytes, kind: str = "application/json") -> httpx.Response:
    """One POST with a token."""
    return slack.http.post(path, content=body, headers={**BEARER, "content-type": kind})


def raw(slack: LocalSlack, request: bytes, *, wait: bool = True) -> bytes:
    """Send bytes as they are and hang up; with `wait`, read the answer first."""
    with socket.create_connection(("127.0.0.1", slack.port), timeout=3) as wire:
        wire.sendall(request)
        answer = b""
        while wait and (piece := wire.recv(65536)):
            answer += piece
    return answer


def head(slack: LocalSlack, line: str, *headers: str) -> bytes:
    """The head of a request."""
    fixed = (f"Host: 127.0.0.1:{slack.port}", f"Authorization: Bearer {BOT_TOKEN}", "X-Local-Slack: 1")
    return "\r\n".join([f"{line} HTTP/1.1", *fixed, "Connection: close", *headers, "", ""]).encode("latin-1")


NO_JSON = {
    "cut off": b"{",
    "NaN": b'{"text":NaN}',
    "infinite": b'{"text":1e999}',
    "10,000 deep": DEEP,
    "10,000 deep and closed": b'{"blocks":' + DEEP + b"]" * 10_000 + b"}",
    "250 deep": b'{"a":' * 250 + b"1" + b"}" * 250,
    "broken UTF-8": b'{"text":"\xff"}',
    "half a character": b'{"text":"\xed\xa0\x80"}',
    "UTF-16": '{"text":"\\ud800"}'.encode("utf-16"),
    "5,000 digits": b'{"text":' + b"9" * 5000 + b"}",
}


@pytest.mark.parametrize("path", ["/api/chat.postMessage", "/api/api.test", "/_local/send", "/actions/T0NORTHWIND/1/x"])
@pytest.mark.parametrize("kind", NO_JSON)
def test_what_is_no_json_is_refused(slack: LocalSlack, path: str, kind: str) -> None:
    """invalid_json at every address that takes JSON."""
    assert post(slack, path, NO_JSON[kind]).json()["error"] == "invalid_json"


def test_json_at_its_edges_is_taken(slack: LocalSlack) -> None:
    """The last of equal keys wins; half a character that is spelled out becomes U+FFFD; 150 levels are read."""
    answer = post(
        slack, "/api/api.test", b'{"a":"1","a":"2","b":"\\ud800","c":' + b"[" * 150 + b"]" * 150 + b"}"
    ).json()
    assert (answer["args"]["a"], answer["args"]["b"]) == ("2", "\ufffd")


@pytest.mark.parametrize(
    ("kind", "body", "error"),
    [
        ("application/json; charset=utf-7", b"{}", "invalid_charset"),
        ("application/xml", b"<a/>", "invalid_post_type"),
        ("", b"a=b", "missing_post_type"),
        ("multipart/form-data", b"--a", "invalid_form_data"),
        ("multipart/form-data; boundary=a", b"--a\r\nNo colon\r\n\r\n", "invalid_form_data"),
        ("multipart/form-data; boundary=a", b"--a\r\nContent-Disposition: form-data\r\n\r\n--a--", "invalid_form_data"),
        ("application/x-www-form-urlencoded", b"text=" + b"x" * 5_000_000, "request_too_large"),
        ("multipart/form-data; boundary=a", b"x" * 5_000_000, "request_too_large"),
    ],
)  # fmt: skip
def test_bodies_of_the_wrong_kind(slack: LocalSlack, kind: str, body: bytes, error: str) -> None:
    """Each has Slack's own name."""
    assert post(slack, "/api/api.test", body, kind).json()["error"] == error


def test_forms_with_broken_bytes_are_read(slack: LocalSlack) -> None:
    """What is no UTF-8 in a form, raw or escaped, becomes U+FFFD; file parts beside fields are left out."""
    form = b"a=%ff&b=\xff&c=%ED%A0%80"
    got = post(slack, "/api/api.test", form, "application/x-www-form-urlencoded").json()["args"]
    assert set("".join(got.values())) == {"\ufffd"}
    answer = slack.http.post("/api/api.test", data={"x": "1"}, files={"f": ("n", b"bytes")})
    assert answer.json()["args"] == {"x": "1"}
    blocks = b"channel=C0ASK&text=x&blocks=%5b%7b%22type%22%3a%22%5cud800%22%7d%5d"
    assert post(slack, "/api/chat.postMessage", blocks, "application/x-www-form-urlencoded").status_code == 200


def test_a_message_of_100000_characters(slack: LocalSlack) -> None:
    """The API keeps the first 40,000; at the page it is refused with the number that fits."""
    long = "x" * 100_000
    ts = slack.web.chat_postMessage(channel="C0ASK", text=long)["ts"]
    kept = next(each for each in slack.messages() if each["ts"] == ts)
    assert len(kept["text"]) <= limit("message.text_kept")
    refused = slack.act("send", user="U0ADA", channel="C0ASK", text=long)
    assert (refused["error"], any(digit.isdigit() for digit in refused["detail"])) == ("msg_too_long", True)


def test_51_blocks(slack: LocalSlack) -> None:
    """50 are taken, one more is invalid_blocks with the reason."""
    for number, ok in ((50, True), (51, False)):
        body = {"channel": "C0ASK", "text": "x", "blocks": [{"type": "divider"}] * number}
        answer = slack.http.post("/api/chat.postMessage", json=body, headers=BEARER).json()
        assert answer["ok"] is ok
    assert (answer["error"], "50" in str(answer["response_metadata"])) == ("invalid_blocks", True)


def test_script_in_any_text_stays_text(slack: LocalSlack) -> None:
    """Answers are JSON that no browser takes for a page, and pages allow scripts of this address only."""
    evil = "<script>alert(1)</script>"
    slack.send(evil)
    listed = slack.http.get("/_local/messages", params={"user": "U0ADA", "channel": "C0ASK"})
    assert listed.headers["content-type"] == "application/json"
    assert slack.messages()[-1]["text"].startswith("&lt;script&gt;")
    for path in (f"/api/{evil}", f"/_local/{evil}", f"/archives/{evil}/x", f"/files-pri/{evil}/x", f"/{evil}"):
        answer = slack.http.get(path)
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "script-src 'self'" in answer.headers["content-security-policy"]
        assert evil not in answer.text or answer.headers["content-type"] == "application/json"


@pytest.mark.parametrize("verb", ["PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "TRACE"])
def test_odd_verbs_do_nothing(slack: LocalSlack, verb: str) -> None:
    """405, and no message was posted."""
    before = slack.messages()
    answer = slack.http.request(
        verb, "/api/chat.postMessage", params={"channel": "C0ASK", "text": verb}, headers=BEARER
    )
    assert (answer.status_code, slack.messages()) == (405, before)
    assert slack.http.request(verb, "/_local/send").status_code in (200, 405)


@pytest.mark.parametrize(
    "path",
    [
        "/static/../../../etc/passwd",
        "/static/..%2f..%2f..%2fetc%2fpasswd",
        "/static/%2e%2e/%2e%2e/server.py",
        "/static/%00",
        "/static/" + "a" * 5000,
        "/files-pri/..%2f..%2fslack.db/x",
        "/files-pri/%00/x",
        "/files-pri/T0NORTHWIND-..%2f/download/x",
        "/files/U0ADA/../../slack.db/x",
        "/_local/file/..%2f..%2fslack.db",
        "/_local/raw?user=U0ADA&channel=../../x&ts=%00",
        "/_local/..%2fslack.db",
        "/api/..%2f..%2fx",
        "/api/%ff%00",
        "/upload/v1/..%2f..%2fx",
        "/oauth/v2/%2e%2e/%2e%2e",
        "/_local/boot?user=" + "x" * 60_000,
        "/api/api.test?" + "a=b&" * 15_000,
    ],
)
def test_paths_lead_nowhere_else(slack: LocalSlack, path: str) -> None:
    """No file outside comes back, whatever stands in a path or query."""
    answer = raw(slack, head(slack, f"GET {path}"))
    assert answer.split()[1] in (b"200", b"403", b"404", b"405")
    assert b"root:" not in answer
    assert b"SQLite" not in answer
    assert b"import " not in answer


@pytest.mark.parametrize(
    ("header", "status"),
    [
        ("Host: evil.example", b"403"),
        ("Origin: http://[", b"403"),
        ("Cookie: local_slack=\xff\xfe; local_slack", b"200"),
        ("Content-Length: -1", b"400"),
        ("Transfer-Encoding: nonsense", b"400"),
        ("Content-Length: 1\r\nContent-Length: 2", b"400"),
        ("Bad Header", b"400"),
    ],
)
def test_odd_headers(slack: LocalSlack, header: str, status: bytes) -> None:
    """Two hosts, broken origins and bodies of impossible length are refused."""
    assert raw(slack, head(slack, "GET /_local/boot?user=U0ADA", header)).split()[1] == status


def test_a_wrong_cookie_opens_no_file(slack: LocalSlack) -> None:
    """Only the cookie that this process set, or a good token."""
    file_id = slack.upload("a.txt", b"secret")["id"]
    for cookie in ("", "local_slack=", "local_slack=wrong", "local_slack=\xe9"):
        answer = raw(
            slack, head(slack, f"GET /_local/file/{file_id}", f"Cookie: {cookie}").replace(BOT_TOKEN.encode(), b"x")
        )
        assert (answer.split()[1], b"secret" in answer) == (b"403", False)
    page = slack.http.get("/")
    assert "samesite=strict" in page.headers["set-cookie"].lower()
    assert "httponly" in page.headers["set-cookie"].lower()
    assert slack.http.get(f"/_local/file/{file_id}").text == "secret"
    slack.http.cookies.clear()


@pytest.mark.parametrize(
    "name",
    ["a\r\nSet-Cookie: x=y.txt", "../../../etc/passwd", "..", ".", 'a"b;c.txt', "a\x00b.txt", "\u202etxt.exe",
     "<script>.html", "x" * 5000 + ".txt", "файл 😀.txt"],
)  # fmt: skip
def test_names_of_files_break_out_of_nothing(slack: LocalSlack, name: str) -> None:
    """The bytes lie in their folder under an id; the header names them without a line break and without a path."""
    file = slack.http.post("/_local/upload", params={"user": "U0ADA", "name": name}, content=b"bytes").json()["file"]
    got = slack.http.get(file["url_private_download"], headers=BEARER)
    assert (got.status_code, got.content) == (200, b"bytes")
    assert "set-cookie" not in got.headers
    assert got.headers["content-disposition"].startswith("attachment")
    assert not any(bad in got.headers["content-disposition"] for bad in ("\r", "\n", "/"))
    stored = [each.name for each in (slack.space.folder / "files").iterdir()]
    assert all(each.startswith("F0") for each in stored)


@pytest.mark.parametrize(
    "path", ["/api/api.test", "/_local/send", "/_local/upload?user=U0ADA&name=x", "/actions/T/1/x"]
)
@pytest.mark.parametrize("kind", ["application/json", "multipart/form-data; boundary=a"])
def test_half_a_request_and_gone(slack: LocalSlack, path: str, kind: str) -> None:
    """A client that leaves in the middle of a body leaves no trace."""
    raw(slack, head(slack, f"POST {path}", f"Content-Type: {kind}", "Content-Length: 1000") + b'{"a', wait=False)
    time.sleep(0.05)
    assert not list((slack.space.folder / "files").glob("*.part"))


@pytest.mark.parametrize("kind", ["application/octet-stream", "multipart/form-data; boundary=a"])
def test_half_an_upload_can_be_done_again(slack: LocalSlack, kind: str) -> None:
    """The address is still good; the file is whole after the second try."""
    ticket = slack.web.files_getUploadURLExternal(filename="a.bin", length=10)
    path = str(ticket["upload_url"]).removeprefix(slack.url)
    begun = b'--a\r\nContent-Disposition: form-data; name="f"; filename="x"\r\n\r\n01' if "multi" in kind else b"01"
    raw(slack, head(slack, f"POST {path}", f"Content-Type: {kind}", "Content-Length: 1000") + begun, wait=False)
    time.sleep(0.05)
    assert slack.http.post(path, content=b"0123456789").text == "OK - 10"
    slack.web.files_completeUploadExternal(files=[{"id": ticket["file_id"]}])


@pytest.mark.parametrize("way", ["raw", "chunked", "multipart", "multipart chunked"])
def test_a_file_over_the_cap_is_refused(slack: LocalSlack, way: str) -> None:
    """One byte more than 64 MiB is 413 whichever way it comes, and nothing of it stays."""
    ticket = slack.web.files_getUploadURLExternal(filename="big.bin", length=10)
    sent = upload(slack.http, ticket["upload_url"], limit("file.bytes") + 70_000, way)
    assert (sent.status_code, "file_upload_size_restricted" in sent.text) == (413, True)
    assert not list((slack.space.folder / "files").glob("*.part"))


def upload(http: httpx.Client, url: str, size: int, way: str) -> httpx.Response:
    """Send so many zero bytes in one of the ways."""
    piece = bytes(1 << 20)
    opening = b'--a\r\nContent-Disposition: form-data; name="f"; filename="big.bin"\r\n\r\n' if "multi" in way else b""
    closing = b"\r\n--a--\r\n" if "multi" in way else b""

    def body() -> Iterator[bytes]:
        yield opening
        for _ in range(size // len(piece)):
            yield piece
        yield piece[: size % len(piece)] + closing

    kind = "multipart/form-data; boundary=a" if "multi" in way else "application/octet-stream"
    headers = {"content-type": kind}
    if "chunked" not in way:
        headers["content-length"] = str(len(opening) + size + len(closing))
    return http.post(url, content=body(), headers=headers)


def test_text_frames_that_are_no_utf8_end_the_connection(slack: LocalSlack) -> None:
    """Code 1007, as the protocol says, and no traceback."""
    opened = slack.http.post("/api/apps.connections.open", headers={"authorization": f"Bearer {APP_TOKEN}"}).json()
    with connect(opened["url"], proxy=None) as wire:
        wire.recv()
        wire.send(b"\xff\xfe", text=True)
        with pytest.raises(ConnectionClosed) as closed:
            wire.recv(timeout=2)
    assert closed.value.rcvd is not None
    assert closed.value.rcvd.code == 1007


def test_slow_clients_hold_up_nobody(slack: LocalSlack) -> None:
    """While a hundred requests stay unfinished, others are answered at once."""
    wires = [socket.create_connection(("127.0.0.1", slack.port)) for _ in range(100)]
    for number, wire in enumerate(wires):
        wire.sendall(head(slack, "POST /api/api.test", "Content-Length: 100")[: 40 + number])
    begun = time.monotonic()
    for _ in range(20):
        assert slack.http.get("/api/api.test").json() == {"ok": True}
    took = time.monotonic() - begun
    for wire in wires:
        wire.close()
    assert took < 2, os.getloadavg()
