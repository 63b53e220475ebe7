"""Knows how many conversations are answered at once by one model and its adapters; not HTTP, nor text.

Rows join and leave between two steps, so that nobody waits for somebody else's answer to end. Rows of different
adapters share a step: the base's work is done once for all of them, each adapter's for its own rows.
"""

import contextlib
import queue
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import torch
from transformers import DynamicCache

from trainers.scripts.decoding import not_numbers

MOST_ROWS = 32
"""Answers written at once; further ones wait. A step of 64 rows took under twice the CPU time of one row's."""
BASE = "__base__"
"""What peft calls the model without an adapter."""

Layers = list[tuple[torch.Tensor, torch.Tensor]]


class Models(Protocol):
    """The base and its adapters."""

    def use(self, model: str, busy: set[str]) -> str:
        """Return the name under which an adapter is loaded, `BASE` for none; `busy` ones stay loaded."""

    def forward(self, names: Sequence[str], **inputs: Any) -> Any:
        """Run the model, each row with the adapter of its name."""


@dataclass(kw_only=True, eq=False)
class Row:
    """One answer that is wanted."""

    model: str
    """"base" or the folder of an adapter."""
    ids: list[int]
    """The prompt."""
    max_tokens: int
    tell: Callable[[int | BaseException | None], None]
    """Hears each new token, then None when the answer has ended, or what went wrong; called in the model's thread."""
    temperature: float = 0.0
    """0: the likeliest token each time."""
    top_p: float = 1.0
    seed: int | None = None
    dropped: bool = False
    """Set by whoever wants no more of it."""
    name: str = BASE
    left: int = 0
    chance: torch.Generator | None = None

    def begin(self, name: str) -> None:
        """Note under which name its adapter is loaded."""
        self.name, self.left = name, self.max_tokens
        self.chance = torch.Generator().manual_seed(self.seed) if self.seed is not None else None


@dataclass(kw_only=True)
class Writer:
    """Writes answers until it is told to stop."""

    models: Models
    ends: set[int]
    """Tokens that end a turn."""
    device: str
    asked: "queue.SimpleQueue[Row | None]" = field(default_factory=queue.SimpleQueue)
    """Rows that want in; None ends the writer."""
    rows: list[Row] = field(default_factory=list, init=False)
    _cache: Any = field(default=None, init=False)
    _mask: torch.Tensor = field(init=False)
    _tokens: torch.Tensor = field(init=False)

    @torch.inference_mode()
    def run(self) -> None:
        """Answer; to be called in a thread of its own."""
        while self._admit():
            if not self.rows:
                continue
            try:
                self._step()
            except Exception as error:  # whatever it is, those who wait have to hear of it, and others may ask on
                lost, self.rows = self.rows, []
                for row in lost:
                    row.tell(error)

    def _admit(self) -> bool:
        """Let rows in, waiting for one where there is nothing to do; False at the end."""
        while len(self.rows) < MOST_ROWS:
            try:
                row = self.asked.get(block=not self.rows)
            except queue.Empty:
                return True
            if row is None:
                return False
            if row.dropped:
                continue
            try:
                self._begin(row)
            except Exception as error:  # its own trouble (no such adapter, no memory); the others go on
                row.tell(error)
        return True

    def _begin(self, row: Row) -> None:
        """Read a prompt and write its first token."""
        row.begin(self.models.use(row.model, {other.name for other in self.rows}))
        cache: Any = DynamicCache()
        ids = torch.tensor([row.ids], device=self.device)
        mask = torch.ones_like(ids)
        token = self._next([row], ids, mask, cache)
        if self._told(row, int(token[0, 0])):
            self._join(row, cache, mask, token)

    def _join(self, row: Row, cache: Any, mask: torch.Tensor, token: torch.Tensor) -> None:
        """Put a row beside the others: what is shorter is padded on the left."""
        layers = [(layer.keys, layer.values) for layer in cache.layers]
        if self.rows:
            width = max(mask.shape[1], self._mask.shape[1])
            both = zip(self._cache.layers, layers, strict=True)
            layers = [(_beside(old.keys, new[0], width), _beside(old.values, new[1], width)) for old, new in both]
            mask = torch.cat([_wide(self._mask, width), _wide(mask, width)])
            token = torch.cat([self._tokens, token])
        self.rows.append(row)
        self._mask, self._tokens = mask, token
        self._keep(layers)

    def _step(self) -> None:
        """Write one token of every row."""
        self._leave([place for place, row in enumerate(self.rows) if not row.dropped])
        if not self.rows:
            return
        self._mask = torch.cat([self._mask, self._mask.new_ones(len(self.rows), 1)], dim=1)
        self._tokens = self._next(self.rows, self._tokens, self._mask, self._cache)
        tokens = self._tokens[:, 0].tolist()
        self._leave([place for place, row in enumerate(self.rows) if self._told(row, tokens[place])])

    def _next(self, rows: Sequence[Row], ids: torch.Tensor, mask: torch.Tensor, cache: Any) -> torch.Tensor:
        """Return each row's next token, shape (rows, 1), and grow the cache."""
        positions = (mask.cumsum(1) - 1).clamp(min=0)[:, -ids.shape[1] :]
        seen = {"input_ids": ids, "attention_mask": mask, "position_ids": positions, "past_key_values": cache}
        out = self.models.forward([row.name for row in rows], **seen, use_cache=True, logits_to_keep=1)
        logits = out.logits[:, -1].float()
        tokens: torch.Tensor = logits.argmax(-1, keepdim=True)
        if not bool(logits.gather(1, tokens).isfinite().all()):
            raise not_numbers()
        for place, row in enumerate(rows):
            if row.temperature > 0:
                tokens[place, 0] = chosen(logits[place], row.temperature, row.top_p, row.chance)
        return tokens

    def _told(self, row: Row, token: int) -> bool:
        """Hand a token on; False where the row has ended with it."""
        if token in self.ends:
            row.tell(None)
            return False
        row.left -= 1
        row.tell(token)
        if row.left == 0:
            row.tell(None)
        return row.left > 0

    def _leave(self, going: list[int]) -> None:
        """Keep these rows alone, and no column that is padding for all of them."""
        if len(going) == len(self.rows):
            return
        self.rows = [self.rows[place] for place in going]
        if not self.rows:
            self._cache = None
            return
        kept = torch.tensor(going, device=self.device)
        self._mask, self._tokens = self._mask[kept], self._tokens[kept]
        first = int(self._mask.argmax(1).min())
        self._mask = self._mask[:, first:]
        layers = [(layer.keys[kept][:, :, first:], layer.values[kept][:, :, first:]) for layer in self._cache.layers]
        self._keep(layers)

    def _keep(self, layers: Layers) -> None:
        self._cache = DynamicCache()
        for number, (keys, values) in enumerate(layers):
            self._cache.update(keys, values, number)


def chosen(logits: torch.Tensor, temperature: float, top_p: float, chance: torch.Generator | None) -> torch.Tensor:
    """Draw a token from one row's scores (shape: vocabulary); `top_p` keeps the likeliest that make up that share."""
    shares = torch.softmax(logits.cpu() / temperature, dim=-1)
    if top_p < 1:
        ordered, places = shares.sort(descending=True)
        ordered[ordered.cumsum(-1) - ordered >= top_p] = 0
        shares = torch.zeros_like(shares).scatter(0, places, ordered)
    return torch.multinomial(shares, 1, generator=chance)[0]


def _beside(old: torch.Tensor, new: torch.Tensor, width: int) -> torch.Tensor:
    pad = torch.nn.functional.pad
    return torch.cat([pad(each, (0, 0, width - each.shape[2], 0)) for each in (old, new)])


def _wide(mask: torch.Tensor, width: int) -> torch.Tensor:
    return torch.nn.functional.pad(mask, (width - mask.shape[1], 0))


class Adapters:
    """A base and the adapters that were asked for lately, held beside it."""

    def __init__(self, plain: Any, autocast: Callable[[], contextlib.AbstractContextManager[Any]]) -> None:
        """Take the loaded base."""
        self._plain, self._autocast = plain, autocast
        self.tuned: Any = None
        """The base with adapters in it; None until the first one."""
        self._active = ""

    def forward(self, names: Sequence[str], **inputs: Any) -> Any:
        """Run the model, each row with the adapter of its name; one for all rows costs nothing extra."""
        with self._autocast():
            if self.tuned is None:
                return self._plain(**inputs)
            if len(set(names)) > 1:
                return self.tuned(**inputs, adapter_names=list(names))
            with self._one(names[0]):
                return self.tuned(**inputs)

    @contextlib.contextmanager
    def _one(self, name: str) -> Iterator[None]:
        if name == BASE:
            with self.tuned.disable_adapter():
                yield
            return
        if self._active != name:
            self.tuned.set_adapter(name)
            self._active = name
        yield

    def load(self, folder: Path, name: str) -> None:
        """Load an adapter; raises what peft raises where it does not fit."""
        from peft import PeftModel

        if self.tuned is None:
            tuned = PeftModel.from_pretrained(self._plain, folder, adapter_name=name, local_files_only=True)
            self.tuned = tuned.eval()
        else:
            self.tuned.load_adapter(folder, adapter_name=name, local_files_only=True)
            self.tuned.eval()
        self._active = ""

    def drop(self, name: str) -> None:
        """Let an adapter go."""
        self.tuned.delete_adapter(name)
        self._active = ""
