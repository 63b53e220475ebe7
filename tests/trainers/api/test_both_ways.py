"""Our own client of OpenAI's API against our own server of it: one Luthier may train at another."""

import json
import time
from pathlib import Path

import pytest

from tests.trainers.api.shop import BASE, Shop, rows
from trainers.backends.deadline import Deadline
from trainers.backends.openai_shape import FineTuningApi
from trainers.backends.results import steps_in
from trainers.backends.traits import traits_of
from trainers.backends.watching import took
from trainers.backends.wire import KeyRefused, NotThere
from trainers.spec import Hyperparameters, Method, TrainingSpec

SPEC = TrainingSpec(
    base=BASE, backend="compatible", method=Method.SUPERVISED, hyperparameters=Hyperparameters(epochs=2)
)


def test_rows_go_up_a_job_ends_and_all_is_found_again(shop: Shop, tmp_path: Path) -> None:
    """Upload, start, find by submission id, end, tidy: each call that the exactly-once protocol makes is understood."""
    shop.rules()
    api = FineTuningApi(name="another Luthier", url=shop.url, key=shop.key().secret)
    path = tmp_path / "rows.jsonl"
    path.write_bytes(rows())
    file = api.upload("s1", path, Deadline.after(10))
    assert api.find_upload("s1") == file
    job_id = api.start("s1", Deadline.after(10), **traits_of("compatible").job(SPEC, file, "job_1"))
    assert (api.find_job("s1"), api.find_job("s2")) == (job_id, None)
    until = time.monotonic() + 30
    while (job := api.job(job_id))["status"] not in ("succeeded", "failed") and time.monotonic() < until:
        time.sleep(0.1)
    assert job["status"] == "succeeded", job
    assert took(job) >= 0
    assert isinstance(api.events(job_id), list)
    assert isinstance(api.checkpoints(job_id), list)
    assert [made.submission_id for made in api.listing("upload")] == ["s1"]
    assert list(api.listing("job")) == []
    api.cancel(job_id)  # it has ended: that changes nothing
    api.delete(file)
    api.delete(file)
    assert api.find_upload("s1") is None


def test_held_out_rows_go_along_and_the_steps_come_back_with_their_times(shop: Shop, tmp_path: Path) -> None:
    """A validation file is taken, the result file has every step, and each step's event is dated when it was taken."""
    shop.rules()
    shop.seconds, shop.steps = 0.1, 8
    api = FineTuningApi(name="another Luthier", url=shop.url, key=shop.key().secret)
    files = []
    for name, content in (("train", rows()), ("test", rows(30, 1000))):
        path = tmp_path / f"{name}.jsonl"
        path.write_bytes(content)
        files.append(api.upload(f"s-{name}", path, Deadline.after(10)))
    body = traits_of("compatible").job(SPEC, files[0], "job_1", files[1])
    job_id = api.start("s1", Deadline.after(10), **body)
    until = time.monotonic() + 30
    while (job := api.job(job_id))["status"] != "running" and time.monotonic() < until:
        time.sleep(0.02)
    assert job["validation_file"] == files[1]
    curve = shop.folder / "jobs" / f"job_{job_id.removeprefix('ftjob-')}" / "train" / "losses.jsonl"
    curve.parent.mkdir(parents=True, exist_ok=True)
    taken = [(step, 3.0 / step, time.time() + step / 100) for step in range(1, 4)]
    curve.write_text("".join(json.dumps({"step": step, "loss": loss, "at": at}) + "\n" for step, loss, at in taken))
    while (job := api.job(job_id))["status"] not in ("succeeded", "failed") and time.monotonic() < until:
        time.sleep(0.1)
    [file] = job["result_files"]
    assert [(each["step"], each["loss"]) for each in steps_in(api.content(file))] == [(1, 3.0), (2, 1.5), (3, 1.0)]
    told = [event for event in api.events(job_id) if event["type"] == "metrics"]
    assert [event["created_at"] for event in told[::-1]] == [int(at) for _, _, at in taken]


def test_a_wrong_key_and_an_unknown_job_are_told_apart(shop: Shop) -> None:
    """Who may not come in, and what is not there, are different refusals."""
    api = FineTuningApi(name="another Luthier", url=shop.url, key=shop.key().secret)
    with pytest.raises(NotThere):
        api.job("ftjob-none")
    with pytest.raises(KeyRefused, match="another Luthier refused"):
        FineTuningApi(name="another Luthier", url=shop.url, key="sk-wrong").job("ftjob-none")
