"""Knows how the linter's findings look, and what can be done with a file that was linted; it does not know rows."""

import json
from collections.abc import Sequence

from handlers.blocks.learn import SEEN_BY_ALL, USE
from handlers.blocks.parts import Block, actions, button, confirm, context, section
from handlers.blocks.words import count
from handlers.escape import mrkdwn
from trainers.data.findings import Finding
from trainers.data.lint import LintReport
from trainers.data.mending import MENDABLE

TRAIN_ON_IT = "file_train"
"""Action id of the button that takes a file from a message."""

FIX, CHARTS = "rows_fix", "rows_charts"
"""Action ids: mend what needs no guess; draw lengths, labels and repeats. Values: `file:ID` or `dataset:ID`."""

FORM = "train_open"
"""Action id of the buttons that open the training form."""

TICK = "This file was made for training and is ours to use."
"""What somebody has to say of an upload before its rows are used."""

SIGNS = {"BLOCK": "⛔", "WARN": "⚠️", "REPORT": "•"}
SHOWN = 8
"""Findings in one card; the worst come first."""

PREVIEWED = 8
"""Masked places of personal data in one message."""

_SILENT = frozenset({"summary", "token_histogram"})
"""What the card says elsewhere or not at all."""


def lint_blocks(name: str, report: LintReport, file_id: str = "", buttons: Sequence[Block] = ()) -> list[Block]:
    """Draw what the linter says of a file, and under it what can be done with it.

    With `file_id` that is a file of a message: train on it, mend it, use it as a document. `buttons` are those of rows
    that were kept.
    """
    # The headline has the first blocking finding already.
    worth = [finding for finding in report.findings if finding.code not in _SILENT][1 if report.blocked else 0 :]
    more = len(worth) - SHOWN
    lines = [section(lint_text(name, report))]
    lines += [section("\n".join(_line(finding) for finding in worth[:SHOWN]))] if worth else []
    small = [*_summary(report), *_worst(report), *([f"{count(more, 'more finding')} not shown."] if more > 0 else [])]
    lines += [context(*small)] if small else []
    return [*lines, *actions([*_file_buttons(report, file_id), *buttons])]


def lint_text(name: str, report: LintReport) -> str:
    """Say in a sentence or two whether the file may be trained on."""
    return f"*{mrkdwn(name, 150)}*: {mrkdwn(report.headline, 900)}"


def preview_text(name: str, report: LintReport) -> str:
    """Show where personal data is, masked: for whoever gave the file alone."""
    # As code: the asterisks of a mask would be read as bold.
    lines = [
        f"• {report.counts} {seen.line:,}, {seen.kind}: `{_coded(seen.masked)}`" for seen in report.previews[:PREVIEWED]
    ]
    return f"Only you see this. Personal data in *{mrkdwn(name, 150)}*, masked:\n" + "\n".join(lines)


def mended_text(name: str, sentences: Sequence[str], left: int) -> str:
    """Say what mending did to a file."""
    rest = f"\n• {count(left, 'line')} left as broken as before." if left else ""
    return f"*{mrkdwn(name, 150)}*, mended:\n" + "\n".join(f"• {mrkdwn(said, 300)}" for said in sentences) + rest


def fix_button(value: str) -> Block:
    """Return the button that mends rows in a new version."""
    dialog = confirm(
        "Mend these rows?",
        f"{TICK} I change in a copy what needs no guess, say what that was, and keep it as a new version.",
        "Yes, mend it",
        "Not yet",
    )
    return button("Fix", FIX, value, confirm=dialog)


def charts_button(value: str) -> Block:
    """Return the button that draws the rows' lengths, labels and repeats."""
    return button("Charts", CHARTS, value, spoken="Charts of lengths, labels and repeats")


def _file_buttons(report: LintReport, file_id: str) -> list[Block]:
    again = [button("Upload again", FORM)] if report.blocked else []
    if not file_id:
        return again
    train = confirm(
        "Train on these rows?",
        f"{TICK} You get a quote first; nothing starts before you approve it.",
        "Yes, it is ours",
        "Not yet",
    )
    learn = confirm("Add for everybody?", f"{SEEN_BY_ALL} You can remove them again.", "Add", "Not now")
    packed = json.dumps({"files": [file_id], "url": ""}, separators=(",", ":"))
    first = [] if report.blocked else [button("Train on it", TRAIN_ON_IT, file_id, style="primary", confirm=train)]
    charts = [charts_button(f"file:{file_id}")] if report.rows else []
    documents = button("Use as documents", USE, packed, confirm=learn)
    fix = [fix_button(f"file:{file_id}")] if report.container in MENDABLE else []
    return [*first, *fix, documents, *charts, *again]


def _coded(text: str) -> str:
    """Return a text as it may stand between two backticks."""
    return mrkdwn(text.replace("`", "'"), 80)


def _line(finding: Finding) -> str:
    return f"{SIGNS[finding.severity]} {mrkdwn(f'{finding.message} {finding.fix}'.strip(), 330)}"


def _summary(report: LintReport) -> list[str]:
    told = report.findings if report.rows else ()
    said = [mrkdwn(finding.message, 400) for finding in told if finding.code == "summary"]
    labels = [f"{label} {number:,}" for label, number in (report.labels or {}).items()]
    return [*said, *([mrkdwn(f"Labels: {', '.join(labels)}", 400)] if labels else [])]


def _worst(report: LintReport) -> list[str]:
    """Name the rows with most against them, by line and rule; never what stands in them."""
    rows = [f"{report.counts} {line:,} ({', '.join(codes)})" for line, codes in report.worst]
    return [mrkdwn(f"Worst rows: {'; '.join(rows)}", 400)] if rows else []
