"""How rows that we keep are linted: by our own rules, and by the length of a row where they are to be trained."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path

from trainers.data.counting import CountRow, counter
from trainers.data.findings import ORDER, Finding, lines_are, tell, warn
from trainers.data.limits import KEPT, takers, target_limits
from trainers.data.lint import LintReport, lint

LOCAL, UNDECIDED = "local", ""
"""Targets: a run on this machine; nobody has said yet where."""

_OF_TARGET = frozenset(
    ("row_too_long", "row_maybe_too_long", "file_over_limit", "token_histogram", "billed_tokens", "summary")
)
"""Codes of what another target says of lengths."""

Counters = Callable[[str], CountRow | None]
"""Returns what counts a target's tokens."""


def judge(train: Path, test: Path | None, target: str, count: Counters) -> LintReport:
    """Lint rows that are kept, evaluated on and trained on.

    Where it is not decided where they are trained, a row too long for this machine is a remark: others read more. Rows
    with tools or pictures are no fault unless they are meant for this machine, which trains on texts only.
    """
    here = lint(train, target=LOCAL, test=test, count=count(LOCAL))
    if target == LOCAL:
        return here
    if here.calls or here.pictures:
        here = lint(train, target=KEPT, test=test, count=counter(target_limits(KEPT).vocabulary))
        here = also(here, [tell("more_than_texts", _elsewhere(here))])
    elif target == UNDECIDED:
        return _with(here, [_perhaps(finding) for finding in here.findings])
    if target == UNDECIDED:
        return here
    there = lint(train, target=target, test=test, count=count(target))
    findings = [finding for finding in here.findings if not _of_target(finding)]
    findings += [finding for finding in there.findings if _of_target(finding)]
    return replace(_with(here, findings), target=target, tokens=there.tokens, histogram=there.histogram)


def _elsewhere(report: LintReport) -> str:
    """Say who trains on rows that are more than texts."""
    what = " and ".join(["calls of tools"] * report.calls + ["pictures"] * report.pictures)
    places = takers(tools=report.calls, pictures=report.pictures)
    return f"There are {what} in it: no run on this machine trains on that; by their limits {', '.join(places)} do."


def _of_target(finding: Finding) -> bool:
    return finding.code.removeprefix("test_") in _OF_TARGET


def _perhaps(finding: Finding) -> Finding:
    if finding.code != "row_too_long":
        return finding
    most = target_limits(LOCAL).row_tokens
    message = f"{lines_are(finding.lines)} longer than {most:,} tokens, the most that a run on this machine reads."
    return warn("row_maybe_too_long", finding.lines, message, "Shorten the row or split it, or train elsewhere.")


def also(report: LintReport, findings: Iterable[Finding]) -> LintReport:
    """Return a report that says this too."""
    return _with(report, [*report.findings, *findings])


def _with(report: LintReport, findings: list[Finding]) -> LintReport:
    return replace(report, findings=tuple(sorted(findings, key=lambda found: (ORDER[found.severity], found.lines[:1]))))
