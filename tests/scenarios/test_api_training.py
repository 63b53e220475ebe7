"""`luthier api` as people start it, with a real training behind it: a tiny model on preference pairs, one epoch.

Pairs, because their report needs no answers written. Supervised training, every line of the page and SmolLM2 itself are
in `test_moving`; the same without processes around it is in `tests/trainers/api/test_chat.py`, which is fast.
"""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from openai import OpenAI

from bot.store.engine import open_engine
from bot.wiring import shell_person
from tests.scenarios.test_moving import BASE, Place
from tests.trainers.test_preferences import pairs
from trainers.api.keys import Keys, Wish

LIMIT = 120.0
"""Seconds until the job has ended, on a slow, busy machine."""


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path, tiny=True)
    made.start("luthier api")
    yield made
    if made.server.poll() is None:
        made.stop()


@pytest.mark.slow  # six processes, three of which load torch: more than a minute of CPU time
@pytest.mark.timeout(600)
def test_an_upload_becomes_a_tuned_model_that_answers(place: Place) -> None:
    """The unpatched client uploads pairs, trains by preferences, sees each step when it was taken, and is answered."""
    engine = open_engine(f"sqlite:///{place.folder / 'data' / 'luthier.db'}")
    now = datetime.now(UTC)
    secret = Keys(engine).create(Wish(name="moving", per_minute=6000), shell_person(), now).secret
    with OpenAI(base_url=f"http://127.0.0.1:{place.port}/v1", api_key=secret, max_retries=0, timeout=60) as client:
        content = "".join(json.dumps(row) + "\n" for row in pairs(40)).encode()
        file = client.files.create(file=("pairs.jsonl", content), purpose="fine-tune")
        method: Any = {"type": "dpo", "dpo": {"hyperparameters": {"n_epochs": 1, "beta": 0.2}}}
        job = client.fine_tuning.jobs.create(model=BASE, training_file=file.id, method=method, suffix="manners")
        until = time.monotonic() + LIMIT
        while job.status not in ("succeeded", "failed", "cancelled") and time.monotonic() < until:
            time.sleep(0.2)
            job = client.fine_tuning.jobs.retrieve(job.id)
        assert job.status == "succeeded", (job.error, place.log.read_text()[-3000:])
        steps = [event for event in client.fine_tuning.jobs.list_events(job.id) if event.type == "metrics"]
        assert steps[-1].message == "Step 1/3: training loss=0.69"  # log 2: nothing is preferred yet
        assert now.timestamp() - 1 < steps[-1].created_at <= (job.finished_at or 0)
        lines = client.files.content(job.result_files[0]).text.splitlines()
        assert lines[0].startswith("step,train_loss")
        assert len(lines) == 4
        told = [event.message for event in client.fine_tuning.jobs.list_events(job.id)]
        assert any("held-out rows" in message for message in told)
        answer = client.chat.completions.create(
            model=job.fine_tuned_model or "",
            messages=[{"role": "user", "content": "Where?"}],
            max_tokens=5,
            temperature=0,
        )
        assert answer.model == job.fine_tuned_model
        assert answer.usage is not None
        assert 0 < answer.usage.completion_tokens <= 5
    engine.dispose()
    assert place.stop() == 0
