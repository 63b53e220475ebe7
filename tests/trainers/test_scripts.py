"""The child scripts on a tiny model: its training takes milliseconds, and importing torch in a child about 6 s of CPU.

So only what needs a process of its own (signals, stdout, locks) starts one; the rest runs the scripts' functions here.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.trainers.script_runs import (
    ENV,
    ROOT,
    Script,
    base,
    here,
    run_file,
    run_to_end,
    tensors,
    write_rows,
)
from trainers.scripts import evaluate_arms, sft_lora
from trainers.scripts.chat import Encoded, encode, prompt_ids, read_rows, shared_prefix
from trainers.scripts.child import ScriptError, only_one

__all__ = ["base"]

pytestmark = [
    pytest.mark.timeout(300),
    # transformers warns about its own internals
    pytest.mark.filterwarnings("ignore:`is_gradient_checkpointing`:FutureWarning"),
]
SYSTEM = "Sort the ticket. Labels: billing, returns."
Run = tuple[Path, list[dict[str, Any]]]
"""A finished training run: its folder and its events."""
ALL_LINEAR = {"q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"}
LABELS = ["billing", "returns"]


def rows(count: int, shift: int = 0) -> list[dict[str, Any]]:
    words = ["invoice", "parcel", "refund", "card", "string", "label", "swap", "fee"]
    made = []
    for i in range(shift, shift + count):
        label = LABELS[i % 2]
        text = (
            f"{words[i % 8]} {words[(i // 2) % 8]} number {i} " + ("money " if label == "billing" else "send back ") * 2
        )
        messages = [{"role": "system", "content": SYSTEM}, {"role": "user", "content": text}]
        made.append({"messages": [*messages, {"role": "assistant", "content": label}]})
    return made


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    folder = tmp_path_factory.mktemp("rows")
    return write_rows(folder / "train.jsonl", rows(24)), write_rows(folder / "test.jsonl", rows(10, shift=100))


def training(base: Path, data: tuple[Path, Path], out: Path, **other: Any) -> dict[str, Any]:
    return run_file(base, data[0], out, **{"epochs": 8, "learning_rate": 2e-2, **other})


@pytest.fixture(scope="module")
def trained(base: Path, data: tuple[Path, Path], tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("whole")
    status, events = run_to_end("sft_lora", training(base, data, folder / "out"), folder)
    assert status == 0
    return folder / "out", events


def test_training_tells_each_step_and_publishes_an_adapter(trained: Run) -> None:
    """A run prints one progress line a step with falling loss, and leaves a safetensors adapter and its curve."""
    out, events = trained
    steps = [e for e in events if e["event"] == "progress" and e["phase"] == "training"]
    assert [e["step"] for e in steps] == list(range(1, 49))
    assert {e["steps"] for e in steps} == {48}
    assert steps[-1]["epoch"] == 8
    assert steps[-1]["seconds_left"] == 0
    assert all(e["tokens_per_second"] > 0 and e["rows_per_second"] > 0 for e in steps)
    assert sum(e["loss"] for e in steps[-6:]) < 0.5 * sum(e["loss"] for e in steps[:6])
    done = events[-1]
    assert done["event"] == "done"
    assert done["target_tokens"] == 8 * 24 * 8  # "billing" and "returns" are seven bytes each, and the end of the turn
    curve = [json.loads(line) for line in (out / "losses.jsonl").read_text().splitlines()]
    assert [point["step"] for point in curve] == list(range(1, 49))
    assert curve[-1]["loss"] == done["final_loss"]
    assert sorted(p.name for p in (out / "adapter").iterdir()) == [
        "adapter_config.json", "adapter_model.safetensors", "training.json"
    ]  # fmt: skip
    config = json.loads((out / "adapter" / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == "tiny"  # no path of this machine
    assert set(config["target_modules"]) == ALL_LINEAR


def test_a_finished_run_says_so_again_without_training(
    trained: Run, base: Path, data: tuple[Path, Path], tmp_path: Path
) -> None:
    """A worker that died before it read the last line gets it from the same command, at once."""
    out, events = trained
    status, again = run_to_end("sft_lora", training(base, data, out), tmp_path)
    assert status == 0
    assert again == [events[-1]]


def test_an_interrupted_run_goes_on_to_the_same_result(
    trained: Run, base: Path, data: tuple[Path, Path], tmp_path: Path
) -> None:
    """Left by its parent, asked to stop, then killed, a run still ends at the loss and weights of an undisturbed one.

    Starts three children, about 6 s of CPU each.
    """
    document = training(base, data, tmp_path / "out")

    orphan = Script("sft_lora", document, tmp_path)
    orphan.until("progress", phase="training", step=7)
    assert orphan.process.stdin is not None
    orphan.process.stdin.close()
    status, rest = orphan.end()
    reached = rest[-1]["step"]
    assert (status, rest[-1]["event"]) == (75, "stopped")
    assert rest[-2] == {"event": "checkpoint", "step": reached}

    stopped = Script("sft_lora", document, tmp_path)
    assert stopped.until("resumed")["step"] == reached
    stopped.until("progress", phase="training", step=reached + 2)
    stopped.process.terminate()
    status, rest = stopped.end()
    reached = rest[-1]["step"]
    assert (status, rest[-1]["event"]) == (75, "stopped")

    killed = Script("sft_lora", document, tmp_path)
    checkpoint = killed.until("checkpoint")["step"]
    os.killpg(killed.process.pid, signal.SIGKILL)
    assert killed.end()[0] == -signal.SIGKILL

    rest = here(sft_lora.main, document)
    assert next(e for e in rest if e["event"] == "resumed")["step"] >= checkpoint
    assert rest[-1]["final_loss"] == pytest.approx(trained[1][-1]["final_loss"], abs=1e-5)
    ours, theirs = tensors(tmp_path / "out" / "adapter"), tensors(trained[0] / "adapter")
    assert all(abs(ours[k] - theirs[k]).max() < 1e-5 for k in theirs)
    curve = [json.loads(line)["step"] for line in (tmp_path / "out" / "losses.jsonl").read_text().splitlines()]
    assert curve == list(range(1, 49))


def test_a_damaged_checkpoint_is_passed_over(tmp_path: Path) -> None:
    """The newest checkpoint whose bytes are what was written is used, whatever lies beside it."""
    import torch

    from trainers.scripts import checkpoints

    for step in (5, 10):
        value = {"w": torch.full((2,), float(step))}
        checkpoints.save(tmp_path, checkpoints.Checkpoint({"step": step}, value, value))
    weights = tmp_path / "step-000010" / "adapter.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1] + b"\x00")
    (tmp_path / ".step-000015.half").mkdir()
    found = checkpoints.newest(tmp_path)
    assert found is not None
    assert found.state["step"] == 5


LONG = {"messages": [{"role": "user", "content": "secret " * 60}, {"role": "assistant", "content": "x"}]}
MUTE = {"messages": [{"role": "user", "content": "secret"}, {"role": "assistant", "content": "y", "weight": 0}]}


@pytest.mark.parametrize(
    ("made", "change", "words"),
    [
        ([*rows(3), LONG], {}, "Row 4 has"),
        ([*rows(3), MUTE], {}, "Row 4 holds no reply"),
        (rows(3), {"learning_rate": 0.9, "alpha": 10**40}, "not a number"),
        (rows(3), {"epochs": 0}, "above zero"),
        (rows(3), {"color": "red"}, "color"),
    ],
)
def test_what_cannot_be_trained_is_refused_in_words(
    made: list[dict[str, Any]], change: dict[str, Any], words: str, base: Path, tmp_path: Path
) -> None:
    """A long row, nothing to learn, a diverged loss or a wrong plan end with an error that quotes no row."""
    path = write_rows(tmp_path / "rows.jsonl", made)
    with pytest.raises(ScriptError, match=words) as caught:
        here(sft_lora.main, training(base, (path, path), tmp_path / "out", **change))
    assert caught.value.next_step
    assert "secret" not in str(caught.value)
    assert not (tmp_path / "out" / "adapter").exists()


def test_a_failure_is_one_line_on_stdout_and_exit_1(base: Path, data: tuple[Path, Path], tmp_path: Path) -> None:
    """A parent reads what happened and what to do next, and a second trainer in the same folder is refused."""
    document = training(base, data, tmp_path / "out")
    with only_one(tmp_path / "out"):
        status, events = run_to_end("sft_lora", document, tmp_path)
    assert status == 1
    assert [e["event"] for e in events] == ["error"]
    assert "already working" in events[0]["what"]
    assert events[0]["next_step"]


def test_another_plan_does_not_continue_these_checkpoints(base: Path, data: tuple[Path, Path], tmp_path: Path) -> None:
    """A folder that holds a different run's checkpoints is refused instead of mixed."""
    import torch

    from trainers.scripts import checkpoints

    value = {"w": torch.zeros(1)}
    state = {"step": 5, "recipe": {"learning_rate": 2e-2}}
    checkpoints.save(tmp_path / "out" / "checkpoints", checkpoints.Checkpoint(state, value, value))
    with pytest.raises(ScriptError, match="different run"):
        here(sft_lora.main, training(base, data, tmp_path / "out", learning_rate=1e-3))


def test_bad_rows_are_named_by_line_and_not_quoted(tmp_path: Path) -> None:
    """Reading rows fails with the line's number and the reason."""
    bad = {"{secret": "not valid JSON", '{"messages": []}': "no list", '{"messages": ["secret"]}': "wrong role"}
    for line, reason in bad.items():
        path = tmp_path / "rows.jsonl"
        path.write_text(json.dumps(rows(1)[0]) + "\n" + line + "\n")
        with pytest.raises(ScriptError, match=f"line 2: .*{reason}") as caught:
            read_rows(path)
        assert "secret" not in str(caught.value)


def test_only_replies_and_their_end_of_turn_are_targets(base: Path) -> None:
    """In a conversation of two turns the targets are the two replies, each with its end token, and nothing else."""
    from transformers import AutoTokenizer

    tokenizer: Any = AutoTokenizer.from_pretrained(base)
    turns = [("system", "s"), ("user", "one"), ("assistant", "uno"), ("user", "two"), ("assistant", "dos")]
    messages = [{"role": role, "content": content} for role, content in turns]
    row = encode(tokenizer, messages, {tokenizer.eos_token_id}, 1)
    trained = tokenizer.decode([i for i, target in zip(row.ids, row.trained, strict=True) if target])
    assert trained == "uno<|im_end|>dos<|im_end|>"
    prompt = prompt_ids(tokenizer, messages[:-1])
    assert row.ids[: len(prompt)] == prompt  # the model is asked later exactly as it was taught
    assert not any(row.trained[-5:-4])


def test_packed_rows_give_the_loss_and_gradients_of_single_rows(base: Path) -> None:
    """Sharing a prefix in one sequence is arithmetic, not an approximation."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    from trainers.scripts.packing import packs

    tokenizer: Any = AutoTokenizer.from_pretrained(base)
    batch = [encode(tokenizer, r["messages"], {1}, 1) for r in rows(6)]
    model: Any = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float64)  # little rounding to argue about

    def loss(parts: list[Any]) -> tuple[float, Any]:
        model.zero_grad()
        total = 0.0
        for p in parts:
            out = model(input_ids=p.ids, position_ids=p.positions, attention_mask=p.mask, use_cache=False).logits
            part = torch.nn.functional.cross_entropy(out[0, p.sources], p.targets, reduction="sum")
            part.backward()
            total += part.item()
        return total, model.model.layers[0].self_attn.q_proj.weight.grad.clone()

    together, single = packs(batch, 400), [packs([row], 400)[0] for row in batch]
    assert sum(p.ids.shape[1] for p in together) < 0.8 * sum(p.ids.shape[1] for p in single)
    assert sum(len(p.targets) for p in together) == sum(sum(row.trained) for row in batch)
    packed_loss, packed_grad = loss(together)
    plain_loss, plain_grad = loss(single)
    assert packed_loss == pytest.approx(plain_loss, rel=1e-9)
    assert torch.allclose(packed_grad, plain_grad, rtol=0, atol=2e-6)


def test_rows_that_are_alike_up_to_the_reply_keep_all_their_targets() -> None:
    """The shared prefix never swallows a prediction, even where two prompts are the same."""
    from trainers.scripts.packing import packs

    twins = [
        Encoded([1, 2, 3, 7, 0], [False, False, False, True, True]),
        Encoded([1, 2, 3, 8, 0], [False] * 3 + [True] * 2),
    ]
    (pack,) = packs(twins, 100)
    assert pack.targets.tolist() == [7, 0, 8, 0]
    assert shared_prefix([row.ids for row in twins]) == 3


def test_greedy_answers_do_not_depend_on_their_neighbours(base: Path) -> None:
    """Batched, padded and with a shared prefix, each prompt gets the answer it gets alone from the library."""
    import torch

    from trainers.scripts.decoding import greedy
    from trainers.scripts.local_model import choose_runtime, load_base

    runtime = choose_runtime("float32", 1)
    model, tokenizer = load_base(base, runtime)
    prompts = [prompt_ids(tokenizer, row["messages"][:-1]) for row in rows(20)]
    ours = greedy(model, runtime, prompts, ends={1}, max_new_tokens=8)
    for prompt, answer in zip(prompts, ours, strict=True):
        whole = model.generate(
            input_ids=torch.tensor([prompt]),
            attention_mask=torch.ones(1, len(prompt)),
            max_new_tokens=8,
            do_sample=False,
        )
        theirs = whole[0, len(prompt) :].tolist()
        assert answer.ids == (theirs[:-1] if theirs[-1] == 1 else theirs)


def evaluation(base: Path, adapter: Path, data: tuple[Path, Path], out: Path, **other: Any) -> dict[str, Any]:
    return {
        "base": str(base), "adapter": str(adapter), "train": str(data[0]), "test": str(data[1]), "out": str(out),
        "labels": LABELS, "seed": 3, "threads": 1, "max_new_tokens": 10, "precision": "float32",
    } | other  # fmt: skip


def test_every_arm_answers_every_row_and_none_twice(
    trained: Run, base: Path, data: tuple[Path, Path], tmp_path: Path
) -> None:
    """Killed after the first arm, the same command keeps that arm's answers and finishes the others."""
    document = evaluation(base, trained[0] / "adapter", data, tmp_path / "out")
    first = Script("evaluate_arms", document, tmp_path)
    first.until("progress", arm="base_few_shot")
    first.process.kill()
    first.end()
    kept = tmp_path / "out" / "arms" / "base_plain.json"
    stamp = kept.stat().st_mtime_ns
    events = here(evaluate_arms.main, document)
    assert kept.stat().st_mtime_ns == stamp
    assert [e["step"] for e in events if e["event"] == "progress"][-1] == events[-2]["steps"]
    found = [json.loads(line) for line in (tmp_path / "out" / "predictions.jsonl").read_text().splitlines()]
    arms = ["base_plain", "base_few_shot", "tfidf", "tuned"]
    assert [(p["arm"], p["row"]) for p in found] == [(arm, i) for arm in arms for i in range(10)]
    told = {"arm", "row", "output", "expected", "correct", "milliseconds", "prompt_tokens", "output_tokens", "finished"}
    assert all(set(p) - {"target_loss"} == told for p in found)
    notes = json.loads((tmp_path / "out" / "arms.json").read_text())["arms"]
    assert events[-1]["correct"] == {arm: sum(p["correct"] for p in found if p["arm"] == arm) for arm in arms}
    assert notes["tuned"]["correct"] == 10  # the labels follow from the words, and training taught it
    assert notes["tuned"]["max_logit_change"] > 0.1
    assert notes["base_plain"]["correct"] == 0  # random weights
    assert notes["base_few_shot"]["candidates"][0]["asked"] == notes["base_few_shot"]["asked"]
    tests_text = {row["messages"][1]["content"] for row in rows(10, shift=100)}
    shown = [m["content"] for m in notes["base_few_shot"]["prompt"]][:-1]
    assert not tests_text & set(shown)


def test_an_adapter_that_changes_nothing_is_found_out(
    trained: Run, base: Path, data: tuple[Path, Path], tmp_path: Path
) -> None:
    """If the tuned model's logits are the base's, the evaluation fails rather than compare the base with itself."""
    from safetensors.numpy import save_file

    adapter = tmp_path / "adapter"
    adapter.mkdir()
    (adapter / "adapter_config.json").write_bytes((trained[0] / "adapter" / "adapter_config.json").read_bytes())
    save_file({k: v * 0 for k, v in tensors(trained[0] / "adapter").items()}, adapter / "adapter_model.safetensors")
    with pytest.raises(ScriptError, match="changes nothing"):
        here(evaluate_arms.main, evaluation(base, adapter, data, tmp_path / "out", arms=["tuned"]))


@pytest.mark.parametrize(
    ("output", "right"),
    [("billing", True), (' "Billing". ', True), ("billing\nInput: x", True), ("billing team", False), ("", False)],
)
def test_an_answer_counts_if_it_is_the_label(output: str, right: bool) -> None:
    """Case, quotes, a full stop and what follows the first line do not matter; other words do."""
    from trainers.scripts.marking import is_right

    assert is_right(output, "billing", LABELS) is right


def test_few_shot_examples_never_include_the_row_itself() -> None:
    """While prompts are chosen on training rows, no row sees its own answer."""
    from trainers.scripts.prompting import CLOSED, Examples

    made = [row["messages"] for row in rows(24)]
    examples = Examples(made, LABELS, seed=3)
    for candidate in CLOSED:
        for i, row in enumerate(made):
            prompt = examples.prompt(candidate, row, leave_out=i)
            assert sum(m["content"].count(row[1]["content"]) for m in prompt) == 1  # as the question only
            assert prompt[-1]["role"] == "user"


Served = tuple[httpx.Client, subprocess.Popen[bytes]]


@pytest.fixture
def served(request: pytest.FixtureRequest, trained: Run, base: Path, tmp_path: Path) -> Iterator[Served]:
    """A resident model that ends after `request.param` seconds without a question."""
    argv = [sys.executable, "-m", "trainers.scripts.serve_local", "--socket", str(tmp_path / "model.sock")]
    argv += ["--base", str(base), "--adapters", str(trained[0]), "--idle", str(request.param), "--threads", "1"]
    argv += ["--precision", "float32"]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(argv, cwd=ROOT, env=ENV, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=log)
    assert process.stdout is not None
    assert process.stdin is not None
    assert json.loads(process.stdout.readline())["event"] == "ready"
    transport = httpx.HTTPTransport(uds=str(tmp_path / "model.sock"))
    with httpx.Client(transport=transport, base_url="http://x", timeout=60) as client:
        yield client, process
    process.kill()
    process.wait()
    process.stdin.close()
    process.stdout.close()


@pytest.mark.parametrize("served", [3], indirect=True)
def test_the_resident_model_answers_as_base_and_as_tuned_and_ends_when_idle(
    served: Served, trained: Run, tmp_path: Path
) -> None:
    """One process answers with and without the adapter, refuses in OpenAI's shape, and leaves when idle."""
    client, process = served
    assert (tmp_path / "model.sock").stat().st_mode & 0o777 == 0o600
    row = rows(1, shift=101)[0]["messages"]

    def ask(model: str, **other: Any) -> httpx.Response:
        return client.post(
            "/v1/chat/completions", json={"model": model, "messages": row[:-1], "max_tokens": 10, **other}
        )

    adapter = str(trained[0] / "adapter")
    tuned = ask(adapter).json()
    assert tuned["choices"][0]["message"] == {"role": "assistant", "content": "returns"}
    assert tuned["choices"][0]["finish_reason"] == "stop"
    assert tuned["usage"]["completion_tokens"] == 7
    base = ask("base").json()
    assert base["choices"][0]["message"]["content"] != "returns"  # the adapter is out again
    assert [m["id"] for m in client.get("/v1/models").json()["data"]] == ["base", adapter]
    for response, status, param in [
        (ask("/etc"), 404, "model"),
        (ask(f"{adapter}/../../.."), 404, "model"),
        (ask("adapter"), 404, "model"),
        (ask("base", n=2), 400, "n"),
        (ask("base", messages=[]), 400, "messages"),
        (ask("base", max_tokens=0.5), 400, "max_tokens"),
        (ask("base", messages=[{"role": "user", "content": "x" * 9000}]), 400, "messages"),
        (client.post("/v1/chat/completions", content=b"{"), 400, None),
    ]:
        assert response.status_code == status
        assert response.json()["error"]["type"] == "invalid_request_error"
        assert response.json()["error"]["param"] == param
    assert process.wait(timeout=60) == 0
    assert not (tmp_path / "model.sock").exists()


@pytest.mark.parametrize("served", [3600], indirect=True)
def test_the_resident_model_ends_with_its_parent(served: Served) -> None:
    """When the process that holds the other end of stdin is gone, the model does not stay behind."""
    _, process = served
    assert process.stdin is not None
    process.stdin.close()
    assert process.wait(timeout=60) == 0
