"""Held-out rows that go with a job for a validation loss, and the provider's result file, read at its end."""

import base64
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest

from bot.shell.rows import read_quote
from handlers.blocks.job import quote_blocks
from knowledge.errors import ServiceError
from tests.trainers.hosted.shop import Shop
from tests.trainers.jobs.conftest import ADA
from tests.trainers.jobs.paid import Bench, is_legal
from tests.trainers.rehearsal.provider import ENDLESS, ThreadProvider
from trainers.backends import results
from trainers.backends.base import Order
from trainers.backends.openai_shape import FineTuningApi
from trainers.backends.preflight import no_loss
from trainers.backends.traits import traits_of
from trainers.backends.watching import hold, why_dead
from trainers.data.examples import EXAMPLES
from trainers.evals.charts import loss_alt
from trainers.jobs import requoting
from trainers.jobs.cards import quote_card
from trainers.jobs.service import Jobs
from trainers.jobs.submission import open_calls
from trainers.spec import TrainingSpec


def test_held_out_rows_go_with_the_job_and_come_back_as_a_loss(shop: Shop) -> None:
    """Both files are sent once, named in the job and deleted at its end; each step has both losses.

    A provider tells its last hundred events; the result file has every step.
    """
    job = shop.approved()
    path = shop.jobs.datasets.folder / "jobs" / job.id / "train" / "losses.jsonl"
    path.parent.mkdir(parents=True)
    path.write_text('{"step": 1, "loss": 9.5}\n')
    job = shop.finish(job)
    assert job.state == "succeeded", job.error_what
    files = {line["id"]: line for line in shop.provider.lines() if line["event"] == "uploaded"}
    [made] = [line for line in shop.provider.lines() if line["event"] == "created"]
    sent = [made["body"][name] for name in ("training_file", "validation_file")]
    assert sorted(sent) == sorted(files)
    assert [files[name]["examples"] for name in sent] == [16, 12]
    assert shop.provider.count("uploaded") == shop.provider.count("deleted")
    assert is_legal(shop.provider)
    points = [json.loads(line) for line in path.read_text().splitlines()]
    assert [point["step"] for point in points] == list(range(1, 25))
    assert all({"step", "loss", "valid_loss", "valid_accuracy"} <= set(point) for point in points)
    assert points[0]["loss"] == 9.5  # what was told stays
    assert all("at" in point for point in points[1:])
    assert "Dashed: on held-out rows" in loss_alt(path)


def test_a_place_that_takes_no_held_out_rows_is_sent_none(tmp_path: Path) -> None:
    """Neither where it takes none, nor where there are none, nor where it would not take these."""
    rows = EXAMPLES["tickets"].train
    order = Order(job_id="job_1", spec=TrainingSpec(), train=rows, test=rows, folder=tmp_path)
    assert no_loss(traits_of("openai"), order) == ""
    assert no_loss(traits_of("azure"), order) == ""  # the mark that it wants is put there as it goes
    assert "Nebius Token Factory takes no held-out rows" in no_loss(traits_of("nebius"), order)
    assert no_loss(traits_of("openai"), replace(order, test=None))
    bad = tmp_path / "bad.jsonl"
    bad.write_text(rows.read_text() + "{}\n")
    assert "OpenAI would not take these held-out rows" in no_loss(traits_of("openai"), replace(order, test=bad))


def test_a_place_without_held_out_rows_says_so(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """The quote says it, in Slack and in a shell, and so does the progress when the job has begun; none is sent."""
    dataset = shop.few_rows()
    spec = requoting.spec_for("llama-3.1-8b-instruct", "nebius", dataset.train_rows)
    job = shop.jobs.propose(dataset, spec, person=ADA, now=shop.clock())
    said = "Nebius Token Factory takes no held-out rows"
    assert said in json.dumps(quote_blocks(quote_card(job)))
    assert said in read_quote(json.loads(job.quote))
    backend = shop.backend()
    backend.traits = replace(backend.traits, validates=False)
    monkeypatch.setattr(shop, "backend", lambda _="": backend)
    job = shop.finish(shop.approved(), until=lambda job: bool(shop.provider.count("created")))
    notes = [line.note for line in shop.jobs.ledger.history(job)]
    assert any("OpenAI has the job. OpenAI takes no held-out rows" in note for note in notes)
    assert shop.provider.count("uploaded").total() == 1


def test_held_out_rows_that_are_refused_leave_nothing_behind(shop: Shop) -> None:
    """The provider does not take the second file: no run begins, the first file goes at once, and a line says why."""
    shop.provider.now(script={"upload": ["", "forbidden"]})
    job = shop.finish(shop.approved())
    assert job.state == "failed"
    assert job.error_what.startswith("The held-out rows were not taken, so nothing was begun. OpenAI refused: ")
    assert (shop.provider.count("uploaded").total(), shop.provider.count("created").total()) == (1, 0)
    assert shop.provider.count("uploaded") == shop.provider.count("deleted")
    with shop.jobs.ledger.reading() as connection:
        assert not open_calls(connection, job.id)
    shop.provider.now()
    again = shop.jobs.resume(job.id, ADA, shop.clock()).job
    assert shop.finish(again).state == "succeeded"


def test_a_job_that_dies_of_its_held_out_rows_says_which_rows() -> None:
    """The provider names the parameter; the words that it finds are about a file, so ours say which."""
    error = {"message": "Line 3 is no example.", "param": "validation_file"}
    assert why_dead({"status": "failed", "error": error}) == "The held-out rows were not taken. Line 3 is no example."
    assert why_dead({"status": "failed", "error": {**error, "param": "training_file"}}) == "Line 3 is no example."
    assert why_dead({"status": "cancelled", "error": None}) == "The provider's job was cancelled."


@pytest.mark.parametrize("fault", ["drop_before", "drop_after", "error_after"])
def test_a_fault_at_the_second_file_leaves_none_behind(jobs: Jobs, provider: ThreadProvider, fault: str) -> None:
    """Whether it was kept or not, it is there once and gone at the end."""
    bench = Bench(jobs=jobs, provider=provider)
    provider.now(script={"upload": ["", fault]})
    assert bench.finish(bench.approved()).state == "succeeded"
    assert is_legal(provider)
    assert provider.count("uploaded").total() == 2
    assert provider.count("uploaded") == provider.count("deleted")


def test_a_stop_removes_both_files(jobs: Jobs, provider: ThreadProvider) -> None:
    """A job that is stopped while it runs leaves neither at the provider."""
    bench = Bench(jobs=jobs, provider=provider)
    provider.now(ENDLESS)
    job = bench.finish(bench.approved(), until=lambda job: bool(provider.count("created")))
    bench.jobs.stop(job.id, ADA, bench.clock())
    assert bench.finish(job).state == "cancelled"
    assert provider.count("uploaded").total() == 2
    assert provider.count("uploaded") == provider.count("deleted")


def test_result_files_are_read_once(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A job has more turns after its end, here because its rows are not deleted yet; none of them reads again."""
    read, content = list[str](), shop.api.content

    def noted(file: str) -> bytes:
        read.append(file)
        if len(read) == 1:
            raise ServiceError("No answer.", "It is tried again.")
        return content(file)

    monkeypatch.setattr(shop.api, "content", noted)
    shop.provider.now(script={"delete": ["unavailable", "unavailable", "unavailable"]})
    assert shop.finish(shop.approved()).state == "succeeded"
    assert len(read) == 2  # once in vain, then for good


@pytest.mark.parametrize("told", [True, False])
def test_a_file_that_is_too_large_is_not_taken_into_memory(told: bool) -> None:
    """One that says its size is not read, one that does not is read no further than it may be long."""
    sent = [0]

    def blocks() -> Iterator[bytes]:
        for _ in range(400):
            sent[0] += 2**20
            yield bytes(2**20)

    headers = {"Content-Length": str(400 * 2**20)} if told else {}
    web = httpx.MockTransport(lambda _: httpx.Response(200, headers=headers, content=blocks()))
    api = FineTuningApi(name="OpenAI", url="http://127.0.0.1/v1", key="k")
    api._client = httpx.Client(transport=web)
    with pytest.raises(ServiceError, match="more than 16 MiB"):
        api.content("file-1")
    assert sent[0] <= (0 if told else 18) * 2**20


def test_a_run_that_is_queued_again_is_a_paused_one(tmp_path: Path) -> None:
    """OpenAI has no word for paused; a run that never ran is no paused one, nor is another job's."""
    run = {"id": "ftjob-1", "status": "queued"}
    assert hold(run, tmp_path) == ""
    assert hold({**run, "status": "running"}, tmp_path) == "pause"
    assert hold(run, tmp_path) == "go_on"
    assert hold({**run, "id": "ftjob-2"}, tmp_path) == ""
    assert hold({**run, "id": "ftjob-2", "status": "paused"}, tmp_path) == "go_on"


CSV = b"step,train_loss,train_accuracy,valid_loss,valid_mean_token_accuracy\n1,2.5,0.4,,\n2,2.25,0.5,1.5,0.75\n"
READ = [
    {"step": 1, "loss": 2.5, "accuracy": 0.4},
    {"step": 2, "loss": 2.25, "accuracy": 0.5, "valid_loss": 1.5, "valid_accuracy": 0.75},
]


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (CSV, READ),
        (base64.b64encode(CSV), READ),
        (b"\xef\xbb\xbf" + CSV, READ),
        (CSV.replace(b"\n", b"\r\n"), READ),
        (b"step,train_loss\n1,nan\n2,inf\nx,1\n3,1.0,7,8\n", [{"step": 1}, {"step": 2}, {"step": 3, "loss": 1.0}]),
        (b"<html>Not here</html>", []),
        (b"\x00\xff\x80" * 20, []),
        (b"", []),
    ],
)
def test_a_result_file_is_read_in_every_form_that_was_seen(content: bytes, found: list[Any], tmp_path: Path) -> None:
    """Plain, in base64 as OpenAI hands it out, with a mark; what is no such file says nothing and hurts nothing."""
    steps = results.steps_in(content)
    assert steps == found
    path = tmp_path / "losses.jsonl"
    results.keep(path, steps)
    assert path.exists() is any("loss" in step for step in found)
