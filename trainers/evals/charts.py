"""How a loss curve and the comparison of arms are drawn as PNG; it does not compute what it draws.

Drawn for a phone: 1200 x 675 pixels, large type, direct labels, no meaning by colour alone. Every picture has a text
that says the same.
"""

import io
import json
import math
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from knowledge.errors import ServiceError
from trainers.data.findings import plural
from trainers.evals.predictions import TUNED
from trainers.evals.report import ArmScore, Report
from trainers.evals.rule import PREFERENCE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

INK, QUIET, FAINT, ACCENT = "#1d1c1d", "#616061", "#dddddd", "#1264a3"
SIZE = (8.0, 4.5)  # inches
DPI = 150
TEXT = 13  # points
_LONG, _REACH = 30, 4  # from 30 steps on, a curve is averaged over up to 4 steps on each side


class _Curve(NamedTuple):
    steps: list[int]
    losses: list[float]
    held_out: tuple[tuple[int, float], ...] = ()
    """Steps and losses on rows that were not trained on, where a provider measured some."""


TOKENS, PAIRS = "nats per token", "nats per pair; 0.69 is no preference"
"""What a training loss is counted in."""


def loss_curve(losses: Path, unit: str = TOKENS) -> bytes:
    """Draw losses.jsonl (lines with `step` and `loss`) as a PNG; raises `ServiceError` if it cannot be read."""
    from matplotlib.ticker import MaxNLocator

    curve = _read_curve(losses)
    smooth = _smoothed(curve)
    averaged = "; bold: running mean" if smooth is not curve else ""
    figure, axes = _canvas(f"Training loss ({unit}{averaged})")
    if smooth is not curve:
        axes.plot(curve.steps, curve.losses, color=ACCENT, alpha=0.3, linewidth=1.5)
    axes.plot(smooth.steps, smooth.losses, color=ACCENT, linewidth=3, marker="o" if len(smooth.steps) < 3 else None)
    for place in {0, len(smooth.steps) - 1} if smooth.steps else ():
        loss = smooth.losses[place]
        _mark(axes, smooth.steps[place], max(loss, curve.losses[place]), f"{loss:.2f}", INK)
    if curve.held_out:
        axes.plot(*zip(*curve.held_out, strict=True), color=INK, linewidth=2, linestyle="--", marker="s", markersize=5)
        step, loss = curve.held_out[-1]
        _mark(axes, step, loss, f"held out {loss:.2f}", INK)
    axes.set_ylim(0, max([0.01, *curve.losses, *(loss for _, loss in curve.held_out)]) * 1.18)
    axes.margins(x=0.06)
    axes.set_xlabel("Step", fontsize=TEXT, color=QUIET)
    axes.yaxis.grid(True, color=FAINT)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, steps=[1, 2, 5, 10]))
    return _png(figure)


def loss_alt(losses: Path) -> str:
    """Say what the loss curve shows."""
    curve = _read_curve(losses)
    if not curve.steps:
        return "Loss curve without a step."
    smooth = _smoothed(curve)
    first, last = smooth.losses[0], smooth.losses[-1]
    moved = "falls" if last < first else "does not fall"
    averaged = ", averaged over neighbouring steps" if smooth is not curve else ""
    said = f"Line chart: training loss {moved} from {first:.2f} to {last:.2f} in {curve.steps[-1]} steps{averaged}."
    if not curve.held_out:
        return said
    return f"{said} Dashed: on held-out rows, from {curve.held_out[0][1]:.2f} to {curve.held_out[-1][1]:.2f}."


def arms_chart(report: Report) -> bytes:
    """Draw each arm's score as a dot with its interval, the tuned model in colour on top."""
    arms = report.arms
    head = report.measure.capitalize() if arms[0].binary else "Mean score"
    figure, axes = _canvas(
        f"{head} on {plural(arms[0].n, f'unseen {report.rule.unit}')} (dot), {report.rule.level:.0%} interval (line)"
    )
    for place, score in enumerate(arms):
        colour = ACCENT if score.arm == TUNED else QUIET
        ends = [score.low * 100, score.high * 100]
        axes.plot(ends, [place, place], color=colour, linewidth=3, solid_capstyle="round")
        axes.plot([score.score * 100], [place], "o", color=colour, markersize=13)
        _mark(axes, score.score * 100, place, score.shown, colour)
    axes.set_yticks(range(len(arms)), [_wrapped(score) for score in arms], fontsize=TEXT, color=INK)
    axes.set_ylim(-0.5, len(arms) - 0.4)
    axes.set_xlim(-5, 105)
    axes.set_xticks(range(0, 101, 25), [f"{share}%" for share in range(0, 101, 25)])
    axes.xaxis.grid(True, color=FAINT)
    return _png(figure)


def arms_alt(report: Report) -> str:
    """Say what the chart of the arms shows."""
    said = "; ".join(
        f"{score.title} {score.score:.0%}, interval {score.low:.0%} to {score.high:.0%}"
        for score in reversed(report.arms)
    )
    what = f"share {report.measure} of" if report.arms[0].binary else f"mean score ({report.measure}) on"
    what = "preference accuracy on" if report.rule.metric == PREFERENCE else what
    return f"Dot chart: {what} {plural(report.arms[0].n, f'unseen {report.rule.unit}')}. {said}."


def _read_curve(path: Path) -> _Curve:
    steps, losses, held_out = [], [], []
    try:
        for line in path.read_text("utf-8").splitlines():
            value = json.loads(line)
            step, loss = int(value["step"]), float(value["loss"])
            if math.isfinite(loss):  # a diverged step has no place on the axis
                steps.append(step)
                losses.append(loss)
            if math.isfinite(float(value.get("valid_loss", math.nan))):
                held_out.append((step, float(value["valid_loss"])))
    except (OSError, ValueError, KeyError, TypeError):
        raise ServiceError(
            "The record of the training loss is missing or damaged.", "The model is not affected."
        ) from None
    return _Curve(steps, losses, tuple(held_out))


def _smoothed(curve: _Curve) -> _Curve:
    """Average each step with neighbours on both sides, the first with none; a short curve stays as it is."""
    count = len(curve.losses)
    if count < _LONG:
        return curve
    reaches = (min(place, _REACH) for place in range(count))  # so that the steep start is not averaged away
    windows = (curve.losses[place - reach : place + reach + 1] for place, reach in enumerate(reaches))
    return _Curve(curve.steps, [sum(window) / len(window) for window in windows])


def _canvas(title: str) -> "tuple[Figure, Axes]":
    """Make a titled picture without pyplot: no global state, so that threads may draw at once."""
    from matplotlib.figure import Figure  # 0.3 s that only a report pays
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    engine = ConstrainedLayoutEngine(w_pad=0.18, h_pad=0.14)
    figure = Figure(figsize=SIZE, dpi=DPI, facecolor="white", layout=engine)
    figure.suptitle(textwrap.fill(title, 64), x=0.03, ha="left", fontsize=TEXT + 3, color=INK)
    axes = figure.add_subplot()
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(FAINT)
    axes.tick_params(length=0, labelsize=TEXT, labelcolor=QUIET)
    axes.set_axisbelow(True)
    return figure, axes


def _mark(axes: "Axes", across: float, up: float, text: str, colour: str) -> None:
    axes.annotate(
        text, (across, up), xytext=(0, 11), textcoords="offset points",
        ha="center", fontsize=TEXT, color=colour, fontweight="bold",
        bbox={"facecolor": "white", "edgecolor": "none", "pad": 1},
    )  # fmt: skip


def _wrapped(score: ArmScore) -> str:
    return score.title.replace(", ", ",\n").replace(" + ", " +\n")


def _png(figure: "Figure") -> bytes:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    FigureCanvasAgg(figure)
    target = io.BytesIO()
    figure.savefig(target, format="png")
    return target.getvalue()
