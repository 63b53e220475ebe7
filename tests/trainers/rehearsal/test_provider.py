"""The rehearsal provider as OpenAI's own client sees it, and what its ledger keeps through a kill."""

import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import openai
import pytest
from openai import OpenAI

from tests.trainers.rehearsal.provider import ENDLESS, ProcessProvider, ThreadProvider
from trainers.rehearsal.book import Book
from trainers.rehearsal.faults import FAULTS, Faults

ROW = b'{"messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]}\n'


@pytest.fixture
def client(provider: ThreadProvider) -> Iterator[OpenAI]:
    with OpenAI(base_url=provider.url, api_key="any", max_retries=0, timeout=5) as made:
        yield made


def upload(client: OpenAI, submission_id: str = "s1", rows: int = 12) -> str:
    return client.files.create(file=(f"luthier-{submission_id}.jsonl", ROW * rows), purpose="fine-tune").id


def start(client: OpenAI, submission_id: str = "s1", rows: int = 12) -> str:
    file = upload(client, submission_id, rows)
    metadata = {"submission_id": submission_id}
    return client.fine_tuning.jobs.create(model="rehearsal-small", training_file=file, metadata=metadata).id


def ended(client: OpenAI, job_id: str) -> str:
    until = time.monotonic() + 5
    while (job := client.fine_tuning.jobs.retrieve(job_id)).status not in ("succeeded", "failed", "cancelled"):
        assert time.monotonic() < until
        time.sleep(0.05)
    return job.status


def test_the_official_client_takes_a_job_through(client: OpenAI) -> None:
    """Upload, start, events and the end parse as OpenAI's types; every place says that nothing is trained."""
    job_id = start(client)
    assert ended(client, job_id) == "succeeded"
    job = client.fine_tuning.jobs.retrieve(job_id)
    assert job.fine_tuned_model is not None
    assert job.fine_tuned_model.startswith("ft:rehearsal-small:rehearsal:")
    assert (job.trained_tokens or 0) > 0
    told = [event.message for event in client.fine_tuning.jobs.list_events(job_id)]
    assert "nothing is trained" in told[0]
    assert "nothing is trained" in client.models.list().data[0].owned_by


def test_the_metadata_filter_and_cursors_find_a_job(client: OpenAI) -> None:
    """The list filters by metadata on the server and pages with `after`; the newest comes first."""
    made = [start(client, f"s{number}") for number in range(5)]
    pages = client.fine_tuning.jobs.list(limit=2)
    assert [job.id for job in pages] == made[::-1]
    found = client.fine_tuning.jobs.list(metadata={"submission_id": "s3"})
    assert [job.id for job in found] == [made[3]]
    oldest = next(iter(client.files.list(purpose="fine-tune", limit=2, order="asc")))
    assert oldest.filename == "luthier-s0.jsonl"


def test_a_file_with_too_few_rows_fails_at_validation(client: OpenAI) -> None:
    """Nine examples are taken, and the job fails in OpenAI's words."""
    job_id = start(client, rows=9)
    assert ended(client, job_id) == "failed"
    error = client.fine_tuning.jobs.retrieve(job_id).error
    assert error is not None
    assert (error.code, error.param) == ("invalid_training_file", "training_file")


def test_cancel_is_idempotent_and_too_late_after_the_end(client: OpenAI, provider: ThreadProvider) -> None:
    """A job is cancelled once, and not after it succeeded."""
    done = start(client)
    ended(client, done)
    with pytest.raises(openai.BadRequestError, match="already succeeded"):
        client.fine_tuning.jobs.cancel(done)
    provider.now(ENDLESS)
    running = start(client, "s2")
    assert client.fine_tuning.jobs.cancel(running).status == "cancelled"
    assert client.fine_tuning.jobs.cancel(running).status == "cancelled"
    assert provider.count("cancelled") == {"s2": 1}


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ("unauthorized", openai.AuthenticationError),
        ("forbidden", openai.PermissionDeniedError),
        ("missing", openai.NotFoundError),
        ("busy", openai.RateLimitError),
        ("error_before", openai.InternalServerError),
        ("error_after", openai.InternalServerError),
        ("drop_before", openai.APIConnectionError),
        ("drop_after", openai.APIConnectionError),
    ],
)
def test_a_fault_is_what_it_says(
    client: OpenAI, provider: ThreadProvider, fault: str, error: type[openai.APIError]
) -> None:
    """The client sees the error, and the ledger holds the job exactly where the fault says that it is kept."""
    file = upload(client)
    provider.now(script={"start": [fault]})
    with pytest.raises(error):
        client.fine_tuning.jobs.create(model="rehearsal-small", training_file=file, metadata={"submission_id": "s1"})
    assert provider.count("created").total() == fault.endswith("after")


def test_a_list_lags_but_a_job_does_not(client: OpenAI, provider: ThreadProvider) -> None:
    """What was just made can be read by its id, and is in no list for a while."""
    provider.now(list_lag=0.4)
    job_id = start(client)
    assert client.fine_tuning.jobs.retrieve(job_id).id == job_id
    assert list(client.fine_tuning.jobs.list()) == []
    time.sleep(0.45)
    assert [job.id for job in client.fine_tuning.jobs.list()] == [job_id]


def test_faults_are_seeded(tmp_path: Path) -> None:
    """The same seed gives the same faults whatever else is called between, and another seed gives others."""
    rates = {"start": {"drop_after": 0.5}}
    one, two, other = (Faults(rates=rates, seed=seed) for seed in (1, 1, 2))
    drawn = [one.choose("start", f"s{number}") for number in range(40)]
    assert drawn == [two.choose("start", f"s{number}") for number in range(40)]
    assert drawn != [other.choose("start", f"s{number}") for number in range(40)]
    assert 10 < drawn.count("drop_after") < 30


@pytest.mark.parametrize("spoilt", [{"start": {"drops": 1.0}}, {"begin": {"slow": 1.0}}])
def test_a_misspelt_fault_is_refused(spoilt: dict[str, dict[str, float]]) -> None:
    """A fault that would never happen is an error at the start."""
    with pytest.raises(ValueError, match="unknown"):
        Faults(rates=spoilt)
    assert FAULTS


def test_a_killed_provider_knows_what_it_took(tmp_path: Path) -> None:
    """After SIGKILL and a restart the files and jobs are there; an answer never ran ahead of the ledger."""
    provider = ProcessProvider(tmp_path)
    provider.start()
    try:
        with OpenAI(base_url=provider.url, api_key="any", max_retries=0) as client:
            job_id = start(client)
            provider.kill()
            assert provider.count("created") == {"s1": 1}
            provider.start()
            assert ended(client, job_id) == "succeeded"
            assert start(client, "s2") != job_id
    finally:
        provider.kill()


def test_a_line_cut_in_the_middle_was_never_answered(tmp_path: Path) -> None:
    """A provider that died while writing starts again from the lines that are whole."""
    ledger = tmp_path / "provider.jsonl"
    book = Book(path=ledger)
    book.note("other", "s1")
    book.close()
    with ledger.open("a") as file:
        file.write('{"event": "created", "submis')
    again = Book(path=ledger)
    again.note("other", "s2")
    again.close()
    assert [line.count("event") for line in ledger.read_text().splitlines()] == [1, 1]


def test_without_a_key_nothing_is_done(provider: ThreadProvider) -> None:
    """A request without a bearer token is refused as OpenAI does."""
    answer = httpx.get(f"{provider.url}/models", trust_env=False)
    assert (answer.status_code, answer.json()["error"]["type"]) == (401, "invalid_request_error")
