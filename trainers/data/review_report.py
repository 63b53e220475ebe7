"""Knows how the report of a finished review reads, in Markdown; it does not know where it is kept."""

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime

from trainers.data.jsonl import Message
from trainers.data.review_rows import GRID, coverage, turns_of
from trainers.tables import Review, ReviewRow

PURPOSES = {"test": "Would reveal", "train": "Why it helps"}


def report(
    review: Review,
    rows: Sequence[ReviewRow],
    sha256: str,
    now: datetime,
    together: Collection[tuple[int, int]] = frozenset(),
) -> str:
    """Say what was kept and why, by whom, and what was left out.

    `together` are places and versions of rows that one click kept with all others.
    """
    kept = [row for row in rows if row.status == "kept"]
    spec = json.loads(review.spec)
    counts = coverage(rows, spec.get("labels") or (), spec.get(GRID) or {})
    others = {name: _table(name, _cells(shares)) for name, shares in counts.dimensions.items()}
    lines = [
        f"# {_line(review.title)}",
        "",
        f"{counts.kept} rows kept, {counts.dropped} dropped, {counts.left} left undecided and not used.",
        f"Finished {now:%Y-%m-%d %H:%M} UTC by {review.finished_by}. Review {review.id}.",
        f"SHA-256 of the rows: `{sha256}`",
        "",
        *_table("Kind", _cells(counts.kinds)),
        *_table("Answer", _cells(counts.labels)),
        *(line for table in others.values() for line in table),
        "## Who decided",
        "",
        *_deciders(kept, together),
        "",
        "## Rows",
        *[line for number, row in enumerate(kept, start=1) for line in _row(review, number, row, together)],
    ]
    return "\n".join(lines) + "\n"


def _deciders(kept: Sequence[ReviewRow], together: Collection[tuple[int, int]]) -> list[str]:
    """Say who decided about how many rows, and how many of them by one click on all that were left."""
    rest = Counter(row.changed_by for row in kept if (row.place, row.version) in together)
    lines = []
    for name, number in Counter(row.changed_by for row in kept).most_common():
        unread = f", {rest[name]} of them kept with the rest and not one by one" if rest[name] else ""
        lines.append(f"- {name}: {number}{unread}")
    return lines


def _cells(shares: Mapping[str, tuple[int, int]]) -> list[tuple[str, str, str]]:
    return [(name, str(kept), str(all_)) for name, (kept, all_) in shares.items()]


def _table(name: str, cells: Sequence[tuple[str, str, str]]) -> list[str]:
    if not cells:
        return []
    body = [f"| {_cell(first)} | {kept} | {all_} |" for first, kept, all_ in cells]
    return [f"| {_cell(name)} | Kept | Kept or undecided |", "|---|---|---|", *body, ""]


def _row(review: Review, number: int, row: ReviewRow, together: Collection[tuple[int, int]]) -> list[str]:
    told = f"{PURPOSES[review.purpose]}: {_line(row.why)}" if row.why else f"{PURPOSES[review.purpose]}: not said"
    how = "kept with the rest" if (row.place, row.version) in together else "decided"
    decided = f"{row.kind} · {how} by {row.changed_by}, version {row.version} · from {_line(row.provenance)}"
    return [
        "",
        f"### Line {number}",
        "",
        told,
        "",
        decided,
        "",
        *[line for turn in turns_of(row) for line in _turn(turn)],
    ]


def _turn(turn: Message) -> list[str]:
    """Write a turn as an indented block, in which Markdown reads nothing."""
    return [f"{turn.role}:", "", *[f"    {line}" for line in turn.content.splitlines() or [""]], ""]


def _line(text: str) -> str:
    return " ".join(text.split())


def _cell(text: str) -> str:
    return _line(text).replace("|", "\\|")
