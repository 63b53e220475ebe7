"""Batched greedy decoding beside the library's own loop, and losses beside a plain forward pass, on a tiny model."""

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.trainers import tiny_model
from trainers.scripts.child import ScriptError, StopRequested
from trainers.scripts.families import families

pytestmark = pytest.mark.timeout(300)
Loaded = tuple[Any, Any, Any]
"""Model, tokenizer, runtime."""


@pytest.fixture(scope="module")
def loaded(tmp_path_factory: pytest.TempPathFactory) -> Loaded:
    from trainers.scripts.local_model import choose_runtime, load_base

    runtime = choose_runtime("float32", 1)
    return *load_base(tiny_model.build(tmp_path_factory.mktemp("models") / "tiny"), runtime), runtime


def alone(model: Any, prompt: list[int], limit: int, ends: set[int]) -> list[int]:
    """Return what the library writes for one prompt, without the end of the turn."""
    import torch

    ids = torch.tensor([prompt])
    mask = torch.ones_like(ids)
    out = model.generate(
        input_ids=ids, attention_mask=mask, max_new_tokens=limit, do_sample=False, eos_token_id=list(ends)
    )
    written = out[0, len(prompt) :].tolist()
    return written[:-1] if written[-1] in ends else written


@pytest.fixture
def mixed() -> list[list[int]]:
    """Return prompts of 1 to 90 tokens: two families with prefixes of their own, and strangers."""
    draw = random.Random(5)

    def some(count: int) -> list[int]:
        return [draw.randrange(3, 250) for _ in range(count)]

    one, other = some(40), some(25)
    made = [one + some(draw.randrange(1, 50)) for _ in range(9)]
    made += [other + some(draw.randrange(1, 20)) for _ in range(6)]
    made += [some(draw.randrange(1, 70)) for _ in range(6)]
    made += [list(made[0]), list(one)]  # the same prompt twice, and one that is nothing but the others' prefix
    draw.shuffle(made)
    return made


# Ends that random weights write soon and at different times, so that rows leave their batch one by one.
ENDS = {1, *range(40, 70)}


@pytest.mark.parametrize(("rows", "cached", "read"), [(64, 16_384, 2048), (5, 16_384, 64), (64, 200, 16)])
def test_a_batch_writes_what_each_prompt_gets_alone(
    loaded: Loaded, mixed: list[list[int]], rows: int, cached: int, read: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Mixed lengths, shared prefixes, limits of their own, leaving rows and small passes change no token."""
    from trainers.scripts import decoding

    model, _, runtime = loaded
    for name, value in (("BATCH_ROWS", rows), ("BATCH_TOKENS", cached), ("READ_TOKENS", read)):
        monkeypatch.setattr(decoding, name, value)
    limits = [1 + i % 14 for i in range(len(mixed))]
    told: list[int] = []
    ours = decoding.greedy(model, runtime, mixed, ends=ENDS, max_new_tokens=limits, on_batch=told.append)
    theirs = [alone(model, prompt, limit, ENDS) for prompt, limit in zip(mixed, limits, strict=True)]
    assert [answer.ids for answer in ours] == theirs
    assert sum(told) == len(mixed)
    assert len({len(answer.ids) for answer in ours}) > 4
    assert 0 < sum(not answer.finished for answer in ours) < len(mixed)


def test_rows_that_ended_take_no_more_arithmetic(loaded: Loaded, mixed: list[list[int]]) -> None:
    """Rows leave the batch as they end: the forward passes read far fewer tokens than rows times steps."""
    from trainers.scripts.decoding import greedy

    model, _, runtime = loaded
    widths: list[int] = []
    hook = model.register_forward_pre_hook(
        lambda _, __, kwargs: widths.append(len(kwargs["input_ids"])), with_kwargs=True
    )
    limits = [2] * (len(mixed) - 1) + [30]
    greedy(model, runtime, mixed, ends={1}, max_new_tokens=limits)
    hook.remove()
    assert widths[-20:] == [1] * 20


def test_a_stop_is_heard_within_a_batch(loaded: Loaded, mixed: list[list[int]]) -> None:
    """Whoever waits for a stop waits for one forward pass, not for a batch."""
    from trainers.scripts.decoding import greedy

    model, _, runtime = loaded
    passes: list[int] = []

    def step() -> None:
        passes.append(1)
        if len(passes) == 7:
            raise StopRequested

    with pytest.raises(StopRequested):
        greedy(model, runtime, mixed, ends={1}, max_new_tokens=40, on_step=step)
    assert len(passes) == 7


def test_no_prompts_are_no_answers(loaded: Loaded) -> None:
    """Where every row is too long for the context, nothing is asked and nothing breaks."""
    from trainers.scripts.decoding import greedy, target_losses

    model, _, runtime = loaded
    assert greedy(model, runtime, [], ends={1}, max_new_tokens=4) == []
    assert target_losses(model, runtime, []) == []


def test_the_loss_of_a_reply_is_that_of_a_plain_pass(loaded: Loaded) -> None:
    """Packed and sorted, each row's loss is the sum over its targets that one plain pass gives."""
    import torch

    from trainers.scripts.chat import Encoded
    from trainers.scripts.decoding import target_losses

    model, _, runtime = loaded
    draw = random.Random(3)
    system = [draw.randrange(3, 250) for _ in range(12)]
    rows = []
    for size in (30, 3, 17, 90, 8):
        ids = system + [draw.randrange(3, 250) for _ in range(size)]
        rows.append(Encoded(ids, [False] * (len(ids) - 2) + [True] * 2))
    for row, loss in zip(rows, target_losses(model, runtime, rows), strict=True):
        with torch.inference_mode():
            said = model(input_ids=torch.tensor([row.ids])).logits[0].log_softmax(-1)
        plain = -sum(said[place - 1, row.ids[place]].item() for place in (len(row.ids) - 2, len(row.ids) - 1))
        assert loss.total == pytest.approx(plain, rel=1e-4)
        assert loss.tokens == 2


@pytest.mark.parametrize("ask", ["greedy", "loss"])
def test_a_model_whose_scores_are_no_numbers_is_refused(tmp_path: Path, ask: str) -> None:
    """NaN in the weights ends in words, not in answers made of token 0."""
    from trainers.scripts.chat import Encoded
    from trainers.scripts.decoding import greedy, target_losses
    from trainers.scripts.local_model import choose_runtime, load_base

    runtime = choose_runtime("float32", 1)
    model, _ = load_base(tiny_model.build(tmp_path / "tiny"), runtime)
    model.model.norm.weight.data[0] = float("nan")
    work: dict[str, Callable[[], object]] = {
        "greedy": lambda: greedy(model, runtime, [[5, 6], [7]], ends={1}, max_new_tokens=4),
        "loss": lambda: target_losses(model, runtime, [Encoded([5, 6, 7], [False, True, True])]),
    }
    with pytest.raises(ScriptError, match="not numbers"):
        work[ask]()


TOKENS = st.lists(st.lists(st.integers(0, 2), min_size=1, max_size=12), max_size=30)


@settings(max_examples=150, deadline=None)
@given(TOKENS)
def test_families_share_what_they_say(sequences: list[list[int]]) -> None:
    """Every sequence is in one family, begins as the others do, and keeps a token of its own."""
    found = families(sequences)
    assert sorted(row for family in found for row in family.rows) == list(range(len(sequences)))
    for shared, rows in found:
        assert len({tuple(sequences[row][:shared]) for row in rows}) == 1
        assert all(len(sequences[row]) > shared >= 0 for row in rows)


def test_one_stranger_does_not_cost_the_others_their_prefix() -> None:
    """Prompts with the same 300 tokens of examples stay together when one prompt has other examples."""
    fixed, stranger = list(range(300)), [0, 1, 2, *range(500, 800)]
    found = families([[*fixed, 1000 + i] for i in range(10)] + [stranger])
    assert sorted((family.shared, len(family.rows)) for family in found) == [(0, 1), (300, 10)]
