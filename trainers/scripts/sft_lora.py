"""Supervised fine-tuning with LoRA: the loss of the replies in chat rows; `lora` knows how the run goes.

Run as ``python -m trainers.scripts.sft_lora RUN.json``; the keys of RUN.json and what comes of it stand in `lora`.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from trainers.scripts.chat import Message, encode, read_rows
from trainers.scripts.child import Child, run
from trainers.scripts.lora import Example, Learned, Plan, read_plan, run_lora

USAGE = "Run: python -m trainers.scripts.sft_lora RUN.json"


def main(child: Child, document: dict[str, Any]) -> None:
    """Check the plan and run it."""
    run_lora(child, read_plan(document), Replies())


class Replies:
    """The mean cross-entropy of the replies' tokens."""

    def read(self, rows: Path) -> Sequence[list[Message]]:
        """Read chat rows."""
        return read_rows(rows)

    def encode(self, tokenizer: Any, row: list[Message], ends: set[int], number: int) -> Example:
        """Return one conversation."""
        return (encode(tokenizer, row, ends, number),)

    def learn(self, model: Any, runtime: Any, batch: Sequence[Example], plan: Plan) -> Learned:
        """Add the gradients, in packs of at most ``pack_tokens`` so that memory does not depend on the batch size."""
        from trainers.scripts.packing import forward, packs

        rows = [one for row in batch for one in row]
        targets = sum(sum(row.trained) for row in rows)
        loss = 0.0
        for pack in packs(rows, plan.pack_tokens):
            part = forward(model, runtime, pack).sum() / targets
            part.backward()
            loss += part.item()
        return Learned(loss, {})


if __name__ == "__main__":
    run(main, USAGE)
