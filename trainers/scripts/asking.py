"""Knows how to ask base and tuned model on this machine, whatever the length of a prompt; it does not mark answers."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from trainers.scripts.child import ScriptError
from trainers.scripts.local_model import Runtime, context_tokens, load_base, load_tuned

from trainers.scripts.chat import Encoded, Message, encode, prompt_ids, stop_ids  # isort: skip
from trainers.scripts.decoding import greedy, not_numbers, target_losses  # isort: skip


class Written(NamedTuple):
    """One answer."""

    output: str
    """What the arm wrote, untouched."""
    milliseconds: float
    """Wall time of the batch that it was in, divided by the rows in it."""
    prompt_tokens: int | None = None
    """None where no language model was asked."""
    output_tokens: int | None = None
    """With the end of the turn, where the model wrote it."""
    finished: bool = True
    """False when the limit of new tokens cut it off."""
    too_long: bool = False
    """The prompt leaves no room in the model's context, so nothing was asked."""

    def facts(self) -> dict[str, Any]:
        """Return what a line says about the answer."""
        facts = {"output": self.output, "milliseconds": round(self.milliseconds, 2), "finished": self.finished}
        facts |= {"prompt_tokens": self.prompt_tokens, "output_tokens": self.output_tokens}
        return facts | ({"note": "too_long"} if self.too_long else {})


class Models:
    """The base, the tuned model made from it in place, and how both are asked."""

    def __init__(
        self,
        base: Path,
        adapter: Path | None,
        runtime: Runtime,
        *,
        add: Callable[[int], None],
        check: Callable[[], None],
    ) -> None:
        """Load nothing yet. ``add`` is told of written answers, ``check`` is called where a stop may come."""
        self._folder, self._adapter, self.runtime = base, adapter, runtime
        self._add, self._check = add, check
        self._base: tuple[Any, Any] | None = None
        self._changed: Any = None

    def answer(self, model: Any, prompts: Sequence[Sequence[Message]], limit: int | list[int]) -> list[Written]:
        """Let a model answer; a request to stop is heard after every forward pass."""
        tokenizer = self.base()[1]
        ids = [prompt_ids(tokenizer, prompt) for prompt in prompts]
        context = context_tokens(model)
        room = [context - len(i) if context else math.inf for i in ids]
        wanted = limit if isinstance(limit, list) else [limit] * len(ids)
        limits = [int(min(*both)) for both in zip(wanted, room, strict=True)]
        written = [Written("", 0.0, len(i), finished=False, too_long=True) for i in ids]
        able = [place for place, most in enumerate(limits) if most > 0]
        self._add(len(ids) - len(able))
        answers = greedy(
            model,
            self.runtime,
            [ids[place] for place in able],
            ends=stop_ids(tokenizer, model),
            max_new_tokens=[limits[place] for place in able],
            on_batch=self._add,
            on_step=self._check,
        )
        for place, one in zip(able, answers, strict=True):
            text = tokenizer.decode(one.ids, skip_special_tokens=True)
            tokens = len(one.ids) + one.finished
            written[place] = Written(text, one.milliseconds, len(ids[place]), tokens, one.finished)
        return written

    def losses(self, model: Any, test: Sequence[Sequence[Message]]) -> dict[str, Any]:
        """Return the mean loss per target token on the expected replies, and each row's."""
        tokenizer = self.base()[1]
        ends, context = stop_ids(tokenizer, model), context_tokens(model) or math.inf
        rows: dict[int, Encoded] = {}
        for number, row in enumerate(test):
            last = [m if m is row[-1] or m["role"] != "assistant" else {**m, "weight": 0} for m in row[:-1]]
            try:
                encoded = encode(tokenizer, [*last, {**row[-1], "weight": 1}], ends, number + 1)
            except ScriptError as error:
                return {"target_loss": None, "target_loss_note": error.what}
            if len(encoded.ids) <= context:
                rows[number] = encoded
        losses = dict(zip(rows, target_losses(model, self.runtime, list(rows.values()), self._check), strict=True))
        tokens = sum(loss.tokens for loss in losses.values())
        mean = round(sum(loss.total for loss in losses.values()) / tokens, 5) if tokens else None
        each = [round(losses[n].total / losses[n].tokens, 5) if n in losses else None for n in range(len(test))]
        return {"target_loss": mean, "target_tokens": tokens, "losses": each}

    def base(self) -> tuple[Any, Any]:
        """Return base (with the adapter on it once the tuned model was used) and tokenizer."""
        if self._base is None:
            self._base = load_base(self._folder, self.runtime)
            self._check()
        return self._base

    def tuned(self) -> Any:
        """Return the base with the adapter on it; from now on the base alone is gone."""
        base, _ = self.base()
        if self._changed is None:
            self._changed = load_tuned(base, self._adapter or Path())  # a plan with a tuned part has one
            self._check()
        return self._changed

    def largest_change(self, model: Any, prompts: Sequence[Sequence[int]]) -> float:
        """Return the largest absolute difference that the adapter makes to a next-token logit."""
        import torch

        largest = 0.0
        for ids in prompts:
            tokens = torch.tensor([ids], device=self.runtime.device)
            with torch.inference_mode(), self.runtime.autocast():
                tuned = model(input_ids=tokens, logits_to_keep=1).logits.float()
                with model.disable_adapter():
                    base = model(input_ids=tokens, logits_to_keep=1).logits.float()
            if not bool(tuned.isfinite().all()):
                raise not_numbers()
            largest = max(largest, float((tuned - base).abs().max()))
        return largest


def counts(written: Sequence[Written]) -> dict[str, int]:
    """Count the answers that the limit cut off and the prompts that the context is too short for."""
    cut = sum(not one.finished and not one.too_long for one in written)
    return {"cut": cut, "too_long": sum(one.too_long for one in written)}
