"""Whether a file of rows may be trained on, and what is worth a look; rows are read by `jsonl`, judged by `rules`.

`lint` is linear in the rows. Rules about single rows also run over the test file; their codes then start with `test_`.
"""

import dataclasses
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from trainers.data.findings import ORDER, Finding, info, plural
from trainers.data.jsonl import Reading, read_rows
from trainers.data.limits import target_limits
from trainers.data.rules import FILE_RULES, ROW_RULES
from trainers.data.rules.sheet import CountTokens, Sheet


class TokenStats(NamedTuple):
    """Tokens per row after the chat template."""

    total: int
    """Sum over all rows."""
    median: int
    """Half of the rows have at most so many."""
    p95: int
    """19 of 20 rows have at most so many."""
    most: int
    """The longest row."""


@dataclass(frozen=True, kw_only=True)
class LintReport:
    """What the linter says about one file."""

    rows: int
    """Rows that could be read."""
    findings: tuple[Finding, ...]
    """Everything found, what blocks first."""
    labels: dict[str, int] | None
    """The closed set of labels with counts, commonest first; None for free text."""
    sha256: str
    """Hash of the file's bytes; quotes and approvals bind to it. Empty if the file was too large to read."""
    tokens: TokenStats | None
    """Token figures; None where no tokenizer was given."""
    test_rows: int | None
    """Test rows that could be read; None if no test file was given."""

    @property
    def blocked(self) -> bool:
        """True if training must not start."""
        return any(finding.severity == "BLOCK" for finding in self.findings)

    @property
    def headline(self) -> str:
        """The result in one or two sentences, for a message: what is wrong and what to do, or that it is ready."""
        if self.blocked:
            first = self.findings[0]
            return f"{first.message} {first.fix} Nothing was started."
        remarks = sum(finding.severity == "WARN" for finding in self.findings)
        ready = f"{plural(self.rows, 'row')}, ready to train on"
        return f"{ready}, {plural(remarks, 'remark')}." if remarks else f"{ready}."

    def to_json(self) -> dict[str, object]:
        """The report as plain JSON values: blocked, rows, findings, then what only we use."""
        return {
            "blocked": self.blocked,
            "rows": self.rows,
            "findings": [finding.to_json() for finding in self.findings],
            "labels": self.labels,
            "sha256": self.sha256,
            "tokens": self.tokens._asdict() if self.tokens else None,
            "test_rows": self.test_rows,
        }


def lint(
    path: Path, *, target: str = "local", test: Path | None = None, count_tokens: CountTokens | None = None
) -> LintReport:
    """Read and judge a file of training rows, beside its test file if there is one.

    `count_tokens` gives the tokens of one row's messages after the model's chat template; without it nothing is said
    about length. Raises `UserError` for a missing file or an unknown target; all else is a finding.
    """
    limits = target_limits(target)
    reading = read_rows(path)
    test_reading = None if test is None else read_rows(test)
    sheet = Sheet(
        rows=reading.rows,
        test=None if test_reading is None else test_reading.rows,
        limits=limits,
        count_tokens=count_tokens,
    )
    findings = [*reading.findings, *_judge(reading, sheet), *_judge_test(test_reading, sheet)]
    findings.append(info("summary", _summary(sheet)))
    return LintReport(
        rows=len(reading.rows),
        findings=tuple(sorted(findings, key=lambda finding: (ORDER[finding.severity], finding.lines[:1]))),
        labels=sheet.labels,
        sha256=reading.sha256,
        tokens=_token_stats(sheet.tokens),
        test_rows=None if sheet.test is None else len(sheet.test),
    )


def _judge(reading: Reading, sheet: Sheet) -> list[Finding]:
    if not reading.rows and reading.findings:
        return []  # the reading says why there are none; "0 rows" beside it would only be noise
    return [finding for rule in (*ROW_RULES, *FILE_RULES) for finding in rule(sheet)]


def _judge_test(reading: Reading | None, sheet: Sheet) -> list[Finding]:
    """Judge the test rows one by one and mark what is found as theirs."""
    if reading is None:
        return []
    test_sheet = dataclasses.replace(sheet, rows=reading.rows, test=None)
    found = [*reading.findings, *(finding for rule in ROW_RULES for finding in rule(test_sheet))]
    return [
        dataclasses.replace(finding, code=f"test_{finding.code}", message=f"Test file: {finding.message}")
        for finding in found
    ]


def _summary(sheet: Sheet) -> str:
    parts = [plural(len(sheet.rows), "row")]
    if sheet.test is not None:
        parts.append(plural(len(sheet.test), "test row"))
    if sheet.labels:
        parts.append(plural(len(sheet.labels), "label"))
    stats = _token_stats(sheet.tokens)
    if stats:
        parts.append(f"{stats.total:,} tokens (median {stats.median:,} a row, longest {stats.most:,})")
    if sheet.rows and len({row.system for row in sheet.rows}) == 1:
        parts.append("system prompt identical in all" if sheet.rows[0].system else "no system prompt")
    return f"{' · '.join(parts)}."


def _token_stats(tokens: Sequence[int] | None) -> TokenStats | None:
    if not tokens:
        return None
    ordered = sorted(tokens)
    p95 = ordered[max(0, -(-95 * len(ordered) // 100) - 1)]
    return TokenStats(sum(ordered), int(statistics.median(ordered)), p95, ordered[-1])
