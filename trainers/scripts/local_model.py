"""Knows how to load a base model, pick its precision and let it answer greedily; does not know why it is asked."""

import os
import resource
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, NamedTuple

os.environ.setdefault("HF_HUB_OFFLINE", "1")  # a script never fetches anything: weights come from the weights store
os.environ.setdefault("TRANSFORMERS_NO_ADVISORY_WARNINGS", "1")

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, DynamicCache

from trainers.scripts.chat import shared_prefix
from trainers.scripts.child import ScriptError

BATCH_ROWS = 16
"""At most this many answers are written at once: decoding is bound by memory traffic, more rows cost little."""
BATCH_TOKENS = 3072
"""At most this many prompt tokens in one forward pass: keeps activations of the embedded default under 1 GB."""


class Runtime(NamedTuple):
    """Where and in which precision the arithmetic runs."""

    device: str
    """A torch device: "cuda" where there is one, else "cpu"."""
    precision: str
    """"bfloat16" or "float32": the precision of the frozen base and of matrix products; adapters stay float32."""

    def autocast(self) -> AbstractContextManager[None]:
        """Return the context in which forward passes run."""
        enabled = self.precision == "bfloat16"
        return torch.autocast(self.device, dtype=torch.bfloat16, enabled=enabled)


class Answer(NamedTuple):
    """What a model wrote."""

    ids: list[int]
    """Generated tokens without the end-of-turn token."""
    finished: bool
    """False when the limit of new tokens cut the answer off."""
    milliseconds: float
    """Wall time of its batch divided by the rows in it."""


def choose_runtime(precision: str = "auto", threads: int | None = None) -> Runtime:
    """Pick the device and, for "auto", bfloat16 only where the hardware multiplies it natively.

    On two cores with AMX, bfloat16 trained 1.3 times and read prompts 1.8 times as fast as float32 (measured on
    SmolLM2-135M, torch 2.13); where bfloat16 is emulated it is slower, so the choice follows the processor's flags.
    """
    if threads:
        torch.set_num_threads(threads)
    device = "cuda" if torch.cuda.is_available() else "cpu"
    if precision == "auto":
        native = torch.cuda.is_bf16_supported() if device == "cuda" else torch.cpu.get_capabilities().get("amx_bf16")
        precision = "bfloat16" if native else "float32"
    if precision not in ("bfloat16", "float32"):
        raise ScriptError(f'Unknown precision "{precision}".', "Use auto, bfloat16 or float32.")
    return Runtime(device, precision)


def load_base(folder: Path, runtime: Runtime) -> tuple[Any, Any]:
    """Load (model, tokenizer) from a folder of safetensors; pickled weights and remote code are refused."""
    if not (folder / "config.json").is_file() or not any(folder.glob("*.safetensors")):
        raise ScriptError(f"{folder.name} holds no safetensors model.", "Prepare the base model again.")
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
    if not getattr(tokenizer, "chat_template", None):
        raise ScriptError("The base model has no chat template.", "Choose an instruction-tuned base model.")
    safe = {"local_files_only": True, "trust_remote_code": False, "use_safetensors": True}
    # Packs need an attention that takes any boolean mask; a model without it is refused here.
    chosen = {"dtype": getattr(torch, runtime.precision), "attn_implementation": "sdpa"}
    model: Any = AutoModelForCausalLM.from_pretrained(folder, **safe, **chosen)
    return model.to(runtime.device).eval(), tokenizer


@torch.inference_mode()
def greedy(
    model: Any,
    runtime: Runtime,
    prompts: Sequence[Sequence[int]],
    *,
    ends: set[int],
    max_new_tokens: int,
    on_batch: Callable[[int], None] = lambda rows: None,
) -> list[Answer]:
    """Continue each prompt with the likeliest tokens; answers come in the order of the prompts.

    What all prompts share (a system prompt) is read once and its key-value cache reused. ``on_batch`` is told how
    many answers a batch finished; it may raise to stop.
    """
    answers: list[Answer | None] = [None] * len(prompts)
    prefix = min(shared_prefix(prompts), min(map(len, prompts)) - 1) if len(prompts) > 1 else 0
    cached = _read_prefix(model, runtime, prompts[0][:prefix]) if prefix else None
    for batch in _batches([len(p) - prefix for p in prompts]):
        started = time.perf_counter()
        written = _continue(model, runtime, [list(prompts[i][prefix:]) for i in batch], cached, ends, max_new_tokens)
        each = (time.perf_counter() - started) * 1000 / len(batch)
        for index, ids in zip(batch, written, strict=True):
            finished = bool(ids) and ids[-1] in ends
            answers[index] = Answer(ids[:-1] if finished else ids, finished, each)
        on_batch(len(batch))
    return [a for a in answers if a is not None]


def peak_memory_mib() -> int:
    """Return the most memory that this process held at once, in MiB."""
    unit = 2**20 if sys.platform == "darwin" else 2**10  # macOS counts bytes, Linux KiB
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // unit


def _batches(lengths: Sequence[int]) -> list[list[int]]:
    """Group indices by length, longest first, so that little is padded and memory runs out at once or never."""
    batches: list[list[int]] = []
    for index in sorted(range(len(lengths)), key=lambda i: -lengths[i]):
        room = batches and len(batches[-1]) < BATCH_ROWS
        if room and lengths[batches[-1][0]] * (len(batches[-1]) + 1) <= BATCH_TOKENS:
            batches[-1].append(index)
        else:
            batches.append([index])
    return batches


def _read_prefix(model: Any, runtime: Runtime, ids: Sequence[int]) -> list[tuple[torch.Tensor, torch.Tensor]]:
    cache: Any = DynamicCache()
    with runtime.autocast():
        model(input_ids=torch.tensor([ids], device=runtime.device), past_key_values=cache, logits_to_keep=1)
    return [(layer.keys, layer.values) for layer in cache.layers]


def _continue(
    model: Any,
    runtime: Runtime,
    prompts: list[list[int]],
    prefix: list[tuple[torch.Tensor, torch.Tensor]] | None,
    ends: set[int],
    max_new_tokens: int,
) -> list[list[int]]:
    """Write the continuations of one left-padded batch, each up to and including its end-of-turn token."""
    cache: Any = DynamicCache()
    before = 0
    if prefix is not None:
        before = prefix[0][0].shape[-2]
        for layer, (keys, values) in enumerate(prefix):
            cache.update(keys.expand(len(prompts), -1, -1, -1), values.expand(len(prompts), -1, -1, -1), layer)
    width = max(map(len, prompts))
    pad = next(iter(ends))
    ids = torch.tensor([[pad] * (width - len(p)) + p for p in prompts], device=runtime.device)
    mask = torch.tensor([[1] * before + [0] * (width - len(p)) + [1] * len(p) for p in prompts], device=runtime.device)
    written: list[list[int]] = [[] for _ in prompts]
    for _ in range(max_new_tokens):
        positions = (mask.cumsum(1) - 1).clamp(min=0)[:, -ids.shape[1] :]
        with runtime.autocast():
            out = model(
                input_ids=ids, attention_mask=mask, position_ids=positions, past_key_values=cache, logits_to_keep=1
            )
        ids = out.logits[:, -1].float().argmax(-1, keepdim=True)
        for answer, token in zip(written, ids[:, 0].tolist(), strict=True):
            if not answer or answer[-1] not in ends:
                answer.append(token)
        if all(answer[-1] in ends for answer in written):
            break
        mask = torch.cat([mask, mask.new_ones(len(prompts), 1)], dim=1)
    return written
