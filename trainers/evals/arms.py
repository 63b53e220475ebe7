"""Knows how to let every arm answer the held-out rows, in a child on this machine; it does not judge the answers."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from trainers.backends.base import Keeper
from trainers.backends.child import Event, run_script


class Answered(NamedTuple):
    """Where the arms' answers lie, and how long they took."""

    predictions: Path
    arms: Path
    seconds: float
    probes: Path | None = None
    """What base and tuned model said to the probes, if there were any."""


@dataclass(frozen=True, kw_only=True)
class Contest:
    """What is compared on which rows."""

    base: Path
    adapter: Path
    train: Path
    test: Path
    labels: tuple[str, ...]
    """The closed set of labels, or empty for free text."""
    folder: Path
    seed: int = 7
    probes: Path | None = None
    """JSONL of questions that both models are asked beside the rows: id, suite, messages, max_new_tokens."""
    probe_cache: Path | None = None
    """Where the base's answers to the probes are kept for the next evaluation."""
    earlier: Sequence[Path] = ()
    """Folders of evaluations on the same data set, whose answers of the base are taken over where all is the same."""


def answer_rows(contest: Contest, *, threads: int, env: Mapping[str, str], keeper: Keeper) -> Answered:
    """Let base (plain and best few-shot prompt), TF-IDF and the tuned model answer the same rows."""
    config = {
        "base": str(contest.base),
        "adapter": str(contest.adapter),
        "train": str(contest.train),
        "test": str(contest.test),
        "labels": list(contest.labels) or None,
        "out": str(contest.folder),
        "seed": contest.seed,
        "threads": threads,
        "earlier": [str(folder) for folder in contest.earlier],
    }
    given = {"probes": contest.probes, "probe_cache": contest.probe_cache}
    config |= {key: str(path) for key, path in given.items() if path is not None}

    def hear(event: Event) -> None:
        if event.get("event") == "progress":
            keeper.progress("evaluating", event)

    done = run_script("evaluate_arms", config, folder=contest.folder, env=env, keeper=keeper, hear=hear)
    return Answered(
        contest.folder / "predictions.jsonl",
        contest.folder / "arms.json",
        float(done["seconds"]),
        contest.folder / "probes.jsonl" if contest.probes else None,
    )


def labels_of(dataset_labels: str) -> tuple[str, ...]:
    """Read the closed label set that the linter found, if any."""
    return tuple(json.loads(dataset_labels)) if dataset_labels else ()
