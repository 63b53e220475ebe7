"""How labels taken for one another are drawn as a PNG and told as a text; it does not count them.

Up to 12 labels: a table of right against answered labels with the number in every cell. More: a table would be too
small for a phone, so the pairs that were confused most are bars. A label in letters that the font lacks is drawn as
`label 3`, its place in the set; the text has its name.
"""

import textwrap
from functools import cache
from typing import TYPE_CHECKING, Any

from trainers.data.findings import plural
from trainers.evals.charts import ACCENT, FAINT, INK, QUIET, TEXT, _canvas, _png
from trainers.evals.metrics.confusion import Confusion

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_IN_TABLE = 12
_MOST_BARS = 8
_OUTSIDE = "none of these"
_DARK = 0.75  # share of a row from which a cell's number is white


def confusion_chart(confusion: Confusion) -> bytes:
    """Draw a confusion as a PNG of 1200 x 675 pixels, whatever its size."""
    right = f"{confusion.right} of {confusion.n} right"
    if len(confusion.labels) > MOST_IN_TABLE:
        figure, axes = _canvas(f"{right}. Right label → answer, most frequent mistakes")
        _draw_bars(axes, confusion)
    else:
        figure, axes = _canvas(f"{right}. Down: right label, across: answer")
        _draw_table(axes, confusion)
    return _png(figure)


def confusion_alt(confusion: Confusion) -> str:
    """Say what the picture shows: how many are right, and up to eight mistakes."""
    mistakes = confusion.mistakes()
    kind = "Bar chart" if len(confusion.labels) > MOST_IN_TABLE else "Table"
    start = f"{kind} of right and answered labels: {confusion.right} of {confusion.n} right"
    if not mistakes:
        return f"{start}, no mistake."
    named = "; ".join(f"{_arrow(one.expected, one.said, 40)} {one.rows}" for one in mistakes[:_MOST_BARS])
    rest = sum(one.rows for one in mistakes[_MOST_BARS:])
    more = f"; {plural(rest, 'other mistake')}" if rest else ""
    return f"{start}. Mistakes: {named}{more}."


def _draw_table(axes: "Axes", confusion: Confusion) -> None:
    """Fill each cell by its share of the row, with its count; cells on the diagonal have a frame."""
    from matplotlib.patches import Rectangle

    size = len(confusion.labels)
    type_size = TEXT + 2 if size <= 6 else TEXT - 2
    for down, row in enumerate(confusion.counts):
        for across, count in enumerate(row):
            share = count / max(1, sum(row))
            depth = max(share, 0.08) if count else 0.0  # one mistake of many is still seen
            axes.add_patch(Rectangle((across - 0.5, down - 0.5), 1, 1, edgecolor="none", facecolor=ACCENT, alpha=depth))
            if down == across:
                axes.add_patch(Rectangle((across - 0.46, down - 0.46), 0.92, 0.92, fill=False, edgecolor=INK, lw=1.6))
            colour = "white" if share >= _DARK else INK if count else QUIET
            weight = "bold" if count else "normal"
            axes.text(
                across, down, f"{count}" if count else "·",
                ha="center", va="center", fontsize=type_size, color=colour, fontweight=weight,
            )  # fmt: skip
    shown = [_drawable(label, place) for place, label in enumerate(confusion.labels, 1)]
    names = [_short(label, 22 if size <= 6 else 16) for label in shown]
    slant: dict[str, Any] = {"rotation": 40, "ha": "left", "rotation_mode": "anchor"} if size > 6 else {}
    tops = [_short(label, 13) if slant else _wrapped(label, 60 // (size + 1)) for label in (*shown, _OUTSIDE)]
    axes.set_yticks(range(size), names, fontsize=type_size, color=INK)
    axes.set_xticks(range(size + 1), tops, fontsize=type_size - 1, color=INK, **slant)
    axes.xaxis.tick_top()
    axes.set_xlim(-0.5, size + 0.5)
    axes.set_ylim(max(size, 1) - 0.5, -0.5)
    axes.axvline(size - 0.5, color=QUIET, linewidth=1.5)
    axes.spines["bottom"].set_visible(False)


def _draw_bars(axes: "Axes", confusion: Confusion) -> None:
    """Draw one bar for each pair, the commonest on top, with its count at its end."""
    mistakes = confusion.mistakes()[:_MOST_BARS]
    shown: dict[str | None, str] = {label: _drawable(label, at) for at, label in enumerate(confusion.labels, 1)}
    names = [_arrow(shown[one.expected], shown.get(one.said), 22) for one in mistakes]
    axes.barh(range(len(mistakes)), [one.rows for one in mistakes], color=ACCENT, height=0.6)
    for place, one in enumerate(mistakes):
        axes.annotate(
            f"{one.rows}", (one.rows, place), xytext=(6, 0), textcoords="offset points",
            va="center", fontsize=TEXT, color=INK, fontweight="bold",
        )  # fmt: skip
    axes.set_yticks(range(len(mistakes)), names, fontsize=TEXT, color=INK)
    axes.set_ylim(max(len(mistakes), 3) - 0.4, -0.6)
    axes.set_xlim(0, max([1, *(one.rows for one in mistakes)]) * 1.1)
    axes.set_xticks([])
    axes.spines["bottom"].set_color(FAINT)


def _arrow(expected: str, said: str | None, most: int) -> str:
    return f"{_short(expected, most)} → {_OUTSIDE if said is None else _short(said, most)}"


def _short(label: str, most: int) -> str:
    """Cut a label in its middle: what tells labels apart often stands at their end."""
    kept = (most - 1) // 2
    return label if len(label) <= most else f"{label[: most - 1 - kept]}…{label[-kept:]}"


def _wrapped(label: str, most: int) -> str:
    """Break a label into up to two lines of at most so many characters."""
    lines = textwrap.wrap(label, most, break_long_words=False) or [label]
    lines = lines if len(lines) <= 2 else [lines[0], " ".join(lines[1:])]
    return "\n".join(_short(line, most) for line in lines)


def _drawable(label: str, place: int) -> str:
    """Return a label on one line as matplotlib can draw it; a dollar sign would start a formula."""
    line = " ".join(label.split())
    if not line or any(ord(character) not in _letters() for character in line):
        return f"label {place}"
    return line.replace("$", r"\$")


@cache
def _letters() -> frozenset[int]:
    """Code points that the font of the charts can draw."""
    from matplotlib.font_manager import FontProperties, findfont, get_font

    return frozenset(get_font(findfont(FontProperties())).get_charmap())
