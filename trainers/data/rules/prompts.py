"""The rule about system prompts across the two files: a model is to be tested on the prompt that it was trained on."""

from collections import Counter
from collections.abc import Iterator

from trainers.data.findings import Finding, name_lines, plural, warn
from trainers.data.likeness import canonical
from trainers.data.rules.sheet import Sheet


def tested_prompts(sheet: Sheet) -> Iterator[Finding]:
    """Warn about test rows under a system prompt that no training row has: the tuned model never saw it."""
    if not sheet.test or not sheet.rows:
        return
    taught = Counter(row.system for row in sheet.rows)
    unseen = [row for row in sheet.test if row.system not in taught]
    if not unseen:
        return
    lines = [row.line for row in unseen]
    usual, rows = taught.most_common(1)[0]
    first = next(row.line for row in sheet.rows if row.system == usual)
    message = (
        f"{len(lines):,} of {plural(len(sheet.test), 'test row')} with a system prompt that no training row has "
        f"({name_lines(lines)} of the test file{_how(unseen[0].system, taught)}): the tuned model never saw it. "
        f"In training {rows:,} of {plural(len(sheet.rows), 'row')} have {'another' if usual else 'none'}, "
        f"first in line {first:,}."
    )
    fix = "Give both files one system prompt, the same that will be used afterwards."
    yield warn("untaught_system_prompt", lines, message, fix)


def _how(tested: str, taught: Counter[str]) -> str:
    """Say what is other about the first one, without repeating it."""
    if not tested:
        return ", the first without any"
    return ", the first only spelled otherwise" if canonical(tested) in set(map(canonical, taught)) else ""
