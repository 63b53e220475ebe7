"""Knows how to put rows that begin alike into one sequence without padding, and how one is read; not what for.

Rows of one dataset usually share a system prompt. A pack holds that prefix once, then the rest of each row; the
attention mask lets a row see the prefix and itself only, and positions restart after the prefix. Loss and gradients
are those of the rows read one by one (tests hold this), for about half the tokens on short rows.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch

from trainers.scripts.chat import Encoded, shared_prefix


class Pack(NamedTuple):
    """Rows as one sequence of S tokens."""

    ids: torch.Tensor
    """Token ids, shape (1, S)."""
    positions: torch.Tensor
    """Position of each token in its own row, shape (1, S)."""
    mask: torch.Tensor
    """What each token may see, bool, shape (1, 1, S, S)."""
    sources: torch.Tensor
    """Indices of the tokens whose next token is a target, shape (T)."""
    targets: torch.Tensor
    """The targets, shape (T)."""
    counts: torch.Tensor
    """How many of the targets belong to each row, shape (rows)."""


def packs(rows: Sequence[Encoded], budget: int, *, together: int = 1) -> list[Pack]:
    """Return packs of at most ``budget`` tokens each; what is longer gets one of its own.

    So many neighbours are kept ``together``: 2 for the two answers of a preference pair.
    """
    prefix = _prefix(rows)
    groups: list[list[Encoded]] = []
    size = 0
    for start in range(0, len(rows), together):
        some = rows[start : start + together]
        own = sum(len(row.ids) - prefix for row in some)
        if groups and size + own <= budget:
            groups[-1] += some
            size += own
        else:
            groups.append(list(some))
            size = prefix + own
    return [_pack(group, prefix) for group in groups]


def forward(model: Any, runtime: Any, pack: Pack) -> Any:
    """Return minus the log-probability of each of a pack's targets, shape (T), in nats.

    Logits are made for the targets alone, not for every token.
    """
    on_device = Pack(*(part.to(runtime.device) for part in pack))
    with runtime.autocast():
        logits = model(
            input_ids=on_device.ids,
            position_ids=on_device.positions,
            attention_mask=on_device.mask,
            use_cache=False,
            logits_to_keep=on_device.sources,
        ).logits[0]
    return torch.nn.functional.cross_entropy(logits.float(), on_device.targets, reduction="none")


def _prefix(rows: Sequence[Encoded]) -> int:
    """Return the tokens that all rows share, ending two before the first target so that no prediction is shared."""
    first_target = min(row.trained.index(True) for row in rows)
    return max(0, min(shared_prefix([row.ids for row in rows]), first_target - 1))


def _pack(rows: Sequence[Encoded], prefix: int) -> Pack:
    ids = list(rows[0].ids[:prefix])
    positions = list(range(prefix))
    owners = [-1] * prefix
    sources, targets = [], []
    for owner, row in enumerate(rows):
        offset = len(ids) - prefix
        ids += row.ids[prefix:]
        positions += range(prefix, len(row.ids))
        owners += [owner] * (len(row.ids) - prefix)
        for place in range(prefix + 1, len(row.ids)):
            if row.trained[place]:
                sources.append(offset + place - 1)
                targets.append(row.ids[place])
    belongs = torch.tensor(owners)
    same = (belongs[:, None] == belongs[None, :]) | (belongs[None, :] == -1)
    mask = same & torch.ones(len(ids), len(ids), dtype=torch.bool).tril()
    tensors = map(torch.tensor, ([ids], [positions], sources, targets, [sum(row.trained) for row in rows]))
    tokens, places, source, target, counts = tensors
    return Pack(tokens, places, mask[None, None], source, target, counts)
