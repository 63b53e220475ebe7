"""How a report reads as Markdown, for files and shells; it computes nothing."""

from collections.abc import Iterator, Sequence

from trainers.evals.guardrails import GuardrailResult
from trainers.evals.page import WORDS, figure_rows, milliseconds, percent, statistics, tried
from trainers.evals.report import ArmScore, Case, Prompt, Report, Table
from trainers.evals.verdict import points


def markdown(report: Report) -> str:
    """Write the whole report: verdict, scores, doubts, cases in full, the rule."""
    return ("\n".join(_lines(report)) + "\n").encode("utf-8", "replace").decode("utf-8")


def _lines(report: Report) -> Iterator[str]:
    yield from _verdict(report)
    yield ""
    yield f"| | Score | {report.rule.level:.0%} interval | Median time |"
    yield "|---|---|---|---|"
    yield from (_row(score) for score in reversed(report.arms))
    yield from (f"\n{score.title}: {score.asked}." for score in report.arms if score.asked)
    yield ""
    yield statistics(report)
    yield from _guardrails(report.guardrails)
    yield ""
    doubts = (report.contamination, report.proof, report.judge_says, *report.notices)
    yield from (f"- {doubt}" for doubt in doubts if doubt)
    yield from _cases("Better", report.wins)
    yield from _cases("Worse or still wrong", report.misses)
    yield from _figures(report.arms[::-1])
    for table in report.tables:
        yield from _table(table)
    yield from _prompt(report.prompt)
    yield ""
    yield (
        f"Rule, fixed before training: {report.rule.sentence}, {report.rule.level:.0%} interval above 0, "
        f"at least {report.rule.minimum_rows} {report.rule.unit}s. Digest {report.rule.digest[:12]}."
    )


def _verdict(report: Report) -> Iterator[str]:
    verdict = report.verdict
    yield f"# {WORDS[verdict.outcome]}: {report.headline}"
    yield ""
    yield verdict.sentence
    yield from (f"- {reason}" for reason in verdict.because)
    if report.changed:
        yield ""
        yield report.changed


def _row(score: ArmScore) -> str:
    span = f"{percent(score.low)} to {percent(score.high)}"
    return f"| {score.title} | {score.shown} ({percent(score.score)}) | {span} | {milliseconds(score.median_ms)} |"


def _guardrails(results: Sequence[GuardrailResult]) -> Iterator[str]:
    if not results:
        return
    yield ""
    yield "## What must not get worse"
    yield ""
    yield "| | Before | After | Change | Result |"
    yield "|---|---|---|---|---|"
    for one in results:
        change = f"{points(one.difference)} ({points(one.low)} to {points(one.high)})"
        yield f"| {one.title} | {percent(one.before)} | {percent(one.after)} | {change} | {one.outcome} |"


def _figures(arms: Sequence[ArmScore]) -> Iterator[str]:
    rows = tuple((name, *values) for name, values in figure_rows(arms))
    if rows:
        head = ("", *(arm.title for arm in arms))
        yield from _table(Table(title="More about the arms", head=head, rows=rows))


def _prompt(prompt: Prompt | None) -> Iterator[str]:
    if prompt is None:
        return
    yield ""
    yield "## The prompt of the best-prompted base"
    yield ""
    yield prompt.sentence
    for role, content in prompt.turns:
        yield ""
        yield f"**{role}**"
        yield from (f"> {line}" for line in content.splitlines() or ["(nothing)"])
    if prompt.tried:
        yield from _table(tried(prompt))


def _table(table: Table) -> Iterator[str]:
    yield ""
    yield f"## {table.title}"
    yield ""
    yield f"| {' | '.join(table.head)} |"
    yield "|" + "---|" * len(table.head)
    for row in table.rows:
        yield f"| {' | '.join(' '.join(cell.split()).replace('|', chr(92) + '|') for cell in row)} |"


def _cases(title: str, cases: tuple[Case, ...]) -> Iterator[str]:
    if not cases:
        return
    yield ""
    yield f"## {title}"
    for case in cases:
        yield ""
        regression = " · the base did better" if case.regression else ""
        yield f"Row {case.row}{regression}"
        for name, text in (
            ("Input", case.input),
            ("Expected", case.expected),
            ("Base", case.base),
            ("Tuned", case.tuned),
        ):
            yield ""
            yield f"**{name}**"
            yield from (f"> {line}" for line in text.splitlines() or ["(nothing)"])
