"""How a report reads as one HTML page that needs nothing else; it computes nothing."""

import base64
from collections.abc import Iterable, Sequence
from functools import cache
from typing import TYPE_CHECKING

from trainers.data.findings import plural
from trainers.evals.metrics import Figure
from trainers.evals.report import ArmScore, Prompt, Report, Table
from trainers.evals.rule import PREFERENCE
from trainers.evals.verdict import points

if TYPE_CHECKING:
    from jinja2 import Template

WORDS = {"PASS": "PASS", "FAIL": "FAIL", "INCONCLUSIVE": "Not proven (INCONCLUSIVE)"}


def write(report: Report, *, title: str, number: int, pictures: Iterable[tuple[bytes, str]]) -> str:
    """Write the page; `pictures` are PNGs with what they show in words. What models said is escaped, whatever it is.

    Half a surrogate pair, which no file can hold, becomes a question mark.
    """
    arms = list(reversed(report.arms))
    page = _template().render(
        report=report,
        title=title,
        number=number,
        word=WORDS[report.verdict.outcome],
        level=percent(report.verdict.level),
        arms=arms,
        scored=f"{'Preference accuracy' if report.rule.metric == PREFERENCE else 'Scores'} on "
        f"{plural(arms[0].n, f'held-out {report.rule.unit}')}",
        figures=list(figure_rows(arms)),
        statistics=statistics(report),
        groups=(("Better", report.wins), ("Worse or still wrong", report.misses)),
        tried=tried(report.prompt) if report.prompt and report.prompt.tried else None,
        pictures=[(f"data:image/png;base64,{base64.b64encode(png).decode()}", alt) for png, alt in pictures],
        percent=percent,
        width=lambda share: f"{min(1.0, max(0.0, share)) * 100:.1f}%",
        milliseconds=milliseconds,
        points=points,
    )
    return page.encode("utf-8", "replace").decode("utf-8")


def statistics(report: Report) -> str:
    """Say what the statistics of the verdict are: where the interval comes from, p, rows or pairs won and lost."""
    verdict = report.verdict
    p = "below 0.001" if verdict.p_value < 0.001 else f"{verdict.p_value:.3f}"
    rates = "; intervals of rates by Wilson (1927)" if report.arms[0].binary else ""
    rival = "base" if report.rule.metric == PREFERENCE else "best-prompted base"
    said = f"Tuned minus {rival}, paired by {report.rule.unit}: {verdict.method}; p {p}{rates}."
    if verdict.gained is None or not report.arms[0].binary:
        return said
    won = plural(verdict.gained, report.rule.unit)
    if report.rule.metric == PREFERENCE:
        return f"{said} Only the tuned model prefers the better answer in {won}, only the base in {verdict.lost}."
    return f"{said} Only the tuned model gets {won} right, only the base {verdict.lost}."


def figure_rows(arms: Sequence[ArmScore]) -> Iterable[tuple[str, list[str]]]:
    """Yield each figure's name with its value for every arm; an arm without it has a dash.

    What is not known of any arm is left out.
    """
    names = dict.fromkeys(figure.name for arm in arms for figure in arm.figures if figure.value is not None)
    known = [{figure.name: figure for figure in arm.figures} for arm in arms]
    for name in names:
        yield name, [written(figures[name]) if name in figures else "–" for figures in known]


def tried(prompt: Prompt) -> Table:
    """Lay out the prompts among which the base's was chosen, with what they scored on training rows."""
    rows = tuple((words, percent(score), f"{rows:,}") for words, score, rows in prompt.tried)
    return Table(title="Prompts that were tried", head=("Prompt", "Score on training rows", "Rows"), rows=rows)


def written(figure: Figure) -> str:
    """Write a figure with its unit and, where there is one, its interval."""
    if figure.value is None:
        return "unknown"
    if figure.unit in {"share", "points"}:
        span = (
            "" if figure.low is None or figure.high is None else f" ({percent(figure.low)} to {percent(figure.high)})"
        )
        return f"{percent(figure.value)}{span}"
    if figure.unit == "ms":
        return milliseconds(figure.value)
    if figure.unit == "dollars":
        return f"${figure.value:,.4f}".rstrip("0").rstrip(".")
    return f"{figure.value:,.0f}" if figure.unit in {"count", "tokens"} else f"{figure.value:.3f}"


def percent(share: float) -> str:
    """Write a share in whole percent."""
    return f"{share:.0%}"


def milliseconds(took: float | None) -> str:
    """Write a time that an answer took."""
    return "not measured" if took is None else f"{took:,.0f} ms" if took >= 10 else f"{took:.1f} ms"


@cache
def _template() -> "Template":
    from jinja2 import Environment, PackageLoader, StrictUndefined

    loader = PackageLoader("trainers.evals", "templates")
    made = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    return made.get_template("report.html")
