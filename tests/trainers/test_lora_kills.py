"""A real LoRA training is killed at random steps in every way: it ends at the result of an undisturbed one."""

import json
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.trainers.lora_shop import STEPS, Shop
from tests.trainers.lora_worker import LEASE
from tests.trainers.script_runs import tensors
from trainers.tables import Job

WAYS = ("tree", "parent", "child", "stop")
"""What is killed: worker and child, worker alone, child alone; or both are stopped and go on after their successor."""


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    made = Shop(folder=tmp_path)
    yield made
    made.close()


def plan(seed: int, ways: tuple[str, ...]) -> list[tuple[int, str]]:
    """Random steps, each at least a checkpoint and a little after the one before."""
    draw = random.Random(seed)
    room = STEPS - 100 - 30 * len(ways)
    places = sorted(draw.randrange(room) for _ in ways)
    return [(6 + place + 30 * number, way) for number, (place, way) in enumerate(zip(places, ways, strict=True))]


def curve(shop: Shop, job: Job) -> list[float]:
    lines = [json.loads(line) for line in (shop.run_folder(job) / "losses.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == list(range(1, STEPS + 1))
    return [line["loss"] for line in lines]


def worst(shop: Shop, job: Job, undisturbed: Job) -> tuple[float, float]:
    """The largest difference of any step's loss, and of any weight, between two runs."""
    losses = max(abs(a - b) for a, b in zip(curve(shop, job), curve(shop, undisturbed), strict=True))
    ours, theirs = (tensors(shop.run_folder(each) / "adapter") for each in (job, undisturbed))
    return losses, max(float(abs(ours[name] - theirs[name]).max()) for name in theirs)


def killed_and_compared(shop: Shop, plans: list[list[tuple[int, str]]]) -> tuple[float, float]:
    undisturbed = shop.approved()
    shop.start(undisturbed)
    final = shop.finished(undisturbed)["final_loss"]
    most = (0.0, 0.0)
    for strikes in plans:
        job = shop.approved()
        with shop.watched():
            shop.start(job)
            for step, way in strikes:
                shop.kill_at(job, step, way)
            assert abs(shop.finished(job)["final_loss"] - final) <= 1e-5
        most = tuple(map(max, most, worst(shop, job, undisturbed)))  # type: ignore[assignment]  # two and two
    return most


@pytest.mark.timeout(600)
def test_a_killed_training_ends_where_an_undisturbed_one_does(shop: Shop) -> None:
    """The child is killed, then worker and child are stopped and woken up after their successor has begun.

    Takes some 40 s because each trainer that starts imports torch.
    """
    losses, weights = killed_and_compared(shop, [plan(1, ("child", "stop"))])
    assert max(losses, weights) <= 1e-5
    assert shop.most_trainers == 1


@pytest.mark.slow  # some twenty-five trainers that import torch
@pytest.mark.timeout(1800)
def test_twenty_kills_at_random_steps(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    """Twenty kills of every way in four jobs: the same losses and weights, and never two trainers at once."""
    draw = random.Random(7)
    plans = [plan(number, (*draw.sample(WAYS, 4), draw.choice(WAYS))) for number in range(4)]
    losses, weights = killed_and_compared(shop, plans)
    with capsys.disabled():
        print(f"\n20 kills: worst loss {losses:.1e}, worst weight {weights:.1e}, most trainers {shop.most_trainers}")
        print(f"a child outlived its worker by at most {max(shop.orphans):.1f} s; the lease was {LEASE:g} s")
    assert max(losses, weights) <= 1e-5
    assert shop.most_trainers == 1
