"""Answers that are written at once, joining and leaving between steps, beside the library's own loop; a tiny model."""

import random
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.trainers import tiny_model
from tests.trainers.test_decoding import ENDS, alone

pytestmark = [
    pytest.mark.timeout(300),
    # transformers warns about its own internals
    pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning"),
]
TARGETS = ["q_proj", "v_proj", "down_proj"]


class Ear:
    """Hears one answer."""

    def __init__(self) -> None:
        self.ids: list[int] = []
        self.wrong: BaseException | None = None
        self.over = threading.Event()
        self.begun = threading.Event()

    def __call__(self, token: int | BaseException | None) -> None:
        if isinstance(token, int):
            self.ids.append(token)
            self.begun.set()
            return
        self.wrong = token
        self.begun.set()
        self.over.set()


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A tiny base with two random adapters beside it."""
    import torch
    from peft import LoraConfig, get_peft_model

    from trainers.scripts.local_model import choose_runtime, load_base
    from trainers.scripts.writing import BASE, Adapters

    home = tmp_path_factory.mktemp("models")
    runtime = choose_runtime("float32", 1)
    for seed in (1, 2):
        plain, _ = load_base(tiny_model.build(home / "tiny"), runtime)
        torch.manual_seed(seed)
        config = LoraConfig(r=4, lora_alpha=64, target_modules=TARGETS, init_lora_weights=False)
        get_peft_model(plain, config).save_pretrained(home / f"adapter{seed}")
    plain, _ = load_base(home / "tiny", runtime)

    class Loaded(Adapters):
        def use(self, model: str, busy: set[str]) -> str:
            if model == "nowhere":
                raise FileNotFoundError(model)
            return BASE if model == "base" else model

    loaded = Loaded(plain, runtime.autocast)
    for seed in (1, 2):
        loaded.load(home / f"adapter{seed}", f"adapter{seed}")
    return loaded


@pytest.fixture
def writer(models: Any) -> Iterator[Any]:
    from trainers.scripts.writing import Writer

    made = Writer(models=models, ends=ENDS, device="cpu")
    thread = threading.Thread(target=made.run)
    thread.start()
    yield made
    made.asked.put(None)
    thread.join(30)


def ask(writer: Any, ids: Sequence[int], model: str = "base", **wish: Any) -> tuple[Any, Ear]:
    from trainers.scripts.writing import Row

    ear = Ear()
    row = Row(model=model, ids=list(ids), tell=ear, **{"max_tokens": 24, **wish})
    writer.asked.put(row)
    return row, ear


def expected(models: Any, ids: list[int], model: str) -> list[int]:
    if model == "base":
        with models.tuned.disable_adapter():
            return alone(models.tuned, ids, 24, ENDS)
    models.tuned.set_adapter(model)
    return alone(models.tuned, ids, 24, ENDS)


def test_each_answer_is_what_it_is_alone(models: Any, writer: Any) -> None:
    """Forty rows of three models that join while others are being written get, token for token, what they get alone."""
    draw = random.Random(3)
    asked = []
    for number in range(40):
        ids = [draw.randrange(3, 250) for _ in range(draw.randrange(1, 60))]
        model = draw.choice(["base", "adapter1", "adapter2"])
        asked.append((ids, model, ask(writer, ids, model)[1]))
        if number % 7 == 0:
            asked[-1][2].begun.wait(30)
    for _, _, ear in asked:
        assert ear.over.wait(60)
        assert ear.wrong is None
    told = [ear.ids for _, _, ear in asked]
    wanted = [expected(models, ids, model) for ids, model, _ in asked]
    models._active = ""  # we changed it
    assert told == wanted
    assert len({len(ids) for ids in told}) > 3  # they did leave at different times


def test_a_seed_draws_the_same_answer_and_a_low_temperature_the_likeliest(writer: Any) -> None:
    """The same seed gives the same words whoever else is being answered; at almost no temperature it is greedy."""
    ids = [10, 20, 30, 40]
    first = ask(writer, ids, temperature=1.5, seed=11)[1]
    crowd = [ask(writer, [number + 3] * 9, temperature=2.0)[1] for number in range(6)]
    second = ask(writer, ids, temperature=1.5, seed=11)[1]
    other = ask(writer, ids, temperature=1.5, seed=12)[1]
    greedy, cold = ask(writer, ids)[1], ask(writer, ids, temperature=1e-4, seed=1)[1]
    for ear in (first, second, other, greedy, cold, *crowd):
        assert ear.over.wait(60)
    assert first.ids == second.ids
    assert first.ids != other.ids
    assert greedy.ids == cold.ids


def test_whoever_goes_away_frees_their_place_and_trouble_is_ones_own(writer: Any) -> None:
    """A dropped row ends within a step; a model that is not there fails that row alone."""
    stay, leave = ask(writer, [5] * 8, max_tokens=2000, model="adapter1"), ask(writer, [6] * 8, max_tokens=2000)
    assert leave[1].begun.wait(30)
    wrong = ask(writer, [7], model="nowhere")[1]
    assert wrong.over.wait(30)
    assert isinstance(wrong.wrong, FileNotFoundError)
    leave[0].dropped = stay[0].dropped = True
    late = ask(writer, [8] * 4)[1]
    assert late.over.wait(60)
    assert writer.rows == []


def test_top_p_keeps_the_likeliest_alone() -> None:
    """With half the share only tokens that make up the likeliest half can be drawn."""
    import torch

    from trainers.scripts.writing import chosen

    logits = torch.tensor([0.4, 0.3, 0.2, 0.1]).log()
    chance = torch.Generator().manual_seed(0)
    assert {int(chosen(logits, 1.0, 0.5, chance)) for _ in range(200)} == {0, 1}
    assert {int(chosen(logits, 1.0, 1.0, chance)) for _ in range(200)} == {0, 1, 2, 3}


def test_a_cache_holds_no_more_than_its_rows_need(writer: Any, tmp_path: Path) -> None:
    """When a long row leaves, what was padding for the others goes too."""
    short, long = ask(writer, [9] * 4, max_tokens=400, model="adapter2"), ask(writer, [4] * 300, max_tokens=2)
    assert long[1].over.wait(60)
    assert short[1].begun.wait(30)
    short[0].dropped = True
    again = ask(writer, [9] * 4, max_tokens=3)
    assert again[1].over.wait(60)
    assert writer._cache is None or writer._cache.layers[0].keys.shape[2] < 300
