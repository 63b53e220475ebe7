"""Knows how a training run is saved and found again: safetensors and JSON only; does not know how to train."""

import json
import re
import shutil
from pathlib import Path
from typing import Any, NamedTuple

import torch
from safetensors.torch import load_file, save_file

from trainers.scripts.chat import sha256
from trainers.scripts.child import publish_folder

KEEP = 2
"""Checkpoints kept: the newest, and the one before in case the newest turns out damaged."""


class Checkpoint(NamedTuple):
    """A run at the end of a step."""

    state: dict[str, Any]
    """What JSON can hold: fingerprint of the run, step, losses, seconds so far."""
    adapter: dict[str, torch.Tensor]
    """Trainable parameters by name."""
    moments: dict[str, torch.Tensor]
    """AdamW's two moments by parameter name, and the random generators' state."""


def save(folder: Path, checkpoint: Checkpoint) -> None:
    """Write a checkpoint whole or not at all, then forget all but the newest ones."""
    with publish_folder(folder / f"step-{checkpoint.state['step']:06d}") as draft:
        save_file(checkpoint.adapter, draft / "adapter.safetensors")
        save_file(checkpoint.moments, draft / "optimizer.safetensors")
        hashes = {path.name: sha256(path) for path in sorted(draft.glob("*.safetensors"))}
        (draft / "state.json").write_text(json.dumps({**checkpoint.state, "sha256": hashes}), encoding="utf-8")
    for old in _folders(folder)[KEEP:]:
        shutil.rmtree(old)


def newest(folder: Path) -> Checkpoint | None:
    """Return the newest checkpoint whose files are what was written, or None."""
    for candidate in _folders(folder):
        state = _intact_state(candidate)
        if state is not None:
            parts = (load_file(candidate / name) for name in ("adapter.safetensors", "optimizer.safetensors"))
            return Checkpoint(state, *parts)
    return None


def _folders(folder: Path) -> list[Path]:
    """Return checkpoint folders, newest first."""
    return sorted((p for p in folder.glob("step-*") if re.fullmatch(r"step-\d{6}", p.name)), reverse=True)


def _intact_state(candidate: Path) -> dict[str, Any] | None:
    try:
        state: dict[str, Any] = json.loads((candidate / "state.json").read_text(encoding="utf-8"))
        intact = all(sha256(candidate / name) == digest for name, digest in state["sha256"].items())
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None  # cut short or damaged: an older one will do
    return state if intact else None
