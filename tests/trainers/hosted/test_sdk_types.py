"""What we send, held against the types of the released `openai` package: neither our server nor our client decides."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from openai.types.file_object import FileObject
from openai.types.fine_tuning import FineTuningJob, FineTuningJobEvent, job_create_params
from openai.types.fine_tuning.jobs import FineTuningJobCheckpoint
from pydantic import ConfigDict, TypeAdapter, with_config

from tests.trainers.hosted.shop import NAME, Shop
from tests.trainers.openai_types import check
from trainers.backends import HOSTED
from trainers.backends.deadline import Deadline
from trainers.backends.traits import BYTE_ORDER_MARK, all_traits, traits_of
from trainers.backends.watching import steps_in
from trainers.spec import Hyperparameters, Method, TrainingSpec

STRICT = with_config(ConfigDict(extra="forbid"))(job_create_params.JobCreateParams)

SPEC = TrainingSpec(base="gpt-4.1-mini", backend="openai", method=Method.SUPERVISED)


def body(backend: str, **knobs: Any) -> dict[str, Any]:
    spec = replace(SPEC, backend=backend, hyperparameters=Hyperparameters(epochs=3, **knobs))
    return traits_of(backend).job(spec, "file-1", "job_0123456789ab.v2")


def test_every_place_of_the_table_is_a_backend() -> None:
    """The table of differences and the table of backends name the same places, each with a source and a day."""
    assert set(all_traits()) == set(HOSTED)
    assert all(each.source and each.as_of for each in all_traits().values())


@pytest.mark.parametrize("method", [Method.SUPERVISED, Method.DPO])
def test_a_job_for_openai_has_the_fields_of_the_released_type(method: Method) -> None:
    """Nothing in the body that the SDK's own parameters do not have, and all values of their types."""
    spec = replace(SPEC, method=method, hyperparameters=Hyperparameters(epochs=3, learning_rate_multiplier=0.1))
    sent = traits_of("openai").job(spec, "file-1", "support v3")
    TypeAdapter(STRICT).validate_python({**sent, "metadata": {"app": "luthier"}})
    kind = "dpo" if method is Method.DPO else "supervised"
    assert sent["method"]["type"] == kind
    assert sent["method"][kind]["hyperparameters"] == {"n_epochs": 3, "learning_rate_multiplier": 0.1}
    assert (sent["model"], sent["suffix"]) == (NAME, "support-v3")


def test_azure_gets_its_training_type_and_a_suffix_without_dots() -> None:
    """One field more than OpenAI's type, and a suffix of at most 18 letters without dots."""
    sent = body("azure")
    assert sent.pop("trainingType") == "GlobalStandard"
    TypeAdapter(STRICT).validate_python(sent)
    assert sent["suffix"] == "job_0123456789ab-v"


def test_nebius_gets_the_knobs_of_a_lora_run() -> None:
    """Rank, alpha and learning rate go along where a place trains an adapter of our shape."""
    knobs = body("nebius", rank=32)["method"]["supervised"]["hyperparameters"]
    assert (knobs["lora"], knobs["lora_r"], knobs["learning_rate"]) == (True, 32, 1e-3)


def test_what_comes_back_reads_as_the_released_types(shop: Shop, tmp_path: Path) -> None:
    """Files, jobs, events and checkpoints are whole by the types of the SDK, and steps are found in them."""
    rows = tmp_path / "rows.jsonl"
    turns = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
    rows.write_text((json.dumps({"messages": turns}) + "\n") * 12)
    shop.api.mark = BYTE_ORDER_MARK
    file = shop.api.upload("s1", rows, Deadline.after(5))
    job_id = shop.api.start("s1", Deadline.after(5), **{**body("openai"), "training_file": file})
    assert shop.api.find_job("s1") == job_id
    made = next(file for file in shop.api.files())
    assert made["bytes"] == rows.stat().st_size + 3
    until = Deadline.after(10)
    while shop.api.job(job_id)["status"] != "succeeded":
        until.left()
    for kind, found in ((FineTuningJob, [shop.api.job(job_id)]), (FileObject, [made])):
        for each in found:
            check(kind, each)
    events, checkpoints = shop.api.events(job_id), shop.api.checkpoints(job_id)
    for event in events:
        check(FineTuningJobEvent, event)
    for checkpoint in checkpoints:
        check(FineTuningJobCheckpoint, checkpoint)
    steps = steps_in(events)
    assert (len(steps) > 1, steps[0].loss > steps[-1].loss, len(checkpoints) > 0) == (True, True, True)
