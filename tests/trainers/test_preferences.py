"""Training on preference pairs, on a tiny model: the loss against its formula, a killed run, and the measure."""

import json
import math
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.trainers.script_runs import Script, base, here, run_file, tensors, write_rows
from trainers.scripts import dpo_lora, evaluate_pairs
from trainers.scripts.chat import encode, read_rows
from trainers.scripts.child import ScriptError
from trainers.scripts.lora import Plan
from trainers.scripts.pairs import Pair, read_pairs

__all__ = ["base"]

pytestmark = [
    pytest.mark.timeout(300),
    # transformers warns about its own internals
    pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning"),
]
BETA = 0.3


def pairs(count: int, shift: int = 0) -> list[dict[str, Any]]:
    """Questions with a short polite answer and a longer rude one, in OpenAI's preference format."""
    made = []
    for i in range(shift, shift + count):
        turns = [{"role": "system", "content": "Help."}, {"role": "user", "content": f"Where is parcel {i}?"}]
        better, worse = ([{"role": "assistant", "content": text}] for text in (f"Sorry, {i}!", f"No idea, go away {i}"))
        made.append({"input": {"messages": turns}, "preferred_output": better, "non_preferred_output": worse})
    return made


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("pairs")
    return write_rows(folder / "train.jsonl", pairs(16)), write_rows(folder / "test.jsonl", pairs(10, shift=100))


def plan(base: Path, rows: Path, out: Path, **other: Any) -> dict[str, Any]:
    return run_file(base, rows, out, **{"epochs": 6, "learning_rate": 5e-3, "beta": BETA, **other})


@pytest.fixture(scope="module")
def trained(base: Path, data: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Any]]:
    out = tmp_path_factory.mktemp("whole") / "out"
    return out, here(dpo_lora.main, plan(base, data[0], out))


def test_a_batch_has_the_loss_and_the_gradients_of_the_formula(base: Path) -> None:
    """-log sigmoid(beta * (log-ratio of the better answer - log-ratio of the worse one)), Rafailov et al. 2023, eq. 7.

    Held against each answer read alone, without packs, as TRL's DPOTrainer does for its loss_type "sigmoid".
    """
    import torch
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from trainers.scripts.local_model import Runtime

    torch.manual_seed(5)
    tokenizer: Any = AutoTokenizer.from_pretrained(base)
    plain: Any = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float64)
    model: Any = get_peft_model(plain, LoraConfig(r=4, lora_alpha=8, target_modules=["q_proj", "v_proj"]))
    for name, value in model.named_parameters():
        if "lora_B" in name:  # it begins as zero, where tuned model and reference are the same
            torch.nn.init.normal_(value, std=0.2)
    sides = [Pair(*sides) for sides in _read(pairs(5))]
    batch = [tuple(encode(tokenizer, side, {1}, 1) for side in pair) for pair in sides]
    chosen = Plan(**_plan_for(base))

    expected = []
    for better, worse in batch:
        with torch.no_grad(), model.disable_adapter():
            reference = alone(model, better), alone(model, worse)
        margin = BETA * ((alone(model, better) - reference[0]) - (alone(model, worse) - reference[1]))
        expected.append((-torch.nn.functional.logsigmoid(margin), float(margin.detach())))
    mean = torch.stack([loss for loss, _ in expected]).mean()
    mean.backward()
    wanted = {name: value.grad.clone() for name, value in model.named_parameters() if value.grad is not None}
    model.zero_grad()
    learned = dpo_lora.Preferences(BETA).learn(model, Runtime("cpu", "float32"), batch, chosen)
    assert learned.loss == pytest.approx(float(mean.detach()), rel=1e-5)
    assert learned.loss != pytest.approx(math.log(2), rel=1e-3)
    assert learned.numbers["margin"] == pytest.approx(sum(margin for _, margin in expected) / 5, rel=1e-5)
    assert learned.numbers["ahead"] == sum(margin > 0 for _, margin in expected) / 5
    for name, value in model.named_parameters():
        if name in wanted:
            assert torch.allclose(value.grad, wanted[name], rtol=1e-3, atol=1e-6), name


def alone(model: Any, row: Any) -> Any:
    """The log-probability of one row's targets, read without a pack."""
    import torch

    ids = torch.tensor([row.ids])
    said = torch.log_softmax(model(input_ids=ids).logits[0, :-1], dim=-1)
    each = said.gather(1, ids[0, 1:, None])[:, 0]
    return each[torch.tensor(row.trained[1:])].sum()


def test_a_base_with_dropout_is_its_own_reference(base: Path) -> None:
    """Dropout of the base is off for both that are compared: before the first step nothing is preferred, exactly."""
    from peft import LoraConfig, get_peft_model
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from trainers.scripts.local_model import Runtime

    tokenizer: Any = AutoTokenizer.from_pretrained(base)
    plain: Any = AutoModelForCausalLM.from_pretrained(base, attention_dropout=0.5)
    model: Any = get_peft_model(plain, LoraConfig(r=4, target_modules=["q_proj", "v_proj"])).train()
    batch = [tuple(encode(tokenizer, side, {1}, 1) for side in pair) for pair in _read(pairs(3))]
    learned = dpo_lora.Preferences(BETA).learn(model, Runtime("cpu", "float32"), batch, Plan(**_plan_for(base)))
    assert learned.loss == pytest.approx(math.log(2), abs=1e-7)
    assert learned.numbers["margin"] == 0


def _plan_for(base: Path) -> dict[str, Any]:
    return {**plan(base, base, base), "pack_tokens": 120, **dict.fromkeys(("base", "rows", "out"), base)}


def _read(made: list[dict[str, Any]]) -> Iterator[tuple[list[Any], list[Any]]]:
    for row in made:
        asked = row["input"]["messages"]
        yield asked + row["preferred_output"], asked + row["non_preferred_output"]


def test_a_run_begins_without_a_preference_and_learns_one(trained: tuple[Path, list[Any]]) -> None:
    """The first loss is log 2 exactly; then the better answers gain, told step by step with their time."""
    out, events = trained
    steps = [e for e in events if e["event"] == "progress" and e["phase"] == "training"]
    assert [e["step"] for e in steps] == list(range(1, 25))
    curve = [json.loads(line) for line in (out / "losses.jsonl").read_text().splitlines()]
    assert curve[0]["loss"] == pytest.approx(math.log(2), abs=1e-6)
    assert curve[0]["margin"] == 0
    assert curve[-1]["loss"] < 0.5 * curve[0]["loss"]
    assert curve[-1]["ahead"] == 1
    assert [point["at"] for point in curve] == sorted(point["at"] for point in curve)
    assert events[-1]["event"] == "done"
    card = json.loads((out / "adapter" / "training.json").read_text())
    assert (card["beta"], card["trained_tokens"]) == (BETA, events[-1]["trained_tokens"])


def test_a_killed_run_goes_on_to_the_same_result(
    trained: tuple[Path, list[Any]], base: Path, data: tuple[Path, Path], tmp_path: Path
) -> None:
    """Killed after a checkpoint, the same command ends at the loss and weights of an undisturbed run; one child."""
    document = plan(base, data[0], tmp_path / "out")
    killed = Script("dpo_lora", document, tmp_path)
    checkpoint = killed.until("checkpoint")["step"]
    os.killpg(killed.process.pid, signal.SIGKILL)
    assert killed.end()[0] == -signal.SIGKILL
    rest = here(dpo_lora.main, document)
    assert next(e for e in rest if e["event"] == "resumed")["step"] >= checkpoint
    assert rest[-1]["final_loss"] == pytest.approx(trained[1][-1]["final_loss"], abs=1e-5)
    ours, theirs = tensors(tmp_path / "out" / "adapter"), tensors(trained[0] / "adapter")
    assert all(abs(ours[k] - theirs[k]).max() < 1e-5 for k in theirs)
    curve = [json.loads(line) for line in (tmp_path / "out" / "losses.jsonl").read_text().splitlines()]
    assert [point["step"] for point in curve] == list(range(1, 25))
    assert all("at" in point and "margin" in point for point in curve)


def test_both_models_are_asked_which_answer_is_likelier(
    trained: tuple[Path, list[Any]], base: Path, data: tuple[Path, Path], tmp_path: Path
) -> None:
    """The measure is each whole answer's log-probability; the tuned model prefers the better ones more often."""
    paths = {"base": str(base), "adapter": str(trained[0] / "adapter"), "test": str(data[1]), "out": str(tmp_path)}
    document = {**paths, "threads": 1, "precision": "float32"}
    done = here(evaluate_pairs.main, document)[-1]
    assert done["event"] == "done"
    lines = [json.loads(line) for line in (tmp_path / "pairs.jsonl").read_text().splitlines()]
    assert [line["row"] for line in lines] == list(range(1, 11))
    preferred = {name: sum(line[name][0] > line[name][1] for line in lines) for name in ("base", "tuned")}
    moved = [(line["tuned"][0] - line["tuned"][1]) - (line["base"][0] - line["base"][1]) for line in lines]
    assert preferred["tuned"] >= preferred["base"]
    assert min(moved) > 0
    assert lines[0]["base"] == pytest.approx(_alone(base, json.loads(data[1].read_text().splitlines()[0])), abs=1e-3)


def _alone(base: Path, row: dict[str, Any]) -> list[float]:
    """Read both answers of a pair one by one with the base."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(base)
    model: Any = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
    sides = [encode(tokenizer, side, {1}, 1) for side in next(_read([row]))]
    with torch.no_grad():
        return [float(alone(model, side)) for side in sides]


def test_what_is_no_pair_is_named_by_line_and_not_quoted(tmp_path: Path) -> None:
    """Broken lines, chat rows and answers without a reply fail with the line's number and no content."""
    turn = {"role": "user", "content": "secret"}
    bad: dict[str, str] = {
        "{secret": "not valid JSON",
        json.dumps({"messages": [turn]}): "no preference pair",
        json.dumps({**pairs(1)[0], "preferred_output": [turn]}): "not one message",
        json.dumps({**pairs(1)[0], "non_preferred_output": []}): "not one message",
        json.dumps({**pairs(1)[0], "preferred_output": pairs(1)[0]["preferred_output"] * 2}): "not one message",
        json.dumps({**pairs(1)[0], "preferred_output": [{"role": "assistant", "content": " "}]}): "no text",
    }
    path = tmp_path / "rows.jsonl"
    for line, reason in bad.items():
        path.write_text(json.dumps(pairs(1)[0]) + "\n" + line + "\n")
        with pytest.raises(ScriptError, match=f"line 2: .*{reason}") as caught:
            read_pairs(path)
        assert "secret" not in str(caught.value)


def test_a_byte_order_mark_is_no_part_of_the_first_row(tmp_path: Path) -> None:
    """As Azure wants files and spreadsheets write them: pairs and chats are read alike."""
    chat = {"messages": pairs(1)[0]["input"]["messages"] + pairs(1)[0]["preferred_output"]}
    for made, read in ((pairs(1)[0], read_pairs), (chat, read_rows)):
        path = tmp_path / "rows.jsonl"
        path.write_bytes(b"\xef\xbb\xbf" + json.dumps(made).encode() + b"\n")
        assert len(read(path)) == 1  # type: ignore[operator]  # both take a path


def test_a_run_without_a_beta_is_refused(base: Path, data: tuple[Path, Path], tmp_path: Path) -> None:
    """What holds the tuned model to its base has to be said."""
    with pytest.raises(ScriptError, match="beta"):
        here(dpo_lora.main, plan(base, data[0], tmp_path, beta=None))


def test_earlier_replies_of_the_question_carry_no_loss(tmp_path: Path) -> None:
    """A reply before the answer is part of what was asked, in both conversations."""
    row = pairs(1)[0]
    row["input"]["messages"][1:1] = [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]
    (pair,) = read_pairs(write_rows(tmp_path / "rows.jsonl", [row]))
    assert [message.get("weight") for message in pair.better] == [None, None, 0, None, None]
