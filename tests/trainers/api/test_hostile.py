"""What strangers and accidents do to the API: cut and huge uploads, silent connections, forged webhooks."""

import asyncio
import json
import queue
import socket
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import openai
import pytest
from openai.types.webhooks import FineTuningJobSucceededWebhookEvent
from openai.types.webhooks.webhook_endpoint import WebhookEndpoint
from openai.types.webhooks.webhook_endpoint_with_secret import WebhookEndpointWithSecret

import bot.patience
from tests.trainers.api.shop import BASE, EVE, Shop, ended, now, rows, upload
from tests.trainers.openai_types import check
from tests.trainers.rehearsal.test_whole_api import Ear, ear
from trainers.api.delivering import Sender
from trainers.openai_api.objects import Piece
from trainers.openai_api.refusals import ApiError

__all__ = ["ear"]
EVENTS: Any = ["fine_tuning.job.succeeded", "fine_tuning.job.failed", "fine_tuning.job.cancelled"]


def test_a_webhook_verifies_with_the_sdk_and_a_forged_one_does_not(shop: Shop, ear: Ear) -> None:
    """The end of a job reaches the address, signed; another secret, another body or an old date does not verify."""
    made = shop.key()
    with shop.client(made) as client:
        hook = client.webhooks.create(name="mine", url=ear.url, event_types=EVENTS)
        check(WebhookEndpoint, shop.get(made, f"/webhook_endpoints/{hook.id}").json())
        job = client.fine_tuning.jobs.create(model=BASE, training_file=upload(client))
        ear.wait(1)
        headers, body = ear.heard[0]
        event = client.webhooks.unwrap(body, headers, secret=hook.signing_secret)
        assert isinstance(event, FineTuningJobSucceededWebhookEvent)
        assert event.data.id == job.id
        check(FineTuningJobSucceededWebhookEvent, json.loads(body))
        for changed, secret, dated in (
            (body.replace(b"succeeded", b"failed"), hook.signing_secret, headers),
            (body, "whsec_" + "A" * 32, headers),
            (body, hook.signing_secret, {**headers, "webhook-timestamp": str(int(time.time()) - 3600)}),
        ):
            with pytest.raises(openai.InvalidWebhookSignatureError):
                client.webhooks.unwrap(changed, dated, secret=secret)
        client.webhooks.delete(hook.id)
        assert list(client.webhooks.list()) == []


def test_an_old_secret_may_sign_beside_the_new_one(shop: Shop, ear: Ear) -> None:
    """After a rotation that keeps the old secret a receiver with either of them verifies."""
    made = shop.key()
    with shop.client(made) as client:
        body = {"name": "mine", "url": ear.url, "event_types": EVENTS}
        raw = shop.get(made, "/webhook_endpoints", method="POST", json=body).json()
        check(WebhookEndpointWithSecret, raw)
        renewed = client.webhooks.rotate_secret(raw["id"], keep_old_secret_active_for_24_hours=True)
        assert client.webhooks.test(raw["id"], event_type=EVENTS[0]).status_code == 204
        headers, sent = ear.heard[0]
        for secret in (raw["signing_secret"], renewed.signing_secret):
            client.webhooks.unwrap(sent, headers, secret=secret)


def test_what_an_address_refuses_is_sent_again_under_the_same_id(shop: Shop) -> None:
    """A delivery that fails is owed on, later each time, until it arrives; a moved address is not followed."""
    heard: list[str] = []

    class Moody(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            heard.append(self.headers["webhook-id"])
            self.send_response(307 if len(heard) == 1 else 204)
            self.send_header("location", "http://127.0.0.1:9/elsewhere")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Moody)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    with shop.client() as client:
        client.webhooks.create(name="mine", url=f"http://127.0.0.1:{server.server_port}/", event_types=EVENTS)
        client.fine_tuning.jobs.create(model=BASE, training_file=upload(client))
        until = time.monotonic() + 20
        while len(heard) < 2:
            assert time.monotonic() < until
            time.sleep(0.05)
    server.shutdown()
    server.server_close()
    assert len(set(heard)) == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "https://localhost/",
        "https://127.0.0.2/",
        "https://10.0.0.1/x",
        "https://[::1]/",
        "ftp://x",
        "https://example.com:99999/",
        f"https://{'a' * 70}.example/",
        "https://a..example/",
        "https://example.com/\x7f",
        "https:///x",
    ],
)
def test_nothing_is_sent_into_our_own_network(shop: Shop, url: str) -> None:
    """An address that leads inside, or speaks no https, is refused when it is named."""
    with shop.client() as client, pytest.raises(openai.BadRequestError, match="url"):
        client.webhooks.create(name="mine", url=url, event_types=EVENTS)


def test_a_name_with_other_letters_is_looked_up_as_the_network_knows_it() -> None:
    """What is asked of the system, and said in the request, is a host's name in ASCII."""
    asked: list[tuple[str, int]] = []

    def look(host: str, port: int) -> list[str]:
        asked.append((host, port))
        return ["93.184.216.34"]

    Sender(look=look).check("https://bücher.example/hook")
    assert asked == [("xn--bcher-kva.example", 443)]


def test_addresses_that_never_answer_keep_nobody_waiting(shop: Shop) -> None:
    """While one key tests an address that says nothing, others are answered, and the key itself is told to wait."""
    made, other = shop.key(), shop.key(EVE)
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        url = f"http://127.0.0.1:{deaf.getsockname()[1]}/hook"
        hook = shop.get(
            made, "/webhook_endpoints", method="POST", json={"name": "d", "url": url, "event_types": EVENTS}
        )
        test = f"/webhook_endpoints/{hook.json()['id']}/test"
        statuses: list[int] = []

        def ask() -> None:
            statuses.append(shop.get(made, test, method="POST", json={"event_type": EVENTS[0]}).status_code)

        asking = [threading.Thread(target=ask) for _ in range(12)]
        for each in asking:
            each.start()
        begun = time.monotonic()
        while len(statuses) < len(asking) - 1:
            assert time.monotonic() - begun < 8
            time.sleep(0.01)
        assert set(statuses) == {429}
        assert shop.get(other, "/models").status_code == 200
        assert time.monotonic() - begun < 8  # the one that waits gives up after ten
    for each in asking:
        each.join()


def test_a_name_that_leads_inside_later_gets_nothing() -> None:
    """A host is looked up again before each attempt; one that answers with an inside address then is not called."""
    answers = [["93.184.216.34"], ["127.0.0.1"]]
    sender = Sender(look=lambda host, port: answers[0])
    sender.check("https://example.com/hook")
    turned = Sender(look=lambda host, port: answers[1])
    with pytest.raises(ApiError):
        turned.check("https://example.com/hook")
    from trainers.api.tables import ApiHook
    from trainers.openai_api import signing

    hook = ApiHook(
        id="we_1", workspace_id="T1", key_id="k", owner="U", name="n", url="https://example.com/hook", event_types="",
        secret=signing.new_secret(), created_at=now(), changed_at=now(),
    )  # fmt: skip
    assert turned.send(hook, signing.event("evt", EVENTS[0], "ftjob", 0), now) == 0


def test_an_upload_that_is_cut_leaves_nothing(shop: Shop) -> None:
    """A connection that breaks half-way leaves no row and no bytes."""
    with httpx.Client(trust_env=False) as client, pytest.raises(RuntimeError, match="half-way"):
        client.post(
            f"{shop.url}/files",
            headers={"authorization": f"Bearer {shop.key().secret}", "content-type": "multipart/form-data; boundary=x"},
            content=_half(),
        )
    time.sleep(0.3)
    assert _bytes_in(shop.folder / "api") == 0
    with shop.client() as client2:
        assert list(client2.files.list()) == []


def _half() -> Iterator[bytes]:
    yield b'--x\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nfine-tune\r\n'
    yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.jsonl"\r\n\r\n' + rows(2000) * 20
    raise RuntimeError("half-way")


def _bytes_in(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _refused_for_size(shop: Shop, size: int) -> None:
    with shop.client(timeout=120) as client, pytest.raises(openai.APIStatusError, match="too large") as refused:
        client.files.create(file=("big.jsonl", b"x" * size), purpose="fine-tune")
    assert (refused.value.status_code, refused.value.code) == (413, "file_too_large")
    assert _bytes_in(shop.folder / "api") == 0


def test_a_file_above_the_limit_is_413(shop: Shop) -> None:
    """A megabyte above a small limit is refused in OpenAI's shape, and nothing of it stays."""
    shop.api.file_limit = 5_000_000
    _refused_for_size(shop, 6_000_000)


def test_a_workspace_cannot_fill_the_disk(shop: Shop) -> None:
    """Beyond what a workspace may keep, a file is refused until others are deleted."""
    shop.changes.files.most_bytes = len(rows()) + 10
    with shop.client() as client:
        kept = upload(client)
        with pytest.raises(openai.BadRequestError, match="would exceed"):
            upload(client)
        client.files.delete(kept)
        assert upload(client)


def test_uploads_on_their_way_count_too(shop: Shop) -> None:
    """What a workspace is sending already takes its room, whether or not it says how much; others have their own."""
    shop.changes.files.most_bytes = 3_000_000
    made = shop.key()
    with ExitStack() as open_ones:
        for _ in range(2):
            open_ones.enter_context(_begun(shop, made.secret, 1_400_000))
        with shop.client(made) as client, pytest.raises(openai.BadRequestError, match="would exceed") as refused:
            client.files.create(file=("big.jsonl", b"x" * 400_000), purpose="fine-tune")
        assert refused.value.code == "storage_limit_exceeded"
        with pytest.raises(httpx.HTTPStatusError, match="400"):
            _in_pieces(shop, made.secret, 400_000)
        with shop.client(shop.key(EVE)) as client:
            assert upload(client)
    begun = time.monotonic()
    while True:  # both were cut, which the server may see a moment later
        try:
            _in_pieces(shop, made.secret, 400_000)
        except httpx.HTTPStatusError:
            assert time.monotonic() - begun < 10
        else:
            break
    assert _bytes_in(shop.folder / "api" / "incoming") == 0


@contextmanager
def _begun(shop: Shop, secret: str, size: int) -> Iterator[None]:
    """Hold an upload whose first bytes alone have come."""
    head = (
        f"POST /v1/files HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {secret}\r\nContent-Length: {size}\r\n"
        "Content-Type: multipart/form-data; boundary=B\r\nExpect: 100-continue\r\n\r\n"
    )
    with socket.create_connection(("127.0.0.1", shop.port), timeout=10) as sending:
        sending.sendall(head.encode())
        assert b"100" in sending.recv(64)  # it is being read now
        yield


def _in_pieces(shop: Shop, secret: str, size: int) -> None:
    """Upload without saying how much it is."""
    head = '--B\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nfine-tune\r\n--B\r\n'
    head += 'Content-Disposition: form-data; name="file"; filename="a.jsonl"\r\n\r\n'
    pieces = (head.encode(), b"x" * size, b"\r\n--B--\r\n")
    headers = {"authorization": f"Bearer {secret}", "content-type": "multipart/form-data; boundary=B"}
    with httpx.Client(trust_env=False, timeout=20) as client:
        client.post(f"{shop.url}/files", content=iter(pieces), headers=headers).raise_for_status()


@pytest.mark.slow  # half a gigabyte goes through a socket
def test_513_mb_are_413(shop: Shop) -> None:
    """OpenAI's own limit, met by a file that is a megabyte above it."""
    _refused_for_size(shop, 513_000_000)


def test_a_thousand_silent_connections_keep_nobody_out(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """While a thousand connections say nothing, others are answered; the silent ones are closed."""
    bot.patience.allow_connections()
    monkeypatch.setattr(bot.patience, "SILENT", 3.0)
    made, silent = shop.key(), []
    try:
        for _ in range(1000):
            silent.append(socket.create_connection(("127.0.0.1", shop.port), timeout=10))
        begun = time.monotonic()
        assert shop.get(made, "/models").status_code == 200
        assert time.monotonic() - begun < 2
        silent[-1].settimeout(20)
        assert silent[-1].recv(1) == b""  # closed by the server
    finally:
        for each in silent:
            each.close()


@pytest.mark.parametrize("said", [b"", b"GET /v1/mod"])
def test_a_connection_that_is_silent_after_an_answer_is_closed_too(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, said: bytes
) -> None:
    """One that was answered and then says nothing, or half a request, is closed like one that never asked."""
    monkeypatch.setattr(bot.patience, "SILENT", 1.0)
    with socket.create_connection(("127.0.0.1", shop.port), timeout=10) as held:
        held.sendall(b"GET /v1/models HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b" 401 " in held.recv(65536)
        held.sendall(said)
        while held.recv(65536):
            pass  # it is closed by the server within the ten seconds


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/fine_tuning/jobs", {"model": BASE, "training_file": "file-\0"}),
        ("/fine_tuning/jobs", {"model": BASE, "training_file": "file-a", "metadata": {"a": "x\0"}}),
        ("/fine_tuning/jobs?after=%00", None),
        ("/fine_tuning/jobs?metadata[a]=%00", None),
        (f"/fine_tuning/jobs?limit={'9' * 5000}", None),
    ],
)
def test_what_no_database_keeps_is_the_clients_mistake(shop: Shop, path: str, body: dict[str, Any] | None) -> None:
    """Zero bytes and endless numbers are answered with 4xx, which no client repeats."""
    answer = shop.get(shop.key(), path, method="POST" if body else "GET", json=body)
    assert answer.status_code in (400, 404)
    assert set(answer.json()["error"]) == {"message", "type", "param", "code"}


@pytest.mark.parametrize("wish", [{}, {"stream": True}])
def test_an_answer_that_nobody_waits_for_is_not_written_to_its_end(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, wish: dict[str, Any]
) -> None:
    """A client that goes away stops its answer, whole or streamed, also before the first piece."""
    ended_by: queue.SimpleQueue[str] = queue.SimpleQueue()

    async def endless(*_: Any) -> AsyncIterator[Piece]:
        try:
            await asyncio.sleep(60)
            yield Piece("late")
        finally:
            ended_by.put(type(sys.exception()).__name__)

    monkeypatch.setattr(shop.api, "talk", SimpleNamespace(answer=endless))
    body = {"model": BASE, "messages": [{"role": "user", "content": "Hi"}], **wish}
    headers = {"authorization": f"Bearer {shop.key().secret}"}
    with httpx.Client(trust_env=False, timeout=0.5) as client, pytest.raises(httpx.ReadTimeout):
        client.post(f"{shop.url}/chat/completions", json=body, headers=headers)
    assert ended_by.get(timeout=10) == "CancelledError"


def test_a_file_that_expires_goes_by_itself(shop: Shop) -> None:
    """After its life a file is gone from list and disk; bytes that no row knows go too."""
    made = shop.key()
    with shop.client(made) as client:
        kept = client.files.create(
            file=("a.jsonl", rows()), purpose="fine-tune", expires_after={"anchor": "created_at", "seconds": 3600}
        )
        assert kept.expires_at == kept.created_at + 3600
        from datetime import timedelta

        stray = shop.changes.files.path("file-stray")
        stray.write_bytes(b"x")
        assert shop.changes.files.tidy(now() + timedelta(hours=2)) == 2
        assert list(client.files.list()) == []
    assert _bytes_in(shop.folder / "api") == 0


def test_a_preparation_that_died_is_taken_up_once(shop: Shop) -> None:
    """A process that died between proposing a run and noting it leaves one run, not two, and the job goes on."""
    made = shop.key()
    with shop.client(made) as client:
        with shop.nobody_prepares():
            job = client.fine_tuning.jobs.create(model=BASE, training_file=upload(client))
            taken = shop.changes.runs.get(made.key, job.id)
            proposed = shop.preparing._propose(taken)  # and then it died
        assert ended(client, job.id).status == "succeeded"
    assert [run.id for run in shop.jobs.ledger.listing("T1")] == [proposed.id]
