"""Knows how base and tuned model are compared on preference pairs: which of two given answers each finds likelier.

No answer is written, so nothing is said of what either model would write. The measure is the log-probability of the
whole answer with its end of turn, given the question. A pair that a model finds equally likely counts against it.
"""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

from knowledge.errors import ServiceError
from trainers.backends.base import Keeper
from trainers.backends.child import Event, run_script
from trainers.data.findings import plural
from trainers.data.jsonl import Row
from trainers.evals.clusters import clusters
from trainers.evals.contamination import inspect
from trainers.evals.metrics import Figure
from trainers.evals.predictions import PLAIN, TUNED
from trainers.evals.report import ArmScore, Report, Table
from trainers.evals.rule import SuccessRule
from trainers.evals.ruling import strictly, told
from trainers.evals.spreadsheet import safe
from trainers.evals.stats import wilson
from trainers.evals.verdict import Pair

TITLES = {PLAIN: "Base", TUNED: "Tuned model"}
"""The two that are compared, in the order in which they are shown."""
MEASURE = "preference accuracy"
SHOWN, LONGEST = 10, 300
"""Pairs that are shown, and characters of each of their texts; the table for spreadsheets holds all."""

UNWRITTEN = (
    "Measured is which of two given answers each model finds likelier. No answers were written, so this says nothing "
    "of how good the tuned model's own answers are: talk to it before you use it."
)
LENGTH = (
    "In {share} of the pairs the better answer is the {which} one, and models tend to find longer answers less likely: "
    "look at the change from the base rather than at the share alone."
)
ALL_SEEN = "Every question of the held-out pairs was trained on too, so the result says nothing of unseen ones."
_AGAIN = "Evaluate again; the pairs are read anew."


class Ranked(NamedTuple):
    """How likely both answers of one pair are to both models, in nats."""

    base: tuple[float, float]
    """Log-probability of the better answer, then of the worse one."""
    tuned: tuple[float, float]
    tokens: tuple[int, int]

    @property
    def moved(self) -> float:
        """How far the training moved the better answer ahead of the worse one."""
        return (self.tuned[0] - self.tuned[1]) - (self.base[0] - self.base[1])


class Read(NamedTuple):
    """Where a measurement lies, and how long it took."""

    pairs: Path
    seconds: float


def read_pairs(
    base: Path, adapter: Path, test: Path, folder: Path, *, threads: int, env: Mapping[str, str], keeper: Keeper
) -> Read:
    """Let base and tuned model read the held-out pairs, in a child on this machine."""
    paths = {"base": base, "adapter": adapter, "test": test, "out": folder}
    config: dict[str, Any] = {name: str(path) for name, path in paths.items()} | {"threads": threads}

    def hear(event: Event) -> None:
        if event.get("event") == "progress":
            keeper.progress("evaluating", event)

    done = run_script("evaluate_pairs", config, folder=folder, env=env, keeper=keeper, hear=hear)
    return Read(folder / "pairs.jsonl", float(done["seconds"]))


def ranked(path: Path, rows: Sequence[Row]) -> dict[int, Ranked]:
    """Return what was measured by line of the row; pairs that did not fit are left out. Raises ServiceError."""
    found: dict[int, Ranked] = {}
    try:
        lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        for row, line in zip(rows, lines, strict=True):
            if line["base"] is not None:
                (b1, b2), (t1, t2), (n1, n2) = line["base"], line["tuned"], line["tokens"]
                found[row.line] = Ranked((float(b1), float(b2)), (float(t1), float(t2)), (int(n1), int(n2)))
    except (OSError, ValueError, KeyError, TypeError):
        raise ServiceError("The measurements of the pairs are missing or damaged.", _AGAIN) from None
    return found


def report(
    rows: Sequence[Row], measured: Mapping[int, Ranked], rule: SuccessRule, train: Sequence[Row], changed: str = ""
) -> Report:
    """Judge a measurement by the rule, as answers are judged: without the pairs whose question was trained on.

    Pairs of one source, such as a question with several answers, are no pairs of their own to the interval.
    """
    compared = [row for row in rows if row.line in measured]
    seen = inspect(compared, train)
    fresh = [row for row in compared if row.line not in seen.known]
    counted = fresh or compared
    found = [measured[row.line] for row in counted]
    base, tuned = [_prefers(one.base) for one in found], [_prefers(one.tuned) for one in found]
    sources = clusters(counted) or [""] * len(counted)
    scored = [
        (row.line, Pair(rival=float(b), tuned=float(t), cluster=source))
        for row, b, t, source in zip(counted, base, tuned, sources, strict=True)
    ]
    verdict = strictly(scored, seen, rule, doubts=() if fresh or not compared else (ALL_SEEN,))
    return Report(
        arms=(_arm(PLAIN, base, found, rule.level), _arm(TUNED, tuned, found, rule.level)),
        rival=PLAIN,
        verdict=verdict,
        rule=rule,
        measure=MEASURE,
        labels=(),
        wins=(),  # these show what models wrote
        misses=(),
        tables=_changed(counted, measured),
        notices=tuple(_notices(rows, compared, found)),
        contamination=told(seen, verdict) if fresh or not compared else f"{seen.sentence} {ALL_SEEN}",
        proof="The tuned model's scores differ from the base's, so its adapter was in use." if found else "",
        changed=changed,
    )


def table(rows: Sequence[Row], measured: Mapping[int, Ranked]) -> bytes:
    """Write every pair with its log-probabilities as CSV, for a spreadsheet."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["row", "question", "better answer", "worse answer", *_HEAD])
    for row in rows:
        one = measured.get(row.line)
        figures = ["", "", "", "", "", ""] if one is None else _figures(one)
        said = [safe(words) for words in (row.prompt, row.target, row.rejected[-1].content)]
        writer.writerow([row.line, *said, *figures])
    return b"\xef\xbb\xbf" + text.getvalue().encode("utf-8", "replace")


_HEAD = (
    "base, better (nats)", "base, worse (nats)", "tuned, better (nats)", "tuned, worse (nats)",
    "base prefers the better one", "tuned prefers the better one",
)  # fmt: skip


def _figures(one: Ranked) -> list[Any]:
    shown = [round(figure, 3) for figure in (*one.base, *one.tuned)]
    return [*shown, *("yes" if _prefers(side) else "no" for side in (one.base, one.tuned))]


def _prefers(side: tuple[float, float]) -> bool:
    return side[0] > side[1]


def _arm(arm: str, preferred: Sequence[bool], found: Sequence[Ranked], level: float) -> ArmScore:
    count, n = sum(preferred), len(preferred)
    interval = wilson(count, n, level)
    margins = [(one.tuned if arm == TUNED else one.base) for one in found]
    margin = fmean(better - worse for better, worse in margins) if margins else None
    figures = [Figure("nats by which the better answer is likelier, mean", margin, unit="index")]
    if arm == TUNED and found:
        moved = sum(one.moved > 0 for one in found)
        span = wilson(moved, n, level)
        figures.append(Figure("pairs moved towards the better answer", moved / n, span.low, span.high))
    return ArmScore(
        arm=arm,
        title=TITLES[arm],
        score=count / n if n else 0.0,
        right=count,
        n=n,
        low=interval.low,
        high=interval.high,
        binary=True,
        median_ms=None,
        asked="",
        named=None,
        figures=tuple(figures),
    )


def _notices(rows: Sequence[Row], compared: Sequence[Row], found: Sequence[Ranked]) -> list[str]:
    said = [UNWRITTEN]
    lost = len(rows) - len(compared)
    if lost:
        said.append(f"{plural(lost, 'pair')} did not fit into the model's context and could not be compared.")
    shorter = sum(one.tokens[0] < one.tokens[1] for one in found)
    longer = sum(one.tokens[0] > one.tokens[1] for one in found)
    for count, which in ((shorter, "shorter"), (longer, "longer")):
        if found and count / len(found) >= 0.7:
            said.append(LENGTH.format(share=f"{count / len(found):.0%}", which=which))
    return said


def _changed(rows: Sequence[Row], measured: Mapping[int, Ranked]) -> tuple[Table, ...]:
    """Show pairs in which only one of the two prefers the better answer, those that moved furthest first."""
    sides = [(row, measured[row.line]) for row in rows]
    differing = [(row, one) for row, one in sides if _prefers(one.base) is not _prefers(one.tuned)]
    differing.sort(key=lambda each: -abs(each[1].moved))
    lines = tuple(
        (
            str(row.line), _cut(row.prompt), _cut(row.target), _cut(row.rejected[-1].content),
            *("the better one" if _prefers(side) else "the worse one" for side in (one.base, one.tuned)),
        )
        for row, one in differing[:SHOWN]
    )  # fmt: skip
    head = ("Row", "Question", "Better answer", "Worse answer", "Likelier to the base", "Likelier to the tuned model")
    return (Table(title="Pairs that the two rank differently", head=head, rows=lines),) if lines else ()


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]} …"
