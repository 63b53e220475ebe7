"""The real engine as OpenAI's own client sees it: files and jobs from upload to result, and what is refused."""

import asyncio
import json
import time
from decimal import Decimal
from typing import Any

import openai
import pytest
from openai import AsyncOpenAI
from openai.types import FileDeleted, FileObject, Model
from openai.types.fine_tuning import FineTuningJob, FineTuningJobEvent
from sqlalchemy import Connection

from tests.trainers.api.shop import ADA, BASE, BEN, EVE, Shop, ended, now, rows, upload
from tests.trainers.data.test_pairs import as_openai
from tests.trainers.openai_types import check
from trainers import audit
from trainers.api import runs
from trainers.api.tables import ApiJob
from trainers.errors import NotAllowed
from trainers.jobs.messages import ApprovalRequest
from trainers.jobs.service import spec_of


def test_upload_job_events_cancel_second_job(shop: Shop) -> None:
    """The unpatched client takes a job through, cancels another, and sees both in order, by metadata and by cursor."""
    shop.seconds, shop.steps = 0.2, 200
    with shop.client() as client:
        file = upload(client)
        first = client.fine_tuning.jobs.create(model=BASE, training_file=file, metadata={"run": "one"})
        ended(client, first.id, "running")
        assert client.fine_tuning.jobs.cancel(first.id).status == "cancelled"
        assert ended(client, first.id).fine_tuned_model is None
        shop.seconds, shop.steps = 0.0, 3
        second = client.fine_tuning.jobs.create(
            model=BASE, training_file=file, validation_file=upload(client, rows(30, 1000)), suffix="Parcels v2", seed=5,
            metadata={"run": "two"}, method={"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 2}}},
        )  # fmt: skip
        done = ended(client, second.id)
        assert (done.status, done.seed, done.hyperparameters.n_epochs) == ("succeeded", 5, 2)
        told = [event.message for event in client.fine_tuning.jobs.list_events(second.id)]
        assert told[0] == "The job has successfully completed"
        assert told[-1] == f"Created fine-tuning job: {second.id}"
        assert client.files.content(done.result_files[0]).text.startswith("step,train_loss")
        assert [job.id for job in client.fine_tuning.jobs.list(limit=1)] == [second.id, first.id]
        assert [job.id for job in client.fine_tuning.jobs.list(metadata={"run": "one"})] == [first.id]


async def _through(shop: Shop) -> str:
    async with AsyncOpenAI(base_url=shop.url, api_key=shop.key().secret, max_retries=0, timeout=20) as client:
        file = await client.files.create(file=("rows.jsonl", rows()), purpose="fine-tune")
        job = await client.fine_tuning.jobs.create(model=BASE, training_file=file.id)
        for _ in range(400):
            job = await client.fine_tuning.jobs.retrieve(job.id)
            if job.status in ("succeeded", "failed"):
                break
            time.sleep(0.05)
        return job.status


def test_the_asynchronous_client_does_the_same(shop: Shop) -> None:
    """AsyncOpenAI uploads, starts and waits."""
    assert asyncio.run(_through(shop)) == "succeeded"


def test_every_object_has_exactly_the_fields_of_the_sdk(shop: Shop) -> None:
    """Files, jobs, events and models are strictly what the released types have; a header says which engine it is."""
    made = shop.key()
    with shop.client(made) as client:
        file = upload(client)
        job = client.fine_tuning.jobs.create(model=BASE, training_file=file)
        check(FineTuningJob, shop.get(made, f"/fine_tuning/jobs/{job.id}").json())
        ended(client, job.id)
    told = shop.get(made, f"/fine_tuning/jobs/{job.id}")
    assert told.headers["x-luthier-engine"] == "luthier: trains on this installation's own workers"
    check(FineTuningJob, told.json())
    for event in shop.get(made, f"/fine_tuning/jobs/{job.id}/events").json()["data"]:
        check(FineTuningJobEvent, event)
    for path in (f"/files/{file}", f"/files/{told.json()['result_files'][0]}"):
        check(FileObject, shop.get(made, path).json())
    for model in shop.get(made, "/models").json()["data"]:
        check(Model, model)
    check(FileDeleted, shop.get(made, f"/files/{file}", method="DELETE").json())


def test_a_pause_keeps_the_place_and_a_resume_goes_on(shop: Shop) -> None:
    """A paused job is queued, sends no webhook's end, and continues; a job that has ended can be neither."""
    shop.seconds, shop.steps = 0.1, 40
    with shop.client() as client:
        job = client.fine_tuning.jobs.create(model=BASE, training_file=upload(client))
        ended(client, job.id, "running")
        client.fine_tuning.jobs.pause(job.id)
        for _ in range(100):
            if shop.jobs.ledger.get(f"job_{job.id[6:]}").state == "cancelled":
                break
            time.sleep(0.05)
        assert client.fine_tuning.jobs.retrieve(job.id).status == "queued"
        shop.seconds = 0.0
        client.fine_tuning.jobs.resume(job.id)
        assert ended(client, job.id).status == "succeeded"
        told = [event.message for event in client.fine_tuning.jobs.list_events(job.id)]
        assert any("continue" in message for message in told)
        assert not any("cancelled" in message for message in told)
        with pytest.raises(openai.BadRequestError, match="already succeeded"):
            client.fine_tuning.jobs.pause(job.id)


PAIRS = "".join(json.dumps(as_openai(number)) + "\n" for number in range(40)).encode()


def test_a_job_on_preferences_is_taken_and_shows_its_beta(shop: Shop) -> None:
    """method dpo trains on pairs; "auto" becomes the usual beta, and what was chosen is kept. All by the SDK's type."""
    made = shop.key()
    with shop.client(made) as client:
        file = upload(client, PAIRS)
        for beta, shown in ((None, 0.1), (0.3, 0.3)):
            knobs: Any = {"n_epochs": 2} | ({"beta": beta} if beta else {})
            method: Any = {"type": "dpo", "dpo": {"hyperparameters": knobs}}
            job = client.fine_tuning.jobs.create(model=BASE, training_file=file, method=method)
            done = ended(client, job.id)
            assert (done.status, done.method.dpo.hyperparameters.beta) == ("succeeded", shown), done.error
            check(FineTuningJob, shop.get(made, f"/fine_tuning/jobs/{job.id}").json())
            run = spec_of(shop.jobs.ledger.get(f"job_{job.id[6:]}"))
            assert (run.method, run.hyperparameters.beta, run.hyperparameters.epochs) == ("dpo", shown, 2)


@pytest.mark.parametrize(
    ("content", "method", "said"),
    [
        (rows(), {"type": "dpo"}, "needs a better and a worse one"),
        (PAIRS, {"type": "supervised"}, "holds preference pairs"),
    ],
)
def test_rows_of_the_other_kind_fail_at_validation(shop: Shop, content: bytes, method: Any, said: str) -> None:
    """Chats for preferences, and pairs for supervised training, fail with what to do; no run comes of it."""
    with shop.client() as client:
        job = client.fine_tuning.jobs.create(model=BASE, training_file=upload(client, content), method=method)
        failed = ended(client, job.id)
        assert (failed.status, failed.error.code) == ("failed", "invalid_training_file")
        assert said in failed.error.message
    assert shop.jobs.ledger.listing("T1") == []


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (rows(9), "9 rows"),
        (b"{}\n" * 20, "messages"),
        (b"\xff\xfe" * 50, ""),
    ],
)
def test_bad_rows_fail_at_validation_with_an_error_object(shop: Shop, content: bytes, said: str) -> None:
    """What the linter blocks fails the job as OpenAI does; nothing was quoted and nothing ran."""
    with shop.client() as client:
        job = client.fine_tuning.jobs.create(model=BASE, training_file=upload(client, content))
        failed = ended(client, job.id)
        assert failed.status == "failed"
        assert failed.error.code == "invalid_training_file"
        assert failed.error.param == "training_file"
        assert said in failed.error.message
    assert shop.jobs.ledger.listing("T1") == []


@pytest.mark.parametrize(
    ("body", "code", "said"),
    [
        ({"model": "gpt-9"}, "model_not_available", "trains smollm2"),
        ({"model": "gpt-3.5-turbo"}, "model_not_available", "retired"),
        ({"training_file": "file-none"}, "invalid_file_id", ""),
        ({"method": {"type": "reinforcement"}}, "unsupported_method", "dpo"),
        ({"hyperparameters": {"n_epochs": 51}}, "invalid_hyperparameter", ""),
        ({"seed": 2**31}, "invalid_value", "0 to 2147483647"),
        ({"seed": -1}, "invalid_value", "0 to 2147483647"),
        (
            {
                "hyperparameters": {"n_epochs": 3},
                "method": {"type": "supervised", "supervised": {"hyperparameters": {"n_epochs": 2}}},
            },
            "invalid_value",
            "deprecated",
        ),
        ({"trainingType": "developer"}, "unknown_parameter", "Azure"),
    ],
)  # fmt: skip
def test_a_wrong_job_is_refused_at_once(shop: Shop, body: dict[str, Any], code: str, said: str) -> None:
    """400 in OpenAI's shape, with its code and what would be right."""
    made = shop.key()
    with shop.client(made) as client:
        file = upload(client)
    answer = shop.get(made, "/fine_tuning/jobs", method="POST", json={"model": BASE, "training_file": file, **body})
    error = answer.json()["error"]
    assert (answer.status_code, error["code"]) == (400, code)
    assert error["param"] == ("seed" if "seed" in body else error["param"])
    assert said in error["message"]


def test_the_older_way_to_give_knobs_is_taken_alone(shop: Shop) -> None:
    """Top-level hyperparameters count where the method names none of its own; a seed of 0 is a seed like another."""
    made = shop.key()
    with shop.client(made) as client:
        file = upload(client)
    body = {"model": BASE, "training_file": file, "hyperparameters": {"n_epochs": 2}, "method": {"type": "supervised"}}
    told = shop.get(made, "/fine_tuning/jobs", method="POST", json={**body, "seed": 0}).json()
    assert (told["hyperparameters"]["n_epochs"], told["seed"]) == (2, 0)
    with shop.client(made) as client:
        assert ended(client, told["id"]).seed == 0
    assert spec_of(shop.jobs.ledger.get(f"job_{told['id'][6:]}")).hyperparameters.seed == 0


def test_a_file_for_something_else_is_not_trained_on(shop: Shop) -> None:
    """A file of another purpose is refused with the parameter named."""
    with shop.client() as client:
        file = client.files.create(file=("rows.jsonl", rows()), purpose="batch").id
        with pytest.raises(openai.BadRequestError, match="must be 'fine-tune'"):
            client.fine_tuning.jobs.create(model=BASE, training_file=file)


def test_a_file_goes_once_nobody_has_to_read_it(shop: Shop) -> None:
    """Deleting is refused with 409 until a job has read its rows; then the file goes, bytes and all."""
    with shop.client() as client:
        file = upload(client)
        with shop.nobody_prepares():
            job = client.fine_tuning.jobs.create(model=BASE, training_file=file)
            with pytest.raises(openai.ConflictError, match=job.id):
                client.files.delete(file)
            path = shop.changes.files.path(file)
            assert path.exists()
        assert ended(client, job.id).status == "succeeded"
        client.files.delete(file)
        assert not path.exists()
        with pytest.raises(openai.NotFoundError):
            client.files.retrieve(file)


def test_what_a_limit_covers_is_approved_by_the_grant(shop: Shop) -> None:
    """A paid job within the key's limit starts at once; the audit names the approver who granted it, and the key."""
    shop.rules(approvers=("U0BEN",))
    made = shop.key()
    with pytest.raises(NotAllowed, match="approver"):
        shop.keys.grant(made.key.id, Decimal(5), ADA, now())
    shop.keys.grant(made.key.id, Decimal(5), BEN, now())
    with shop.client(made) as client:
        job = client.fine_tuning.jobs.create(model="paid", training_file=upload(client))
        assert ended(client, job.id).status == "succeeded"
    entry = next(entry for entry in audit.listing(shop.engine, "T1") if entry.what == "approved")
    assert entry.who == "U0BEN"
    assert json.loads(entry.detail)["key"] == made.key.id


def test_what_costs_more_waits_for_an_approver_in_the_channel(shop: Shop) -> None:
    """Above the limit the job stays queued, a card goes to the key's channel, and a click there lets it go on."""
    shop.rules(approvers=("U0BEN",))
    with shop.client(shop.key()) as client:
        job = client.fine_tuning.jobs.create(model="paid", training_file=upload(client))
        ended(client, job.id, "queued")
        run = shop.jobs.ledger.get(f"job_{job.id[6:]}")
        for _ in range(100):
            if shop.jobs.ledger.get(run.id).state == "awaiting_approval":
                break
            time.sleep(0.05)
        assert [card.channel for card in shop.owed(ApprovalRequest.KIND)] == ["C0MINE"]
        told = [event.message for event in client.fine_tuning.jobs.list_events(job.id)]
        assert any("waiting for an approver" in message for message in told)
        shop.jobs.approve(run.id, run.quote_hash, BEN, now())
        assert ended(client, job.id).status == "succeeded"


def test_what_nobody_can_approve_fails_with_the_reason(shop: Shop) -> None:
    """Without approvers a paid job fails in words, and its quote does not stay open."""
    with shop.client(shop.key()) as client:
        job = client.fine_tuning.jobs.create(model="paid", training_file=upload(client))
        failed = ended(client, job.id)
        assert (failed.status, failed.error.code) == ("failed", "approval_impossible")
    assert shop.jobs.ledger.get(f"job_{job.id[6:]}").state == "cancelled"


def test_what_nobody_can_approve_is_never_shown_as_cancelled(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks just as it is refused sees it queued or failed; a look that began before tells no other end."""
    made, fail, seen = shop.key(), runs.fail, list[str]()

    def watched(connection: Connection, job_id: str, *said: Any) -> None:
        stale = shop.changes.runs.get(made.key, job_id)
        seen.append(shop.changes.one(made.key, job_id).status)
        assert job_id not in {job.id for job in shop.changes.runs.untold()}
        fail(connection, job_id, *said)
        before.append(stale)

    before: list[ApiJob] = []
    monkeypatch.setattr(runs, "fail", watched)
    with shop.client(made) as client:
        job = client.fine_tuning.jobs.create(model="paid", training_file=upload(client))
        assert ended(client, job.id).status == "failed"
    assert seen == ["queued"]
    assert [told.status for told in map(shop.changes.close, before)] == ["failed"]


def test_workspaces_are_apart_and_private_work_is_its_owners(shop: Shop) -> None:
    """Another workspace sees nothing by list or id; a colleague sees nothing of a key made in private."""
    with shop.client(shop.key()) as mine, shop.client(shop.key(ADA, private=True)) as secret:
        file, hidden = upload(mine), upload(secret)
        job = mine.fine_tuning.jobs.create(model=BASE, training_file=file)
    with shop.client(shop.key(EVE)) as other:
        assert list(other.files.list()) == []
        assert list(other.fine_tuning.jobs.list()) == []
        for call in (
            lambda: other.files.retrieve(file),
            lambda: other.files.delete(file),
            lambda: other.fine_tuning.jobs.retrieve(job.id),
            lambda: other.fine_tuning.jobs.cancel(job.id),
        ):
            with pytest.raises(openai.NotFoundError):
                call()
        with pytest.raises(openai.BadRequestError, match="invalid training_file"):
            other.fine_tuning.jobs.create(model=BASE, training_file=file)
    with shop.client(shop.key(BEN)) as colleague:
        assert [each.id for each in colleague.files.list(purpose="fine-tune")] == [file]
        with pytest.raises(openai.NotFoundError):
            colleague.files.retrieve(hidden)


def test_the_same_on_postgres(on_postgres: Shop) -> None:
    """Files, jobs, metadata, cursors, cancel, a hook and its end work on the other database too."""
    shop = on_postgres
    made = shop.key()
    with shop.client(made) as client:
        client.webhooks.create(
            name="mine", url=f"http://127.0.0.1:{shop.port}/nowhere", event_types=["fine_tuning.job.succeeded"]
        )
        files = [upload(client) for _ in range(3)]
        assert [file.id for file in client.files.list(limit=2, purpose="fine-tune")] == files[::-1]
        jobs = [
            client.fine_tuning.jobs.create(model=BASE, training_file=file, metadata={"n": str(number)})
            for number, file in enumerate(files)
        ]
        assert {ended(client, job.id).status for job in jobs} == {"succeeded"}
        assert [job.id for job in client.fine_tuning.jobs.list(limit=1)] == [job.id for job in jobs[::-1]]
        assert [job.id for job in client.fine_tuning.jobs.list(metadata={"n": "1"})] == [jobs[1].id]
        shop.seconds, shop.steps = 0.2, 100
        last = client.fine_tuning.jobs.create(model=BASE, training_file=files[0])
        ended(client, last.id, "running")
        client.fine_tuning.jobs.cancel(last.id)
        client.files.delete(files[0])
    assert shop.changes.files.tidy(now()) == 0
    assert shop.keys.revoke(made.key.id, ADA, now())


def test_a_pause_that_slack_ended_is_over(shop: Shop) -> None:
    """Where somebody resumes a paused run in Slack, the job goes on and its end is told as any other."""
    shop.seconds, shop.steps = 0.1, 40
    with shop.client() as client:
        job = client.fine_tuning.jobs.create(model=BASE, training_file=upload(client))
        ended(client, job.id, "running")
        client.fine_tuning.jobs.pause(job.id)
        run = f"job_{job.id[6:]}"
        for _ in range(100):
            if shop.jobs.ledger.get(run).state == "cancelled":
                break
            time.sleep(0.05)
        shop.seconds = 0.0
        shop.jobs.resume(run, ADA, now())
        done = ended(client, job.id)
        assert done.status == "succeeded"
        assert len(done.result_files) == 1
