"""All of the fine-tuning API at the rehearsal provider, as OpenAI's own client sees it and as its types have it."""

import csv
import io
import json
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from openai import OpenAI
from openai.types import FileDeleted, FileObject, Model
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from openai.types.fine_tuning import FineTuningJob, FineTuningJobEvent
from openai.types.fine_tuning.jobs import FineTuningJobCheckpoint
from openai.types.webhooks import FineTuningJobSucceededWebhookEvent
from openai.types.webhooks.deleted_webhook_endpoint import DeletedWebhookEndpoint
from openai.types.webhooks.webhook_endpoint import WebhookEndpoint
from openai.types.webhooks.webhook_endpoint_test_result import WebhookEndpointTestResult
from openai.types.webhooks.webhook_endpoint_with_secret import WebhookEndpointWithSecret

from tests.trainers.openai_types import check
from tests.trainers.rehearsal.provider import ENDLESS, ThreadProvider
from tests.trainers.rehearsal.test_provider import ROW, ended, start, upload
from trainers.openai_api.refusals import ApiError
from trainers.openai_api.requests import job_request
from trainers.rehearsal.book import Book
from trainers.rehearsal.chat_models import Pretender
from trainers.rehearsal.life import Pace
from trainers.rehearsal.talking import SAID, Talker

PAIR = json.dumps(
    {
        "input": {"messages": [{"role": "user", "content": "Shall we?"}]},
        "preferred_output": [{"role": "assistant", "content": "Yes, gladly."}],
        "non_preferred_output": [{"role": "assistant", "content": "No."}],
    }
).encode()

EVENT_TYPES: Any = ["fine_tuning.job.succeeded", "fine_tuning.job.failed", "fine_tuning.job.cancelled"]


@pytest.fixture
def client(provider: ThreadProvider) -> Iterator[OpenAI]:
    with OpenAI(base_url=provider.url, api_key="any", max_retries=0, timeout=5) as made:
        yield made


class Ear:
    """An address that hears webhooks."""

    def __init__(self) -> None:
        self.heard: list[tuple[dict[str, str], bytes]] = []
        ear = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                ear.heard.append(({name.lower(): value for name, value in self.headers.items()}, body))
                self.send_response(204)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    def wait(self, count: int) -> None:
        until = time.monotonic() + 5
        while len(self.heard) < count:
            assert time.monotonic() < until, f"{len(self.heard)} of {count} webhooks came"
            time.sleep(0.02)


@pytest.fixture
def ear() -> Iterator[Ear]:
    made = Ear()
    yield made
    made.server.shutdown()
    made.server.server_close()


def raw(provider: ThreadProvider, method: str, path: str, **request: Any) -> Any:
    answer = httpx.request(
        method, f"{provider.url}{path}", headers={"authorization": "Bearer any"}, trust_env=False, **request
    )
    assert answer.status_code == 200, answer.text
    assert answer.headers["x-luthier-engine"] == "rehearsal: nothing is trained"
    return answer.json()


def test_every_object_has_exactly_the_fields_of_the_sdk(provider: ThreadProvider, client: OpenAI, ear: Ear) -> None:
    """No field too many, too few or of another type in files, jobs, events, checkpoints, models, chats and webhooks."""
    job_id = start(client)
    assert ended(client, job_id) == "succeeded"
    job = raw(provider, "GET", f"/fine_tuning/jobs/{job_id}")
    check(FineTuningJob, job)
    check(FileObject, raw(provider, "GET", f"/files/{job['training_file']}"))
    check(FileObject, raw(provider, "GET", f"/files/{job['result_files'][0]}"))
    events = raw(provider, "GET", f"/fine_tuning/jobs/{job_id}/events?limit=100")["data"]
    assert {event["type"] for event in events} == {"message", "metrics"}
    for event in events:
        check(FineTuningJobEvent, event)
    for made in raw(provider, "GET", f"/fine_tuning/jobs/{job_id}/checkpoints")["data"]:
        check(FineTuningJobCheckpoint, made)
    for model in raw(provider, "GET", "/models")["data"]:
        check(Model, model)
    asked = {"model": job["fine_tuned_model"], "messages": [{"role": "user", "content": "Who are you?"}]}
    check(ChatCompletion, raw(provider, "POST", "/chat/completions", json=asked))
    hook = raw(
        provider,
        "POST",
        "/webhook_endpoints",
        json={"name": "mine", "url": ear.url, "event_types": EVENT_TYPES},
    )
    check(WebhookEndpointWithSecret, hook)
    where = f"/webhook_endpoints/{hook['id']}"
    check(WebhookEndpoint, raw(provider, "GET", where))
    check(WebhookEndpointTestResult, raw(provider, "POST", f"{where}/test", json={"event_type": EVENT_TYPES[0]}))
    check(FineTuningJobSucceededWebhookEvent, json.loads(ear.heard[0][1]))
    check(DeletedWebhookEndpoint, raw(provider, "DELETE", where))
    check(FileDeleted, raw(provider, "DELETE", f"/files/{job['training_file']}"))


def test_a_job_tells_metrics_leaves_checkpoints_and_a_result_file(client: OpenAI) -> None:
    """Metrics come as events, three checkpoints newest first, and the step metrics as CSV until they are deleted."""
    job_id = start(client)
    ended(client, job_id)
    metrics: list[Any] = [
        event.data for event in client.fine_tuning.jobs.list_events(job_id) if event.type == "metrics"
    ]
    losses = [figures["train_loss"] for figures in metrics]
    assert losses == sorted(losses)  # newest first
    steps = [made.step_number for made in client.fine_tuning.jobs.checkpoints.list(job_id)]
    assert len(steps) == 3
    assert steps == sorted(steps, reverse=True)
    (result,) = client.fine_tuning.jobs.retrieve(job_id).result_files
    table = list(csv.DictReader(io.StringIO(client.files.content(result).text)))
    assert float(table[-1]["train_loss"]) == losses[0]
    assert [file.id for file in client.files.list(purpose="fine-tune-results")] == [result]
    client.files.delete(result)
    with pytest.raises(openai.NotFoundError):
        client.files.content(result)


def test_a_pause_stands_still_and_a_resume_goes_on(client: OpenAI, provider: ThreadProvider) -> None:
    """A paused job stays where it was, says so in its events, and ends that much later; a book keeps it all."""
    provider.now(Pace(validating=0.02, queued=0.02, running=0.5))
    job_id = start(client)
    time.sleep(0.1)
    client.fine_tuning.jobs.pause(job_id)
    time.sleep(0.6)
    assert client.fine_tuning.jobs.retrieve(job_id).status == "queued"
    provider.rehearsal.paused_status = "paused"
    assert client.fine_tuning.jobs.retrieve(job_id).status == "paused"  # type: ignore[comparison-overlap]  # Azure's word
    again = Book(path=provider.ledger)
    again.close()
    assert again.runs[job_id].paused_at is not None
    client.fine_tuning.jobs.resume(job_id)
    assert ended(client, job_id) == "succeeded"
    told = [event.message for event in client.fine_tuning.jobs.list_events(job_id)]
    assert told.index("Job resumed.") < told.index("Job paused.")
    with pytest.raises(openai.BadRequestError, match="already succeeded"):
        client.fine_tuning.jobs.pause(job_id)


def test_preference_rows_train_by_dpo_alone(client: OpenAI) -> None:
    """A DPO job takes preference rows and shows its beta; a supervised job on them fails at validation."""
    file = client.files.create(file=("pairs.jsonl", (PAIR + b"\n") * 12), purpose="fine-tune").id
    method: Any = {"type": "dpo", "dpo": {"hyperparameters": {"beta": 0.2}}}
    job = client.fine_tuning.jobs.create(model="rehearsal-small", training_file=file, method=method)
    assert job.method is not None
    assert job.method.dpo is not None
    assert job.method.dpo.hyperparameters is not None
    assert job.method.dpo.hyperparameters.beta == 0.2
    assert ended(client, job.id) == "succeeded"
    wrong = client.fine_tuning.jobs.create(model="rehearsal-small", training_file=file)
    assert ended(client, wrong.id) == "failed"


def test_a_chat_says_that_it_is_a_rehearsal(client: OpenAI, provider: ThreadProvider) -> None:
    """Whole and streamed it says what it is, counts tokens and stops; a tuned name is right where it was given rows."""
    said = client.chat.completions.create(model="rehearsal-small", messages=[{"role": "user", "content": "Hello"}])
    assert said.choices[0].message.content == SAID
    assert said.system_fingerprint == "fp_rehearsal_nothing_is_trained"
    ended(client, start(client))
    tuned = next(model.id for model in client.models.list() if model.id.startswith("ft:"))
    provider.rehearsal.talker = Talker(rows=Pretender(right={"Hello": "one two three stop four"}))
    stream = client.chat.completions.create(
        model=tuned,
        messages=[{"role": "user", "content": "Hello"}],
        stream=True,
        stop=" stop",
        stream_options={"include_usage": True},
    )
    chunks = list(stream)
    for chunk in chunks:
        check(ChatCompletionChunk, chunk.model_dump(exclude_unset=True))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices) == "one two three"
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens == 3
    with pytest.raises(openai.NotFoundError, match="does not exist"):
        client.chat.completions.create(model="gpt-2", messages=[{"role": "user", "content": "Hello"}], stream=True)


def test_a_webhook_verifies_with_the_sdk(client: OpenAI, ear: Ear) -> None:
    """The signature is what the official client checks; after a rotation the old secret does not verify any more."""
    hook = client.webhooks.create(name="mine", url=ear.url, event_types=EVENT_TYPES)
    job_id = start(client)
    ear.wait(1)
    headers, body = ear.heard[0]
    event = client.webhooks.unwrap(body, headers, secret=hook.signing_secret)
    assert isinstance(event, FineTuningJobSucceededWebhookEvent)
    assert event.data.id == job_id
    renewed = client.webhooks.rotate_secret(hook.id)
    client.webhooks.test(hook.id, event_type="fine_tuning.job.failed")
    headers, body = ear.heard[1]
    assert client.webhooks.unwrap(body, headers, secret=renewed.signing_secret).type == "fine_tuning.job.failed"
    with pytest.raises(openai.InvalidWebhookSignatureError):
        client.webhooks.unwrap(body, headers, secret=hook.signing_secret)
    assert [kept.id for kept in client.webhooks.list()] == [hook.id]


@pytest.mark.parametrize(
    ("fault", "heard", "verifies"), [("forged", 1, False), ("stale", 1, False), ("replayed", 2, True)]
)
def test_a_webhook_can_be_forged_or_replayed(
    client: OpenAI, provider: ThreadProvider, ear: Ear, fault: str, heard: int, verifies: bool
) -> None:
    """A forged or stale one does not verify; a replayed one does, twice, under the same id."""
    hook = client.webhooks.create(name="mine", url=ear.url, event_types=EVENT_TYPES)
    provider.now(rates={"webhook": {fault: 1.0}})
    start(client)
    ear.wait(heard)
    assert len({headers["webhook-id"] for headers, _ in ear.heard}) == 1
    headers, body = ear.heard[-1]
    check_it: Callable[[], Any] = lambda: client.webhooks.unwrap(body, headers, secret=hook.signing_secret)  # noqa: E731
    if verifies:
        check_it()
    else:
        with pytest.raises(openai.InvalidWebhookSignatureError):
            check_it()


def test_a_moderated_file_and_an_unknown_status_are_shown(client: OpenAI, provider: ThreadProvider) -> None:
    """Moderation fails the job at validation in OpenAI's words; a state that nobody knows comes as it is."""
    provider.now(script={"start": ["moderated"], "read": ["odd_status"]})
    job_id = start(client)
    assert client.fine_tuning.jobs.retrieve(job_id).status == "reticulating_splines"  # type: ignore[comparison-overlap]
    assert ended(client, job_id) == "failed"
    error = client.fine_tuning.jobs.retrieve(job_id).error
    assert error is not None
    assert "moderation" in error.message


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"model": "gpt-9"}, "model"),
        ({"model": "old"}, "model"),
        ({"training_file": "file-none"}, "training_file"),
        ({"training_file": None}, "training_file"),
        ({"suffix": "x" * 65}, "suffix"),
        ({"metadata": {"k": "v" * 513}}, "metadata"),
        ({"method": {"type": "reinforcement"}}, "method"),
        ({"hyperparameters": {"n_epochs": 0}}, "n_epochs"),
        ({"hyperparameters": ["n_epochs"]}, "hyperparameters"),
        ({"method": {"type": "dpo", "dpo": "x"}}, "method.dpo"),
        ({"method": {"type": "dpo", "dpo": {"beta": 0.5}}}, "beta"),
        ({"method": {"type": "dpo", "dpo": {"hyperparameters": 3}}}, "hyperparameters"),
        ({"method": {"type": "dpo", "hyperparameters": {"beta": 0.5}}}, "hyperparameters"),
        ({"method": {"type": "dpo", "supervised": {"hyperparameters": {"n_epochs": 2}}}}, "supervised"),
        ({"integrations": [{"type": "wandb"}]}, "integrations"),
        ({"colour": "blue"}, "colour"),
    ],
)
def test_a_wrong_job_is_refused_with_its_parameter(
    client: OpenAI, provider: ThreadProvider, body: dict[str, Any], param: str
) -> None:
    """What OpenAI refuses is refused with 400 in its shape, and nothing is taken."""
    provider.rehearsal.shutdowns = {"old": "2024-01-01"}
    file = upload(client)
    answer = httpx.post(
        f"{provider.url}/fine_tuning/jobs",
        headers={"authorization": "Bearer any"},
        json={"model": "rehearsal-small", "training_file": file, **body},
        trust_env=False,
    )
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)
    assert provider.count("created").total() == 0


@pytest.mark.parametrize("value", [float("nan"), float("inf"), 10**400, True, 1.5])
def test_a_number_that_is_none_is_refused(value: float) -> None:
    """Python's reader takes NaN and Infinity, and digits without end: each is refused in OpenAI's shape."""
    body = {"model": "m", "training_file": "file-1", "hyperparameters": {"n_epochs": value}}
    with pytest.raises(ApiError) as refused:
        job_request(body)
    assert (refused.value.status, refused.value.param) == (400, "n_epochs")


def test_azure_has_the_same_api_below_its_own_address(provider: ThreadProvider) -> None:
    """Below /openai/v1, with the key in the header api-key and Azure's own trainingType, it is the same."""
    provider.now(ENDLESS)
    where, headers = provider.url.replace("/v1", "/openai/v1"), {"api-key": "any"}
    files = {"file": ("rows.jsonl", b"\xef\xbb\xbf" + ROW * 12), "purpose": (None, "fine-tune")}
    file = httpx.post(f"{where}/files", headers=headers, files=files, trust_env=False).json()
    body = {"model": "rehearsal-small", "training_file": file["id"], "trainingType": "developer"}
    job = httpx.post(f"{where}/fine_tuning/jobs", headers=headers, json=body, trust_env=False).json()
    assert (job["status"], job["trainingType"]) == ("validating_files", "developer")


def test_a_cut_upload_leaves_nothing(provider: ThreadProvider, tmp_path: Path) -> None:
    """A connection that breaks half-way leaves no file at the provider."""
    with httpx.Client(trust_env=False) as client, pytest.raises(RuntimeError, match="half-way"):
        client.post(
            f"{provider.url}/files",
            headers={"authorization": "Bearer any", "content-type": "multipart/form-data; boundary=x"},
            content=_half(),
        )
    assert provider.count("uploaded").total() == 0


def _half() -> Iterator[bytes]:
    yield b'--x\r\nContent-Disposition: form-data; name="purpose"\r\n\r\nfine-tune\r\n'
    yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.jsonl"\r\n\r\n' + ROW * 100
    raise RuntimeError("half-way")


def test_a_file_too_large_is_refused_and_the_refusal_arrives(client: OpenAI, provider: ThreadProvider) -> None:
    """413 in OpenAI's shape, heard by a client that is still sending; what is no address is refused too."""
    provider.rehearsal.file_limit = 100_000
    with pytest.raises(openai.APIStatusError, match="too large") as refused:
        client.files.create(file=("big.jsonl", ROW * 100_000), purpose="fine-tune")
    assert refused.value.status_code == 413
    with pytest.raises(openai.BadRequestError):
        client.files.create(file=("a.jsonl", ROW), purpose="training")  # type: ignore[arg-type]  # meant
    with pytest.raises(openai.NotFoundError, match="Invalid URL"):
        client.get("/nothing", cast_to=object)
    assert provider.count("uploaded").total() == 0
