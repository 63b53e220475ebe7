"""How a LoRA run on a local model goes, from its plan to its adapter; not what it learns (`sft_lora`, `dpo_lora`).

RUN.json has the keys ``base`` (folder), ``rows`` (JSONL), ``out`` (folder), ``epochs``, ``rank``, ``alpha``,
``learning_rate``, ``batch_size`` (rows), ``max_tokens``, ``seed``, ``threads``, ``checkpoint_every`` (steps),
``warmup_ratio``; optional ``precision`` ("auto", "bfloat16", "float32"), ``pack_tokens`` (per forward pass). A run
prints JSON lines (see ``child``), writes ``out/losses.jsonl`` as it goes and ``out/adapter/`` at the end. The same
command continues a run that was stopped or killed, to the same result: seed, rows and plan decide it. In float32 that
is exact to rounding; bfloat16 kernels may differ between machines.
"""

import json
import math
import random
import shutil
import time
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from trainers.scripts.chat import Encoded
from trainers.scripts.child import Child, ScriptError, StopRequested, only_one, publish_folder, publish_text

FRESH_FOLDER = "Give the new run an empty folder."
PACK_TOKENS = 512
"""Tokens in one forward pass: on two cores 512 gave the most tokens a second (256: -15%, 1024: -10%)."""
NO_INFLUENCE = ("base", "rows", "out", "threads", "checkpoint_every", "precision")
"""Keys that may differ when a run continues; what base and rows hold is compared by hash."""
DONE = ("trained_tokens", "target_tokens", "seconds", "final_loss", "epoch_loss", "steps", "peak_memory_mib")
"""What the last line reports, besides precision and device."""
CLIP = 1.0
"""Largest norm of the gradient, the usual guard against a spike in a small batch."""
SPEED_WINDOW = 8
"""Steps over which the speed is averaged, for a steady time left."""


class Plan(NamedTuple):
    """RUN.json, checked."""

    base: Path
    rows: Path
    out: Path
    epochs: int
    rank: int
    alpha: int
    learning_rate: float
    batch_size: int
    max_tokens: int
    seed: int
    threads: int
    checkpoint_every: int
    warmup_ratio: float
    precision: str = "auto"
    pack_tokens: int = PACK_TOKENS
    beta: float | None = None
    """Of preferences alone: how strongly the tuned model is held to its base."""


Example = Sequence[Encoded]
"""What is learned from at once: one conversation, or the two of a preference pair."""


class Learned(NamedTuple):
    """What a batch was worth, once its gradients were added."""

    loss: float
    numbers: dict[str, float]
    """What else was measured, by name; they stand beside the loss in the curve."""


class Objective(Protocol):
    """What a run learns."""

    def read(self, rows: Path) -> Sequence[Any]:
        """Read the rows; raises ScriptError."""

    def encode(self, tokenizer: Any, row: Any, ends: set[int], number: int) -> Example:
        """Return a row's tokens; raises ScriptError with its number."""

    def learn(self, model: Any, runtime: Any, batch: Sequence[Example], plan: Plan) -> Learned:
        """Add the gradients of a batch's mean loss."""


def run_lora(child: Child, plan: Plan, objective: Objective) -> None:
    """Resume or start, train, publish."""
    with only_one(plan.out):
        if not _report_finished(child, plan):
            _train(child, plan, objective)


def read_plan(document: dict[str, Any]) -> Plan:
    """Check the keys and ranges of RUN.json."""
    paths = {key: Path(document[key]) for key in ("base", "rows", "out") if isinstance(document.get(key), str)}
    missing = [key for key in Plan._fields if key not in document and key not in Plan._field_defaults]
    unknown = sorted(set(document) - set(Plan._fields))
    if missing or unknown or len(paths) < 3:
        raise ScriptError(f"RUN.json: missing keys {missing}, unknown keys {unknown}.", "Write the run file again.")
    plan = Plan(**{**document, **paths})
    counts = ("epochs", "rank", "alpha", "batch_size", "max_tokens", "threads", "checkpoint_every", "pack_tokens")
    if any(not isinstance(getattr(plan, count), int) or getattr(plan, count) < 1 for count in counts):
        raise ScriptError("RUN.json: a count is not a whole number above zero.", "Write the run file again.")
    if not (0 < plan.learning_rate < 1 and 0 <= plan.warmup_ratio < 1):
        raise ScriptError("RUN.json: learning rate or warm-up is out of range.", "Write the run file again.")
    return plan


class _Made(NamedTuple):
    """What a run is made of, read and loaded."""

    recipe: dict[str, Any]
    """What decides its result; another plan in the same folder must not continue its checkpoints."""
    runtime: Any
    model: Any
    rows: Sequence[Example]
    saved: Any
    """The newest checkpoint; None at the start."""


def _train(child: Child, plan: Plan, objective: Objective) -> None:
    """Train from the newest checkpoint, or from the start, to the end; then publish the adapter."""
    made = _make(child, plan, objective)
    state, seconds = _learn(child, plan, objective, made)
    _publish(made.model, plan, {**made.recipe, **_summary(plan, made, state, seconds)})
    shutil.rmtree(plan.out / "checkpoints", ignore_errors=True)  # they are of no more use
    _report_finished(child, plan)


def _make(child: Child, plan: Plan, objective: Objective) -> _Made:
    """Read the rows and load the model; raises ScriptError for a folder with checkpoints of another run."""
    child.emit("progress", phase="preparing", step=0, steps=1, part="loading the base model")
    import torch

    from trainers.scripts import checkpoints
    from trainers.scripts.chat import stop_ids
    from trainers.scripts.gpu import hold_gpu
    from trainers.scripts.local_model import choose_runtime, load_base

    read = objective.read(plan.rows)
    saved = checkpoints.newest(plan.out / "checkpoints")
    begun_with = saved.state["recipe"].get("precision") if saved and plan.precision == "auto" else None
    runtime = choose_runtime(begun_with or plan.precision, plan.threads)
    recipe = _recipe(plan, runtime.precision)
    if saved and saved.state["recipe"] != recipe:
        raise ScriptError("The run folder holds checkpoints of a different run.", FRESH_FOLDER)

    hold_gpu(runtime.device, child, "preparing")
    torch.manual_seed(plan.seed)
    base, tokenizer = load_base(plan.base, runtime)
    model = _with_lora(base, plan)
    ends = stop_ids(tokenizer, base)
    rows = [objective.encode(tokenizer, row, ends, number) for number, row in enumerate(read, start=1)]
    _check_lengths(rows, plan.max_tokens)
    child.check()
    return _Made(recipe, runtime, model, rows, saved)


def _recipe(plan: Plan, precision: str) -> dict[str, Any]:
    from trainers.scripts.chat import sha256

    knobs = {key: value for key, value in plan._asdict().items() if key not in NO_INFLUENCE and value is not None}
    return knobs | {"rows_sha256": sha256(plan.rows), "base": _base_card(plan.base), "precision": precision}


def _learn(child: Child, plan: Plan, objective: Objective, made: _Made) -> tuple[dict[str, Any], float]:
    """Take every step that is left; returns the run's state at its end, and its seconds."""
    import torch

    from trainers.scripts import checkpoints

    # AdamW over the adapter alone; the rate warms up, then falls to zero in a straight line.
    steps = _steps(plan, made.rows)
    named = {name: value for name, value in made.model.named_parameters() if value.requires_grad}
    optimizer = torch.optim.AdamW(named.values(), lr=plan.learning_rate, weight_decay=0.0)
    state = _begin(child, plan, made, optimizer, named)
    clock = Clock(steps=steps, done=state["step"], seconds_before=state["seconds"])

    def save() -> None:
        state["seconds"] = clock.seconds()
        checkpoints.save(plan.out / "checkpoints", _snapshot(optimizer, named, state))
        child.emit("checkpoint", step=state["step"])

    # One step = one batch, in packs of at most pack_tokens so that memory does not depend on the batch size.
    for step, epoch, batch in _batches(made.rows, plan):
        if step <= state["step"]:
            continue
        for group in optimizer.param_groups:
            group["lr"] = plan.learning_rate * _rate(step, steps, plan.warmup_ratio)
        learned = objective.learn(made.model, made.runtime, batch, plan)
        if not math.isfinite(learned.loss):
            raise ScriptError(f"The loss is not a number at step {step}.", "Start again with half the learning rate.")
        torch.nn.utils.clip_grad_norm_(named.values(), CLIP)
        optimizer.step()
        optimizer.zero_grad()
        _note(plan, state, step, learned)
        speed = clock.tick(step, rows=len(batch), tokens=_tokens(batch))
        loss = round(learned.loss, 4)
        child.emit("progress", phase="training", step=step, steps=steps, epoch=epoch, loss=loss, **speed)
        if child.stopping and step < steps:
            save()
            raise StopRequested(step=step)
        if step % plan.checkpoint_every == 0 and step < steps:
            save()
    return state, clock.seconds()


def _begin(child: Child, plan: Plan, made: _Made, optimizer: Any, named: dict[str, Any]) -> dict[str, Any]:
    """Return a run's state as its checkpoint has it, or a fresh one, and cut its curve to it."""
    state: dict[str, Any] = {"recipe": made.recipe, "step": 0, "losses": [], "seconds": 0.0}
    if made.saved:
        state = {**made.saved.state}
        _restore(optimizer, named, made.saved)
        child.emit("resumed", step=state["step"])
    _rewrite_curve(plan.out / "losses.jsonl", state["losses"])
    return state


def _note(plan: Plan, state: dict[str, Any], step: int, learned: Learned) -> None:
    """Put a step that was taken down, in the state and in the curve."""
    state["step"] = step
    state["losses"].append(learned.loss)
    point = {"step": step, "loss": learned.loss, "at": round(time.time(), 3), **learned.numbers}
    with (plan.out / "losses.jsonl").open("a", encoding="utf-8") as curve:
        curve.write(json.dumps(point) + "\n")


def _summary(plan: Plan, made: _Made, state: dict[str, Any], seconds: float) -> dict[str, Any]:
    """Return what the adapter was made with, beside its recipe."""
    from trainers.scripts.local_model import peak_memory_mib

    steps = _steps(plan, made.rows)
    in_epoch = steps // plan.epochs
    return {
        "trained_tokens": plan.epochs * _tokens(made.rows),
        "target_tokens": plan.epochs * sum(sum(one.trained) for row in made.rows for one in row),
        "seconds": round(seconds, 1),
        "final_loss": state["losses"][-1],
        "epoch_loss": sum(state["losses"][-in_epoch:]) / in_epoch,
        "steps": steps,
        "peak_memory_mib": peak_memory_mib(),
        "precision": made.runtime.precision,
        "device": made.runtime.device,
    }


def _steps(plan: Plan, rows: Sequence[Example]) -> int:
    return plan.epochs * math.ceil(len(rows) / plan.batch_size)


class Clock:
    """Seconds of training so far and left."""

    def __init__(self, steps: int, done: int, seconds_before: float) -> None:
        """Start at step ``done`` of ``steps``, after ``seconds_before`` seconds in earlier processes."""
        self._steps, self._before, self._started = steps, seconds_before, time.monotonic()
        self._recent: deque[tuple[float, int, int]] = deque([(self._started, 0, 0)], maxlen=SPEED_WINDOW + 1)

    def seconds(self) -> float:
        """Return the seconds spent, over all processes that worked on the run."""
        return self._before + time.monotonic() - self._started

    def tick(self, step: int, rows: int, tokens: int) -> dict[str, float]:
        """Count a finished step; return tokens and rows a second (of the rows as written) and the seconds left."""
        if len(self._recent) == 2 and self._recent[0][1:] == (0, 0):
            self._recent.popleft()  # the first step also warms caches up: it says nothing about the others
        _, all_rows, all_tokens = self._recent[-1]
        self._recent.append((time.monotonic(), all_rows + rows, all_tokens + tokens))
        (begin, rows_then, tokens_then), (end, rows_now, tokens_now) = self._recent[0], self._recent[-1]
        window = max(end - begin, 1e-9)
        left = window / (len(self._recent) - 1) * (self._steps - step)
        return {
            "tokens_per_second": round((tokens_now - tokens_then) / window, 1),
            "rows_per_second": round((rows_now - rows_then) / window, 2),
            "seconds_left": round(left, 1),
        }


def _report_finished(child: Child, plan: Plan) -> bool:
    """If the adapter stands published, say so (again: the parent may have died before it read the first time)."""
    card = plan.out / "adapter" / "training.json"
    if not card.is_file():
        return False
    done = json.loads(card.read_text(encoding="utf-8"))
    child.emit("done", phase="training", **{key: done[key] for key in (*DONE, "precision", "device")})
    return True


def _base_card(base: Path) -> dict[str, Any]:
    """Return the name and hash of the base weights, as written when they were prepared."""
    card = base / "luthier.json"
    if not card.is_file():
        return {"name": base.name}
    known = json.loads(card.read_text(encoding="utf-8"))
    return {"name": known["name"], "sha256": known["sha256"]}


def _with_lora(base: Any, plan: Plan) -> Any:
    import torch
    from peft import LoraConfig, get_peft_model

    # The short names of all linear layers but the output: servers such as vLLM read them from the adapter's config.
    linear = {name: layer for name, layer in base.named_modules() if isinstance(layer, torch.nn.Linear)}
    output = base.get_output_embeddings()
    targets = sorted({name.rpartition(".")[2] for name, layer in linear.items() if layer is not output})
    config = LoraConfig(
        r=plan.rank, lora_alpha=plan.alpha, lora_dropout=0.0, target_modules=targets, task_type="CAUSAL_LM"
    )
    model = get_peft_model(base, config)
    return model.train()


def _batches(rows: Sequence[Example], plan: Plan) -> Iterator[tuple[int, int, list[Example]]]:
    """Yield (step, epoch, rows) in the order that the seed gives, both counted from 1."""
    step = 0
    for epoch in range(1, plan.epochs + 1):
        order = list(range(len(rows)))
        random.Random(f"{plan.seed}:{epoch}").shuffle(order)  # noqa: S311  # an order, not a secret
        for start in range(0, len(order), plan.batch_size):
            step += 1
            yield step, epoch, [rows[i] for i in order[start : start + plan.batch_size]]


def _rate(step: int, steps: int, warmup_ratio: float) -> float:
    """Return the share of the full learning rate at a step counted from 1."""
    warmup = max(1, round(steps * warmup_ratio))
    return min(step / warmup, (steps - step + 1) / max(1, steps - warmup + 1))


def _check_lengths(rows: Sequence[Example], most: int) -> None:
    for number, row in enumerate(rows, start=1):
        longest = max(len(one.ids) for one in row)
        if longest > most:
            raise ScriptError(
                f"Row {number} has {longest} tokens, the limit is {most}; nothing was cut off.",
                "Shorten the row, leave it out, or raise max_tokens.",
            )


def _tokens(rows: Sequence[Example]) -> int:
    return sum(len(one.ids) for row in rows for one in row)


def _snapshot(optimizer: Any, named: dict[str, Any], state: dict[str, Any]) -> Any:
    import torch

    from trainers.scripts.checkpoints import Checkpoint

    moments = {"rng": torch.get_rng_state()}
    for name, value in named.items():
        kept = optimizer.state[value]
        moments |= {f"exp_avg.{name}": kept["exp_avg"], f"exp_avg_sq.{name}": kept["exp_avg_sq"]}
    adapter = {name: value.detach() for name, value in named.items()}
    return Checkpoint(state, adapter, moments)


def _restore(optimizer: Any, named: dict[str, Any], saved: Any) -> None:
    import torch

    torch.set_rng_state(saved.moments["rng"])
    with torch.no_grad():
        for name, value in named.items():
            value.copy_(saved.adapter[name])
            optimizer.state[value] = {
                "step": torch.tensor(float(saved.state["step"])),
                "exp_avg": saved.moments[f"exp_avg.{name}"].to(value.device),
                "exp_avg_sq": saved.moments[f"exp_avg_sq.{name}"].to(value.device),
            }


def _rewrite_curve(path: Path, losses: Sequence[float]) -> None:
    """Cut the curve to what the checkpoint knows: steps after it will be taken again. What else it says stays."""
    told: dict[int, dict[str, Any]] = {}
    for line in path.read_text(encoding="utf-8").splitlines() if path.is_file() else ():
        if line.endswith("}"):  # a line that was being written when the process died is not whole
            point = json.loads(line)
            told[point["step"]] = point
    points = ({**told.get(step, {}), "step": step, "loss": loss} for step, loss in enumerate(losses, start=1))
    publish_text(path, "".join(json.dumps(point) + "\n" for point in points))


def _publish(model: Any, plan: Plan, card: dict[str, Any]) -> None:
    model.peft_config["default"].base_model_name_or_path = card["base"]["name"]  # not a path of this machine
    with publish_folder(plan.out / "adapter") as draft:
        model.save_pretrained(draft, safe_serialization=True, save_embedding_layers=False)
        (draft / "README.md").unlink(missing_ok=True)  # peft's empty form of a model card
        (draft / "training.json").write_text(json.dumps(card, indent=1), encoding="utf-8")
