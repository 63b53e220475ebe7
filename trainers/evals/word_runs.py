"""Which runs of words texts share; it does not know what a shared run means."""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence

from trainers.data.likeness import canonical

Runs = list[frozenset[int]]
"""For each text, the hashes of its different runs of words (of this process alone: strings hash by a secret)."""


def word_runs(texts: Iterable[str], words: int, without: Collection[int] = ()) -> Runs:
    """Hash every run of so many neighbouring words of each text; a text with fewer words has none.

    Words that stand in a run of `without` are taken out first, so that no run reaches from a template into the text
    behind it: "... the customer's letter: I would like to" would soon be shared by chance.
    """
    return [_runs(canonical(text).split(), words, without) for text in texts]


def common_runs(runs: Runs, share: float) -> set[int]:
    """Runs in more than this share of the texts, and in three at least: a template, not something they borrowed."""
    counts = Counter(run for each in runs for run in each)
    return {run for run, count in counts.items() if count >= 3 and count > share * len(runs)}


def shared_counts(runs: Runs) -> Counter[tuple[int, int]]:
    """Count, for pairs of texts (earlier, later), runs that both have; each run is counted for its first text only."""
    first: dict[int, int] = {}
    counts: Counter[tuple[int, int]] = Counter()
    for place, each in enumerate(runs):
        counts.update((first[run], place) for run in each if run in first)
        for run in each:
            first.setdefault(run, place)
    return counts


def _runs(words: Sequence[str], length: int, without: Collection[int]) -> frozenset[int]:
    hashes = [hash(tuple(words[at : at + length])) for at in range(len(words) - length + 1)]
    taken = {place for at, run in enumerate(hashes) if run in without for place in range(at, at + length)}
    if not taken:
        return frozenset(hashes)
    return frozenset(run for at, run in enumerate(hashes) if taken.isdisjoint(range(at, at + length)))
