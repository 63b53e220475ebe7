"""Rules about how many rows there are and how long each is."""

from collections.abc import Iterator

from trainers.data.findings import Finding, block, lines_are, plural, warn
from trainers.data.rules.sheet import Sheet

LEAST_TEST_ROWS = 20  # below this no verdict can be PASS (the success rule's minimum)


def enough_rows(sheet: Sheet) -> Iterator[Finding]:
    """Block too few rows, warn about few."""
    count, limits = len(sheet.rows), sheet.limits
    have = f"That file has {plural(count, 'row')}"
    if count < limits.least_rows:
        fix = f"Add at least {plural(limits.least_rows - count, 'row')} that show what you want."
        message = f"{have} that I can use; training needs at least {limits.least_rows}."
        yield block("too_few_rows", (), message, fix)
    elif count < limits.good_rows:
        message = f"{have}. That can be enough for a narrow task; {limits.good_rows} or more are safer."
        yield warn("few_rows", (), message, "Add rows, first of all for the hard and the rare cases.")


def enough_test_rows(sheet: Sheet) -> Iterator[Finding]:
    """Warn if the test rows cannot carry a verdict."""
    if sheet.test is not None and len(sheet.test) < LEAST_TEST_ROWS:
        have = plural(len(sheet.test), "row")
        message = f"The test file has {have}; below {LEAST_TEST_ROWS} no result can count as proof."
        yield warn(
            "few_test_rows", (), message, f"Add test rows until there are at least {LEAST_TEST_ROWS}, better 50."
        )


def row_fits(sheet: Sheet) -> Iterator[Finding]:
    """Block rows longer than the model reads while it trains: cutting them would lose the answer silently."""
    most = sheet.limits.row_tokens
    lines = [row.line for row, tokens in zip(sheet.rows, sheet.tokens or (), strict=False) if tokens > most]
    if lines:
        message = f"{lines_are(lines)} longer than {most:,} tokens, the most that training reads of a row."
        yield block("row_too_long", lines, message, "Shorten the row or split it; I never cut rows silently.")
