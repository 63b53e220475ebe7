"""Knows how many prompts are continued greedily at once and how likely given replies are; not why it is asked.

What prompts share at their beginning is read once. All answers of a batch are written together, and a row that has
ended leaves the batch. In float32 each prompt gets, token for token, what it gets alone (tests hold this); bfloat16
rounds differently with the shape of a batch, so that close calls may fall the other way.
"""

import math
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import torch
from transformers import DynamicCache

from trainers.scripts.chat import Encoded
from trainers.scripts.child import ScriptError
from trainers.scripts.families import Family, families
from trainers.scripts.local_model import Runtime
from trainers.scripts.packing import forward, packs

BATCH_ROWS = 64
"""At most this many answers are written at once: a step of 64 rows took under twice the CPU time of one row's."""
BATCH_TOKENS = 16_384
"""At most this many cached tokens in a batch: 0.4 GB for the embedded default in bfloat16, twice that in float32."""
READ_TOKENS = 2048
"""At most this many prompt tokens in one forward pass; larger ones read no faster and take memory."""
LOSS_TOKENS = 512
"""Tokens of one forward pass while losses are computed, as in training."""
LEAVE_SHARE = 4
"""Ended rows leave a batch once they are one in this many: leaving copies the cache."""

Layers = list[tuple[torch.Tensor, torch.Tensor]]
"""Keys and values of every layer, each of shape (rows, heads, tokens, width of a head)."""


class Answer(NamedTuple):
    """What a model wrote."""

    ids: list[int]
    """Generated tokens without the end-of-turn token."""
    finished: bool
    """False when the limit of new tokens cut the answer off."""
    milliseconds: float
    """Wall time of its batch divided by the rows in it."""


class Loss(NamedTuple):
    """How unlikely a model finds one reply."""

    total: float
    """Negative log-likelihood of the reply and its end of turn, in nats."""
    tokens: int
    """Target tokens."""


class Batch(NamedTuple):
    """Rows that are written together, all in the order of their families."""

    parts: list[tuple[Family, list[int]]]

    @property
    def rows(self) -> list[int]:
        """The rows' numbers."""
        return [row for _, rows in self.parts for row in rows]


@torch.inference_mode()
def greedy(
    model: Any,
    runtime: Runtime,
    prompts: Sequence[Sequence[int]],
    *,
    ends: set[int],
    max_new_tokens: int | Sequence[int],
    on_batch: Callable[[int], None] = lambda rows: None,
    on_step: Callable[[], None] = lambda: None,
) -> list[Answer]:
    """Continue each prompt with the likeliest tokens; answers come in the order of the prompts.

    ``max_new_tokens`` is one limit or one for each prompt. ``on_batch`` is told how many answers a batch finished,
    ``on_step`` is called after every forward pass; both may raise to stop. Raises ScriptError if the logits are not
    numbers.
    """
    limits = [max_new_tokens] * len(prompts) if isinstance(max_new_tokens, int) else list(max_new_tokens)
    reader = Reader(model, runtime, prompts, on_step)
    answers: list[Answer | None] = [None] * len(prompts)
    for batch in _batches(prompts, limits):
        started = time.perf_counter()
        written = _Writing(reader, batch, limits, ends).write()
        each = (time.perf_counter() - started) * 1000 / len(written)
        for row, ids in written.items():
            finished = bool(ids) and ids[-1] in ends
            answers[row] = Answer(ids[:-1] if finished else ids, finished, each)
        on_batch(len(written))
    return [a for a in answers if a is not None]


@torch.inference_mode()
def target_losses(
    model: Any, runtime: Runtime, rows: Sequence[Encoded], on_step: Callable[[], None] = lambda: None
) -> list[Loss]:
    """Return the loss of each row's targets, read by teacher forcing; raises ScriptError if it is not a number."""
    order = sorted(range(len(rows)), key=lambda i: len(rows[i].ids))
    each: list[float] = []
    for pack in packs([rows[i] for i in order], LOSS_TOKENS) if rows else []:
        each += forward(model, runtime, pack).tolist()
        on_step()
    losses: list[Loss | None] = [None] * len(rows)
    begin = 0
    for i in order:
        count = sum(rows[i].trained)
        losses[i] = Loss(sum(each[begin : begin + count]), count)
        begin += count
    if not all(map(math.isfinite, each)):
        raise not_numbers()
    return [loss for loss in losses if loss is not None]


def not_numbers() -> ScriptError:
    """Return the error for logits that are NaN or infinite."""
    return ScriptError(
        "The model's scores are not numbers: its weights are damaged or its training diverged.",
        "Train again with a lower learning rate, or restore the weights.",
    )


class Reader:
    """Reads prompts into key-value caches; what a family shares is read when its first row comes."""

    def __init__(
        self, model: Any, runtime: Runtime, prompts: Sequence[Sequence[int]], on_step: Callable[[], None]
    ) -> None:
        """Read nothing yet."""
        self.model, self.runtime, self.prompts, self.on_step = model, runtime, prompts, on_step
        self._family: Family | None = None
        self._shared: Layers = []

    def forward(self, ids: torch.Tensor, mask: torch.Tensor, cache: Any) -> torch.Tensor:
        """Return each row's likeliest next token, shape (rows, 1), and grow the cache."""
        positions = (mask.cumsum(1) - 1).clamp(min=0)[:, -ids.shape[1] :]
        with self.runtime.autocast():
            out = self.model(
                input_ids=ids, attention_mask=mask, position_ids=positions, past_key_values=cache, logits_to_keep=1
            )
        logits = out.logits[:, -1].float()
        tokens: torch.Tensor = logits.argmax(-1, keepdim=True)  # a NaN counts as the largest
        if not bool(logits.gather(1, tokens).isfinite().all()):
            raise not_numbers()
        self.on_step()
        return tokens

    def read(self, family: Family, rows: list[int]) -> tuple[Layers, torch.Tensor, torch.Tensor]:
        """Return caches, mask and next tokens of some rows, padded on the left to the longest of them."""
        cache = self._cache(family, len(rows))
        own = [list(self.prompts[row][family.shared :]) for row in rows]
        width = max(map(len, own))
        device = self.runtime.device
        ids = torch.tensor([[0] * (width - len(o)) + o for o in own], device=device)
        lengths = [[1] * family.shared + [0] * (width - len(o)) + [1] * len(o) for o in own]
        mask = torch.tensor(lengths, device=device)
        tokens = self.forward(ids, mask, cache)
        return [(layer.keys, layer.values) for layer in cache.layers], mask, tokens

    def _cache(self, family: Family, rows: int) -> Any:
        cache: Any = DynamicCache()
        if not family.shared:
            return cache
        if self._family is not family:
            ids = torch.tensor([list(self.prompts[family.rows[0]][: family.shared])], device=self.runtime.device)
            self.forward(ids, torch.ones_like(ids), cache)
            self._family, self._shared = family, [(layer.keys, layer.values) for layer in cache.layers]
            cache = DynamicCache()
        for layer, (keys, values) in enumerate(self._shared):
            cache.update(keys.expand(rows, -1, -1, -1), values.expand(rows, -1, -1, -1), layer)
        return cache


class _Writing:
    """One batch while it is written."""

    def __init__(self, reader: Reader, batch: Batch, limits: Sequence[int], ends: set[int]) -> None:
        self._reader, self._limits, self._ends = reader, limits, ends
        self._alive = batch.rows
        self._written: dict[int, list[int]] = {row: [] for row in batch.rows}
        read = [reader.read(family, rows) for family, all_ in batch.parts for rows in _chunks(reader, family, all_)]
        width = max(mask.shape[1] for _, mask, _ in read)
        pad = torch.nn.functional.pad
        self._cache: Any = DynamicCache()
        for layer in range(len(read[0][0])):
            keys, values = (
                torch.cat([pad(layers[layer][side], (0, 0, width - mask.shape[1], 0)) for layers, mask, _ in read])
                for side in (0, 1)
            )
            self._cache.update(keys, values, layer)
            for layers, _, _ in read:
                layers[layer] = (keys.new_empty(0), keys.new_empty(0))  # so that the batch is never held twice
        self._mask = torch.cat([pad(mask, (width - mask.shape[1], 0)) for _, mask, _ in read])
        self._tokens = torch.cat([tokens for _, _, tokens in read])

    def write(self) -> dict[int, list[int]]:
        """Return each row's new tokens up to and including its end of turn."""
        while self._take():
            self._mask = torch.cat([self._mask, self._mask.new_ones(len(self._alive), 1)], dim=1)
            self._tokens = self._reader.forward(self._tokens, self._mask, self._cache)
        return self._written

    def _take(self) -> bool:
        """Note the newest tokens, let ended rows leave, and say whether any row goes on."""
        going = []
        for place, (row, token) in enumerate(zip(self._alive, self._tokens[:, 0].tolist(), strict=True)):
            written = self._written[row]
            if len(written) < self._limits[row] and not (written and written[-1] in self._ends):
                written.append(token)
                if token not in self._ends and len(written) < self._limits[row]:
                    going.append(place)
        if going and (len(self._alive) - len(going)) * LEAVE_SHARE >= len(self._alive):
            kept = torch.tensor(going, device=self._tokens.device)
            self._cache.batch_select_indices(kept)
            self._mask, self._tokens = self._mask[kept], self._tokens[kept]
            self._alive = [self._alive[place] for place in going]
        return bool(going)


def _batches(prompts: Sequence[Sequence[int]], limits: Sequence[int]) -> list[Batch]:
    """Fill batches longest prompt first, so that little is padded and memory runs out at once or never."""
    batches: list[Batch] = []
    size, longest = 0, 0
    for family in sorted(families(prompts), key=lambda f: -max(len(prompts[i]) for i in f.rows)):
        for row in sorted(family.rows, key=lambda i: -len(prompts[i])):
            longest = max(longest, len(prompts[row]) + limits[row])
            if not batches or size == BATCH_ROWS or (size + 1) * longest > BATCH_TOKENS:
                batches.append(Batch([]))
                size, longest = 0, len(prompts[row]) + limits[row]
            parts = batches[-1].parts
            if not parts or parts[-1][0] is not family:
                parts.append((family, []))
            parts[-1][1].append(row)
            size += 1
    return batches


def _chunks(reader: Reader, family: Family, rows: list[int]) -> list[list[int]]:
    """Cut rows, longest first, into what one forward pass reads."""
    own = len(reader.prompts[rows[0]]) - family.shared
    step = max(1, READ_TOKENS // own)
    return [rows[i : i + step] for i in range(0, len(rows), step)]
