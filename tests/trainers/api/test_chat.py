"""Chats through the API with a real resident model: a tiny one, so that the process, not the arithmetic, is tested."""

import json
import os
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import openai
import pytest
from openai.types import Model
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from sqlalchemy import Engine

from bot.store.engine import open_engine
from tests.trainers import tiny_model
from tests.trainers.api.shop import BASE, EVE, Shop, ended, now, upload
from tests.trainers.openai_types import check
from tests.trainers.test_preferences import pairs
from trainers import registry
from trainers.backends.local import LocalBackend
from trainers.serving import LocalModels
from trainers.tables import ModelVersion

pytestmark = [
    pytest.mark.timeout(300),
    pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning"),
]
ASKED: Any = [
    {"role": "developer", "content": "Be brief."},
    {"role": "user", "content": [{"type": "text", "text": "Hi"}]},
]


@pytest.fixture(scope="module")
def talking(migrated_sqlite: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Shop, str]]:
    """A server whose base is tiny, with one tuned model of workspace T1; returns its name."""
    import shutil

    folder = tmp_path_factory.mktemp("talk")
    shutil.copy(migrated_sqlite, folder / "luthier.db")
    engine = open_engine(f"sqlite:///{folder / 'luthier.db'}")
    base = tiny_model.build(folder / "models" / BASE)
    env = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ} | {"HF_HUB_OFFLINE": "1"}
    models = LocalModels(
        base=base,
        adapters=folder / "jobs",
        socket=folder / "s.sock",
        log=folder / "logs" / "serve.log",
        env=env,
        threads=1,
    )
    shop = Shop(engine, folder, models)
    shop.start()
    name = _tuned(shop, engine, base)
    yield shop, name
    shop.stop()
    models.close()
    engine.dispose()


def _tuned(shop: Shop, engine: Engine, base: Path) -> str:
    """Let a job run, and put a random adapter where it would have left one."""
    from peft import LoraConfig, get_peft_model

    from trainers.scripts.local_model import choose_runtime, load_base

    with shop.client() as client:
        job = client.fine_tuning.jobs.create(model=BASE, training_file=upload(client))
        assert ended(client, job.id).status == "succeeded"
    run = f"job_{job.id[6:]}"
    plain, _ = load_base(base, choose_runtime("float32", 1))
    config = LoraConfig(r=4, lora_alpha=64, target_modules=["q_proj", "v_proj", "down_proj"], init_lora_weights=False)
    get_peft_model(plain, config).save_pretrained(shop.folder / "jobs" / run / "train" / "adapter")
    made = ModelVersion(
        id=run.replace("job_", "model_"), workspace_id="T1", job_id=run, name=f"rows on {BASE}", base=BASE,
        adapter_path=f"jobs/{run}/train/adapter", created_at=now(),
    )  # fmt: skip
    with engine.begin() as connection:
        registry.add(connection, made)
    return f"ft:{BASE}:t1:rows:{job.id[6:]}"


def test_base_and_tuned_answer_whole_and_streamed(talking: tuple[Shop, str]) -> None:
    """Each is in /v1/models, answers in exactly the SDK's shape, and streams what it says whole; the two differ."""
    shop, tuned = talking
    made, said = shop.key(), {}
    names = [model["id"] for model in shop.get(made, "/models").json()["data"]]
    assert tuned in names
    check(Model, shop.get(made, f"/models/{tuned}").json())
    with shop.client(made) as client:
        for name in (BASE, tuned):
            whole = shop.get(
                made, "/chat/completions", method="POST",
                json={"model": name, "messages": ASKED, "temperature": 0, "max_tokens": 12},
            ).json()  # fmt: skip
            check(ChatCompletion, whole)
            chunks = list(
                client.chat.completions.create(
                    model=name, messages=ASKED, temperature=0, max_tokens=12, stream=True,
                    stream_options={"include_usage": True},
                )
            )  # fmt: skip
            for chunk in chunks:
                check(ChatCompletionChunk, chunk.model_dump(exclude_unset=True))
            said[name] = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
            assert said[name] == whole["choices"][0]["message"]["content"]
            assert whole["usage"]["completion_tokens"] <= 12
            assert chunks[-1].usage is not None
            assert chunks[-1].usage.model_dump(exclude_unset=True) == whole["usage"]
            assert whole["system_fingerprint"] == "fp_luthier_local"
    assert said[BASE] != said[tuned]


def test_many_callers_get_what_each_gets_alone(talking: tuple[Shop, str]) -> None:
    """Sixteen callers of both models at once hear, word for word, what they would have heard alone."""
    shop, tuned = talking
    with shop.client() as client:

        def ask(number: int) -> str | None:
            return client.chat.completions.create(
                model=(BASE, tuned)[number % 2], temperature=0, max_tokens=16,
                messages=[{"role": "user", "content": f"Tell me of {number}"}],
            ).choices[0].message.content  # fmt: skip

        with ThreadPoolExecutor(16) as pool:
            together = list(pool.map(ask, range(16)))
        assert together == [ask(number) for number in range(16)]


def test_stop_limit_seed_and_temperature_do_what_they_say(talking: tuple[Shop, str]) -> None:
    """A stop word ends the answer before it, the limit cuts with "length", a seed repeats."""
    shop, _ = talking
    with shop.client() as client:

        def ask(**wish: Any) -> Any:
            wish = {"temperature": 0, "max_tokens": 20, **wish}
            return client.chat.completions.create(model=BASE, messages=ASKED, **wish).choices[0]

        whole = ask()
        assert whole.message.content
        if len(whole.message.content) > 4:
            word = whole.message.content[3:5]
            cut = ask(stop=[word])
            assert (cut.message.content, cut.finish_reason) == (whole.message.content.split(word)[0], "stop")
        short = ask(max_completion_tokens=1, max_tokens=None)
        assert short.finish_reason in ("length", "stop")
        drawn = [ask(temperature=1.5, seed=seed).message.content for seed in (1, 1, 2, 3)]
        assert drawn[0] == drawn[1]
        assert len(set(drawn)) > 1


@pytest.mark.parametrize(
    ("wish", "param"),
    [
        ({"n": 2}, "n"),
        ({"tools": [{"type": "function", "function": {"name": "f"}}]}, "tools"),
        ({"temperature": 3}, "temperature"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "user", "content": "x" * 9000}]}, "messages"),
        ({"messages": [{"role": "oracle", "content": "x"}]}, "messages[0]"),
        ({"stop": ["a"] * 5}, "stop"),
    ],
)
def test_what_is_not_offered_is_refused(talking: tuple[Shop, str], wish: dict[str, Any], param: str) -> None:
    """400 with the parameter named, before a word is said, also where a stream was asked for."""
    shop, _ = talking
    made = shop.key()
    for stream in (False, True):
        body = {"model": BASE, "messages": ASKED, "stream": stream, **wish}
        answer = shop.get(made, "/chat/completions", method="POST", json=body)
        assert (answer.status_code, answer.json()["error"]["param"]) == (400, param)


def test_models_of_others_do_not_exist(talking: tuple[Shop, str]) -> None:
    """Another workspace can neither see nor talk to a tuned model; a made-up name is 404 with OpenAI's code."""
    shop, tuned = talking
    with shop.client(shop.key(EVE)) as other:
        assert [model.id for model in other.models.list()] == [BASE, "paid"]
        for name in (tuned, f"{tuned}x", "gpt-4o"):
            with pytest.raises(openai.NotFoundError) as refused:
                other.chat.completions.create(model=name, messages=ASKED)
            assert refused.value.code == "model_not_found"


def test_an_upload_becomes_a_tuned_model_that_answers(talking: tuple[Shop, str]) -> None:
    """Upload, job, steps told when they were taken, report, chat: two children train and measure a tiny model.

    On preference pairs, because their report needs no answers written; the slow scenarios train on answers too.
    """
    shop, begun = talking[0], time.time()
    env = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ} | {"HF_HUB_OFFLINE": "1"}
    shop.trainer = LocalBackend(cache=shop.folder, env=env, threads=1, missing_tools=lambda: "")
    shop.runner = replace(shop.runner, env=env)
    content = "".join(json.dumps(row) + "\n" for row in pairs(40)).encode()
    method: Any = {"type": "dpo", "dpo": {"hyperparameters": {"n_epochs": 1, "beta": 0.2}}}
    with shop.client(timeout=120) as client:
        job = client.fine_tuning.jobs.create(model=BASE, training_file=upload(client, content), method=method)
        done = ended(client, job.id, seconds=240)
        shop.trainer = None
        assert done.status == "succeeded", done.error
        events = list(client.fine_tuning.jobs.list_events(job.id))
        steps = [event for event in events if event.type == "metrics"]
        assert steps[-1].message == "Step 1/3: training loss=0.69"  # log 2: nothing is preferred yet
        assert int(begun) <= steps[-1].created_at <= steps[0].created_at <= done.finished_at
        assert any("held-out rows" in event.message for event in events)
        assert len(client.files.content(done.result_files[0]).text.splitlines()) == 4
        asked: Any = {"messages": [{"role": "user", "content": "Where?"}], "max_tokens": 5, "temperature": 0}
        answer = client.chat.completions.create(model=done.fine_tuned_model, **asked)
        assert answer.model == done.fine_tuned_model
        assert answer.usage is not None
        assert 0 < answer.usage.completion_tokens <= 5
