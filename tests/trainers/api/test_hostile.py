"""What strangers and accidents do to the API: cut and huge uploads, silent connections, forged webhooks."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from openai.types.webhooks import FineTuningJobSucceededWebhookEvent
from openai.types.webhooks.webhook_endpoint import WebhookEndpoint
from openai.types.webhooks.webhook_endpoint_with_secret import WebhookEndpointWithSecret

import bot.patience
from tests.trainers.api.shop import BASE, Shop, ended, now, rows, upload
from tests.trainers.openai_types import check
from tests.trainers.rehearsal.test_whole_api import Ear, ear
from trainers.api.delivering import Sender
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
    ],
)
def test_nothing_is_sent_into_our_own_network(shop: Shop, url: str) -> None:
    """An address that leads inside, or speaks no https, is refused when it is named."""
    with shop.client() as client, pytest.raises(openai.BadRequestError, match="url"):
        client.webhooks.create(name="mine", url=url, event_types=EVENTS)


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
