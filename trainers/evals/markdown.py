"""How a report reads as Markdown, for files and shells; it computes nothing."""

from collections.abc import Iterator

from trainers.evals.report import ArmScore, Case, Report

_WORDS = {"PASS": "PASS", "FAIL": "FAIL", "INCONCLUSIVE": "Not proven (INCONCLUSIVE)"}


def markdown(report: Report) -> str:
    """Write the whole report: verdict, scores, doubts, cases in full, the rule."""
    return "\n".join(_lines(report)) + "\n"


def _lines(report: Report) -> Iterator[str]:
    verdict = report.verdict
    yield f"# {_WORDS[verdict.outcome]}: {report.headline}"
    yield ""
    yield verdict.sentence
    yield ""
    yield f"| | Right | {report.rule.level:.0%} interval | Median time |"
    yield "|---|---|---|---|"
    for score in reversed(report.arms):
        yield _row(score)
    for score in report.arms:
        if score.asked:
            yield ""
            yield f"{score.title}: {score.asked}."
    yield ""
    p = "below 0.001" if verdict.p_value < 0.001 else f"{verdict.p_value:.3f}"
    yield (
        f"Rows only the tuned model gets right: {verdict.gained}; only the best-prompted base: {verdict.lost}. "
        f"McNemar's mid-p {p}; interval of the difference by Bonett and Price (2012), of each share by Wilson (1927)."
    )
    yield ""
    for notice in (report.contamination, *report.notices):
        yield f"- {notice}"
    yield from _cases("Better", report.wins)
    yield from _cases("Worse or still wrong", report.misses)
    yield ""
    yield (
        f"Rule, fixed before training: {report.rule.sentence}, {report.rule.level:.0%} interval above 0, "
        f"at least {report.rule.minimum_rows} rows. Digest {report.rule.digest[:12]}."
    )


def _row(score: ArmScore) -> str:
    took = "not measured" if score.median_ms is None else f"{score.median_ms:,.0f} ms"
    right = f"{score.right}/{score.n} ({score.share:.0%})"
    return f"| {score.title} | {right} | {score.low:.0%} to {score.high:.0%} | {took} |"


def _cases(title: str, cases: tuple[Case, ...]) -> Iterator[str]:
    if not cases:
        return
    yield ""
    yield f"## {title}"
    for case in cases:
        yield ""
        regression = " · the base had it right" if case.regression else ""
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
