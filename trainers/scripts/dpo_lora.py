"""Direct preference optimisation with LoRA: pairs of a better and a worse answer; `lora` knows how the run goes.

Run as ``python -m trainers.scripts.dpo_lora RUN.json``, with the keys of `lora` and ``beta``. Rows are OpenAI's
preference format. The reference is the same model with its adapter off, so that no second model is held. With
r = beta * (log-probability of the answer - the reference's), a pair's loss is -log sigmoid(r of the better answer - r
of the worse one): Rafailov et al. 2023 (arXiv 2305.18290), equation 7. Before the first step it is log 2. A base's own
dropout is off for both, as in TRL's DPOTrainer (`disable_dropout`).
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from trainers.scripts.chat import encode
from trainers.scripts.child import Child, ScriptError, run
from trainers.scripts.lora import Example, Learned, Plan, read_plan, run_lora
from trainers.scripts.pairs import Pair, read_pairs

USAGE = "Run: python -m trainers.scripts.dpo_lora RUN.json"


def main(child: Child, document: dict[str, Any]) -> None:
    """Check the plan and run it."""
    plan = read_plan(document)
    if plan.beta is None or not 0 < plan.beta <= 2:
        raise ScriptError("RUN.json: beta is no number above 0 and up to 2.", "Write the run file again.")
    run_lora(child, plan, Preferences(plan.beta))


class Preferences:
    """The mean loss of preference pairs."""

    def __init__(self, beta: float) -> None:
        """Take how strongly the tuned model is held to its reference."""
        self._beta = beta

    def read(self, rows: Path) -> Sequence[Pair]:
        """Read preference pairs."""
        return read_pairs(rows)

    def encode(self, tokenizer: Any, row: Pair, ends: set[int], number: int) -> Example:
        """Return two conversations, the better answer's first."""
        return tuple(encode(tokenizer, messages, ends, number) for messages in row)

    def learn(self, model: Any, runtime: Any, batch: Sequence[Example], plan: Plan) -> Learned:
        """Add the gradients; a pair stays in one pack, because its loss needs both of its answers."""
        import torch

        from trainers.scripts.packing import packs

        model.eval()  # no dropout, the base's own neither: it would make a noise of what the two are compared by
        loss, margins = 0.0, []
        for pack in packs([one for pair in batch for one in pair], plan.pack_tokens, together=2):
            with torch.no_grad(), model.disable_adapter():
                reference = log_probabilities(model, runtime, pack)
            rewards = self._beta * (log_probabilities(model, runtime, pack) - reference)
            margin = rewards[0::2] - rewards[1::2]
            part: Any = -torch.nn.functional.logsigmoid(margin).sum() / len(batch)
            part.backward()
            loss += part.item()
            margins += margin.tolist()
        ahead = sum(margin > 0 for margin in margins) / len(margins)
        return Learned(loss, {"margin": sum(margins) / len(margins), "ahead": ahead})


def log_probabilities(model: Any, runtime: Any, pack: Any) -> Any:
    """Return the log-probability of each row's answers and their ends of turn, shape (rows), in nats."""
    import torch

    from trainers.scripts.packing import forward

    each = -forward(model, runtime, pack)
    return torch.stack([own.sum() for own in each.split(pack.counts.tolist())])


if __name__ == "__main__":
    run(main, USAGE)
