"""How an estimate is drawn as PNG: what is paid day by day, and what each provider charges; it computes no costs."""

from collections.abc import Iterator
from typing import NamedTuple

from trainers.costs.estimate import Estimate
from trainers.costs.money import said
from trainers.evals.charts import ACCENT, FAINT, INK, QUIET, TEXT, _canvas, _mark, _png

DAYS = 120
"""Days that the first chart shows."""


class Chart(NamedTuple):
    """A picture, and what it shows in words."""

    name: str
    title: str
    alt: str
    png: bytes


def charts_of(made: Estimate) -> Iterator[Chart]:
    """Yield the charts of an estimate; none where everything is unknown."""
    if made.races and made.races[0].sums() is not None:
        yield cumulative(made)
    if any(row.total is not None for row in made.comparison):
        yield by_provider(made)


def cumulative(made: Estimate) -> Chart:
    """Draw what the tuned model and the base have cost by the end of each day."""
    asked = f"{made.assumed('requests_per_day'):,f}"
    figure, axes = _canvas(f"Paid in all, US dollars, at {asked} requests a day")
    ends: list[str] = []
    for number, race in enumerate(made.races):
        sums = race.sums()
        if sums is None:
            continue
        days = list(race.days(sums, DAYS))
        drawn = [("tuned", [day.tuned for day in days])] if not number else []
        cached = ", cached" if race.caching else ""
        drawn.append((f"{race.base.offer.model.name}{cached}", [day.base for day in days]))
        for name, paid in drawn:
            colour, style = (ACCENT, "-") if name == "tuned" else (QUIET, "--" if race.caching else "-")
            axes.plot(range(len(paid)), [float(money.amount) for money in paid], style, color=colour, linewidth=2.5)
            label = f"{made.offer.model.name}, tuned" if name == "tuned" else name
            axes.text(len(paid), float(paid[-1].amount), f" {label}", color=colour, fontsize=TEXT - 2, va="center")
            ends.append(f"{label} {said(paid[-1])}" + (f" by day {len(paid) - 1}" if len(paid) <= DAYS else ""))
    axes.set_xlim(0, DAYS * 1.5)
    axes.set_xticks(range(0, DAYS + 1, 30))
    axes.set_ylim(bottom=0)
    axes.set_xlabel("Day", fontsize=TEXT, color=QUIET)
    axes.yaxis.grid(True, color=FAINT)
    alt = f"Line chart: what has been paid after {DAYS} days, or when one of them goes dark. {'; '.join(ends)}."
    return Chart("cost-by-day", "Paid by day", alt, _png(figure))


def by_provider(made: Estimate) -> Chart:
    """Draw training, evaluation and 30 days of serving of each provider, on a scale of powers of ten."""
    from matplotlib.ticker import NullLocator

    known = [row for row in made.comparison if row.total is not None and row.total.expected > 0]
    figure, axes = _canvas("Training, evaluation and 30 days of serving, US dollars (line: low to high)")
    for place, row in enumerate(reversed(known)):
        assert row.total is not None  # noqa: S101  # those that are unknown were left out
        colour = ACCENT if row.offer.provider.key == made.offer.provider.key else QUIET
        axes.plot([float(row.total.low), float(row.total.high)], [place, place], color=colour, linewidth=3)
        axes.plot([float(row.total.expected)], [place], "o", color=colour, markersize=12)
        _mark(axes, float(row.total.expected), place, said(row.total.money), colour)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(lambda value, _: f"${value:,.0f}" if value >= 1 else f"${value:g}")
    axes.xaxis.set_minor_locator(NullLocator())
    axes.margins(x=0.15)
    axes.set_yticks(range(len(known)), [row.offer.title.replace(" on ", "\non ") for row in reversed(known)], color=INK)
    axes.set_ylim(-0.5, len(known) - 0.3)
    axes.xaxis.grid(True, color=FAINT)
    unknown = [row.offer.title for row in made.comparison if row.total is None]
    free = [f"{row.offer.title} ({row.offer.provider.left_out} not counted)" for row in made.comparison
            if row.total is not None and row.total.expected == 0]  # fmt: skip
    told = "; ".join(f"{row.offer.title} {said(row.total.money)}" for row in known if row.total)
    rest = f" No fee: {', '.join(free)}." if free else ""
    rest += f" Unknown: {', '.join(unknown)}." if unknown else ""
    return Chart("cost-by-provider", "Cost by provider", f"Dot chart: {told}.{rest}", _png(figure))
