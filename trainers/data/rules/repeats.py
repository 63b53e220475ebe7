"""Rules about rows that repeat or contradict each other, within the training file and across to the test file."""

from collections.abc import Iterator

from trainers.data.findings import Finding, block, lines_are, lines_have, name_lines, plural, warn
from trainers.data.jsonl import Row
from trainers.data.likeness import canonical, near_pairs
from trainers.data.rules.sheet import Sheet

MOST_EXPLAINED = 3  # groups spelled out in a message


def no_overlap(sheet: Sheet) -> Iterator[Finding]:
    """Block training inputs that are also test inputs: the test would measure memory."""
    tested = set(sheet.test_inputs)
    lines = [row.line for row, asked in zip(sheet.rows, sheet.inputs, strict=True) if asked and asked in tested]
    if lines:
        message = f"{lines_are(lines)} in the test file too, so the test would measure memory."
        yield block("test_overlap", lines, message, "Remove these rows from one of the two files.")


def contradictions(sheet: Sheet) -> Iterator[Finding]:
    """Warn about the same input with different targets: the model can only learn one."""
    clashes = [group for group in _same_question(sheet) if len({canonical(row.target) for row in group}) > 1]
    if clashes:
        lines = sorted(row.line for group in clashes for row in group)
        examples = "; ".join(name_lines([row.line for row in group]) for group in clashes[:MOST_EXPLAINED])
        message = f"{plural(len(clashes), 'input')} with more than one answer ({examples}). A model can't learn both."
        yield warn(
            "contradiction",
            lines,
            message,
            "Keep the right answer of each, or say in the input what makes the difference.",
        )


def _same_question(sheet: Sheet) -> list[list[Row]]:
    """Group rows with the same folded input under the same system prompt."""
    groups: dict[tuple[str, str], list[Row]] = {}
    for row, asked in zip(sheet.rows, sheet.inputs, strict=True):
        if asked:
            groups.setdefault((canonical(row.system), asked), []).append(row)
    return [group for group in groups.values() if len(group) > 1]


def duplicates(sheet: Sheet) -> Iterator[Finding]:
    """Warn about rows that are there twice: they weigh double."""
    lines: list[int] = []
    for group in _same_question(sheet):
        seen: set[str] = set()
        for row in group:
            answer = canonical(row.target)
            if answer in seen:
                lines.append(row.line)
            seen.add(answer)
    if lines:
        lines.sort()
        message = f"{lines_are(lines)} a repeat of an earlier row and would weigh double."
        yield warn("duplicate", lines, message, "Remove the repeats.")


def near_duplicates(sheet: Sheet) -> Iterator[Finding]:
    """Warn about inputs that nearly repeat an earlier one, as rows from one template do."""
    pairs = [pair for pair in near_pairs(sheet.inputs) if sheet.inputs[pair.earlier] != sheet.inputs[pair.later]]
    if pairs:
        lines = sorted({sheet.rows[place].line for pair in pairs for place in pair})
        examples = "; ".join(
            f"{sheet.rows[pair.later].line} like {sheet.rows[pair.earlier].line}" for pair in pairs[:MOST_EXPLAINED]
        )
        message = f"{plural(len(pairs), 'row')} nearly repeating an earlier one (line {examples}). They teach little."
        yield warn(
            "near_duplicate", lines, message, "Keep one of each, and write rows that differ in more than a word."
        )


def near_leaks(sheet: Sheet) -> Iterator[Finding]:
    """Warn about test inputs that nearly repeat a training input: the test would look easier than it is."""
    if not sheet.test:
        return
    known = len(sheet.rows)
    exact = set(sheet.inputs)
    leaks = {
        pair.later - known: sheet.rows[pair.earlier].line
        for pair in near_pairs([*sheet.inputs, *sheet.test_inputs])
        if pair.earlier < known <= pair.later and sheet.test_inputs[pair.later - known] not in exact
    }
    if leaks:
        lines = sorted(set(leaks.values()))
        tested = name_lines([sheet.test[place].line for place in leaks])
        message = f"{lines_have(lines)} nearly the same input in the test file (there: {tested})."
        yield warn(
            "near_leak", lines, message, "Replace them in the test file; the score would be too good to be true."
        )
