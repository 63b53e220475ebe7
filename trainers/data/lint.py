"""Whether a file of rows may be trained on, and what is worth a look; rows are read by `source`, judged by `rules`.

Rows are seen one at a time: memory grows by about a hundred bytes a row, whatever stands in it. Rules about single
rows also run over the test file; their codes then start with `test_`.
"""

import dataclasses
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from trainers.data.counting import CountRow
from trainers.data.enough import TRAINABLE
from trainers.data.findings import ORDER, Finding, plural, tell
from trainers.data.limits import ReadLimits, TargetLimits, read_limits, target_limits
from trainers.data.rules import row_rules
from trainers.data.rules.handover import handover, over_size
from trainers.data.rules.personal import PersonalData, Preview
from trainers.data.rules.size import Tokens, TokenStats
from trainers.data.rules.view import Rule, View
from trainers.data.rules.whole import WholeFile
from trainers.data.showing import may_show
from trainers.data.source import Source

MOST_WORST = 5


@dataclass(frozen=True, kw_only=True)
class LintReport:
    """What the linter says about one file."""

    rows: int
    """Rows that could be read."""
    findings: tuple[Finding, ...]
    """Everything found, what blocks first."""
    labels: dict[str, int] | None
    """The closed set of labels with counts, commonest first; None for free text, and for labels that nobody should
    see: with a secret or personal data in them."""
    sha256: str
    """Hash of the file's bytes; quotes and approvals bind to it. Empty if the file was too large to read."""
    tokens: TokenStats | None
    """Token figures; None where no tokenizer was given."""
    test_rows: int | None
    """Test rows that could be read; None if no test file was given."""
    target: str = "local"
    """Where the rows are to be trained."""
    kind: str = "chat"
    """Format of the rows."""
    kinds: tuple[str, ...] = ("chat",)
    """All formats of the rows, commonest first."""
    container: str = "jsonl"
    """Kind of file."""
    histogram: dict[str, int] = dataclasses.field(default_factory=dict)
    """Rows by tokens, in powers of two."""
    calls: bool = False
    """Whether a row, of training or test, calls tools."""
    pictures: bool = False
    """Whether one shows pictures."""
    previews: tuple[Preview, ...] = ()
    """Personal data, masked: for whoever gave the file, never in JSON, a log or a channel."""

    @property
    def blocked(self) -> bool:
        """True if training must not start."""
        return any(finding.severity == "BLOCK" for finding in self.findings)

    @property
    def counts(self) -> str:
        """What the numbers in findings count: the `line`s of the file, or the `row`s of one JSON list."""
        return "row" if self.container == "json" else "line"

    @property
    def headline(self) -> str:
        """The result in one or two sentences, for a message: what is wrong and what to do, or that it is ready."""
        if self.blocked:
            first = self.findings[0]
            return f"{first.message} {first.fix} Nothing was started."
        remarks = sum(finding.severity == "WARN" for finding in self.findings)
        alone = self.test_rows is None and self.rows < TRAINABLE  # too few to hold some out
        ready = f"{plural(self.rows, 'row')}, ready to train on{' beside a test file of their own' if alone else ''}"
        return f"{ready}, {plural(remarks, 'remark')}." if remarks else f"{ready}."

    @property
    def worst(self) -> list[tuple[int, list[str]]]:
        """The rows with most against them: line and codes, worst first."""
        against: dict[int, list[Finding]] = {}
        for finding in self.findings:
            for line in finding.lines if not finding.code.startswith("test_") else ():
                against.setdefault(line, []).append(finding)
        ranked = sorted(against.items(), key=lambda item: (-sum(_WEIGHT[f.severity] for f in item[1]), item[0]))
        return [(line, [finding.code for finding in found]) for line, found in ranked[:MOST_WORST]]

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
            "target": self.target,
            "format": self.kind,
            "container": self.container,
            "token_histogram": self.histogram,
            "worst_rows": [{"line": line, "codes": codes} for line, codes in self.worst],
        }


_WEIGHT = {"BLOCK": 10, "WARN": 1, "REPORT": 0}


def lint(
    path: Path,
    *,
    target: str = "local",
    test: Path | None = None,
    count: CountRow | None = None,
    limits: ReadLimits | None = None,
    kind: str | None = None,
    samples: Sequence[str] = (),
) -> LintReport:
    """Read and judge a file of training rows, beside its test file if there is one.

    `count` counts the tokens of a row for the target; without it nothing is said about length. `kind` names the format
    of the rows where it should not be guessed; `samples` are texts in the wanted style. Raises `UserError` for a
    missing file or an unknown target; all else is a finding.
    """
    accepted, most = target_limits(target), limits or read_limits()
    with closing(WholeFile(accepted, samples)) as whole:
        tested: list[Finding] = []
        beside = None if test is None else Source(test, most, kind=kind, tools=accepted.tools, lists=True)
        if beside is not None:
            tested = _judge_test(beside, accepted, whole)
        refused = over_size(path, accepted)
        source = Source(path, most, kind=kind, tools=accepted.tools, lists=True, refused=refused)
        both = [each for each in (source, beside) if each is not None]
        tokens = Tokens(accepted, count)
        rules = row_rules(accepted)
        findings = _judge(source, (*rules, tokens, *whole.rules)) + tested
        if whole.rows.count:
            findings += [*handover(source, accepted), *tokens.told()]
        findings.append(tell("summary", _summary(whole, tokens.stats, count.how if count else "")))
        return LintReport(
            rows=whole.rows.count,
            findings=tuple(sorted(findings, key=lambda finding: (ORDER[finding.severity], finding.lines[:1]))),
            labels=whole.labels if may_show(whole.labels or (), findings) else None,
            sha256=source.sha256,
            tokens=tokens.stats,
            test_rows=whole.rows.test,
            target=target,
            kind=source.kind,
            kinds=tuple(kind for kind, _ in source.kinds.most_common()),
            container=source.container,
            histogram=tokens.histogram(),
            calls=any(each.calls for each in both),
            pictures=any(each.pictures for each in both),
            previews=_previews(rules),
        )


def _judge(source: Source, rules: Sequence[Rule]) -> list[Finding]:
    """Show every row to every rule and return what they say."""
    for chat in source:
        view = View(chat)
        for rule in rules:
            rule.see(view)
    findings = list(source.findings())
    blocked = any(finding.severity == "BLOCK" for finding in findings)
    if source.kinds or not blocked:  # "0 rows" beside the reason why there are none would only be noise
        findings += [finding for rule in rules for finding in rule.findings()]
    return source.counted(findings)


def _judge_test(source: Source, accepted: TargetLimits, whole: WholeFile) -> list[Finding]:
    """Judge the test rows one by one and mark what is found as theirs."""
    rules = row_rules(accepted)
    whole.rows.test = 0
    for chat in source:
        view = View(chat)
        whole.see_test(view)
        for rule in rules:
            rule.see(view)
    found = [*source.findings(), *(finding for rule in rules for finding in rule.findings())]
    return [
        dataclasses.replace(finding, code=f"test_{finding.code}", message=f"Test file: {finding.message}")
        for finding in source.counted(found)
    ]


def _previews(rules: Sequence[Rule]) -> tuple[Preview, ...]:
    return next((tuple(rule.previews) for rule in rules if isinstance(rule, PersonalData)), ())


def _summary(whole: WholeFile, stats: TokenStats | None, how: str) -> str:
    parts = [plural(whole.rows.count, "row")]
    if whole.rows.test is not None:
        parts.append(plural(whole.rows.test, "test row"))
    if whole.labels:
        parts.append(plural(len(whole.labels), "label"))
    if stats:
        parts.append(f"{stats.total:,} tokens by {how} (median {stats.median:,} a row, longest {stats.most:,})")
    prompts: Counter[int] = whole.prompts.taught.counts
    if len(prompts) == 1:
        parts.append("system prompt identical in all" if whole.has_prompt else "no system prompt")
    return f"{' · '.join(parts)}."
