"""How a file of rows looks as pictures: lengths, labels and repeats; it judges no row and shows no word of one.

Labels are the exception: they are what a model is to choose from. The linter keeps back those that nobody should see.
"""

from collections import Counter
from pathlib import Path
from typing import NamedTuple

from trainers.data.findings import MOST_LINES, plural
from trainers.data.limits import read_limits
from trainers.data.lint import LintReport
from trainers.data.source import Source
from trainers.evals.charts import ACCENT, FAINT, INK, QUIET, TEXT, _canvas, _png

MOST_LABELS = 12
REPEATS = {
    "duplicate": "Rows that repeat another",
    "near_duplicate": "Nearly repeated questions",
    "contradiction": "Same question, other answer",
}


class Chart(NamedTuple):
    """One picture and the text that says the same."""

    name: str
    png: bytes
    alt: str


def charts_of(path: Path, report: LintReport) -> list[Chart]:
    """Draw what there is to see of a file that was linted: lengths and repeats always, labels where there are some."""
    rows = [chat.row for chat in Source(path, read_limits(), lists=True)]
    if not rows:
        return []
    drawn = [_tokens(report) or _lengths([sum(len(turn.content) for turn in row.messages) for row in rows])]
    if report.labels:
        drawn.append(_bars("labels", "Rows by label", dict(Counter(report.labels).most_common(MOST_LABELS)), len(rows)))
    repeats = {told: _lines(report, code) for code, told in REPEATS.items()}
    return [*drawn, _bars("repeats", "Rows that repeat each other", repeats, len(rows))]


def _tokens(report: LintReport) -> Chart | None:
    """Draw rows by their tokens, where these were counted."""
    figures = report.tokens
    if figures is None:
        return None
    rows = sum(report.histogram.values())
    figure, axes = _canvas(f"{plural(rows, 'row')} by tokens")
    axes.bar(range(len(report.histogram)), list(report.histogram.values()), color=ACCENT)
    names = [name.replace("under ", "<") for name in report.histogram]
    axes.set_xticks(range(len(names)), names, fontsize=TEXT - 2, color=QUIET)
    axes.yaxis.grid(True, color=FAINT)
    alt = (
        f"Bar chart: {plural(rows, 'row')} of up to {figures.most:,} tokens, half of them of up to {figures.median:,}."
    )
    return Chart("lengths", _png(figure), alt)


def _lengths(lengths: list[int]) -> Chart:
    """Draw rows by their characters, in powers of two."""
    bits = Counter(length.bit_length() for length in lengths)
    span = range(min(bits), max(bits) + 1)
    figure, axes = _canvas(f"{plural(len(lengths), 'row')} by length in characters")
    axes.bar(range(len(span)), [bits[each] for each in span], color=ACCENT)
    axes.set_xticks(range(len(span)), [f"<{1 << each:,}" for each in span], fontsize=TEXT - 2, color=QUIET)
    axes.yaxis.grid(True, color=FAINT)
    middle = sorted(lengths)[len(lengths) // 2]
    alt = f"Bar chart: {plural(len(lengths), 'row')} of {min(lengths):,} to {max(lengths):,} characters, half of them"
    return Chart("lengths", _png(figure), f"{alt} under {middle + 1:,}.")


def _bars(name: str, title: str, counts: dict[str, int], rows: int) -> Chart:
    """Draw counts as bars with their numbers, the first on top."""
    figure, axes = _canvas(f"{title}, of {rows:,}")
    places = range(len(counts))
    axes.barh(places, list(counts.values()), color=ACCENT)
    axes.set_yticks(places, [_plain(label) for label in counts], fontsize=TEXT, color=INK)
    axes.invert_yaxis()
    for place, number in zip(places, counts.values(), strict=True):
        more = "+" if name == "repeats" and number >= MOST_LINES else ""  # a finding names no more lines
        axes.annotate(f" {number:,}{more}", (number, place), va="center", fontsize=TEXT, color=INK)
    axes.margins(x=0.12)
    axes.set_xticks([])
    told = "; ".join(f"{label} {number:,}" for label, number in counts.items())
    return Chart(name, _png(figure), f"Bar chart: {title.lower()}, of {rows:,}. {told}.")


def _lines(report: LintReport, code: str) -> int:
    return sum(len(finding.lines) for finding in report.findings if finding.code == code)


def _plain(label: str) -> str:
    """Take out what matplotlib would read as mathematics."""
    return label.replace("$", r"\$")[:28]
