"""Knows how the linter's findings look; it does not know rows."""

from handlers.blocks.parts import Block, actions, button, confirm, context, section
from handlers.blocks.words import count
from handlers.escape import mrkdwn
from trainers.data.findings import Finding
from trainers.data.lint import LintReport

TRAIN_ON_IT = "file_train"
"""Action id of the button that takes a file from a message."""

FORM = "train_open"
"""Action id of the buttons that open the training form."""

TICK = "This file was made for training and is ours to use."
"""What somebody has to say of an upload before its rows are used."""

SIGNS = {"BLOCK": "⛔", "WARN": "⚠️", "REPORT": "•"}
SHOWN = 8
"""Findings in one card; the worst come first."""


def lint_blocks(name: str, report: LintReport, file_id: str = "") -> list[Block]:
    """Draw what the linter says of a file; with `file_id` and no blocking finding, a button takes its rows."""
    # The headline has the first blocking finding already.
    worth = [finding for finding in report.findings if finding.code != "summary"][1 if report.blocked else 0 :]
    more = len(worth) - SHOWN
    lines = [section(lint_text(name, report))]
    lines += [section("\n".join(_line(finding) for finding in worth[:SHOWN]))] if worth else []
    small = [*_summary(report), *([f"{count(more, 'more finding')} not shown."] if more > 0 else [])]
    lines += [context(*small)] if small else []
    if report.blocked:
        return [*lines, *actions([button("Upload again", FORM)])]
    if not file_id:
        return lines
    dialog = confirm(
        "Train on these rows?",
        f"{TICK} You get a quote first; nothing starts before you approve it.",
        "Yes, it is ours",
        "Not yet",
    )
    return [*lines, *actions([button("Train on it", TRAIN_ON_IT, file_id, style="primary", confirm=dialog)])]


def lint_text(name: str, report: LintReport) -> str:
    """Say in a sentence or two whether the file may be trained on."""
    return f"*{mrkdwn(name, 150)}*: {mrkdwn(report.headline, 900)}"


def _line(finding: Finding) -> str:
    return f"{SIGNS[finding.severity]} {mrkdwn(f'{finding.message} {finding.fix}'.strip(), 330)}"


def _summary(report: LintReport) -> list[str]:
    said = [mrkdwn(finding.message, 400) for finding in report.findings if finding.code == "summary"]
    labels = [f"{label} {number:,}" for label, number in (report.labels or {}).items()]
    return [*said, *([mrkdwn(f"Labels: {', '.join(labels)}", 400)] if labels else [])]
